from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from diagnose.collectors.docker_answers import EngineEvent, Health, Info, InspectedContainer, InspectedImage
from diagnose.collectors.docker_items import (
    Death,
    container_item,
    deaths,
    engine_item,
    event_items,
    health_items,
    image_item,
    moment,
)
from diagnose.model import Subject
from diagnose.streams import Container, Event

NOW = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
SUBJECT = Subject(place="docker", workload="churn", container="churn-app")
STARTED = {"StartedAt": "2026-11-23T15:29:00Z"}
ENDED = {**STARTED, "FinishedAt": "2026-11-23T15:29:30.123456789Z"}
NEVER = {"StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"}


def container(state: dict[str, object], last: Death | None = None, **answer: object) -> Container:
    body = {"Id": "3f1c", "Name": "/churn-app", "Created": "2026-11-23T15:28:00Z", "State": state, **answer}
    return container_item(msgspec.json.decode(json.dumps(body), type=InspectedContainer), SUBJECT, NOW, last)


def event(action: str, second: int, **attributes: str) -> EngineEvent:
    at = int(datetime(2026, 11, 23, 15, 29, second, tzinfo=UTC).timestamp() * 1e9)
    body = {"Action": action, "Actor": {"ID": "3f1c", "Attributes": attributes}, "timeNano": at}
    return msgspec.json.decode(json.dumps(body), type=EngineEvent)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"Status": "running", **STARTED}, ("running", "", None, "")),
        ({"Status": "exited", "ExitCode": 3, **ENDED}, ("terminated", "Error", 3, "Error")),
        ({"Status": "exited", "ExitCode": 0, **ENDED}, ("terminated", "Completed", 0, "Completed")),
        (
            {"Status": "exited", "ExitCode": 137, "OOMKilled": True, **ENDED},
            ("terminated", "OOMKilled", 137, "OOMKilled"),
        ),
        ({"Status": "restarting", "ExitCode": 3, **ENDED}, ("waiting", "Restarting", 3, "Error")),
        ({"Status": "paused", **STARTED}, ("waiting", "Paused", None, "")),
        (
            {"Status": "created", "ExitCode": 127, "Error": "not found in $PATH", **NEVER},
            ("created", "ContainerCannotRun", 127, "ContainerCannotRun"),
        ),
        ({"Status": "created", **NEVER}, ("created", "", None, "")),
        (
            {"Status": "exited", "ExitCode": 128, "Error": "port is already allocated", **ENDED},
            ("terminated", "ContainerCannotRun", 128, "ContainerCannotRun"),
        ),
        ({"Status": "something new"}, ("unknown", "Completed", 0, "Completed")),
    ],
)
def test_a_state_of_the_engine_is_told_in_our_words(state, expected):
    item = container(state)
    assert (item.state, item.reason, item.exit_code, item.end_reason) == expected


def test_a_container_that_runs_again_shows_how_its_last_run_ended():
    item = container({"Status": "running", "ExitCode": 0, **ENDED}, Death(NOW, 3), RestartCount=4)
    assert (item.state, item.exit_code, item.end_reason, item.restarts) == ("running", 3, "Error", 4)


def test_the_exit_code_0_of_a_container_that_runs_is_no_end():
    assert container({"Status": "running", "ExitCode": 0, **STARTED}).exit_code is None


@pytest.mark.parametrize(
    ("started", "restarts", "health", "stable"),
    [
        ("2026-11-23T15:29:00Z", 0, None, True),
        ("2026-11-23T15:29:00Z", 1, None, False),
        ("2026-11-23T15:00:00Z", 1, None, True),
        ("2026-11-23T15:00:00Z", 0, "unhealthy", False),
        ("2026-11-23T15:00:00Z", 0, "starting", False),
        ("2026-11-23T15:00:00Z", 0, "healthy", True),
        ("2026-11-23T15:00:00Z", 0, "none", True),
    ],
)
def test_stable_is_running_and_healthy_and_settled(started, restarts, health, stable):
    state = {"Status": "running", "StartedAt": started, "Health": {"Status": health, "Log": None} if health else None}
    assert container(state, RestartCount=restarts).stable is stable


