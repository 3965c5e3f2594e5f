"""Saved objects give the same evidence as live ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import yaml
from made_objects import event, pod, service, workload
from replay import LAB

from diagnose.collectors.kubernetes.objects import collection_of
from diagnose.model import Collection, Item, Why

Collected = Callable[..., Collection]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def documents(name: str) -> list[dict[str, object]]:
    return [json.loads(file.read_text()) for file in sorted((LAB / name).rglob("*.json"))]


def facts(items: tuple[Item, ...]) -> list[dict[str, object]]:
    names = [name for item in items[:1] for name in item.__dataclass_fields__ if name != "source"]
    return sorted(({name: getattr(item, name) for name in names} for item in items), key=repr)


@pytest.mark.parametrize("name", ["rollout", "quota", "initcontainer", "toobig", "noendpoints"])
def test_saved_lists_give_what_the_live_cluster_gives(collected: Collected, name: str) -> None:
    live = collected(name)
    saved = collection_of(documents(name), live.now, "saved.json")
    assert {stream: facts(items) for stream, items in saved.items.items()} == {
        stream: facts(items) for stream, items in live.items.items()
    }
    assert {item.source for items in saved.items.values() for item in items} == {"saved.json"}


def test_without_a_clock_the_newest_time_is_now() -> None:
    found = collection_of(documents("rollout"), None, "saved.json")
    assert found.now == datetime(2026, 11, 22, 12, 5, 30, tzinfo=UTC)


def test_a_list_of_mixed_kinds_is_taken_apart() -> None:
    mixed = {
        "kind": "List",
        "apiVersion": "v1",
        "items": [
            {"kind": "Pod", "apiVersion": "v1", **pod("lonely")},
            {"kind": "Service", "apiVersion": "v1", **service("web")},
            {"kind": "Secret", "apiVersion": "v1", "data": {"key": "aHVudGVyMg=="}},
        ],
    }
    found = collection_of([mixed], NOW, "all.json")
    assert {"pods", "containers", "services"} <= found.items.keys()
    assert "events" not in found.items
    assert "aHVudGVyMg" not in repr(found)


def test_a_single_object_from_yaml_is_enough() -> None:
    text = yaml.safe_dump({"kind": "Pod", "apiVersion": "v1", **pod("lonely")})
    found = collection_of([yaml.safe_load(text)], NOW, "pod.yaml")
    assert [one.name for one in found.items["containers"]] == ["app"]


def test_times_that_yaml_made_of_text_are_understood() -> None:
    written = pod("lonely", creationTimestamp=datetime(2026, 11, 22, 11, 0))
    (found,) = collection_of([{"kind": "Pod", **written}], NOW, "pod.yaml").items["pods"]
    assert found.age_s == 3600.0


def test_an_empty_typed_list_is_a_stream_that_was_collected() -> None:
    found = collection_of([{"kind": "EventList", "apiVersion": "v1", "items": []}], NOW, "events.json")
    assert dict(found.items) == {"events": ()}


def test_an_empty_list_of_anything_tells_nothing() -> None:
    assert collection_of([{"kind": "List", "apiVersion": "v1", "items": []}], NOW, "x.json").items == {}


def test_a_service_of_knative_is_no_service() -> None:
    knative = {"kind": "Service", "apiVersion": "serving.knative.dev/v1", "metadata": {"name": "web"}}
    assert collection_of([knative], NOW, "x.json").items == {}


def test_events_of_either_api_are_events() -> None:
    new = {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": {"name": "a", "namespace": "shop"},
        "regarding": {"kind": "Pod", "name": "web"},
        "note": "new",
    }
    old = {"kind": "Event", "apiVersion": "v1", **event("web", message="old")}
    found = collection_of([new, old], NOW, "x.json")
    assert {one.message for one in found.items["events"]} == {"new", "old"}


def test_an_object_that_makes_no_sense_is_said_and_skipped() -> None:
    broken = {"kind": "Pod", "metadata": {"labels": ["not", "a", "map"]}}
    found = collection_of([broken, {"kind": "Pod", **pod("lonely")}], NOW, "x.json")
    assert [one.name for one in found.items["pods"]] == ["lonely"]
    assert [(gap.stream, gap.why) for gap in found.missing] == [("pods", Why.FAILED)]


@pytest.mark.parametrize(
    "document", [{}, {"kind": None}, {"kind": "PodList", "items": "no"}, {"kind": "Pod", "spec": 5}]
)
def test_anything_else_is_survived(document: dict[str, object]) -> None:
    assert collection_of([document], NOW, "x.json").logs == {}


def test_two_namespaces_in_one_file_stay_apart() -> None:
    labels = {"app": "web"}
    other = {"kind": "Deployment", "apiVersion": "apps/v1", **workload("web", labels)}
    other["metadata"]["namespace"] = "test"
    here = {"kind": "Pod", **pod("web-1", labels)}
    found = collection_of([other, here, {"kind": "Service", **service("web", labels)}], NOW, "x.json")
    assert found.items["workloads"][0].subject.namespace == "test"
    assert found.items["services"][0].pods_of_workload == 1
    assert found.items["services"][0].subject.workload == "web-1"
