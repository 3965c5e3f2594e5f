"""A workspace in working order behind ``AzureServer``, of which a test breaks one part."""

from __future__ import annotations

import copy
import json
from typing import Any

from azure_server import GROUP, RG, SUB, VAULT_PATH, WORKSPACE, WORKSPACE_PATH, AzureServer, body_of

IDENTITY = "11111111-0000-0000-0000-0000000000d3"
"""Object id of the workspace's identity in the recorded answer."""
WHERE = ("-w", WORKSPACE, "-g", RG, "--subscription", SUB)
MANAGEMENT = f"/modelmanagement/v1.0{WORKSPACE_PATH}"
SERVICE = f"{MANAGEMENT}/services/mysvc"
OPERATION = "11111111-0000-0000-0000-000000000002"
ENDPOINT = f"{WORKSPACE_PATH}/onlineEndpoints/mysvc"
DEPLOYMENT = f"{ENDPOINT}/deployments/blue"
REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stmlops"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-mlops"
CONTAINER_GROUP = f"{GROUP}/providers/Microsoft.ContainerInstance/containerGroups/mysvc"
ACTIVITY = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
_ROLES = "/providers/Microsoft.Authorization/roleAssignments"
_NOTHING: dict[str, object] = {"value": []}


def changed(name: str, **properties: object) -> dict[str, Any]:
    """A recorded body with other values in its ``properties``."""
    body: dict[str, Any] = copy.deepcopy(body_of(name))  # type: ignore[assignment]
    body["properties"] |= properties
    return body


def vault(**properties: object) -> dict[str, Any]:
    """The recorded vault; the workspace's identity is on it unless ``properties`` say otherwise."""
    body = changed("keyvault/vault_get_access_policies")
    body["properties"]["accessPolicies"][0]["objectId"] = IDENTITY
    body["properties"] |= properties
    return body


def in_order(azure: AzureServer) -> None:
    """All parts of the workspace work; which kind of service it holds is left to say."""
    azure.answer("GET", VAULT_PATH, body=vault())
    azure.answer("GET", VAULT_PATH.replace("KeyVault", "Keyvault"), body=vault())
    azure.use("containerregistry/registry_get_ok")
    for scope in (REGISTRY, STORAGE, VAULT_PATH):
        azure.use("authorization/role_assignments_list_empty", at=scope + _ROLES)
    for path in (ACTIVITY, f"{GROUP}/providers/Microsoft.Resources/deployments", f"{REGISTRY}/runs"):
        azure.answer("GET", path, body=_NOTHING)
    environment = "environments/online-endpoint-mir-test/versions/3/image"
    azure.answer("GET", f"/environment/v1.0{WORKSPACE_PATH}/{environment}", body=built())
    azure.answer("GET", f"{MANAGEMENT}/images", body=_NOTHING)


def built(*, exists: bool = True) -> dict[str, Any]:
    """The answer about the image of an environment, with the registry's password in it, as Azure gives it."""
    body: dict[str, Any] = copy.deepcopy(body_of("machinelearning_v1/environment_image_details"))  # type: ignore[assignment]
    body["imageExistsInRegistry"] = exists
    return body


def managed_endpoint(azure: AzureServer, state: str = "Succeeded", log: str | None = None, error: str = "") -> None:
    """A managed online endpoint ``mysvc`` with one deployment ``blue``."""
    in_order(azure)
    azure.answer("GET", SERVICE, 404, {"code": "ServiceNotFound", "statusCode": 404, "message": "no such service"})
    deployment = changed("machinelearning/online_deployment_get_failed", provisioningState=state)
    azure.answer("GET", f"{ENDPOINT}/deployments", body={"value": [deployment]})
    azure.use("machinelearning/online_endpoint_get", "monitor/metrics_online_endpoint_requests")
    content = json.loads(json.dumps(body_of("machinelearning/online_deployment_get_logs")))["content"]
    azure.answer("POST", f"{DEPLOYMENT}/getLogs", body={"content": content if log is None else log})
    failed = {"status": "Failed", "error": {"message": error}}
    for operation in ("oe", "od"):
        path = _operation(operation)
        azure.answer("GET", path, body=failed if error and operation == "od" else {"status": "Succeeded"})


def _operation(kind: str) -> str:
    ids = "11111111-0000-0000-0000-0000000000d1:11111111-0000-0000-0000-0000000000e1"
    return f"/subscriptions/{SUB}/providers/Microsoft.MachineLearningServices/locations/eastus2/mfeOperationsStatus/{kind}:{ids}"


def web_service(azure: AzureServer, name: str, service: str = "mysvc", **fields: object) -> None:
    """A web service of SDK v1 from the recorded answer ``name``."""
    in_order(azure)
    azure.answer("GET", ENDPOINT, 404, {"error": {"code": "ResourceNotFound", "message": "no such endpoint"}})
    groups = CONTAINER_GROUP.rpartition("/")[0]
    on_aci = name.endswith("service_get_aci")
    azure.answer("GET", groups, body=_NOTHING if not on_aci else body_of("containerinstance/container_groups_list"))
    body: dict[str, Any] = copy.deepcopy(body_of(name))  # type: ignore[assignment]
    azure.answer("GET", f"{MANAGEMENT}/services/{service}", body=body | {"name": service, "id": service} | fields)


def healthy_service(azure: AzureServer) -> None:
    """A web service on AKS that works, as far as Azure tells."""
    replicas = {"desiredReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "error": None}
    web_service(azure, "machinelearning_v1/service_get_aks", state="Healthy", error=None, deploymentStatus=replicas)
