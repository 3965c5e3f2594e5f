"""Answers of Azure, of its APIs or as the Azure CLI prints them, told apart by fields that only such an answer has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

Json = Mapping[str, object]


class Answer(Enum):
    """What an answer of Azure is about."""

    WORKSPACE = "a workspace"
    PROBLEMS = "a workspace's own check"
    VAULT = "a key vault"
    DELETED_VAULT = "a deleted key vault"
    POLICIES = "a change of a vault's access policies"
    EVENT = "an event of the activity log"
    ROLE = "a role assignment"
    ROLE_DEFINITION = "a role"
    TEMPLATE = "a template deployment"
    TEMPLATE_STEP = "a step of a template deployment"
    SERVICE = "a web service of SDK v1"
    SERVICE_OPERATION = "an operation of SDK v1"
    ENDPOINT = "an online endpoint"
    DEPLOYMENT = "a deployment of an online endpoint"
    ONLINE_OPERATION = "an operation on an online endpoint"
    GROUP = "a container group"
    GROUP_OPERATION = "an operation on a container group"
    REGISTRY = "a container registry"
    RUN = "a run of a registry"
    IMAGE = "an image of SDK v1"
    ENVIRONMENT_IMAGE = "the image of an environment"
    BUILD_STATUS = "the state of an image build"
    BUILD_LOG_LINK = "a link to a build log"
    CLUSTER = "an AKS cluster"
    COMPUTE = "a compute of a workspace"
    METRICS = "metrics"
    KEYS = "keys or tokens"


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer, and the file it was in."""

    kind: Answer
    body: dict[str, object]
    """As Azure Resource Manager would give it, wherever it came from."""
    document: Json
    """As it was saved."""
    source: str
    listed: bool = False
    """It was an entry of a list, which says that there are no others."""


@dataclass(frozen=True, slots=True)
class SavedLog:
    """The log of a deployment of an online endpoint, with what Azure puts before it, and the file it was in."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers that were saved."""

    saved: tuple[SavedAnswer, ...]
    """Each resource once."""
    logs: tuple[SavedLog, ...]
    empty: frozenset[str]
    """Streams of which an empty list was saved."""
    now: datetime | None
    """What ages are counted from: the newest time in the evidence; None where there is no time in it."""

    @property
    def clock(self) -> datetime:
        """The same for those who need one. Without any time there is nothing that could get an age: any will do."""
        return self.now or datetime.now(UTC)

    def of(self, *kinds: Answer) -> list[SavedAnswer]:
        """Those about one of ``kinds``."""
        return [one for one in self.saved if one.kind in kinds]


