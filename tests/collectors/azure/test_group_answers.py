"""JSON of Azure Container Instances."""

from datetime import UTC, datetime

from azure_server import ANSWERS, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.group_answers import facts_of_group, facts_of_operation, group_of
from diagnose.collectors.files import collect_files
from diagnose.collectors.files.names import Origin
from diagnose.model import Subject
from diagnose.streams import Container, Event

ORIGIN = Origin("group.json", now=datetime(2021, 8, 19, 6, 25, tzinfo=UTC))
VIEW = {
    "restartCount": 3,
    "currentState": {"state": "Waiting", "detailStatus": "CrashLoopBackOff: Back-off restarting failed"},
    "previousState": {
        "state": "Terminated",
        "startTime": "2021-08-19T06:24:07.256Z",
        "exitCode": 111,
        "finishTime": "2021-08-19T06:24:13.000Z",
        "detailStatus": "Error",
    },
    "events": [
        {
            "count": 2,
            "firstTimestamp": "2021-08-19T06:18:58Z",
            "lastTimestamp": "2021-08-19T06:24:00Z",
            "name": "Pulling",
            "message": "pulling image",
            "type": "Normal",
        }
    ],
}
SCORER = {
    "image": "registry.azurecr.io/churn:1",
    "ports": [{"protocol": "TCP", "port": 5001}],
    "environmentVariables": [{"name": "STORAGE_KEY", "value": "topsecret=="}],
    "instanceView": VIEW,
    "resources": {"requests": {"memoryInGB": 0.5, "cpu": 0.1}},
}


def test_a_container_with_its_states_and_limits():
    group = {
        "name": "churn",
        "properties": {"containers": [{"name": "scorer", "properties": SCORER}], "restartPolicy": "Always"},
    }
    container, event = facts_of_group(group, ORIGIN)
    assert isinstance(container, Container)
    assert container.subject == Subject("file", workload="churn", container="scorer")
    assert (container.state, container.reason, container.restarts) == ("waiting", "CrashLoopBackOff", 3)
    assert (container.exit_code, container.end_reason, container.ended_s) == (111, "Error", 47.0)
    assert (container.memory_limit_mib, container.cpu_limit, container.ports) == (512.0, 0.1, (5001,))
    assert container.environment == ("STORAGE_KEY",)
    assert "topsecret" not in repr(container)
    assert isinstance(event, Event)
    assert (event.reason, event.count, event.age_s, event.name) == ("Pulling", 2, 60.0, "scorer")


def test_what_the_cli_prints_has_no_nested_properties():
    group = {"name": "churn", "containers": [{"name": "scorer", **SCORER}], "initContainers": [{"name": "fetch"}]}
    names = [(fact.name, fact.kind) for fact in facts_of_group(group, ORIGIN) if isinstance(fact, Container)]
    assert names == [("fetch", "init"), ("scorer", "app")]


def test_a_running_container():
    view = {
        "restartCount": 0,
        "currentState": {"state": "Running", "startTime": "2021-08-19T06:15:00Z", "detailStatus": ""},
    }
    (container,) = facts_of_group({"containers": [{"name": "scorer", "instanceView": view}]}, ORIGIN)
    assert (container.state, container.running_s, container.stable, container.exit_code) == (
        "running",
        600.0,
        True,
        None,
    )


def test_events_of_an_operation():
    operation = {
        "id": "/subscriptions/0/providers/Microsoft.ContainerInstance/containerGroups/churn",
        "status": "Failed",
        "properties": {"events": [{"name": "InsufficientCapacity.", "message": "not available", "type": "Warning"}]},
    }
    (event,) = facts_of_operation(operation, ORIGIN)
    assert (event.reason, event.type, event.subject.workload, event.age_s) == (
        *("InsufficientCapacity", "Warning", "churn", None),
    )


def test_the_recorded_status_of_an_operation():
    status = body_of("containerinstance/operation_succeeded_with_events")
    assert isinstance(status, dict)
    events = list(facts_of_operation(status, ORIGIN))
    assert [event.reason for event in events] == ["Pulling", "Pulled", "Created", "Started"]
    assert {event.subject for event in events} == {Subject("file", workload="mysvc")}
    assert events[0].time == datetime(2018, 10, 8, 16, 46, 25, tzinfo=UTC)


def test_a_group_as_the_cli_prints_it():
    printed = {
        "name": "churn",
        "location": "westeurope",
        "provisioningState": "Succeeded",
        "osType": "Linux",
        "restartPolicy": "Always",
        "instanceView": {"events": [], "state": "Running"},
        "ipAddress": {"ip": "203.0.113.10", "ports": [{"port": 80, "protocol": "TCP"}], "type": "Public", "fqdn": None},
        "containers": [
            {"name": "scorer", **SCORER},
            {"name": "sidecar", "resources": {"requests": {"memoryInGb": 1.5, "cpu": 1}}, "ports": None},
        ],
        "subnetIds": None,
    }
    group = group_of(printed, ORIGIN)
    assert (group.source, group.subject) == ("group.json", Subject("file", workload="churn"))
    assert (group.state, group.provisioning_state, group.os) == ("Running", "Succeeded", "Linux")
    assert (group.public_ports, group.container_ports, group.fqdn) == ((80,), (5001,), "")
    assert (group.cpu, group.memory_gb, group.in_network) == (1.1, 2.0, False)


def test_nulls_in_a_probe_are_defaults():
    probe = {"httpGet": {"path": "/", "port": 5001, "scheme": "http"}, "periodSeconds": 5, "failureThreshold": None}
    (container,) = facts_of_group({"containers": [{"name": "scorer", "livenessProbe": probe}]}, ORIGIN)
    assert container.liveness_probe == "http-get :5001/ delay 0s period 5s timeout 1s failures 3"
    assert container.liveness_allows_s == 15.0


def test_a_probe_that_is_not_understood_is_left_out():
    (container,) = facts_of_group({"containers": [{"name": "scorer", "livenessProbe": {"periodSeconds": "x"}}]}, ORIGIN)
    assert (container.liveness_probe, container.liveness_allows_s) == ("", None)


def test_a_saved_group_is_told_as_one():
    collection = collect_files([str(ANSWERS / "containerinstance" / "container_group_get_crashloop.json")], Limits())
    (group,) = collection.items["groups"]
    assert (group.name, group.state) == ("mysvc", "Running")
    assert len(collection.items["containers"]) == 1


def test_the_refusal_of_an_image_is_an_error_text():
    """No group is made then, so it is found in what the deployment answered."""
    file = ANSWERS / "containerinstance" / "container_group_put_inaccessible_image_400.json"
    logs = collect_files([str(file)], Limits()).logs["logs.deployment"]
    assert any("InaccessibleImage" in chunk.text for log in logs for chunk in log.chunks)
