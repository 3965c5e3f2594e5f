"""What happened when, and of which kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from evidence import A, B, evidence

from diagnose.azure_items import ImageBuild, Operation, RequestMinute, VaultWrite
from diagnose.engine.timeline import timeline
from diagnose.model import MOMENTS, Evidence, Item, Moment
from diagnose.streams import Container, Event, Traceback

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _told(stream: str, *items: Item) -> list[Moment]:
    known: Mapping[str, tuple[Item, ...]] = {stream: items}
    return list(timeline(evidence(items=known))[0])


def _event(reason: str, message: str = "something") -> Event:
    return Event(source="x", subject=A, time=NOON, reason=reason, message=message)


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (_event("ScalingReplicaSet"), "deployment"),
        (_event("FailedScheduling"), "schedule"),
        (_event("Pulling"), "pull"),
        (_event("Failed", "Error: ErrImagePull"), "pull"),
        (_event("Failed", 'Error: secret "x" not found'), "start"),
        (_event("BackOff", "Back-off pulling image x"), "pull"),
        (_event("BackOff", "Back-off restarting failed container"), "crash"),
        (_event("Started"), "start"),
        (_event("Unhealthy"), "probe"),
        (_event("die", "exitCode=3"), "crash"),
        (_event("SomethingNew"), ""),
    ],
)
def test_an_event_is_of_the_kind_its_reason_says(item: Event, kind: str) -> None:
    assert [moment.kind for moment in _told("events", item)] == [kind]


@pytest.mark.parametrize(
    ("phase", "kind"), [("import", "init"), ("init", "init"), ("run", "request"), ("server", "start"), ("other", "")]
)
def test_a_traceback_is_of_its_phase(phase: str, kind: str) -> None:
    found = Traceback(source="x", subject=A, time=NOON, exception="ValueError", phase=phase)
    assert [(moment.what, moment.kind) for moment in _told("tracebacks", found)] == [(f"ValueError in {phase}", kind)]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ({"state": "running"}, "start"),
        ({"state": "terminated", "end_reason": "Error", "exit_code": 3}, "crash"),
        ({"state": "terminated", "end_reason": "Completed", "exit_code": 0}, "start"),
    ],
)
def test_a_container_starts_or_crashes(state: dict[str, object], kind: str) -> None:
    container = Container(source="x", subject=A, time=NOON, name="app", **state)  # type: ignore[arg-type]
    assert [moment.kind for moment in _told("containers", container)] == [kind]


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (Operation(source="x", time=NOON, kind="service", name="s", step="BuildImage", status="Failed"), "build"),
        (Operation(source="x", time=NOON, kind="image", name="s", status="Failed"), "build"),
        (Operation(source="x", time=NOON, kind="template", name="s", step="Create", status="Failed"), "deployment"),
    ],
)
def test_an_operation_is_a_build_or_a_deployment(item: Operation, kind: str) -> None:
    assert [moment.kind for moment in _told("operations", item)] == [kind]


def test_builds_and_writes_of_vaults_have_kinds_of_their_own() -> None:
    build = ImageBuild(source="x", time=NOON, origin="environment", name="env:3", status="Failed", error="pip ended")
    assert [(m.kind, m.what) for m in _told("builds", build)] == [("build", "image build env:3: Failed pip ended")]
    write = VaultWrite(source="x", time=NOON, vault="kv", operation="vaults/write", status="Succeeded")
    assert [moment.kind for moment in _told("vault_writes", write)] == ["policy"]


def test_every_kind_is_one_that_is_known() -> None:
    reasons = ("ScalingReplicaSet", "Scheduled", "Pulled", "Created", "Unhealthy", "Killing", "oom", "NoSuchReason")
    assert {moment.kind for moment in _told("events", *map(_event, reasons))} <= {*MOMENTS, ""}


def _minute(minute: int, **counts: float) -> RequestMinute:
    return RequestMinute(source="x", subject=A, time=NOON + timedelta(minutes=minute), requests=20, **counts)


def test_minutes_of_failed_requests_in_a_row_are_one_moment() -> None:
    minutes = [_minute(0, ok=20.0), _minute(1, server_errors=5.0), _minute(2, model_errors=2.0, server_errors=1.0)]
    assert [(m.time.minute, m.what, m.kind) for m in _told("http.minutes", *minutes)] == [
        (1, "8 of 40 requests failed within 2 minutes (424: 2, 5xx: 6)", "request")
    ]


def test_failed_requests_after_a_good_minute_are_another_moment() -> None:
    minutes = [_minute(0, throttled=1.0), _minute(1, ok=20.0), _minute(2, throttled=3.0)]
    assert [m.what for m in _told("http.minutes", *minutes)] == [
        "1 of 20 requests failed (429: 1)",
        "3 of 20 requests failed (429: 3)",
    ]


def test_what_only_the_client_did_wrong_is_no_failure() -> None:
    assert _told("http.minutes", _minute(0, client_errors=9.0)) == []


def _many(count: int) -> Evidence:
    events = tuple(
        Event(source="x", subject=B, time=NOON + timedelta(seconds=second), reason="Pulled", message=f"number {second}")
        for second in range(count)
    )
    return evidence(items={"events": events})


def test_of_very_many_moments_the_newest_are_told_and_the_others_counted() -> None:
    moments, earlier = timeline(_many(312))
    assert (len(moments), earlier) == (60, 252)
    assert moments[-1].what == "Pulled: number 311"
    assert timeline(_many(60))[1] == 0