def test_an_exited_container_is_not_ready_though_its_last_health_check_passed():
    assert container({"Status": "exited", **ENDED, "Health": {"Status": "healthy"}}).ready is False


def test_times_are_counted_from_the_clock_of_the_engine():
    item = container({"Status": "running", **ENDED})
    assert item.running_s == 60
    assert item.ended_s == pytest.approx(29.876544)
    assert item.time == datetime(2026, 11, 23, 15, 29, tzinfo=UTC)


def test_names_of_environment_variables_come_without_their_values():
    item = container(
        {"Status": "running", **STARTED},
        Config={"Image": "churn:1", "Env": ["API_KEY=planted=secret", "EMPTY=", "BARE"]},
    )
    assert item.environment == ("API_KEY", "EMPTY", "BARE")
    assert "planted" not in repr(item)


def test_ports_are_those_declared_and_those_published():
    item = container(
        {"Status": "running", **STARTED},
        Config={"ExposedPorts": {"8883/tcp": {}, "5001/tcp": {}}},
        HostConfig={"PortBindings": {"5001/tcp": [{"HostPort": ""}], "9/udp": [{"HostPort": "9"}]}},
        NetworkSettings={"Ports": {"5001/tcp": [{"HostPort": "32768"}, {"HostPort": "32768"}], "8883/tcp": None}},
    )
    assert item.ports == (9, 5001, 8883)
    assert item.published == ("32768:5001", "9:9")


def test_a_port_that_could_not_be_published_shows_what_was_asked_for():
    item = container(
        {"Status": "created", **NEVER},
        HostConfig={"PortBindings": {"5001/tcp": [{"HostPort": "8080"}]}},
        NetworkSettings={"Ports": {}},
    )
    assert item.published == ("8080:5001",)


def test_limits_mounts_command_and_restart_policy_are_read():
    item = container(
        {"Status": "running", **STARTED},
        Path="azmlinfsrv",
        Args=["--port", "5001"],
        HostConfig={
            "Memory": 268435456,
            "MemoryReservation": 134217728,
            "NanoCpus": 500000000,
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
        },
        Mounts=[
            {"Type": "bind", "Source": "/home/me/app", "Destination": "/var/azureml-app", "RW": False},
            {"Type": "volume", "Name": "models", "Source": "/var/lib/docker/x", "Destination": "/models", "RW": True},
            {"Type": "tmpfs", "Source": "", "Destination": "/scratch", "RW": True},
        ],
    )
    assert (item.memory_limit_mib, item.memory_request_mib, item.cpu_limit) == (256, 128, 0.5)
    assert item.mounts == ("/home/me/app -> /var/azureml-app (ro)", "models -> /models", "tmpfs -> /scratch")
    assert item.command == ("azmlinfsrv", "--port", "5001")
    assert item.restart_policy == "on-failure:2"


def test_no_limit_is_none_and_a_quota_is_cores():
    assert container({"Status": "running"}, HostConfig={"Memory": 0}).memory_limit_mib is None
    assert container({"Status": "running"}, HostConfig={"CpuQuota": 150000, "CpuPeriod": 100000}).cpu_limit == 1.5
    assert container({"Status": "running"}, HostConfig={"CpuQuota": -1}).cpu_limit is None


def test_a_health_check_is_told_in_words_with_the_defaults_of_the_engine():
    check = {"Test": ["CMD-SHELL", "curl -f localhost:5001"], "Interval": 5000000000}
    item = container({"Status": "running"}, Config={"Healthcheck": check})
    assert item.readiness_probe == "exec curl -f localhost:5001 delay 0s period 5s timeout 30s failures 3"
    assert container({"Status": "running"}, Config={"Healthcheck": {"Test": ["NONE"]}}).readiness_probe == ""


