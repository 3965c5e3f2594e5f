from __future__ import annotations

from dataclasses import replace

import pytest

from diagnose.model import Finding, NotChecked, Report, Role, Target, Verdict
from diagnose.render.view import View, view


def _rules(told: View) -> list[tuple[str, str]]:
    return [(one.label, one.finding.rule) for one in told.further]


def test_the_first_root_cause_answers(degraded: Report) -> None:
    told = view(degraded)
    assert told.main is degraded.findings[0]
    assert (told.heading, told.known, told.remedy) == ("Cause", True, "What to do")


def test_the_rest_is_told_by_role_and_folded_symptoms_are_not_told_again(degraded: Report) -> None:
    shuffled = replace(degraded, findings=(degraded.findings[3], *degraded.findings[:3], *degraded.findings[4:]))
    assert _rules(view(shuffled)) == [
        ("Another cause", "serve.hpa-conflict"),
        ("Contributes to it", "probe.timeout-too-short"),
        ("No effect at present", "start.worker-killed-memory"),
    ]


def test_a_symptom_that_nothing_explains_is_told(degraded: Report) -> None:
    symptom = replace(degraded.findings[4], rule="serve.replicas-short")
    told = view(replace(degraded, findings=(*degraded.findings, symptom)))
    assert ("Not explained", "serve.replicas-short") in _rules(told)


def test_a_rule_found_twice_is_told_where_nothing_explains_it(degraded: Report) -> None:
    folded = degraded.findings[4]
    other = replace(folded, subjects=(replace(folded.subjects[0], workload="other", pod="other-1"),))
    told = view(replace(degraded, findings=(*degraded.findings, other)))
    assert [one.finding for one in told.further if one.label == "Not explained"] == [other]


def test_what_a_past_failure_explains_is_told_with_it(healthy: Report, degraded: Report) -> None:
    symptom = replace(degraded.findings[4], role=Role.LATENT)
    cause = replace(healthy.findings[0], explains=(symptom.rule,))
    told = view(replace(healthy, findings=(cause, symptom)))
    assert _rules(told) == [("No effect at present", "start.worker-killed-memory")]
    assert told.further[0].folded == ("The container crashes again and again (start.crash-loop-back-off)",)


def test_findings_that_explain_each_other_do_not_both_vanish(healthy: Report) -> None:
    one = replace(healthy.findings[0], rule="a.one", explains=("a.two",))
    two = replace(healthy.findings[0], rule="a.two", explains=("a.one",))
    assert len(_rules(view(replace(healthy, findings=(one, two))))) == 1


def test_the_reason_is_not_said_twice(failing: Report) -> None:
    title = failing.findings[0].title
    assert view(failing).reason == failing.verdict_reason
    assert view(replace(failing, verdict_reason=f"{title}.")).reason == ""
    assert view(replace(failing, verdict_reason=f"{title}; part of it still serves.")).reason


def test_folded_symptoms_are_named_by_their_titles(failing: Report) -> None:
    assert view(failing).folded == (
        "The container crashes again and again (start.crash-loop-back-off)",
        "start.exit-code-3",
    )


def test_folded_symptoms_are_at_hand_as_far_as_they_were_found(failing: Report) -> None:
    assert view(failing).symptoms == (failing.findings[2],)
    elsewhere = replace(
        failing.findings[2], subjects=(replace(failing.findings[2].subjects[0], pod="p", workload="o"),)
    )
    assert view(replace(failing, findings=(failing.findings[0], elsewhere))).symptoms == ()


def test_without_a_cause_the_first_open_question_is_told_and_where_to_read_on(unexplained: Report) -> None:
    [symptom] = unexplained.findings
    evidence = (replace(symptom.evidence[0], source="app.log", line=12),)
    gaps = (NotChecked("nodes", "denied", "verb list on nodes", ()),)
    told = view(replace(unexplained, findings=(replace(symptom, evidence=evidence),), not_checked=gaps))
    assert told.heading == "The cause was not found. This was seen"
    assert (told.known, told.remedy) == (False, "Where to look next")
    assert told.reading == (
        "Read what stands around line 12 of app.log.",
        "Make readable what could not be checked, listed below: the cause may be there.",
    )


