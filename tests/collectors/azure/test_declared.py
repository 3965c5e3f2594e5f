"""Key vaults in ARM templates."""

from __future__ import annotations

import pytest

from diagnose.collectors.azure.declared import (
    OPEN,
    declared_in,
    is_template,
    stands_for_workspace,
    template_of,
)
from diagnose.errors import InputError

PLACE = {"tenant": {"tenantId": "t1"}}
WORKSPACE = "[reference(resourceId('Microsoft.MachineLearningServices/workspaces', 'w'), '2022-05-01', 'Full').identity.principalId]"


def vault(name: str = "kv", policies: object = (), **more: object) -> dict[str, object]:
    listed = list(policies) if isinstance(policies, tuple) else policies
    properties = {"accessPolicies": listed, **more.pop("properties", {})}
    return {"type": "Microsoft.KeyVault/vaults", "name": name, "properties": properties, **more}


def entry(principal: str = "p1", **permissions: object) -> dict[str, object]:
    return {"tenantId": "[tenant().tenantId]", "objectId": principal, "permissions": permissions}


def child(name: str, *policies: object, kind: str = "Microsoft.KeyVault/vaults/accessPolicies") -> dict[str, object]:
    return {"type": kind, "name": name, "properties": {"accessPolicies": list(policies)}}


def deployment(template: dict[str, object], scope: str = "", **parameters: object) -> dict[str, object]:
    properties = {"template": template, "parameters": {key: {"value": value} for key, value in parameters.items()}}
    if scope:
        properties["expressionEvaluationOptions"] = {"scope": scope}
    return {"type": "Microsoft.Resources/deployments", "name": "nested", "properties": properties}


def declared(*resources: object, **template: object):
    return declared_in({"resources": list(resources), **template}, PLACE)


# --- the file ---


def test_comments_and_a_byte_order_mark_are_no_obstacle():
    text = '\ufeff{ // of ours\n "a": "http://x /* no comment */", /* and\n more */ "resources": [] }'
    found = template_of(text, "f")
    assert found == {"a": "http://x /* no comment */", "resources": []}
    assert is_template(found)


@pytest.mark.parametrize("text", ["resource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {}", "[1]", "", "{"])
def test_what_is_no_json_object_is_refused_with_the_way_out(text):
    with pytest.raises(InputError, match=r"main\.bicep"):
        template_of(text, "main.bicep")


def test_a_file_of_parameters_is_no_template():
    assert not is_template({"parameters": {"resources": {"value": []}}})


# --- vaults ---


def test_a_vault_with_its_policies():
    [found] = declared(vault("kv", (entry("p1", secrets=["get"], keys=["all"]),))).vaults
    assert (found.path, found.name, found.does, found.declares_policies) == ("resources[0]", "kv", "write", True)
    [policy] = found.policies
    assert (policy.principal, policy.tenant, policy.secrets, policy.keys) == ("p1", "t1", ("get",), ("all",))
    assert (found.gaps, found.whole_list_open) == ((), False)


def test_a_name_from_parameters_and_variables():
    template = {
        "parameters": {"base": {"type": "string", "defaultValue": "kv"}},
        "variables": {"name": "[concat(parameters('base'), '-mlops')]"},
    }
    found = declared(vault("[variables('name')]"), **template)
    assert (found.vaults[0].name, found.defaulted) == ("kv-mlops", ("base",))


def test_settings_that_are_spelled_out():
    properties = {
        "enableRbacAuthorization": True,
        "networkAcls": {"defaultAction": "Deny", "bypass": "None"},
        "publicNetworkAccess": "Disabled",
        "createMode": "recover",
    }
    [found] = declared(vault(properties=properties)).vaults
    assert (found.rbac, found.default_action, found.bypass) == (True, "Deny", "None")
    assert (found.public_network_access, found.recovers) == ("Disabled", True)


def test_a_vault_without_a_list_declares_none():
    [found] = declared({"type": "microsoft.keyvault/VAULTS", "name": "kv", "properties": {}}).vaults
    assert (found.declares_policies, found.rbac) == (False, None)


@pytest.mark.parametrize("condition", [False, "[equals(parameters('option'), 'new')]"])
def test_a_vault_that_is_skipped_is_not_written(condition):
    parameters = {"option": {"defaultValue": "existing"}}
    assert declared(vault(condition=condition), parameters=parameters).vaults == ()


def test_a_vault_that_is_only_referred_to_is_not_written():
    assert declared_in({"resources": {"kv": vault(existing=True)}}, PLACE).vaults == ()


def test_a_condition_that_cannot_be_decided_is_told():
    parameters = {"option": {"type": "string"}}
    [found] = declared(vault(condition="[equals(parameters('option'), 'new')]"), parameters=parameters).vaults
    assert found.condition == "[equals(parameters('option'), 'new')]"


def test_symbolic_names_are_part_of_the_path():
    [found] = declared_in({"languageVersion": "2.0", "resources": {"kv": vault("x")}}, PLACE).vaults
    assert found.path == "resources.kv"


def test_a_vault_made_several_times_has_no_one_name():
    [found] = declared(vault("kv", copy={"name": "loop", "count": 2})).vaults
    assert (found.name, found.named) == ("", "kv")


