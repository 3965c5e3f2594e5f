"""The end of a text in pieces."""

from __future__ import annotations

import math

import pytest

from diagnose.collectors.kubernetes.tail import Tail


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_tail_is_the_same_whatever_the_pieces(size: int) -> None:
    text = b"".join(b"%d\n" % number for number in range(200))
    tail = Tail(50)
    for start in range(0, len(text), size):
        tail.feed(text[start : start + size])
    kept, dropped, lines = tail.end()
    assert text.endswith(kept)
    assert dropped + len(kept) == len(text)
    assert kept.splitlines()[0] == b"%d" % lines
    assert len(kept) in (50, 49, 48, 47)


def test_a_tail_of_one_endless_line_is_its_end() -> None:
    tail = Tail(10)
    tail.feed(b"x" * 95)
    assert tail.end() == (b"x" * 10, 85, 0)


def test_a_tail_that_is_short_enough_is_whole() -> None:
    tail = Tail(math.inf)  # type: ignore[arg-type]
    tail.feed(b"a\nb")
    assert tail.end() == (b"a\nb", 0, 0)
