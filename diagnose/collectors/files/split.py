"""Cuts a text into its parts: tables, descriptions, HTTP answers, objects, and what is between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from diagnose.collectors.files.events import is_bare_event, is_event_header
from diagnose.collectors.files.http import end_of_answer, is_answer
from diagnose.collectors.files.kinds import sample
from diagnose.collectors.files.tables import is_header


class Kind(Enum):
    """What a part is."""

    TEXT = "text"
    TABLE = "table"
    DESCRIPTION = "description"
    QUOTA = "quota"
    EVENTS = "events"
    ANSWER = "answer"
    OBJECT = "object"
    YAML = "yaml"
    COMMAND = "command"
    NOTHING = "nothing"
    CONTAINER_MARK = "container mark"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of lines of one kind."""

    kind: Kind
    line: int
    """Number of its first line, counted from 1."""
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


_OPENINGS = (
    *("\nHTTP/", "\n< HTTP/", "\nName:  ", "\nEvents:", "Reason  ", "REASON  ", "\nNAME", "\nCONTAINER ID", "Normal  "),
    *(
        "Warning  ",
        "\n$ ",
        "kubectl ",
        "\n{",
        "\napiVersion: ",
        "\n==== START logs",
        "\nNo resources found",
        "\nLAST SEEN",
    ),
    *("\tReason\t", "\tREASON\t", "Normal\t", "Warning\t"),
)
"""Nothing but text is in a text that has none of these."""
_FIRST_WORDS = (
    *(
        "HTTP/",
        "< HTTP/",
        "Name:  ",
        "Events:",
        "NAME",
        "CONTAINER ID",
        "LAST",
        "FIRST",
        "apiVersion: ",
        "{",
        "$",
        "#",
        ">",
    ),
    *("---", "%", "PS ", "No resources found", "==== ", "Normal", "Warning", "Type", "TYPE"),
)
_FIRST_INDENTED = ("Normal", "Warning", "Type", "FirstSeen", "LastSeen", "{", "No resources found")
_COMMAND = re.compile(
    r"(?:[$#>%❯➜]|(?:PS )?[A-Za-z]:\\[^>]{0,100}>|\[?[\w.-]+@[\w.-]+[^$#>]{0,100}[$#>]) ?(?:sudo )?"
    r"(?:kubectl|oc|k|docker|az|curl|microk8s kubectl) .*"
)
_NOTHING = re.compile(r"No resources found(?: in \S+ namespace)?\.?")
_LOG_LINE = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:|Traceback \(most|[IWEF]\d{4} \d\d:|\d+\.\d+\.\d+\.\d+ - "
    r"|(?:INFO|WARNING|ERROR):"
)
_MARK = re.compile(r"==== (?:START|END) logs for container \S+ of pod \S+ ====")
_OBJECT = re.compile(r'\{ *(?:"(?:apiVersion|kind|items|metadata)".*)?')
_YAML_LEAD = re.compile(r"(?:---|#).*|\s*$")
_YAML_LINE = re.compile(r"[\w.-]+:|- |#")
_NAME_LINES = 14
"""Lines within which an object's namespace or labels follow its name."""
_SAMPLED = 1024 * 1024
"""Characters from which on only the ends of a text decide whether it holds more than a log."""
_LEAD_LINES = 20
"""Comments before an object in YAML."""
_KIND_LINES = 60
"""Lines within which the kind of an object in YAML follows its version: an event's stands below everything else."""


def split(text: str) -> list[Part]:
    """The parts of ``text`` in order; the empty lines between them belong to none."""
    looked_at = f"\n{sample(text) if len(text) > _SAMPLED else text}"
    if not any(opening in looked_at for opening in _OPENINGS):
        return [Part(Kind.TEXT, 1, (text,))]
    return list(_parts(text.split("\n")))


def _parts(lines: Sequence[str]) -> Iterator[Part]:
    start = index = 0
    while index < len(lines):
        kind, end = _opening(lines, index)
        if kind is Kind.TEXT:
            index += 1
            continue
        yield from _text(lines, start, index)
        yield Part(kind, index + 1, tuple(lines[index:end]))
        start = index = end
    yield from _text(lines, start, len(lines))


def _text(lines: Sequence[str], start: int, end: int) -> Iterator[Part]:
    if any(line.strip() for line in lines[start:end]):
        yield Part(Kind.TEXT, start + 1, tuple(lines[start:end]))


def _opening(lines: Sequence[str], index: int) -> tuple[Kind, int]:
    """What begins at ``lines[index]``, and the index after its end."""
    if _may_begin(lines[index]):
        for kind, begins, end_of in _KINDS:
            if begins(lines, index):
                return kind, end_of(lines, index)
    return Kind.TEXT, index + 1


def _may_begin(line: str) -> bool:
    """A quick look that leaves out nearly every line of a log."""
    if line[:1] in " \t":
        return line.lstrip().startswith(_FIRST_INDENTED)
    return line.startswith(_FIRST_WORDS) or "kubectl " in line or " docker " in line


