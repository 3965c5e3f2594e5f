from __future__ import annotations

import pytest

from diagnose.model import Citation
from diagnose.render.excerpt import Piece, is_cut, rows


def _hit(text: str, marked: str = "", most: int | None = None) -> list[tuple[str, str]]:
    [row] = [row for row in rows(Citation("app.log", text, marked=marked), most, most) if row.hit]
    return [(piece.kind, piece.text) for piece in row.pieces]


def test_lines_are_numbered_from_the_first_that_is_shown() -> None:
    cited = Citation("app.log", "here", line=58, before=("one", "two"), after=("three",))
    assert [(row.number, row.pieces[0].text, row.hit) for row in rows(cited, None, None)] == [
        ("56", "one", False),
        ("57", "two", False),
        ("58", "here", True),
        ("59", "three", False),
    ]


def test_without_room_beside_it_the_line_stands_alone_with_its_own_number() -> None:
    cited = Citation("app.log", "here", line=58, before=("one", "two"), after=("three",))
    assert [row.number for row in rows(cited, None, 0)] == ["58"]


@pytest.mark.parametrize(
    ("text", "marked", "pieces"),
    [
        ("a b c", "b", [("text", "a "), ("mark", "b"), ("text", " c")]),
        ("a b c", "a b c", [("mark", "a b c")]),
        ("a b c", "", [("whole", "a b c")]),
        ("a b c", "not there", [("whole", "a b c")]),
        (
            "\tred \x1b[31malert\x1b[0m now",
            "\x1b[31malert",
            [("text", "    red "), ("mark", "alert"), ("text", " now")],
        ),
        ("two\nlines", "two\nlines", [("mark", "two lines")]),
    ],
)
def test_what_the_rule_found_is_marked(text: str, marked: str, pieces: list[tuple[str, str]]) -> None:
    assert _hit(text, marked) == pieces


def test_a_long_line_is_cut_around_what_the_rule_found() -> None:
    assert _hit("x" * 5_000 + "the error" + "y" * 9_000, "the error", 109) == [
        ("cut", "... 4,950 characters left out ..."),
        ("text", "x" * 50),
        ("mark", "the error"),
        ("text", "y" * 50),
        ("cut", "... 8,950 characters left out ..."),
    ]


def test_what_is_left_out_and_what_is_shown_add_up() -> None:
    for place in (0, 10, 3_000, 5_991):
        line = "x" * place + "the error" + "y" * (6_000 - place - 9)
        pieces = _hit(line, "the error", 200)
        shown = sum(len(text) for kind, text in pieces if kind != "cut")
        left = sum(int(text.split()[1].replace(",", "")) for kind, text in pieces if kind == "cut")
        assert (shown, left) == (200, 5_800)
        assert ("mark", "the error") in pieces


def test_what_the_rule_found_is_cut_itself_where_it_is_too_long() -> None:
    pieces = _hit("start " + "e" * 900, "e" * 900, 100)
    assert ("mark", "e" * 100) in pieces
    assert pieces[-1] == ("cut", "... 800 characters left out ...")


def test_a_long_line_without_a_mark_keeps_its_ends() -> None:
    kinds = _hit("a" * 500 + "z" * 500, most=100)
    assert kinds == [("whole", "a" * 75), ("cut", "... 900 characters left out ..."), ("whole", "z" * 25)]


def test_a_line_is_not_cut_for_less_than_it_takes_to_say_so() -> None:
    assert _hit("a" * 120, most=100) == [("whole", "a" * 120)]


def test_a_cut_is_told_from_a_line_that_says_the_same() -> None:
    assert not is_cut(rows(Citation("a", "... 5 characters left out ..."), None, None))
    assert is_cut(rows(Citation("a", "b" * 500), 10, 10))
    assert Piece("cut", "x") != Piece("text", "x")
