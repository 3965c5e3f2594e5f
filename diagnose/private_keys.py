"""Finds private keys in text: they have lines of their own, and a log may have cut off their begin or their end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diagnose.secrets import PLACEHOLDER, Secret, Span, compiled, group

KEY_MARK = r"-----(?:BEGIN|END) [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
"""Stands before and behind the lines of a key. Certificates and public keys have other marks and stay."""

_KEY_BYTES = 64 * 1024
"""No key is longer: its other mark is not looked for further away."""
_LONG = 24
"""A shorter piece is a word unless it stands alone in its line."""
_LINE = r"""(?P<before>^|^.*[\s|>"'\]])(?P<secret>[A-Za-z0-9+/]+={0,2})[\s"',\\nr+]*$"""
"""A line of a key, whatever a log or a program prints around it."""
_INLINE = r"(?:\\+[nr]|\s)*(?P<secret>.*?)(?:\\+[nr]|\s)*$"
"""A key in one line: its line breaks are written as such."""
_INLINE_HEAD = r"""(?P<secret>(?:(?:\\+[nr])+[A-Za-z0-9+/=]|\s*[A-Za-z0-9+/=]{24})[^"'<\n]*)"""
_INLINE_TAIL = r"(?P<secret>(?:[A-Za-z0-9+/=]|\\+[nr])*[A-Za-z0-9+/=]{24}(?:=|\\+[nr])*)$"
_PROSE = re.compile(rb"[a-z .,/|]*")
_NOTHING = b" \t\r\\nr\"',|>+"
_LETTER = re.compile(rb"[A-SU-Ya-z]")
"""T and Z stand in time stamps."""
_DIGITS = re.compile(rb"[0-9]+")


def private_keys(data: bytes, lines: Iterable[Span]) -> Iterator[Secret]:
    """The keys, given the lines that have a mark; a key of several lines is one secret in several pieces."""
    marks = [
        (start + mark.start(), start + mark.end(), mark[0].startswith(b"-----BEGIN"))
        for start, stop in sorted(lines)
        for mark in compiled(KEY_MARK).finditer(data[start:stop])
    ]
    top, bottom = (0, 0, False), (len(data), len(data), True)
    for before, mark, after in zip([top, *marks], marks, [*marks[1:], bottom], strict=False):
        start, end, begins = mark
        prefix = data[data.rfind(b"\n", 0, start) + 1 : start]
        if begins and not after[2] and after[0] - end <= _KEY_BYTES:
            yield from _key(data, end, _whole(data[end : after[0]], prefix))
        elif begins:
            yield from _key(data, end, _head(data[end : min(after[0], end + _KEY_BYTES)], prefix))
        elif not before[2]:
            first = max(before[1], start - _KEY_BYTES)
            yield from _key(data, first, _tail(data[first:start], prefix))


def _key(data: bytes, offset: int, pieces: list[Span]) -> Iterator[Secret]:
    spans = [(offset + start, offset + end) for start, end in pieces if start < end]
    value = re.sub(rb"\\+[nr]|\s", b"", b"".join(data[slice(*span)] for span in spans))
    if PLACEHOLDER.encode() not in value:
        for number, (start, end) in enumerate(spans):
            yield Secret(start, end, "private-key", value, counts=number == 0)


def _whole(text: bytes, prefix: bytes) -> list[Span]:
    if b"\n" not in text:
        inline = compiled(_INLINE).match(text)
        return [group(inline, "secret")] if inline and not _PROSE.fullmatch(text) else []
    return [span for span, alone in _lines(text, prefix)[:-1] if alone or _is_long(span)]


def _head(text: bytes, prefix: bytes) -> list[Span]:
    """The end is cut off: as long as the lines look like a key; a shorter one is the last."""
    if text.partition(b"\n")[0].strip(_NOTHING):
        inline = compiled(_INLINE_HEAD).match(text)
        return [group(inline, "secret")] if inline else []
    spans: list[Span] = []
    for span, alone in _lines(text, prefix)[1:]:
        if _is_long(span):
            spans.append(span)
        elif span[0] < span[1]:
            return [*spans, span] if alone else spans
        elif spans:
            break
    return spans


def _tail(text: bytes, prefix: bytes) -> list[Span]:
    """The begin is cut off: backwards as long as the lines look like a key; only the last may be shorter."""
    inline = compiled(_INLINE_TAIL).search(text)
    if inline:
        return [group(inline, "secret")]
    spans: list[Span] = []
    for number, (span, alone) in enumerate(reversed(_lines(text, prefix)[:-1])):
        if not _is_long(span) and (number or not alone):
            break
        spans.insert(0, span)
    return spans if any(map(_is_long, spans)) else []


def _lines(text: bytes, prefix: bytes) -> list[tuple[Span, bool]]:
    """The piece of a key in each line (an empty span if there is none), and whether it is all there is in the line.

    ``prefix`` is what stands before the mark: a logger prints the same before every line of the key.
    """
    lines: list[tuple[Span, bool]] = []
    start = 0
    for line in text.split(b"\n"):
        found = compiled(_LINE).search(line)
        if found is None:
            lines.append(((start, start), False))
        else:
            before = found[b"before"]
            alone = not _LETTER.search(before) or _DIGITS.sub(b"", before) == _DIGITS.sub(b"", prefix)
            first, last = group(found, "secret")
            lines.append(((start + first, start + last), alone))
        start += len(line) + 1
    return lines


def _is_long(span: Span) -> bool:
    return span[1] - span[0] >= _LONG
