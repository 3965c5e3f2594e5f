"""What a name means, and what belongs to it."""

from __future__ import annotations

import pytest
from made_objects import (
    NAMESPACE,
    NOW,
    Data,
    ended,
    event,
    made,
    pod,
    running,
    service,
    status,
    waiting,
    workload,
)

from diagnose.collectors.kubernetes.owners import Owner
from diagnose.collectors.kubernetes.scope import Scope, belonging, names, resolve, unwell
from diagnose.collectors.kubernetes.view import View


def labelled(name: str, key: str, value: str = "churn") -> Data:
    return pod(f"{name}-0", {key: value}, ("StatefulSet", name))


def test_the_endpoint_label_means_more_than_anything_else() -> None:
    objects = made(
        pods=[
            labelled("v1", "azuremlappname"),
            labelled("v2", "ml.azure.com/endpoint-name"),
            labelled("churn", "tier", "x"),
            labelled("other", "app"),
        ]
    )
    found = resolve(objects, NAMESPACE, "churn")
    assert found is not None
    assert (found.workloads, found.weak) == ({Owner("StatefulSet", "v2")}, False)


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (("v2",), "v1"),
        (("v2", "v1"), "churn"),
        (("v2", "v1", "churn"), "selected"),
        (("v2", "v1", "churn", "selected"), "kserve"),
        (("v2", "v1", "churn", "selected", "kserve"), "app"),
    ],
)
def test_the_meanings_follow_in_order(gone: tuple[str, ...], left: str) -> None:
    pods = {
        "v2": labelled("v2", "ml.azure.com/endpoint-name"),
        "v1": labelled("v1", "azuremlappname"),
        "churn": labelled("churn", "tier", "x"),
        "selected": labelled("selected", "tier", "front"),
        "kserve": labelled("kserve", "serving.kserve.io/inferenceservice"),
        "app": labelled("app", "app.kubernetes.io/name"),
    }
    objects = made(
        pods=[one for name, one in pods.items() if name not in gone], services=[service("churn", {"tier": "front"})]
    )
    found = resolve(objects, NAMESPACE, "churn")
    assert found is not None
    assert found.workloads == {Owner("StatefulSet", left)}


def test_a_label_on_a_workload_without_pods_is_enough() -> None:
    found = resolve(made(deployments=[workload("blue", {"azuremlappname": "churn"})]), NAMESPACE, "churn")
    assert found is not None
    assert found.workloads == {Owner("Deployment", "blue")}


def test_a_mere_app_label_is_a_weak_meaning_unless_a_service_bears_the_name() -> None:
    alone = resolve(made(pods=[labelled("x", "app")]), NAMESPACE, "churn")
    named = resolve(made(pods=[labelled("x", "app")], services=[service("churn", {"no": "pod"})]), NAMESPACE, "churn")
    assert alone is not None
    assert named is not None
    assert (alone.weak, named.weak) == (True, False)


def test_a_service_or_inferenceservice_without_pods_is_found_too() -> None:
    lone = made(services=[service("churn", {"a": "b"})], inferenceservices=[{"metadata": {"name": "flowers"}}])
    for name in ("churn", "flowers"):
        found = resolve(lone, NAMESPACE, name)
        assert found is not None
        assert found.workloads == frozenset()
    assert resolve(lone, NAMESPACE, "other") is None


def test_the_names_are_those_somebody_may_ask_for() -> None:
    objects = made(
        pods=[pod("x", {"azuremlappname": "churn"})],
        deployments=[workload("blue", {"ml.azure.com/endpoint-name": "fraud"})],
        statefulsets=[workload("db")],
        inferenceservices=[{"metadata": {"name": "flowers"}}],
        services=[service("kubernetes")],
    )
    assert names(objects) == {"churn", "fraud", "blue", "db", "flowers"}


def test_other_workloads_of_the_namespace_stay_out() -> None:
    mine, other = {"app": "web"}, {"app": "other"}
    scaler = {"metadata": {"name": "x"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "other"}}}
    objects = made(
        pods=[pod("web-1", mine, ("StatefulSet", "web")), pod("other-1", other, ("StatefulSet", "other"))],
        statefulsets=[workload("web", mine), workload("other", other)],
        services=[service("front", mine), service("web"), service("other", other), service("empty")],
        horizontalpodautoscalers=[scaler],
        events=[event("web-1"), event("other-1"), event("web-0"), event("web", "StatefulSet"), event("web", "Service")],
    )
    found = belonging(objects, Scope(NAMESPACE, "web", "", False, frozenset({Owner("StatefulSet", "web")})))
    assert [one.metadata.name for one in found.pods] == ["web-1"]
    assert [one.metadata.name for one in found.statefulsets] == ["web"]
    assert [one.metadata.name for one in found.services] == ["front", "web"]
    assert found.horizontalpodautoscalers == ()
    about = [(one.involved_object.kind, one.involved_object.name) for one in found.events if one.involved_object]
    assert about == [("Pod", "web-1"), ("Pod", "web-0"), ("StatefulSet", "web"), ("Service", "web")]


def test_events_of_pods_that_are_gone_belong_by_the_name_of_their_replicaset() -> None:
    one = pod("web-abc-11111", {"pod-template-hash": "abc"}, ("ReplicaSet", "web-abc"))
    objects = made(pods=[one], events=[event("web-abc-22222"), event("web-def-22222")])
    found = belonging(objects, Scope(NAMESPACE, "web", "", False, frozenset({Owner("Deployment", "web")})))
    assert [item.involved_object.name for item in found.events if item.involved_object] == ["web-abc-22222"]


SHORT = workload("web", status={"replicas": 1, "readyReplicas": 0})
SHAKY = status(restartCount=2, state=running("2026-11-22T11:59:00Z"), lastState=ended(137))


@pytest.mark.parametrize(
    ("items", "is_unwell"),
    [
        ({"pods": [pod()], "deployments": [workload("web")], "services": [service("web", {"app": "web"})]}, True),
        ({"pods": [pod(labels={"app": "web"})], "services": [service("web", {"app": "web"})]}, False),
        ({"pods": [pod()], "services": [service("web")]}, False),
        ({"pods": [pod()], "deployments": [SHORT]}, True),
        ({"pods": [pod(statuses=[status(ready=False, state=waiting("x"))])]}, True),
        ({"pods": [pod(statuses=[SHAKY])]}, True),
        ({"pods": [pod(), pod("job", phase="Succeeded", statuses=[status(ready=False, state=ended(0))])]}, False),
        ({"pods": [pod(), pod("evicted", phase="Failed", statuses=[])], "deployments": [workload("web")]}, False),
        ({"pods": [pod(), pod("going", statuses=[SHAKY], deletionTimestamp="2026-11-22T11:59:00Z")]}, False),
    ],
)
def test_something_is_wrong_when_any_part_of_it_is(items: dict[str, list[Data]], is_unwell: bool) -> None:
    assert unwell(View(made(**items), NOW)) is is_unwell
