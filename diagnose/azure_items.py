"""The items of evidence that Azure gives: vaults, services, deployments, registries, clusters, and its refusals.

States and codes are as Azure spells them (``Succeeded``, ``Failed``, ``AccessDenied``); names of resources are the last
part of their ARM id. Ids of people and applications are object ids of Entra ID.
"""

from __future__ import annotations

from dataclasses import dataclass

from diagnose.model import Item

_QUOTED = 400
"""Characters of a message that are quoted within a line that tells more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Item):
    """A call of ours that Azure refused, or a sign-in that failed."""

    call: str
    """What was wanted, in words: ``sign-in``, or ``read vault kv-mlops``."""
    sign_in: bool = False
    status: int | None = None
    """HTTP status; None when no answer came."""
    code: str = ""
    """``AuthorizationFailed``, ``ExpiredAuthenticationToken``, ``AADSTS7000222`` ..."""
    message: str = ""
    needs: str = ""
    """The role that would allow it."""

    def text(self) -> str:
        answer = " ".join(filter(None, (str(self.status or ""), self.code)))
        return f"{self.call}: {': '.join(filter(None, (answer, self.message[:_QUOTED])))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace(Item):
    """An Azure Machine Learning workspace."""

    name: str
    resource_group: str = ""
    location: str = ""
    provisioning_state: str = ""
    vault: str = ""
    storage: str = ""
    registry: str = ""
    """Empty until the first image is built."""
    principal: str = ""
    """Object id of the identity it works with: system-assigned, or the primary user-assigned one."""
    identity_type: str = ""
    v1_legacy_mode: bool = False
    public_network_access: str = ""
    image_build_compute: str = ""
    managed_network: str = ""
    """``isolationMode`` of the managed network; empty without one."""

    def text(self) -> str:
        told = (
            f"workspace {self.name}: {self.provisioning_state}",
            "public network access disabled" if self.public_network_access == "Disabled" else "",
            f"managed network {self.managed_network}" if self.managed_network else "",
            "v1 legacy mode" if self.v1_legacy_mode else "",
            f"vault {self.vault}, registry {self.registry or 'none yet'}, storage {self.storage}",
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceProblem(Item):
    """What the workspace's own check (``diagnose`` of the service) found."""

    area: str
    """``keyVault``, ``containerRegistry``, ``storageAccount``, ``dnsResolution``, ``resourceLock`` ..."""
    code: str = ""
    level: str = ""
    """``Warning``, ``Error`` or ``Information``."""
    message: str = ""

    def text(self) -> str:
        return f"{self.area}: {self.level} {self.code}: {self.message[:_QUOTED]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault(Item):
    """A key vault and how it may be read."""

    name: str
    resource_group: str = ""
    location: str = ""
    tenant: str = ""
    of_workspace: bool = False
    """It is the vault of the service's workspace."""
    rbac: bool = False
    """``enableRbacAuthorization`` is true; null and absent mean access policies."""
    policies: int = 0
    """Number of access policies."""
    workspace_listed: bool | None = None
    """An access policy names the workspace's identity; None when that identity is not known, or the vault uses RBAC."""
    workspace_reads_secrets: bool | None = None
    """That policy allows get and list of secrets; None without such a policy."""
    authorized_applications: int = 0
    """Policies that hold only together with one application."""
    default_action: str = ""
    """``Deny`` or ``Allow``, of the firewall."""
    bypass: str = ""
    """``AzureServices`` or ``None``."""
    addresses: int = 0
    """Addresses the firewall lets in."""
    subnets: int = 0
    private_endpoints: int = 0
    public_network_access: str = ""
    template_deployment: bool | None = None
    """``enabledForTemplateDeployment``."""
    soft_delete: bool | None = None
    purge_protection: bool = False
    provisioning_state: str = ""
    gone: bool = False
    """Azure knows no such vault."""
    deleted: bool = False
    """It is deleted, and its name is kept until ``purge_date``."""
    purge_date: str = ""
    written_by: str = ""
    """Who wrote it last: an e-mail address or an application's id."""
    written_by_type: str = ""
    """``User``, ``Application``, ``ManagedIdentity`` or ``Key``."""
    written_s: float | None = None
    """Seconds since it was written last; its time is the item's time."""
    restore_command: str = ""
    """Gives the workspace's identity its access policy, all permissions listed; empty where it is not known, or with
    RBAC."""
    policies_block: str = ""
    """``"accessPolicies": [...]`` for a template, in one line: the present policies with the workspace's identity."""

    def text(self) -> str:
        model = "Azure RBAC" if self.rbac else f"{self.policies} access policies"
        told = (
            f"vault {self.name}: {'not found' if self.gone else 'deleted' if self.deleted else model}",
            "the workspace identity is not among them" if self.workspace_listed is False else "",
            f"last written by {self.written_by} ({self.written_by_type})" if self.written_by else "",
            f"firewall {self.default_action}, bypass {self.bypass or 'None'}" if self.default_action == "Deny" else "",
            "public network access disabled" if self.public_network_access == "Disabled" else "",
            f"to be purged {self.purge_date}" if self.purge_date else "",
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy(Item):
    """One entry of a vault's ``accessPolicies``."""

    vault: str
    principal: str
    """Object id."""
    name: str = ""
    """Who that is, where it can be told: ``identity of workspace ws-mlops``."""
    tenant: str = ""
    application: str = ""
    """``applicationId``: the policy holds only for this principal through this application."""
    keys: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    storage: tuple[str, ...] = ()
    reads_secrets: bool = False
    """Get and list of secrets are allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultWrite(Item):
    """A change of a vault in the activity log."""

    vault: str
    operation: str
    """``vaults/write``, ``vaults/accessPolicies/write``, ``vaults/delete``."""
    caller: str = ""
    caller_type: str = ""
    """``user`` or ``app``."""
    status: str = ""
    """``Succeeded`` or ``Failed``; the ``Started`` of the same call is left out."""
    deployment: str = ""
    """Name of the template deployment that did it, where one ran with the same correlation id or around that time."""
    age_s: float | None = None
    correlation: str = ""

    def text(self) -> str:
        by = f" by {self.caller}" if self.caller else ""
        through = f", through template deployment {self.deployment}" if self.deployment else ""
        return f"{self.operation} of {self.vault}{by}{through}: {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Item):
    """A managed identity or service principal that some part of the service works with."""

    owner_kind: str
    """``workspace``, ``endpoint``, ``kubelet``, ``cluster`` or ``compute``."""
    owner: str
    type: str = ""
    """``SystemAssigned``, ``UserAssigned`` or ``ServicePrincipal``."""
    principal: str = ""
    """Object id."""
    client: str = ""
    resource: str = ""
    """Name of the user-assigned identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment(Item):
    """A role that a principal has at a scope that covers one of the service's resources."""

    principal: str
    principal_type: str = ""
    role: str = ""
    """Name of the role where it is known, else the id of its definition."""
    scope: str = ""
    on: str = ""
    """Resource for which it was listed: ``vault kv-mlops``."""
    age_s: float | None = None
    """Seconds since it was assigned."""
    allows: tuple[str, ...] = ()
    """What of it matters here: ``read secrets``, ``pull images``, ``read blobs``; empty while ``role`` is an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(Item):
    """Whether an identity may do what its owner needs: computed from policies and role assignments."""

    owner_kind: str
    owner: str
    principal: str
    resource_kind: str
    """``vault``, ``registry`` or ``storage``."""
    resource: str
    needs: str
    """The role, or the permissions, that would do."""
    granted: bool
    via: str = ""
    """``access policy`` or the name of the role; empty when not granted."""

    def text(self) -> str:
        may = f"may, by {self.via}" if self.granted else f"may not: it lacks {self.needs}"
        return f"identity of {self.owner_kind} {self.owner} on {self.resource_kind} {self.resource}: {may}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebService(Item):
    """A web service of SDK v1, as the workspace describes it."""

    name: str
    compute_type: str = ""
    """``ACI``, ``AKS`` or ``LOCAL``."""
    compute: str = ""
    namespace: str = ""
    state: str = ""
    """``Healthy``, ``Unhealthy``, ``Failed``, ``Transitioning`` or ``Unschedulable``."""
    error_code: str = ""
    error_message: str = ""
    """First line."""
    image: str = ""
    auth_enabled: bool | None = None
    scoring_uri: str = ""
    cpu: float | None = None
    """Cores requested."""
    memory_gb: float | None = None
    autoscale: bool | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    target_utilization_percent: int | None = None
    replicas: int | None = None
    """Fixed number, where autoscaling is off."""
    desired_replicas: int | None = None
    updated_replicas: int | None = None
    available_replicas: int | None = None
    concurrent_requests: int | None = None
    """Per container."""
    queue_wait_ms: int | None = None
    scoring_timeout_ms: int | None = None
    updated_s: float | None = None
    """Seconds since it was updated last."""

    def text(self) -> str:
        error = ": ".join(filter(None, (self.error_code, self.error_message[:_QUOTED])))
        replicas = f"{self.available_replicas} of {self.desired_replicas} replicas" if self.desired_replicas else ""
        told = (f"web service {self.name} on {self.compute or self.compute_type}: {self.state}", replicas, error)
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Item):
    """An online endpoint."""

    name: str
    kind: str = "managed"
    """``managed`` or ``kubernetes``."""
    provisioning_state: str = ""
    compute: str = ""
    traffic: tuple[str, ...] = ()
    """``blue=100``."""
    traffic_percent: int = 0
    """Sum over the deployments that exist."""
    deployments: int | None = None
    """How many there are; None when they could not be listed."""
    auth_mode: str = ""
    public_network_access: str = ""
    scoring_uri: str = ""

    def text(self) -> str:
        traffic = f"traffic {', '.join(self.traffic) or 'to nothing'}"
        closed = "public network access disabled" if self.public_network_access == "Disabled" else ""
        return "; ".join(filter(None, (f"endpoint {self.name}: {self.provisioning_state}", traffic, closed)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineDeployment(Item):
    """A deployment of an online endpoint."""

    name: str
    endpoint: str = ""
    kind: str = "managed"
    provisioning_state: str = ""
    traffic_percent: int = 0
    instance_type: str = ""
    instances: int | None = None
    model: str = ""
    """``name:version``, or the id as given."""
    environment: str = ""
    scale_type: str = ""
    """``Default`` or ``TargetUtilization``."""
    min_instances: int | None = None
    max_instances: int | None = None
    target_utilization_percent: int | None = None
    concurrent_requests: int | None = None
    """Per instance."""
    request_timeout_s: float | None = None
    queue_wait_s: float | None = None
    egress_public_network_access: str = ""
    liveness_allows_s: float | None = None
    """Initial delay and failed probes together, until a container that never answers is killed."""
    system_setup: str = ""
    """``Succeeded``, ``Failed``, ``InProgress`` ... as the instance status of its log says; empty without one."""
    image_pull: str = ""
    model_download: str = ""
    container_start: str = ""
    failed_step: str = ""
    """``SystemSetup``, ``UserContainerImagePull``, ``ModelDownload`` or ``UserContainerStart``."""

    def text(self) -> str:
        steps = {
            "SystemSetup": self.system_setup,
            "UserContainerImagePull": self.image_pull,
            "ModelDownload": self.model_download,
            "UserContainerStart": self.container_start,
        }
        told = (
            f"deployment {self.name}: {self.provisioning_state}",
            f"failed at {self.failed_step}" if self.failed_step else "",
            f"{self.traffic_percent} % of the traffic",
            f"{self.instances or 1} x {self.instance_type}" if self.instance_type else "",
            *(f"{step} {state}" for step, state in steps.items() if state),
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Item):
    """A long-running operation: of a v1 service, of an endpoint or deployment, or one step of a template deployment."""

    kind: str
    """``service``, ``endpoint``, ``deployment``, ``template`` or ``image``."""
    name: str = ""
    step: str = ""
    """What it did: ``BuildImage``, ``BuildEnvironment``, ``DeployService``; ``Create`` for a template."""
    resource: str = ""
    resource_type: str = ""
    status: str = ""
    """``Succeeded``, ``Failed``, ``Running``, ``Canceled``, ``TimedOut``."""
    code: str = ""
    message: str = ""
    """First line."""
    correlation: str = ""

    def text(self) -> str:
        what = " ".join(filter(None, (self.step, "of", self.resource or self.name))).strip()
        error = ": ".join(filter(None, (self.code, self.message[:_QUOTED])))
        return "; ".join(filter(None, (f"{self.kind} operation {what}: {self.status}", error)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild(Item):
    """The build of the service's image, or the question whether it was ever built."""

    origin: str
    """``environment``, ``image`` (v1) or ``registry run``."""
    name: str = ""
    """Environment with version, image with version, or run id."""
    image: str = ""
    status: str = ""
    """``Succeeded``, ``Failed``, ``Running``, ``Queued``, ``Canceled``, ``Timeout``, ``Error``; empty when unknown."""
    in_registry: bool | None = None
    """The image is in the registry."""
    error: str = ""
    log: str = ""
    """``read``, ``empty`` (it is there, without a word), ``expired``, ``refused``, ``not found``, ``unreadable``
    (network, or something else than a log), ``none`` (never had one) or nothing when it was not asked for."""

    def text(self) -> str:
        where = {True: "the image is in the registry", False: "the image is not in the registry"}
        told = (
            f"{self.origin} {self.name}: {self.status or 'state not told'}",
            where.get(self.in_registry, "") if self.in_registry is not None else "",
            f"image {self.image}" if self.image else "",
            self.error[:_QUOTED],
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerGroup(Item):
    """A container group of Azure Container Instances; its containers and events are in the streams of those."""

    name: str
    provisioning_state: str = ""
    state: str = ""
    """Of the instance view: ``Running``, ``Pending``, ``Stopped``, ``Failed``, ``Succeeded``."""
    os: str = ""
    restart_policy: str = ""
    address: str = ""
    fqdn: str = ""
    public_ports: tuple[int, ...] = ()
    container_ports: tuple[int, ...] = ()
    cpu: float | None = None
    """Cores, over all containers."""
    memory_gb: float | None = None
    in_network: bool = False
    """It sits in a subnet."""
    location: str = ""

    def text(self) -> str:
        told = (
            f"container group {self.name}: {self.state or self.provisioning_state}",
            f"{self.cpu:g} cores, {self.memory_gb:g} GB" if self.cpu and self.memory_gb else "",
            f"public ports {', '.join(map(str, self.public_ports))}" if self.public_ports else "",
            f"container ports {', '.join(map(str, self.container_ports))}" if self.container_ports else "",
            self.location,
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry(Item):
    """A container registry."""

    name: str
    login_server: str = ""
    sku: str = ""
    admin_user: bool | None = None
    public_network_access: str = ""
    default_action: str = ""
    bypass: str = ""
    private_endpoints: int = 0
    provisioning_state: str = ""
    gone: bool = False
    """Azure knows no such registry."""

    def text(self) -> str:
        told = (
            f"registry {self.name}: {'not found' if self.gone else self.provisioning_state}",
            {True: "admin user on", False: "admin user off"}.get(self.admin_user, "")
            if self.admin_user is not None
            else "",
            "public network access disabled" if self.public_network_access == "Disabled" else "",
            f"firewall {self.default_action}, bypass {self.bypass or 'None'}" if self.default_action == "Deny" else "",
            self.sku,
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Item):
    """An AKS cluster, as Azure describes it."""

    name: str
    power_state: str = ""
    """``Running`` or ``Stopped``."""
    provisioning_state: str = ""
    version: str = ""
    fqdn: str = ""
    private: bool = False
    authorized_ranges: int = 0
    """Addresses that may reach the API server; 0 for all."""
    kubelet_principal: str = ""
    service_principal: str = ""
    """Client id; empty when it uses a managed identity."""
    node_resource_group: str = ""
    pools: tuple[str, ...] = ()
    """``nodepool1: 0 x Standard_DS1_v2, Stopped``."""
    gone: bool = False

    def text(self) -> str:
        told = (
            f"cluster {self.name}: {'not found' if self.gone else self.power_state or 'power state not told'}",
            f"provisioning {self.provisioning_state}" if self.provisioning_state else "",
            "; ".join(self.pools),
            "private" if self.private else "",
            f"{self.authorized_ranges} authorized address ranges" if self.authorized_ranges else "",
        )
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute(Item):
    """A compute of the workspace on which services run."""

    name: str
    type: str = ""
    """``Kubernetes`` (v2) or ``AKS`` (v1, legacy)."""
    provisioning_state: str = ""
    namespace: str = ""
    cluster: str = ""
    errors: str = ""
    principal: str = ""
    """Object id of its identity; empty without one."""

    def text(self) -> str:
        told = (f"compute {self.name} ({self.type}): {self.provisioning_state}", self.errors[:_QUOTED])
        return "; ".join(filter(None, told))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMinute(Item):
    """Requests to the service within one minute, which begins at the item's time."""

    deployment: str = ""
    """Empty for the whole service."""
    requests: float = 0.0
    ok: float = 0.0
    """Answered with 2xx."""
    client_errors: float = 0.0
    """4xx, those below among them."""
    model_errors: float = 0.0
    """424: the model answered with an error."""
    throttled: float = 0.0
    """429."""
    server_errors: float = 0.0
    """5xx, those below among them."""
    unavailable: float = 0.0
    """503."""
