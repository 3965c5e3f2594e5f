"""Vaults: how they may be read, by whom, who wrote them last, and whether they are there at all."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from azure_server import RG, SUB, VAULT_PATH, body_of

from diagnose.azure_items import Workspace
from diagnose.collectors import Limits
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.session import signed_in
from diagnose.collectors.azure.vault import (
    API_VERSION,
    collect_vault,
    deleted_vault_of,
    policies_of,
    read_vault,
    vault_of,
)
from diagnose.model import Subject, Why

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OWNER = "00000000-0000-0000-0000-000000000001"
STRANGER = "11111111-0000-0000-0000-0000000000d3"
DELETED = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/kv-mlops"
ALL_DELETED = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults"
POLICIES = body_of("keyvault/vault_get_access_policies")
WORKSPACE = Workspace(source="test", name="ws-mlops", vault="KV-mlops", principal=STRANGER, location="eastus")


def vault(name: str, *principals: str):
    return vault_of(body_of(f"keyvault/{name}"), principals, NOW)


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=NOW)


def collected(arm, workspace: Workspace | None = WORKSPACE):
    found = gathering()
    item = collect_vault(arm, VAULT_PATH, workspace, found)
    return item, found.collection(0)


# --- what the answers say ---


def test_a_vault_that_names_the_workspace_lets_it_read_secrets():
    item = vault("vault_get_access_policies", OWNER)
    assert (item.name, item.resource_group, item.location) == ("kv-mlops", RG, "eastus")
    assert (item.rbac, item.policies) == (False, 1)
    assert (item.workspace_listed, item.workspace_reads_secrets) == (True, True)
    assert (item.template_deployment, item.soft_delete, item.purge_protection) == (True, True, False)
    assert (item.default_action, item.bypass, item.written_by, item.written_s) == ("", "", "", None)


def test_an_absent_or_null_permission_model_means_access_policies():
    null = deepcopy(POLICIES)
    null["properties"]["enableRbacAuthorization"] = None
    assert "enableRbacAuthorization" not in POLICIES["properties"]
    assert [vault_of(body, [], NOW).rbac for body in (POLICIES, null)] == [False, False]


def test_wiped_policies_with_who_wrote_them_and_when():
    item = vault("vault_get_policies_cleared_by_pipeline", STRANGER)
    assert (item.policies, item.workspace_listed, item.workspace_reads_secrets) == (0, False, None)
    assert (item.written_by, item.written_by_type) == ("11111111-0000-0000-0000-0000000000c1", "Application")
    assert item.time == datetime(2026, 11, 20, 8, 14, 2, 118000, UTC)
    assert item.written_s == pytest.approx(143157.882)
    assert item.restore_command.startswith(
        f"az keyvault set-policy -n kv-mlops -g {RG} --subscription {SUB} --object-id {STRANGER} --key-permissions get"
    )
    assert item.policies_block.count("objectId") == 1


def test_the_recorded_vault_without_policies_lacks_the_workspace_too():
    item = vault("vault_get_policies_empty", STRANGER)
    assert (item.policies, item.workspace_listed, item.written_by) == (0, False, "")


def test_the_block_for_a_template_keeps_the_policies_that_are_there():
    item = vault("vault_get_access_policies", STRANGER)
    assert item.workspace_listed is False
    assert item.policies_block.index(OWNER) < item.policies_block.index(STRANGER)


def test_without_policies_a_vault_with_rbac_is_not_at_fault():
    item = vault("vault_get_rbac", STRANGER)
    assert (item.rbac, item.policies) == (True, 0)
    assert (item.workspace_listed, item.workspace_reads_secrets) == (None, None)
    assert (item.restore_command, item.policies_block) == ("", "")
    assert item.text() == "vault kv-mlops: Azure RBAC; last written by user@example.com (User)"


def test_nobody_says_of_an_unknown_workspace_that_it_is_missing():
    item = vault("vault_get_policies_empty", "")
    assert (item.workspace_listed, item.restore_command) == (None, "")


def test_a_closed_firewall():
    item = vault("vault_get_network_denied")
    assert (item.default_action, item.bypass, item.public_network_access) == ("Deny", "None", "Disabled")
    assert (item.addresses, item.subnets, item.private_endpoints) == (0, 0, 0)


def test_a_firewall_with_addresses_and_a_model_spelled_out():
    item = vault("vault_item_network_rules")
    assert (item.default_action, item.bypass, item.addresses, item.rbac) == ("Allow", "AzureServices", 2, False)


def test_a_vault_that_is_being_made():
    assert vault("vault_put_registering_dns").provisioning_state == "RegisteringDns"


def test_a_policy_without_list_does_not_let_the_workspace_read():
    body = deepcopy(POLICIES)
    body["properties"]["accessPolicies"][0]["permissions"]["secrets"] = ["Get"]
    item = vault_of(body, [OWNER.upper()], NOW)
    assert (item.workspace_listed, item.workspace_reads_secrets) == (True, False)


def test_a_policy_that_needs_an_application_is_counted_and_does_not_do_for_the_workspace():
    body = deepcopy(POLICIES)
    body["properties"]["accessPolicies"][0]["applicationId"] = "11111111-0000-0000-0000-0000000000c1"
    item = vault_of(body, [OWNER], NOW)
    assert (item.authorized_applications, item.workspace_reads_secrets) == (1, False)


def test_policies_with_the_names_that_are_known():
    [policy] = policies_of(POLICIES, {OWNER: "identity of workspace ws-mlops"})
    assert (policy.vault, policy.principal, policy.name) == ("kv-mlops", OWNER, "identity of workspace ws-mlops")
    assert (len(policy.keys), len(policy.secrets), len(policy.certificates), policy.storage) == (16, 8, 14, ())
    assert policy.reads_secrets


def test_policies_of_an_answer_to_a_change_of_them():
    [policy] = policies_of(body_of("keyvault/access_policies_add"), {})
    assert (policy.vault, policy.name, policy.reads_secrets) == ("kv-mlops", "", True)


def test_storage_permissions_are_kept():
    [policy] = policies_of(body_of("keyvault/vault_item_network_rules"), {})
    assert "regeneratekey" in policy.storage


def test_an_answer_of_another_shape_is_no_fault_of_the_vault():
    item = vault_of({"name": 7, "properties": {"accessPolicies": {"a": 1}, "networkAcls": None}}, ["p"], NOW)
    assert (item.name, item.policies, item.default_action) == ("", 0, "")


def test_every_vault_of_a_list_can_be_told():
    [first] = body_of("keyvault/vaults_list_page1")["value"]
    assert vault_of(first, [], NOW).name == "kv-mlops"
    assert body_of("keyvault/vaults_list_page2")["value"] == []


def test_a_deleted_vault_with_the_day_on_which_it_is_purged():
    item = deleted_vault_of(body_of("keyvault/deleted_vault_get"), NOW)
    assert (item.name, item.deleted, item.gone) == ("kv-mlops", True, False)
    assert (item.purge_date, item.location, item.resource_group) == ("2021-07-18T05:32:42Z", "eastus", RG)
    assert item.text() == "vault kv-mlops: deleted; to be purged 2021-07-18T05:32:42Z"


# --- asking, through the real azure-mgmt-keyvault ---


def test_a_vault_read_through_the_sdk(arm, azure):
    azure.use("keyvault/vault_get_access_policies")
    item, evidence = collected(arm)
    assert item.policies == 1
    assert evidence.items["vaults"] == (item,)
    assert [policy.principal for policy in evidence.items["access_policies"]] == [OWNER]
    assert evidence.missing == ()
    [request] = azure.requests
    assert (request.method, request.query) == ("GET", {"api-version": API_VERSION})
    assert request.token


def test_the_vault_of_the_workspace_is_known_whatever_the_case_of_its_name(arm, azure):
    azure.use("keyvault/vault_get_policies_cleared_by_pipeline")
    item, _ = collected(arm)
    assert (item.of_workspace, item.workspace_listed) == (True, False)


def test_the_workspace_of_another_vault_has_no_say(arm, azure):
    azure.use("keyvault/vault_get_policies_cleared_by_pipeline")
    item, _ = collected(arm, Workspace(source="test", name="w", vault="kv-other", principal=STRANGER))
    assert (item.of_workspace, item.workspace_listed) == (False, None)


def test_a_policy_of_the_workspace_bears_its_name(arm, azure):
    azure.use("keyvault/vault_get_access_policies")
    _, evidence = collected(arm, Workspace(source="test", name="ws-mlops", vault="kv-mlops", principal=OWNER))
    assert evidence.items["access_policies"][0].name == "identity of workspace ws-mlops"


def test_a_deleted_vault_is_evidence_and_nothing_is_missing(arm, azure):
    azure.use("keyvault/vault_not_found_404", "keyvault/deleted_vault_get")
    item, evidence = collected(arm)
    assert (item.deleted, item.gone, item.of_workspace) == (True, False, True)
    assert evidence.items["access_policies"] == ()
    assert (evidence.missing, "refusals" in evidence.items) == ((), False)


def test_a_vault_deleted_in_another_region_is_found_among_all_deleted_ones(arm, azure):
    azure.use("keyvault/vault_not_found_404")
    azure.answer("GET", ALL_DELETED, body={"value": [body_of("keyvault/deleted_vault_get")]})
    item, _ = collected(arm, None)
    assert (item.deleted, item.of_workspace) == (True, False)


def test_a_vault_nobody_knows_is_gone(arm, azure):
    azure.use("keyvault/vault_not_found_404")
    azure.answer("GET", DELETED, 404, body_of("keyvault/vault_not_found_404"))
    azure.answer("GET", ALL_DELETED, body={"value": []})
    item, evidence = collected(arm)
    assert (item.gone, item.deleted, item.name, item.resource_group) == (True, False, "kv-mlops", RG)
    assert evidence.missing == ()


def test_who_may_not_look_among_deleted_vaults_is_told_so(arm, azure):
    azure.use("keyvault/vault_not_found_404")
    azure.answer("GET", DELETED, 403, body_of("arm_errors/403_authorization_failed"))
    item, evidence = collected(arm)
    assert item.gone
    [gap] = evidence.missing
    assert (gap.stream, gap.why, gap.needs) == ("vaults", Why.DENIED, "Reader on the subscription")


def test_a_subscription_that_is_not_there_says_nothing_about_the_vault(arm, azure):
    error = {"error": {"code": "SubscriptionNotFound", "message": "The subscription 'x' could not be found."}}
    azure.answer("GET", VAULT_PATH, 404, error)
    item, evidence = collected(arm)
    assert item is None
    assert {gap.stream: gap.why for gap in evidence.missing} == {
        "vaults": Why.NOT_FOUND,
        "access_policies": Why.NOT_FOUND,
    }


def test_a_refused_vault_is_missing_with_the_role_that_would_do(arm, azure):
    azure.use("arm_errors/403_authorization_failed")
    item, evidence = collected(arm)
    assert item is None
    assert "vaults" not in evidence.items
    assert [(gap.stream, gap.why, gap.needs) for gap in evidence.missing] == [
        ("vaults", Why.DENIED, "Reader on vault kv-mlops"),
        ("access_policies", Why.DENIED, "Reader on vault kv-mlops"),
    ]
    [refusal] = evidence.items["refusals"]
    assert (refusal.status, refusal.code, refusal.call) == (403, "AuthorizationFailed", "read vault kv-mlops")
    assert "Microsoft.KeyVault/vaults/read" in refusal.message


@pytest.mark.parametrize(
    ("fixture", "code"),
    [
        ("arm_errors/401_expired_token", "ExpiredAuthenticationToken"),
        ("arm_errors/401_wrong_tenant", "InvalidAuthenticationTokenTenant"),
    ],
)
def test_a_token_that_is_not_taken_is_a_failed_sign_in(arm, azure, fixture, code):
    azure.use(fixture)
    item, evidence = collected(arm)
    assert item is None
    [refusal] = evidence.items["refusals"]
    assert (refusal.sign_in, refusal.code, refusal.call) == (True, code, "sign-in")


def test_a_name_that_is_held_by_a_deleted_vault_is_no_vault(arm, azure):
    azure.use("arm_errors/409_vault_soft_deleted")
    item, evidence = collected(arm)
    assert item is None
    assert evidence.items["refusals"][0].code == "ConflictError"


def test_a_page_of_a_proxy_is_no_vault(arm, azure):
    azure.answer("GET", VAULT_PATH, 200, "<html><title>Sign in</title></html>", {"Content-Type": "text/html"})
    item, evidence = collected(arm)
    assert item is None
    assert {gap.stream for gap in evidence.missing} == {"vaults", "access_policies"}


def test_a_vault_that_takes_too_long_is_missing(azure):
    azure.use("keyvault/vault_get_rbac")
    azure.slow(VAULT_PATH, 5)
    session = signed_in(SUB, Limits(call_s=0.5))
    item, evidence = collected(session)
    session.close()
    assert item is None
    assert {gap.why for gap in evidence.missing} == {Why.TIMED_OUT}


def test_an_unregistered_provider_is_not_registered_by_looking(arm, azure):
    message = "The subscription is not registered to use namespace 'Microsoft.KeyVault'"
    azure.answer("GET", VAULT_PATH, 409, {"error": {"code": "MissingSubscriptionRegistration", "message": message}})
    item, evidence = collected(arm)
    assert item is None
    assert [request.method for request in azure.requests] == ["GET"]
    assert evidence.items["refusals"][0].code == "MissingSubscriptionRegistration"


def test_the_json_is_what_the_service_sent(arm, azure):
    azure.use("keyvault/vault_get_network_denied")
    assert read_vault(arm, VAULT_PATH) == body_of("keyvault/vault_get_network_denied")
