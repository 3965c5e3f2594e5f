"""A picture of a page made small: PNG with a palette instead of three bytes a pixel."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter


def in_few_colours(png: bytes) -> bytes:
    """The same picture with a palette of its 256 most frequent colours: less than half as large, and looks no worse."""
    width, height, *kind = struct.unpack(">IIBBBBB", png[16:29])
    if kind != [8, 2, 0, 0, 0]:
        raise ValueError("not a PNG of 8 bits in three colours")
    pixels = [bytes(row[at : at + 3]) for row in rows(png, width, height) for at in range(0, 3 * width, 3)]
    palette = [colour for colour, _ in Counter(pixels).most_common(256)]
    index = {colour: nearest(colour, palette) for colour in set(pixels)}
    lines = (
        bytes([0, *(index[one] for one in pixels[start : start + width])]) for start in range(0, len(pixels), width)
    )
    body = zlib.compress(b"".join(lines), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (b"IHDR" + head, b"PLTE" + b"".join(palette), b"IDAT" + body, b"IEND")
    return png[:8] + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def nearest(colour: bytes, palette: Sequence[bytes]) -> int:
    """Place of the palette's colour that is most like ``colour``."""
    distances = (sum((a - b) ** 2 for a, b in zip(colour, one, strict=True)) for one in palette)
    return min(enumerate(distances), key=itemgetter(1))[0]


def rows(png: bytes, width: int, height: int) -> Iterator[bytearray]:
    """The lines of a picture of three bytes a pixel, their filters undone (PNG specification, section 9)."""
    data, position = bytearray(), 8
    while position < len(png):
        length, kind = struct.unpack(">I4s", png[position : position + 8])
        data += png[position + 8 : position + 8 + length] if kind == b"IDAT" else b""
        position += length + 12
    raw, size, above = zlib.decompress(data), 3 * width, bytearray(3 * width)
    for start in range(0, height * (size + 1), size + 1):
        row = bytearray(raw[start + 1 : start + 1 + size])
        for at in range(size):
            left, up, corner = (row[at - 3], above[at], above[at - 3]) if at >= 3 else (0, above[at], 0)
            row[at] = (row[at] + (0, left, up, (left + up) // 2, paeth(left, up, corner))[raw[start]]) & 255
        yield row
        above = row


def paeth(left: int, up: int, corner: int) -> int:
    """Whichever of the three is nearest to ``left + up - corner``."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda one: abs(guess - one))