# --- what cannot be decided ---


def test_a_principal_that_only_azure_knows():
    [found] = declared(vault("kv", (entry("[parameters('who')]"), entry(WORKSPACE, secrets=["get"])))).vaults
    assert [policy.principal for policy in found.policies] == ["", ""]
    assert [stands_for_workspace(policy) for policy in found.policies] == [False, True]
    assert str(found.gaps[0]) == "resources[0].properties.accessPolicies[0].objectId: [parameters('who')]"


def test_permissions_that_only_whoever_deploys_knows():
    policies = (entry("p1", secrets="[parameters('s')]", keys=["get", "[parameters('k')]"]), entry("p2"))
    policies[1]["permissions"] = "[parameters('all')]"
    [found] = declared(vault("kv", policies)).vaults
    assert (found.policies[0].secrets, found.policies[0].keys) == ((OPEN,), ("get", OPEN))
    assert found.policies[1].certificates == (OPEN,)
    assert [gap.path.removeprefix("resources[0].properties.accessPolicies") for gap in found.gaps] == [
        "[0].permissions.keys[1]",
        "[0].permissions.secrets",
        "[1].permissions",
    ]


@pytest.mark.parametrize("policies", ["[parameters('policies')]", ["[parameters('one')]"]])
def test_a_list_from_elsewhere_is_open(policies):
    [found] = declared(vault("kv", policies)).vaults
    assert found.whole_list_open
    assert found.gaps[0].path.startswith("resources[0].properties.accessPolicies")


def test_a_list_made_in_a_loop_is_open():
    [found] = declared(vault("kv", properties={"copy": [{"name": "accessPolicies", "count": 2}]})).vaults
    assert found.whole_list_open


def test_properties_from_elsewhere_are_open():
    [found] = declared({"type": "Microsoft.KeyVault/vaults", "name": "kv", "properties": "[parameters('p')]"}).vaults
    assert (found.whole_list_open, found.declares_policies) == (True, True)


# --- changes of policies ---


@pytest.mark.parametrize("word", ["add", "replace", "remove"])
def test_a_change_of_policies_says_what_it_does(word):
    [found] = declared(child(f"kv/{word}", entry("p1", secrets=["get"]))).vaults
    assert (found.name, found.does, found.policies[0].principal) == ("kv", word, "p1")


@pytest.mark.parametrize("name", ["[concat(parameters('kv'), '/add')]", "[format('{0}/{1}', parameters('kv'), 'add')]"])
def test_what_a_change_does_is_known_though_not_to_which_vault(name):
    [found] = declared(child(name, entry())).vaults
    assert (found.name, found.does) == ("", "add")


@pytest.mark.parametrize("kind", ["accessPolicies", "Microsoft.KeyVault/vaults/accessPolicies"])
def test_a_change_within_its_vault(kind):
    written, added = declared(vault("kv", resources=[child("add", entry("p2"), kind=kind)])).vaults
    assert (written.does, added.does, added.name) == ("write", "add", "kv")
    assert added.path == "resources[0].resources[0]"


def test_a_change_of_another_kind_is_open():
    [found] = declared(child("kv/whatever", entry())).vaults
    assert found.whole_list_open


# --- nested templates ---


def test_a_module_has_parameters_of_its_own():
    inner = {"parameters": {"name": {"type": "string"}}, "resources": [vault("[parameters('name')]")]}
    outer = {"parameters": {"name": {"defaultValue": "outer"}}}
    nested = deployment(inner, "inner", name="[concat(parameters('name'), '-kv')]")
    [found] = declared(nested, **outer).vaults
    assert found.name == "outer-kv"
    assert found.path == "resources[0].properties.template.resources[0]"


def test_a_nested_template_sees_the_outer_parameters():
    nested = deployment({"resources": [vault("[parameters('name')]")]})
    [found] = declared(nested, parameters={"name": {"defaultValue": "outer"}}).vaults
    assert found.name == "outer"


def test_the_condition_of_a_module_is_that_of_its_vault():
    nested = {**deployment({"resources": [vault()]}), "condition": "[parameters('p')]"}
    assert declared(nested).vaults[0].condition == "[parameters('p')]"


def test_a_linked_template_is_not_read():
    linked = {
        "type": "Microsoft.Resources/deployments",
        "name": "l",
        "properties": {"templateLink": {"uri": "https://x/y"}},
    }
    assert str(declared(linked).unread[0]) == "resources[0].properties.templateLink: https://x/y"


def test_vaults_below_other_resources_are_found():
    assert len(declared({"type": "Microsoft.X/y", "name": "x", "resources": [vault()]}).vaults) == 1


def test_resources_nested_absurdly_deep_end_somewhere():
    resource: dict[str, object] = vault()
    for _ in range(200):
        resource = {"type": "Microsoft.X/y", "name": "x", "resources": [resource]}
    assert declared(resource).vaults == ()


def test_a_template_of_another_shape_declares_nothing():
    assert (
        declared(7, None, {"type": 3}, {"type": "Microsoft.KeyVault/vaults", "properties": None}).vaults[0].name == ""
    )
