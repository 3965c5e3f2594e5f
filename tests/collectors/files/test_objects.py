"""Kubernetes objects and docker inspect, saved."""

from datetime import UTC, datetime

from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.objects import Saved, collection_of_objects, fact_of_engine, facts_of_inspection
from diagnose.streams import Container, Engine, Image

NOW = datetime(2024, 5, 14, 10, 0, tzinfo=UTC)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "churn-6f7c9d7b5-zk2ql",
        "namespace": "aml-churn",
        "labels": {"pod-template-hash": "6f7c9d7b5"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "churn-6f7c9d7b5", "controller": True}],
    },
    "spec": {"containers": [{"name": "scorer", "image": "churn:1"}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "scorer", "ready": True, "restartCount": 0}]},
}
EVENT = {
    "apiVersion": "v1",
    "kind": "Event",
    "metadata": {"name": "churn.1", "namespace": "aml-churn"},
    "involvedObject": {"kind": "Pod", "name": "churn-6f7c9d7b5-zk2ql", "namespace": "aml-churn"},
    "reason": "BackOff",
    "message": "Back-off restarting failed container",
    "type": "Warning",
    "lastTimestamp": "2024-05-14T09:59:00Z",
}


def test_objects_of_all_files_are_understood_together_and_cited_each_from_its_own():
    pods = {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": POD["metadata"], "spec": POD["spec"]}]}
    collection = collection_of_objects([Saved(pods, "pods.json"), Saved(EVENT, "events.yaml")], NOW)
    (pod,), (event,) = collection.items["pods"], collection.items["events"]
    assert (pod.source, event.source) == ("pods.json", "events.yaml")
    assert pod.subject.workload == event.subject.workload == "churn"
    assert pod.subject.place == event.subject.place == "file"
    assert event.age_s == 60.0


def test_an_inspected_container():
    document = {
        "Id": "0df1",
        "Name": "/churn",
        "State": {"Status": "exited", "ExitCode": 3, "FinishedAt": "2024-05-14T09:59:00Z", "Error": ""},
        "Config": {"Image": "churn:1", "Env": ["STORAGE_KEY=topsecret=="]},
    }
    (container,) = facts_of_inspection(document, NOW, Origin("inspect.json"))
    assert isinstance(container, Container)
    assert (container.name, container.state, container.exit_code, container.ended_s) == ("churn", "terminated", 3, 60.0)
    assert (container.source, container.subject.container) == ("inspect.json", "churn")
    assert "topsecret" not in repr(container)


def test_an_inspected_image():
    document = {"Id": "sha256:fd", "RepoTags": ["churn:1"], "RootFS": {}, "Os": "linux", "Architecture": "arm64"}
    (image,) = facts_of_inspection(document, NOW, Origin("image.json"))
    assert isinstance(image, Image)
    assert (image.name, image.architecture) == ("churn:1", "arm64")


def test_what_does_not_fit_is_left_out():
    assert list(facts_of_inspection({"Id": 7, "State": "up", "Config": {}}, NOW, Origin("x.json"))) == []


def test_the_engine():
    (engine,) = fact_of_engine({"ServerVersion": "20.10.24", "OSType": "linux", "NCPU": 2}, Origin("info.json"))
    assert isinstance(engine, Engine)
    assert (engine.version, engine.os_type, engine.cpus, engine.time) == ("20.10.24", "linux", 2, None)
