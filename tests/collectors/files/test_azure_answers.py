"""Answers of Azure, told apart, and what the Azure CLI makes of them."""

import pytest
from azure_server import body_of

from diagnose.collectors.files.azure_answers import Answer, answer_of, type_of

ID = "/subscriptions/s/resourceGroups/rg/providers"
WORKSPACE = f"{ID}/Microsoft.MachineLearningServices/workspaces/ws"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("keyvault/vault_get_rbac", Answer.VAULT),
        ("keyvault/deleted_vault_get", Answer.DELETED_VAULT),
        ("keyvault/access_policies_add", Answer.POLICIES),
        ("machinelearning/workspace_get", Answer.WORKSPACE),
        ("machinelearning/workspace_diagnose_ok", Answer.PROBLEMS),
        ("machinelearning/online_endpoint_get", Answer.ENDPOINT),
        ("machinelearning/online_deployment_get_failed", Answer.DEPLOYMENT),
        ("machinelearning/online_deployment_get_kubernetes", Answer.DEPLOYMENT),
        ("machinelearning/operation_status_updating", Answer.ONLINE_OPERATION),
        ("machinelearning/compute_get_kubernetes", Answer.COMPUTE),
        ("machinelearning/environment_version_get", None),
        ("machinelearning_v1/service_get_aks", Answer.SERVICE),
        ("machinelearning_v1/operation_get_failed", Answer.SERVICE_OPERATION),
        ("machinelearning_v1/environment_image_details", Answer.ENVIRONMENT_IMAGE),
        ("machinelearning_v1/environment_build_status", Answer.BUILD_STATUS),
        ("machinelearning_v1/mms_500", None),
        ("containerinstance/container_group_get_crashloop", Answer.GROUP),
        ("containerinstance/operation_succeeded_with_events", Answer.GROUP_OPERATION),
        ("containerregistry/registry_get_2019", Answer.REGISTRY),
        ("containerregistry/run_get_failed", Answer.RUN),
        ("containerregistry/run_log_sas_url", Answer.BUILD_LOG_LINK),
        ("containerregistry/error_400_with_status", None),
        ("containerservice/managed_cluster_get_stopped", Answer.CLUSTER),
        ("containerservice/list_cluster_user_credential", Answer.KEYS),
        ("machinelearning/online_endpoint_token", Answer.KEYS),
        ("authorization/role_assignment_put", Answer.ROLE),
        ("monitor/metrics_online_endpoint_requests", Answer.METRICS),
        ("resources/deployment_get_failed", Answer.TEMPLATE),
        ("arm_errors/404_resource_not_found", None),
    ],
)
def test_recorded_answers_by_their_fields(name, kind):
    assert answer_of(body_of(name)) is kind


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"name": "churn", "containers": [], "osType": "Linux"}, Answer.GROUP),
        ({"name": "churn", "properties": {"containers": [], "instanceView": {}}}, Answer.GROUP),
        ({"id": "/x/containerGroups/churn", "properties": {"events": []}}, Answer.GROUP_OPERATION),
        ({"id": WORKSPACE, "name": "ws", "key_vault": "/x"}, Answer.WORKSPACE),
        ({"id": f"{WORKSPACE}/onlineEndpoints/e", "auth_mode": "key"}, Answer.ENDPOINT),
        ({"id": f"{WORKSPACE}/onlineEndpoints/e/deployments/blue", "endpoint_name": "e"}, Answer.DEPLOYMENT),
        ({"id": f"{WORKSPACE}/computes/k8s", "type": "kubernetes", "provisioning_state": "Failed"}, Answer.COMPUTE),
        ({"key_vault_results": [], "other_results": []}, Answer.PROBLEMS),
        ({"value": {"key_vault_results": []}}, Answer.PROBLEMS),
        ({"schema": "diagnose/vault/1", "vault": {"name": "kv"}}, Answer.VAULT),
        ({"passwords": [{"name": "password", "value": "x"}], "username": "myregistry"}, Answer.KEYS),
        ({"appId": "a", "password": "p", "tenant": "t"}, Answer.KEYS),
    ],
)
def test_what_the_command_line_prints_by_its_fields(document, kind):
    assert answer_of(document) is kind


@pytest.mark.parametrize(
    "document",
    [
        {"id": f"{ID}/Microsoft.KeyVault/vaults/kv", "name": "kv", "type": "Microsoft.KeyVault/vaults"},
        {"id": WORKSPACE, "status": "Failed", "error": {"code": "X", "message": "y"}},
        {"id": f"{WORKSPACE}/onlineEndpoints/e/deployments/blue", "status": "Failed", "error": {"code": "X"}},
        {"$schema": "x", "resources": [{"type": "Microsoft.KeyVault/vaults", "properties": {"accessPolicies": []}}]},
        {"code": "Unauthorized", "message": "y", "status": "Failed"},
        {"metrics": [], "value": [], "timespan": "x"},
        [],
        "accessPolicies",
        None,
    ],
)
def test_a_mere_name_of_a_resource_an_operation_on_it_and_a_template_are_not_the_resource(document):
    assert answer_of(document) is None


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"type": "Microsoft.KeyVault/vaults", "id": WORKSPACE}, "microsoft.keyvault/vaults"),
        ({"type": "managed", "id": f"{WORKSPACE}/computes/c"}, "microsoft.machinelearningservices/workspaces/computes"),
        (
            {"id": f"{ID}/Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments/r"},
            "microsoft.authorization/roleassignments",
        ),
        ({"id": "mysvc"}, ""),
        ({"id": None}, ""),
    ],
)
def test_a_resource_names_its_type_or_bears_it_in_its_id(document, kind):
    assert type_of(document) == kind
