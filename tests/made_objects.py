"""Kubernetes objects made by hand, for what no recording shows; plain data, as an API server would send them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from replay import Replay

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes.decode import convert
from diagnose.collectors.kubernetes.kinds import BY_RESOURCE, Objects
from diagnose.collectors.kubernetes.view import View

NAMESPACE = "shop"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Data = dict[str, Any]


def seconds(total: float, **more: float) -> Limits:
    """Limits that end so many seconds from now."""
    return Limits(deadline=time.monotonic() + total, **more)  # type: ignore[arg-type]


def meta(name: str, labels: dict[str, str] | None = None, owner: tuple[str, str] | None = None, **more: Any) -> Data:
    """``metadata``; ``owner`` is a kind and a name."""
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    base = {"name": name, "namespace": NAMESPACE, "creationTimestamp": "2026-11-22T11:00:00Z"}
    return {**base, "uid": f"uid-{name}", "labels": labels or {}, "ownerReferences": owners, **more}


def running(since: str = "2026-11-22T11:00:05Z") -> Data:
    """State of a container that runs."""
    return {"running": {"startedAt": since}}


def ended(code: int = 1, reason: str = "Error", at: str = "2026-11-22T11:59:00Z") -> Data:
    """State of a container that ended."""
    return {"terminated": {"exitCode": code, "reason": reason, "finishedAt": at, "startedAt": at}}


def waiting(reason: str) -> Data:
    """State of a container that waits."""
    return {"waiting": {"reason": reason, "message": f"because of {reason}"}}


def status(name: str = "app", **more: Any) -> Data:
    """A container's status: running and ready unless told otherwise."""
    return {"name": name, "ready": True, "restartCount": 0, "state": running(), "lastState": {}, **more}


def pod(
    name: str = "web-5c6b8885ff-4wwmb",
    labels: dict[str, str] | None = None,
    owner: tuple[str, str] | None = None,
    statuses: list[Data] | None = None,
    spec: Data | None = None,
    container: Data | None = None,
    phase: str = "Running",
    **more: Any,
) -> Data:
    """A pod, healthy unless ``statuses`` say otherwise; ``more`` goes into its metadata."""
    statuses = [status()] if statuses is None else statuses
    ready = bool(statuses) and all(one["ready"] for one in statuses)
    conditions = [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": "True" if ready else "False"},
    ]
    containers = [{"name": "app", "image": "shop/web:1", **(container or {})}]
    return {
        "metadata": meta(name, labels, owner, **more),
        "spec": {"containers": containers, "nodeName": "node-1", "restartPolicy": "Always", **(spec or {})},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": statuses},
    }


def workload(name: str = "web", labels: dict[str, str] | None = None, replicas: int = 1, **more: Any) -> Data:
    """A Deployment, StatefulSet or ReplicaSet that has what it wants; ``more`` replaces whole parts."""
    counts = {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas}
    template = {"metadata": {"labels": labels or {}, "creationTimestamp": None}, "spec": {"containers": []}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels or {}}, "template": template}
    return {"metadata": meta(name, labels), "spec": spec, "status": counts, **more}


def service(name: str = "web", selector: dict[str, str] | None = None, target: int | str = 5001, **spec: Any) -> Data:
    """A Service."""
    ports = [{"port": 80, "targetPort": target}]
    return {"metadata": meta(name), "spec": {"selector": selector or {}, "ports": ports, "type": "ClusterIP", **spec}}


def event(name: str, kind: str = "Pod", reason: str = "BackOff", **more: Any) -> Data:
    """An event of core v1 about an object."""
    about = {"kind": kind, "name": name, "namespace": NAMESPACE}
    return {"metadata": meta(f"{name}.{reason}"), "involvedObject": about, "reason": reason, "message": "...", **more}


def made(**items: list[Data]) -> Objects:
    """The same as the collector has them, by resource."""
    groups: Data = {}
    for resource, group in items.items():
        converted = tuple(convert(one, BY_RESOURCE[resource].item) for one in group)
        assert None not in converted, resource
        groups[resource] = converted
    return Objects(**groups)


def seen(**items: list[Data]) -> View:
    """Objects at noon."""
    return View(made(**items), NOW)


RESOURCES = {
    "api/v1": (
        *("pods", "services", "endpoints", "events", "persistentvolumeclaims", "resourcequotas"),
        "limitranges",
    ),
    "apis/apps/v1": ("deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"),
    "apis/discovery.k8s.io/v1": ("endpointslices",),
    "apis/autoscaling/v2": ("horizontalpodautoscalers",),
    "apis/events.k8s.io/v1": ("events",),
}


def cluster(namespace: str = NAMESPACE, **items: list[Data]) -> Replay:
    """A server with these objects, by resource; the other lists of the namespace are empty."""
    documents: dict[str, Data] = {"/api/v1/nodes": {"kind": "NodeList", "items": items.pop("nodes", [])}}
    documents["/api/v1/namespaces"] = {"kind": "NamespaceList", "items": [{"metadata": {"name": namespace}}]}
    for api, resources in RESOURCES.items():
        for resource in resources:
            found = [] if api.startswith("apis/events") else items.get(resource, [])
            documents[f"/{api}/namespaces/{namespace}/{resource}"] = {"kind": "List", "items": found}
    return Replay(documents=documents)
