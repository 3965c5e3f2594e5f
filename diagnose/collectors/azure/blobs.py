"""Reads text blobs, build logs that is, over a link or a sign-in: whole, or of a huge one its beginning and its end.

Needs no role with a link that carries its signature; with a token, Storage Blob Data Reader on the storage account.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from diagnose.collectors import Limits
from diagnose.collectors.azure.blob_calls import BlobCalls, connected
from diagnose.collectors.azure.blob_errors import BlobError, expired, not_yet_valid
from diagnose.collectors.azure.blob_links import link_of
from diagnose.collectors.files.read import decoded
from diagnose.collectors.kubernetes.tail import Tail
from diagnose.model import Chunk, Why

HEAD = 64 * 1024
"""Bytes of the beginning of a huge log that are enough."""

_LAST_RESORT = 256 * 1024
"""Bytes of the end that are asked for when a log was too slow to be read whole."""
_INFLATED = 1024 * 1024
"""Bytes a compressed log may grow by before they are passed on: it may unpack to any size."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Blob:
    """What was read of a blob."""

    chunks: tuple[Chunk, ...]
    """One, or the beginning and the end; none of a blob that is empty."""
    cut: str
    """What was left out, and whether its line numbers hold; empty when the blob is whole."""
    received: int
    """Bytes that came over the network."""


def read_blob(url: str, limits: Limits, *, token: str = "", renew: str = "") -> Blob:
    """The text behind ``url``. Raises BlobError, which never shows a signature or a token.

    ``token``: of a sign-in for ``https://storage.azure.com``, for a blob without a link; ``renew``: how to come by a
    new link, as an instruction. A link that is past its time by its own account is not asked for. Of a huge log
    ``limits.log_bytes`` of the end and 64 KB of the beginning are read; a redirect is not followed.
    """
    link = link_of(url)
    now = datetime.now(UTC)
    if not token and link.certainly_expired(now):
        raise expired(link, renew)
    if not token and link.certainly_early(now):
        raise not_yet_valid(link, renew)
    if token and link.scheme != "https":
        raise BlobError("BlobAddress", "a sign-in is not sent without https", why=Why.NOT_SUPPORTED, needs="https")
    with connected(link, limits, token, renew) as calls:
        return _read(calls, limits.log_bytes)


def _read(calls: BlobCalls, most: int) -> Blob:
    ends = _Ends(most)
    size, failure = _feed(calls, ends, most)
    if size and failure is None:
        return _with_end(calls, ends.first_lines(), size - most, size)
    if size:
        return _with_end(calls, ends.all_lines(), max(ends.seen, size - min(most, _LAST_RESORT)), size)
    chunks, left_out = ends.kept()
    cuts = [f"{_size(left_out)} of {_size(ends.seen)} between beginning and end were left out"] if left_out else []
    if failure:
        cuts.append(f"not read to its end: {failure.message}")
    return Blob(chunks, "; ".join(cuts), calls.received)


def _feed(calls: BlobCalls, ends: _Ends, most: int) -> tuple[int, BlobError | None]:
    """Reads into ``ends`` until the end, or until it is better to ask for the end by its place: then the size of the
    blob, else 0; and why it broke off."""
    with calls.answer() as response:
        length, is_packed = response.headers.get("Content-Length", ""), False
        size = int(length) if length.isdigit() else 0
        try:
            for piece, is_packed in _plain(calls.pieces(response)):
                ends.feed(piece)
                if not is_packed and ends.seen >= HEAD and size > HEAD + most:
                    return size, None
        except BlobError as error:
            if not ends.seen:
                raise
            return (0 if is_packed else size), error
    return 0, None


def _with_end(calls: BlobCalls, beginning: bytes, start: int, size: int) -> Blob:
    """The beginning that came, and the end from about ``start``, which is asked for by its place."""
    end, failure = _end(calls, start - 1, size)
    left_out = _size(size - len(beginning) - len(end))
    cuts = [f"of {_size(size)} only the beginning and the end were read, {left_out} between were not"]
    if end:
        cuts.append("lines after the gap are numbered as if there were none")
    if failure:
        cuts.append(f"the end was not read to its last line: {failure.message}")
    chunks = (*_chunks(beginning), *_chunks(end, 1 + beginning.count(b"\n")))
    return Blob(chunks, "; ".join(cuts), calls.received)


def _end(calls: BlobCalls, start: int, size: int) -> tuple[bytes, BlobError | None]:
    """Whole lines after the byte ``start``, which is the last one before them, and why they are not all."""
    text, failure = bytearray(), None
    try:
        with calls.answer(f"bytes={start}-{size - 1}") as response:
            skip = start if response.status == 200 else 0  # some proxies take no heed of Range
            for piece in calls.pieces(response):
                text += piece[skip:]
                skip = max(0, skip - len(piece))
    except BlobError as error:
        failure = error
        text = text if b"\n" in text else bytearray()
    return bytes(text[text.find(b"\n", 0, len(text) - 1) + 1 :]), failure


class _Ends:
    """The beginning and the end of a text that arrives in pieces."""

    def __init__(self, last: int) -> None:
        self.seen = 0
        self._head = bytearray()
        self._tail = Tail(last)

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        room = HEAD - len(self._head)
        self.seen += len(piece)
        self._head += piece[:room]
        self._tail.feed(piece[room:])

    def kept(self) -> tuple[tuple[Chunk, ...], int]:
        """What was kept, with the numbers its lines have in the whole, and the bytes left out between."""
        tail, dropped, lines = self._tail.end()
        if not dropped:
            return _chunks(bytes(self._head) + tail), 0
        head, first = self.first_lines(), 1 + self._head.count(b"\n") + lines
        return (*_chunks(head), *_chunks(tail, first)), self.seen - len(head) - len(tail)

    def first_lines(self) -> bytes:
        """The beginning, up to its last line end."""
        return _whole_lines(bytes(self._head))

    def all_lines(self) -> bytes:
        """All that came, up to the last line end."""
        return _whole_lines(bytes(self._head) + self._tail.end()[0])


def _whole_lines(text: bytes) -> bytes:
    """Without a last line that is not whole, unless there is no other."""
    return text[: text.rfind(b"\n") + 1] or text


def _plain(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The text of a blob, and whether it had been compressed: as its first bytes say."""
    begun = b""
    for piece in pieces:
        begun += piece
        if len(begun) < len(_GZIP):
            continue
        if not begun.startswith(_GZIP):
            yield begun, False
            yield from ((piece, False) for piece in pieces)
        else:
            yield from ((text, True) for text in _inflated(begun, pieces))
        return
    yield begun, False


def _inflated(begun: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip data stands for, as far as it is sound; it may have several parts."""
    inflate = zlib.decompressobj(wbits=31)
    waiting = begun
    while waiting:
        try:
            yield inflate.decompress(waiting, _INFLATED)
        except zlib.error:
            return
        waiting = inflate.unconsumed_tail
        if inflate.eof:
            waiting, inflate = inflate.unused_data, zlib.decompressobj(wbits=31)
        waiting = waiting or next(pieces, b"")


def _chunks(content: bytes, first_line: int = 1) -> tuple[Chunk, ...]:
    text = decoded(content).removesuffix("\n")
    return (Chunk(first_line, text),) if text else ()


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
