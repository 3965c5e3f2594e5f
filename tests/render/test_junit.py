from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hostile_text import saying
from xmlschema import XMLSchema

from diagnose import cli
from diagnose.model import SEVERITIES, Report, Verdict
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import Options
from diagnose.render.junit import render

KINDS = ["failing", "degraded", "healthy", "unknown", "unexplained", "hostile"]


@pytest.fixture(scope="module")
def schema() -> XMLSchema:
    return XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def _read(report: Report, threshold: str = "error") -> Element:
    return fromstring(render(report, Options(fail_on=threshold)))


def _case(suites: Element, name: str) -> Element:
    found = [case for case in suites.iter("testcase") if case.get("name") == name]
    assert len(found) == 1, name
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_report_is_what_jenkins_reads(kind: str, reports: Mapping[str, Report], schema: XMLSchema) -> None:
    schema.validate(render(reports[kind], Options()))


@pytest.mark.parametrize("case", demo_cases())
def test_every_demo_is_what_jenkins_reads(case: str, schema: XMLSchema) -> None:
    schema.validate(render(demo(case, Settings()), Options()))


def test_the_cause_fails_and_says_all_that_is_known(failing: Report) -> None:
    case = _case(_read(failing), "init.get-model-path-not-found")
    (failure,) = case
    assert case.get("classname") == "churn-model.init"
    assert (failure.tag, failure.get("type")) == ("failure", "root_cause, critical")
    assert failure.get("message") == "init() cannot find the registered model my-best-model"
    assert failure.text is not None
    assert "Where: container inference-server of pods" in failure.text
    assert "  > Message: Model my-best-model not found" in failure.text
    assert (
        "\n   $ az ml model deploy --name churn-model --model my-best-model:1 --overwrite\n   Risk: low."
        in failure.text
    )


def test_a_symptom_that_is_explained_is_skipped_with_the_rule_that_explains_it(failing: Report) -> None:
    (skipped,) = _case(_read(failing), "start.crash-loop-back-off")
    assert skipped.tag == "skipped"
    assert skipped.get("message") == (
        "The container crashes again and again: explained by init.get-model-path-not-found"
    )


def test_a_symptom_that_nothing_explains_fails(unexplained: Report) -> None:
    assert [part.tag for part in _case(_read(unexplained), "start.crash-loop-back-off")] == ["failure"]


def test_advice_and_what_works_now_passes_and_is_told(healthy: Report, failing: Report) -> None:
    for report, rule in ((healthy, "start.worker-killed-memory"), (failing, "start.no-memory-limit")):
        (told,) = _case(_read(report), rule)
        assert (told.tag, bool(told.text)) == ("system-out", True)


def test_what_was_not_checked_is_skipped_with_what_it_needs(failing: Report) -> None:
    case = _case(_read(failing), "nodes")
    (skipped,) = case
    assert case.get("classname") == "churn-model.not checked"
    assert skipped.get("message") == "denied; it needs: verb list on nodes (a cluster role)"
    assert skipped.text == "Left open: schedule.node-pressure"


def test_the_service_itself_is_a_test_in_every_run(reports: Mapping[str, Report]) -> None:
    outcomes = {kind: _case(_read(reports[kind]), "works")[0].tag for kind in KINDS}
    assert outcomes == {
        "failing": "failure",
        "degraded": "failure",
        "healthy": "system-out",
        "unknown": "error",
        "unexplained": "failure",
        "hostile": "failure",
    }


@pytest.mark.parametrize("threshold", SEVERITIES)
@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("kind", KINDS)
def test_it_fails_exactly_when_the_program_does(
    kind: str, verdict: Verdict, threshold: str, reports: Mapping[str, Report]
) -> None:
    report = replace(reports[kind], verdict=verdict)
    suites = _read(report, threshold)
    code = cli._exit_code(report, threshold)
    assert (suites.get("failures") != "0") == (code == 1)
    assert (suites.get("errors") != "0" and suites.get("failures") == "0") == (code == 3)


def test_a_warning_counts_when_the_user_says_so(healthy: Report, degraded: Report) -> None:
    report = replace(healthy, findings=(degraded.findings[2],))
    assert _case(_read(report), "probe.timeout-too-short")[0].tag == "system-out"
    assert _case(_read(report, "warning"), "probe.timeout-too-short")[0].tag == "failure"


@pytest.mark.parametrize("kind", KINDS)
def test_the_counts_are_those_of_the_tests(kind: str, reports: Mapping[str, Report]) -> None:
    suites = _read(reports[kind])
    suite = suites[0]
    for part in (suites, suite):
        assert part.get("tests") == str(len(list(suites.iter("testcase"))))
        assert part.get("failures") == str(len(list(suites.iter("failure"))))
        assert part.get("errors") == str(len(list(suites.iter("error"))))
    assert suite.get("skipped") == str(len(list(suites.iter("skipped"))))


def test_the_suite_holds_the_ladder_and_the_versions(failing: Report) -> None:
    known = {part.get("name"): part.get("value") for part in _read(failing).iter("property")}
    assert known["verdict"] == "failing"
    assert (known["stage.start"], known["stage.init"], known["stage.probe"]) == ("passed", "failed here", "not reached")
    assert known["version.diagnose"] == "0.1.0"
    assert "(more than 4 MiB)" in known["not read"]


def test_a_rule_found_twice_is_two_tests(failing: Report) -> None:
    twice = replace(failing, findings=failing.findings + failing.findings[:1])
    names = [case.get("name") for case in _read(twice).iter("testcase")]
    assert len(names) == len(set(names))
    assert "init.get-model-path-not-found (2)" in names


@pytest.mark.parametrize(
    "text",
    [
        "]]>",
        "</failure><testcase name='x'/>",
        '" onclick="x',
        "&entity;",
        "<!DOCTYPE x>",
        "a\x00b\x0b\x1b[0mc\ufffe\uffff",
        "\udcff",
    ],
)
def test_text_from_outside_stays_text(text: str, failing: Report, schema: XMLSchema) -> None:
    rendered = render(saying(failing, text), Options())
    schema.validate(rendered)
    assert not re.search("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]", rendered)
    assert len(list(fromstring(rendered).iter("testcase"))) == len(list(_read(failing).iter("testcase")))
