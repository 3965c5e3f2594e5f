"""The catalogue of evidence streams: each name with the type of its items, against which rules are checked."""

from __future__ import annotations

from dataclasses import dataclass

from diagnose.azure_items import (
    Access,
    AccessPolicy,
    Cluster,
    Compute,
    ContainerGroup,
    Endpoint,
    Identity,
    ImageBuild,
    OnlineDeployment,
    Operation,
    Refusal,
    Registry,
    RequestMinute,
    RoleAssignment,
    Vault,
    VaultWrite,
    WebService,
    Workspace,
    WorkspaceProblem,
)
from diagnose.model import Item, Line

_QUOTED = 120
"""Characters of a message that are quoted within a line that tells more."""
_QUOTED_ERROR = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Item):
    """State of a container, of Kubernetes (init or not) or of Docker alike."""

    name: str
    kind: str = "app"
    """``app`` or ``init``."""
    image: str = ""
    image_id: str = ""
    """What the image name stood for when it was pulled: ``sha256:...`` or ``repository@sha256:...``, as far as told."""
    state: str = "unknown"
    """``waiting``, ``running``, ``terminated``, ``created`` (Docker: never started) or ``unknown``."""
    reason: str = ""
    """Of the present state: ``CrashLoopBackOff``, ``ImagePullBackOff``, ``OOMKilled`` ..."""
    message: str = ""
    ready: bool | None = None
    """Kubernetes readiness; Docker: health check passed, ``None`` without a health check."""
    restarts: int = 0
    running_s: float | None = None
    """Seconds since the present run started."""
    stable: bool = False
    """Running, ready (or without a probe), and either never restarted or up for ten minutes: then the kubelet forgets
    its back-off."""
    exit_code: int | None = None
    """Of the latest end, be it the present state or the last one before."""
    end_reason: str = ""
    """Of the latest end: ``OOMKilled``, ``Error``, ``Completed``, ``ContainerCannotRun``, ``StartError``."""
    end_message: str = ""
    ended_s: float | None = None
    """Seconds since the latest end."""
    oom_killed: bool = False
    error: str = ""
    """Docker only: ``State.Error``, the engine's own reason why the container did not start."""
    memory_limit_mib: float | None = None
    memory_request_mib: float | None = None
    cpu_limit: float | None = None
    """Cores."""
    cpu_request: float | None = None
    ports: tuple[int, ...] = ()
    """Container ports that are declared."""
    published: tuple[str, ...] = ()
    """Docker only: ``host:container`` port pairs."""
    environment: tuple[str, ...] = ()
    """Names of environment variables; their values are never collected."""
    mounts: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    readiness_probe: str = ""
    """In words: ``http-get :5001/ delay 5s period 5s timeout 1s failures 3``; empty without one."""
    liveness_probe: str = ""
    startup_probe: str = ""
    liveness_allows_s: float | None = None
    """Seconds from start until the liveness probe kills a container that never answers."""
    restart_policy: str = ""

    def text(self) -> str:
        ended = f"{self.end_reason or 'ended'}, exit code {self.exit_code}" if self.exit_code is not None else ""
        told = (
            f"{self.kind} container {self.name}: {' '.join(filter(None, (self.state, self.reason)))}",
            f"error: {self.error[:_QUOTED_ERROR]}" if self.error else "",
            f"latest end: {ended or self.end_reason}" if ended or self.end_reason else "",
            "OOMKilled" if self.oom_killed and "OOMKilled" not in (self.reason, self.end_reason) else "",
            f"{self.restarts} restarts" if self.restarts else "",
            "not ready" if self.ready is False else "",
            f"memory limit {self.memory_limit_mib:g} MiB" if self.memory_limit_mib else "",
            self.message[:_QUOTED],
            self.end_message[:_QUOTED],
            f"readiness {self.readiness_probe}" if self.readiness_probe else "",
            f"liveness {self.liveness_probe}" if self.liveness_probe else "",
            f"image {self.image}" if self.image else "",
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod(Item):
    """State of a pod."""

    name: str
    phase: str = ""
    reason: str = ""
    message: str = ""
    node: str = ""
    ready: bool = False
    scheduled: bool | None = None
    unschedulable_message: str = ""
    initialized: bool | None = None
    deleting: bool = False
    age_s: float | None = None
    owner: str = ""
    """``ReplicaSet/churn-5c6b8885ff``; empty for a bare pod."""
    revision: str = ""
    """``pod-template-hash`` or ``controller-revision-hash``."""
    current: bool | None = None
    """Belongs to the newest revision of its workload."""
    qos: str = ""
    service_account: str = ""
    node_selector: str = ""
    azureml_deployment: str = ""
    """Value of the label ``ml.azure.com/deployment-name``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Item):
    """A condition of a Kubernetes object. ``status`` is the string ``"True"``, ``"False"`` or ``"Unknown"``."""

    kind: str
    name: str
    type: str
    status: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Item):
    """A Kubernetes event of either API, a Docker event, or one line of an event table."""

    reason: str
    message: str = ""
    type: str = "Normal"
    """``Normal`` or ``Warning``."""
    kind: str = ""
    """Kind of the object it is about: ``Pod``, ``ReplicaSet`` ..."""
    name: str = ""
    count: int = 1
    """Occurrences; a null count or a series is resolved by the collector."""
    age_s: float | None = None
    """Seconds since it was last seen."""

    def text(self) -> str:
        times = f" (x{self.count})" if self.count > 1 else ""
        return f"{self.type} {self.reason} {self.kind}/{self.name}{times}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(Item):
    """A Deployment, StatefulSet, DaemonSet or ReplicaSet with what it wants and what it has."""

    kind: str
    name: str
    desired: int = 0
    replicas: int = 0
    """Pods that exist."""
    ready: int = 0
    available: int = 0
    updated: int = 0
    short: int = 0
    """desired - available, not below 0."""
    revision: str = ""
    paused: bool = False
    images: tuple[str, ...] = ()
    azureml: bool = False
    """Labelled ``isazuremlapp=true``: azureml-fe scales it, so no HorizontalPodAutoscaler may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Item):
    """A Kubernetes Service and the pods behind it."""

    name: str
    type: str = ""
    selector: str = ""
    """``app=churn,tier=web``; empty for a service without one."""
    pods_selected: int = 0
    """Pods of this workload that the selector matches."""
    pods_of_workload: int = 0
    endpoints_ready: int | None = None
    """Addresses in Endpoints or EndpointSlices; None when neither could be read."""
    endpoints_not_ready: int | None = None
    ports: tuple[str, ...] = ()
    """``80->5001``."""
    port_unserved: str = ""
    """A target port that no container of the selected pods declares, when containers declare ports at all."""
    load_balancer_pending: bool = False
    labels_of_pods: str = ""
    """Labels of the workload's pods, to compare with ``selector``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler(Item):
    """A HorizontalPodAutoscaler, of whichever API version the cluster serves."""

    name: str
    target: str = ""
    min_replicas: int = 1
    max_replicas: int = 1
    current: int = 0
    desired: int = 0
    at_max: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(Item):
    """A PersistentVolumeClaim."""

    name: str
    phase: str = ""
    storage_class: str = ""
    requested: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(Item):
    """One resource of a ResourceQuota."""

    name: str
    resource: str
    hard: str = ""
    used: str = ""
    ratio_used: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRange(Item):
    """One limit of a LimitRange."""

    name: str
    type: str
    resource: str
    minimum: str = ""
    maximum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Item):
    """A node of the cluster."""

    name: str
    ready: str = "Unknown"
    """Status of condition Ready: the string ``"True"``, ``"False"`` or ``"Unknown"``."""
    unschedulable: bool = False
    taints: tuple[str, ...] = ()
    """``key=value:effect``."""
    cpu_allocatable: float | None = None
    """Cores."""
    memory_allocatable_mib: float | None = None
    gpus: int = 0
    architecture: str = ""
    memory_pressure: bool = False
    disk_pressure: bool = False
    pid_pressure: bool = False
    instance_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(Item):
    """The Docker Engine."""

    version: str = ""
    os_type: str = ""
    """``linux`` or ``windows``: the kind of containers it runs."""
    architecture: str = ""
    memory_mib: float | None = None
    cpus: int | None = None
    gpu_runtime: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Item):
    """An image as the engine knows it."""

    name: str
    id: str = ""
    architecture: str = ""
    os: str = ""
    size_mib: float | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    exposed_ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traceback(Item):
    """A Python traceback found in any log."""

    exception: str
    """Dotted name as printed, of the exception at the bottom of the chain: where it began."""
    message: str = ""
    """First line of its message; further lines follow after a newline, at most 20."""
    phase: str = "other"
    """``import``, ``init``, ``run``: of the user's script; ``server``: in the model server itself; ``other``."""
    file: str = ""
    """The user's own frame, deepest one: file as printed."""
    file_line: int | None = None
    function: str = ""
    code: str = ""
    """The source line Python printed for it."""
    raised_in: str = ""
    """File of the deepest frame of all, where the exception was raised; often a library."""
    raised_line: int | None = None
    raised_function: str = ""
    wrapped_by: tuple[str, ...] = ()
    """Exceptions further up the chain (``... was the direct cause of ...``), in order."""
    logged_as: str = ""
    """``warning`` when the log line it hangs on says the program went on; ``error`` otherwise."""
    fatal: bool = False
    """The process or worker ended with it."""
    recovered: bool = False
    """The same log shows later that the stage was passed: init completed, worker ready."""
    stream: str = ""
    """Text stream it was found in."""
    run: str = "current"

    def text(self) -> str:
        at = f"{self.file} line {self.file_line}, in {self.function}: " if self.file else ""
        name = self.exception.rpartition(".")[2]
        told = " ".join(self.message.split()).removeprefix(f"{name}: ")
        return f"{at}{name}: {told if len(told) <= _QUOTED else told[:_QUOTED] + ' ...'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRun(Item):
    """What one log tells of the model server that wrote it (gunicorn, azmlinfsrv, the v1 server and others)."""

    boots: int = 0
    """``Booting worker with pid`` lines."""
    init_invoked: int = 0
    init_completed: int = 0
    init_failed: int = 0
    ready: int = 0
    """Times a worker was ready for traffic."""
    killed: int = 0
    """Workers that died of SIGKILL or signal 9."""
    timeouts: int = 0
    """``WORKER TIMEOUT`` lines."""
    served: int = 0
    """Requests to the scoring route answered with 2xx."""
    failed: int = 0
    """Requests to the scoring route answered with 5xx."""
    failed_last: bool = False
    """The last request to the scoring route was answered with 5xx."""
    probed: int = 0
    """Health requests answered with 200."""
    ready_line: int | None = None
    """Line of the last sign that init() was through or a worker ready."""
    ends: str = "unknown"
    """How the log ends: ``ready``, ``initialising``, ``failed``, ``stopped`` (asked to end, after having been ready)
    or ``unknown``."""
    entry_script: str = ""
    model_dir: str = ""
    model_dir_contents: tuple[str, ...] = ()
    """Lines the server printed under ``Model Directory Contents:``."""
    listening: str = ""
    """``0.0.0.0:5001``."""
    worker_timeout_s: float | None = None
    version: str = ""
    init_s: float | None = None
    """Seconds from the last ``Invoking user's init function`` to its completion, or to the end of the log when it
    never completed."""
    run: str = "current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Item):
    """An HTTP answer that a client saved (``curl -i``, an SDK's error text)."""

    status: int
    server: str = ""
    run_failed: str = ""
    """Header ``x-ms-run-function-failed``: ``True``, ``False``, or empty without it."""
    content_type: str = ""
    body: str = ""
    """At most 4 KB."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of evidence."""

    name: str
    item: type[Item]
    title: str
    """What it is, in words: fills "could not read <title>"."""
    vital: bool = False
    """Without it nobody can call a running service healthy."""
    derived: bool = False
    """Computed from the logs, not collected: it is there when any log is."""

    @property
    def is_text(self) -> bool:
        """True for logs, whose items are lines."""
        return self.item is Line


