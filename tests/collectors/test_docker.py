from __future__ import annotations

import math
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from docker_fake import FAULTS, IDENTITY, FakeEngine, frame
from docker_services import DockerServices, Service, score, wait_until

from diagnose.collectors import Limits
from diagnose.lines import stamp
from diagnose.model import Collection, Log, Missing, Why
from diagnose.streams import STREAMS, Container, Event
from diagnose.targets import Candidate, Wanted
from diagnose.targets.docker import DockerFinder

on_a_real_engine = pytest.mark.docker
IMPATIENT = Limits(deadline=math.inf, call_s=0.3)


def candidate(service: str) -> Candidate:
    found = DockerFinder().find(Wanted(service=service), Limits())
    assert len(found.candidates) == 1
    return found.candidates[0]


def collected(service: str, limits: Limits | None = None) -> Collection:
    return candidate(service).collect(limits or Limits())


def only_container(collection: Collection) -> Container:
    (item,) = collection.items["containers"]
    assert isinstance(item, Container)
    return item


def events(collection: Collection) -> dict[str, Event]:
    """By reason; the latest of each."""
    return {item.reason: item for item in collection.items["events"] if isinstance(item, Event)}


def text(log: Log) -> str:
    return "\n".join(chunk.text for chunk in log.chunks)


def whole_text(collection: Collection) -> str:
    return "\n".join(text(log) for log in collection.logs["logs.container"])


def missing(collection: Collection, stream: str) -> Missing:
    (found,) = (missing for missing in collection.missing if missing.stream == stream)
    return found


# The known ways to fail, each in a container of a real engine.


@pytest.fixture(scope="module")
def seen(docker_services: DockerServices) -> dict[str, tuple[Service, Collection]]:
    """What the collector brought of each case that was asked for."""

    class Seen(dict[str, tuple[Service, Collection]]):
        def __missing__(self, case: str) -> tuple[Service, Collection]:
            service = docker_services[case]
            self[case] = service, collected(service.name)
            return self[case]

    return Seen()


@on_a_real_engine
def test_a_healthy_service_runs_and_answers(seen):
    service, collection = seen["healthy"]
    container = only_container(collection)
    assert (container.state, container.exit_code, container.error, container.stable) == ("running", None, "", True)
    assert container.name == service.container
    assert container.command[0] == "azmlinfsrv"
    assert container.ports == (5001,)
    assert container.published == (f"{service.url.rpartition(':')[2]}:5001",)
    assert 0 <= container.running_s < 600
    assert "ready for serving traffic" in whole_text(collection)
    assert "POST /score 200" in whole_text(collection)
    assert collection.missing == ()


@on_a_real_engine
def test_every_stream_is_there_and_nothing_that_docker_does_not_have(seen):
    _, collection = seen["healthy"]
    assert set(collection.items) == {"engine", "containers", "images", "events"}
    assert set(collection.logs) == {"logs.container"}
    for stream, items in collection.items.items():
        assert items
        assert all(isinstance(item, STREAMS[stream].item) for item in items)


@on_a_real_engine
def test_every_item_says_where_it_can_be_looked_up_and_whose_it_is(seen):
    service, collection = seen["healthy"]
    name = service.container
    log = collection.logs["logs.container"][0]
    assert only_container(collection).source == f"docker inspect {name}"
    assert log.source == f"docker logs --timestamps {name}"
    assert str(log.subject) == str(only_container(collection).subject) == f"docker/{service.name}/{name}"
    assert {item.source for item in collection.items["events"]} == {"docker events"}
    assert {item.source for item in collection.items["engine"]} == {"docker info"}


@on_a_real_engine
def test_the_engine_and_the_image_are_described(seen, docker_services):
    _, collection = seen["healthy"]
    (engine,), (image,) = collection.items["engine"], collection.items["images"]
    assert engine.os_type == "linux"
    assert engine.memory_mib > 100
    assert image.name == docker_services.image
    assert image.source == f"docker image inspect {docker_services.image}"
    assert image.architecture
    assert image.size_mib > 10


@on_a_real_engine
def test_time_is_that_of_the_engine(seen):
    _, collection = seen["healthy"]
    assert collection.now == collection.items["engine"][0].time
    assert collection.now.tzinfo is UTC
    assert only_container(collection).time <= collection.now


