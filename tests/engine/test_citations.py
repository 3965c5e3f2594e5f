"""The evidence of a finding: what of it the rule found, and how much of a long line is quoted."""

from __future__ import annotations

from pathlib import Path

from evidence import A, B, book, evidence, judged, log, rule_text

from diagnose.model import Citation, Item
from diagnose.streams import Container, Event

LINE = "match: {seen: {in: logs.container, where: {line: {regex: 'model (?P<name>\\S+) not found'}}}}"
WAITING = "match: {seen: {in: containers, where: {kind: app, reason: CrashLoopBackOff}}}"


def cited(folder: Path, body: str, text: str = "", *items: Item) -> tuple[Citation, ...]:
    """What the rule with the match part ``body`` cites of a log and of containers or events."""
    streams = {"containers": (), "events": ()} | (
        {("events" if isinstance(i, Event) else "containers"): (i,) for i in items}
    )
    known = evidence(log(text), items=streams)
    return judged(book(folder, rule_text("start.seen", body)), known).findings[0].evidence


def test_what_the_expression_found_is_marked(tmp_path: Path) -> None:
    [one] = cited(tmp_path, LINE, "2026-11-22T12:00:00.000000000Z E model churn not found in /models\n")
    assert (one.text, one.marked) == ("E model churn not found in /models", "model churn not found")


def test_the_value_that_a_fact_had_to_have_is_marked(tmp_path: Path) -> None:
    state = Container(source="x", subject=A, name="app", state="waiting", reason="CrashLoopBackOff")
    [one] = cited(tmp_path, WAITING, "", state)
    assert one.marked == "CrashLoopBackOff"
    assert one.marked in one.text


def test_a_value_that_does_not_stand_in_the_text_is_not_marked(tmp_path: Path) -> None:
    body = "match: {seen: {in: containers, where: {restarts: {above: 3}}}}"
    state = Container(source="x", subject=A, name="app", state="waiting", restarts=5)
    assert [one.marked for one in cited(tmp_path, body, "", state)] == [""]


def test_a_message_is_marked_before_a_name(tmp_path: Path) -> None:
    body = "match: {seen: {in: events, where: {reason: Failed, message: {regex: 'manifest \\S+'}}}}"
    event = Event(source="x", subject=A, reason="Failed", message="pull: manifest unknown", kind="Pod", name="a")
    assert [one.marked for one in cited(tmp_path, body, "", event)] == ["manifest unknown"]


def test_one_item_that_two_selections_chose_is_cited_once_with_the_longer_mark(tmp_path: Path) -> None:
    body = """
    match:
      long: {in: containers, where: {reason: CrashLoopBackOff}}
      short: {in: containers, where: {state: waiting}}
    condition: long and short
    """
    state = Container(source="x", subject=A, name="app", state="waiting", reason="CrashLoopBackOff")
    assert [one.marked for one in cited(tmp_path, body, "", state)] == ["CrashLoopBackOff"]


def test_a_very_long_line_is_quoted_around_what_was_found(tmp_path: Path) -> None:
    [one] = cited(tmp_path, LINE, "x" * 50_000 + " model churn not found " + "y" * 50_000 + "\n")
    assert len(one.text) == 2_000
    assert "model churn not found" in one.text


def test_two_containers_in_the_same_state_are_two_pieces_of_evidence(tmp_path: Path) -> None:
    states = tuple(
        Container(source=f"pod {one.pod}", subject=one, name="app", state="waiting", reason="CrashLoopBackOff")
        for one in (A, B)
    )
    known = evidence(log(""), items={"containers": states})
    [finding] = judged(book(tmp_path, rule_text("start.seen", WAITING)), known).findings
    assert [one.source for one in finding.evidence] == ["pod churn-a", "pod churn-b"]
