"""All patterns over every log, once: which lines each pattern matches."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

from diagnose.model import Chunk, Log, Tally
from diagnose.patterns import Pattern, PatternSet, search

_BLOCK = 2 * 1024 * 1024
"""Bytes scanned at a time of a large file."""
_STEP = 256 * 1024
"""Bytes looked at together when going backwards."""
_HEAD = 128 * 1024
_TAIL = 1024 * 1024
_REST = 1024 * 1024
"""Bytes read beyond a block to the end of its last line; of a longer line the rest is passed over."""
_NEWLINE = 10
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


def last_line(log: Log, pattern: Pattern | None, since: int) -> int:
    """Number of the last kept line, from line ``since`` on, that ``pattern`` matches; 0 when none does."""
    if pattern is None:
        return 0
    for chunk in reversed(log.chunks):
        lines = chunk.text.split("\n")
        for offset in range(len(lines) - 1, max(-1, since - chunk.first_line - 1), -1):
            if search(pattern, lines[offset]) is not None:
                return chunk.first_line + offset
    return 0


def sieve(
    path: Path, stream: str, source: str, patterns: PatternSet, context: Mapping[Pattern, Sequence[Pattern]]
) -> Log:
    """What matters of a file too large to hold: its ends, and what stands around each pattern's first and last hit.

    Every byte is scanned; counts over the whole file are in ``tallies``. ``context`` says for a pattern which others
    decide whether its lines count: of each, the last line after the first hit is kept too. Raises OSError when the file
    cannot be read.
    """
    size = path.stat().st_size
    newlines, spots = 0, dict[int, _Spots]()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for count, found in pool.map(lambda offset: _block(path, offset, patterns, _BLOCK), range(0, size, _BLOCK)):
            for number, spot in found.items():
                spots[number] = spot.after(newlines, spots.get(number))
            newlines += count
    spots |= _context_spots(path, patterns, spots, newlines, context)
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
            if number < len(patterns.patterns)
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


def _context_spots(
    path: Path,
    patterns: PatternSet,
    spots: Mapping[int, _Spots],
    newlines: int,
    context: Mapping[Pattern, Sequence[Pattern]],
) -> dict[int, _Spots]:
    """Where the last line of each context pattern is, looked for from the end back to the first hit it matters for."""
    since: dict[Pattern, int] = {}
    for number, spot in spots.items():
        for pattern in context.get(patterns.patterns[number], ()):
            since[pattern] = min(spot.first[0], since.get(pattern, spot.first[0]))
    found: dict[int, _Spots] = {}
    size = path.stat().st_size
    for place, (pattern, start) in enumerate(since.items(), len(patterns.patterns)):
        wanted = PatternSet([pattern])
        behind = 0
        for offset in range(_last_block(size), -1, -_STEP):
            if offset + _STEP < start:
                break
            lines, hits = _block(path, offset, wanted, _STEP)
            if hits:
                line = newlines - behind - lines + hits[0].last[1]
                found[place] = _Spots(1, (hits[0].last[0], line), (hits[0].last[0], line))
                break
            behind += lines
    return found


def _last_block(size: int) -> int:
    return max(0, size - 1) // _STEP * _STEP


def _block(path: Path, offset: int, patterns: PatternSet, length: int) -> tuple[int, dict[int, _Spots]]:
    """Number of newlines, and the spots by pattern, in the lines that begin in the block at ``offset``."""
    data = _buffer()
    start, end = _read_lines(path, offset, length, data)
    base = max(0, offset - 1)
    found: dict[int, _Spots] = {}
    for number, spans in patterns.lines(data, start, end).items():
        first = 1 + data.count(b"\n", start, spans[0][0])
        last = first + data.count(b"\n", spans[0][0], spans[-1][0])
        found[number] = _Spots(len(spans), (base + spans[0][0], first), (base + spans[-1][0], last))
    return data.count(b"\n", start, end), found


_THREAD = threading.local()


def _buffer() -> bytearray:
    """Memory that a thread uses again and again: fresh memory for every block costs more than the scan."""
    if not hasattr(_THREAD, "buffer"):
        _THREAD.buffer = bytearray(_BLOCK + _REST)
    buffer: bytearray = _THREAD.buffer
    return buffer


def _read_lines(path: Path, offset: int, length: int, data: bytearray) -> tuple[int, int]:
    """Read the lines that begin in the block at ``offset`` into ``data``: where they begin and end in it.

    What is read begins one byte before the block, whose newline tells that a line begins with the block.
    """
    with path.open("rb", buffering=0) as file, memoryview(data) as view:
        file.seek(max(0, offset - 1))
        size = _fill(file, view[: length + (offset > 0)])
        start = data.find(b"\n", 0, size) + 1 if offset else 0
        if offset and not start:
            return 0, 0
        if size and data[size - 1] != _NEWLINE:
            more = _fill(file, view[size : size + _REST])
            stop = data.find(b"\n", size, size + more)
            size = stop + 1 if stop >= 0 else size + more
    return start, size


def _fill(file: RawIOBase, view: memoryview) -> int:
    """Bytes read: all of ``view`` unless the file ends."""
    size = 0
    while size < len(view) and (count := file.readinto(view[size:])):
        size += count
    return size


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
