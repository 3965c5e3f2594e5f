"""The fields we use of Kubernetes objects, as the API server writes them; everything else is skipped while decoding.

Values of environment variables, Secrets and ConfigMaps are on purpose not among them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

Quantity = str | int | float
"""``500m``, ``64Mi``; a plain number in files written by hand."""
Port = int | str
"""A port number, or the name of a container's port."""


class Base(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """Field names in camel case, unknown fields ignored."""


class Owner(Base, frozen=True):
    """An ``ownerReferences`` entry, or the object a HorizontalPodAutoscaler scales."""

    kind: str = ""
    name: str = ""
    controller: bool = False


class Meta(Base, frozen=True):
    """``metadata`` of any object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    owner_references: list[Owner] = []


class NotedMeta(Meta, frozen=True):
    """``metadata`` of the objects whose annotations matter."""

    annotations: dict[str, str] = {}


class Condition(Base, frozen=True):
    """A condition of any object."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    last_update_time: datetime | None = None


class ContainerPort(Base, frozen=True):
    """A port a container declares."""

    container_port: int = 0
    name: str = ""


class Variable(Base, frozen=True):
    """An environment variable: its name only."""

    name: str = ""


class Resources(Base, frozen=True):
    """What a container asks for and may use."""

    limits: dict[str, Quantity] = {}
    requests: dict[str, Quantity] = {}


class Mount(Base, frozen=True):
    """A folder of a container that is a volume."""

    mount_path: str = ""


class HttpGet(Base, frozen=True):
    """A probe that sends a request."""

    path: str = ""
    port: Port = 0
    scheme: str = "HTTP"


class PortProbe(Base, frozen=True):
    """A probe that only connects (TCP or gRPC)."""

    port: Port = 0


class Exec(Base, frozen=True):
    """A probe that runs a command."""

    command: list[str] = []


class Probe(Base, frozen=True):
    """A probe, with the defaults the API server fills in."""

    http_get: HttpGet | None = None
    tcp_socket: PortProbe | None = None
    grpc: PortProbe | None = None
    exec: Exec | None = None
    initial_delay_seconds: int = 0
    period_seconds: int = 10
    timeout_seconds: int = 1
    failure_threshold: int = 3


class Container(Base, frozen=True):
    """A container as it is wanted."""

    name: str = ""
    image: str = ""
    command: list[str] = []
    args: list[str] = []
    ports: list[ContainerPort] = []
    env: list[Variable] = []
    resources: Resources = Resources()
    volume_mounts: list[Mount] = []
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


class ClaimOfPod(Base, frozen=True):
    """A volume that is a PersistentVolumeClaim."""

    claim_name: str = ""


class Volume(Base, frozen=True):
    """A volume of a pod."""

    name: str = ""
    persistent_volume_claim: ClaimOfPod | None = None


class PodSpec(Base, frozen=True):
    """A pod as it is wanted."""

    containers: list[Container] = []
    init_containers: list[Container] = []
    volumes: list[Volume] = []
    node_name: str = ""
    node_selector: dict[str, str] = {}
    service_account_name: str = ""
    restart_policy: str = ""


class Waiting(Base, frozen=True):
    """A container that does not run yet, or not any more."""

    reason: str = ""
    message: str = ""


class Running(Base, frozen=True):
    """A container that runs."""

    started_at: datetime | None = None


class Terminated(Base, frozen=True):
    """A container that ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class State(Base, frozen=True):
    """One of the three, or none."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Base, frozen=True):
    """A container as it is."""

    name: str = ""
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    ready: bool = False
    restart_count: int = 0
    state: State = State()
    last_state: State = State()


class PodStatus(Base, frozen=True):
    """A pod as it is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    qos_class: str = ""
    conditions: list[Condition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class Pod(Base, frozen=True):
    """v1 Pod."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Template(Base, frozen=True):
    """The pods a workload makes."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()


class ClaimTemplate(Base, frozen=True):
    """The claims a StatefulSet makes."""

    metadata: Meta = Meta()


class WorkloadSpec(Base, frozen=True):
    """What a Deployment, ReplicaSet, StatefulSet or DaemonSet wants."""

    replicas: int | None = None
    paused: bool = False
    template: Template = Template()
    volume_claim_templates: list[ClaimTemplate] = []


class WorkloadStatus(Base, frozen=True):
    """What a Deployment, ReplicaSet, StatefulSet or DaemonSet has."""

    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int | None = None
    updated_replicas: int = 0
    update_revision: str = ""
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    number_ready: int = 0
    number_available: int = 0
    updated_number_scheduled: int = 0
    conditions: list[Condition] = []


class Workload(Base, frozen=True):
    """apps/v1 Deployment, ReplicaSet, StatefulSet or DaemonSet."""

    metadata: NotedMeta = NotedMeta()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Revision(Base, frozen=True):
    """apps/v1 ControllerRevision, without the data."""

    metadata: Meta = Meta()
    revision: int = 0


class ServicePort(Base, frozen=True):
    """A port of a service, and the port of its pods."""

    port: int = 0
    target_port: Port | None = None


class ServiceSpec(Base, frozen=True):
    """A service as it is wanted."""

    type: str = ""
    selector: dict[str, str] = {}
    ports: list[ServicePort] = []


class Ingress(Base, frozen=True):
    """An address a load balancer gave."""

    ip: str = ""
    hostname: str = ""


class LoadBalancer(Base, frozen=True):
    """What a load balancer gave."""

    ingress: list[Ingress] = []


class ServiceStatus(Base, frozen=True):
    """A service as it is."""

    load_balancer: LoadBalancer = LoadBalancer()


class Service(Base, frozen=True):
    """v1 Service."""

    metadata: Meta = Meta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class Reference(Base, frozen=True):
    """The object something is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    field_path: str = ""


class Address(Base, frozen=True):
    """An address of v1 Endpoints."""

    ip: str = ""
    target_ref: Reference | None = None


class Subset(Base, frozen=True):
    """A group of addresses; the server leaves out or writes null for an empty one."""

    addresses: list[Address] | None = None
    not_ready_addresses: list[Address] | None = None


class Endpoints(Base, frozen=True):
    """v1 Endpoints."""

    metadata: Meta = Meta()
    subsets: list[Subset] | None = None


class EndpointConditions(Base, frozen=True):
    """``ready: null`` means ready."""

    ready: bool | None = None


class Endpoint(Base, frozen=True):
    """An endpoint of a slice."""

    addresses: list[str] | None = None
    conditions: EndpointConditions = EndpointConditions()
    target_ref: Reference | None = None


class EndpointSlice(Base, frozen=True):
    """discovery.k8s.io/v1 or v1beta1 EndpointSlice."""

    metadata: Meta = Meta()
    endpoints: list[Endpoint] | None = None


class Series(Base, frozen=True):
    """Repetitions of an event."""

    count: int | None = None
    last_observed_time: datetime | None = None


class Event(Base, frozen=True):
    """An Event of core v1 or of events.k8s.io/v1, which name the same things differently."""

    metadata: Meta = Meta()
    involved_object: Reference | None = None
    regarding: Reference | None = None
    reason: str = ""
    message: str = ""
    note: str = ""
    type: str = "Normal"
    count: int | None = None
    deprecated_count: int | None = None
    series: Series | None = None
    event_time: datetime | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    deprecated_first_timestamp: datetime | None = None
    deprecated_last_timestamp: datetime | None = None


class AutoscalerSpec(Base, frozen=True):
    """What a HorizontalPodAutoscaler may do."""

    scale_target_ref: Owner = Owner()
    min_replicas: int | None = None
    max_replicas: int = 1


class AutoscalerStatus(Base, frozen=True):
    """What a HorizontalPodAutoscaler did."""

    current_replicas: int | None = None
    desired_replicas: int | None = None
    conditions: list[Condition] | None = None


class Autoscaler(Base, frozen=True):
    """HorizontalPodAutoscaler of autoscaling/v2, v2beta2 or v1: the same in these fields."""

    metadata: Meta = Meta()
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()


class ClaimSpec(Base, frozen=True):
    """A claim as it is wanted."""

    storage_class_name: str = ""
    resources: Resources = Resources()


class ClaimStatus(Base, frozen=True):
    """A claim as it is."""

    phase: str = ""


class Claim(Base, frozen=True):
    """v1 PersistentVolumeClaim."""

    metadata: Meta = Meta()
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class QuotaSpec(Base, frozen=True):
    """What a quota allows."""

    hard: dict[str, Quantity] = {}


class QuotaStatus(Base, frozen=True):
    """What of it is used."""

    hard: dict[str, Quantity] = {}
    used: dict[str, Quantity] = {}


class Quota(Base, frozen=True):
    """v1 ResourceQuota."""

    metadata: Meta = Meta()
    spec: QuotaSpec = QuotaSpec()
    status: QuotaStatus = QuotaStatus()


class Limit(Base, frozen=True):
    """One limit, for pods, containers or claims."""

    type: str = ""
    min: dict[str, Quantity] = {}
    max: dict[str, Quantity] = {}


class LimitRangeSpec(Base, frozen=True):
    """The limits."""

    limits: list[Limit] = []


class LimitRange(Base, frozen=True):
    """v1 LimitRange."""

    metadata: Meta = Meta()
    spec: LimitRangeSpec = LimitRangeSpec()


class Taint(Base, frozen=True):
    """What keeps pods off a node."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Base, frozen=True):
    """A node as it is wanted."""

    unschedulable: bool = False
    taints: list[Taint] = []


class NodeInfo(Base, frozen=True):
    """What the kubelet says of the machine."""

    architecture: str = ""


class NodeStatus(Base, frozen=True):
    """A node as it is."""

    allocatable: dict[str, Quantity] = {}
    conditions: list[Condition] = []
    node_info: NodeInfo = NodeInfo()


class Node(Base, frozen=True):
    """v1 Node."""

    metadata: Meta = Meta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class InferenceServiceStatus(Base, frozen=True):
    """What KServe says."""

    conditions: list[Condition] = []


class InferenceService(Base, frozen=True):
    """serving.kserve.io/v1beta1 InferenceService."""

    metadata: Meta = Meta()
    status: InferenceServiceStatus = InferenceServiceStatus()


class Namespace(Base, frozen=True):
    """v1 Namespace."""

    metadata: Meta = Meta()


T = TypeVar("T")


class ListMeta(msgspec.Struct, frozen=True):
    """``metadata`` of a list."""

    token: str = msgspec.field(name="continue", default="")


class ListOf(msgspec.Struct, Generic[T], frozen=True):
    """A list of objects; ``items`` stays unset when the answer is no list at all, and null means empty."""

    metadata: ListMeta = ListMeta()
    items: list[T] | msgspec.UnsetType | None = msgspec.UNSET


class Status(msgspec.Struct, frozen=True):
    """v1 Status: how the API server says no."""

    message: str = ""
