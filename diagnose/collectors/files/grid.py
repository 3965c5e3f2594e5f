"""Text tables with a header line, as kubectl and docker print them, cut into cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_COLUMN = re.compile(
    r"LAST SEEN|FIRST SEEN|ACCESS MODES|NOMINATED NODE|READINESS GATES|NODE SELECTOR|CONTAINER ID|IMAGE ID|\S+"
)
_GAP = re.compile(r"[ ]{2,}|\t+ *")
_RULE = re.compile(r"[-\s]+")
"""The dashes under a header."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    line: int
    cells: Mapping[str, str]
    """By column title, in capitals and without blanks: ``LASTSEEN``."""
    aligned: bool
    """It has as many cells as there are columns; what wraps from the line above has not."""

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def columns_of(header: str) -> tuple[str, ...]:
    """The titles of the columns, in capitals and without blanks."""
    return tuple(found[0].replace(" ", "").upper() for found in _COLUMN.finditer(header))


def rows(lines: Sequence[str], first_line: int) -> Iterator[Row]:
    """The rows below the header ``lines[0]``, which is line ``first_line`` of its file."""
    columns = columns_of(lines[0])
    starts = [found.start() for found in _COLUMN.finditer(lines[0])]
    for number, line in enumerate(lines[1:], first_line + 1):
        if line.strip() and not _RULE.fullmatch(line):
            cells = _cells(line.rstrip(), starts)
            yield Row(number, dict(zip(columns, cells, strict=False)), len(cells) == len(columns))


def _cells(line: str, starts: Sequence[int]) -> list[str]:
    """By gaps where that gives a cell for each column, else (empty cells) by the header's offsets, else by blanks."""
    wanted = len(starts)
    by_gap = _GAP.split(line.strip(), maxsplit=wanted - 1)
    if len(by_gap) == wanted:
        return by_gap
    if all(start >= len(line) or start == 0 or line[start - 1] == " " for start in starts) and len(line) > starts[-1]:
        return [line[start:stop].strip() for start, stop in zip(starts, [*starts[1:], len(line)], strict=True)]
    by_blank = line.split(maxsplit=wanted - 1)
    return by_blank if len(by_blank) == wanted else by_gap