def test_failing_runs_of_the_health_check_are_events():
    runs = [
        {"End": "2026-11-23T15:29:10Z", "ExitCode": 1, "Output": "refused\n"},
        {"End": "2026-11-23T15:29:20Z", "ExitCode": 0, "Output": "fine"},
        {"End": "2026-11-23T15:29:30Z", "ExitCode": 1, "Output": "refused\n"},
        {"End": "2026-11-23T15:29:40Z", "ExitCode": -1, "Output": ""},
    ]
    health = msgspec.json.decode(json.dumps({"Status": "unhealthy", "Log": runs}), type=Health)
    items = health_items(health, SUBJECT, NOW)
    assert [(item.reason, item.type, item.message, item.count, item.age_s) for item in items] == [
        ("Unhealthy", "Warning", "refused", 2, 30),
        ("Unhealthy", "Warning", "health check failed with exit code -1", 1, 20),
    ]


def test_the_output_of_a_health_check_is_cut_at_1_kb():
    runs = [{"End": "2026-11-23T15:29:10Z", "ExitCode": 1, "Output": "ä" * 4000}]
    health = msgspec.json.decode(json.dumps({"Status": "unhealthy", "Log": runs}), type=Health)
    assert health_items(health, SUBJECT, NOW)[0].message == "ä" * 512


def test_equal_events_are_one_with_their_number_and_latest_time():
    happened = [
        event("create", 1, image="churn:1"),
        event("die", 2, exitCode="3", amlDeploymentConfig="gASV"),
        event("die", 5, exitCode="3"),
        event("die", 4, exitCode="0"),
        event("oom", 6),
        event("health_status: unhealthy", 7),
        event("kill", 8, signal="15"),
    ]
    items = event_items(happened, {"3f1c": SUBJECT}, NOW)
    assert [(item.type, item.reason, item.message, item.count, item.age_s) for item in items] == [
        ("Normal", "create", "", 1, 59),
        ("Normal", "die", "exitCode=0", 1, 56),
        ("Warning", "die", "exitCode=3", 2, 55),
        ("Warning", "oom", "", 1, 54),
        ("Warning", "health_status", "unhealthy", 1, 53),
        ("Normal", "kill", "signal=15", 1, 52),
    ]
    assert {(item.kind, item.name, item.subject, item.source) for item in items} == {
        ("Container", "churn-app", SUBJECT, "docker events")
    }
    assert "gASV" not in repr(items)


def test_events_of_other_containers_are_left_out():
    assert event_items([event("die", 2, exitCode="3")], {"other": SUBJECT}, NOW) == ()


def test_deaths_are_in_the_order_of_time():
    found = deaths([event("die", 9, exitCode="137"), event("start", 3), event("die", 2, exitCode="3")])
    assert [death.exit_code for death in found["3f1c"]] == [3, 137]


def test_an_image_tells_for_which_machine_it_was_built():
    body = {"Id": "sha256:1", "Architecture": "arm64", "Os": "linux", "Size": 2097152, "Config": {"Cmd": ["serve"]}}
    item = image_item(msgspec.json.decode(json.dumps(body), type=InspectedImage), "churn:1", SUBJECT)
    assert (item.architecture, item.size_mib, item.command, item.source) == (
        "arm64",
        2,
        ("serve",),
        "docker image inspect churn:1",
    )


def test_the_engine_tells_whether_it_can_hand_out_gpus():
    with_gpu = msgspec.json.decode(
        json.dumps({"ServerVersion": "24", "Runtimes": {"nvidia": {}}, "MemTotal": 2097152}), type=Info
    )
    item = engine_item(with_gpu, NOW)
    assert (item.gpu_runtime, item.memory_mib) == (True, 2)
    assert engine_item(Info(server_version="24"), NOW).gpu_runtime is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T16:30:00.123456789+01:00", datetime(2026, 11, 23, 15, 30, 0, 123456, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_times_of_the_engine_are_utc_and_its_zero_is_none(text, expected):
    assert moment(text) == expected


def test_an_event_quotes_itself_in_one_line():
    item = event_items([event("die", 2, exitCode="3")], {"3f1c": SUBJECT}, NOW)[0]
    assert isinstance(item, Event)
    assert item.text() == "Warning die Container/churn-app: exitCode=3"
