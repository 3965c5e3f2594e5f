"""Events of both APIs as evidence, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from diagnose import streams
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.kinds import PLACE
from diagnose.collectors.kubernetes.services import workload_of
from diagnose.collectors.kubernetes.view import View, moment
from diagnose.model import Subject

_CONTAINER = re.compile(r"spec\.\w*[cC]ontainers\{([^}]+)\}")


def about(event: schema.Event) -> schema.Reference:
    """The object it is about."""
    return event.regarding or event.involved_object or schema.Reference()


def times(event: schema.Event) -> int:
    """How often it happened; a count may be null, or stand in a series."""
    series = event.series.count if event.series else None
    return max(1, series or event.count or event.deprecated_count or 1)


def last_seen(event: schema.Event) -> datetime | None:
    """When it happened for the last time."""
    return moment(
        event.series.last_observed_time if event.series else None,
        event.last_timestamp,
        event.deprecated_last_timestamp,
        event.event_time,
        event.first_timestamp,
        event.deprecated_first_timestamp,
        event.metadata.creation_timestamp,
    )


def merged(events: Iterable[schema.Event]) -> tuple[schema.Event, ...]:
    """Each event once: both APIs, and more than one list, may hold the same."""
    by_id: dict[object, schema.Event] = {}
    for event in events:
        meta = event.metadata
        key = meta.uid or (meta.namespace, meta.name) if meta.uid or meta.name else id(event)
        known = by_id.get(key)
        if known is None or times(event) > times(known):
            by_id[key] = event
    return tuple(by_id.values())


def events(view: View) -> tuple[streams.Event, ...]:
    """One item an event, in the order in which they were last seen."""
    items = [_event(view, event) for event in merged(view.objects.events)]
    return tuple(sorted(items, key=lambda item: item.age_s or 0.0, reverse=True))


def _event(view: View, event: schema.Event) -> streams.Event:
    subject, seen = about(event), last_seen(event)
    namespace = event.metadata.namespace or subject.namespace
    return streams.Event(
        source=view.source(namespace, "get events"),
        subject=_subject(view, subject, namespace),
        time=seen,
        reason=event.reason,
        message=event.message or event.note,
        type=event.type,
        kind=subject.kind,
        name=subject.name,
        count=times(event),
        age_s=view.age_s(seen),
    )


def _subject(view: View, reference: schema.Reference, namespace: str) -> Subject:
    kind, name = reference.kind, reference.name
    if kind == "Node":
        return Subject(PLACE)
    owner = view.owners.of_name(namespace, kind, name)
    workload = owner.name if owner else _by_relation(view, kind, namespace, name)
    if kind != "Pod":
        return Subject(PLACE, namespace or None, workload)
    container = _CONTAINER.fullmatch(reference.field_path)
    return Subject(PLACE, namespace or None, workload, name, container[1] if container else None)


def _by_relation(view: View, kind: str, namespace: str, name: str) -> str | None:
    """The workload that an autoscaler scales or a service serves."""
    key = (namespace, name)
    if kind == "HorizontalPodAutoscaler":
        scalers = view.objects.horizontalpodautoscalers
        targets = (s.spec.scale_target_ref for s in scalers if (s.metadata.namespace, s.metadata.name) == key)
        return next((target.name for target in targets), None)
    if kind == "Service":
        found = (s for s in view.objects.services if (s.metadata.namespace, s.metadata.name) == key)
        return next((workload_of(view, service) for service in found), None)
    return None