def _describes(lines: Sequence[str], index: int) -> bool:
    if not lines[index].startswith("Name:  "):
        return False
    below = lines[index + 1 : index + _NAME_LINES]
    return any(line.startswith(("Namespace:  ", "Labels:  ", "Roles:  ", "CreationTimestamp:  ")) for line in below)


def _end_of_description(lines: Sequence[str], index: int) -> int:
    """At the next description, answer or prompt; below its events, which come last, also where anything else begins."""
    in_events = False
    for here in range(index + 1, len(lines)):
        line = lines[here]
        if line.startswith("Events:"):
            in_events = True
        elif line[:1].strip() and (_begins_anew(lines, here) or (in_events and _begins_other(line))):
            return here
    return len(lines)


def _begins_anew(lines: Sequence[str], index: int) -> bool:
    return bool(_COMMAND.match(lines[index])) or _describes(lines, index) or is_answer(lines, index)


def _begins_other(line: str) -> bool:
    return bool(_LOG_LINE.match(line) or _OBJECT.fullmatch(line)) or is_header(line)


def _is_quota(lines: Sequence[str], index: int) -> bool:
    below = lines[index + 1 : index + 4]
    return lines[index].startswith("Name:  ") and any(
        line.startswith(("Resource  ", "Type  ")) and ("Hard" in line or "Min" in line) for line in below
    )


def _begins_events(lines: Sequence[str], index: int) -> bool:
    return is_event_header(lines[index]) or (
        lines[index].strip() == "Events:" and index + 1 < len(lines) and is_event_header(lines[index + 1])
    )


def _end_of_table(lines: Sequence[str], index: int) -> int:
    """At an empty line, a prompt, the next header, or where a log begins."""
    for here in range(index + 1 + (lines[index].strip() == "Events:"), len(lines)):
        line = lines[here]
        if not line.strip() or _begins_anew(lines, here) or _begins_other(line):
            return here
    return len(lines)


def _end_of_rows(lines: Sequence[str], index: int) -> int:
    return next((here for here in range(index, len(lines)) if not is_bare_event(lines[here])), len(lines))


def _begins_object(lines: Sequence[str], index: int) -> bool:
    """A Kubernetes object in JSON: kubectl puts the version of its API first, the API server second."""
    return bool(_OBJECT.fullmatch(lines[index])) and any('"apiVersion"' in line for line in lines[index : index + 3])


def _end_of_object(lines: Sequence[str], index: int) -> int:
    """At the brace that closes it; kubectl indents everything between."""
    if lines[index].strip() != "{":
        return index + 1
    indent = lines[index].partition("{")[0]
    return next((here + 1 for here in range(index, len(lines)) if lines[here].rstrip() == indent + "}"), len(lines))


def _begins_yaml(lines: Sequence[str], index: int) -> bool:
    """An object in YAML, with the comments and the separator before it."""
    last = index + _LEAD_LINES
    while index < min(last, len(lines)) and _YAML_LEAD.match(lines[index]):
        index += 1
    if index == len(lines) or not lines[index].startswith("apiVersion: "):
        return False
    for line in lines[index + 1 : index + _KIND_LINES]:
        if line.startswith(("kind: ", "items:")):
            return True
        if line.startswith(("---", "apiVersion: ")):
            return False
    return False


def _end_of_yaml(lines: Sequence[str], index: int) -> int:
    """At the next document, or at the first line that is neither indented nor a key nor a list's entry."""
    while _YAML_LEAD.match(lines[index]):
        index += 1
    for here in range(index + 1, len(lines)):
        line = lines[here]
        if line.startswith("---"):
            return here + 1
        if line[:1].strip() and (not _YAML_LINE.match(line) or _begins_yaml(lines, here)):
            return here
    return len(lines)


def _one(_lines: Sequence[str], index: int) -> int:
    return index + 1


_KINDS: tuple[tuple[Kind, Callable[[Sequence[str], int], bool], Callable[[Sequence[str], int], int]], ...] = (
    (Kind.ANSWER, is_answer, end_of_answer),
    (Kind.QUOTA, _is_quota, _end_of_table),
    (Kind.DESCRIPTION, _describes, _end_of_description),
    (Kind.TABLE, _begins_events, _end_of_table),
    (Kind.TABLE, lambda lines, index: lines[index][:1] in "NC" and is_header(lines[index]), _end_of_table),
    (Kind.OBJECT, _begins_object, _end_of_object),
    (Kind.YAML, _begins_yaml, _end_of_yaml),
    (Kind.COMMAND, lambda lines, index: _COMMAND.fullmatch(lines[index]) is not None, _one),
    (Kind.NOTHING, lambda lines, index: _NOTHING.fullmatch(lines[index].strip()) is not None, _one),
    (Kind.EVENTS, lambda lines, index: is_bare_event(lines[index]), _end_of_rows),
    (Kind.CONTAINER_MARK, lambda lines, index: _MARK.fullmatch(lines[index]) is not None, _one),
)
"""By how they begin, and where they end; the first that fits is taken."""
