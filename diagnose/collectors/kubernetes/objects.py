"""From Kubernetes objects, live or saved in files, to evidence: one conversion for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from diagnose.collectors.kubernetes import capacity, conditions, decode, events, pods, services, workloads
from diagnose.collectors.kubernetes.kinds import BY_NAME, PLACE, Kind, Objects
from diagnose.collectors.kubernetes.view import View, utc
from diagnose.model import Collection, Item, Missing, Subject, Why

_TIMES = frozenset(
    (
        *("creationTimestamp", "startedAt", "finishedAt", "startTime", "lastTransitionTime", "lastUpdateTime"),
        *("lastHeartbeatTime", "lastProbeTime", "firstTimestamp", "lastTimestamp", "eventTime", "lastObservedTime"),
        *("deprecatedFirstTimestamp", "deprecatedLastTimestamp"),
    )
)
_AUXILIARY = ("ControllerRevision", "Endpoints", "EndpointSlice")
"""Kinds that fill fields of other items and are none themselves."""
_FORMER_GROUPS = {"Event": {"events.k8s.io"}, "Deployment": {"extensions"}, "ReplicaSet": {"extensions"}}


def items_of(objects: Objects, now: datetime, source: str = "") -> dict[str, tuple[Item, ...]]:
    """Every stream these objects can fill, empty ones too.

    Ages are counted from ``now``. ``source`` names the file they come from; without it each item names its command.
    """
    view = View(objects, now, source)
    return {
        "pods": pods.pods(view),
        "containers": pods.containers(view),
        "conditions": conditions.conditions(view),
        "workloads": workloads.workloads(view),
        "services": services.services(view),
        "events": events.events(view),
        "autoscalers": capacity.autoscalers(view),
        "claims": capacity.claims(view),
        "quotas": capacity.quotas(view),
        "limits": capacity.limits(view),
        "nodes": capacity.nodes(view),
    }


def collection_of(documents: Sequence[Mapping[str, object]], now: datetime | None, source: str) -> Collection:
    """What saved objects tell: single ones and lists, as ``kubectl get -o json|yaml`` prints them.

    Unknown kinds are skipped. A stream is there when an object, or an empty list, of its kind is. Without ``now`` ages
    are counted from the newest time found. ``source`` is the file, and becomes the source of each item.
    """
    found: dict[str, list[object]] = {}
    spoilt: dict[str, int] = {}
    for kind, document in _flat(documents):
        group = found.setdefault(kind.name, [])
        converted = decode.convert(document, kind.item) if document is not None else None
        if converted is not None:
            group.append(converted)
        elif document is not None:
            spoilt[kind.name] = spoilt.get(kind.name, 0) + 1
    moment = now or max(_times(list(documents)), default=datetime.now(UTC))
    every = items_of(_objects(found), moment, source)
    streams = {stream for name in found if name not in _AUXILIARY for stream in BY_NAME[name].streams}
    missing = tuple(_spoilt(BY_NAME[name], count, source) for name, count in spoilt.items())
    return Collection(items={name: every[name] for name in every if name in streams}, missing=missing, now=moment)


def _objects(found: Mapping[str, list[object]]) -> Objects:
    groups: dict[str, Any] = {BY_NAME[name].resource: tuple(group) for name, group in found.items()}
    return Objects(**groups)


def _flat(documents: Iterable[object]) -> Iterator[tuple[Kind, Mapping[str, object] | None]]:
    """Every object with its kind; a typed list without items comes once, without an object."""
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        name = str(document.get("kind", ""))
        items = document.get("items")
        if not name.endswith("List"):
            kind = _kind(name, document)
            if kind is not None:
                yield kind, document
            continue
        default = {"kind": name.removesuffix("List"), "apiVersion": document.get("apiVersion", "")}
        entries = [{**default, **one} for one in items if isinstance(one, Mapping)] if isinstance(items, list) else []
        yield from _flat(entries)
        if not entries and (kind := _kind(default["kind"], default)):
            yield kind, None


def _kind(name: str, document: Mapping[str, object]) -> Kind | None:
    """The kind of that name, unless another API has given the name to something else, as Knative does with Service."""
    kind = BY_NAME.get(name)
    version = str(document.get("apiVersion", ""))
    if kind is None or not version:
        return kind
    group = version.rpartition("/")[0]
    ours = {api.removeprefix("apis/").rpartition("/")[0] for api in kind.apis if api != "api/v1"} or {""}
    return kind if group in ours | _FORMER_GROUPS.get(name, set()) else None


def _times(value: object) -> Iterator[datetime]:
    """Every time in a document at which something happened."""
    if isinstance(value, list):
        for part in value:
            yield from _times(part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            time = decode.convert(part, datetime) if key in _TIMES and part is not None else None
            if time is not None:
                yield utc(time)
            else:
                yield from _times(part)


def _spoilt(kind: Kind, count: int, source: str) -> Missing:
    what = f"{count} of the {kind.name} objects in {source}, which make no sense as such"
    return Missing(stream=kind.streams[0], why=Why.FAILED, what=what, subject=Subject(PLACE))
