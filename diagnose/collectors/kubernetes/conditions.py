"""Conditions of pods, workloads, autoscalers and InferenceServices as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diagnose import streams
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.view import View, moment
from diagnose.model import Subject


def conditions(view: View) -> tuple[streams.Condition, ...]:
    """One item a condition."""
    return tuple(_all(view))


def _all(view: View) -> Iterator[streams.Condition]:
    objects = view.objects
    for pod in objects.pods:
        yield from _of(view, "Pod", pod.metadata, view.pod_subject(pod), pod.status.conditions)
    for kind, one in objects.workloads():
        yield from _of(view, kind, one.metadata, view.subject(one.metadata, one.metadata.name), one.status.conditions)
    for one in objects.replicasets:
        top = view.owners.of_replicaset(one).name
        yield from _of(view, "ReplicaSet", one.metadata, view.subject(one.metadata, top), one.status.conditions)
    for scaler in objects.horizontalpodautoscalers:
        subject = view.subject(scaler.metadata, scaler.spec.scale_target_ref.name)
        found = scaler.status.conditions or ()
        yield from _of(view, "HorizontalPodAutoscaler", scaler.metadata, subject, found)
    for service in objects.inferenceservices:
        subject = view.subject(service.metadata)
        yield from _of(view, "InferenceService", service.metadata, subject, service.status.conditions)


def _of(
    view: View, kind: str, meta: schema.Meta, subject: Subject, found: Iterable[schema.Condition]
) -> Iterator[streams.Condition]:
    source = view.source(meta.namespace, f"get {kind.lower()} {meta.name} -o yaml")
    for one in found:
        yield streams.Condition(
            source=source,
            subject=subject,
            time=moment(one.last_transition_time, one.last_update_time),
            kind=kind,
            name=meta.name,
            type=one.type,
            status=one.status,
            reason=one.reason,
            message=one.message,
        )
