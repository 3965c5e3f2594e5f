"""Pages, versions of an API, and lists that end badly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from made_objects import NAMESPACE, cluster, pod, seconds, service, workload
from replay import BROKEN, Fault, Replay

from diagnose.collectors import Limits
from diagnose.model import Collection, Why

Collected = Callable[..., Collection]
EXPIRED = Fault(status=410, only_continued=True)


def crowd(count: int, **faults: Fault) -> Replay:
    labels = {"app": "web", "pod-template-hash": "5c6b8885ff"}
    pods = [pod(f"web-5c6b8885ff-{i:05}", labels, ("ReplicaSet", "web-5c6b8885ff")) for i in range(count)]
    replay = cluster(pods=pods, deployments=[workload("web", {"app": "web"}, count)])
    replay.faults = faults
    return replay


def test_a_list_that_expired_is_read_once_more_from_the_start(collected: Collected) -> None:
    replay = crowd(1200, pods=Fault(status=410, only_continued=True, times=1))
    found = collected(replay, "web", NAMESPACE)
    assert len(found.items["pods"]) == 1200
    assert not [gap for gap in found.missing if gap.stream == "pods"]
    pages = [call.query.get("continue") for call in replay.calls if call.path.endswith(f"/{NAMESPACE}/pods")]
    assert pages == [None, "500", None, "500", "1000"]


def test_a_list_that_expires_again_keeps_what_was_read_and_says_so(collected: Collected) -> None:
    found = collected(crowd(1200, pods=EXPIRED), "web", NAMESPACE)
    assert len(found.items["pods"]) == 500
    (gap,) = [gap for gap in found.missing if gap.stream == "pods"]
    assert gap.why is Why.TRUNCATED
    assert gap.what.startswith(f"pods in namespace {NAMESPACE} after the first 500")


def test_a_page_that_fails_keeps_those_before_it(collected: Collected) -> None:
    found = collected(crowd(700, pods=Fault(status=500, only_continued=True)), "web", NAMESPACE)
    assert len(found.items["pods"]) == 500
    (gap,) = [gap for gap in found.missing if gap.stream == "containers"]
    assert (gap.why, "after the first 500" in gap.what, "HTTP 500" in gap.what) == (Why.FAILED, True, True)


def test_a_server_that_gives_the_same_page_for_ever_is_not_believed(collected: Collected) -> None:
    same = Fault(body=b'{"metadata": {"continue": "more"}, "items": []}')
    found = collected(crowd(1, resourcequotas=same), "web", NAMESPACE, Limits())
    (gap,) = [gap for gap in found.missing if gap.stream == "quotas"]
    assert gap.why is Why.TRUNCATED


@pytest.mark.parametrize("version", ["v2", "v2beta2", "v1"])
def test_autoscalers_are_read_in_whatever_version_there_is(collected: Collected, version: str) -> None:
    replay = crowd(1)
    del replay.documents[f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"]
    scaler = {
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 3},
        "status": {"currentReplicas": 3, "desiredReplicas": 3, "conditions": None},
    }
    path = f"/apis/autoscaling/{version}/namespaces/{NAMESPACE}/horizontalpodautoscalers"
    replay.documents[path] = {"kind": "List", "items": [scaler]}
    (found,) = collected(replay, "web", NAMESPACE).items["autoscalers"]
    assert (found.target, found.min_replicas, found.max_replicas, found.at_max) == ("Deployment/web", 1, 3, True)
    assert found.subject.workload == "web"


def test_a_version_that_is_broken_is_not_taken_for_absent(collected: Collected) -> None:
    replay = crowd(1)
    replay.faults[f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"] = BROKEN
    found = collected(replay, "web", NAMESPACE)
    assert "autoscalers" not in found.items
    assert len(replay.paths("horizontalpodautoscalers")) == 1


@pytest.mark.parametrize("body", [b'{"items": null}', b'{"metadata": null, "items": []}'])
def test_null_instead_of_a_list_is_an_empty_one(collected: Collected, body: bytes) -> None:
    found = collected(crowd(1, resourcequotas=Fault(body=body)), "web", NAMESPACE)
    assert found.items["quotas"] == ()
    assert "quotas" not in {gap.stream for gap in found.missing}


def test_an_object_that_makes_no_sense_costs_only_itself(collected: Collected) -> None:
    replay = crowd(1)
    broken = service("broken")
    broken["spec"]["ports"] = "eighty"
    replay.documents[f"/api/v1/namespaces/{NAMESPACE}/services"]["items"] = [broken, service("web", {"app": "web"})]
    found = collected(replay, "web", NAMESPACE)
    assert [one.name for one in found.items["services"]] == ["web"]
    (gap,) = [gap for gap in found.missing if gap.stream == "services"]
    assert gap.what == f"1 of the services in namespace {NAMESPACE}, which could not be understood"


def test_nulls_where_lists_and_numbers_belong_do_no_harm(collected: Collected) -> None:
    replay = crowd(1)
    (one,) = replay.documents[f"/api/v1/namespaces/{NAMESPACE}/pods"]["items"]
    one["spec"]["initContainers"] = None
    one["spec"]["containers"][0]["env"] = None
    one["status"]["containerStatuses"][0]["restartCount"] = None
    found = collected(replay, "web", NAMESPACE, seconds(10))
    assert [item.restarts for item in found.items["containers"]] == [0]
    assert not [gap for gap in found.missing if gap.stream == "containers"]
