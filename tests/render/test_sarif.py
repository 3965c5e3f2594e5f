from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile_text import saying
from jsonschema import Draft7Validator

from diagnose.model import Citation, NotChecked, Report, Subject, Target
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import Options
from diagnose.render.sarif import render

OFFICIAL = Draft7Validator(
    json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
)
KINDS = ["failing", "degraded", "healthy", "unknown", "unexplained", "hostile"]


def _run(report: Report) -> dict[str, Any]:
    log = json.loads(render(report, Options()))
    assert [f"{error.json_path}: {error.message}" for error in OFFICIAL.iter_errors(log)] == []
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def _result(report: Report, rule: str) -> dict[str, Any]:
    (found,) = [result for result in _run(report)["results"] if result["ruleId"] == rule]
    assert isinstance(found, dict)
    return found


def _of_files(report: Report, *evidence: Citation) -> Report:
    """What was found in a project's files."""
    finding = replace(report.findings[0], subjects=(), evidence=evidence)
    target = Target(service="project", kind="files", where="project")
    return replace(report, target=target, findings=(finding,))


@pytest.mark.parametrize("kind", KINDS)
def test_every_report_follows_the_official_schema(kind: str, reports: Mapping[str, Report]) -> None:
    assert len(_run(reports[kind])["results"]) == len(reports[kind].findings)


@pytest.mark.parametrize("case", demo_cases())
def test_every_demo_follows_the_official_schema(case: str) -> None:
    report = demo(case, Settings())
    assert len(_run(report)["results"]) == len(report.findings)


