"""Deployments, ReplicaSets, StatefulSets and DaemonSets as evidence."""

from __future__ import annotations

from diagnose import streams
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.kinds import AZUREML_LABEL
from diagnose.collectors.kubernetes.owners import revision_number
from diagnose.collectors.kubernetes.view import View, moment


def workloads(view: View) -> tuple[streams.Workload, ...]:
    """One item each; a ReplicaSet has its owner as subject."""
    top = [_workload(view, kind, one, one.metadata.name) for kind, one in view.objects.workloads()]
    made = [_workload(view, "ReplicaSet", one, view.owners.of_replicaset(one).name) for one in view.objects.replicasets]
    return (*top, *made)


def _workload(view: View, kind: str, workload: schema.Workload, top: str) -> streams.Workload:
    meta, status = workload.metadata, workload.status
    desired, replicas, ready, available, updated = counts(kind, workload)
    return streams.Workload(
        source=view.source(meta.namespace, f"get {kind.lower()} {meta.name} -o yaml"),
        subject=view.subject(meta, top),
        time=moment(meta.creation_timestamp),
        kind=kind,
        name=meta.name,
        desired=desired,
        replicas=replicas,
        ready=ready,
        available=available,
        updated=updated,
        short=max(0, desired - available),
        revision=revision_number(workload) or status.update_revision,
        paused=workload.spec.paused,
        images=tuple(container.image for container in workload.spec.template.spec.containers),
        azureml=is_azureml(workload),
    )


def counts(kind: str, workload: schema.Workload) -> tuple[int, int, int, int, int]:
    """Desired, existing, ready, available and updated pods."""
    status = workload.status
    if kind == "DaemonSet":
        return (
            status.desired_number_scheduled,
            status.current_number_scheduled,
            status.number_ready,
            status.number_available,
            status.updated_number_scheduled,
        )
    desired = 1 if workload.spec.replicas is None else workload.spec.replicas
    available = status.available_replicas
    if available is None:  # a StatefulSet before 1.22 does not tell; a zero is left out by all
        available = status.ready_replicas if kind == "StatefulSet" else 0
    return desired, status.replicas, status.ready_replicas, available, status.updated_replicas


def is_azureml(workload: schema.Workload) -> bool:
    """Made by Azure ML, so that azureml-fe scales it."""
    labels = {**workload.spec.template.metadata.labels, **workload.metadata.labels}
    return labels.get(AZUREML_LABEL) == "true"
