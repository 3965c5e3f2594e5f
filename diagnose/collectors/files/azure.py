"""JSON of Azure Container Instances: containers of a group with their states, events of groups and of operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from diagnose.collectors.files.errors import container_of_states
from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.times import moment
from diagnose.model import Item, Subject
from diagnose.streams import Event

Json = Mapping[str, object]
_GIB_IN_MIB = 1024.0


def facts_of_group(group: Json, origin: Origin) -> Iterator[Item]:
    """Containers and events of ``az container show``, or of what ARM itself answers, which nests ``properties``."""
    inner = _properties(group)
    name = str(group.get("name") or "")
    subject = Subject(origin.subject.place, workload=name or None)
    at = replace(origin, subject=subject)
    yield from _events(_mapping(inner.get("instanceView")), at)
    for key, kind in (("initContainers", "init"), ("containers", "app")):
        for container in _mappings(inner.get(key)):
            yield from _container(container, kind, str(inner.get("restartPolicy") or ""), at)


def facts_of_operation(operation: Json, origin: Origin) -> Iterator[Item]:
    """Events that the status of a long-running operation carries."""
    group = str(operation.get("id", "")).rpartition("/containerGroups/")[2].partition("/")[0]
    subject = Subject(origin.subject.place, workload=group or None)
    yield from _events(_properties(operation), replace(origin, subject=subject))


def _container(container: Json, kind: str, restart_policy: str, origin: Origin) -> Iterator[Item]:
    inner = _properties(container)
    name = str(container.get("name") or "container")
    at = replace(origin, subject=replace(origin.subject, container=name))
    view = _mapping(inner.get("instanceView"))
    restarts = view.get("restartCount")
    resources = _mapping(inner.get("resources"))
    requests, limits = _mapping(resources.get("requests")), _mapping(resources.get("limits"))
    item = container_of_states(
        name,
        dict(_mapping(view.get("currentState"))),
        dict(_mapping(view.get("previousState"))),
        restarts if isinstance(restarts, int) else 0,
        at,
    )
    yield replace(
        item,
        kind=kind,
        image=str(inner.get("image") or ""),
        memory_request_mib=_mebibytes(requests),
        memory_limit_mib=_mebibytes(limits) or _mebibytes(requests),
        cpu_request=_float(requests.get("cpu")),
        cpu_limit=_float(limits.get("cpu")) or _float(requests.get("cpu")),
        ports=tuple(port for one in _mappings(inner.get("ports")) if isinstance(port := one.get("port"), int)),
        environment=tuple(str(one.get("name")) for one in _mappings(inner.get("environmentVariables"))),
        mounts=tuple(str(one.get("mountPath")) for one in _mappings(inner.get("volumeMounts"))),
        command=tuple(map(str, command)) if isinstance(command := inner.get("command"), list) else (),
        restart_policy=restart_policy,
    )
    yield from _events(view, at)


def _events(view: Json, origin: Origin) -> Iterator[Event]:
    for event in _mappings(view.get("events")):
        time = moment(str(event.get("lastTimestamp") or "")) or moment(str(event.get("firstTimestamp") or ""))
        count = event.get("count")
        yield Event(
            source=origin.source,
            subject=origin.subject,
            time=time,
            age_s=max(0.0, (origin.now - time).total_seconds()) if origin.now and time else None,
            reason=str(event.get("name") or "").rstrip("."),
            message=str(event.get("message") or ""),
            type=str(event.get("type") or "Normal"),
            kind="Container" if origin.subject.container else "ContainerGroup",
            name=origin.subject.container or origin.subject.workload or "",
            count=count if isinstance(count, int) else 1,
        )


def _properties(value: Json) -> Json:
    inner = value.get("properties")
    return inner if isinstance(inner, Mapping) else value


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _mebibytes(amounts: Json) -> float | None:
    amount = _float(amounts.get("memoryInGB") or amounts.get("memoryInGb"))
    return None if amount is None else amount * _GIB_IN_MIB
