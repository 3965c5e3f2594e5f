"""What a service name means in a namespace, and which objects belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from diagnose.collectors.kubernetes import schema, workloads
from diagnose.collectors.kubernetes.events import about
from diagnose.collectors.kubernetes.kinds import ENDPOINT_LABEL, KSERVE_LABEL, V1_LABEL, Objects
from diagnose.collectors.kubernetes.owners import Owner, Owners, controller
from diagnose.collectors.kubernetes.pods import is_well
from diagnose.collectors.kubernetes.view import View, selects

LABELS = ("app", "app.kubernetes.io/name")
"""What many put on their pods; the weakest of all meanings."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A service, found in a namespace."""

    namespace: str
    service: str
    meaning: str
    """How the name was understood, in words."""
    weak: bool
    """Only a label that anybody may use says so."""
    workloads: frozenset[Owner]
    """What makes its pods; empty where only a Service or an InferenceService of that name is there."""


def resolve(objects: Objects, namespace: str, name: str) -> Scope | None:
    """The first thing ``name`` can mean among the objects of one namespace."""
    for meaning, weak, owners in _meanings(objects, Owners(objects), name):
        if owners is not None:
            return Scope(namespace, name, meaning, weak, frozenset(owners))
    return None


def _meanings(objects: Objects, owners: Owners, name: str) -> Iterator[tuple[str, bool, set[Owner] | None]]:
    for label in (ENDPOINT_LABEL, V1_LABEL):
        yield f"label {label}", False, _labelled(objects, owners, label, name) or None
    yield "workload", False, _named(objects, owners, name) or None
    services = [one for one in objects.services if one.metadata.name == name]
    yield "Service", False, {o for one in services for o in _selected(objects, owners, one)} or None
    yield "InferenceService", False, _labelled(objects, owners, KSERVE_LABEL, name) or None
    for label in LABELS:
        yield f"label {label}", not services, _labelled(objects, owners, label, name) or None
    yield "Service without pods", False, set() if services else None
    alone = any(one.metadata.name == name for one in objects.inferenceservices)
    yield "InferenceService without pods", False, set() if alone else None


def _labelled(objects: Objects, owners: Owners, label: str, value: str) -> set[Owner]:
    found = {owners.of_pod(pod) for pod in objects.pods if pod.metadata.labels.get(label) == value}
    for kind, workload in objects.workloads():
        labels = (workload.metadata.labels, workload.spec.template.metadata.labels)
        if any(one.get(label) == value for one in labels):
            found.add(Owner(kind, workload.metadata.name))
    return found


def _named(objects: Objects, owners: Owners, name: str) -> set[Owner]:
    found = {Owner(kind, name) for kind, workload in objects.workloads() if workload.metadata.name == name}
    return found | {owner for owner in map(owners.of_pod, objects.pods) if owner.name == name}


def _selected(objects: Objects, owners: Owners, service: schema.Service) -> set[Owner]:
    return {owners.of_pod(pod) for pod in objects.pods if selects(service.spec.selector, pod.metadata.labels)}


def names(objects: Objects) -> set[str]:
    """Names by which a service can be asked for, for "did you mean"."""
    metas = [one.metadata for one in (*objects.deployments, *objects.statefulsets)]
    named = {meta.name for meta in metas} | {one.metadata.name for one in objects.inferenceservices}
    labels = [meta.labels for meta in metas] + [pod.metadata.labels for pod in objects.pods]
    return named | {one[label] for one in labels for label in (ENDPOINT_LABEL, V1_LABEL) if one.get(label)}


def belonging(objects: Objects, scope: Scope) -> Objects:
    """What belongs to the service of the objects of its namespace, and what limits it: quotas, limit ranges, nodes."""
    owners = Owners(objects)
    pods = tuple(pod for pod in objects.pods if owners.of_pod(pod) in scope.workloads)
    mine = {kind: _mine(objects, kind, scope) for kind in ("Deployment", "StatefulSet", "DaemonSet")}
    makers = [one for group in mine.values() for one in group]
    found = replace(
        objects,
        pods=pods,
        deployments=mine["Deployment"],
        statefulsets=mine["StatefulSet"],
        daemonsets=mine["DaemonSet"],
        replicasets=tuple(one for one in objects.replicasets if owners.of_replicaset(one) in scope.workloads),
        services=tuple(one for one in objects.services if _serves(one, scope, pods, makers)),
        inferenceservices=tuple(one for one in objects.inferenceservices if _infers(one, scope, pods)),
        horizontalpodautoscalers=tuple(one for one in objects.horizontalpodautoscalers if _scales(one, scope)),
        persistentvolumeclaims=tuple(_claims(objects, pods, makers)),
    )
    return _with_events(found, owners, scope)


