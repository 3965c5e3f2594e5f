"""Rules against evidence: hit, clear or unknown, and for which subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from evidence import A, B, book, denied, evidence, log, rule_text

from diagnose.engine.match import match
from diagnose.model import Subject
from diagnose.streams import Container, Event

OUT = "match: {seen: {in: logs.container, where: {line: {regex: 'lost (?P<what>\\w+)'}}}}"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def container(subject: Subject, **fields: object) -> Container:
    return Container(source="kubectl", subject=subject, name="server", **fields)  # type: ignore[arg-type]


def event(subject: Subject, reason: str, at: datetime = NOON, count: int = 1) -> Event:
    return Event(source="kubectl get events", subject=subject, reason=reason, time=at, count=count)


def test_a_line_is_cited_with_its_number_and_captures(tmp_path: Path) -> None:
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), evidence(log("fine\nlost keys\n")))
    (found,) = outcome.hits[0].picked["seen"]
    assert (found.item.line, found.item.text(), dict(found.captures)) == (2, "lost keys", {"what": "keys"})


def test_the_time_stamp_in_front_of_a_line_is_its_time_and_not_its_text(tmp_path: Path) -> None:
    known = evidence(log("2026-11-22T12:00:00.000000001Z lost keys"))
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), known)
    (found,) = outcome.hits[0].picked["seen"]
    assert (found.item.time, found.item.text()) == (NOON, "lost keys")


def test_no_match_in_a_log_that_was_read_is_clear(tmp_path: Path) -> None:
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), evidence(log("fine")))
    assert outcome.verdict == "clear"


def test_no_match_where_a_log_could_not_be_read_is_unknown(tmp_path: Path) -> None:
    known = evidence(log("fine"), missing=(denied("logs.container", B),))
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), known)
    assert (outcome.verdict, outcome.missing[0].subject) == ("unknown", B)


def test_a_hit_stands_whatever_else_could_not_be_read(tmp_path: Path) -> None:
    known = evidence(log("lost keys"), missing=(denied("logs.container", B),))
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), known)
    assert outcome.verdict == "hit"


@pytest.mark.parametrize(
    ("option", "text", "verdict"),
    [
        ("unless_followed_by: 'found again'", "lost keys\nfound again", "clear"),
        ("unless_followed_by: 'found again'", "found again\nlost keys", "hit"),
        ("unless_line: 'only a test'", "lost keys\nonly a test", "clear"),
        ("unless_line: 'only a test'", "lost keys", "hit"),
        ("followed_by: 'gave up'", "lost keys\ngave up", "hit"),
        ("followed_by: 'gave up'", "gave up\nlost keys", "clear"),
        ("at_least: 2", "lost keys", "clear"),
        ("at_least: 2", "lost keys\nlost wallet", "hit"),
        ("run: previous", "lost keys", "clear"),
    ],
)
def test_what_stands_around_a_line_decides(tmp_path: Path, option: str, text: str, verdict: str) -> None:
    body = f"match: {{seen: {{in: logs.container, where: {{line: {{contains: lost}}}}, {option}}}}}"
    (outcome,) = match(book(tmp_path, rule_text("init.lost", body)), evidence(log(text)))
    assert outcome.verdict == verdict


PAIR = """
match:
  seen: {in: logs.container, where: {line: {contains: lost}}}
  killed: {in: containers, where: {end_reason: OOMKilled}}
