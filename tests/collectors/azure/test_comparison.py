"""What a vault lost, or a template would take from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diagnose.azure_items import AccessPolicy, Vault
from diagnose.collectors.azure.comparison import State, lost_between, lost_to
from diagnose.collectors.azure.declared import declared_in

WORKSPACE_ID = "[reference(resourceId('Microsoft.MachineLearningServices/workspaces', 'w'), '2022-05-01', 'Full').identity.principalId]"
VAULT = Vault(source="test", name="kv-mlops", tenant="t1")


def policy(principal: str, *secrets: str, **more: object) -> AccessPolicy:
    return AccessPolicy(source="test", vault="kv-mlops", principal=principal, secrets=secrets, **more)


WORKSPACE = policy("w1", "get", "list", "set", name="identity of workspace ws-mlops")
TEAM = policy("t1", "Get", "List", keys=("get",))
BEFORE = State(VAULT, (WORKSPACE, TEAM), {"w1": "ws-mlops"})
RBAC = State(replace(VAULT, rbac=True), (), {})


def entry(principal: str, *secrets: object, **more: object) -> dict[str, object]:
    return {"tenantId": "t1", "objectId": principal, "permissions": {"secrets": list(secrets), **more}}


ALL = (entry("w1", "all"), entry("T1", "get", "list", keys=["get"]))


def vault(*policies: object, name: str = "kv-mlops", **more: object) -> dict[str, object]:
    properties = {"accessPolicies": list(policies), **more.pop("properties", {})}
    return {"type": "Microsoft.KeyVault/vaults", "name": name, "properties": properties, **more}


def child(does: str, *policies: object, name: str = "kv-mlops") -> dict[str, object]:
    kind = "Microsoft.KeyVault/vaults/accessPolicies"
    return {"type": kind, "name": f"{name}/{does}", "properties": {"accessPolicies": list(policies)}}


def deploying(*resources: object, before: State = BEFORE, **template: object):
    return lost_to(before, declared_in({"resources": list(resources), **template}, {}))


def told(comparison) -> list[str]:
    return [str(loss) for loss in comparison.losses]


# --- from one state to the next ---


def test_the_same_state_lost_nothing():
    assert lost_between(BEFORE, BEFORE).exit_code == 0


def test_wiped_policies_are_everything_everybody_had():
    found = lost_between(BEFORE, State(VAULT))
    assert told(found) == [
        "w1 (identity of workspace ws-mlops) loses its policy: secrets: get list set",
        "t1 loses its policy: keys: get; secrets: Get List",
    ]
    assert found.exit_code == 1


def test_a_permission_less_is_a_loss_and_one_more_is_none():
    after = State(VAULT, (policy("W1", "LIST", "get", "purge"), TEAM))
    assert told(lost_between(BEFORE, after)) == ["w1 (identity of workspace ws-mlops): secrets: set"]


def test_all_stands_for_each_permission():
    everything = State(VAULT, (policy("w1", "all"),))
    assert lost_between(State(VAULT, (WORKSPACE,)), everything).losses == ()
    assert told(lost_between(everything, State(VAULT, (WORKSPACE,)))) == ["w1: secrets: delete recover backup restore"]


def test_a_policy_through_an_application_is_another_policy():
    before = State(VAULT, (policy("w1", "get", application="a1"), WORKSPACE))
    assert told(lost_between(before, State(VAULT, (WORKSPACE,)))) == [
        "w1 through application a1 loses its policy: secrets: get"
    ]


def test_a_deleted_vault_lost_everything():
    found = lost_between(BEFORE, State(replace(VAULT, deleted=True)))
    assert (len(found.losses), found.changes, found.exit_code) == (2, ("the vault is deleted",), 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rbac": True}, "the permission model becomes Azure RBAC: 0 access policies stop counting"),
        ({"default_action": "Deny"}, "the firewall closes: default action Deny"),
        ({"public_network_access": "Disabled"}, "public network access is disabled"),
    ],
)
def test_settings_that_shut_somebody_out_are_losses(change, told):
    found = lost_between(BEFORE, State(replace(VAULT, **change), BEFORE.policies))
    assert (found.changes, found.losses, found.exit_code) == ((told,), (), 1)


def test_a_closed_firewall_that_stays_closed_is_no_change_but_its_bypass_is():
    closed = replace(VAULT, default_action="Deny", bypass="AzureServices")
    found = lost_between(State(closed), State(replace(closed, bypass="None")))
    assert found.changes == ("trusted Azure services are no longer let through the firewall",)


def test_policies_have_no_say_under_rbac():
    found = lost_between(State(RBAC.vault, (WORKSPACE,)), RBAC)
    assert (found.losses, found.exit_code) == ((), 0)
    assert found.notes == ("Azure RBAC decides, access policies have no say",)


# --- to a template ---


def test_a_template_that_names_everybody_takes_nothing():
    assert deploying(vault(*ALL)).exit_code == 0


def test_an_empty_list_takes_everything():
    found = deploying(vault())
    assert (len(found.losses), found.exit_code) == (2, 1)
    assert all(loss.whole for loss in found.losses)


def test_a_workspace_that_is_left_out_now_is_told_when_it_stays_out():
    wiped = State(VAULT, (), {"w1": "ws-mlops"})
    found = deploying(vault(), before=wiped)
    assert (found.losses, found.exit_code) == ((), 0)
    assert found.notes == (
        "the identity of workspace ws-mlops is not among the policies now, and the template does not name it either",
    )
    assert deploying(vault(ALL[0]), before=wiped).notes == ()


def test_no_list_is_taken_for_an_empty_one_and_said_so():
    resource = {"type": "Microsoft.KeyVault/vaults", "name": "kv-mlops", "properties": {}}
    found = deploying(resource)
    assert (len(found.losses), found.exit_code) == (2, 1)
    assert found.notes == ("resources[0] declares no accessPolicies: Azure refuses that, or takes it for none",)


def test_recovering_keeps_what_the_vault_has():
    assert deploying(vault(properties={"createMode": "recover"})).exit_code == 0


def test_fewer_permissions_are_a_loss():
    found = deploying(vault(entry("w1", "get", "list"), ALL[1]))
    assert told(found) == ["w1 (identity of workspace ws-mlops): secrets: set"]


def test_a_change_that_adds_brings_back_what_the_vault_resource_took():
    assert deploying(vault(ALL[1]), child("add", ALL[0])).exit_code == 0
    assert deploying(child("add", entry("new", "get"))).exit_code == 0


def test_a_change_that_replaces_takes_only_from_those_it_names():
    assert told(deploying(child("replace", entry("w1", "get")))) == [
        "w1 (identity of workspace ws-mlops): secrets: list set"
    ]


def test_a_change_that_removes_takes_what_it_names():
    assert told(deploying(child("remove", entry("w1", "set")))) == ["w1 (identity of workspace ws-mlops): secrets: set"]
    assert told(deploying(child("remove", entry("w1", "all")))) == [
        "w1 (identity of workspace ws-mlops) loses its policy: secrets: get list set"
    ]


def test_other_vaults_are_no_business_of_this_one():
    found = deploying(vault(name="kv-other"))
    assert (found.exit_code, found.notes) == (0, ("of other vaults: kv-other",))


def test_the_only_vault_without_a_name_is_taken_for_this_one():
    found = deploying(vault(name="[concat('kv', uniqueString('x'))]"))
    assert (len(found.losses), found.exit_code) == (2, 1)
    assert found.notes == ("the vault called [concat('kv', uniqueString('x'))] is taken for this one",)


def test_of_several_vaults_without_a_name_nobody_can_tell():
    found = deploying(vault(name="[uniqueString('a')]"), vault(*ALL, name="[uniqueString('b')]"))
    assert (found.losses, found.exit_code) == ((), 3)
    assert len(found.undecided) == 1
    assert "resources[0]: if its name [uniqueString('a')] is that of this vault: w1" in found.undecided[0]


def test_a_condition_nobody_can_decide_leaves_it_open():
    found = deploying(vault(condition="[parameters('new')]"))
    assert (found.losses, found.exit_code) == ((), 3)
    assert found.undecided[0].startswith("resources[0]: if [parameters('new')]: w1 (identity of workspace ws-mlops)")


def test_the_identity_of_the_workspace_is_known_by_its_expression():
    assert deploying(vault(entry(WORKSPACE_ID, "all"), ALL[1])).exit_code == 0
    found = deploying(vault(entry(WORKSPACE_ID, "get"), ALL[1]))
    assert told(found) == ["w1 (identity of workspace ws-mlops): secrets: list set"]


def test_a_principal_nobody_can_decide_may_be_the_one_not_named():
    found = deploying(vault(ALL[0], entry("[parameters('team')]", "get")))
    assert (found.losses, found.exit_code) == ((), 3)
    assert "not named, but perhaps among what cannot be decided: t1" in found.undecided
    assert "resources[0].properties.accessPolicies[1].objectId: [parameters('team')]" in found.undecided


def test_more_are_lost_than_can_be_behind_what_cannot_be_decided():
    found = deploying(vault(entry("[parameters('one')]", "get")))
    assert (len(found.losses), found.exit_code) == (2, 1)
    assert found.notes == ("of these, 1 may be behind principals that cannot be decided",)


def test_a_principal_nobody_can_decide_does_not_matter_when_all_are_named():
    found = deploying(vault(*ALL, entry("[parameters('more')]", "get")))
    assert found.exit_code == 0
    assert found.undecided == ("resources[0].properties.accessPolicies[2].objectId: [parameters('more')]",)


def test_a_list_from_elsewhere_leaves_it_open():
    template = {
        "type": "Microsoft.KeyVault/vaults",
        "name": "kv-mlops",
        "properties": {"accessPolicies": "[parameters('p')]"},
    }
    found = deploying(template)
    assert (found.losses, found.exit_code) == ((), 3)


def test_a_list_from_a_parameter_counts_with_its_default():
    template = {
        "type": "Microsoft.KeyVault/vaults",
        "name": "kv-mlops",
        "properties": {"accessPolicies": "[parameters('p')]"},
    }
    found = deploying(template, parameters={"p": {"type": "array", "defaultValue": []}})
    assert (len(found.losses), found.exit_code) == (2, 1)
    assert found.notes == ("taken at their defaults: parameters p",)


def test_permissions_nobody_can_decide_leave_it_open():
    found = deploying(vault(entry("w1", "get", "[parameters('more')]"), ALL[1]))
    assert (found.losses, found.exit_code) == ((), 3)
    assert (
        "w1 may lose permissions: those of resources[0].properties.accessPolicies[0] cannot be decided"
        in found.undecided
    )


def test_permissions_that_are_known_to_do_are_not_in_doubt():
    found = deploying(vault(entry("w1", "all", "[parameters('more')]"), ALL[1]))
    assert found.exit_code == 0


def test_who_is_replaced_or_removed_may_be_anybody():
    assert deploying(child("remove", entry("[parameters('x')]", "get"))).exit_code == 3


def test_switching_to_rbac_stops_the_policies():
    found = deploying(vault(*ALL, properties={"enableRbacAuthorization": True}))
    assert found.changes == ("the permission model becomes Azure RBAC: 0 access policies stop counting",)
    assert (found.losses, found.exit_code) == ((), 1)


def test_an_rbac_vault_loses_no_policies():
    assert deploying(vault(), before=RBAC).exit_code == 0
    found = deploying(vault(properties={"enableRbacAuthorization": False}), before=RBAC)
    assert found.exit_code == 1
    assert "roles such as Key Vault Secrets User stop counting" in found.changes[0]


def test_a_firewall_in_a_template_closes_an_open_vault():
    properties = {"networkAcls": {"defaultAction": "deny", "bypass": "none"}}
    assert deploying(vault(*ALL, properties=properties)).changes == (
        "the firewall closes: default action Deny",
        "trusted Azure services are no longer let through the firewall",
    )


def test_a_linked_template_leaves_it_open():
    linked = {
        "type": "Microsoft.Resources/deployments",
        "name": "l",
        "properties": {"templateLink": {"uri": "https://x"}},
    }
    found = deploying(vault(*ALL), linked)
    assert (found.losses, found.exit_code) == ((), 3)
    assert found.undecided == ("resources[1].properties.templateLink: https://x: a template that was not read",)


def test_without_vaults_a_template_takes_nothing():
    assert deploying({"type": "Microsoft.Storage/storageAccounts", "name": "s"}).exit_code == 0
