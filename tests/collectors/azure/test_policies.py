"""Access policies: what they allow, and the texts that bring them back."""

from __future__ import annotations

import json
import shlex

from diagnose.azure_items import AccessPolicy
from diagnose.collectors.azure.policies import (
    EVERYTHING,
    SKIP_CONDITION,
    allows,
    full_policy,
    policies_block,
    reads_alone,
    restore_command,
    with_policy,
)

TENANT = "00000000-0000-0000-0000-0000000000aa"
WORKSPACE = full_policy("kv-mlops", "p1", TENANT, "identity of workspace ws-mlops")


def policy(principal: str = "p1", **given: object) -> AccessPolicy:
    return AccessPolicy(source="test", vault="kv-mlops", principal=principal, tenant=TENANT, **given)


def test_permissions_are_compared_in_any_case_and_all_stands_for_each():
    assert allows(("Get", "LIST", "set"), "get", "list")
    assert allows(("all",), "get", "purge")
    assert not allows(("get",), "get", "list")


def test_a_policy_through_an_application_gives_its_principal_nothing_alone():
    given = {"secrets": ("get", "list"), "reads_secrets": True}
    assert reads_alone(policy(**given))
    assert not reads_alone(policy(**given, application="app"))


def test_the_workspace_gets_all_permissions_but_purge():
    assert {kind: len(given) for kind, given in EVERYTHING.items()} == {"keys": 15, "secrets": 7, "certificates": 15}
    assert not any("purge" in given for given in EVERYTHING.values())


def test_the_block_for_a_template_is_the_json_that_arm_takes():
    block = json.loads(f"{{{policies_block([WORKSPACE])}}}")
    assert block == {
        "accessPolicies": [
            {
                "tenantId": TENANT,
                "objectId": "p1",
                "permissions": {kind: list(given) for kind, given in EVERYTHING.items()},
            }
        ]
    }
    assert "\n" not in policies_block([WORKSPACE])


def test_an_application_and_storage_permissions_stay_in_the_block():
    block = json.loads(f"{{{policies_block([policy(application='app', storage=('get',))])}}}")
    assert block["accessPolicies"][0]["applicationId"] == "app"
    assert block["accessPolicies"][0]["permissions"] == {"storage": ["get"]}


def test_the_command_names_every_permission_because_it_replaces_them():
    command, *options = restore_command(WORKSPACE, "rg-mlops", "sub").split(" --")
    assert command == "az keyvault set-policy -n kv-mlops -g rg-mlops"
    assert options[:2] == ["subscription sub", "object-id p1"]
    assert [shlex.split(option) for option in options[2:]] == [
        ["key-permissions", *EVERYTHING["keys"]],
        ["secret-permissions", *EVERYTHING["secrets"]],
        ["certificate-permissions", *EVERYTHING["certificates"]],
    ]


def test_what_a_principal_has_already_is_not_lost_to_what_is_added():
    merged = with_policy([policy("other"), policy("P1", secrets=("Get", "purge"))], WORKSPACE)
    assert [one.principal for one in merged] == ["other", "p1"]
    assert merged[-1].secrets == ("Get", "purge", "list", "delete", "recover", "backup", "restore", "set")
    assert "purge" in restore_command(merged[-1])


def test_the_condition_leaves_an_existing_vault_alone():
    assert json.loads(f"{{{SKIP_CONDITION}}}") == {"condition": "[equals(parameters('keyVaultOption'), 'new')]"}
