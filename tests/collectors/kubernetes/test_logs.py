"""Which logs are read, what is kept of them, and what is no log at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from made_objects import NAMESPACE, cluster, ended, pod, running, seconds, status, waiting
from replay import Replay

from diagnose.collectors.kubernetes.decode import convert
from diagnose.collectors.kubernetes.kinds import Objects
from diagnose.collectors.kubernetes.logs import worth_reading
from diagnose.collectors.kubernetes.schema import Pod
from diagnose.collectors.kubernetes.view import View
from diagnose.model import Collection, Log, Why

Collected = Callable[..., Collection]
CRASHED = {"ready": False, "restartCount": 2, "state": waiting("CrashLoopBackOff"), "lastState": ended(1)}


def crashing(previous: bytes | None = None, current: bytes | None = None, **more: object) -> Replay:
    replay = cluster(pods=[pod("lonely", statuses=[status(**{**CRASHED, **more})])])
    for is_previous, text in ((True, previous), (False, current)):
        if text is not None:
            replay.logs[(NAMESPACE, "lonely", "app", is_previous)] = text
    return replay


def logs(found: Collection) -> list[tuple[str, str]]:
    return [(log.run, "".join(chunk.text for chunk in log.chunks)) for log in found.logs["logs.container"]]


def asked(*pods: dict[str, object]) -> list[tuple[str | None, str, bool]]:
    """Pod, container and whether it is the previous log, of those worth reading and their alternatives."""
    objects = Objects(pods=tuple(one for data in pods if (one := convert(data, Pod))))
    view = View(objects, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    return [(one.subject.pod, one.container.name, one.previous) for group in worth_reading(view) for one in group]


def test_the_oldest_healthy_pod_stands_for_all_of_them() -> None:
    young = pod("young", creationTimestamp="2026-11-22T11:50:00Z")
    old = pod("old", creationTimestamp="2026-11-22T10:00:00Z")
    assert asked(young, old) == [("old", "app", False)]


def test_a_pod_that_runs_between_two_crashes_is_not_well() -> None:
    state = {"restartCount": 4, "state": running("2026-11-22T11:59:30Z"), "lastState": ended(3)}
    assert asked(pod("well"), pod("shaky", statuses=[status(**state)])) == [
        ("shaky", "app", True),
        ("shaky", "app", False),
        ("well", "app", False),
    ]


def test_a_crash_that_is_long_over_makes_no_pod_unwell() -> None:
    state = {"restartCount": 1, "lastState": ended(137, "OOMKilled", "2026-11-22T11:00:00Z")}
    assert asked(pod("a", statuses=[status(**state)]), pod("b")) == [("a", "app", True), ("a", "app", False)]


def test_containers_that_never_started_have_no_logs_to_ask_for() -> None:
    never = status(ready=False, state=waiting("ImagePullBackOff"))
    assert asked(pod("stuck", statuses=[never], phase="Pending"), pod("new", statuses=[], phase="Pending")) == []


def test_a_finished_pod_is_well() -> None:
    done = pod("job", statuses=[status(ready=False, state=ended(0, "Completed"))], phase="Succeeded")
    assert asked(done, pod("well")) == [("well", "app", False)]


def test_init_containers_have_logs_too() -> None:
    one = pod("web", spec={"initContainers": [{"name": "fetch"}]}, statuses=[status(ready=False, state=waiting("x"))])
    one["status"]["initContainerStatuses"] = [status("fetch", ready=False, restartCount=1, state=ended(1))]
    assert asked(one) == [("web", "fetch", True), ("web", "fetch", False)]


def test_while_it_waits_the_log_of_the_crash_is_there_once(collected: Collected) -> None:
    found = collected(crashing(b"boom\n", b"boom\n"), "lonely", NAMESPACE)
    assert logs(found) == [("previous", "boom\n")]


def test_two_runs_that_said_different_things_are_both_there(collected: Collected) -> None:
    replay = crashing(b"first\n", b"second\n", state=running("2026-11-22T11:59:30Z"), ready=True)
    assert logs(collected(replay, "lonely", NAMESPACE)) == [("previous", "first\n"), ("current", "second\n")]


@pytest.mark.parametrize("runtime", ["docker", "containerd", "cri-o"])
def test_an_apology_with_status_200_is_no_log(collected: Collected, runtime: str) -> None:
    trap = f"unable to retrieve container logs for {runtime}://0df1b1bd362b".encode()
    found = collected(crashing(trap, b"boom\n"), "lonely", NAMESPACE)
    assert logs(found) == [("current", "boom\n")]
    (gap,) = [gap for gap in found.missing if gap.stream == "logs.container"]
    assert (gap.why, gap.subject.container) == (Why.NOT_FOUND, "app")
    assert gap.what.startswith("previous log of container app in pod lonely")


def test_a_log_that_only_speaks_of_the_apology_is_one(collected: Collected) -> None:
    text = b"unable to retrieve container logs for docker://0d is what I saw\nand more\n"
    assert logs(collected(crashing(text, b"boom\n"), "lonely", NAMESPACE))[0] == ("previous", text.decode())


@pytest.mark.parametrize(
    "answer",
    [
        'previous terminated container "app" in pod "lonely" not found',
        'container "app" in pod "lonely" is waiting to start: PodInitializing',
    ],
)
def test_a_run_that_never_was_lacks_nothing(collected: Collected, answer: str) -> None:
    replay = crashing(None, b"boom\n")
    replay.log_errors[(NAMESPACE, "lonely", "app", True)] = answer
    found = collected(replay, "lonely", NAMESPACE)
    assert logs(found) == [("current", "boom\n")]
    assert "logs.container" not in {gap.stream for gap in found.missing}


def test_another_bad_request_is_said(collected: Collected) -> None:
    replay = crashing(None, b"boom\n")
    replay.log_errors[(NAMESPACE, "lonely", "app", True)] = "a container name must be specified"
    (gap,) = [gap for gap in collected(replay, "lonely", NAMESPACE).missing if gap.stream == "logs.container"]
    assert "a container name must be specified" in gap.what


def test_of_a_long_log_the_end_is_kept_and_its_lines_keep_their_numbers(collected: Collected) -> None:
    text = b"".join(b"line %05d\n" % number for number in range(1, 100_001))
    limits = replace(seconds(20), log_bytes=300_000)
    (log,) = collected(crashing(text), "lonely", NAMESPACE, limits).logs["logs.container"]
    (chunk,) = log.chunks
    assert len(chunk.text) <= 300_000
    assert chunk.text.startswith(f"line {chunk.first_line:05}\n")
    assert chunk.text.endswith("line 100000\n")
    assert log.cut == "first 0.8 MB of 1.1 MB not kept"


def test_of_very_many_logs_less_is_kept_of_each(collected: Collected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diagnose.collectors.kubernetes.logs._BUDGET", 3000)
    names = [f"lonely-{number}" for number in range(3)]
    crash = [status(**CRASHED)]
    replay = cluster(pods=[pod(name, owner=("StatefulSet", "lonely"), statuses=crash) for name in names])
    replay.logs = {(NAMESPACE, name, "app", True): b"0123456789\n" * 200 for name in names}
    found = collected(replay, "lonely", NAMESPACE)
    assert [len(log.chunks[0].text) for log in found.logs["logs.container"]] == [990, 990, 990]
    assert {log.cut for log in found.logs["logs.container"]} == {"first 1.2 kB of 2.2 kB not kept"}


def test_since_is_asked_of_the_server_and_said(collected: Collected) -> None:
    replay = crashing(b"boom\n")
    found = collected(replay, "lonely", NAMESPACE, replace(seconds(20), since_s=90.2))
    assert {call.query["sinceSeconds"] for call in replay.calls if call.resource == "pods/log"} == {"91"}
    assert [log.cut for log in found.logs["logs.container"]] == ["only lines of the last 90 s read"]


def test_bytes_that_are_no_text_are_replaced(collected: Collected) -> None:
    assert logs(collected(crashing(b"caf\xe9\n\x00\n"), "lonely", NAMESPACE)) == [("previous", "caf\ufffd\n\x00\n")]


def test_an_empty_log_is_a_log(collected: Collected) -> None:
    (log,) = collected(crashing(b""), "lonely", NAMESPACE).logs["logs.container"]
    assert isinstance(log, Log)
    assert (log.chunks, log.cut) == ((), "")
