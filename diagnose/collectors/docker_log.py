"""The log of one container: read as it streams, its end kept, and parted into the runs that wrote it."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from diagnose.collectors import Limits
from diagnose.collectors.docker_engine import Engine, EngineError
from diagnose.model import Chunk, Why

_HEADER = struct.Struct(">BxxxL")
_STAMP = len("2026-11-23T15:25:10.826702424Z")
_BLOCK = 64 * 1024
_LONGEST = 1024 * 1024
"""Bytes of a frame, or of a line put together from frames; the engine itself cuts frames at 16 KiB."""
_ENGINE = 3
"""The stream on which the engine itself reports that it can not go on."""
_PATIENCE = 0.6
"""Share of the time that goes into reading a log from its start; the rest is for its end, should that not do."""


@dataclass(frozen=True, slots=True)
class Text:
    """What was read of a log."""

    first_line: int
    """Number of the first kept line in all that was asked for, counted from 1."""
    content: bytes
    """Whole lines, the last one without its line end."""
    bytes_read: int
    cut: str = ""
    failure: EngineError | None = None
    """Why its end, or all of it, was not read."""


class Tail:
    """Takes a text of any size, and keeps no more than about its last ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._blocks: deque[bytes] = deque()
        self._kept = 0
        self._lines_gone = 0
        self.seen = 0
        """Bytes taken so far."""
        self.lines = 0
        """Line ends among them."""

    def add(self, block: bytes) -> None:
        self.seen += len(block)
        self.lines += block.count(b"\n")
        self._kept += len(block)
        self._blocks.append(block)
        while self._kept - len(self._blocks[0]) >= self._size:
            gone = self._blocks.popleft()
            self._kept -= len(gone)
            self._lines_gone += gone.count(b"\n")

    def end(self) -> tuple[int, bytes]:
        """Number of the first whole line that was kept, and the text from there."""
        text = b"".join(self._blocks)
        start = 0
        if self.seen > self._size:
            start = text.find(b"\n", max(0, len(text) - self._size - 1)) + 1
        first_line = self._lines_gone + text.count(b"\n", 0, start) + 1
        return first_line, text[start:].removesuffix(b"\n")


def read(engine: Engine, container: str, *, tty: bool, since: datetime | None, limits: Limits) -> Text:
    """The log of a container, at most the last ``limits.log_bytes`` of it. A failure stands beside what came before."""
    query: dict[str, str | int] = {"stdout": 1, "stderr": 1, "timestamps": 1}
    if since:
        query["since"] = f"{since.timestamp():.6f}"
    patience = replace(limits, call_s=limits.left_s() * _PATIENCE)
    tail, failure = _read(engine, container, query, tty, patience)
    if failure is None or failure.why is not Why.TIMED_OUT or not tail.seen:
        return _text(tail, failure)
    lines = max(1, limits.log_bytes * max(1, tail.lines) // tail.seen)
    end, failed_again = _read(engine, container, {**query, "tail": lines}, tty, limits)
    if failed_again:
        return _text(tail, failure)
    _, content = end.end()
    kept = content.count(b"\n") + 1
    cut = (
        f"more than {tail.lines:,} lines ({_megabytes(tail.seen)}), too many to read in {patience.call_s:.1f} s: "
        f"only the last {kept:,} lines were read, and line numbers count from the first of these"
    )
    return Text(1, content, tail.seen + end.seen, cut)


def _read(
    engine: Engine, container: str, query: dict[str, str | int], tty: bool, limits: Limits
) -> tuple[Tail, EngineError | None]:
    tail = Tail(limits.log_bytes)
    pieces = engine.pieces(f"/containers/{container}/logs", limits, **query)
    try:
        for block in _blocks(unframed(pieces) if not tty else (piece.replace(b"\r\n", b"\n") for piece in pieces)):
            tail.add(block)
    except EngineError as error:
        return tail, error
    return tail, None


def _text(tail: Tail, failure: EngineError | None) -> Text:
    first_line, content = tail.end()
    cuts = []
    if first_line > 1:
        left_out = tail.seen - len(content)
        cuts.append(f"the first {first_line - 1:,} lines ({_megabytes(left_out)}) were left out, the end was kept")
    if failure:
        cuts.append(f"reading stopped after {tail.lines:,} lines, what follows was not read")
    return Text(first_line, content, tail.seen, "; ".join(cuts), failure)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks, as the engine sends a piece for every line; what came before an error included."""
    waiting: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= _BLOCK:
                yield b"".join(waiting)
                waiting, size = [], 0
    except EngineError:
        yield b"".join(waiting)
        raise
    yield b"".join(waiting)


def unframed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines inside the frames of a log of a container without a terminal, stdout and stderr as they came.

    A line above 16 KiB arrives in several frames, each with the time stamp of the line, perhaps with a line of the
    other stream in between; a last line without line end stays without one when the next run begins. Raises EngineError
    where the engine reports, in place of a line, that it can not go on.
    """
    open_lines: dict[int, bytes] = {}
    for stream, line in _frames(pieces):
        if stream == _ENGINE:
            yield from _closed(open_lines)
            said = " ".join(line.decode("utf-8", "replace").split())[:300]
            raise EngineError(f"the engine broke the log off: {said}", why=Why.TRUNCATED)
        if open_lines:
            begun = open_lines.pop(stream, b"")
            if begun and begun[:_STAMP] == line[:_STAMP] and len(begun) < _LONGEST:
                line = begun + line[_STAMP + 1 :]
            elif begun:
                yield begun + b"\n"
        if line.endswith(b"\n"):
            yield line
        else:
            open_lines[stream] = line
    yield from _closed(open_lines)


def _closed(open_lines: dict[int, bytes]) -> Iterator[bytes]:
    yield from (line + b"\n" for line in open_lines.values())


def _frames(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Number of the stream and payload of every whole frame."""
    buffer = b""
    for piece in pieces:
        buffer += piece
        at = 0
        while len(buffer) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(buffer, at)
            if size > _LONGEST:
                raise EngineError("the engine sent a log in a form that was not understood", why=Why.FAILED)
            end = at + _HEADER.size + size
            if end > len(buffer):
                break
            yield stream, buffer[at + _HEADER.size : end]
            at = end
        buffer = buffer[at:]


def runs(text: Text, began: datetime) -> tuple[tuple[Chunk, ...], tuple[Chunk, ...]]:
    """What was written before the present run ``began``, and what since; each empty or one chunk."""
    at = _boundary(text.content, began)
    before, since = text.content[:at].removesuffix(b"\n"), text.content[at:]
    later_line = text.first_line + text.content.count(b"\n", 0, at)
    return _chunk(text.first_line, before), _chunk(later_line, since)


def _boundary(content: bytes, began: datetime) -> int:
    """Offset of the first line with a time stamp not before ``began``."""
    mark = began.strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
    at = 0
    while at < len(content):
        stamp = content[at : at + len(mark)]
        if stamp >= mark and stamp[4:5] == b"-" and stamp[10:11] == b"T":
            return at
        at = content.find(b"\n", at) + 1 or len(content)
    return len(content)


def _chunk(first_line: int, content: bytes) -> tuple[Chunk, ...]:
    return (Chunk(first_line, content.decode("utf-8", "replace")),) if content else ()
