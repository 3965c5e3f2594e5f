"""JSON of Azure Container Instances."""

from datetime import UTC, datetime

from diagnose.collectors.azure.group_answers import facts_of_group, facts_of_operation
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
