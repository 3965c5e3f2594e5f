"""All patterns over every log, once: which lines each pattern matches."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import RawIOBase
from pathlib import Path

from diagnose.model import Chunk, Log, Tally
from diagnose.patterns import Pattern, PatternSet, search

_BLOCK = 512 * 1024
"""Bytes scanned at a time of a large file."""
_RANGE = 64 * _BLOCK
"""Bytes one process scans before it hands over what it found."""
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
    newlines, spots = _spots(path, size, patterns)
    hits = {pattern: spot for pattern, spot in spots.items() if not pattern.once}
    keep = [at for spot in hits.values() for at in (spot.first, spot.last)]
    keep += [at for pattern, spot in _deciding(hits, spots, context) if (at := _last_in_block(path, pattern, spot))]
    anchors = [(0, 1), (size, newlines + 1), *keep]
    chunks = tuple(_chunk(path, anchors, *piece) for piece in _pieces(keep, size))
    kept = sum(len(chunk.text) for chunk in chunks)
    return Log(
        stream=stream,
        source=source,
        chunks=chunks,
        cut=f"{source}: all {size / 1e6:,.0f} MB ({newlines:,} lines) were read; {kept / 1e6:.1f} MB are kept: "
        "both ends, and what stands around the first and the last match of each pattern",
        tallies={pattern.expression: Tally(spot.count, spot.first[1], spot.last[1]) for pattern, spot in hits.items()},
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


def _spots(path: Path, size: int, patterns: PatternSet) -> tuple[int, dict[Pattern, _Spots]]:
    """Number of newlines in the file, and where each pattern occurs."""
    ranges = [(start, min(size, start + _RANGE)) for start in range(0, size, _RANGE)]
    newlines, spots = 0, dict[Pattern, _Spots]()
    for count, found in _results(path, patterns, ranges):
        for pattern, spot in found.items():
            spots[pattern] = spot.after(newlines, spots.get(pattern))
        newlines += count
    return newlines, spots


def _results(
    path: Path, patterns: PatternSet, ranges: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, dict[Pattern, _Spots]]]:
    """What each range holds, in order; on several processors where processes can be forked.

    Threads gain little: counting newlines holds the interpreter's lock.
    """
    workers = min(_processors(), len(ranges))
    if workers > 1 and "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1:
        with multiprocessing.get_context("fork").Pool(workers, _adopt, (path, patterns)) as pool:
            yield from pool.imap(_adopted, ranges)
        return
    for start, stop in ranges:
        yield _range(path, patterns, start, stop)


def _processors() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_WORK: list[tuple[Path, PatternSet]] = []
"""In a forked process: what it works on, inherited and not sent."""


def _adopt(path: Path, patterns: PatternSet) -> None:
    _WORK[:] = [(path, patterns)]


def _adopted(span: tuple[int, int]) -> tuple[int, dict[Pattern, _Spots]]:
    return _range(*_WORK[0], *span)


def _range(path: Path, patterns: PatternSet, start: int, stop: int) -> tuple[int, dict[Pattern, _Spots]]:
    """Number of newlines, and the spots, in the lines that begin from ``start`` to ``stop``."""
    newlines, spots = 0, dict[Pattern, _Spots]()
    for offset in range(start, stop, _BLOCK):
        count, found = _block(path, offset, patterns)
        for pattern, spot in found.items():
            spots[pattern] = spot.after(newlines, spots.get(pattern))
        newlines += count
    return newlines, spots


def _deciding(
    hits: Mapping[Pattern, _Spots], spots: Mapping[Pattern, _Spots], context: Mapping[Pattern, Sequence[Pattern]]
) -> list[tuple[Pattern, _Spots]]:
    """The context patterns of what was hit that occur at all."""
    wanted = dict.fromkeys(pattern for hit in hits for pattern in context.get(hit, ()))
    return [(pattern, spots[pattern]) for pattern in wanted if pattern in spots]


def _last_in_block(path: Path, pattern: Pattern, spot: _Spots) -> tuple[int, int] | None:
    """Where a pattern occurs last: of a ``once`` pattern only the first line in each block is known so far."""
    block = spot.last[0] // _BLOCK * _BLOCK
    _, found = _block(path, block, PatternSet([replace(pattern, once=False)]))
    for exact in found.values():
        return exact.last[0], spot.last[1] - exact.first[1] + exact.last[1]
    return None


def _block(path: Path, offset: int, patterns: PatternSet) -> tuple[int, dict[Pattern, _Spots]]:
    """Number of newlines, and the spots by pattern, in the lines that begin in the block at ``offset``."""
    data = _buffer()
    start, end = _read_lines(path, offset, data)
    base = max(0, offset - 1)
    hits = patterns.lines(data, start, end)
    ends = {number: (spans[0][0], spans[-1][0]) for number, spans in hits.items()}
    lines, position, newlines = dict[int, int](), start, 0
    for at in sorted({at for pair in ends.values() for at in pair}):
        newlines += data.count(b"\n", position, at)
        position = at
        lines[at] = newlines + 1
    found = {
        patterns.patterns[number]: _Spots(len(hits[number]), (base + first, lines[first]), (base + last, lines[last]))
        for number, (first, last) in ends.items()
    }
    return newlines + data.count(b"\n", position, end), found


_THREAD = threading.local()


def _buffer() -> bytearray:
    """Memory that a thread uses again and again: fresh memory for every block costs more than the scan."""
    if not hasattr(_THREAD, "buffer"):
        _THREAD.buffer = bytearray(_BLOCK + _REST)
    buffer: bytearray = _THREAD.buffer
    return buffer


def _read_lines(path: Path, offset: int, data: bytearray) -> tuple[int, int]:
    """Read the lines that begin in the block at ``offset`` into ``data``: where they begin and end in it.

    What is read begins one byte before the block, whose newline tells that a line begins with the block.
    """
    with path.open("rb", buffering=0) as file, memoryview(data) as view:
        file.seek(max(0, offset - 1))
        size = _fill(file, view[: _BLOCK + (offset > 0)])
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


def _pieces(spots: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """Byte ranges to keep, ascending and apart: both ends, and what stands around each (byte offset, line)."""
    wanted = [(0, _HEAD), (size - _TAIL, size), *((at - _AROUND, at + _AROUND) for at, _ in spots)]
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
