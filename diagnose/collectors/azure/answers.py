"""Parts of Azure's answers as typed values; what is absent, null or of another kind is empty or None."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnose.collectors import Limits
from diagnose.lines import stamp
from diagnose.model import Chunk, Log, Subject

TAIL = 5000
"""Lines of a log that are asked for: as many as the SDKs ask for."""

_DURATION = re.compile(
    r"P(?:(?P<days>[\d.]+)D)?(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)
_UNITS_S = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_VERSIONED = re.compile(r"(?:^|/)(?P<name>[^/]+)/(?:versions|labels)/(?P<version>[^/]+)$")
_FIRST_WORD = re.compile(r"\W*(?:\(None\)\s*)?(?P<code>[A-Z][A-Za-z0-9]{2,80}): ")


def part(value: object, *keys: str) -> Mapping[str, object]:
    """The object at the end of a path of keys; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def parts(value: object) -> list[dict[str, object]]:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string; the empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A number; True and False are none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def whole(value: object) -> int | None:
    """A whole number, also where it came with a fraction of nothing: ``100.0``."""
    found = number(value)
    return None if found is None else int(found)


def flag(value: object) -> bool | None:
    """True or False; None for anything else."""
    return value if isinstance(value, bool) else None


def seconds(value: object) -> float | None:
    """Seconds of an ISO 8601 duration such as ``PT5M`` or ``P1DT2.5S``; None for anything else."""
    found = _DURATION.fullmatch(text(value))
    if found is None or not any(found.groups()):
        return None
    try:
        return sum(float(amount) * _UNITS_S[unit] for unit, amount in found.groupdict().items() if amount)
    except ValueError:
        return None


def name_of(arm_id: object) -> str:
    """The last part of an ARM id; a plain name stays what it is."""
    return text(arm_id).rstrip("/").rpartition("/")[2]


def within(arm_id: object, kind: str) -> str:
    """The name that follows ``kind`` in an ARM id, which spells its parts in any case: ``resourcegroups``."""
    segments = text(arm_id).split("/")
    lowered = [segment.lower() for segment in segments]
    at = lowered.index(kind.lower()) + 1 if kind.lower() in lowered else len(segments)
    return segments[at] if at < len(segments) else ""


def versioned(asset_id: object) -> str:
    """``name:version`` of a model or environment, given as ARM id, registry id or ``azureml:name:version``."""
    found = _VERSIONED.search(text(asset_id))
    if found:
        return f"{found['name']}:{found['version']}"
    return text(asset_id).removeprefix("azureml:")


@dataclass(frozen=True, slots=True)
class Told:
    """What an error says."""

    code: str = ""
    message: str = ""
    """Its first line."""


def told_by(error: object) -> Told:
    """Code and first line of an error object; the code is the first word of the message where it is not given."""
    message = text(part(error).get("message")).strip()
    first_line = message.partition("\n")[0].strip()
    code = text(part(error).get("code"))
    found = _FIRST_WORD.match(first_line) if not code else None
    return Told(found["code"] if found else code, first_line)


def log_of(content: str, stream: str, source: str, subject: Subject, *, first_line: int = 1, cut: str = "") -> Log:
    """A text of Azure as a log; ``first_line`` is the number of its first line in what ``source`` prints."""
    kept = content.rstrip("\n")
    return Log(
        stream=stream, source=source, subject=subject, chunks=(Chunk(first_line, kept),) if kept else (), cut=cut
    )


def tail_of(content: str, limit: int, first_line: int = 1) -> tuple[str, int, str]:
    """The end of ``content``, whole lines of at most ``limit`` bytes; the number of its first line; what is cut."""
    encoded = content.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return content, first_line, ""
    start = encoded.find(b"\n", len(encoded) - limit) + 1 or len(encoded) - limit
    dropped = encoded.count(b"\n", 0, start)
    cut = f"the first {dropped:,} lines ({start / 1e6:.1f} MB) were left out, the end was kept"
    return encoded[start:].decode("utf-8", "replace"), first_line + dropped, cut


def kept_of(content: str, limits: Limits, now: datetime, first_line: int = 1) -> tuple[str, int, str]:
    """What is kept of a log of which the last TAIL lines were asked for: as ``tail_of``, and nothing too old."""
    cuts = [f"only the last {TAIL:,} lines were asked for"] if content.count("\n") >= TAIL else []
    content, first_line, too_old = _since(content, now, limits.since_s, first_line)
    content, first_line, too_long = tail_of(content, limits.log_bytes, first_line)
    return content, first_line, "; ".join(filter(None, (*cuts, too_old, too_long)))


def _since(content: str, now: datetime, since_s: float | None, first_line: int) -> tuple[str, int, str]:
    """From the first line on that bears a time of the last ``since_s`` seconds; all of it where no line bears any."""
    if since_s is None:
        return content, first_line, ""
    start, lines = now - timedelta(seconds=since_s), content.split("\n")
    times = [(index, time) for index, line in enumerate(lines) if (time := stamp(line))]
    first = next((index for index, time in times if time >= start), len(lines) if times else 0)
    cut = f"only lines of the last {since_s:.0f} s were kept" if first else ""
    return "\n".join(lines[first:]), first_line + first, cut