def test_the_official_schema_can_say_no(failing: Report) -> None:
    log = json.loads(render(failing, Options()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert len(list(OFFICIAL.iter_errors(log))) == 1


def test_levels_follow_severity_and_what_is_explained_or_advice_is_a_note(degraded: Report) -> None:
    assert {result["ruleId"]: result["level"] for result in _run(degraded)["results"]} == {
        "init.get-model-path-not-found": "error",
        "serve.hpa-conflict": "error",
        "probe.timeout-too-short": "warning",
        "start.worker-killed-memory": "note",
        "start.crash-loop-back-off": "note",
    }


def test_a_rule_is_described_with_its_fixes_and_its_first_page(failing: Report) -> None:
    rules = _run(failing)["tool"]["driver"]["rules"]
    rule = next(rule for rule in rules if rule["id"] == "init.get-model-path-not-found")
    assert [rule["id"] for rule in rules] == sorted(rule["id"] for rule in rules)
    assert rule["shortDescription"]["text"] == "init() cannot find the registered model my-best-model"
    assert rule["helpUri"] == "https://learn.microsoft.com/azure/machine-learning/v1/how-to-troubleshoot-deployment"
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert "   $ az ml model deploy" in rule["help"]["text"]


def test_a_result_names_its_rule_by_place_too(degraded: Report) -> None:
    run = _run(degraded)
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_what_was_read_from_a_cluster_is_at_its_objects(failing: Report) -> None:
    (location,) = _result(failing, "init.get-model-path-not-found")["locations"]
    assert "physicalLocation" not in location
    assert {
        "name": "inference-server",
        "kind": "container",
        "fullyQualifiedName": "kubernetes/aml-churn/churn-model/churn-model-5c6b8885ff-4wwmb/inference-server",
    } in location["logicalLocations"]


def test_a_finding_in_a_file_is_at_its_line_with_those_around_it(failing: Report) -> None:
    cited = Citation(source="src/score.py", text="c = 1", line=3, before=("a", "b"), after=("d",))
    result = _result(_of_files(failing, cited), "init.get-model-path-not-found")
    (location,) = result["locations"]
    assert location == {
        "physicalLocation": {
            "artifactLocation": {"uri": "src/score.py"},
            "region": {"startLine": 3, "snippet": {"text": "c = 1"}},
            "contextRegion": {"startLine": 1, "endLine": 4, "snippet": {"text": "a\nb\nc = 1\nd"}},
        }
    }


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/score.py", "src/score.py"),
        ("my project/conda env.yaml", "my%20project/conda%20env.yaml"),
        ("/home/me/score.py", "file:///home/me/score.py"),
        ("C:\\project\\score.py", "file:///C:/project/score.py"),
        ("a#b?c:d.py", "a%23b%3Fc%3Ad.py"),
        ("modèle.py", "mod%C3%A8le.py"),
        ("\udcff.py", "%3F.py"),
    ],
)
def test_a_path_is_a_uri(path: str, uri: str, failing: Report) -> None:
    (location,) = _result(_of_files(failing, Citation(path, "x", 1)), "init.get-model-path-not-found")["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_a_text_that_was_unwrapped_has_no_line_in_its_file(failing: Report) -> None:
    report = _of_files(failing, Citation("answer.json (unescaped)", "x", 7))
    (location,) = _result(report, "init.get-model-path-not-found")["locations"]
    assert location == {"physicalLocation": {"artifactLocation": {"uri": "answer.json"}}}


def test_standard_input_is_no_file(failing: Report) -> None:
    result = _result(_of_files(failing, Citation("-", "x", 7)), "init.get-model-path-not-found")
    assert result["locations"] == []
    assert result["relatedLocations"] == [{"message": {"text": "-:7\nx"}}]


def test_all_evidence_is_there(failing: Report) -> None:
    related = _result(failing, "init.get-model-path-not-found")["relatedLocations"]
    texts = [location["message"]["text"] for location in related]
    assert len(texts) == len(failing.findings[0].evidence)
    assert texts[0].startswith(
        f"{failing.findings[0].evidence[0].source}, line 58  2026-11-22 12:03:41 UTC  ×7\nMessage"
    )


def test_a_fingerprint_outlives_pods_lines_and_words(failing: Report) -> None:
    (first, *rest) = failing.findings
    reborn = replace(
        first,
        title="other words",
        subjects=tuple(replace(subject, pod="churn-model-77-abc") for subject in first.subjects),
        evidence=tuple(replace(citation, line=1, text="other") for citation in first.evidence),
    )
    again = replace(failing, findings=(reborn, *rest))
    assert _result(failing, first.rule)["fingerprints"] == _result(again, first.rule)["fingerprints"]


@pytest.mark.parametrize("other", ["rule", "service", "container", "file"])
def test_another_problem_has_another_fingerprint(other: str, failing: Report) -> None:
    report = _of_files(failing, Citation("a.py", "x", 1))
    (finding,) = report.findings
    changed = {
        "rule": replace(report, findings=(replace(finding, rule="init.other"),)),
        "service": replace(report, service="other"),
        "container": replace(report, findings=(replace(finding, subjects=(Subject("docker", container="b"),)),)),
        "file": _of_files(failing, Citation("b.py", "x", 1)),
    }[other]
    prints = [_run(one)["results"][0]["fingerprints"]["diagnose/v1"] for one in (report, changed)]
    assert prints[0] != prints[1]


def test_what_was_not_checked_is_a_notification_of_the_run(failing: Report) -> None:
    run = _run(failing)
    (invocation,) = run["invocations"]
    told = invocation["toolExecutionNotifications"]
    assert invocation["executionSuccessful"] is True
    assert told[1] == {
        "descriptor": {"id": "denied", "index": 0},
        "level": "warning",
        "message": {"text": "Not checked: nodes (denied). It needs: verb list on nodes (a cluster role)"},
        "properties": {"leftOpen": ["schedule.node-pressure"]},
    }
    assert [one["id"] for one in run["tool"]["driver"]["notifications"]] == ["denied"]


def test_a_run_that_saw_too_little_was_not_successful(unknown: Report) -> None:
    (invocation,) = _run(unknown)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [one["level"] for one in invocation["toolExecutionNotifications"]].count("note") == 1


def test_nothing_is_suppressed(failing: Report) -> None:
    assert all(result["suppressions"] == [] for result in _run(failing)["results"])


@pytest.mark.parametrize("text", ["see [here](https://evil.example)", "[1](2)", "[x]](javascript:x)", "{0} and {12}"])
def test_messages_hold_neither_links_nor_placeholders(text: str, failing: Report) -> None:
    run = _run(saying(failing, text))
    messages = [
        message["text"]
        for result in run["results"]
        for message in (result["message"], *(one["message"] for one in result["relatedLocations"]))
    ]
    messages += [rule[name]["text"] for rule in run["tool"]["driver"]["rules"] for name in ("help", "fullDescription")]
    assert not [message for message in messages if "](" in message or "{0" in message or "{1" in message]


def test_equal_gaps_and_equal_evidence_are_no_mistake(failing: Report) -> None:
    finding = replace(failing.findings[0], evidence=failing.findings[0].evidence * 2)
    gap = NotChecked("nodes", "denied", "", ())
    run = _run(replace(failing, findings=(finding,), not_checked=(gap, gap)))
    assert len(run["results"][0]["relatedLocations"]) == len(failing.findings[0].evidence)
