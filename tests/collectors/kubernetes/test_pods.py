"""States of pods and containers."""

from __future__ import annotations

import pytest
from made_objects import Data, ended, pod, running, seen, status, waiting

from diagnose.collectors.kubernetes.pods import containers, pods
from diagnose.streams import Container


def of(**fields: object) -> Container:
    (item,) = containers(seen(pods=[pod(statuses=[status(**fields)])]))
    return item


@pytest.mark.parametrize(
    ("fields", "stable"),
    [
        ({}, True),
        ({"ready": False}, False),
        ({"restartCount": 1, "state": running("2026-11-22T11:49:00Z")}, True),
        ({"restartCount": 1, "state": running("2026-11-22T11:51:00Z")}, False),
        ({"state": waiting("CrashLoopBackOff"), "ready": False}, False),
        ({"state": ended(0), "ready": False}, False),
    ],
)
def test_stable_is_ready_and_long_past_its_last_restart(fields: Data, stable: bool) -> None:
    assert of(**fields).stable is stable


def test_the_latest_end_is_the_present_state_or_the_one_before() -> None:
    both = of(state=ended(3, "Error", "2026-11-22T11:59:00Z"), lastState=ended(137, "OOMKilled"), ready=False)
    assert (both.state, both.exit_code, both.end_reason, both.ended_s) == ("terminated", 3, "Error", 60.0)
    before = of(lastState=ended(137, "OOMKilled", "2026-11-22T11:00:00Z"))
    assert (before.state, before.exit_code, before.oom_killed, before.ended_s) == ("running", 137, True, 3600.0)
    assert (before.running_s, before.reason) == (3595.0, "")


def test_a_clock_that_runs_ahead_makes_nothing_younger_than_now() -> None:
    assert of(state=running("2026-11-22T12:00:05Z")).running_s == 0.0


@pytest.mark.parametrize(("phase", "state"), [("Pending", "waiting"), ("Unknown", "unknown")])
def test_without_any_status_the_phase_tells(phase: str, state: str) -> None:
    (item,) = containers(seen(pods=[pod(statuses=[], phase=phase)]))
    assert (item.state, item.ready, item.restarts, item.stable) == (state, None, 0, False)


def test_a_status_without_a_specification_is_kept() -> None:
    (item,) = containers(seen(pods=[pod(spec={"containers": []}, statuses=[status(image="shop/web:1")])]))
    assert (item.name, item.image) == ("app", "shop/web:1")


def test_what_a_container_wants_is_read_in_numbers() -> None:
    wanted = {
        "resources": {"limits": {"cpu": "1500m", "memory": "1Gi"}, "requests": {"cpu": 1, "memory": "128974848"}},
        "command": ["python"],
        "args": ["-m", "server"],
        "volumeMounts": [{"mountPath": "/models", "name": "models"}],
        "startupProbe": {"exec": {"command": ["cat", "/ready"]}, "periodSeconds": 5, "failureThreshold": 60},
        "livenessProbe": {"tcpSocket": {"port": "http"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8443, "scheme": "HTTPS"}},
    }
    (item,) = containers(seen(pods=[pod(container=wanted)]))
    assert (item.cpu_limit, item.memory_limit_mib) == (1.5, 1024.0)
    assert (item.cpu_request, item.memory_request_mib) == (1, 123.0)
    assert (item.command, item.mounts) == (("python", "-m", "server"), ("/models",))
    assert item.startup_probe == "exec cat /ready delay 0s period 5s timeout 1s failures 60"
    assert item.liveness_probe == "tcp-socket :http delay 0s period 10s timeout 1s failures 3"
    assert item.readiness_probe == "https-get :8443/health delay 0s period 10s timeout 1s failures 3"
    assert item.liveness_allows_s == 300.0


def test_a_liveness_probe_alone_sets_the_time_allowed() -> None:
    probe = {"grpc": {"port": 9000}, "initialDelaySeconds": 10, "periodSeconds": 5}
    (item,) = containers(seen(pods=[pod(container={"livenessProbe": probe})]))
    assert item.liveness_probe.startswith("grpc :9000 ")
    assert item.liveness_allows_s == 25.0


def test_nobody_kills_a_container_without_a_liveness_probe() -> None:
    assert of().liveness_allows_s is None


def test_a_pod_says_where_it_is_and_what_made_it() -> None:
    labels = {"pod-template-hash": "5c6b8885ff", "ml.azure.com/deployment-name": "blue"}
    spec = {"nodeSelector": {"gpu": "yes", "agentpool": "a"}, "serviceAccountName": "default"}
    (item,) = pods(seen(pods=[pod(labels=labels, owner=("ReplicaSet", "web-5c6b8885ff"), spec=spec)]))
    assert (item.owner, item.revision, item.azureml_deployment) == ("ReplicaSet/web-5c6b8885ff", "5c6b8885ff", "blue")
    assert (item.node, item.node_selector, item.service_account) == ("node-1", "agentpool=a,gpu=yes", "default")
    assert (item.age_s, item.ready, item.scheduled, item.initialized) == (3600.0, True, True, None)
    assert item.source == "kubectl -n shop get pod web-5c6b8885ff-4wwmb -o yaml"


def test_a_condition_that_is_unknown_is_neither_true_nor_false() -> None:
    data = pod()
    data["status"]["conditions"] = [{"type": "PodScheduled", "status": "Unknown"}]
    (item,) = pods(seen(pods=[data]))
    assert (item.scheduled, item.ready) == (None, False)
