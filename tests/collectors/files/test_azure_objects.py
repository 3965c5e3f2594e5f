"""Saved answers of Azure: each recorded one alone, and folders of several, understood together."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure_server import body_of

from diagnose.collectors import Limits
from diagnose.collectors.files import collect_files
from diagnose.errors import InputError
from diagnose.model import Subject, Why
from diagnose.pipeline import Settings, analyze
from diagnose.redact import Redactor
from diagnose.streams import STREAMS

ANSWERS = Path(__file__).parents[2] / "azure_answers"
WORKSPACE_IDENTITY = "11111111-0000-0000-0000-0000000000d3"
KEYS = r"nothing to read in .*, which holds keys or tokens; it is not needed: better delete it"
LINK = r"nothing to read in .*: the build log behind the link in .*; open the link, and save what it shows"
ERROR = {"logs.deployment": 1}
BLOB_ERROR = {"logs.container": 1, "logs.deployment": 1}
VAULT = {"vaults": 1, "access_policies": 1}
EMPTY_VAULT = {"vaults": 1, "access_policies": 0}
REGISTRY = {"registries": 1}
CLUSTER = {"clusters": 1, "identities": 1}
ENDPOINT = {"endpoints": 1, "identities": 1}
GROUP = {"groups": 1, "containers": 1, "events": 4}
WORKSPACE = {"workspaces": 1, "identities": 1}

ALONE: dict[str, dict[str, int] | str] = {
    "arm_errors/401_expired_token": ERROR,
    "arm_errors/401_invalid_token": ERROR,
    "arm_errors/401_wrong_tenant": ERROR,
    "arm_errors/403_authorization_failed": ERROR,
    "arm_errors/404_not_found_pretty_printed": ERROR,
    "arm_errors/404_resource_not_found": ERROR,
    "arm_errors/409_operation_not_allowed": ERROR,
    "arm_errors/409_vault_soft_deleted": ERROR,
    "arm_errors/429_throttled": ERROR,
    "authorization/permissions_list_for_resource_group": ERROR,
    "authorization/role_assignment_put": {"role_assignments": 1},
    "authorization/role_assignments_list_empty": {"role_assignments": 0},
    "authorization/role_assignments_list_for_scope": {"role_assignments": 2},
    "authorization/role_definition_not_found_404": ERROR,
    "authorization/role_definitions_list": r"nothing to read in .* tells what roles allow, and not who has them; `az role",
    "blob_errors/azure_public_access_not_permitted": BLOB_ERROR,
    "blob_errors/azure_sas_bad_signature": {"logs.container": 1},
    "blob_errors/azure_sas_outside_time_frame": BLOB_ERROR,
    "blob_errors/blob_not_found": BLOB_ERROR,
    "blob_errors/container_not_found": BLOB_ERROR,
    "blob_errors/html_escaped_ampersands": BLOB_ERROR,
    "blob_errors/no_sas_private_container": BLOB_ERROR,
    "blob_errors/sas_bad_signature": BLOB_ERROR,
    "blob_errors/sas_cut_off_at_ampersand": BLOB_ERROR,
    "blob_errors/sas_expired": BLOB_ERROR,
    "blob_errors/sas_https_only_over_http": BLOB_ERROR,
    "blob_errors/sas_not_yet_valid": BLOB_ERROR,
    "blob_errors/sas_other_ip_only": {"logs.build": 1},
    "blob_errors/sas_without_read_permission": BLOB_ERROR,
    "blob_errors/sas_wrong_key": BLOB_ERROR,
    "containerinstance/container_group_get_crashloop": GROUP,
    "containerinstance/container_group_get_terminated_ok": GROUP,
    "containerinstance/container_group_put_inaccessible_image_400": ERROR,
    "containerinstance/container_groups_list": {"groups": 1},
    "containerinstance/container_logs": {"logs.container": 1},
    "containerinstance/container_logs_empty": r"nothing to read in .*, which wraps an empty text",
    "containerinstance/operation_succeeded_with_events": {"events": 4, "logs.deployment": 1},
    "containerregistry/build_log_link_2018": LINK,
    "containerregistry/builds_list_2018": {"builds": 1},
    "containerregistry/error_400_with_status": ERROR,
    "containerregistry/error_409_json_in_json_string": {"logs.deployment": 2},
    "containerregistry/registry_get_2019": REGISTRY,
    "containerregistry/registry_get_network_denied": REGISTRY,
    "containerregistry/registry_get_ok": REGISTRY,
    "containerregistry/registry_put_2025": REGISTRY,
    "containerregistry/run_get_failed": {"builds": 1, "logs.deployment": 1},
    "containerregistry/run_log_sas_url": LINK,
    "containerregistry/runs_list": {"builds": 0},
    "containerservice/list_cluster_user_credential": KEYS,
    "containerservice/managed_cluster_get": CLUSTER,
    "containerservice/managed_cluster_get_failed": CLUSTER,
    "containerservice/managed_cluster_get_running": CLUSTER,
    "containerservice/managed_cluster_get_stopped": CLUSTER,
    "keyvault/access_policies_add": {"access_policies": 1},
    "keyvault/dataplane_secret_forbidden_by_rbac_403": {"logs.deployment": 2},
    "keyvault/deleted_vault_get": {"vaults": 1},
    "keyvault/vault_get_access_policies": VAULT,
    "keyvault/vault_get_network_denied": VAULT,
    "keyvault/vault_get_policies_cleared_by_pipeline": EMPTY_VAULT,
    "keyvault/vault_get_policies_empty": EMPTY_VAULT,
    "keyvault/vault_get_rbac": EMPTY_VAULT,
    "keyvault/vault_item_network_rules": VAULT,
    "keyvault/vault_not_found_404": ERROR,
    "keyvault/vault_put_registering_dns": EMPTY_VAULT,
    "keyvault/vaults_list_page1": EMPTY_VAULT,
    "keyvault/vaults_list_page2": r"nothing to read in .*, an empty list; name the file after what it lists",
    "machinelearning/compute_get_kubernetes": {"computes": 1},
    "machinelearning/environment_version_get": ERROR,
    "machinelearning/online_deployment_get_failed": {"online_deployments": 1},
    "machinelearning/online_deployment_get_kubernetes": {"online_deployments": 1},
    "machinelearning/online_deployment_get_logs": {"events": 6, "logs.container": 1},
    "machinelearning/online_deployments_list": {"online_deployments": 1},
    "machinelearning/online_endpoint_get": ENDPOINT,
    "machinelearning/online_endpoint_get_kubernetes": ENDPOINT,
    "machinelearning/online_endpoint_put_creating": ENDPOINT,
    "machinelearning/online_endpoint_put_updating": ENDPOINT,
    "machinelearning/online_endpoint_token": KEYS,
    "machinelearning/online_endpoints_list": ENDPOINT,
    "machinelearning/operation_status_failed": {"operations": 1, "logs.deployment": 1},
    "machinelearning/operation_status_succeeded": {"operations": 1},
    "machinelearning/operation_status_updating": {"operations": 1},
    "machinelearning/score_200": ERROR,
    "machinelearning/workspace_diagnose_key_vault_problem": {"workspace_problems": 1, "logs.deployment": 1},
    "machinelearning/workspace_diagnose_ok": {"workspace_problems": 0},
    "machinelearning/workspace_get": WORKSPACE,
    "machinelearning/workspace_get_user_assigned_identity": WORKSPACE,
    "machinelearning_v1/environment_build_status": {"builds": 1},
    "machinelearning_v1/environment_image_details": {"builds": 1},
    "machinelearning_v1/images_list": {"builds": 1, "logs.deployment": 1},
    "machinelearning_v1/mms_400_compute_not_ready": ERROR,
    "machinelearning_v1/mms_401": ERROR,
    "machinelearning_v1/mms_500": ERROR,
    "machinelearning_v1/operation_get_failed": {"operations": 1, "logs.deployment": 1},
    "machinelearning_v1/service_error_aci_crashloop": {"containers": 1, "events": 4, "logs.deployment": 4},
    "machinelearning_v1/service_error_aci_image_not_accessible": ERROR,
    "machinelearning_v1/service_get_aci": {"web_services": 1, "containers": 1, "events": 4, "logs.deployment": 1},
    "machinelearning_v1/service_get_aks": {"web_services": 1, "logs.deployment": 1},
    "machinelearning_v1/service_logs": {"logs.container": 1},
    "monitor/activity_log_filtered": r"nothing to read in .*, an activity log without any event of a key vault; `az mon",
    "monitor/activity_log_keyvault_writes": {"vault_writes": 2},
    "monitor/error_409_bare_code": ERROR,
    "monitor/metrics_list_example": r"nothing to read in .*, metrics of something else than requests",
    "monitor/metrics_online_endpoint_requests": {"http.minutes": 5},
    "resources/deployment_cancel_409": ERROR,
    "resources/deployment_get_failed": {"operations": 1, "logs.deployment": 1},
    "resources/deployment_operations_list": {"operations": 0},
    "resources/deployment_operations_list_failed": {"operations": 1, "logs.deployment": 1},
    "resources/deployment_validation_400": ERROR,
}
"""What each answer becomes: number of items and logs by stream, or why nothing of it could be used."""


def answer(name):
    """A recorded answer as somebody would save it: of a blob its XML."""
    content = (ANSWERS / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(content)["body"] if name.startswith("blob_errors/") else content


@pytest.fixture
def saved(collect):
    """Saves answers, given as texts, names of recorded ones, or as values, and reads the folder."""

    def save(**files):
        return collect.named({f"{name.replace('_', '-')}.json": content_of(value) for name, value in files.items()})

    return save


def content_of(value):
    if isinstance(value, str):
        return answer(value) if re.fullmatch(r"\w+/\w+", value) else value
    return json.dumps(value)


def only(collection, stream):
    (item,) = collection.items[stream]
    return item


def deployment_texts(collection):
    return [log.chunks[0].text for log in collection.logs["logs.deployment"]]


def gaps(collection, stream):
    return [missing for missing in collection.missing if missing.stream == stream]


def everything(collection):
    return repr((collection.items, collection.logs, collection.missing))


# --- each alone ---


def test_every_recorded_answer_is_looked_at():
    found = {f"{path.parent.name}/{path.stem}" for path in ANSWERS.rglob("*.json") if ".meta" not in path.suffixes}
    assert set(ALONE) == found


@pytest.mark.parametrize("name", ALONE)
def test_each_answer_alone_is_understood_or_taken_for_a_text(name, tmp_path):
    file = tmp_path / f"{name.rpartition('/')[2]}.json"
    file.write_text(answer(name), encoding="utf-8")
    expected = ALONE[name]
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            collect_files([str(file)], Limits())
        return
    collection = collect_files([str(file)], Limits())
    found = {**collection.items, **collection.logs}
    assert {stream: len(facts) for stream, facts in found.items()} == expected
    sources = {fact.source for facts in found.values() for fact in facts}
    assert all(source.startswith(str(file)) for source in sources)
    assert {gap.stream for gap in collection.missing} >= {
        stream.name for stream in STREAMS.values() if not stream.derived and stream.name not in {*found, "refusals"}
    }


def test_an_error_within_an_answer_is_readable():
    texts = {
        "machinelearning/operation_status_failed": "ResourceNotReady: User container has crashed or terminated",
        "machinelearning_v1/operation_get_failed": '"message": "Failed Building the Environment."',
        "machinelearning_v1/service_get_aks": '"code": "KubernetesDeploymentFailed"',
        "machinelearning/workspace_diagnose_key_vault_problem": "keyVault: Error: KeyVaultAccessPolicyMissing: (invented)",
        "resources/deployment_operations_list_failed": "A vault with the same name already exists in deleted state.",
        "containerregistry/run_get_failed": "failed during run, err: exit status 1",
    }
    for name, text in texts.items():
        collection = collect_files([str(ANSWERS / f"{name}.json")], Limits())
        assert text in "\n".join(deployment_texts(collection))
        assert "\\n" not in "\n".join(deployment_texts(collection))


def test_an_image_that_failed_without_an_error_is_told_by_its_state(saved):
    images = body_of("machinelearning_v1/images_list")
    images["value"][0] |= {"error": None, "imageBuildLogUri": None}
    (text,) = deployment_texts(saved(images=images))
    assert '"creationState": "Failed",\n' in text
    assert '"imageBuildLogUri": null,\n' in text


def test_json_within_the_message_of_a_failed_template_is_unfolded(saved):
    collection = saved(deployment="resources/deployment_get_failed")
    (text,) = deployment_texts(collection)
    assert '    "code": "ConflictError",\n' in text
    assert only(collection, "operations").code == "ConflictError"


def test_the_events_and_states_a_service_quotes_are_facts(saved):
    collection = saved(service="machinelearning_v1/service_get_aci")
    container = only(collection, "containers")
    assert (container.restarts, container.exit_code, container.reason) == (3, 111, "CrashLoopBackOff")
    assert container.subject == Subject("aci", workload="mysvc", container="mysvc")
    assert {event.reason for event in collection.items["events"]} == {"Pulling", "Pulled", "Started", "Killing"}
    assert only(collection, "web_services").state == "Failed"


def test_what_a_service_quotes_is_over_when_it_is_well_again(saved):
    body = body_of("machinelearning_v1/service_get_aci") | {"state": "Healthy"}
    collection = saved(service=body)
    assert "containers" not in collection.items
    assert "CrashLoopBackOff" in deployment_texts(collection)[0]


def test_a_container_group_tells_its_state_better_than_the_service(saved):
    collection = saved(
        service="machinelearning_v1/service_get_aci", group="containerinstance/container_group_get_terminated_ok"
    )
    assert only(collection, "containers").exit_code == 0
    assert {event.source.rpartition("/")[2] for event in collection.items["events"]} == {"group.json"}


# --- the vault and its workspace ---


def test_a_wiped_vault_lacks_the_identity_of_the_workspace_saved_beside_it(saved):
    collection = saved(
        vault="keyvault/vault_get_policies_cleared_by_pipeline",
        workspace="machinelearning/workspace_get",
        activity_log="monitor/activity_log_keyvault_writes",
        error="machinelearning_v1/mms_500",
    )
    vault = only(collection, "vaults")
    assert (vault.workspace_listed, vault.of_workspace, vault.policies, vault.rbac) == (False, True, 0, False)
    assert vault.source.endswith("vault.json")
    assert WORKSPACE_IDENTITY in vault.restore_command
    assert WORKSPACE_IDENTITY in vault.policies_block
    assert collection.items["access_policies"] == ()
    latest, _earlier = collection.items["vault_writes"]
    assert (latest.operation, latest.age_s) == ("vaults/write", 0.0)
    access = only(collection, "access")
    assert (access.owner, access.resource, access.granted) == ("ws-mlops", "kv-mlops", False)
    assert collection.now == datetime(2026, 11, 20, 8, 14, 2, 118000, tzinfo=UTC)


def test_a_healthy_vault_lists_it(saved):
    body = body_of("keyvault/vault_get_access_policies")
    body["properties"]["accessPolicies"][0]["objectId"] = WORKSPACE_IDENTITY
    collection = saved(vault=body, workspace="machinelearning/workspace_get")
    vault = only(collection, "vaults")
    assert (vault.workspace_listed, vault.workspace_reads_secrets) == (True, True)
    assert only(collection, "access_policies").name == "identity of workspace ws-mlops"
    assert only(collection, "access").via == "access policy"


def test_a_vault_with_rbac_and_no_policies_lacks_nobody(saved):
    collection = saved(vault="keyvault/vault_get_rbac", workspace="machinelearning/workspace_get")
    vault = only(collection, "vaults")
    assert (vault.rbac, vault.policies, vault.workspace_listed) == (True, 0, None)
    assert "access" not in collection.items
    (gap,) = gaps(collection, "role_assignments")
    assert gap.why is Why.NOT_SUPPLIED


def test_what_the_command_line_printed_is_understood_together_alike(saved):
    vault = body_of("keyvault/vault_get_policies_empty") | {"resourceGroup": "rg-mlops", "systemData": None}
    vault["properties"] |= {"enableRbacAuthorization": None, "networkAcls": None, "privateEndpointConnections": None}
    workspace = {
        "id": f"{SUBSCRIPTION}/resourceGroups/rg-mlops/providers/Microsoft.MachineLearningServices/workspaces/ws-mlops",
        "identity": {"principal_id": WORKSPACE_IDENTITY, "type": "system_assigned"},
        "key_vault": VAULT_ID.replace("KeyVault", "Keyvault"),
        "name": "ws-mlops",
        "resource_group": "rg-mlops",
    }
    collection = saved(vault=vault, workspace=workspace)
    assert only(collection, "vaults").workspace_listed is False
    assert not only(collection, "access").granted


def test_without_a_workspace_nobody_knows_who_should_be_listed(saved):
    vault = only(saved(vault="keyvault/vault_get_policies_empty"), "vaults")
    assert (vault.workspace_listed, vault.of_workspace, vault.written_s) == (None, False, None)


def test_the_vault_of_another_workspace_is_not_measured_by_this_one(saved):
    body = body_of("keyvault/vault_get_policies_empty") | {"name": "kv-other"}
    vault = only(saved(vault=body, workspace="machinelearning/workspace_get"), "vaults")
    assert (vault.workspace_listed, vault.of_workspace) == (None, False)


def test_a_deleted_vault_of_the_workspace(saved):
    vault = only(saved(deleted="keyvault/deleted_vault_get", ws="machinelearning/workspace_get"), "vaults")
    assert (vault.deleted, vault.of_workspace, vault.purge_date) == (True, True, "2021-07-18T05:32:42Z")


def test_of_two_states_of_a_vault_the_later_one_counts(saved):
    earlier = body_of("keyvault/vault_get_policies_cleared_by_pipeline")
    earlier["properties"]["accessPolicies"] = body_of("keyvault/vault_get_access_policies")["properties"][
        "accessPolicies"
    ]
    earlier["systemData"]["lastModifiedAt"] = "2026-11-01T00:00:00Z"
    collection = saved(a="keyvault/vault_get_policies_cleared_by_pipeline", b=earlier)
    assert only(collection, "vaults").policies == 0
    assert collection.items["access_policies"] == ()


def test_a_state_of_a_vault_that_was_saved_before_is_a_vault_too(saved):
    body = body_of("keyvault/vault_get_access_policies")
    principal = body["properties"]["accessPolicies"][0]["objectId"]
    state = {
        "schema": "diagnose/vault/1",
        "saved": "2026-11-19T08:00:00+00:00",
        "names": {principal: "group ml-team"},
        "vault": body,
    }
    collection = saved(before=state)
    assert only(collection, "access_policies").name == "group ml-team"
    assert collection.now == datetime(2026, 11, 19, 8, tzinfo=UTC)
    assert only(saved(before=state, now="keyvault/vault_get_policies_empty"), "vaults").policies == 0


def test_a_change_of_policies_says_nothing_of_a_vault_that_was_saved_itself(saved):
    collection = saved(change="keyvault/access_policies_add", vault="keyvault/vault_get_policies_empty")
    assert collection.items["access_policies"] == ()


def test_the_template_deployment_that_wrote_the_vault(saved):
    steps = body_of("resources/deployment_operations_list_failed")
    collection = saved(
        log=body_of("monitor/activity_log_keyvault_writes")["value"],
        deployment="resources/deployment_get_failed",
        operations=steps["value"],
    )
    writes = {write.operation: write.deployment for write in collection.items["vault_writes"]}
    assert writes == {"vaults/write": "ws-template", "vaults/accessPolicies/write": ""}
    whole, step = collection.items["operations"]
    assert (whole.source.endswith("deployment.json"), step.source.endswith("operations.json")) == (True, True)
    assert (step.resource, step.correlation) == ("kv-mlops", whole.correlation)


def test_a_template_that_wrote_another_vault_is_not_to_blame(saved):
    steps = body_of("resources/deployment_operations_list_failed")
    steps["value"][0]["properties"]["targetResource"]["resourceName"] = "kv-other"
    collection = saved(
        log="monitor/activity_log_keyvault_writes", deployment="resources/deployment_get_failed", operations=steps
    )
    assert {write.deployment for write in collection.items["vault_writes"]} == {""}


# --- roles ---


def assignment(role, principal, scope):
    """A role assignment as ``az role assignment list`` prints it."""
    definitions = (
        "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions"
    )
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{role[:8]}-{principal}",
        "name": f"{role}-{principal}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{definitions}/{role}",
        "roleDefinitionName": "as it is called",
        "scope": scope,
        "type": "Microsoft.Authorization/roleAssignments",
    }


SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CUSTOM = "0a0a0a0a-0000-0000-0000-00000000c057"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
VAULT_ID = f"{SUBSCRIPTION}/resourceGroups/rg-mlops/providers/Microsoft.KeyVault/vaults/kv-mlops"
OWNED = assignment(OWNER, "somebody", SUBSCRIPTION)
RBAC = {"vault": "keyvault/vault_get_rbac", "workspace": "machinelearning/workspace_get"}


@pytest.mark.parametrize("scope", [VAULT_ID, VAULT_ID.lower(), SUBSCRIPTION])
def test_one_role_proves_that_the_workspace_may_read_secrets(saved, scope):
    collection = saved(**RBAC, roles=[assignment(SECRETS_USER, WORKSPACE_IDENTITY, scope)])
    access = only(collection, "access")
    assert (access.granted, access.via, access.source.rpartition("/")[2]) == (
        True,
        "Key Vault Secrets User",
        "roles.json",
    )


def test_a_list_with_own_and_inherited_roles_of_several_proves_that_it_may_not(saved):
    roles = [OWNED, assignment(SECRETS_USER, "another", VAULT_ID)]
    access = only(saved(**RBAC, roles=roles), "access")
    assert (access.granted, access.needs, access.source.rpartition("/")[2]) == (
        False,
        "Key Vault Secrets User",
        "roles.json",
    )


def test_a_list_named_after_the_vault_does_too_when_nobody_has_a_role_on_it(saved):
    roles = [OWNED, assignment(OWNER, "another", SUBSCRIPTION)]
    assert not only(saved(**RBAC, roles_kv_mlops=roles), "access").granted


@pytest.mark.parametrize(
    "roles",
    [
        [OWNED, assignment(OWNER, "another", SUBSCRIPTION)],
        [assignment(SECRETS_USER, "somebody", VAULT_ID), assignment(SECRETS_USER, "another", VAULT_ID)],
        [OWNED, assignment(SECRETS_USER, "somebody", VAULT_ID)],
    ],
    ids=["of the subscription?", "without what is inherited?", "of one principal?"],
)
def test_a_list_that_may_be_of_something_else_leaves_it_open(saved, roles):
    collection = saved(**RBAC, roles=roles)
    assert collection.items["access"] == ()
    (gap,) = gaps(collection, "access")
    assert "identity of workspace ws-mlops has access to vault kv-mlops" in gap.what
    assert (
        gap.needs
        == f"`az role assignment list --scope {VAULT_ID} --include-inherited -o json`, saved as roles-kv-mlops.json"
    )


def test_a_role_of_ones_own_is_understood_by_its_definition(saved):
    definition = {
        "id": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM}",
        "type": "Microsoft.Authorization/roleDefinitions",
        "roleName": "Reads our secrets",
        "permissions": [{"actions": [], "dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}],
    }
    roles = [assignment(CUSTOM, WORKSPACE_IDENTITY, VAULT_ID)]
    assert only(saved(**RBAC, roles=roles, definitions=[definition]), "access").via == "Reads our secrets"


def test_a_role_whose_definition_was_not_saved_leaves_it_open(saved):
    collection = saved(**RBAC, roles=[OWNED, assignment(CUSTOM, WORKSPACE_IDENTITY, VAULT_ID)])
    assert collection.items["access"] == ()
    (gap,) = gaps(collection, "access")
    assert CUSTOM in gap.what


def test_an_assignment_is_told_once_for_each_resource_it_covers(saved):
    collection = saved(workspace="machinelearning/workspace_get", roles=[OWNED, assignment(OWNER, "x", "/other")])
    on = {(role.principal, role.on) for role in collection.items["role_assignments"]}
    assert on == {
        ("somebody", "vault kv-mlops"),
        ("somebody", "registry myregistry"),
        ("somebody", "storage stmlops"),
        ("x", ""),
    }


def test_an_endpoint_needs_to_pull_images_and_read_models(saved):
    roles = [assignment("7f951dda-4ed3-4680-a7ca-43fe172d538d", "11111111-0000-0000-0000-0000000000d6", SUBSCRIPTION)]
    collection = saved(
        workspace="machinelearning/workspace_get", endpoint="machinelearning/online_endpoint_get", roles=roles
    )
    access = only(collection, "access")
    assert (access.owner, access.resource, access.via) == ("mysvc", "myregistry", "AcrPull")
    assert [gap.what.partition(":")[0] for gap in gaps(collection, "access")] == [
        "whether the identity of endpoint mysvc has access to storage stmlops"
    ]


# --- endpoints ---


def test_an_endpoint_knows_its_deployments(saved):
    collection = saved(
        endpoint="machinelearning/online_endpoint_get", deployments="machinelearning/online_deployments_list"
    )
    endpoint, deployment = only(collection, "endpoints"), only(collection, "online_deployments")
    assert (endpoint.deployments, endpoint.traffic_percent, endpoint.traffic) == (1, 100, ("blue=100",))
    assert (deployment.traffic_percent, deployment.endpoint) == (100, "mysvc")
    assert deployment.subject == Subject("endpoint", workload="blue")


def test_one_of_its_deployments_does_not_say_that_traffic_goes_nowhere(saved):
    endpoint = body_of("machinelearning/online_endpoint_get")
    endpoint["properties"]["traffic"] = {"green": 100}
    shown = saved(endpoint=endpoint, deployment="machinelearning/online_deployment_get_failed")
    assert (only(shown, "endpoints").deployments, only(shown, "endpoints").traffic_percent) == (None, 100)
    listed = saved(endpoint=endpoint, deployment=[body_of("machinelearning/online_deployment_get_failed")])
    assert (only(listed, "endpoints").deployments, only(listed, "endpoints").traffic_percent) == (1, 0)


def test_an_empty_list_of_deployments_says_so_by_its_name(saved):
    collection = saved(endpoint="machinelearning/online_endpoint_get", deployments=[])
    assert collection.items["online_deployments"] == ()
    assert (only(collection, "endpoints").deployments, only(collection, "endpoints").traffic_percent) == (0, 0)


def test_a_deployment_alone_names_its_endpoint(saved):
    deployment = only(saved(one="machinelearning/online_deployment_get_failed"), "online_deployments")
    assert (deployment.endpoint, deployment.kind, deployment.provisioning_state) == ("mysvc", "managed", "Failed")


def test_the_only_log_belongs_to_the_only_deployment(saved):
    content = body_of("machinelearning/online_deployment_get_logs")["content"]
    content = content.replace("UserContainerStart: Succeeded", "UserContainerStart: Failed")
    collection = saved(deployment="machinelearning/online_deployment_get_failed", log={"content": content})
    deployment = only(collection, "online_deployments")
    assert (deployment.image_pull, deployment.container_start) == ("Succeeded", "Failed")
    assert deployment.failed_step == "UserContainerStart"
    container = only(collection, "containers")
    assert (container.state, container.ready) == ("waiting", False)
    assert container.subject == Subject("endpoint", workload="blue", container="inference-server")
    assert len(collection.items["events"]) == 6
    assert "Instance status:" in collection.logs["logs.container"][0].chunks[0].text


def test_of_several_deployments_the_one_that_the_file_names(saved):
    green = body_of("machinelearning/online_deployment_get_failed")
    green |= {"name": "green", "id": green["id"].replace("/blue", "/green")}
    files = {"blue": "machinelearning/online_deployment_get_failed", "green": green}
    log = answer("machinelearning/online_deployment_get_logs")
    named = {d.name: d.image_pull for d in saved(**files, logs_green=log).items["online_deployments"]}
    assert named == {"blue": "", "green": "Succeeded"}


def test_a_log_whose_deployment_cannot_be_told_gives_no_state(saved):
    green = body_of("machinelearning/online_deployment_get_failed")
    green |= {"name": "green", "id": green["id"].replace("/blue", "/green")}
    collection = saved(
        both=[body_of("machinelearning/online_deployment_get_failed"), green],
        log="machinelearning/online_deployment_get_logs",
    )
    assert {deployment.image_pull for deployment in collection.items["online_deployments"]} == {""}
    assert "containers" not in collection.items


def test_an_operation_is_of_what_names_it(saved):
    collection = saved(
        deployment="machinelearning/online_deployment_get_failed", status="machinelearning/operation_status_failed"
    )
    operation = only(collection, "operations")
    assert (operation.kind, operation.name, operation.code) == ("deployment", "blue", "ResourceNotReady")
    alone = only(collect_files([str(ANSWERS / "machinelearning/operation_status_failed.json")], Limits()), "operations")
    assert (alone.kind, alone.name) == ("deployment", "")


def test_an_operation_of_sdk_v1_is_of_the_only_service(saved):
    collection = saved(
        service="machinelearning_v1/service_get_aks", operation="machinelearning_v1/operation_get_failed"
    )
    operation = only(collection, "operations")
    assert (operation.name, operation.step, operation.status) == ("mysvc", "BuildEnvironment", "Failed")


def test_requests_split_by_status_code(saved):
    minutes = saved(metrics="monitor/metrics_online_endpoint_requests").items["http.minutes"]
    assert minutes[0].time == datetime(2026, 11, 20, 8, 10, tzinfo=UTC)
    assert sum(minute.unavailable for minute in minutes) > 0


# --- builds ---


def test_the_image_of_the_only_environment_is_named(saved):
    collection = saved(
        deployment="machinelearning/online_deployment_get_failed",
        image="machinelearning_v1/environment_image_details",
    )
    build = only(collection, "builds")
    assert (build.name, build.in_registry) == ("online-endpoint-mir-test:3", False)
    assert build.image == "myregistry.azurecr.io/azureml/azureml_e434aed78f9426216c7e0e89c0851446"


def test_of_the_runs_of_a_registry_the_one_that_made_the_image(saved):
    runs = body_of("containerregistry/runs_list")
    failed = body_of("containerregistry/run_get_failed")
    runs["value"].append(failed)
    image = body_of("machinelearning_v1/environment_image_details")
    image["imageExistsInRegistry"] = True
    image["dockerImage"]["name"] = "myimage"
    collection = saved(runs=runs, image=image)
    assert [(build.origin, build.status) for build in collection.items["builds"]] == [
        ("environment", ""),
        ("registry run", "Succeeded"),
    ]


def test_a_run_that_was_saved_by_itself_counts(saved):
    build = only(saved(run="containerregistry/run_get_failed"), "builds")
    assert (build.name, build.status, build.error) == ("cb7", "Failed", "failed during run, err: exit status 1")


def test_of_the_images_of_a_workspace_that_of_the_service(saved):
    images = body_of("machinelearning_v1/images_list")
    images["value"].append(images["value"][0] | {"id": "mysvc:1", "name": "mysvc", "creationState": "Succeeded"})
    collection = saved(service="machinelearning_v1/service_get_aks", images=images)
    assert [build.name for build in collection.items["builds"]] == ["mysvc:1"]


# --- what must stay inside, and the rest of the folder ---


def test_secrets_of_answers_stay_where_they_are(saved):
    image = body_of("machinelearning_v1/environment_image_details")
    image["dockerImage"]["registry"] |= {"username": "topsecret-user", "password": "topsecret"}
    compute = body_of("machinelearning/compute_get_kubernetes")
    compute["properties"]["properties"]["serviceBusConnectionString"] = "Endpoint=sb://x;SharedAccessKey=topsecret"
    deployment = body_of("machinelearning/online_deployment_get_failed")
    deployment["properties"]["environmentVariables"] = {"STORAGE_KEY": "topsecret"}
    group = body_of("containerinstance/container_group_get_crashloop")
    group["properties"]["containers"][0]["properties"]["environmentVariables"] = [{"name": "KEY", "value": "topsecret"}]
    template = body_of("resources/deployment_get_failed")
    template["properties"]["parameters"] = {"password": {"value": "topsecret"}}
    template["properties"]["outputs"] = {"key": {"type": "String", "value": "topsecret"}}
    service = body_of("machinelearning_v1/service_get_aks") | {"environmentVariables": {"KEY": "topsecret"}}
    status = body_of("machinelearning_v1/environment_build_status")
    status["logUrl"] = status["logUrl"].replace("REDACTED", "topsecret")
    operation = body_of("machinelearning_v1/operation_get_failed")
    signature = "nQ2v8Zr5Xk0LwB7yT1cEoJ9hU4mSaGdPiF6qRtY3xA%3D"
    operation["operationLog"] = operation["operationLog"].replace("REDACTED", signature)
    link = {"logLink": "https://x.blob.core.windows.net/l/rawtext.log?sig=topsecret"}
    collection = saved(
        image=image,
        compute=compute,
        deployment=deployment,
        group=group,
        template=template,
        service=service,
        status=status,
        operation=operation,
        link=link,
        token={"accessToken": "topsecret"},
        kubeconfig={"kubeconfigs": [{"name": "clusterUser", "value": "topsecret"}]},
        keys={"passwords": [{"name": "password", "value": "topsecret"}], "username": "x"},
    )
    assert len(collection.items) == 8
    assert "topsecret" not in everything(collection)
    assert signature not in repr((collection.items, collection.missing))
    texts = deployment_texts(collection)
    assert sum(signature in text for text in texts) == 1
    redactor = Redactor()
    assert signature not in "".join(map(redactor.text, texts))


def test_people_of_the_activity_log_stay_there_but_for_who_wrote_the_vault(saved):
    log = body_of("monitor/activity_log_keyvault_writes")
    log["value"] += body_of("monitor/activity_log_filtered")["value"]
    collection = saved(log=log)
    assert "John" not in everything(collection)
    assert {write.caller for write in collection.items["vault_writes"]} == {
        "11111111-0000-0000-0000-0000000000c1",
        "user@example.com",
    }


def test_a_failed_change_in_the_activity_log_tells_its_error(saved):
    log = body_of("monitor/activity_log_keyvault_writes")
    log["value"][0]["properties"]["statusMessage"] = json.dumps(
        {"error": {"code": "ConflictError", "message": "taken"}}
    )
    assert '"code": "ConflictError"' in deployment_texts(saved(log=log))[0]


def test_an_error_with_the_output_of_a_build_is_found_among_build_logs_too(saved):
    said = "Could not install packages due to an OSError\nERROR: No matching distribution found for sklear==1"
    collection = saved(operation=body_of("machinelearning_v1/operation_get_failed") | {"error": {"message": said}})
    (text,) = [log.chunks[0].text for log in collection.logs["logs.build"]]
    assert "\nERROR: No matching distribution found for sklear==1" in text
    assert deployment_texts(collection) == [text]


def test_the_log_of_a_container_saved_beside_an_answer_may_be_of_its_subject(saved):
    collection = saved(
        group="containerinstance/container_group_get_crashloop", container_log="containerinstance/container_logs"
    )
    (log,) = collection.logs["logs.container"]
    assert log.subject.joins(only(collection, "containers").subject)
    assert only(collection, "groups").subject == Subject("aci", workload="mysvc")


def test_ages_are_counted_from_the_newest_time_of_all_files(saved):
    collection = saved(
        service="machinelearning_v1/service_get_aks", operation="machinelearning_v1/operation_get_failed"
    )
    assert collection.now == datetime(2026, 11, 20, 8, 9, tzinfo=UTC)
    age = timedelta(days=19, hours=-1, minutes=-57)
    assert only(collection, "web_services").updated_s == age.total_seconds()


def test_all_answers_in_one_folder_are_read_and_none_disturbs_another(saved):
    names = [name for name in ALONE if not name.startswith("blob_errors/")]
    collection = saved(**{name.replace("/", "_"): name for name in names})
    streams = {stream for expected in ALONE.values() if isinstance(expected, dict) for stream in expected}
    assert {*collection.items, *collection.logs} >= streams - {"logs.build"}
    assert only(collection, "registries").name == "myregistry"
    assert len(gaps(collection, "logs.build")) >= 1


# --- end to end ---


def report_on(tmp_path, **files):
    for name, value in files.items():
        (tmp_path / f"{name}.json").write_text(content_of(value), encoding="utf-8")
    return analyze([str(tmp_path)], Settings(timeout_s=30))


def test_wiped_policies_are_the_answer(tmp_path):
    report = report_on(
        tmp_path,
        vault="keyvault/vault_get_policies_cleared_by_pipeline",
        workspace="machinelearning/workspace_get",
        activity="monitor/activity_log_keyvault_writes",
        error="machinelearning_v1/mms_500",
    )
    assert report.findings[0].rule == "keyvault.access-policies-wiped"
    assert "vault.json" in {Path(citation.source).name for citation in report.findings[0].evidence}


@pytest.mark.parametrize("mode", ["listed", "rbac"])
def test_a_vault_that_is_well_is_not_blamed(tmp_path, mode):
    body = body_of("keyvault/vault_get_access_policies" if mode == "listed" else "keyvault/vault_get_rbac")
    for policy in body["properties"]["accessPolicies"]:
        policy["objectId"] = WORKSPACE_IDENTITY
    report = report_on(
        tmp_path, vault=body, workspace="machinelearning/workspace_get", error="machinelearning_v1/mms_500"
    )
    assert not [finding.rule for finding in report.findings if finding.rule.startswith("keyvault.")]