@on_a_real_engine
def test_what_was_collected_is_counted(seen):
    _, collection = seen["healthy"]
    (count,) = collection.collected
    assert count.collector == "docker"
    assert count.items == sum(len(items) for items in collection.items.values()) + len(
        collection.logs["logs.container"]
    )
    assert count.bytes >= len(whole_text(collection))
    assert count.seconds > 0


BOOT_FAILURES = {
    "get-model-path": "Model my-best-model not found in cache at /var/azureml-app/azureml-models or",
    "missing-import": "ModuleNotFoundError: No module named 'joblib'",
    "init-exception": "KeyError: 'model_name'",
    "no-run": "User script at /var/azureml-app/score.py does not have a run() function defined.",
    "wrong-entry-script": "FileNotFoundError: [Errno 2] No such file or directory: '/var/azureml-app/scoring.py'",
}


@on_a_real_engine
@pytest.mark.parametrize(("case", "said"), BOOT_FAILURES.items(), ids=BOOT_FAILURES)
def test_a_worker_that_does_not_boot_ends_the_container_with_3_and_says_why(seen, case, said):
    _, collection = seen[case]
    container = only_container(collection)
    assert (container.state, container.reason, container.exit_code) == ("terminated", "Error", 3)
    assert (container.oom_killed, container.restarts, container.stable) == (False, 0, False)
    assert container.ended_s < 600
    assert said in whole_text(collection)
    assert "Worker failed to boot" in whole_text(collection)
    assert (events(collection)["die"].message, events(collection)["die"].type) == ("exitCode=3", "Warning")


@on_a_real_engine
def test_the_users_own_frame_is_in_the_log(seen):
    _, collection = seen["init-exception"]
    assert 'File "/var/azureml-app/score.py", line 5, in load_model' in whole_text(collection)


@on_a_real_engine
def test_a_worker_killed_for_memory_leaves_the_container_running(seen):
    _, collection = seen["worker-memory"]
    container = only_container(collection)
    assert (container.state, container.exit_code) == ("running", None)
    assert container.restarts == 0
    assert container.memory_limit_mib == 256
    assert whole_text(collection).count("was sent SIGKILL! Perhaps out of memory?") >= 2
    assert "die" not in events(collection)


@on_a_real_engine
def test_a_main_process_out_of_memory_is_oom_killed_with_137(seen):
    _, collection = seen["oom-main"]
    container = only_container(collection)
    assert (container.state, container.reason, container.exit_code) == ("terminated", "OOMKilled", 137)
    assert container.oom_killed
    assert events(collection)["die"].message == "exitCode=137"


@on_a_real_engine
def test_a_wrong_command_never_starts_and_has_no_log(seen):
    _, collection = seen["wrong-command"]
    container = only_container(collection)
    assert (container.state, container.reason, container.exit_code) == ("created", "ContainerCannotRun", 127)
    assert "model-server" in container.error
    assert "not found" in container.error
    assert container.running_s is None
    assert collection.logs["logs.container"] == ()
    assert collection.missing == ()


@on_a_real_engine
def test_a_port_that_is_taken_is_the_engines_own_reason(seen):
    _, collection = seen["port-allocated"]
    container = only_container(collection)
    assert (container.state, container.reason) == ("created", "ContainerCannotRun")
    assert "port is already allocated" in container.error
    (published,) = container.published
    assert f":{published.partition(':')[0]} failed" in container.error


@on_a_real_engine
def test_a_result_that_is_not_json_is_in_the_log_of_a_container_that_runs(seen):
    _, collection = seen["result-not-json"]
    assert only_container(collection).state == "running"
    assert "TypeError: Object of type set is not JSON serializable" in whole_text(collection)
    assert "POST /score 500" in whole_text(collection)


@on_a_real_engine
def test_a_crash_loop_shows_its_restarts_and_its_last_exit_code_whenever_it_is_looked_at(seen):
    _, collection = seen["crash-loop"]
    container = only_container(collection)
    assert container.restarts >= 2
    assert container.restart_policy == "always"
    assert (container.exit_code, container.end_reason, container.stable) == (3, "Error", False)
    assert (container.state, container.reason) in (("waiting", "Restarting"), ("running", ""))
    assert events(collection)["die"].count >= 2
    previous = collection.logs["logs.container"][0]
    assert previous.run == "previous"
    assert "ZeroDivisionError" in text(previous)


