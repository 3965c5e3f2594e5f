from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from diagnose.model import Collected, Moment, Report
from diagnose.render import Options
from diagnose.render.json import render


def _read(report: Report) -> dict[str, object]:
    document = json.loads(render(report, Options()))
    assert isinstance(document, dict)
    return document


def test_it_has_exactly_the_keys_that_other_programs_read(failing: Report) -> None:
    document = json.loads(render(failing, Options()))
    finding = document["findings"][0]
    assert list(document) == [
        "schema",
        "service",
        "target",
        "verdict",
        "verdict_reason",
        "stage",
        "ladder",
        "findings",
        "not_checked",
        "timeline",
        "earlier",
        "collected",
        "redactions",
        "cuts",
        "versions",
    ]
    assert list(document["target"]) == [
        "kind",
        "where",
        "namespace",
        "subscription",
        "resource_group",
        "workspace",
        "notes",
    ]
    assert list(document["stage"]) == ["reached", "failed"]
    assert list(finding) == [
        "rule",
        "title",
        "kind",
        "role",
        "stage",
        "severity",
        "subjects",
        "explain",
        "evidence",
        "explains",
        "fixes",
        "references",
    ]
    assert list(finding["evidence"][0]) == [
        "source",
        "line",
        "time",
        "text",
        "before",
        "after",
        "count",
        "marked",
    ]
    assert list(finding["fixes"][0]) == ["text", "command", "risk", "verify"]
    assert list(document["not_checked"][0]) == ["what", "why", "needs", "rules"]
    assert list(document["timeline"][0]) == ["time", "what", "subject", "kind"]
    assert list(document["collected"][0]) == ["collector", "items", "bytes", "seconds"]


def test_it_says_what_the_report_says(degraded: Report) -> None:
    document = json.loads(render(degraded, Options()))
    assert document["schema"] == "diagnose/report/1"
    assert document["verdict"] == "degraded"
    assert document["stage"] == {"reached": "serve", "failed": "init"}
    assert document["ladder"][7] == {"stage": "init", "state": "failed"}
    assert [(finding["rule"], finding["role"]) for finding in document["findings"]] == [
        (finding.rule, finding.role.value) for finding in degraded.findings
    ]
    assert document["findings"][3] == {
        "rule": "start.worker-killed-memory",
        "title": "A worker was killed, most likely for memory",
        "kind": "cause",
        "role": "latent",
        "stage": "start",
        "severity": "warning",
        "subjects": ["kubernetes/aml-churn/churn-model/churn-model-5c6b8885ff-4wwmb/inference-server"],
        "explain": "It happened once, an hour ago; the container has been ready since.",
        "evidence": [
            {
                "source": "kubectl logs -n aml-churn churn-model-5c6b8885ff-4wwmb -c inference-server --previous",
                "line": 912,
                "time": None,
                "text": "Worker (pid:9) was sent SIGKILL! Perhaps out of memory?",
                "before": [],
                "after": [],
                "count": 1,
                "marked": "",
            }
        ],
        "explains": [],
        "fixes": [
            {"text": "Raise the memory limit before the load returns.", "command": "", "risk": "none", "verify": ""}
        ],
        "references": [],
    }


def test_what_has_no_order_is_sorted(failing: Report) -> None:
    shuffled = replace(
        failing,
        findings=tuple(
            replace(finding, subjects=finding.subjects[::-1], explains=finding.explains[::-1])
            for finding in failing.findings
        ),
        not_checked=tuple(replace(gap, rules=gap.rules[::-1]) for gap in failing.not_checked),
        timeline=failing.timeline[::-1],
        collected=failing.collected[::-1],
        redactions=dict(reversed(list(failing.redactions.items()))),
        versions=dict(reversed(list(failing.versions.items()))),
    )
    assert render(shuffled, Options()) == render(failing, Options())
    assert json.loads(render(failing, Options()))["findings"][0]["explains"] == [
        "start.crash-loop-back-off",
        "start.exit-code-3",
    ]


def test_times_are_utc_and_in_their_order(healthy: Report) -> None:
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    moments = (
        Moment(noon + timedelta(milliseconds=500), "third", ""),
        Moment(noon.astimezone(timezone(timedelta(hours=2))), "second", ""),
        Moment(datetime(2026, 11, 22, 11, 59), "first", ""),
    )
    assert _read(replace(healthy, timeline=moments))["timeline"] == [
        {"time": "2026-11-22T11:59:00Z", "what": "first", "subject": "", "kind": ""},
        {"time": "2026-11-22T12:00:00Z", "what": "second", "subject": "", "kind": ""},
        {"time": "2026-11-22T12:00:00.500000Z", "what": "third", "subject": "", "kind": ""},
    ]


def test_seconds_are_rounded(healthy: Report) -> None:
    report = replace(healthy, collected=(Collected("docker", 3, 512, 0.123456),))
    assert _read(report)["collected"] == [{"collector": "docker", "items": 3, "bytes": 512, "seconds": 0.123}]


def test_text_is_written_as_it_is(healthy: Report) -> None:
    assert '"service": "modèle-模型"' in render(replace(healthy, service="modèle-模型"), Options())


def test_a_hostile_report_can_be_printed_and_read_back(hostile: Report, evil: str) -> None:
    text = render(hostile, Options())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert json.loads(text)["service"] == evil.replace("\udcff", "\ufffd")
