"""Counts, times and subjects of events of both APIs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from made_objects import NAMESPACE, Data, event, pod, seen, service, workload

from diagnose.collectors.kubernetes.events import events


def one(data: Data, **others: list[Data]) -> object:
    (item,) = events(seen(events=[data], **others))
    return item


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 1),
        ({"count": None}, 1),
        ({"count": 0}, 1),
        ({"count": 7}, 7),
        ({"deprecatedCount": 5}, 5),
        ({"deprecatedCount": None, "series": {"count": 9}}, 9),
        ({"count": 2, "series": {"count": 9, "lastObservedTime": None}}, 9),
        ({"series": {"count": None}, "count": 3}, 3),
    ],
)
def test_a_count_is_found_wherever_it_stands(fields: Data, count: int) -> None:
    assert one(event("web", **fields)).count == count  # type: ignore[attr-defined]


EARLY, LATE = "2026-11-22T11:00:00Z", "2026-11-22T11:30:00.5Z"


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({"series": {"lastObservedTime": LATE}, "lastTimestamp": EARLY}, 30),
        ({"lastTimestamp": LATE, "eventTime": EARLY}, 30),
        ({"lastTimestamp": None, "eventTime": LATE, "firstTimestamp": EARLY}, 30),
        ({"firstTimestamp": LATE}, 30),
        ({"deprecatedLastTimestamp": LATE, "eventTime": EARLY}, 30),
        ({}, 60),
    ],
)
def test_the_time_is_when_it_was_seen_last(fields: Data, minutes: int) -> None:
    item = one(event("web", **fields))
    assert item.age_s == pytest.approx(minutes * 60, abs=1)  # type: ignore[attr-defined]
    assert item.time == datetime(2026, 11, 22, 11, 60 - minutes, tzinfo=UTC).replace(  # type: ignore[attr-defined]
        microsecond=500_000 if minutes == 30 else 0
    )


def test_the_same_event_of_two_apis_is_one() -> None:
    old = event("web", count=3)
    new = {"metadata": old["metadata"], "regarding": old["involvedObject"], "reason": "BackOff", "note": "..."}
    (item,) = events(seen(events=[new, old]))
    assert (item.count, item.message) == (3, "...")


def test_events_come_in_the_order_in_which_they_were_seen() -> None:
    first, second = event("a", lastTimestamp=EARLY), event("b", lastTimestamp=LATE)
    assert [item.name for item in events(seen(events=[second, first]))] == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "container"),
    [
        ("spec.containers{app}", "app"),
        ("spec.initContainers{storage-initializer}", "storage-initializer"),
        ("spec.volumes{x}", None),
        ("", None),
    ],
)
def test_the_field_path_names_the_container(path: str, container: str | None) -> None:
    data = event("web-0")
    data["involvedObject"]["fieldPath"] = path
    item = one(data, pods=[pod("web-0", owner=("StatefulSet", "web"))])
    assert item.subject.container == container  # type: ignore[attr-defined]
    assert (item.subject.workload, item.subject.pod) == ("web", "web-0")  # type: ignore[attr-defined]


SCALER = {
    "metadata": {"name": "scaler", "namespace": NAMESPACE},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
}


@pytest.mark.parametrize(
    ("kind", "name", "subject"),
    [
        ("Deployment", "web", f"kubernetes/{NAMESPACE}/web"),
        ("ReplicaSet", "web-77f9d7d5c4", f"kubernetes/{NAMESPACE}/web"),
        ("HorizontalPodAutoscaler", "scaler", f"kubernetes/{NAMESPACE}/web"),
        ("Service", "front", f"kubernetes/{NAMESPACE}/web"),
        ("PersistentVolumeClaim", "data", f"kubernetes/{NAMESPACE}"),
        ("Node", "node-1", "kubernetes"),
    ],
)
def test_events_of_other_objects_know_the_workload_where_it_is_known(kind: str, name: str, subject: str) -> None:
    item = one(
        event(name, kind),
        deployments=[workload("web", {"app": "web"})],
        services=[service("front", {"app": "web"})],
        horizontalpodautoscalers=[SCALER],
    )
    assert str(item.subject) == subject  # type: ignore[attr-defined]