_ALL = (
    Stream("logs.container", Line, "container logs", vital=True),
    Stream("logs.build", Line, "image build logs"),
    Stream("logs.router", Line, "azureml-fe logs"),
    Stream("logs.deployment", Line, "error texts of SDK, CLI and deployment"),
    Stream("logs.docker", Line, "output of docker commands"),
    Stream("containers", Container, "container states", vital=True),
    Stream("pods", Pod, "pods", vital=True),
    Stream("conditions", Condition, "conditions of pods and workloads"),
    Stream("events", Event, "events", vital=True),
    Stream("workloads", Workload, "workloads and their revisions", vital=True),
    Stream("services", Service, "services and their endpoints", vital=True),
    Stream("autoscalers", Autoscaler, "autoscalers"),
    Stream("claims", Claim, "persistent volume claims"),
    Stream("quotas", Quota, "resource quotas"),
    Stream("limits", LimitRange, "limit ranges"),
    Stream("nodes", Node, "nodes"),
    Stream("engine", Engine, "the Docker Engine"),
    Stream("images", Image, "images"),
    Stream("tracebacks", Traceback, "Python tracebacks", derived=True),
    Stream("server", ServerRun, "the model server's own account", derived=True),
    Stream("responses", Response, "HTTP responses"),
    Stream("refusals", Refusal, "what Azure refused"),
    Stream("workspaces", Workspace, "the Azure Machine Learning workspace"),
    Stream("workspace_problems", WorkspaceProblem, "the workspace's own check"),
    Stream("vaults", Vault, "key vaults"),
    Stream("access_policies", AccessPolicy, "access policies of key vaults"),
    Stream("vault_writes", VaultWrite, "changes of key vaults in the activity log"),
    Stream("identities", Identity, "managed identities"),
    Stream("role_assignments", RoleAssignment, "role assignments"),
    Stream("access", Access, "what the identities may do"),
    Stream("web_services", WebService, "web services of SDK v1", vital=True),
    Stream("endpoints", Endpoint, "online endpoints", vital=True),
    Stream("online_deployments", OnlineDeployment, "deployments of online endpoints", vital=True),
    Stream("operations", Operation, "long-running operations of Azure"),
    Stream("builds", ImageBuild, "image builds"),
    Stream("groups", ContainerGroup, "container groups", vital=True),
    Stream("registries", Registry, "container registries"),
    Stream("clusters", Cluster, "AKS clusters"),
    Stream("computes", Compute, "computes of the workspace"),
    Stream("http.minutes", RequestMinute, "requests per minute"),
)

STREAMS = {stream.name: stream for stream in _ALL}
"""By name."""