"""


def test_selections_combine_only_for_the_same_container(tmp_path: Path) -> None:
    known = evidence(log("lost", A), items={"containers": (container(B, end_reason="OOMKilled"), container(A))})
    (outcome,) = match(book(tmp_path, rule_text("init.lost", PAIR)), known)
    assert outcome.verdict == "clear"


def test_selections_of_two_containers_combine_at_the_level_of_their_workload(tmp_path: Path) -> None:
    known = evidence(log("lost", A), items={"containers": (container(B, end_reason="OOMKilled"),)})
    (outcome,) = match(book(tmp_path, rule_text("init.lost", PAIR + "per: workload")), known)
    assert [hit.subject for hit in outcome.hits] == [Subject("kubernetes", "ns", "churn")]


def test_a_log_of_nobody_knows_whom_joins_with_any_container(tmp_path: Path) -> None:
    known = evidence(log("lost", Subject("file")), items={"containers": (container(A, end_reason="OOMKilled"),)})
    (outcome,) = match(book(tmp_path, rule_text("init.lost", PAIR)), known)
    assert [hit.subject for hit in outcome.hits] == [A]


def test_two_containers_with_the_same_failure_are_two_hits(tmp_path: Path) -> None:
    known = evidence(log("lost keys", A), log("lost keys", B))
    (outcome,) = match(book(tmp_path, rule_text("init.lost", OUT)), known)
    assert {hit.subject for hit in outcome.hits} == {A, B}


@pytest.mark.parametrize(("apart", "verdict"), [(5, "hit"), (30, "clear")])
def test_within_joins_only_what_is_close_in_time(tmp_path: Path, apart: int, verdict: str) -> None:
    body = """
        match:
          pulled: {in: events, where: {reason: Pulled}}
          killed: {in: events, where: {reason: Killing}}
        within: 10m
    """
    events = (event(A, "Pulled"), event(A, "Killing", NOON + timedelta(minutes=apart)))
    (outcome,) = match(book(tmp_path, rule_text("init.lost", body)), evidence(items={"events": events}))
    assert outcome.verdict == verdict


def test_an_event_counts_as_often_as_it_says(tmp_path: Path) -> None:
    body = "match: {seen: {in: events, where: {reason: Unhealthy}, at_least: 3}}"
    (outcome,) = match(
        book(tmp_path, rule_text("probe.lost", body)), evidence(items={"events": (event(A, "Unhealthy", count=8),)})
    )
    assert outcome.verdict == "hit"


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        ("restarts: 3", "hit"),
        ("restarts: [1, 3]", "hit"),
        ("restarts: {above: 3}", "clear"),
        ("restarts: {at_least: 3, below: 4}", "hit"),
        ("restarts: {at_most: 2}", "clear"),
        ("restarts: {is_not: 3}", "clear"),
        ("reason: {exists: false}", "hit"),
        ("image: {exists: true}", "hit"),
        ("image: {regex: 'CHURN', ignore_case: true}", "hit"),
        ("ports: 5001", "hit"),
        ("ports: {regex: '^50'}", "hit"),
        ("stable: true", "clear"),
        ("exit_code: {above: 0}", "clear"),
    ],
)
def test_fields_are_tested_by_value(tmp_path: Path, test: str, verdict: str) -> None:
    body = f"match: {{seen: {{in: containers, where: {{{test}}}}}}}"
    known = evidence(items={"containers": (container(A, restarts=3, image="churn:1", ports=(80, 5001)),)})
    (outcome,) = match(book(tmp_path, rule_text("start.lost", body)), known)
    assert outcome.verdict == verdict


def test_an_unknown_part_counts_only_where_it_decides(tmp_path: Path) -> None:
    either = PAIR + "condition: seen or killed"
    without = PAIR + "condition: seen and not killed"
    known = evidence(log("lost"), missing=(denied("containers"),))
    (either_outcome,) = match(book(tmp_path / "a", rule_text("init.lost", either)), known)
    (without_outcome,) = match(book(tmp_path / "b", rule_text("init.lost", without)), known)
    assert (either_outcome.verdict, without_outcome.verdict) == ("hit", "unknown")


def test_an_optional_selection_is_cited_but_not_needed(tmp_path: Path) -> None:
    body = OUT.replace("}}}}", "}}}, also: {in: containers, optional: true, where: {restarts: 3}}}")
    rules = book(tmp_path, rule_text("init.lost", body))
    (without,) = match(rules, evidence(log("lost keys")))
    (with_it,) = match(rules, evidence(log("lost keys"), items={"containers": (container(A, restarts=3),)}))
    assert (set(without.hits[0].picked), set(with_it.hits[0].picked)) == ({"seen"}, {"seen", "also"})


def test_a_hostile_expression_ends_in_linear_time(tmp_path: Path) -> None:
    body = "match: {seen: {in: logs.container, where: {line: {regex: '(a+)+b'}}}}"
    (outcome,) = match(book(tmp_path, rule_text("init.lost", body)), evidence(log("a" * 100_000)))
    assert outcome.verdict == "clear"
