"""Identities of workspaces, endpoints and clusters, and the roles they have."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

from azure_server import SUB, VAULT_PATH, body_of

from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.identities import (
    collect_roles,
    identities_of,
    identities_of_cluster,
    names_of,
    roles_of,
)
from diagnose.collectors.azure.roles import PULL_IMAGES, READ_SECRETS
from diagnose.model import Subject, Why

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ASSIGNMENTS = f"{VAULT_PATH}/providers/Microsoft.Authorization/roleAssignments"
CUSTOM = "11111111-0000-0000-0000-000000000001"
DEFINITION = f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM}"
ON = "vault kv-mlops"


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=NOW)


def with_custom_role() -> dict[str, object]:
    """Derived: the second assignment is of a role of one's own."""
    body = deepcopy(body_of("authorization/role_assignments_list_for_scope"))
    body["value"][1]["properties"]["roleDefinitionId"] = DEFINITION
    return body


# --- identities ---


def test_the_own_identity_of_a_workspace():
    [own] = identities_of(body_of("machinelearning/workspace_get"), "workspace")
    assert (own.owner_kind, own.owner, own.type) == ("workspace", "ws-mlops", "SystemAssigned")
    assert own.principal == "11111111-0000-0000-0000-0000000000d3"
    assert own.source.startswith("az resource show --ids /subscriptions/")


def test_an_identity_given_to_a_workspace():
    body = body_of("machinelearning/workspace_get_user_assigned_identity")
    [given] = identities_of(body, "workspace", "az ml workspace show")
    assert (given.type, given.resource) == ("UserAssigned", "id-mlops")
    assert (given.principal[-2:], given.client[-2:]) == ("d4", "d5")
    assert given.source == "az ml workspace show"


def test_the_primary_identity_comes_before_its_own():
    body = deepcopy(body_of("machinelearning/workspace_get_user_assigned_identity"))
    body["identity"] |= {"type": "SystemAssigned,UserAssigned", "principalId": "own"}
    assert [one.type for one in identities_of(body, "workspace")] == ["SystemAssigned", "UserAssigned"]
    [arm_id] = body["identity"]["userAssignedIdentities"]
    body["properties"]["primaryUserAssignedIdentity"] = arm_id.upper()
    assert [one.type for one in identities_of(body, "workspace")] == ["UserAssigned", "SystemAssigned"]


def test_an_endpoint_with_its_identity():
    [own] = identities_of(body_of("machinelearning/online_endpoint_get"), "endpoint")
    assert (own.owner_kind, own.type) == ("endpoint", "SystemAssigned")
    assert own.principal


def test_what_has_no_identity_has_none():
    assert identities_of({"name": "x", "identity": {"type": "None"}}, "compute") == ()
    assert identities_of({"name": "x", "identity": None}, "compute") == ()


def test_a_cluster_with_a_service_principal():
    [principal] = identities_of_cluster(body_of("containerservice/managed_cluster_get"))
    assert (principal.owner_kind, principal.type, principal.client) == ("cluster", "ServicePrincipal", "clientid")


def test_a_cluster_pulls_with_its_kubelets_identity():
    body = {
        "name": "aks-mlops",
        "identity": {"type": "SystemAssigned", "principalId": "p0"},
        "properties": {
            "servicePrincipalProfile": {"clientId": "msi"},
            "identityProfile": {
                "kubeletidentity": {"resourceId": "/x/aks-mlops-agentpool", "clientId": "c1", "objectId": "p1"}
            },
        },
    }
    own, kubelet = identities_of_cluster(body)
    assert (own.owner_kind, own.principal) == ("cluster", "p0")
    assert (kubelet.owner_kind, kubelet.principal, kubelet.client) == ("kubelet", "p1", "c1")
    assert kubelet.resource == "aks-mlops-agentpool"


def test_who_a_principal_is_in_words():
    own = identities_of(body_of("machinelearning/workspace_get"), "workspace")
    given = identities_of(body_of("machinelearning/workspace_get_user_assigned_identity"), "workspace")
    assert names_of([*own, *given]) == {
        "11111111-0000-0000-0000-0000000000d3": "identity of workspace ws-mlops",
        "11111111-0000-0000-0000-0000000000d4": "identity id-mlops of workspace ws-mlops",
    }


# --- roles ---


def test_roles_have_the_names_that_people_know():
    contributor, user = roles_of(body_of("authorization/role_assignments_list_for_scope"), ON, NOW)
    assert (contributor.role, contributor.allows) == ("Contributor", (PULL_IMAGES,))
    assert contributor.scope.endswith("/resourceGroups/rg-mlops")
    assert (user.role, user.allows, user.on) == ("Key Vault Secrets User", (READ_SECRETS,), ON)
    assert user.principal_type == "ServicePrincipal"
    assert user.age_s > 8 * 365 * 86400


def test_an_assignment_that_was_just_made():
    [made] = roles_of({"value": [body_of("authorization/role_assignment_put")]}, ON, NOW)
    assert (made.role, made.principal) == ("Contributor", CUSTOM)


def test_roles_are_asked_for_the_resource_and_what_is_above_it(arm, azure):
    azure.use("authorization/role_assignments_list_for_scope")
    found = gathering()
    roles = collect_roles(arm, VAULT_PATH, ON, found)
    assert [role.role for role in roles] == ["Contributor", "Key Vault Secrets User"]
    assert found.collection(0).items["role_assignments"] == tuple(roles)
    [request] = azure.requests
    assert (request.path, request.query["$filter"]) == (ASSIGNMENTS, "atScope()")


def test_no_assignments_are_an_answer(arm, azure):
    azure.use("authorization/role_assignments_list_empty")
    found = gathering()
    assert collect_roles(arm, VAULT_PATH, ON, found) == []
    assert found.collection(0).items["role_assignments"] == ()
    assert found.collection(0).missing == ()


def test_what_a_role_of_ones_own_allows_is_read_from_its_definition(arm, azure):
    azure.answer("GET", ASSIGNMENTS, body=with_custom_role())
    permissions = [{"dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}]
    azure.answer("GET", DEFINITION, body={"properties": {"roleName": "Reads secrets", "permissions": permissions}})
    roles = collect_roles(arm, VAULT_PATH, ON, gathering())
    assert (roles[1].role, roles[1].allows) == ("Reads secrets", (READ_SECRETS,))


def test_a_role_without_a_definition_keeps_its_id_for_a_name(arm, azure):
    azure.answer("GET", ASSIGNMENTS, body=with_custom_role())
    azure.use("authorization/role_definition_not_found_404")
    found = gathering()
    roles = collect_roles(arm, VAULT_PATH, ON, found)
    assert (roles[1].role, roles[1].allows) == (CUSTOM, ())
    [refusal] = found.collection(0).items["refusals"]
    assert (refusal.code, refusal.call) == ("RoleDefinitionDoesNotExist", f"read role definition {CUSTOM}")
    assert found.collection(0).missing == ()


def test_refused_roles_are_missing_and_so_is_what_they_would_tell(arm, azure):
    azure.answer("GET", ASSIGNMENTS, 403, body_of("arm_errors/403_authorization_failed"))
    found = gathering()
    assert collect_roles(arm, VAULT_PATH, ON, found) is None
    gaps = found.collection(0).missing
    assert [(gap.stream, gap.why, gap.needs) for gap in gaps] == [
        ("role_assignments", Why.DENIED, "Reader on vault kv-mlops"),
        ("access", Why.DENIED, "Reader on vault kv-mlops"),
    ]
    assert "role_assignments" not in found.collection(0).items
