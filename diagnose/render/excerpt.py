"""Evidence as lines of a page: numbered, cut around what matters, with the part marked that the rule found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from diagnose.model import Citation
from diagnose.render.plain import plain
from diagnose.render.words import first_line, left_out


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters within a line."""

    kind: Literal["text", "mark", "whole", "cut"]
    """``mark``: what the rule found; ``whole``: all of the line is that; ``cut``: says how much is left out here."""
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of evidence, or one beside it."""

    number: str
    """Empty where lines have none."""
    pieces: tuple[Piece, ...]
    hit: bool
    """The line itself, not one beside it."""


def rows(citation: Citation, line: int | None, beside: int | None) -> tuple[Row, ...]:
    """The line between those beside it. ``line``, ``beside``: characters shown of each, None for all; 0 for none."""
    first, here = first_line(citation), len(citation.before)
    lines = (*citation.before, citation.text, *citation.after)
    return tuple(
        Row(
            number="" if first is None else str(first + place),
            pieces=_marked(citation, line) if place == here else _ends(_shown(text), beside),
            hit=place == here,
        )
        for place, text in enumerate(lines)
        if place == here or beside != 0
    )


def is_cut(shown: Iterable[Row]) -> bool:
    """Something of a line was left out."""
    return any(piece.kind == "cut" for row in shown for piece in row.pieces)


def _shown(text: str) -> str:
    return plain(text).replace("\n", " ").rstrip()


def _marked(citation: Citation, most: int | None) -> tuple[Piece, ...]:
    text, marked = _shown(citation.text), _shown(citation.marked).strip()
    start = text.find(marked) if marked else -1
    if start < 0:
        return tuple(Piece("whole" if piece.kind == "text" else "cut", piece.text) for piece in _ends(text, most))
    room = most if most is not None and _too_long(text, most) else len(text)
    return tuple(piece for piece in _around(text, start, start + len(marked), room) if piece.text)


def _too_long(text: str, most: int) -> bool:
    """Longer than ``most`` by more than it takes to say so."""
    return len(text) > most + len(left_out(len(text)))


def _ends(text: str, most: int | None) -> tuple[Piece, ...]:
    """How ``text`` begins and ends when it is longer than ``most`` characters."""
    if most is None or not _too_long(text, most):
        return (Piece("text", text),)
    start, end = most - most // 4, len(text) - most // 4
    return (Piece("text", text[:start]), Piece("cut", left_out(end - start)), Piece("text", text[end:]))


def _around(text: str, start: int, end: int, most: int) -> Iterator[Piece]:
    """``most`` characters with what stands from ``start`` to ``end`` among them, as much of it as there is room for."""
    stop = min(end, start + most)
    room = most - (stop - start)
    begin = max(0, min(start - room // 2, len(text) - most))
    last = min(len(text), begin + most)
    if begin:
        yield Piece("cut", left_out(begin))
    yield Piece("text", text[begin:start])
    yield Piece("mark", text[start:stop])
    yield Piece("text", text[stop:last])
    if last < len(text):
        yield Piece("cut", left_out(len(text) - last))
