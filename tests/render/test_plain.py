from __future__ import annotations

import pytest

from diagnose.render.plain import plain, plain_line


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone?", "gone?"),
        ("\x9b31mred", "red"),
        ("\x1b]8;;http://evil\x07click\x1b]8;;\x07", "click"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]0;title\x9ctext", "text"),
        ("\x1bPq#0;2;0\x1b\\text", "text"),
        ("\x1b_payload\x1b\\text", "text"),
        ("\x1bcreset", "reset"),
        ("\x1b(Bcharset", "charset"),
        ("pass\b\b\bword\x00\x7f", "password"),
        ("10%\r20%\r\ndone", "10% 20%\ndone"),
        ("\u202eexe.cod\u202c \u2066x\u2069", "exe.cod x"),
        ("a\tb", "a   b"),
        ("caf\udce9", "caf\ufffd"),
        ("one\u2028two", "one\ntwo"),
        ("[bold]text[/bold] <b>", "[bold]text[/bold] <b>"),
        ("naïve 模型 🙂", "naïve 模型 🙂"),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, seen: str) -> None:
    assert plain(text) == seen


def test_an_unterminated_sequence_does_not_hide_what_follows() -> None:
    assert plain("\x1b]8;;the error\nthe next line") == "8;;the error\nthe next line"
    assert plain("\x1b[31") == "31"


def test_removing_a_sequence_does_not_make_a_new_one() -> None:
    assert "\x1b" not in plain("\x1b\x1b[31m[32m\x1b")


def test_a_long_run_of_introducers_is_harmless() -> None:
    assert plain("\x1b]\x9d" * 50_000) == ""


def test_one_line_has_no_newline() -> None:
    assert plain_line(" two\nlines\r\n") == "two lines"
