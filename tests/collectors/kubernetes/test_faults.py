"""What is said when a list or a log can not be read: always the right thing, never in an exception, never late."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from made_objects import NAMESPACE, cluster, pod, seconds
from replay import BROKEN, CUT, DENIED, HANG, HTML, NOT_FOUND, Fault, Replay, Start

from diagnose.collectors import Limits
from diagnose.model import Collection, Why
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder

Collected = Callable[..., Collection]

BUSY = Fault(status=429, retry_after=3600)
GARBAGE = Fault(body=b'{"items": [{"metadata": {"name": "x"')
NO_LIST = Fault(body=b'{"kind": "Status", "status": "Failure"}')
FAULTS = {
    "denied": (DENIED, Why.DENIED),
    "not found": (NOT_FOUND, Why.NOT_FOUND),
    "broken": (BROKEN, Why.FAILED),
    "busy": (BUSY, Why.TIMED_OUT),
    "hanging": (HANG, Why.TIMED_OUT),
    "cut": (CUT, Why.FAILED),
    "html": (HTML, Why.FAILED),
}
NOT_JSON = {"garbage": (GARBAGE, Why.FAILED), "no list": (NO_LIST, Why.FAILED)}
LISTS = {
    "pods": {"pods", "containers", "logs.container", "conditions"},
    "deployments": {"workloads", "conditions"},
    "replicasets": {"workloads", "conditions"},
    "statefulsets": {"workloads", "conditions"},
    "daemonsets": {"workloads", "conditions"},
    "services": {"services"},
    "events": {"events"},
    "horizontalpodautoscalers": {"autoscalers"},
    "persistentvolumeclaims": {"claims"},
    "resourcequotas": {"quotas"},
    "limitranges": {"limits"},
    "nodes": {"nodes"},
}
ABSENT = {
    "pods": {"pods", "containers", "logs.container"},
    "deployments": {"workloads"},
    "replicasets": set(),
    "statefulsets": set(),
    "daemonsets": set(),
    "horizontalpodautoscalers": {"autoscalers"},
}


def with_fault(collected: Collected, resource: str, fault: Fault) -> Collection:
    replay = Replay.of("rollout", faults={resource: fault})
    limits = seconds(20, call_s=1 if fault.hang else 10)
    found = collected(replay, "rollout", "aml-rollout", limits)
    assert time.monotonic() < limits.deadline
    return found


@pytest.mark.parametrize("resource", LISTS)
@pytest.mark.parametrize("name", [*FAULTS, *NOT_JSON])
def test_a_list_that_fails_leaves_its_reason_with_the_streams_it_fills(
    collected: Collected, resource: str, name: str
) -> None:
    fault, why = (FAULTS | NOT_JSON)[name]
    found = with_fault(collected, resource, fault)
    gaps = [gap for gap in found.missing if gap.stream != "logs.router" and not gap.what.startswith("events of nodes")]
    assert {gap.stream for gap in gaps} == LISTS[resource]
    assert {gap.why for gap in gaps} == {why}
    assert all(resource in gap.what for gap in gaps)
    absent = ABSENT.get(resource, LISTS[resource])
    assert not absent & {*found.items, *found.logs}
    present = {
        "pods",
        "containers",
        "conditions",
        "events",
        "workloads",
        "services",
        "nodes",
        "logs.container",
    } - absent
    assert present <= {*found.items, *found.logs}


@pytest.mark.parametrize("name", FAULTS)
def test_a_log_that_fails_leaves_its_reason_with_its_container(collected: Collected, name: str) -> None:
    fault, why = FAULTS[name]
    found = with_fault(collected, "pods/log", fault)
    gaps = [gap for gap in found.missing if gap.stream == "logs.container"]
    assert {gap.why for gap in gaps} == {why}
    assert "pods" in found.items
    if name == "cut":
        assert all("cut the connection" in log.cut for log in found.logs["logs.container"])
    else:
        assert "logs.container" not in found.logs


def test_a_denied_list_names_the_verb_the_resource_and_a_role(collected: Collected) -> None:
    found = with_fault(collected, "events", DENIED)
    (gap,) = [gap for gap in found.missing if gap.stream == "events"]
    assert gap.what == "events in namespace aml-rollout"
    assert gap.needs == "list events in namespace aml-rollout (for example the ClusterRole view)"


def test_denied_nodes_need_more_than_the_role_view(collected: Collected) -> None:
    (gap,) = [gap for gap in with_fault(collected, "nodes", DENIED).missing if gap.stream == "nodes"]
    assert (gap.what, gap.needs) == ("nodes", "list nodes (a ClusterRole with get and list on nodes)")


def test_denied_logs_are_said_once_however_many_there_are(collected: Collected) -> None:
    found = with_fault(collected, "pods/log", DENIED)
    (gap,) = [gap for gap in found.missing if gap.stream == "logs.container"]
    assert gap.what == "2 logs of containers in namespace aml-rollout"
    assert gap.needs == "get pods/log in namespace aml-rollout (for example the ClusterRole view)"


def test_one_log_that_fails_leaves_the_others(collected: Collected) -> None:
    path = "/api/v1/namespaces/aml-rollout/pods/rollout-7f59bd8988-48zls/log"
    found = with_fault(collected, path, BROKEN)
    assert {log.subject.pod for log in found.logs["logs.container"]} == {"rollout-677697bbf9-jf69l"}
    (gap,) = [gap for gap in found.missing if gap.stream == "logs.container"]
    assert gap.subject.pod == "rollout-7f59bd8988-48zls"
    assert gap.subject.container == "inference-server"
    assert "HTTP 500" in gap.what


def test_events_of_the_new_api_make_up_for_denied_ones(collected: Collected) -> None:
    replay = cluster(pods=[pod("lonely")])
    replay.faults[f"/api/v1/namespaces/{NAMESPACE}/events"] = DENIED
    note = {"metadata": {"name": "e"}, "regarding": {"kind": "Pod", "name": "lonely"}, "reason": "Failed", "note": "no"}
    items = [note | {"deprecatedCount": None}]
    replay.documents[f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"] = {"kind": "EventList", "items": items}
    found = collected(replay, "lonely", NAMESPACE)
    assert [(one.message, one.count) for one in found.items["events"]] == [("no", 1)]
    assert "events" not in {gap.stream for gap in found.missing}


def test_slices_make_up_for_denied_endpoints(collected: Collected) -> None:
    found = with_fault(collected, "endpoints", DENIED)
    assert found.items["services"][0].endpoints_ready == 2
    assert "services" not in {gap.stream for gap in found.missing}


def test_services_stay_when_nothing_is_known_of_their_endpoints(collected: Collected) -> None:
    replay = Replay.of("rollout", faults={"endpoints": DENIED, "endpointslices": DENIED})
    found = collected(replay, "rollout", "aml-rollout")
    assert found.items["services"][0].endpoints_ready is None
    (gap,) = [gap for gap in found.missing if gap.stream == "services"]
    assert gap.what == "endpoints in namespace aml-rollout"


def test_asked_to_come_back_later_it_comes_back(collected: Collected) -> None:
    replay = Replay.of("rollout", faults={"pods": Fault(status=429, retry_after=1, times=1)})
    found = collected(replay, "rollout", "aml-rollout")
    assert len(found.items["pods"]) == 3
    assert [gap.stream for gap in found.missing] == ["logs.router"]


def test_a_router_that_may_not_be_looked_for_is_said_to_be_unknown(collected: Collected) -> None:
    replay = Replay.of("healthy", faults={"/api/v1/namespaces/azureml/pods": DENIED})
    (gap,) = collected(replay, "healthy", "aml-healthy").missing
    assert (gap.stream, gap.why, gap.subject.workload) == ("logs.router", Why.DENIED, "azureml-fe")
    assert gap.needs == "list pods in namespace azureml (for example the ClusterRole view)"


def test_the_router_s_log_is_read_where_it_is_found(collected: Collected) -> None:
    replay = Replay.of("healthy")
    router = pod("azureml-fe-v2-1", {"ml.azure.com/infra-app": "azureml-fe"}, namespace="azureml")
    other = pod("gateway", {"ml.azure.com/infra-app": "gateway"}, namespace="azureml")
    replay.documents["/api/v1/namespaces/azureml/pods"] = {"kind": "PodList", "items": [other, router]}
    replay.logs[("azureml", "azureml-fe-v2-1", "app", False)] = b"2026-11-22T12:00:00Z upstream timed out\n"
    found = collected(replay, "healthy", "aml-healthy")
    (log,) = found.logs["logs.router"]
    assert str(log.subject) == "kubernetes/azureml/azureml-fe-v2-1/azureml-fe-v2-1/app"
    assert "upstream timed out" in log.chunks[0].text
    assert found.missing == ()


def test_the_router_is_not_looked_at_for_a_service_it_does_not_serve(collected: Collected) -> None:
    found = collected(cluster(pods=[pod("lonely")]), "lonely", NAMESPACE)
    assert "logs.router" not in {gap.stream for gap in found.missing}


def test_logs_that_hang_cost_their_own_time_only(collected: Collected) -> None:
    limits = seconds(1.5, call_s=10)
    found = collected(Replay.of("rollout", faults={"pods/log": HANG}), "rollout", "aml-rollout", limits)
    assert time.monotonic() < limits.deadline + 1
    assert {gap.why for gap in found.missing if gap.stream == "logs.container"} == {Why.TIMED_OUT}
    assert len(found.items["events"]) == 24


def test_a_server_that_drips_bytes_is_left_behind(collected: Collected) -> None:
    limits = seconds(2, call_s=0.5)
    drip = Fault(drip_s=0.05)
    found = collected(Replay.of("rollout", faults={"pods/log": drip, "events": drip}), "rollout", "aml-rollout", limits)
    assert time.monotonic() < limits.deadline + 1
    gaps = {gap.stream: gap.why for gap in found.missing}
    assert (gaps["events"], gaps["logs.container"]) == (Why.TIMED_OUT, Why.TIMED_OUT)
    assert all("not read to its end" in log.cut for log in found.logs["logs.container"])


def test_a_hanging_list_of_pods_leaves_time_for_the_rest(replayed: Start) -> None:
    replayed(Replay.of("rollout", faults={"pods": HANG}))
    limits = seconds(2, call_s=10)
    found = KubernetesFinder().find(Wanted(service="rollout", namespace="aml-rollout"), limits)
    assert time.monotonic() < limits.deadline - 0.5
    collection = found.candidates[0].collect(limits)
    assert "workloads" in collection.items
    assert {gap.why for gap in collection.missing if gap.stream == "pods"} == {Why.TIMED_OUT}


def test_a_collection_after_the_deadline_is_empty_and_says_so(replayed: Start) -> None:
    replayed("rollout")
    found = KubernetesFinder().find(Wanted(service="rollout", namespace="aml-rollout"), Limits())
    collection = found.candidates[0].collect(Limits(deadline=time.monotonic() - 1))
    assert {gap.why for gap in collection.missing if gap.stream == "logs.container"} == {Why.TIMED_OUT}


def test_a_call_that_hangs_does_not_keep_the_program_from_ending(replayed: Start) -> None:
    replayed(Replay.of("rollout", faults={"pods/log": HANG, "events": HANG}))
    program = """
import time
from diagnose.collectors import Limits
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder
limits = Limits(deadline=time.monotonic() + 2, call_s=600)
found = KubernetesFinder().find(Wanted(service="rollout", namespace="aml-rollout"), limits)
print(len(found.candidates[0].collect(limits).items["pods"]))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == ("3\n", "")


def test_a_body_is_never_quoted_at_length(collected: Collected) -> None:
    long = Fault(body=b'{"items": "' + b"secret " * 10_000 + b'"}')
    found = with_fault(collected, "events", long)
    assert all(len(gap.what) < 400 and "secret" not in gap.what for gap in found.missing)
