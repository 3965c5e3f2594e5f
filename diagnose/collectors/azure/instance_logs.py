"""The log of a deployment of an online endpoint: what stands before the container's own lines, and these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

STEPS = ("SystemSetup", "UserContainerImagePull", "ModelDownload", "UserContainerStart")
"""The steps of ``Instance status``, in the order in which an instance takes them."""

_STATUS, _EVENTS, _LOGS = "Instance status:", "Container events:", "Container logs:"
_STEP = re.compile(r"(\w+): (\w+)")
_LOGS_LINE = re.compile(rf"^{_LOGS}[ \t]*$", re.M)
_LARGEST_HEADER = 256 * 1024


@dataclass(frozen=True, slots=True)
class InstanceLog:
    """A log in its parts. Azure gives the log of one instance, however many there are."""

    steps: Mapping[str, str] = field(default_factory=dict)
    """``Succeeded``, ``InProgress``, ``Waiting`` or ``Failed``, by step; empty where the log tells none."""
    header: str = ""
    """All that stands before the container's own lines, events among it."""
    content: str = ""
    """What the container wrote."""
    first_line: int = 1
    """Number of the first line of ``content`` in the whole."""

    def failed_step(self, provisioning_state: str) -> str:
        """The step at which it stopped; empty where none did.

        Azure sometimes gives up on a deployment without marking a step: then it is the first that was under way, where
        SystemSetup, which spans the others, counts only when no other was.
        """
        failed = [step for step in STEPS if self.steps.get(step) == "Failed"]
        if failed or provisioning_state != "Failed":
            return failed[0] if failed else ""
        open_steps = [step for step in STEPS if self.steps.get(step, "Succeeded") != "Succeeded"]
        under_way = [step for step in open_steps if self.steps[step] != "Waiting"] or open_steps
        others = [step for step in under_way if step != STEPS[0]]
        return next(iter(others or under_way), "")


def parted(content: str) -> InstanceLog:
    """``content`` of ``getLogs`` in its parts; a log without the leading blocks is all container."""
    if not content.lstrip().startswith(_STATUS):
        return InstanceLog(content=content)
    end = _end_of_header(content)
    header = content[:end]
    status = header.partition(_EVENTS)[0]
    steps = {step: state for step, state in _STEP.findall(status) if step in STEPS}
    return InstanceLog(steps, header, content[end:], content.count("\n", 0, end) + 1)


def _end_of_header(content: str) -> int:
    """Where the container's own lines begin: after their headline, which older logs lack, else after the blocks."""
    headline = _LOGS_LINE.search(content, 0, _LARGEST_HEADER)
    if headline:
        return min(headline.end() + 1, len(content))
    position, block = 0, ""
    for line in content.splitlines(keepends=True):
        bare = line.strip()
        if bare in (_STATUS, _EVENTS):
            block = bare
        elif bare and not _belongs(bare, block):
            return position
        position += len(line)
    return position


def _belongs(line: str, block: str) -> bool:
    if block == _EVENTS:
        return line.startswith("Kind: ")
    step = _STEP.fullmatch(line)
    return step is not None and step[1] in STEPS
