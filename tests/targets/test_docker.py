from __future__ import annotations

import uuid

import pytest
from docker_fake import FakeEngine
from docker_services import DockerServices, wait_until

from diagnose.collectors import Limits
from diagnose.streams import Container
from diagnose.targets import Found, Wanted
from diagnose.targets.docker import DockerFinder

on_a_real_engine = pytest.mark.docker


def find(service: str, limits: Limits | None = None) -> Found:
    return DockerFinder().find(Wanted(service=service), limits or Limits(call_s=5))


def entry(identity: str, name: str, **fields: object) -> dict[str, object]:
    """A container as the engine lists it."""
    return {"Id": identity, "Names": [f"/{name}"], "Labels": {}, "State": "running", "Status": "Up 3 minutes", **fields}


def v1(service: str) -> dict[str, str]:
    return {"amlServiceName": service, "amlIsService": "True", "amlDeploymentConfig": "gASVHwAAAAAAAACMBXBvc2l4lC4="}


def v2(endpoint: str, deployment: str) -> dict[str, str]:
    return {"azureml-local-endpoint": "", "endpoint": endpoint, "deployment": deployment}


def listing(engine: FakeEngine, *containers: dict[str, object]) -> None:
    engine.answers["/v1.41/containers/json"] = list(containers)


def objects(found: Found) -> list[tuple[str, ...]]:
    return [candidate.target.objects for candidate in found.candidates]


def test_a_v1_service_is_found_by_its_label(fake_engine: FakeEngine):
    listing(fake_engine, entry("1", "hopeful_bell", Labels=v1("churn")), entry("2", "other", Labels=v1("other")))
    found = find("churn")
    assert found.reachable
    assert objects(found) == [("1",)]
    target = found.candidates[0].target
    assert (target.service, target.kind, target.namespace) == ("churn", "docker", None)


def test_all_deployments_of_a_v2_endpoint_are_one_candidate(fake_engine: FakeEngine):
    listing(
        fake_engine,
        entry("2", "green", Labels=v2("churn", "green")),
        entry("1", "blue", Labels=v2("churn", "blue")),
        entry("3", "fraud", Labels=v2("fraud", "blue")),
    )
    assert objects(find("churn")) == [("1", "2")]


def test_the_label_endpoint_alone_is_anybodys(fake_engine: FakeEngine):
    listing(fake_engine, entry("1", "gateway", Labels={"endpoint": "churn"}))
    found = find("churn")
    assert found.candidates == ()
    assert found.names == ("gateway",)


def test_a_container_is_found_by_its_name(fake_engine: FakeEngine):
    listing(fake_engine, entry("1", "churn"), entry("2", "churn-2"))
    assert objects(find("churn")) == [("1",)]


def test_a_label_is_preferred_to_a_name(fake_engine: FakeEngine):
    listing(fake_engine, entry("1", "churn"), entry("2", "hopeful_bell", Labels=v1("churn")))
    assert objects(find("churn")) == [("2",)]


def test_a_name_given_by_a_link_of_another_container_is_not_its_name(fake_engine: FakeEngine):
    listing(fake_engine, entry("1", "db", Names=["/db", "/web/churn"]))
    found = find("churn")
    assert found.candidates == ()
    assert found.names == ("db",)


def test_a_service_that_is_not_there_leaves_the_names_of_those_that_are(fake_engine: FakeEngine):
    listing(
        fake_engine,
        entry("1", "bell", Labels=v1("churn-model")),
        entry("2", "blue", Labels=v2("fraud", "blue")),
        entry("3", "redis", Labels=None, Names=None),
    )
    found = find("churn")
    assert found.reachable
    assert found.candidates == ()
    assert found.names == ("bell", "blue", "churn-model", "fraud")
    assert found.unsearched == ()


@pytest.mark.parametrize(
    ("state", "status", "unwell"),
    [
        ("running", "Up 3 minutes", False),
        ("running", "Up 3 minutes (healthy)", False),
        ("running", "Up 2 seconds (health: starting)", False),
        ("running", "Up 3 minutes (unhealthy)", True),
        ("restarting", "Restarting (3) 5 seconds ago", True),
        ("exited", "Exited (3) 5 seconds ago", True),
        ("exited", "Exited (0) 5 seconds ago", True),
        ("created", "Created", True),
        ("paused", "Up 3 minutes (Paused)", True),
        ("dead", "Dead", True),
    ],
)
def test_what_does_not_run_or_is_unhealthy_is_unwell(fake_engine: FakeEngine, state, status, unwell):
    listing(fake_engine, entry("1", "churn", State=state, Status=status))
    assert find("churn").candidates[0].unwell is unwell


