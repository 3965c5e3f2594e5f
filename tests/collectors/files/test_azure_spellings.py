"""What the Azure CLI prints means the same to the decoders as what Azure Resource Manager answers."""

from dataclasses import replace

import pytest
from azure_server import body_of

from diagnose.collectors.azure.clusters import cluster_of
from diagnose.collectors.azure.computes import compute_of
from diagnose.collectors.azure.endpoints import endpoint_of
from diagnose.collectors.azure.identities import identities_of
from diagnose.collectors.azure.online_deployments import deployment_of
from diagnose.collectors.azure.registry import registry_of
from diagnose.collectors.azure.workspaces import links_of, problems_of, workspace_of
from diagnose.collectors.files.azure_answers import Answer
from diagnose.collectors.files.azure_spellings import in_arm_words

SUB = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUB}/resourceGroups/rg-mlops"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/ws-mlops"
WHO = "11111111-0000-0000-0000-0000000000d3"


def flat(body):
    """As most commands of the Azure CLI print a resource."""
    return {**{key: value for key, value in body.items() if key != "properties"}, **body["properties"]}


@pytest.mark.parametrize("name", ["registry_get_2019", "registry_get_ok", "registry_get_network_denied"])
def test_a_flat_registry(name):
    body = body_of(f"containerregistry/{name}")
    assert registry_of(in_arm_words(Answer.REGISTRY, flat(body))) == registry_of(body)
    assert registry_of(body).login_server == "myregistry.azurecr.io"


def test_a_flat_cluster_whose_names_are_respelled():
    body = body_of("containerservice/managed_cluster_get_running")
    body["properties"] |= {
        "fqdn": None,
        "privateFQDN": "aks.privatelink.eastus.azmk8s.io",
        "apiServerAccessProfile": {"enablePrivateCluster": True, "authorizedIPRanges": ["203.0.113.0/24"]},
    }
    printed = flat(body)
    printed["privateFqdn"] = printed.pop("privateFQDN")
    access = printed["apiServerAccessProfile"]
    printed["apiServerAccessProfile"] = {
        "enablePrivateCluster": True,
        "authorizedIpRanges": access["authorizedIPRanges"],
    }
    cluster = cluster_of(in_arm_words(Answer.CLUSTER, printed))
    assert cluster == cluster_of(body)
    assert (cluster.private, cluster.authorized_ranges, cluster.fqdn) == (True, 1, "aks.privatelink.eastus.azmk8s.io")


def test_a_workspace_of_az_ml():
    told = {
        "id": WORKSPACE,
        "name": "ws-mlops",
        "location": "eastus2",
        "resource_group": "rg-mlops",
        "resourceGroup": "rg-mlops",
        "discovery_url": "https://eastus2.api.azureml.ms/discovery",
        "identity": {"principal_id": WHO, "tenant_id": "t", "type": "system_assigned"},
        "key_vault": f"{GROUP}/providers/Microsoft.Keyvault/vaults/kv-mlops",
        "storage_account": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stmlops",
        "container_registry": f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry",
        "managed_network": {"isolation_mode": "allow_only_approved_outbound", "outbound_rules": []},
        "mlflow_tracking_uri": "azureml://eastus2.api.azureml.ms/mlflow/v1.0",
        "public_network_access": "Enabled",
        "tags": {},
    }
    workspace = workspace_of(in_arm_words(Answer.WORKSPACE, told))
    known = workspace_of(body_of("machinelearning/workspace_get"))
    assert workspace == replace(known, provisioning_state="", managed_network="AllowOnlyApprovedOutbound")
    assert workspace.principal == WHO


@pytest.mark.parametrize(
    "assigned",
    [
        {"/x/id-mlops": {"principal_id": "p", "client_id": "c"}},
        [{"resource_id": "/x/id-mlops", "principal_id": "p", "client_id": "c"}],
    ],
)
def test_the_primary_identity_of_a_workspace_of_az_ml(assigned):
    told = {
        "id": WORKSPACE,
        "name": "ws-mlops",
        "key_vault": "/x/kv",
        "primary_user_assigned_identity": "/x/id-mlops",
        "identity": {
            "type": "system_assigned, user_assigned",
            "principal_id": "own",
            "user_assigned_identities": assigned,
        },
    }
    body = in_arm_words(Answer.WORKSPACE, told)
    assert (workspace_of(body).principal, workspace_of(body).identity_type) == ("p", "SystemAssigned,UserAssigned")
    first, second = identities_of(body, "workspace")
    assert (first.principal, first.client, first.resource) == ("p", "c", "id-mlops")
    assert second.principal == "own"