@on_a_real_engine
def test_a_slow_init_runs_without_being_ready_for_traffic(seen):
    _, collection = seen["slow-init"]
    assert only_container(collection).state == "running"
    assert "Invoking user's init function" in whole_text(collection)
    assert "ready for serving traffic" not in whole_text(collection)


@on_a_real_engine
def test_a_request_to_a_result_that_is_not_json_is_answered_with_500(docker_services):
    assert score(docker_services["healthy"]) == 200
    assert score(docker_services["result-not-json"]) == 500


# What else a real engine does.


@on_a_real_engine
def test_the_log_of_several_runs_is_parted_where_the_last_one_began(docker_services):
    script = "echo begin; echo failing >&2; exit 7"
    policy = {"Name": "on-failure", "MaximumRetryCount": 2}
    with docker_services.container("thrice", ["sh", "-c", script], restart_policy=policy) as container:
        wait_until(lambda: _ended(container), "the third end")
        collection = collected(container.name)
    previous, current = collection.logs["logs.container"]
    assert (previous.run, current.run) == ("previous", "current")
    assert [line.split()[1] for line in text(previous).splitlines()].count("begin") == 2
    assert sorted(line.split()[1] for line in text(current).splitlines()) == ["begin", "failing"]
    assert (previous.chunks[0].first_line, current.chunks[0].first_line) == (1, 5)
    item = only_container(collection)
    assert (item.restarts, item.exit_code, item.restart_policy) == (2, 7, "on-failure:2")


def _ended(container) -> bool:
    container.reload()
    return container.attrs["RestartCount"] == 2 and container.attrs["State"]["Status"] == "exited"


@on_a_real_engine
def test_every_line_has_the_time_at_which_the_engine_took_it(docker_services):
    with docker_services.container("clock", ["sh", "-c", "echo one; sleep 0.2; echo two >&2; sleep 600"]) as container:
        wait_until(lambda: b"two" in container.logs(), "both lines")
        (log,) = collected(container.name).logs["logs.container"]
    lines = text(log).splitlines()
    assert [line.split()[1] for line in lines] == ["one", "two"]
    assert stamp(lines[0]) < stamp(lines[1])


@on_a_real_engine
def test_the_end_of_a_long_log_is_kept_with_its_true_line_numbers(docker_services):
    script = "for number in range(1, 100001): print(f'line {number}', 'x' * 60)"
    with docker_services.container("long", ["python3", "-c", script]) as container:
        container.wait(timeout=60)
        (log,) = collected(container.name, Limits(log_bytes=50_000)).logs["logs.container"]
    (chunk,) = log.chunks
    lines = chunk.text.split("\n")
    assert 45_000 < len(chunk.text) <= 50_000
    assert lines[0].split()[2] == str(chunk.first_line)
    assert lines[-1].split()[2] == "100000"
    assert log.cut.startswith(f"the first {chunk.first_line - 1:,} lines (")


@on_a_real_engine
def test_a_long_line_comes_in_one_piece(docker_services):
    script = "print('a' * 40000 + 'z', flush=True); print('next')"
    with docker_services.container("wide", ["python3", "-c", script]) as container:
        container.wait(timeout=60)
        (log,) = collected(container.name).logs["logs.container"]
    assert [len(line) - len("2026-11-23T15:25:10.826702424Z ") for line in text(log).splitlines()] == [40001, 4]


@on_a_real_engine
def test_a_container_with_a_terminal_has_its_log_read_too(docker_services):
    with docker_services.container("terminal", ["sh", "-c", "echo one; echo two"], tty=True) as container:
        container.wait(timeout=60)
        (log,) = collected(container.name).logs["logs.container"]
    assert [line.split(" ", 1)[1] for line in text(log).split("\n")] == ["one", "two"]


@on_a_real_engine
def test_only_lines_younger_than_asked_are_read_and_the_report_can_say_so(docker_services):
    with docker_services.container("young", ["sh", "-c", "echo old; sleep 2.5; echo new; sleep 600"]) as container:
        wait_until(lambda: b"new" in container.logs(), "the second line")
        (log,) = collected(container.name, Limits(since_s=1.5)).logs["logs.container"]
    assert [line.split()[1] for line in text(log).splitlines()] == ["new"]
    assert "were not asked for" in log.cut
    assert "--since 20" in log.source