_RESOURCES: Mapping[str, tuple[Answer, tuple[str, ...]]] = {
    "microsoft.machinelearningservices/workspaces": (
        Answer.WORKSPACE,
        ("keyVault", "key_vault", "storageAccount", "storage_account", "discoveryUrl", "discovery_url"),
    ),
    "microsoft.machinelearningservices/workspaces/onlineendpoints": (
        Answer.ENDPOINT,
        ("authMode", "auth_mode", "traffic"),
    ),
    "microsoft.machinelearningservices/workspaces/onlineendpoints/deployments": (
        Answer.DEPLOYMENT,
        ("endpointComputeType", "scaleSettings", "instanceType", "endpoint_name", "scale_settings", "instance_type"),
    ),
    "microsoft.machinelearningservices/workspaces/computes": (
        Answer.COMPUTE,
        ("computeType", "provisioning_state"),
    ),
    "microsoft.machinelearningservices/locations/mfeoperationsstatus": (Answer.ONLINE_OPERATION, ("status",)),
    "microsoft.keyvault/vaults": (Answer.VAULT, ("accessPolicies", "vaultUri")),
    "microsoft.keyvault/vaults/accesspolicies": (Answer.POLICIES, ("accessPolicies",)),
    "microsoft.keyvault/deletedvaults": (Answer.DELETED_VAULT, ("vaultId",)),
    "microsoft.authorization/roleassignments": (Answer.ROLE, ("principalId",)),
    "microsoft.authorization/roledefinitions": (Answer.ROLE_DEFINITION, ("permissions",)),
    "microsoft.resources/deployments": (Answer.TEMPLATE, ("correlationId", "templateHash", "mode")),
    "microsoft.resources/deployments/operations": (Answer.TEMPLATE_STEP, ("provisioningState",)),
    "microsoft.containerregistry/registries": (Answer.REGISTRY, ("loginServer",)),
    "microsoft.containerregistry/registries/runs": (Answer.RUN, ("runId",)),
    "microsoft.containerregistry/registries/builds": (Answer.RUN, ("buildId",)),
    "microsoft.containerservice/managedclusters": (Answer.CLUSTER, ("agentPoolProfiles", "kubernetesVersion")),
}
"""Resources by their type, with fields of which they have at least one: an entry of a list that names resources, or the
state of an operation on one, bears the same type or id and tells nothing of it."""
_OTHERS: tuple[tuple[Answer, frozenset[str]], ...] = (
    (Answer.EVENT, frozenset(("eventTimestamp", "operationName"))),
    (Answer.SERVICE, frozenset(("computeType", "state", "name"))),
    (Answer.SERVICE_OPERATION, frozenset(("operationType", "state"))),
    (Answer.IMAGE, frozenset(("creationState", "imageType"))),
    (Answer.ENVIRONMENT_IMAGE, frozenset(("imageExistsInRegistry",))),
    (Answer.BUILD_STATUS, frozenset(("status", "logUrl"))),
    (Answer.BUILD_LOG_LINK, frozenset(("logLink",))),
    (Answer.PROBLEMS, frozenset(("keyVaultResults",))),
    (Answer.PROBLEMS, frozenset(("key_vault_results",))),
    (Answer.KEYS, frozenset(("kubeconfigs",))),
    (Answer.KEYS, frozenset(("accessToken",))),
    (Answer.KEYS, frozenset(("primaryKey", "secondaryKey"))),
    (Answer.KEYS, frozenset(("keyName", "permissions", "value"))),
    (Answer.KEYS, frozenset(("passwords", "username"))),
    (Answer.KEYS, frozenset(("appId", "password"))),
)
"""Answers that name no type, by fields of which they have all."""
_STATE_OF_VAULT = "diagnose/vault/1"


def answer_of(document: object) -> Answer | None:
    """What an answer is about; None when it is none that is known, be it an error or something else."""
    if not isinstance(document, Mapping):
        return None
    told = document.get("properties")
    names = {*document, *(told if isinstance(told, Mapping) else ())}
    if (group := _about_group(document, told if isinstance(told, Mapping) else document)) is not None:
        return group
    if document.get("schema") == _STATE_OF_VAULT and isinstance(document.get("vault"), Mapping):
        return Answer.VAULT
    kind, signs = _RESOURCES.get(type_of(document), (None, ()))
    if kind is not None:
        return kind if names & set(signs) else None
    if _is_metrics(document):
        return Answer.METRICS
    inner = document.get("value")
    fields = {*document, *(inner if isinstance(inner, Mapping) else ())}
    return next((answer for answer, signs in _OTHERS if signs <= fields), None)


def type_of(document: Json) -> str:
    """``microsoft.keyvault/vaults``: as the answer names its type, else told from its ARM id; empty without either."""
    named = str(document.get("type") or "").lower()
    if named.startswith("microsoft."):
        return named
    _, _, resource = str(document.get("id") or "").lower().rpartition("/providers/")
    parts = resource.split("/")
    return "/".join(parts[:1] + parts[1::2]) if parts[0].startswith("microsoft.") else ""


def _about_group(document: Json, told: Json) -> Answer | None:
    if isinstance(told.get("containers"), list) and ("osType" in told or "instanceView" in told):
        return Answer.GROUP
    if isinstance(told.get("events"), list) and "containerGroups" in str(document.get("id", "")):
        return Answer.GROUP_OPERATION
    return None


def _is_metrics(document: Json) -> bool:
    metrics = document.get("value")
    listed = metrics if isinstance(metrics, list) else []
    return "timespan" in document and any(isinstance(one, Mapping) and "timeseries" in one for one in listed)