def test_an_endpoint_of_az_ml():
    told = {
        "auth_mode": "aml_token",
        "auth_keys": {"primary_key": "topsecret"},
        "id": f"{WORKSPACE}/onlineEndpoints/mysvc",
        "identity": {"principal_id": "p", "type": "system_assigned"},
        "kind": "Managed",
        "location": "eastus2",
        "mirror_traffic": {},
        "name": "mysvc",
        "properties": {"AzureAsyncOperationUri": "https://management.azure.com/x/oe:1?api-version=1"},
        "provisioning_state": "Succeeded",
        "public_network_access": "enabled",
        "scoring_uri": "https://mysvc.eastus2.inference.ml.azure.com/score",
        "traffic": {"blue": 100},
    }
    body = in_arm_words(Answer.ENDPOINT, told)
    assert endpoint_of(body, None) == endpoint_of(body_of("machinelearning/online_endpoint_get"), None)
    assert identities_of(body, "endpoint")[0].principal == "p"
    on_cluster = in_arm_words(Answer.ENDPOINT, {**told, "compute": f"azureml:{WORKSPACE}/computes/aks-mlops"})
    assert (endpoint_of(on_cluster, None).kind, endpoint_of(on_cluster, None).compute) == ("kubernetes", "aks-mlops")


def test_a_deployment_of_az_ml():
    told = {
        "egress_public_network_access": "enabled",
        "endpoint_name": "mysvc",
        "environment": f"azureml:{WORKSPACE}/environments/online-endpoint-mir-test/versions/3",
        "environment_variables": {"STORAGE_KEY": "topsecret"},
        "id": f"{WORKSPACE}/onlineEndpoints/mysvc/deployments/blue",
        "instance_count": 1,
        "instance_type": "Standard_DS2_V2",
        "liveness_probe": {"failure_threshold": 30, "initial_delay": 10, "period": 10, "timeout": 2},
        "model": f"azureml:{WORKSPACE}/models/mir_test_model/versions/1",
        "name": "blue",
        "provisioning_state": "Failed",
        "request_settings": {
            "max_concurrent_requests_per_instance": 1,
            "request_timeout_ms": 5000,
            "max_queue_wait_ms": 0,
        },
        "scale_settings": {"type": "default"},
        "type": "managed",
    }
    endpoint = body_of("machinelearning/online_endpoint_get")
    deployment = deployment_of(in_arm_words(Answer.DEPLOYMENT, told), endpoint, "")
    assert deployment == deployment_of(body_of("machinelearning/online_deployment_get_failed"), endpoint, "")
    assert (deployment.request_timeout_s, deployment.liveness_allows_s, deployment.scale_type) == (
        5.0,
        310.0,
        "Default",
    )


def test_a_deployment_of_az_ml_that_is_scaled():
    scale = {"type": "target_utilization", "min_instances": 1, "max_instances": 4, "target_utilization_percentage": 70}
    told = {
        "id": f"{WORKSPACE}/onlineEndpoints/e/deployments/d",
        "name": "d",
        "type": "kubernetes",
        "scale_settings": scale,
    }
    deployment = deployment_of(in_arm_words(Answer.DEPLOYMENT, told), {}, "")
    assert (deployment.scale_type, deployment.max_instances, deployment.target_utilization_percent) == (
        "TargetUtilization",
        4,
        70,
    )
    assert deployment.kind == "kubernetes"


def test_a_compute_of_az_ml():
    told = {
        "id": f"{WORKSPACE}/computes/aks-mlops",
        "name": "aks-mlops",
        "namespace": "default",
        "properties": {"relayConnectionString": "topsecret"},
        "provisioning_state": "Succeeded",
        "resource_id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-mlops",
        "type": "kubernetes",
    }
    compute = compute_of(in_arm_words(Answer.COMPUTE, told))
    assert compute == compute_of(body_of("machinelearning/compute_get_kubernetes"))
    assert compute.cluster == "aks-mlops"


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_check_of_a_workspace_of_az_ml(wrapped):
    results = {"key_vault_results": [{"code": "X", "level": "Error", "message": "m"}], "other_results": []}
    told = {"value": results} if wrapped else results
    (problem,) = problems_of(in_arm_words(Answer.PROBLEMS, told), links_of({}))
    assert (problem.area, problem.code, problem.level) == ("keyVault", "X", "Error")


def test_answers_of_resource_manager_stay_as_they_are():
    body = body_of("containerregistry/registry_get_ok")
    assert in_arm_words(Answer.REGISTRY, body) == body