@on_a_real_engine
def test_a_log_that_the_driver_does_not_give_back_is_missing_and_says_what_would_help(docker_services):
    from docker.types import LogConfig

    with docker_services.container("mute", ["sleep", "600"], log_config=LogConfig(type="none")) as container:
        collection = collected(container.name)
    lost = missing(collection, "logs.container")
    assert "logs.container" not in collection.logs
    assert lost.why is Why.NOT_SUPPORTED
    assert lost.what == f"log of container {container.name}"
    assert "--log-driver" in lost.needs
    assert lost.subject.container == container.name


@on_a_real_engine
def test_values_of_environment_variables_and_labels_are_never_evidence(docker_services):
    options = {"environment": {"API_KEY": "planted-value"}, "labels": {"amlDeploymentConfig": "planted-label"}}
    with docker_services.container("secretive", ["sleep", "600"], **options) as container:
        collection = collected(container.name)
    assert "API_KEY" in only_container(collection).environment
    assert "planted" not in repr(collection)


@on_a_real_engine
def test_mounts_and_health_checks_are_read_from_the_engine(docker_services):
    check = {"test": ["CMD-SHELL", "echo not yet; exit 1"], "interval": 100_000_000, "retries": 1}
    volumes = {"/tmp": {"bind": "/models", "mode": "ro"}}
    command = ["sleep", "600"]
    with docker_services.container("sick", command, healthcheck=check, volumes=volumes) as container:
        wait_until(lambda: _health(container) == "unhealthy", "a failed health check")
        one = candidate(container.name)
        collection = one.collect(Limits())
    item = only_container(collection)
    assert one.unwell
    assert (item.state, item.ready, item.stable) == ("running", False, False)
    assert item.mounts == ("/tmp -> /models (ro)",)
    assert "echo not yet" in item.readiness_probe
    unhealthy = events(collection)["Unhealthy"]
    assert (unhealthy.message, unhealthy.type, unhealthy.source) == (
        "not yet",
        "Warning",
        f"docker inspect {item.name}",
    )
    assert events(collection)["health_status"].message == "unhealthy"


def _health(container) -> str:
    container.reload()
    return container.attrs["State"]["Health"]["Status"]


@on_a_real_engine
def test_a_container_that_was_created_and_never_started_has_an_empty_log(docker_services):
    with docker_services.container("idle", ["true"], start=False) as container:
        one = candidate(container.name)
        collection = one.collect(Limits())
    item = only_container(collection)
    assert one.unwell
    assert (item.state, item.reason, item.exit_code, item.end_reason) == ("created", "", None, "")
    assert collection.logs["logs.container"] == ()


@on_a_real_engine
def test_a_container_removed_in_the_meantime_is_missing(docker_services):
    with docker_services.container("gone", ["sleep", "600"]) as container:
        one = candidate(container.name)
        container.remove(force=True)
        collection = one.collect(Limits())
    assert "containers" not in collection.items
    assert "logs.container" not in collection.logs
    assert missing(collection, "containers").why is Why.NOT_FOUND
    assert missing(collection, "logs.container").why is Why.NOT_FOUND
    assert missing(collection, "containers").what == f"container {container.id[:12]}"


@on_a_real_engine
def test_of_two_containers_one_that_is_gone_does_not_cost_the_other(docker_services):
    labels = {"azureml-local-endpoint": "", "endpoint": f"pair-{uuid.uuid4().hex[:8]}"}
    with (
        docker_services.container("blue", ["sh", "-c", "echo blue; sleep 600"], labels=labels) as blue,
        docker_services.container("green", ["sleep", "600"], labels=labels) as green,
    ):
        wait_until(lambda: b"blue" in blue.logs(), "the line of the first")
        one = candidate(labels["endpoint"])
        green.remove(force=True)
        collection = one.collect(Limits())
    assert only_container(collection).name == blue.name
    assert "blue" in whole_text(collection)
    assert [lost.stream for lost in collection.missing] == ["containers", "logs.container"]


# What an engine can do wrong.


PATHS = {
    "engine": "/v1.41/info",
    "containers": f"/v1.41/containers/{IDENTITY}/json",
    "images": "/v1.41/images/sha256:1234/json",
    "events": "/v1.41/events",
    "logs.container": f"/v1.41/containers/{IDENTITY}/logs",
}
REASONS = {"hang": Why.TIMED_OUT, "cut": Why.UNREACHABLE, "403": Why.DENIED}


