"""Saved documents as facts: Kubernetes objects of all files together, and what ``docker inspect`` printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from diagnose.collectors.files.documents import objects_in
from diagnose.collectors.files.names import PLACE, Origin
from diagnose.model import Collection, Item, Subject
from diagnose.streams import (
    Autoscaler,
    Claim,
    Condition,
    Container,
    Event,
    LimitRange,
    Node,
    Pod,
    Quota,
    Service,
    Workload,
)

Json = Mapping[str, object]
_SHOWN = 3
"""Files named as the source of a fact whose own file cannot be told."""
_NAMED = {
    Pod: "Pod",
    Service: "Service",
    Autoscaler: "HorizontalPodAutoscaler",
    Claim: "PersistentVolumeClaim",
    Quota: "ResourceQuota",
    LimitRange: "LimitRange",
    Node: "Node",
}


@dataclass(frozen=True, slots=True)
class Saved:
    """An object and the file it was in."""

    document: Json
    source: str


def collection_of_objects(saved: Sequence[Saved], now: datetime | None) -> Collection:
    """What all saved Kubernetes objects tell together: owners, endpoints and events are often saved apart from pods."""
    from diagnose.collectors.kubernetes.objects import collection_of

    sources = list(dict.fromkeys(one.source for one in saved))
    named = ", ".join(sources[:_SHOWN]) + (f" and {len(sources) - _SHOWN} more" if len(sources) > _SHOWN else "")
    collection = collection_of([one.document for one in saved], now, named)
    each = ((document, one.source) for one in saved for document in objects_in(one.document))
    origins = {_key_of_document(document): source for document, source in each} if len(sources) > 1 else {}
    items = {stream: tuple(_at_home(item, origins) for item in found) for stream, found in collection.items.items()}
    return replace(collection, items=items)


def _at_home(item: Item, origins: Mapping[tuple[str, ...], str]) -> Item:
    return replace(
        item, source=origins.get(_key_of_item(item), item.source), subject=replace(item.subject, place=PLACE)
    )


def _key_of_document(document: Json) -> tuple[str, ...]:
    kind = str(document.get("kind"))
    if kind == "Event":
        about = document.get("involvedObject") or document.get("regarding")
        about = about if isinstance(about, Mapping) else {}
        message = document.get("message") or document.get("note")
        return (kind, str(about.get("kind")), str(about.get("name")), str(document.get("reason")), str(message))
    metadata = document.get("metadata")
    return (kind, str(metadata.get("name")) if isinstance(metadata, Mapping) else "")


def _key_of_item(item: Item) -> tuple[str, ...]:
    match item:
        case Event():
            return ("Event", item.kind, item.name, item.reason, item.message)
        case Container():
            return ("Pod", item.subject.pod or "")
        case Condition() | Workload():
            return (item.kind, item.name)
    return (_NAMED.get(type(item), ""), getattr(item, "name", ""))


def facts_of_inspection(document: Json, now: datetime, origin: Origin) -> Iterator[Item]:
    """The container or the image that ``docker inspect`` printed; ages are counted from ``now``.

    Values of environment variables are not kept.
    """
    import msgspec

    from diagnose.collectors.docker_answers import InspectedContainer, InspectedImage
    from diagnose.collectors.docker_items import container_item, container_name, health_items, image_item

    try:
        if "State" not in document:
            image = msgspec.convert(document, InspectedImage, strict=False)
            tags = document.get("RepoTags")
            name = str(tags[0]) if isinstance(tags, list) and tags else image.id
            yield replace(image_item(image, name, origin.subject), source=origin.source)
            return
        answer = msgspec.convert(document, InspectedContainer, strict=False)
    except msgspec.ValidationError:
        return
    subject = Subject(PLACE, container=container_name(answer))
    for item in (container_item(answer, subject, now, None), *health_items(answer.state.health, subject, now)):
        yield replace(item, source=origin.source)


def fact_of_engine(document: Json, origin: Origin) -> Iterator[Item]:
    """The engine that ``docker info --format json`` describes."""
    import msgspec

    from diagnose.collectors.docker_answers import Info
    from diagnose.collectors.docker_items import engine_item, moment

    try:
        info = msgspec.convert(document, Info, strict=False)
    except msgspec.ValidationError:
        return
    time = moment(info.system_time)
    yield replace(engine_item(info, time or datetime.now(UTC)), source=origin.source, subject=origin.subject, time=time)
