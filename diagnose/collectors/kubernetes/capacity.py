"""What limits a service: autoscalers, claims, quotas, limit ranges and nodes, as evidence."""

from __future__ import annotations

from collections.abc import Iterator

from diagnose import streams
from diagnose.collectors.kubernetes import quantities, schema
from diagnose.collectors.kubernetes.kinds import PLACE
from diagnose.collectors.kubernetes.view import View, condition, moment
from diagnose.model import Subject

_GPUS = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915")
_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")


def autoscalers(view: View) -> tuple[streams.Autoscaler, ...]:
    """One item a HorizontalPodAutoscaler."""
    return tuple(_autoscaler(view, one) for one in view.objects.horizontalpodautoscalers)


def _autoscaler(view: View, one: schema.Autoscaler) -> streams.Autoscaler:
    meta, target = one.metadata, one.spec.scale_target_ref
    desired, most = one.status.desired_replicas or 0, one.spec.max_replicas
    return streams.Autoscaler(
        source=view.source(meta.namespace, f"get hpa {meta.name} -o yaml"),
        subject=view.subject(meta, target.name),
        time=moment(meta.creation_timestamp),
        name=meta.name,
        target=f"{target.kind}/{target.name}",
        min_replicas=1 if one.spec.min_replicas is None else one.spec.min_replicas,
        max_replicas=most,
        current=one.status.current_replicas or 0,
        desired=desired,
        at_max=desired >= most > 0,
    )


def claims(view: View) -> tuple[streams.Claim, ...]:
    """One item a PersistentVolumeClaim."""
    return tuple(
        streams.Claim(
            source=view.source(one.metadata.namespace, f"get pvc {one.metadata.name} -o yaml"),
            subject=view.subject(one.metadata),
            time=moment(one.metadata.creation_timestamp),
            name=one.metadata.name,
            phase=one.status.phase,
            storage_class=one.spec.storage_class_name,
            requested=str(one.spec.resources.requests.get("storage", "")),
        )
        for one in view.objects.persistentvolumeclaims
    )


def quotas(view: View) -> tuple[streams.Quota, ...]:
    """One item a resource of each ResourceQuota."""
    return tuple(item for one in view.objects.resourcequotas for item in _quota(view, one))


def _quota(view: View, one: schema.Quota) -> Iterator[streams.Quota]:
    for resource, hard in (one.status.hard or one.spec.hard).items():
        used = one.status.used.get(resource, "")
        yield streams.Quota(
            source=view.source(one.metadata.namespace, f"get resourcequota {one.metadata.name} -o yaml"),
            subject=view.subject(one.metadata),
            name=one.metadata.name,
            resource=resource,
            hard=str(hard),
            used=str(used),
            ratio_used=_ratio(quantities.number(used), quantities.number(hard)),
        )


def _ratio(used: float | None, hard: float | None) -> float | None:
    """Where nothing is allowed, all of it is used."""
    if used is None or hard is None:
        return None
    return round(used / hard, 4) if hard else 1.0


def limits(view: View) -> tuple[streams.LimitRange, ...]:
    """One item a resource of each limit."""
    return tuple(
        streams.LimitRange(
            source=view.source(one.metadata.namespace, f"get limitrange {one.metadata.name} -o yaml"),
            subject=view.subject(one.metadata),
            name=one.metadata.name,
            type=limit.type,
            resource=resource,
            minimum=str(limit.min.get(resource, "")),
            maximum=str(limit.max.get(resource, "")),
        )
        for one in view.objects.limitranges
        for limit in one.spec.limits
        for resource in sorted({*limit.min, *limit.max})
    )


def nodes(view: View) -> tuple[streams.Node, ...]:
    """One item a node."""
    return tuple(_node(view, one) for one in view.objects.nodes)


def _node(view: View, one: schema.Node) -> streams.Node:
    meta, status = one.metadata, one.status
    ready = condition(status.conditions, "Ready")
    pressures = {found.type for found in status.conditions if found.status == "True"}
    return streams.Node(
        source=view.file or f"kubectl get node {meta.name} -o yaml",
        subject=Subject(PLACE),
        time=moment(ready.last_transition_time if ready else None),
        name=meta.name,
        ready=ready.status if ready else "Unknown",
        unschedulable=one.spec.unschedulable,
        taints=tuple(f"{taint.key}={taint.value}:{taint.effect}" for taint in one.spec.taints),
        cpu_allocatable=quantities.cores(status.allocatable),
        memory_allocatable_mib=quantities.mebibytes(status.allocatable),
        gpus=sum(int(quantities.number(status.allocatable.get(gpu)) or 0) for gpu in _GPUS),
        architecture=status.node_info.architecture or meta.labels.get("kubernetes.io/arch", ""),
        memory_pressure="MemoryPressure" in pressures,
        disk_pressure="DiskPressure" in pressures,
        pid_pressure="PIDPressure" in pressures,
        instance_type=next((meta.labels[label] for label in _TYPE_LABELS if label in meta.labels), ""),
    )
