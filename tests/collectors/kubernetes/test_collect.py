"""What 13 services of a real cluster give, asked over HTTP with the official client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from made_objects import NAMESPACE, cluster, ended, event, pod, service, status, waiting, workload
from replay import LAB, Replay, Start

from diagnose.collectors import Limits
from diagnose.model import Collection, Why
from diagnose.streams import STREAMS
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder

Collected = Callable[..., Collection]
SERVICES = sorted(folder.name for folder in LAB.iterdir())


def text(collection: Collection, run: str) -> str:
    (log,) = [one for one in collection.logs["logs.container"] if one.run == run]
    return "".join(chunk.text for chunk in log.chunks)


def only(collection: Collection, stream: str) -> Any:
    (item,) = collection.items[stream]
    return item


@pytest.mark.parametrize("name", SERVICES)
def test_every_recorded_service_fills_every_stream_and_only_lacks_the_router(collected: Collected, name: str) -> None:
    found = collected(name)
    assert set(found.items) == {
        *("pods", "containers", "conditions", "events", "workloads", "services"),
        *("autoscalers", "claims", "quotas", "limits", "nodes"),
    }
    assert [(gap.stream, gap.why) for gap in found.missing] == [("logs.router", Why.NOT_FOUND)]
    for stream, items in found.items.items():
        assert all(type(item) is STREAMS[stream].item for item in items)
        assert all(item.subject.place == "kubernetes" and item.source.startswith("kubectl ") for item in items)


def test_a_healthy_service_has_stable_containers_and_one_log(collected: Collected) -> None:
    found = collected("healthy")
    assert [one.stable for one in found.items["containers"]] == [True, True]
    assert len(found.logs["logs.container"]) == 1
    assert only(found, "services").endpoints_ready == 2
    assert found.now == datetime(2026, 11, 22, 12, 2, 23, tzinfo=UTC)


def test_a_crash_loop_has_its_exit_code_and_the_log_of_the_run_that_crashed(collected: Collected) -> None:
    found = collected("getmodelpath")
    container = only(found, "containers")
    assert (container.state, container.reason, container.exit_code) == ("waiting", "CrashLoopBackOff", 3)
    assert (container.restarts, container.end_reason, container.stable) == (5, "Error", False)
    assert str(container.subject) == (
        "kubernetes/aml-getmodelpath/getmodelpath/getmodelpath-5c6b8885ff-4wwmb/inference-server"
    )
    (log,) = found.logs["logs.container"]
    assert (log.run, log.cut, log.chunks[0].first_line) == ("previous", "", 1)
    assert log.source == (
        "kubectl -n aml-getmodelpath logs getmodelpath-5c6b8885ff-4wwmb -c inference-server --previous"
    )
    assert "my-best-model" in log.chunks[0].text
    assert only(found, "pods").current is True


def test_a_missing_import_is_in_the_previous_log(collected: Collected) -> None:
    assert "No module named 'joblib'" in text(collected("importerror"), "previous")


def test_a_kill_for_memory_is_told_by_the_latest_end(collected: Collected) -> None:
    container = only(collected("oomkilled"), "containers")
    assert (container.exit_code, container.end_reason, container.oom_killed) == (137, "OOMKilled", True)
    assert container.memory_limit_mib == 128.0


def test_a_container_that_never_started_has_no_log_and_that_lacks_nothing(collected: Collected) -> None:
    found = collected("pullnotfound")
    assert only(found, "containers").reason == "ImagePullBackOff"
    assert found.logs["logs.container"] == ()
    failed = [one for one in found.items["events"] if one.reason == "Failed"]
    assert {one.subject.container for one in failed} == {"inference-server"}
    assert [one.count for one in failed] == [4, 4, 20]


def test_a_pod_without_a_node_says_why_and_its_container_waits(collected: Collected) -> None:
    found = collected("toobig")
    assert only(found, "pods").scheduled is False
    assert "Insufficient cpu" in only(found, "pods").unschedulable_message
    container = only(found, "containers")
    assert (container.state, container.cpu_request, container.memory_request_mib) == ("waiting", 48.0, 307200.0)
    assert only(found, "nodes").cpu_allocatable == 2.0
    scheduling = [one for one in found.items["events"] if one.reason == "FailedScheduling"]
    assert [one.count for one in scheduling] == [1, 1]
    assert scheduling[1].time == datetime(2026, 11, 22, 11, 59, 24, 200092, tzinfo=UTC)


def test_a_stuck_rollout_tells_old_pods_from_new_ones(collected: Collected) -> None:
    found = collected("rollout")
    assert {(one.revision, one.current, one.ready) for one in found.items["pods"]} == {
        ("677697bbf9", True, False),
        ("7f59bd8988", False, True),
    }
    runs = {(log.run, log.subject.pod) for log in found.logs["logs.container"]}
    assert runs == {("previous", "rollout-677697bbf9-jf69l"), ("current", "rollout-7f59bd8988-48zls")}
    kinds = [(one.kind, one.name, one.desired, one.short) for one in found.items["workloads"]]
    assert kinds == [
        ("Deployment", "rollout", 2, 0),
        ("ReplicaSet", "rollout-677697bbf9", 1, 1),
        ("ReplicaSet", "rollout-7f59bd8988", 2, 0),
    ]
    assert {one.subject.workload for one in found.items["workloads"]} == {"rollout"}


def test_a_missing_secret_is_the_reason_of_the_state(collected: Collected) -> None:
    container = only(collected("missingsecret"), "containers")
    assert (container.reason, container.message) == ("CreateContainerConfigError", 'secret "scoring-keys" not found')
    assert container.environment == ("KEY",)


def test_a_service_whose_requests_fail_is_well_and_its_log_is_read(collected: Collected) -> None:
    found = collected("runfails")
    assert only(found, "containers").stable
    assert "not JSON serializable" in text(found, "current") or "ndarray" in text(found, "current")


def test_the_time_that_liveness_allows_is_counted(collected: Collected) -> None:
    container = only(collected("slowinit"), "containers")
    assert container.liveness_probe == "http-get :5001/ delay 10s period 5s timeout 2s failures 3"
    assert container.liveness_allows_s == 25.0


def test_a_selector_that_matches_nothing_shows_beside_the_labels(collected: Collected) -> None:
    found = only(collected("noendpoints"), "services")
    assert (found.selector, found.pods_selected, found.pods_of_workload) == ("app=noendpoints-v2", 0, 1)
    assert (found.endpoints_ready, found.endpoints_not_ready) == (0, 0)
    assert "app=noendpoints," in found.labels_of_pods
    assert found.subject.workload == "noendpoints"


def test_an_init_container_has_its_own_state_log_and_events(collected: Collected) -> None:
    found = collected("initcontainer")
    assert [(one.name, one.kind, one.exit_code) for one in found.items["containers"]] == [
        ("storage-initializer", "init", 1),
        ("inference-server", "app", None),
    ]
    assert "ClientAuthenticationError" in text(found, "previous")
    backoff = next(one for one in found.items["events"] if one.reason == "BackOff")
    assert (backoff.subject.container, backoff.count) == ("storage-initializer", 25)


def test_pods_that_a_quota_refused_are_told_by_the_replicaset(collected: Collected) -> None:
    found = collected("quota")
    assert [(one.resource, one.ratio_used) for one in found.items["quotas"]] == [
        ("requests.cpu", 1.0),
        ("requests.memory", 1.0),
    ]
    assert found.items["workloads"][0].short == 2
    failure = next(
        one for one in found.items["conditions"] if one.type == "ReplicaFailure" and one.kind == "ReplicaSet"
    )
    assert (failure.status, failure.reason) == ("True", "FailedCreate")
    refused = [one for one in found.items["events"] if one.reason == "FailedCreate"]
    assert {one.kind for one in refused} == {"ReplicaSet"}
    assert max(one.count for one in refused) == 12


def test_no_secret_and_no_configmap_is_ever_asked_for(replayed: Start) -> None:
    replay = replayed("missingsecret")
    found = KubernetesFinder().find(Wanted(service="missingsecret"), Limits())
    found.candidates[0].collect(Limits())
    resources = {call.resource for call in replay.calls}
    assert "pods/log" not in resources
    assert not {name for name in resources if "secret" in name or "configmap" in name}


def chain(replayed: Start, replay: Replay, service: str, namespace: str | None) -> int:
    replay.delay_s = 0.4
    replayed(replay)
    found = KubernetesFinder().find(Wanted(service=service, namespace=namespace), Limits())
    found.candidates[0].collect(Limits())
    return replay.waves()


@pytest.mark.parametrize("name", ["rollout", "initcontainer"])
def test_lists_and_logs_are_the_whole_chain_of_calls(replayed: Start, name: str) -> None:
    assert chain(replayed, Replay.of(name), name, f"aml-{name}") == 2


def test_a_search_of_all_namespaces_makes_the_chain_longer_by_one(replayed: Start) -> None:
    assert chain(replayed, Replay.of("rollout"), "rollout", None) == 3


def test_the_router_does_not_make_the_chain_longer(replayed: Start) -> None:
    replay = Replay.of("getmodelpath")
    router = pod("azureml-fe-1", {"azuremlappname": "azureml-fe"}, namespace="default")
    replay.documents["/api/v1/namespaces/default/pods"] = {"kind": "PodList", "items": [router]}
    replay.logs[("default", "azureml-fe-1", "app", False)] = b"2026-11-22T12:00:00Z routed\n"
    assert chain(replayed, replay, "getmodelpath", "aml-getmodelpath") == 2
    assert "/api/v1/namespaces/default/pods/azureml-fe-1/log" in replay.paths("pods/log")


def fleet(healthy: int, crashing: int = 0) -> Replay:
    labels = {"app": "web", "pod-template-hash": "5c6b8885ff"}
    owner = ("ReplicaSet", "web-5c6b8885ff")
    crash = status(ready=False, restartCount=3, state=waiting("CrashLoopBackOff"), lastState=ended(3))
    pods = [pod(f"web-5c6b8885ff-h{i:04}", labels, owner) for i in range(healthy)]
    pods += [pod(f"web-5c6b8885ff-c{i:04}", labels, owner, [crash]) for i in range(crashing)]
    replay = cluster(
        pods=pods,
        deployments=[workload("web", {"app": "web"}, healthy + crashing)],
        services=[service("web", {"app": "web"})],
    )
    for one in pods:
        for previous in (True, False):
            replay.logs[(NAMESPACE, one["metadata"]["name"], "app", previous)] = b"hello\n"
    return replay


def test_the_number_of_calls_does_not_grow_with_healthy_pods(collected: Collected) -> None:
    few, many = fleet(2), fleet(200)
    collected(few, "web", NAMESPACE)
    collected(many, "web", NAMESPACE)
    assert len(many.calls) == len(few.calls)
    assert len(many.paths("pods/log")) == 1


def test_the_logs_of_every_crashing_pod_are_read(collected: Collected) -> None:
    replay = fleet(3, crashing=50)
    found = collected(replay, "web", NAMESPACE)
    assert len(replay.paths("pods/log")) == 51
    assert len(found.logs["logs.container"]) == 51


def test_five_thousand_pods_come_in_pages(collected: Collected) -> None:
    replay = fleet(5000)
    found = collected(replay, "web", NAMESPACE)
    assert len(found.items["pods"]) == 5000
    assert replay.paths("pods").count(f"/api/v1/namespaces/{NAMESPACE}/pods") == 10
    assert not [gap for gap in found.missing if gap.stream == "pods"]


def test_a_statefulset_is_collected_like_a_deployment(collected: Collected) -> None:
    labels = {"controller-revision-hash": "db-7f6d"}
    crash = status(ready=False, restartCount=1, state=waiting("CrashLoopBackOff"), lastState=ended(1))
    made = workload("db", replicas=2, status={"replicas": 2, "readyReplicas": 1, "updateRevision": "db-7f6d"})
    made["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}}]
    claim = {"metadata": {"name": "data-db-0", "namespace": NAMESPACE}, "status": {"phase": "Pending"}}
    replay = cluster(
        pods=[pod("db-0", labels, ("StatefulSet", "db"), [crash]), pod("db-1", labels, ("StatefulSet", "db"))],
        statefulsets=[made],
        persistentvolumeclaims=[claim, {"metadata": {"name": "other", "namespace": NAMESPACE}}],
        events=[event("data-db-0", "PersistentVolumeClaim", "ProvisioningFailed"), event("other-0")],
    )
    found = collected(replay, "db", NAMESPACE)
    assert [one.current for one in found.items["pods"]] == [True, True]
    assert only(found, "workloads").short == 1
    assert [one.name for one in found.items["claims"]] == ["data-db-0"]
    assert [one.reason for one in found.items["events"]] == ["ProvisioningFailed"]


def test_a_daemonset_knows_its_newest_revision(collected: Collected) -> None:
    revision = {"metadata": {**pod()["metadata"], "labels": {"controller-revision-hash": "new"}}, "revision": 2}
    revision["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "agent", "controller": True}]
    replay = cluster(
        pods=[
            pod("agent-aaaaa", {"controller-revision-hash": "old"}, ("DaemonSet", "agent")),
            pod("agent-bbbbb", {"controller-revision-hash": "new"}, ("DaemonSet", "agent")),
        ],
        daemonsets=[workload("agent", status={"desiredNumberScheduled": 3, "numberAvailable": 2, "numberReady": 2})],
        controllerrevisions=[revision],
    )
    found = collected(replay, "agent", NAMESPACE)
    assert [one.current for one in found.items["pods"]] == [False, True]
    assert (only(found, "workloads").desired, only(found, "workloads").short) == (3, 1)


def test_a_bare_pod_is_its_own_workload(collected: Collected) -> None:
    found = collected(cluster(pods=[pod("lonely")]), "lonely", NAMESPACE)
    assert only(found, "pods").owner == ""
    assert (only(found, "pods").subject.workload, only(found, "pods").current) == ("lonely", True)


def test_events_of_nodes_count_when_pods_run_there(collected: Collected) -> None:
    replay = fleet(1)
    pressure = [event("node-1", "Node", "EvictionThresholdMet"), event("node-2", "Node", "Rebooted"), event("web-x")]
    for one in pressure:
        one["metadata"]["namespace"] = "default"
    replay.documents["/api/v1/namespaces/default/events"] = {"kind": "EventList", "items": pressure}
    found = collected(replay, "web", NAMESPACE)
    assert [(one.reason, str(one.subject)) for one in found.items["events"]] == [("EvictionThresholdMet", "kubernetes")]


def test_environment_values_are_not_collected(collected: Collected) -> None:
    secret = {"env": [{"name": "KEY", "value": "hunter2"}]}
    found = collected(cluster(pods=[pod("lonely", container=secret)]), "lonely", NAMESPACE)
    assert only(found, "containers").environment == ("KEY",)
    assert "hunter2" not in repr(found)