def _mine(objects: Objects, kind: str, scope: Scope) -> tuple[schema.Workload, ...]:
    there = ((k, one) for k, one in objects.workloads() if k == kind)
    return tuple(one for _, one in there if Owner(kind, one.metadata.name) in scope.workloads)


def _serves(
    service: schema.Service, scope: Scope, pods: Iterable[schema.Pod], makers: Iterable[schema.Workload]
) -> bool:
    """It selects pods of the service, or would if there were any, or is named like it."""
    if service.metadata.name in {scope.service, *(owner.name for owner in scope.workloads)}:
        return True
    labels = [pod.metadata.labels for pod in pods] + [one.spec.template.metadata.labels for one in makers]
    return any(selects(service.spec.selector, one) for one in labels)


def _infers(one: schema.InferenceService, scope: Scope, pods: Iterable[schema.Pod]) -> bool:
    return one.metadata.name in {scope.service, *(pod.metadata.labels.get(KSERVE_LABEL) for pod in pods)}


def _scales(one: schema.Autoscaler, scope: Scope) -> bool:
    return Owner(one.spec.scale_target_ref.kind, one.spec.scale_target_ref.name) in scope.workloads


def _claims(objects: Objects, pods: Iterable[schema.Pod], makers: Iterable[schema.Workload]) -> Iterator[schema.Claim]:
    specs = [pod.spec for pod in pods] + [one.spec.template.spec for one in makers]
    volumes = (volume.persistent_volume_claim for spec in specs for volume in spec.volumes)
    named = {claim.claim_name for claim in volumes if claim}
    made = [
        re.compile(rf"{re.escape(template.metadata.name)}-{re.escape(one.metadata.name)}-\d+")
        for one in makers
        for template in one.spec.volume_claim_templates
    ]
    for claim in objects.persistentvolumeclaims:
        name = claim.metadata.name
        if name in named or any(pattern.fullmatch(name) for pattern in made):
            yield claim


def _with_events(found: Objects, owners: Owners, scope: Scope) -> Objects:
    """Only the events about these objects, about the nodes they run on, and about pods that are gone."""
    related = {
        *(("HorizontalPodAutoscaler", one.metadata.name) for one in found.horizontalpodautoscalers),
        *(("PersistentVolumeClaim", one.metadata.name) for one in found.persistentvolumeclaims),
        *(("InferenceService", one.metadata.name) for one in found.inferenceservices),
        *((kind, one.metadata.name) for one in found.services for kind in ("Service", "Endpoints")),
        *(("Node", pod.spec.node_name) for pod in found.pods),
        *((owner.kind, owner.name) for owner in scope.workloads),
    }
    makers = {owner.name for pod in found.pods if (owner := controller(pod.metadata))}

    def concerns(event: schema.Event) -> bool:
        subject = about(event)
        if (subject.kind, subject.name) in related:
            return True
        if subject.kind not in ("Pod", "ReplicaSet"):
            return False
        if owners.of_name(scope.namespace, subject.kind, subject.name) in scope.workloads:
            return True
        return subject.kind == "Pod" and subject.name.rpartition("-")[0] in makers

    return replace(found, events=tuple(event for event in found.events if concerns(event)))


def unwell(view: View) -> bool:
    """Something of the service lacks replicas, is not ready, crashed lately, or has a Service that leads nowhere."""
    if any(item.short for item in workloads.workloads(view)):
        return True
    alive = [one for one in view.objects.pods if one.metadata.deletion_timestamp is None]
    running = [pod for pod in alive if pod.status.phase not in ("Succeeded", "Failed")]
    if not all(is_well(view, pod) for pod in running):
        return True
    selectors = [one.spec.selector for one in view.objects.services if one.spec.selector]
    return any(not any(selects(selector, pod.metadata.labels) for pod in running) for selector in selectors)
