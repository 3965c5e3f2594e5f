"""Whose pod is whose, also when half of the objects are not known."""

from __future__ import annotations

import pytest
from made_objects import NAMESPACE, made, pod, workload

from diagnose.collectors.kubernetes.owners import Owner, Owners

HASHED = {"pod-template-hash": "5c6b8885ff"}
NAME = "web-5c6b8885ff"


def replicaset(name: str, owner: tuple[str, str] | None, revision: str = "1") -> dict[str, object]:
    made_by = workload(name)
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    notes = {"deployment.kubernetes.io/revision": revision}
    return {**made_by, "metadata": {**made_by["metadata"], "ownerReferences": owners, "annotations": notes}}


def test_a_pod_belongs_to_the_deployment_of_its_replicaset() -> None:
    objects = made(pods=[pod(owner=("ReplicaSet", NAME))], replicasets=[replicaset(NAME, ("Deployment", "shop-web"))])
    assert Owners(objects).of_pod(objects.pods[0]) == Owner("Deployment", "shop-web")


def test_without_replicasets_the_hash_in_the_name_tells() -> None:
    objects = made(pods=[pod(labels=HASHED, owner=("ReplicaSet", NAME))])
    assert Owners(objects).of_pod(objects.pods[0]) == Owner("Deployment", "web")


def test_a_replicaset_that_nobody_made_is_the_workload() -> None:
    objects = made(pods=[pod(owner=("ReplicaSet", NAME))], replicasets=[replicaset(NAME, None)])
    assert Owners(objects).of_pod(objects.pods[0]) == Owner("ReplicaSet", NAME)


@pytest.mark.parametrize(
    ("owner", "top"),
    [
        (("StatefulSet", "db"), Owner("StatefulSet", "db")),
        (("Job", "train"), Owner("Job", "train")),
        (("Node", "node-1"), Owner("Pod", "one")),
        (None, Owner("Pod", "one")),
    ],
)
def test_other_owners_are_taken_as_they_are(owner: tuple[str, str] | None, top: Owner) -> None:
    objects = made(pods=[pod("one", owner=owner)])
    assert Owners(objects).of_pod(objects.pods[0]) == top


def test_the_highest_revision_is_the_current_one_also_after_a_rollback() -> None:
    sets = [replicaset("web-old", ("Deployment", "web"), "10"), replicaset("web-new", ("Deployment", "web"), "9")]
    pods = [pod("a", owner=("ReplicaSet", "web-old")), pod("b", owner=("ReplicaSet", "web-new"))]
    objects = made(pods=pods, replicasets=sets)
    assert [Owners(objects).is_current(one) for one in objects.pods] == [True, False]


def test_without_replicasets_nobody_knows_what_is_current() -> None:
    objects = made(pods=[pod(labels=HASHED, owner=("ReplicaSet", NAME))])
    assert Owners(objects).is_current(objects.pods[0]) is None


@pytest.mark.parametrize(
    ("kind", "name", "owner"),
    [
        ("Pod", "web-5c6b8885ff-4wwmb", Owner("Deployment", "web")),
        ("Pod", "web-v2-5c6b8885ff-4wwmb", Owner("Deployment", "web-v2")),
        ("Pod", "db-0", Owner("StatefulSet", "db")),
        ("Pod", "db-old", None),
        ("Pod", "web-extra", None),
        ("ReplicaSet", "web-77f9d7d5c4", Owner("Deployment", "web")),
        ("ReplicaSet", "other-77f9d7d5c4", None),
        ("Deployment", "web", Owner("Deployment", "web")),
        ("Deployment", "other", None),
    ],
)
def test_an_event_outlives_its_pod_and_still_finds_the_workload(kind: str, name: str, owner: Owner | None) -> None:
    objects = made(deployments=[workload("web"), workload("web-v2")], statefulsets=[workload("db")])
    assert Owners(objects).of_name(NAMESPACE, kind, name) == owner
