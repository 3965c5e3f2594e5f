"""The whole program against an API server that answers what a real one answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from replay import BROKEN, CUT, DENIED, HANG, HTML, NOT_FOUND, Fault, Replay

from diagnose.cli import program

Start = Callable[..., Replay]
Ask = Callable[..., tuple[int, dict[str, Any]]]

SERVICES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "healthy": (("healthy",), ()),
    "getmodelpath": (("failing",), ("init.get-model-path-not-found",)),
    "importerror": (("failing",), ("init.import-error",)),
    "oomkilled": (("failing",), ("start.oom-killed",)),
    "pullnotfound": (("failing",), ("network.acr-dns-failure",)),
    "toobig": (("failing",), ("schedule.insufficient-cpu", "schedule.insufficient-memory")),
    "rollout": (("degraded",), ("init.get-model-path-not-found",)),
    "missingsecret": (("failing",), ("start.secret-missing",)),
    "runfails": (("failing", "degraded"), ("score.result-not-serializable",)),
    "slowinit": (("failing",), ("probe.initialization-too-slow",)),
    "noendpoints": (("failing", "degraded"), ("serve.service-selector-mismatch",)),
    "initcontainer": (("failing",), ("start.init-container-failed",)),
    "quota": (("degraded",), ("deploy.resource-quota-exceeded",)),
}
"""Verdicts, and the root causes of which one must be first."""

RESOURCES = (
    "pods", "pods/log", "events", "services", "endpoints", "endpointslices", "deployments", "replicasets",
    "statefulsets", "horizontalpodautoscalers", "persistentvolumeclaims", "resourcequotas", "limitranges", "nodes",
)  # fmt: skip
FAULTS = {
    "403": DENIED,
    "404": NOT_FOUND,
    "500": BROKEN,
    "429": Fault(status=429, retry_after=1),
    "429 once": Fault(status=429, retry_after=1, times=1),
    "hang": HANG,
    "cut": CUT,
    "html": HTML,
}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run ``diagnose SERVICE`` on Kubernetes alone; the exit code and the JSON report."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")

    def run(service: str, *options: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(program, [service, "--on", "kubernetes", "--format", "json", *options])
        if not result.stdout:
            return result.exit_code, {"stderr": result.stderr}
        return result.exit_code, json.loads(result.stdout)

    return run


def first(report: dict[str, Any]) -> str | None:
    return next((finding["rule"] for finding in report["findings"] if finding["role"] == "root_cause"), None)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("namespaced", [True, False], ids=["in its namespace", "found in all namespaces"])
def test_each_service_is_answered_with_its_root_cause(
    service: str, namespaced: bool, replayed: Start, ask: Ask
) -> None:
    replayed(service, f"aml-{service}" if namespaced else None)
    code, report = ask(service)
    verdicts, causes = SERVICES[service]
    assert report["verdict"] in verdicts
    assert (first(report) in causes) if causes else (first(report) is None)
    assert code == (1 if causes else 0)


def test_the_healthy_service_raises_no_alarm(replayed: Start, ask: Ask) -> None:
    replayed("healthy", "aml-healthy")
    _, report = ask("healthy")
    assert [f["rule"] for f in report["findings"] if f["role"] in ("root_cause", "contributing", "symptom")] == []


def test_a_crash_loop_folds_under_what_init_raised(replayed: Start, ask: Ask) -> None:
    replayed("getmodelpath", "aml-getmodelpath")
    _, report = ask("getmodelpath")
    finding = report["findings"][0]
    assert "start.crash-loop-back-off" in finding["explains"]
    assert "my-best-model" in finding["explain"]
    assert "score.py line 6, in init()" in finding["explain"]
    assert "getmodelpath-5c6b8885ff-4wwmb" in finding["fixes"][0]["command"]
    assert report["stage"] == {"reached": "init", "failed": "init"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("resource", RESOURCES)
def test_a_fault_of_one_resource_is_said_and_never_called_healthy(
    resource: str, fault: str, replayed: Start, ask: Ask
) -> None:
    replayed("healthy", "aml-healthy", faults={resource: FAULTS[fault]})
    begun = time.monotonic()
    code, report = ask("healthy", "-n", "aml-healthy", "--timeout", "3")
    assert time.monotonic() - begun < 6
    gone = fault == "404" and resource in ("endpointslices", "horizontalpodautoscalers", "statefulsets")
    if fault == "429 once" or gone:
        assert (code, report.get("verdict")) in ((0, "healthy"), (3, "unknown"))
        return
    if "stderr" in report:
        assert (code, "kubernetes" in report["stderr"]) == (3, True)
        return
    assert [gap for gap in report["not_checked"] if gap["why"] != "not supplied"] != []
    optional = ("nodes", "horizontalpodautoscalers", "persistentvolumeclaims", "resourcequotas", "limitranges")
    covered = (*optional, "endpoints", "endpointslices", "statefulsets")
    assert (code, report["verdict"]) == (3, "unknown") or (resource in covered and code == 0)


DECIDING = {
    "getmodelpath": ("pods/log", "pods"),
    "pullnotfound": ("events", "pods"),
    "toobig": ("events", "pods"),
    "runfails": ("pods/log",),
    "noendpoints": ("services", "endpoints"),
    "quota": ("events", "replicasets", "deployments"),
    "slowinit": ("events", "pods/log"),
    "missingsecret": ("events", "pods"),
}


@pytest.mark.parametrize("fault", ["403", "500", "hang"])
@pytest.mark.parametrize(("service", "resource"), [(s, r) for s, several in DECIDING.items() for r in several])
def test_a_broken_service_is_never_healthy_because_its_evidence_could_not_be_read(
    service: str, resource: str, fault: str, replayed: Start, ask: Ask
) -> None:
    replayed(service, f"aml-{service}", faults={resource: FAULTS[fault]})
    code, report = ask(service, "--timeout", "3")
    assert report.get("verdict") != "healthy"
    assert code in (1, 3)


def test_a_misspelt_name_is_met_with_the_near_ones(replayed: Start, ask: Ask) -> None:
    replayed("getmodelpath", "aml-getmodelpath")
    code, answer = ask("getmodelpth")
    assert (code, "did you mean getmodelpath?" in answer["stderr"]) == (3, True)


def test_what_could_not_be_searched_is_said_with_a_name_that_is_not_found(replayed: Start, ask: Ask) -> None:
    denied = {"/api/v1/pods": DENIED, "/api/v1/namespaces": DENIED, "/apis/apps/v1/deployments": DENIED}
    replayed("getmodelpath", "aml-getmodelpath", faults=denied)
    _, answer = ask("something-else")
    assert "not searched" in answer["stderr"]


def test_the_answer_needs_two_waves_of_calls(replayed: Start, ask: Ask) -> None:
    replay = replayed("getmodelpath", "aml-getmodelpath", delay_s=0.05)
    ask("getmodelpath")
    logs = [call for call in replay.calls if call.resource == "pods/log"]
    pods = next(call for call in replay.calls if call.resource == "pods")
    assert logs
    between = [c for c in replay.calls if c.began > pods.ended and c.ended < min(log.began for log in logs)]
    assert between == []
