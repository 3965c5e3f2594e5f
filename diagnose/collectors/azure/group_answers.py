"""JSON of Azure Container Instances: groups, their containers with states, and events of groups and of operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec

from diagnose.azure_items import ContainerGroup
from diagnose.collectors.azure.answers import number, part, parts, text, whole, within
from diagnose.collectors.decoding import decoder
from diagnose.collectors.files.errors import container_of_states
from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.times import moment
from diagnose.collectors.kubernetes import probes, schema
from diagnose.model import Item, Subject
from diagnose.streams import Event

Json = Mapping[str, object]
_GIB_IN_MIB = 1024.0


def group_of(group: Json, origin: Origin) -> ContainerGroup:
    """The group as an item. The answer that lists groups has no ``state``, nor states and events of containers."""
    inner, name = _properties(group), text(group.get("name"))
    address = part(inner, "ipAddress")
    requests = [part(_properties(container), "resources", "requests") for container in parts(inner.get("containers"))]
    cpu, memory_mib = [number(one.get("cpu")) for one in requests], [_mebibytes(one) for one in requests]
    return ContainerGroup(
        source=origin.source,
        subject=_subject(name, origin),
        name=name,
        provisioning_state=text(inner.get("provisioningState")),
        state=text(part(inner, "instanceView").get("state")),
        os=text(inner.get("osType")),
        restart_policy=text(inner.get("restartPolicy")),
        address=text(address.get("ip")),
        fqdn=text(address.get("fqdn")),
        public_ports=_ports(address) if address.get("type") != "Private" else (),
        container_ports=tuple(
            port for container in parts(inner.get("containers")) for port in _ports(_properties(container))
        ),
        cpu=sum(filter(None, cpu)) if any(cpu) else None,
        memory_gb=sum(filter(None, memory_mib)) / _GIB_IN_MIB if any(memory_mib) else None,
        in_network=bool(inner.get("subnetIds") or inner.get("networkProfile")),
        location=text(group.get("location")),
    )


def facts_of_group(group: Json, origin: Origin) -> Iterator[Item]:
    """Containers and events of ``az container show``, or of what ARM itself answers, which nests ``properties``."""
    inner = _properties(group)
    at = replace(origin, subject=_subject(text(group.get("name")), origin))
    yield from _events(part(inner, "instanceView"), at)
    for key, kind in (("initContainers", "init"), ("containers", "app")):
        for container in parts(inner.get(key)):
            yield from _container(container, kind, text(inner.get("restartPolicy")), at)


def facts_of_operation(operation: Json, origin: Origin) -> Iterator[Item]:
    """Events that the status of a long-running operation carries."""
    name = within(operation.get("id"), "containerGroups")
    yield from _events(_properties(operation), replace(origin, subject=_subject(name, origin)))


def _subject(name: str, origin: Origin) -> Subject:
    return Subject(origin.subject.place, workload=name or None)


def _container(container: Json, kind: str, restart_policy: str, origin: Origin) -> Iterator[Item]:
    inner = _properties(container)
    name = text(container.get("name")) or "container"
    at = replace(origin, subject=replace(origin.subject, container=name))
    view, command = part(inner, "instanceView"), inner.get("command")
    liveness = _probe(inner.get("livenessProbe"))
    requests, limits = part(inner, "resources", "requests"), part(inner, "resources", "limits")
    item = container_of_states(
        name,
        dict(part(view, "currentState")),
        dict(part(view, "previousState")),
        whole(view.get("restartCount")) or 0,
        at,
    )
    yield replace(
        item,
        kind=kind,
        image=text(inner.get("image")),
        memory_request_mib=_mebibytes(requests),
        memory_limit_mib=_mebibytes(limits) or _mebibytes(requests),
        cpu_request=number(requests.get("cpu")),
        cpu_limit=number(limits.get("cpu")) or number(requests.get("cpu")),
        ports=_ports(inner),
        environment=tuple(text(one.get("name")) for one in parts(inner.get("environmentVariables"))),
        mounts=tuple(text(one.get("mountPath")) for one in parts(inner.get("volumeMounts"))),
        command=tuple(map(str, command)) if isinstance(command, list) else (),
        readiness_probe=probes.in_words(_probe(inner.get("readinessProbe"))),
        liveness_probe=probes.in_words(liveness),
        liveness_allows_s=probes.allowance_s(schema.Container(liveness_probe=liveness)),
        restart_policy=restart_policy,
    )
    yield from _events(view, at)


def _probe(value: object) -> schema.Probe | None:
    """Written as Kubernetes writes them, but for the nulls that the Azure CLI prints."""
    given = {key: inner for key, inner in part(value).items() if inner is not None}
    try:
        return decoder(schema.Probe).decode(msgspec.json.encode(given)) if given else None
    except msgspec.ValidationError:
        return None


def _events(view: Json, origin: Origin) -> Iterator[Event]:
    for event in parts(view.get("events")):
        time = moment(text(event.get("lastTimestamp"))) or moment(text(event.get("firstTimestamp")))
        yield Event(
            source=origin.source,
            subject=origin.subject,
            time=time,
            age_s=max(0.0, (origin.now - time).total_seconds()) if origin.now and time else None,
            reason=text(event.get("name")).rstrip("."),
            message=text(event.get("message")),
            type=text(event.get("type")) or "Normal",
            kind="Container" if origin.subject.container else "ContainerGroup",
            name=origin.subject.container or origin.subject.workload or "",
            count=whole(event.get("count")) or 1,
        )


def _properties(value: Json) -> Json:
    """Answers of Azure Resource Manager nest them, what the Azure CLI prints does not."""
    inner = value.get("properties")
    return inner if isinstance(inner, Mapping) else value


def _ports(value: Json) -> tuple[int, ...]:
    return tuple(port for one in parts(value.get("ports")) if (port := whole(one.get("port"))) is not None)


def _mebibytes(amounts: Json) -> float | None:
    amount = number(amounts.get("memoryInGB") or amounts.get("memoryInGb"))
    return None if amount is None else amount * _GIB_IN_MIB
