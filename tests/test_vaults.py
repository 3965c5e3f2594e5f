"""``diagnose vault``, from the sign-in to what is printed, against Azure's answers over TLS."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from azure_server import GROUP, RG, SUB, VAULT_PATH, body_of
from click.testing import CliRunner
from program import diagnose

from diagnose.cli import program
from diagnose.collectors.azure.policies import EVERYTHING

VAULTS = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults"
DELETED = f"/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults"
WORKSPACES = f"/subscriptions/{SUB}/providers/Microsoft.MachineLearningServices/workspaces"
IDENTITIES = f"/subscriptions/{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
DEPLOYMENTS = f"/subscriptions/{SUB}/resourcegroups/{RG}/providers/Microsoft.Resources/deployments"
OWNER = "00000000-0000-0000-0000-000000000001"
WORKSPACE_IDENTITY = "11111111-0000-0000-0000-0000000000d3"
ACCESS_POLICIES = body_of("keyvault/vault_get_access_policies")
EMPTY = {
    "type": "Microsoft.KeyVault/vaults",
    "name": "[parameters('keyVaultName')]",
    "properties": {"accessPolicies": []},
}


@pytest.fixture
def subscription(azure):
    """A subscription with a workspace, a vault, and the pipeline that wrote it last."""
    azure.use("keyvault/vault_get_access_policies", "monitor/activity_log_keyvault_writes")
    azure.use("authorization/role_assignments_list_empty", "resources/deployment_operations_list_failed")
    azure.use("keyvault/vaults_list_page1", at=VAULTS)
    azure.answer("GET", WORKSPACES, body={"value": [body_of("machinelearning/workspace_get")]})
    azure.answer("GET", IDENTITIES, body={"value": []})
    azure.answer("GET", DEPLOYMENTS, body={"value": [body_of("resources/deployment_get_failed")]})
    return azure


def vault(*arguments: object, name: str = "kv-mlops", group: str = RG):
    place = ["--subscription", SUB, *(["-g", group] if group else [])]
    return CliRunner(env={"COLUMNS": "200"}).invoke(program, ["vault", name, *place, *map(str, arguments)])


def named(principal: str, secrets: list[str] | None = None) -> dict[str, object]:
    permissions = {kind: list(given) for kind, given in EVERYTHING.items()}
    return {
        "tenantId": "t",
        "objectId": principal,
        "permissions": permissions | ({"secrets": secrets} if secrets else {}),
    }


def listing(*policies: dict[str, object]) -> dict[str, object]:
    body = deepcopy(ACCESS_POLICIES)
    body["properties"]["accessPolicies"] = list(policies)
    return body


def template(tmp_path, *resources: object, text: str = ""):
    file = tmp_path / "main.json"
    parameters = {"keyVaultName": {"defaultValue": "[concat('kv', uniqueString(resourceGroup().id))]"}}
    file.write_text(text or json.dumps({"parameters": parameters, "resources": list(resources)}))
    return file


def section(output: str, title: str) -> list[str]:
    """Lines below a heading that begins so."""
    lines = output.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(title)) + 1
    end = next((number for number in range(begin, len(lines)) if not lines[number]), len(lines))
    return [line.strip() for line in lines[begin:end]]


# --- what is shown ---


def test_a_vault_with_its_settings_and_policies(subscription):
    ended = vault()
    assert ended.exit_code == 0
    assert ended.output.startswith("vault kv-mlops\n")
    facts = ended.output.split("\n\n")[0]
    assert "permission model   access policies" in facts
    assert "soft delete        on, purge protection off" in facts
    assert f"ws-mlops (its identity {WORKSPACE_IDENTITY} is NOT among the policies)" in facts
    policies = section(ended.output, "access policies: 1")
    assert policies[0] == OWNER
    [given] = ACCESS_POLICIES["properties"]["accessPolicies"]
    assert [line.split() for line in policies[1:]] == [
        [kind, *given["permissions"][kind]] for kind in given["permissions"]
    ]
    assert "vaults/write of kv-mlops by 11111111" in section(ended.output, "changes in the activity log")[0]
    assert {request.method for request in subscription.requests if request.token} == {"GET"}


def test_wiped_policies_come_with_what_brings_them_back(subscription):
    subscription.use("keyvault/vault_get_policies_cleared_by_pipeline")
    ended = vault()
    assert "access policies: 0" in ended.output
    assert "2026-11-20 08:14:02 UTC by 11111111-0000-0000-0000-0000000000c1 (Application), through" in ended.output
    [command] = section(ended.output, "to give the workspace's identity its policy back")
    assert (
        f"set-policy -n kv-mlops -g {RG} --subscription {SUB} --object-id {WORKSPACE_IDENTITY} --key-permissions"
        in command
    )
    [block] = section(ended.output, "for the template's vault")
    entries = json.loads(f"{{{block}}}")["accessPolicies"]
    assert [entry["objectId"] for entry in entries] == [WORKSPACE_IDENTITY]
    assert section(ended.output, "or leave a vault alone") == [
        "\"condition\": \"[equals(parameters('keyVaultOption'), 'new')]\""
    ]


def test_who_the_principals_are_where_it_can_be_told(subscription):
    asker, given = "11111111-0000-0000-0000-000000000003", "22222222-0000-0000-0000-000000000001"
    subscription.answer("GET", VAULT_PATH, body=listing(*map(named, (WORKSPACE_IDENTITY, asker, given, OWNER))))
    made = {"name": "id-scoring", "properties": {"principalId": given.upper()}}
    subscription.answer("GET", IDENTITIES, body={"value": [made]})
    ended = vault()
    assert f"{WORKSPACE_IDENTITY}  identity of workspace ws-mlops" in ended.output
    assert f"{asker}  signed in here" in ended.output
    assert f"{given}  managed identity id-scoring" in ended.output
    assert f"  {OWNER}\n" in ended.output
    assert "used by workspace  ws-mlops\n" in ended.output


def test_an_unnamed_principal_is_told_by_its_role(subscription):
    subscription.answer("GET", VAULT_PATH, body=listing(named("11111111-0000-0000-0000-000000000001")))
    subscription.use("authorization/role_assignments_list_for_scope")
    assert "11111111-0000-0000-0000-000000000001  ServicePrincipal, Contributor here" in vault().output


def test_an_rbac_vault_shows_the_roles_that_read(subscription):
    subscription.use("keyvault/vault_get_rbac", "authorization/role_assignments_list_for_scope")
    ended = vault()
    assert "permission model   Azure RBAC" in ended.output
    assert section(ended.output, "roles that read secrets") == [
        "11111111-0000-0000-0000-000000000001  ServicePrincipal  Key Vault Secrets User"
    ]
    assert "set-policy" not in ended.output
    assert ended.exit_code == 0


def test_a_closed_vault_says_so(subscription):
    subscription.use("keyvault/vault_get_network_denied")
    assert "firewall           closed, lets in nobody; public network access disabled" in vault().output


def test_a_vault_is_found_in_its_group(subscription):
    ended = vault(group="")
    assert ended.exit_code == 0
    assert f"resource group     {RG}, eastus" in ended.output
    assert subscription.paths()[0] == VAULTS


def test_what_could_not_be_read_besides_is_told_with_the_role(subscription):
    for path in (WORKSPACES, IDENTITIES):
        subscription.answer("GET", path, 403, body_of("arm_errors/403_authorization_failed"))
    ended = vault()
    assert ended.exit_code == 0
    told = section(ended.output, "not read")
    assert sorted(line.partition(",")[0] for line in told) == [
        "user-assigned identities of the subscription",
        "workspaces of the subscription",
    ]
    assert all(line.endswith("needs Reader on the subscription") for line in told)


# --- the past ---


def test_a_saved_state_against_the_present_one(subscription, tmp_path):
    state = tmp_path / "state.json"
    subscription.answer("GET", VAULT_PATH, body=listing(named(WORKSPACE_IDENTITY), named(OWNER)))
    assert vault("--save", state).exit_code == 0
    assert state.stat().st_mode & 0o777 == 0o600
    assert vault("--against", state).exit_code == 0
    subscription.answer("GET", VAULT_PATH, body=listing(named(OWNER, ["get"])))
    ended = vault("--against", state)
    assert ended.exit_code == 1
    lost = section(ended.output, f"lost since the state of {state} was saved on ")
    assert lost[0].startswith(f"{WORKSPACE_IDENTITY} (identity of workspace ws-mlops) loses its policy: keys: get")
    assert lost[1] == f"{OWNER}: secrets: list delete recover backup restore set"
    commands = section(ended.output, "to give them back what they lost")
    assert [
        f"--object-id {principal} " in command
        for principal, command in zip((WORKSPACE_IDENTITY, OWNER), commands, strict=True)
    ] == [True, True]


def test_a_deleted_vault_lost_everything_and_can_be_brought_back(subscription, tmp_path):
    state = tmp_path / "state.json"
    vault("--save", state)
    kept = state.read_bytes()
    subscription.use("keyvault/vault_not_found_404")
    subscription.answer("GET", DELETED, body={"value": [body_of("keyvault/deleted_vault_get")]})
    ended = vault("--against", state)
    assert ended.exit_code == 1
    assert ended.output.startswith("vault kv-mlops: deleted; to be purged 2021-07-18T05:32:42Z\n")
    assert section(ended.output, "to bring it back") == ["az keyvault recover -n kv-mlops --location eastus"]
    assert section(ended.output, "lost since")[0] == "the vault is deleted"
    assert vault().exit_code == 1
    assert vault("--save", state).exit_code == 3
    assert state.read_bytes() == kept


# --- templates ---


def test_a_template_that_would_wipe_the_policies(subscription, tmp_path):
    file = template(tmp_path, EMPTY)
    ended = vault("--against", file)
    assert ended.exit_code == 1
    [lost] = section(ended.output, f"deploying {file} would take from the vault")
    assert lost.startswith(f"{OWNER} loses its policy: keys: encrypt")
    [block] = section(ended.output, "for the template's vault")
    assert [one["objectId"] for one in json.loads(f"{{{block}}}")["accessPolicies"]] == [OWNER, WORKSPACE_IDENTITY]
    assert section(ended.output, "note") == [
        "the identity of workspace ws-mlops is not among the policies now, and the template does not name it either",
        "the vault called [parameters('keyVaultName')] is taken for this one",
        "taken at their defaults: parameters keyVaultName",
    ]


def test_the_block_that_is_printed_keeps_everything(subscription, tmp_path):
    [block] = section(vault("--against", template(tmp_path, EMPTY)).output, "for the template's vault")
    kept = EMPTY | {"properties": json.loads(f"{{{block}}}")}
    ended = vault("--against", template(tmp_path, kept))
    assert (ended.exit_code, section(ended.output, "deploying ")) == (0, ["nothing"])


def test_the_condition_that_is_printed_leaves_the_vault_alone(subscription, tmp_path):
    printed = section(vault("--against", template(tmp_path, EMPTY)).output, "or leave a vault alone")[0]
    resource = EMPTY | json.loads(f"{{{printed}}}")
    text = json.dumps({"parameters": {"keyVaultOption": {"defaultValue": "existing"}}, "resources": [resource]})
    assert vault("--against", template(tmp_path, text=text)).exit_code == 0


def test_what_a_template_leaves_open_is_told_with_its_place(subscription, tmp_path):
    policies = [named("[parameters('who')]")]
    file = template(tmp_path, EMPTY | {"properties": {"accessPolicies": policies}})
    ended = vault("--against", file)
    assert ended.exit_code == 3
    assert section(ended.output, "deploying") == ["nothing for certain"]
    assert section(ended.output, "not decidable") == [
        f"not named, but perhaps among what cannot be decided: {OWNER}",
        "resources[0].properties.accessPolicies[0].objectId: [parameters('who')]",
    ]


def test_a_template_against_a_saved_state_of_a_vault_that_is_wiped(subscription, tmp_path):
    state = tmp_path / "state.json"
    vault("--save", state)
    subscription.use("keyvault/vault_get_policies_empty")
    file = template(tmp_path, EMPTY)
    assert vault("--against", file).exit_code == 0
    ended = vault("--against", file, "--against", state)
    assert ended.exit_code == 1
    assert section(ended.output, f"deploying {file} would take from the state saved in {state}")


# --- what cannot be done ---


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("resource kv 'Microsoft.KeyVault/vaults@2023-07-01' = {}", "compile Bicep with: az bicep build"),
        ('{"parameters": {}}', "is neither a template"),
        ('{"schema": "diagnose/vault/1"}', "holds no vault"),
    ],
)
def test_a_file_that_cannot_be_used_costs_no_call(subscription, tmp_path, text, said):
    ended = vault("--against", template(tmp_path, text=text))
    assert ended.exit_code == 2
    assert said in ended.output
    assert subscription.requests == []


def test_two_templates_are_one_too_many(subscription, tmp_path):
    file = template(tmp_path, EMPTY)
    ended = vault("--against", file, "--against", file)
    assert (ended.exit_code, "one saved state, one template, or one of each" in ended.output) == (2, True)


def test_a_file_that_is_not_there(subscription, tmp_path):
    assert vault("--against", tmp_path / "none.json").exit_code == 2
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert vault("--against", tmp_path / "bytes").exit_code == 2


def test_a_refused_vault_names_the_role_to_ask_for(subscription):
    subscription.use("arm_errors/403_authorization_failed")
    ended = vault()
    assert ended.exit_code == 3
    assert "AuthorizationFailed" in ended.output
    assert "needs Reader on vault kv-mlops" in ended.output


def test_an_unknown_vault_with_what_is_near(subscription):
    subscription.answer("GET", DELETED, body={"value": []})
    ended = vault(name="kv-mlop", group="")
    assert ended.exit_code == 3
    assert "no vault 'kv-mlop' in subscription" in ended.output
    assert "did you mean kv-mlops?" in ended.output


def test_nobody_signed_in_is_said_in_one_line(subscription, monkeypatch):
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "expired")
    ended = vault()
    assert ended.exit_code == 3
    assert "AADSTS7000222" in ended.output
    assert "Traceback" not in ended.output


def test_without_a_subscription_it_says_how_to_name_one(subscription, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(program, ["vault", "kv-mlops"])
    assert ended.exit_code == 3
    assert "--subscription" in ended.output
    assert subscription.requests == []


def test_the_program_itself_reads_a_vault(subscription, tmp_path):
    ended = diagnose("vault", "kv-mlops", "--subscription", SUB, "-g", RG, "--against", template(tmp_path, EMPTY))
    assert (ended.code, ended.err) == (1, "")
    assert "would take from the vault" in ended.out
    assert f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-mlops" in subscription.paths()
