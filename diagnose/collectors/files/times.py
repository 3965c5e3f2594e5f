"""Ages and times as kubectl, Docker, Azure and HTTP print them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from diagnose.lines import stamp

_UNITS = {"y": 365 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_AGE = re.compile(r"(?:\d+[ydhms])+")
_AGE_PART = re.compile(r"(\d+)([ydhms])")
_SHAPES = ("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT", "%Y%m%d-%H:%M:%S.%f", "%Y/%m/%d %H:%M:%S")
"""RFC 1123 with zone (kubectl describe), HTTP dates, getLogs of 2022, Go's log package."""
_ANY_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:\d\d)?"
    r"|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
)
_TIME = r"\\*\"?: *\\*\"?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
_FIELD_TIMES = (
    *(re.compile(field + _TIME) for field in ("Timestamp(?<!deletionTimestamp)", "Time(?<!expirationTime)", "edAt")),
    re.compile(r"Time: (\d{8}-\d\d:\d\d:\d\d\.\d+)"),
)
"""Times of things that have happened: expiry dates and deletion deadlines lie in the future."""
_ACCESS = re.compile(r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]")
_SLASHED = re.compile(r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) ")
_CAPTURED = re.compile(r"^# captured_at: (\S+)", re.M)
_TAIL = 32 * 1024
_QUOTING = 256 * 1024
"""Characters of the longest text that is searched for quoted events: errors are shorter."""


def age_s(text: str) -> float | None:
    """Seconds of an age such as ``9m4s`` or ``5y342d``; None for ``<unknown>`` and anything else."""
    if not _AGE.fullmatch(text):
        return None
    return float(sum(int(number) * _UNITS[unit] for number, unit in _AGE_PART.findall(text)))


def moment(text: str) -> datetime | None:
    """The time ``text`` states, in UTC; without a zone it is taken as UTC. None when it states none."""
    found = stamp(text) if text[4:5] == "-" else None
    return found or next(_shaped(text), None)


def _shaped(text: str) -> Iterator[datetime]:
    for shape in _SHAPES:
        try:
            parsed = datetime.strptime(text, shape)
        except ValueError:
            continue
        yield parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def captured_at(text: str) -> datetime | None:
    """What a comment ``# captured_at: TIME`` says; None without one."""
    found = _CAPTURED.search(text, 0, _TAIL)
    return moment(found[1]) if found else None


def newest_in_objects(text: str) -> datetime | None:
    """The newest time at which something happened, in the JSON or YAML of Kubernetes or Azure objects."""
    return _newest({time for field in _FIELD_TIMES for time in field.findall(text)})


def newest_anywhere(text: str) -> datetime | None:
    """The newest time written in ``text``: for describe output, whose times all lie in the past."""
    return _newest(set(_ANY_TIME.findall(text)))


def newest_in_text(text: str) -> datetime | None:
    """The newest time with which a line ends a log, or that an error text quotes of an event."""
    quoted = newest_in_objects(text) if len(text) <= _QUOTING else None
    return max((one for one in (newest_in_log(text), quoted) if one), default=None)


def newest_in_log(text: str) -> datetime | None:
    """The newest time with which one of the last lines of a log begins, or its access log has."""
    lines = text[-_TAIL:].splitlines()
    stamps = [found for line in lines if line[:1] in "[12" and (found := stamp(line) or _slashed(line))]
    access = [
        datetime.strptime(found, "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC) for found in _ACCESS.findall(text[-_TAIL:])
    ]
    return max(stamps + access, default=None)


def _slashed(line: str) -> datetime | None:
    found = _SLASHED.match(line)
    return moment(found[1]) if found else None


def _newest(texts: set[str]) -> datetime | None:
    return max((found for text in texts if (found := moment(text))), default=None)
