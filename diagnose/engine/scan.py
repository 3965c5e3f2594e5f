"""All patterns over every log, once: which lines each pattern matches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diagnose.model import Chunk, Log, Tally
from diagnose.patterns import Pattern, PatternSet

_BLOCK = 4 * 1024 * 1024
"""Bytes scanned at a time of a large file."""
_HEAD = 128 * 1024
_TAIL = 1024 * 1024
_LONGEST = 16 * 1024 * 1024
"""Bytes read of one line."""
_AROUND = 24 * 1024
"""Bytes kept before and after the first and the last occurrence of a pattern: a traceback with its records."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """The lines of one log that any pattern matches."""

    log: Log
    lines: Mapping[Pattern, tuple[tuple[int, str], ...]]
    """By pattern: line number in the whole log, and the line; ascending."""


def scan(logs: Iterable[Log], patterns: PatternSet) -> tuple[Scanned, ...]:
    """Scan each log with all patterns."""
    return tuple(Scanned(log, _lines(log, patterns)) for log in logs)


def _lines(log: Log, patterns: PatternSet) -> dict[Pattern, tuple[tuple[int, str], ...]]:
    found: dict[Pattern, list[tuple[int, str]]] = {}
    for chunk in log.chunks:
        data = chunk.text.encode("utf-8", "surrogateescape")
        for number, spans in patterns.lines(data).items():
            found.setdefault(patterns.patterns[number], []).extend(_numbered(data, spans, chunk.first_line))
    return {pattern: tuple(lines) for pattern, lines in found.items()}


def _numbered(data: bytes, spans: Iterable[tuple[int, int]], first_line: int) -> Iterable[tuple[int, str]]:
    line, position = first_line, 0
    for start, end in spans:
        line += data.count(b"\n", position, start)
        position = start
        yield line, data[start:end].decode("utf-8", "replace").rstrip("\r")


def sieve(path: Path, stream: str, source: str, patterns: PatternSet) -> Log:
    """What matters of a file too large to hold: its ends, and what stands around each pattern's first and last hit.

    Every byte is scanned; counts over the whole file are in ``tallies``. Raises OSError when the file cannot be read.
    """
    size = path.stat().st_size
    newlines, spots = 0, dict[int, _Spots]()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for count, found in pool.map(lambda offset: _block(path, offset, patterns), range(0, size, _BLOCK)):
            for number, spot in found.items():
                spots[number] = spot.after(newlines, spots.get(number))
            newlines += count
    anchors = [(0, 1), (size, newlines + 1), *(at for spot in spots.values() for at in (spot.first, spot.last))]
    chunks = tuple(_chunk(path, anchors, *piece) for piece in _pieces(spots, size))
    kept = sum(len(chunk.text) for chunk in chunks)
    return Log(
        stream=stream,
        source=source,
        chunks=chunks,
        cut=f"{source}: all {size / 1e6:,.0f} MB ({newlines:,} lines) were read; {kept / 1e6:.1f} MB are kept: "
        "both ends, and what stands around the first and the last match of each pattern",
        tallies={
            patterns.patterns[number].expression: Tally(spot.count, spot.first[1], spot.last[1])
            for number, spot in spots.items()
        },
    )


@dataclass(frozen=True, slots=True)
class _Spots:
    """Where a pattern occurs: (byte offset, line from 1) of the first and the last occurrence."""

    count: int
    first: tuple[int, int]
    last: tuple[int, int]

    def after(self, lines: int, before: _Spots | None) -> _Spots:
        """The same with ``lines`` lines in front, joined to what was found ``before``."""
        last = (self.last[0], self.last[1] + lines)
        if before is None:
            return _Spots(self.count, (self.first[0], self.first[1] + lines), last)
        return _Spots(before.count + self.count, before.first, last)


def _block(path: Path, offset: int, patterns: PatternSet) -> tuple[int, dict[int, _Spots]]:
    """Number of newlines, and the spots by pattern, in the lines that begin in the block at ``offset``."""
    start, data = _whole_lines(path, offset)
    found: dict[int, _Spots] = {}
    for number, spans in patterns.lines(data).items():
        first = 1 + data.count(b"\n", 0, spans[0][0])
        last = first + data.count(b"\n", spans[0][0], spans[-1][0])
        found[number] = _Spots(len(spans), (start + spans[0][0], first), (start + spans[-1][0], last))
    return data.count(b"\n"), found


def _whole_lines(path: Path, offset: int) -> tuple[int, bytes]:
    """The lines that begin in the block at ``offset``, and where the first of them begins."""
    with path.open("rb", buffering=0) as file:
        file.seek(max(0, offset - 1))
        data = file.read(_BLOCK + (offset > 0))
        skip = 0 if offset == 0 else data.find(b"\n") + 1
        if offset and not skip:
            return offset, b""
        rest = b"" if data.endswith(b"\n") else file.readline(_LONGEST)
    return max(0, offset - 1) + skip, data[skip:] + rest


def _pieces(spots: Mapping[int, _Spots], size: int) -> list[tuple[int, int]]:
    """Byte ranges to keep, ascending and apart."""
    wanted = [(0, _HEAD), (size - _TAIL, size)]
    wanted += [(at[0] - _AROUND, at[0] + _AROUND) for spot in spots.values() for at in (spot.first, spot.last)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, start), min(size, end)) for start, end in wanted):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _chunk(path: Path, anchors: Sequence[tuple[int, int]], start: int, end: int) -> Chunk:
    """The whole lines within a byte range, numbered from an anchor (byte offset, line) that lies in it."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(end - start)
    at, line = next(anchor for anchor in anchors if start <= anchor[0] <= end)
    first_line = line - data.count(b"\n", 0, at - start)
    skip = data.find(b"\n") + 1 if start else 0
    stop = len(data) if end == path.stat().st_size else data.rfind(b"\n") + 1
    text = data[skip:stop].decode("utf-8", "replace").removesuffix("\n")
    return Chunk(first_line + (1 if skip else 0), text)
