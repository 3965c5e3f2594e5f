"""Deployments of an online endpoint: settings, steps of an instance, events, and the state of their container."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from azure_server import RG, WORKSPACE, body_of

from diagnose.collectors.azure.instance_logs import STEPS, parted
from diagnose.collectors.azure.online_deployments import container_of, deployment_of, events_of
from diagnose.model import Subject

ENDPOINT = body_of("machinelearning/online_endpoint_get")
ON_KUBERNETES = body_of("machinelearning/online_endpoint_get_kubernetes")
DEPLOYMENTS = body_of("machinelearning/online_deployments_list")["value"]
FAILED = body_of("machinelearning/online_deployment_get_failed")
LOG = body_of("machinelearning/online_deployment_get_logs")["content"]
NOW = datetime(2022, 5, 19, 4, tzinfo=UTC)
SERVER = Subject("endpoint", workload="blue", container="inference-server")


def failed_at(step: str) -> str:
    """Derived: the log of a deployment that failed at ``step``."""
    at = STEPS.index(step)
    states = [*["Succeeded"] * at, "Failed", *["Waiting"] * (3 - at)]
    lines = [f"{name}: {state}" for name, state in zip(STEPS, states, strict=True)]
    event = "Kind: Pod, Name: LivenessProbeFailed, Type: Warning, Time: 2022-05-19T03:20:00.0Z, Message: Liveness probe failed"
    return "\n".join(
        ["Instance status:", *lines, "", "Container events:", event, "", "Container logs:", "last words", ""]
    )


def test_a_deployment_with_its_settings():
    item = deployment_of(DEPLOYMENTS[0], ENDPOINT, "")
    assert (item.name, item.endpoint, item.kind, item.provisioning_state) == ("blue", "mysvc", "managed", "Succeeded")
    assert (item.traffic_percent, item.instance_type, item.instances) == (100, "Standard_DS2_V2", 1)
    assert (item.model, item.environment) == ("mir_test_model:1", "online-endpoint-mir-test:3")
    assert (item.scale_type, item.min_instances, item.max_instances) == ("Default", None, None)
    assert (item.concurrent_requests, item.request_timeout_s, item.queue_wait_s) == (1, 5.0, 0.0)
    assert (item.liveness_allows_s, item.egress_public_network_access) == (310.0, "Enabled")
    assert (item.system_setup, item.container_start, item.failed_step) == ("", "", "")
    assert item.source == f"az ml online-deployment show -e mysvc -n blue -g {RG} -w {WORKSPACE}"


def test_a_deployment_on_kubernetes():
    item = deployment_of(body_of("machinelearning/online_deployment_get_kubernetes"), ON_KUBERNETES, "")
    assert (item.kind, item.provisioning_state) == ("kubernetes", "Creating")
    assert (item.request_timeout_s, item.queue_wait_s, item.liveness_allows_s) == (300.0, 300.0, 600.0)


def test_scaling_by_utilization():
    body = deepcopy(DEPLOYMENTS[0])
    scale = {"minInstances": 1, "maxInstances": 4, "targetUtilizationPercentage": 70}
    body["properties"]["scaleSettings"] = {"scaleType": "TargetUtilization", **scale}
    item = deployment_of(body, ENDPOINT, "")
    assert (item.scale_type, item.min_instances, item.max_instances) == ("TargetUtilization", 1, 4)
    assert item.target_utilization_percent == 70


def test_the_steps_of_an_instance_that_is_up():
    item = deployment_of(DEPLOYMENTS[0], ENDPOINT, LOG)
    steps = (item.system_setup, item.image_pull, item.model_download, item.container_start)
    assert steps == ("Succeeded",) * 4
    assert item.failed_step == ""


@pytest.mark.parametrize("step", STEPS)
def test_the_step_at_which_a_deployment_failed(step):
    assert deployment_of(FAILED, ENDPOINT, failed_at(step)).failed_step == step


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("azureml:churn:4", "churn:4"),
        ("azureml://registries/azureml/models/churn/versions/4", "churn:4"),
        (None, ""),
    ],
)
def test_models_however_they_are_given(given, told):
    body = deepcopy(DEPLOYMENTS[0])
    body["properties"]["model"] = given
    assert deployment_of(body, ENDPOINT, "").model == told


def test_events_of_a_deployment():
    events = events_of(parted(LOG), "blue", "az ml ...", NOW)
    assert [event.reason for event in events] == ["Pulling", "Pulling", "Pulled", "Downloaded", "Created", "Started"]
    assert {event.subject for event in events} == {SERVER}
    assert {(event.kind, event.name) for event in events} == {("Pod", "blue")}
    assert events[-1].age_s == pytest.approx((NOW - datetime(2022, 5, 19, 3, 12, 54, 921722, UTC)).total_seconds())


def test_a_container_that_came_up_runs():
    events = events_of(parted(LOG), "blue", "az ml ...", NOW)
    container = container_of(parted(LOG), events, "blue", "az ml ...")
    assert container is not None
    assert (container.state, container.ready, container.stable, container.restarts) == ("running", True, True, 0)
    assert container.readiness_probe == ""
    assert container.running_s == pytest.approx(2825, abs=1)


def test_a_container_that_was_just_restarted_is_not_stable_yet():
    log = parted(LOG)
    events = events_of(log, "blue", "az ml ...", NOW)
    again = replace(events[-1], age_s=60.0)
    restarted = container_of(log, [*events, again], "blue", "az ml ...")
    assert restarted is not None
    assert (restarted.restarts, restarted.running_s, restarted.stable) == (1, 60.0, False)


def test_a_container_that_does_not_come_up_waits_for_a_reason():
    log = parted(failed_at("UserContainerStart"))
    container = container_of(log, events_of(log, "blue", "az ml ...", NOW), "blue", "az ml ...")
    assert container is not None
    assert (container.state, container.ready, container.reason) == ("waiting", False, "LivenessProbeFailed")
    assert container.message == "Liveness probe failed"


@pytest.mark.parametrize("log", ["", LOG.replace("UserContainerStart: Succeeded", "UserContainerStart: InProgress")])
def test_what_the_log_does_not_tell_is_no_state(log):
    assert container_of(parted(log), (), "blue", "az ml ...") is None
