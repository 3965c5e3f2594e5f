"""A finding is matched by rule and workload; what could not be looked at is neither fixed nor new."""

from __future__ import annotations

import pytest
from sides import OWN, collected, gap, missing, side, told

from diagnose.compare.findings import changes_of
from diagnose.compare.model import FindingChange, Place, Side, Status
from diagnose.model import Role, Subject, Why

OTHER = Place("ns", "other")


def fates(before: Side, after: Side) -> dict[str, Status]:
    """What became of each rule."""
    return {one.rule: one.status for one in changes_of(before, after)}


def only(before: Side, after: Side) -> FindingChange:
    (change,) = changes_of(before, after)
    return change


def test_findings_come_go_and_stay() -> None:
    before, after = side(told("a.gone"), told("a.stays")), side(told("a.stays"), told("a.comes"))
    assert fates(before, after) == {"a.comes": Status.NEW, "a.stays": Status.STILL, "a.gone": Status.FIXED}


def test_the_same_rule_at_another_workload_is_another_finding() -> None:
    found = changes_of(side(told("a.b", OWN)), side(told("a.b", OTHER)))
    assert {(one.status, one.places) for one in found} == {
        (Status.NEW, ("ns/other",)),
        (Status.FIXED, ("ns/churn",)),
    }


@pytest.mark.parametrize("less", [Place(), Place("ns"), Place(None, "churn")])
def test_a_place_that_is_not_fully_known_may_be_the_same(less: Place) -> None:
    assert only(side(told("a.b", less)), side(told("a.b", OWN))).status is Status.STILL
    assert only(side(told("a.b", OWN)), side(told("a.b", less))).status is Status.STILL


def test_a_place_that_contradicts_is_not_the_same() -> None:
    assert fates(side(told("a.b", Place("elsewhere"))), side(told("a.b", OWN))) != {"a.b": Status.STILL}
    assert len(changes_of(side(told("a.b", Place(None, "other"))), side(told("a.b", OWN)))) == 2


def test_what_became_of_many_places_is_told_once() -> None:
    change = only(side(), side(told("a.b", OWN, OTHER)))
    assert (change.status, change.places) == (Status.NEW, ("ns/churn", "ns/other"))


def test_a_rule_that_could_not_be_decided_afterwards_is_not_fixed() -> None:
    change = only(side(told("a.b")), side(not_checked=(gap("logs of churn", "a.b"),)))
    assert (change.status, change.note) == (
        Status.UNKNOWN,
        "AFTER lacks logs of churn (denied; it needs more rights)",
    )


def test_a_rule_that_could_not_be_decided_before_may_not_be_new_and_says_so() -> None:
    change = only(side(not_checked=(gap("logs of churn", "a.b"),)), side(told("a.b")))
    assert (change.status, change.note.startswith("it may have been there before: BEFORE lacks")) == (Status.NEW, True)


def test_what_both_sides_lack_hides_nothing() -> None:
    lack = gap("router of churn", "a.b")
    assert only(side(told("a.b"), not_checked=(lack,)), side(not_checked=(lack,))).status is Status.FIXED
    assert only(side(not_checked=(lack,)), side(told("a.b"), not_checked=(lack,))).note == ""


def test_what_both_sides_hold_a_part_of_may_hide_something() -> None:
    lack = gap("log of churn", "a.b", why=Why.TRUNCATED.value)
    assert only(side(told("a.b"), not_checked=(lack,)), side(not_checked=(lack,))).status is Status.UNKNOWN


def test_a_rule_that_the_other_side_was_judged_without_is_not_fixed() -> None:
    assert only(side(told("own.rule")), side(known_rules=frozenset({"a.b"}))).status is Status.UNKNOWN
    assert only(side(told("a.b")), side(known_rules=frozenset({"a.b"}))).status is Status.FIXED


def test_a_place_that_could_not_be_read_is_not_fixed_because_the_rule_is_found_elsewhere() -> None:
    unread = missing("logs.container", "logs of churn", subject=Subject(workload="churn"))
    after = side(told("a.b", OTHER), evidence=collected({}, unread))
    assert {one.places: one.status for one in changes_of(side(told("a.b", OWN, OTHER)), after)} == {
        ("ns/other",): Status.STILL,
        ("ns/churn",): Status.UNKNOWN,
    }
    apart = side(told("a.b", OTHER), evidence=collected({}, missing("logs.container", subject=Subject(workload="x"))))
    assert Status.FIXED in {one.status for one in changes_of(side(told("a.b", OWN, OTHER)), apart)}


def test_what_does_no_harm_any_more_is_fixed_and_its_traces_are_told() -> None:
    change = only(side(told("a.b")), side(told("a.b", role=Role.LATENT)))
    assert (change.status, change.before, change.after) == (Status.FIXED, Role.ROOT_CAUSE, Role.LATENT)
    assert "no effect at present" in change.note


def test_what_does_harm_now_is_new_though_it_was_seen_before() -> None:
    change = only(side(told("a.b", role=Role.LATENT)), side(told("a.b")))
    assert (change.status, "without effect" in change.note, change.active) == (Status.NEW, True, True)


def test_of_two_findings_of_a_rule_at_one_place_the_harmful_one_counts() -> None:
    both = (told("a.b", role=Role.LATENT), told("a.b", role=Role.SYMPTOM))
    assert only(side(*both), side(*both)).after is Role.SYMPTOM


def test_new_advice_is_new_and_quiet() -> None:
    change = only(side(), side(told("a.b", role=Role.ADVICE)))
    assert (change.status, change.active) == (Status.NEW, False)


def test_a_symptom_is_told_under_the_cause_that_came_with_it() -> None:
    cause, symptom = told("a.cause", explains=("a.symptom",)), told("a.symptom", role=Role.SYMPTOM)
    under = {one.rule: one.under for one in changes_of(side(), side(cause, symptom))}
    assert under == {"a.cause": "", "a.symptom": "a.cause"}
    stayed = {one.rule: one.under for one in changes_of(side(cause), side(cause, symptom))}
    assert stayed == {"a.cause": "", "a.symptom": ""}


def test_the_gravest_of_what_is_new_comes_first() -> None:
    found = changes_of(
        side(told("z.fixed", severity="critical")),
        side(told("a.advice", role=Role.ADVICE), told("b.error"), told("c.critical", severity="critical")),
    )
    assert [one.rule for one in found] == ["c.critical", "b.error", "a.advice", "z.fixed"]
