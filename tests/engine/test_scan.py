"""Scanning: line numbers, chunks, and the sieve for files too large to hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import A

from diagnose.engine import scan as scanning
from diagnose.engine.scan import last_line, scan, sieve
from diagnose.model import Chunk, Log
from diagnose.patterns import Pattern, PatternSet, captures, literal, search

LOST = Pattern(r"lost (?P<what>\w+)")
REFUSED = Pattern("connection refused", ignore_case=True)


def test_line_numbers_count_on_over_the_pieces_of_a_log() -> None:
    log = Log(stream="logs.container", source="a", subject=A, chunks=(Chunk(1, "x\nlost a"), Chunk(900, "y\n\nlost b")))
    (scanned,) = scan([log], PatternSet([LOST]))
    assert scanned.lines[LOST] == ((2, "lost a"), (902, "lost b"))


def test_two_occurrences_on_one_line_are_one_line() -> None:
    log = Log(stream="logs.container", source="a", chunks=(Chunk(1, "lost a lost b\nfine\nlost c"),))
    (scanned,) = scan([log], PatternSet([LOST]))
    assert [number for number, _ in scanned.lines[LOST]] == [1, 3]


def test_a_pattern_never_matches_over_the_end_of_a_line() -> None:
    log = Log(stream="logs.container", source="a", chunks=(Chunk(1, "lost\nkeys"),))
    (scanned,) = scan([log], PatternSet([Pattern(r"lost\s+keys")]))
    assert scanned.lines == {}


@pytest.mark.parametrize("expression", [r"not found(?:$|[\s,])", r"not found(?:\s|$)", r"not found\s*"])
def test_a_pattern_that_may_end_in_the_newline_keeps_its_line(expression: str) -> None:
    log = Log(
        stream="logs.container", source="a", chunks=(Chunk(1, "x\nimage not found\ny\nnot found again\nnot found"),)
    )
    pattern = Pattern(expression)
    (scanned,) = scan([log], PatternSet([pattern]))
    assert [number for number, _ in scanned.lines[pattern]] == [2, 4, 5]


def test_case_counts_unless_it_is_told_not_to() -> None:
    found = PatternSet([REFUSED, LOST]).lines(b"Connection REFUSED\nLost keys")
    assert found == {0: [(0, 18)]}


def test_bytes_that_are_no_utf8_do_no_harm() -> None:
    assert PatternSet([LOST]).lines(b"\xff\xfe lost keys \x00\x80") == {0: [(0, 15)]}


def test_captures_of_text_beyond_ascii_are_whole() -> None:
    assert search(Pattern("'(?P<name>[^']+)'"), "model 'größe'") == {"name": "größe"}


def test_a_literal_matches_as_it_stands() -> None:
    text = r"a.b*c? (d) [e] {f} ^$ | \ 'g'"
    assert search(literal(text), f"x {text} y") is not None
    assert search(literal("a.b"), "axb") is None


def test_names_of_captures_are_known_before_any_text() -> None:
    assert captures(LOST) == {"what"}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sieve with pieces so small that a test file has many."""
    for name, size in {"_BLOCK": 1000, "_RANGE": 3000, "_HEAD": 200, "_TAIL": 200, "_AROUND": 100}.items():
        monkeypatch.setattr(scanning, name, size)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("end", ["\n", ""])
def test_the_sieve_counts_everything_and_keeps_what_matters(tmp_path: Path, end: str) -> None:
    hits = (7, 200, 633, 999)
    lines = [f"lost item{n}" if n in hits else f"line {n} is fine" for n in range(1, 1001)]
    path = tmp_path / "big.log"
    path.write_text("\n".join(lines) + end)
    log = sieve(path, "logs.container", "big.log", PatternSet([LOST]), {})
    tally = log.tallies[LOST.expression]
    assert (tally.count, tally.first, tally.last) == (4, 7, 999)
    for chunk in log.chunks:
        kept = chunk.text.split("\n")
        assert kept == lines[chunk.first_line - 1 : chunk.first_line - 1 + len(kept)]
    assert log.chunks[0].first_line == 1
    assert log.chunks[-1].text.split("\n")[-1] == lines[-1]
    assert "lost item7" in log.chunks[0].text
    assert f"{1000 if end else 999:,} lines" in log.cut


@pytest.mark.usefixtures("small_pieces")
def test_the_sieve_finds_a_line_on_the_border_of_two_pieces(tmp_path: Path) -> None:
    for shift in range(20):
        path = tmp_path / f"{shift}.log"
        path.write_bytes(b"x" * (985 + shift) + b"\nlost keys\n" + b"y\n" * 900)
        log = sieve(path, "logs.container", "big.log", PatternSet([LOST]), {})
        assert (log.tallies[LOST.expression].count, log.tallies[LOST.expression].first) == (1, 2), shift


@pytest.mark.usefixtures("small_pieces")
def test_the_sieve_survives_a_line_longer_than_its_pieces(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_bytes(b"a" * 5000 + b" lost keys\nfine\nlost again\n")
    tally = sieve(path, "logs.container", "long.log", PatternSet([LOST]), {}).tallies[LOST.expression]
    assert (tally.count, tally.first, tally.last) == (2, 1, 3)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("at", [150, 500, 989])
def test_the_sieve_keeps_the_last_line_that_decides_whether_a_hit_counts(tmp_path: Path, at: int) -> None:
    lines = ["lost keys" if n == 100 else "found again" if n in (50, at) else f"line {n}" for n in range(1, 1001)]
    path = tmp_path / "big.log"
    path.write_text("\n".join(lines) + "\n")
    found = Pattern("found (again|later)", once=True)
    log = sieve(path, "logs.container", "big.log", PatternSet([LOST, found]), {LOST: [found]})
    assert last_line(log, found, 100) == at
    assert list(log.tallies) == [LOST.expression]


def test_the_last_line_is_looked_for_only_after_the_hit() -> None:
    log = Log(stream="logs.container", source="a", chunks=(Chunk(1, "found\nlost\nx"), Chunk(90, "y\nz")))
    assert (last_line(log, Pattern("found"), 1), last_line(log, Pattern("found"), 2)) == (1, 0)
    assert (last_line(log, Pattern("z"), 2), last_line(log, None, 1)) == (91, 0)
