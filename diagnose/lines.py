"""Lines of logs: their time stamps, their numbers and their neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from diagnose.model import Log

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)? ?")
_PREFIX = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z ")
_CONTEXT = 2


def bare(line: str) -> str:
    """The line without the time stamp that ``--timestamps`` puts in front (and only that one)."""
    found = _PREFIX.match(line)
    return line[found.end() :] if found else line


def stamp(line: str) -> datetime | None:
    """The time a line begins with, in UTC; a time without a zone is taken as UTC, as containers have it."""
    found = _STAMP.match(line[1:] if line.startswith("[") else line)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1].replace(" ", "T") + (found[3] or "+00:00").replace("Z", "+00:00"))
    except ValueError:
        return None
    fraction = int((found[2] or "0")[:6].ljust(6, "0"))
    return moment.astimezone(UTC).replace(microsecond=fraction)


def numbered(log: Log) -> Iterator[tuple[int, str]]:
    """Every kept line with its number in the whole log, without line ends."""
    for chunk in log.chunks:
        for offset, line in enumerate(chunk.text.split("\n")):
            yield chunk.first_line + offset, line.rstrip("\r")


def neighbours(log: Log, number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Up to two lines before and after line ``number``, as far as they were kept."""
    for chunk in log.chunks:
        index = number - chunk.first_line
        if index < 0:
            continue
        start = _offset(chunk.text, max(0, index - _CONTEXT))
        if start is None:
            continue
        lines = chunk.text[start : start + 64 * 1024].split("\n")
        here = min(index, _CONTEXT)
        if here < len(lines):
            clean = [bare(line.rstrip("\r")) for line in lines]
            return tuple(clean[max(0, here - _CONTEXT) : here]), tuple(clean[here + 1 : here + 1 + _CONTEXT])
    return (), ()


def _offset(text: str, index: int) -> int | None:
    """Where line ``index`` (from 0) begins."""
    position = 0
    for _ in range(index):
        position = text.find("\n", position) + 1
        if position == 0:
            return None
    return position