def test_without_line_and_fix_the_evidence_itself_is_to_be_read(unexplained: Report) -> None:
    [symptom] = unexplained.findings
    told = view(replace(unexplained, findings=(replace(symptom, fixes=()),)))
    assert told.reading == ("Look at kubectl get events -n aml-churn.",)


def test_a_healthy_service_has_no_answer_to_give(healthy: Report, unexplained: Report) -> None:
    told = view(replace(healthy, findings=(*healthy.findings, *unexplained.findings)))
    assert (told.main, told.heading) == (None, "")
    assert len(told.further) == 2


def test_advice_alone_is_no_answer(failing: Report) -> None:
    told = view(replace(failing, findings=(failing.findings[1],)))
    assert told.main is None
    assert told.heading == "The cause was not found"


def test_unknown_with_a_cause_is_not_blind(failing: Report, unknown: Report) -> None:
    assert view(unknown).blind
    assert not view(replace(failing, verdict=Verdict.UNKNOWN)).blind


def test_gaps_are_grouped_by_reason_and_remedy_and_what_nobody_gave_is_last(unknown: Report) -> None:
    assert [(gap.why, gap.what) for gap in view(unknown).unseen] == [
        ("denied", ("events in namespace aml-churn", "quotas in namespace aml-churn")),
        ("denied", ("nodes",)),
        ("timed out", ("pods in namespace aml-churn",)),
        ("not supplied", ("container logs",)),
    ]


def test_what_nobody_gave_is_one_gap_whatever_it_needs(unknown: Report) -> None:
    gaps = tuple(NotChecked(f"thing {n}", "not supplied", f"file {n}", (f"a.{n}",)) for n in (2, 1))
    [gap] = view(replace(unknown, not_checked=gaps)).unseen
    assert (gap.what, gap.needs, gap.rules) == (("thing 2", "thing 1"), ("file 2", "file 1"), ("a.1", "a.2"))


@pytest.mark.parametrize(
    ("verdict", "reached", "failed", "words"),
    [
        (Verdict.FAILING, "init", "init", "stopped at init"),
        (Verdict.FAILING, "start", None, "came as far as start"),
        (Verdict.FAILING, None, None, ""),
        (Verdict.DEGRADED, "serve", "init", "serves in part, fails at init"),
        (Verdict.DEGRADED, "serve", None, "serves in part"),
        (Verdict.HEALTHY, "serve", None, "no failure found"),
        (Verdict.UNKNOWN, None, "build", "may have stopped at build"),
        (Verdict.UNKNOWN, None, None, "could not see enough to tell"),
    ],
)
def test_where_it_stopped(
    verdict: Verdict, reached: str | None, failed: str | None, words: str, failing: Report
) -> None:
    assert view(replace(failing, verdict=verdict, reached=reached, failed=failed)).stop == words


@pytest.mark.parametrize(
    ("kind", "where", "words"),
    [
        ("docker", "", "Found in Docker"),
        ("kubernetes", "context prod", "Found in Kubernetes: context prod"),
        ("files", "evidence/", "Read from saved evidence: evidence/"),
    ],
)
def test_where_it_was_found(kind: str, where: str, words: str, failing: Report) -> None:
    assert view(replace(failing, target=Target(service="s", kind=kind, where=where))).place == words


def test_redactions_are_one_sentence(failing: Report) -> None:
    assert view(failing).redactions == (
        "3 secrets were replaced by placeholders: bearer token (2), storage account key (1)."
    )
    assert view(replace(failing, redactions={"bearer token": 1})).redactions.startswith("1 secret was replaced")
    assert view(replace(failing, redactions={})).redactions == ""


def test_every_role_has_a_label(unexplained: Report) -> None:
    [finding] = unexplained.findings
    others: tuple[Finding, ...] = tuple(replace(finding, rule=f"a.{role}", role=role) for role in Role)
    told = view(replace(unexplained, findings=others))
    assert told.main is others[0]
    assert len({one.label for one in told.further}) == len(Role) - 1