def test_one_unwell_deployment_makes_the_endpoint_unwell(fake_engine: FakeEngine):
    listing(
        fake_engine,
        entry("1", "blue", Labels=v2("churn", "blue")),
        entry("2", "green", Labels=v2("churn", "green"), State="exited", Status="Exited (3) 2 hours ago"),
    )
    assert find("churn").candidates[0].unwell


def test_the_place_is_the_engine_that_was_asked(fake_engine: FakeEngine):
    found = find("churn")
    assert found.candidates[0].target.where.startswith("DOCKER_HOST unix://")


def test_an_engine_out_of_reach_is_one_clear_line_and_no_exception(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    found = find("churn")
    assert not found.reachable
    assert found.candidates == ()
    assert found.names == ()
    (unsearched,) = found.unsearched
    assert unsearched.place == "docker"
    assert unsearched.why.endswith("no engine, its socket does not exist")
    assert "start Docker" in unsearched.remedy
    assert "\n" not in unsearched.why + unsearched.remedy


@pytest.mark.parametrize("fault", ["hang", "cut", "html", "nonsense", "403", "500"])
@pytest.mark.parametrize("path", ["/version", "/v1.41/containers/json"])
def test_an_engine_that_does_not_list_its_containers_was_not_searched(fake_engine: FakeEngine, path, fault):
    fake_engine.answers[path] = fault
    found = find("churn", Limits(call_s=0.3))
    assert not found.reachable
    (unsearched,) = found.unsearched
    assert unsearched.why
    assert unsearched.remedy
    assert "\n" not in unsearched.why


# On a real engine.


@on_a_real_engine
@pytest.mark.parametrize("case", ["get-model-path", "init-exception"])
def test_a_real_service_of_either_generation_is_found_by_its_label(docker_services: DockerServices, case):
    service = docker_services[case]
    found = find(service.name)
    assert objects(found) == [(service.identity,)]
    assert found.candidates[0].unwell
    assert service.name in found.names
    assert service.container in found.names


@on_a_real_engine
def test_a_real_container_is_found_by_its_name_and_is_well(docker_services: DockerServices):
    service = docker_services["healthy"]
    found = find(service.container)
    assert objects(found) == [(service.identity,)]
    assert not found.candidates[0].unwell


@on_a_real_engine
def test_labels_that_are_pickles_are_never_loaded(docker_services: DockerServices):
    """Loading those of this service ends the program."""
    service = docker_services["get-model-path"]
    labels = docker_services.client.containers.get(service.identity).labels
    collection = find(service.name).candidates[0].collect(Limits())
    assert len(labels["amlDeploymentConfig"]) > 20
    assert labels["amlDeploymentConfig"] not in repr(collection)


@on_a_real_engine
def test_two_real_deployments_are_collected_as_one_service(docker_services: DockerServices):
    endpoint = f"pair-{uuid.uuid4().hex[:8]}"
    with (
        docker_services.container("blue", ["sh", "-c", "echo blue; sleep 600"], labels=v2(endpoint, "blue")) as blue,
        docker_services.container("green", ["sh", "-c", "echo green; exit 3"], labels=v2(endpoint, "green")) as green,
    ):
        green.wait(timeout=60)
        wait_until(lambda: b"blue" in blue.logs(), "the line of the first")
        (candidate,) = find(endpoint).candidates
        collection = candidate.collect(Limits())
    containers = [item for item in collection.items["containers"] if isinstance(item, Container)]
    assert candidate.unwell
    assert [(item.name, item.state) for item in containers] == [(blue.name, "running"), (green.name, "terminated")]
    assert {str(log.subject) for log in collection.logs["logs.container"]} == {
        f"docker/{endpoint}/{blue.name}",
        f"docker/{endpoint}/{green.name}",
    }
    assert len(collection.items["images"]) == 1
    assert collection.items["images"][0].subject.container is None
