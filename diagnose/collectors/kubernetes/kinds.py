"""The kinds of Kubernetes objects we read, where the API has them, and which streams they fill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diagnose.collectors.kubernetes import schema

PLACE = "kubernetes"

ENDPOINT_LABEL = "ml.azure.com/endpoint-name"
DEPLOYMENT_LABEL = "ml.azure.com/deployment-name"
V1_LABEL = "azuremlappname"
AZUREML_LABEL = "isazuremlapp"
KSERVE_LABEL = "serving.kserve.io/inferenceservice"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object."""

    name: str
    resource: str
    """Its name in paths and in RBAC rules; its field of Objects too."""
    item: type[Any]
    streams: tuple[str, ...]
    """Those that lack something when such objects can not be listed."""
    apis: tuple[str, ...]
    """Group versions it may be served under, the newest first."""
    in_namespace: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Objects by kind. ``None`` for endpoints or slices: they are not known, which is not the same as none."""

    pods: tuple[schema.Pod, ...] = ()
    deployments: tuple[schema.Workload, ...] = ()
    replicasets: tuple[schema.Workload, ...] = ()
    statefulsets: tuple[schema.Workload, ...] = ()
    daemonsets: tuple[schema.Workload, ...] = ()
    controllerrevisions: tuple[schema.Revision, ...] = ()
    services: tuple[schema.Service, ...] = ()
    endpoints: tuple[schema.Endpoints, ...] | None = None
    endpointslices: tuple[schema.EndpointSlice, ...] | None = None
    inferenceservices: tuple[schema.InferenceService, ...] = ()
    events: tuple[schema.Event, ...] = ()
    horizontalpodautoscalers: tuple[schema.Autoscaler, ...] = ()
    persistentvolumeclaims: tuple[schema.Claim, ...] = ()
    resourcequotas: tuple[schema.Quota, ...] = ()
    limitranges: tuple[schema.LimitRange, ...] = ()
    nodes: tuple[schema.Node, ...] = ()

    def workloads(self) -> Iterator[tuple[str, schema.Workload]]:
        """Those at the top, each with its kind: no ReplicaSets."""
        yield from (("Deployment", one) for one in self.deployments)
        yield from (("StatefulSet", one) for one in self.statefulsets)
        yield from (("DaemonSet", one) for one in self.daemonsets)


_CORE = ("api/v1",)
_APPS = ("apis/apps/v1",)
_STATES = ("workloads", "conditions")

KINDS = (
    Kind("Pod", "pods", schema.Pod, ("pods", "containers", "logs.container", "conditions"), _CORE),
    Kind("Deployment", "deployments", schema.Workload, _STATES, _APPS),
    Kind("StatefulSet", "statefulsets", schema.Workload, _STATES, _APPS),
    Kind("DaemonSet", "daemonsets", schema.Workload, _STATES, _APPS),
    Kind("ReplicaSet", "replicasets", schema.Workload, _STATES, _APPS),
    Kind("ControllerRevision", "controllerrevisions", schema.Revision, ("pods",), _APPS),
    Kind("Service", "services", schema.Service, ("services",), _CORE),
    Kind("Endpoints", "endpoints", schema.Endpoints, ("services",), _CORE),
    Kind(
        "EndpointSlice",
        "endpointslices",
        schema.EndpointSlice,
        ("services",),
        ("apis/discovery.k8s.io/v1", "apis/discovery.k8s.io/v1beta1"),
    ),
    Kind(
        "InferenceService",
        "inferenceservices",
        schema.InferenceService,
        ("conditions",),
        ("apis/serving.kserve.io/v1beta1",),
    ),
    Kind("Event", "events", schema.Event, ("events",), _CORE),
    Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        schema.Autoscaler,
        ("autoscalers",),
        ("apis/autoscaling/v2", "apis/autoscaling/v2beta2", "apis/autoscaling/v1"),
    ),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", schema.Claim, ("claims",), _CORE),
    Kind("ResourceQuota", "resourcequotas", schema.Quota, ("quotas",), _CORE),
    Kind("LimitRange", "limitranges", schema.LimitRange, ("limits",), _CORE),
    Kind("Node", "nodes", schema.Node, ("nodes",), _CORE, in_namespace=False),
)

BY_NAME = {kind.name: kind for kind in KINDS}
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