def streams_of(collection: Collection) -> set[str]:
    return {*collection.items, *collection.logs}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("stream", PATHS)
def test_a_fault_costs_its_own_stream_and_leaves_a_reason(fake_engine: FakeEngine, stream, fault):
    fake_engine.answers[PATHS[stream]] = fault
    collection = collected("churn", IMPATIENT)
    lost = next(lost for lost in collection.missing if lost.stream == stream)
    follows = {"logs.container", "images"} if stream == "containers" else set()
    assert streams_of(collection) == set(PATHS) - {stream} - follows
    assert lost.why is REASONS.get(fault, Why.FAILED)
    assert lost.what
    assert {other.stream for other in collection.missing} <= {stream, *follows}


def test_a_refused_call_names_what_has_to_be_permitted(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/events"] = "403"
    assert "GET /events" in missing(collected("churn", IMPATIENT), "events").needs


def test_an_error_of_the_engine_is_told_in_its_own_words(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/info"] = "500"
    assert missing(collected("churn", IMPATIENT), "engine").what == (
        "docker info: GET /info was answered with 500 the engine is not well"
    )


def test_a_log_that_stops_midway_is_kept_as_far_as_it_came(fake_engine: FakeEngine):
    fake_engine.answers[PATHS["logs.container"]] = "hang midway"
    collection = collected("churn", IMPATIENT)
    (log,) = collection.logs["logs.container"]
    assert text(log).endswith("first")
    assert "what follows was not read" in log.cut
    assert missing(collection, "logs.container").why is Why.TRUNCATED


def test_a_log_that_the_engine_breaks_off_says_why(fake_engine: FakeEngine):
    fake_engine.answers[PATHS["logs.container"]] = frame("2026-11-23T15:00:02.000000000Z ready\n") + frame("bad", 3)
    collection = collected("churn", IMPATIENT)
    assert text(collection.logs["logs.container"][0]).endswith("ready")
    assert missing(collection, "logs.container").what == "end of the log of container churn-app"


def test_a_log_too_long_to_be_read_in_time_gives_its_end(fake_engine: FakeEngine):
    fake_engine.answers[PATHS["logs.container"]] = lambda query: (
        frame("2026-11-23T15:29:59.000000000Z the end\n") if "tail" in query else "hang midway"
    )
    collection = collected("churn", Limits(call_s=1))
    (log,) = collection.logs["logs.container"]
    assert text(log) == "2026-11-23T15:29:59.000000000Z the end"
    assert "only the last 1 lines were read" in log.cut
    assert collection.missing == ()


def test_when_the_run_is_over_what_is_left_is_missing_and_not_waited_for(fake_engine: FakeEngine):
    one = candidate("churn")
    for path in PATHS.values():
        fake_engine.answers[path] = "hang"
    limits = Limits(deadline=time.monotonic())
    collection = one.collect(limits)
    assert streams_of(collection) == set()
    assert {lost.stream for lost in collection.missing} == {"engine", "containers", "events", "logs.container"}
    assert {lost.why for lost in collection.missing} == {Why.TIMED_OUT}


def test_a_clock_that_can_not_be_asked_for_is_our_own(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/info"] = "500"
    before = datetime.now(UTC)
    assert collected("churn", IMPATIENT).now >= before


def test_without_events_runs_are_parted_shortly_before_the_start(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/events"] = "500"
    fake_engine.answers[PATHS["logs.container"]] = frame("2026-11-23T15:00:00.900000000Z old\n") + frame(
        "2026-11-23T15:00:01.499000000Z new\n"
    )
    previous, current = collected("churn", IMPATIENT).logs["logs.container"]
    assert text(previous).endswith("old")
    assert text(current).endswith("new")


def test_a_cut_is_said_once_by_the_part_it_concerns(fake_engine: FakeEngine):
    lines = [f"2026-11-23T15:00:00.{number:03}000000Z old\n" for number in range(100, 200)]
    fake_engine.answers[PATHS["logs.container"]] = b"".join(map(frame, lines)) + frame(
        "2026-11-23T15:00:02.000000000Z new\n"
    )
    previous, current = collected("churn", replace(IMPATIENT, log_bytes=1000)).logs["logs.container"]
    assert previous.cut.startswith("the first ")
    assert current.cut == ""
    assert current.chunks[0].first_line == 101
