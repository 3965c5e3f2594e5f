"""Deployments of templates: those that failed, and the one that wrote the vault."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from azure_server import GROUP, RG, SUB, VAULT_PATH, body_of

from diagnose.azure_items import VaultWrite
from diagnose.collectors.azure.activity import writes_of
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.templates import (
    attributed,
    collect_history,
    collect_templates,
    deployment_of,
    error_logs,
    error_of,
    failure_of,
    operations_of,
)
from diagnose.collectors.azure.vault import vault_of
from diagnose.model import Subject, Why

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FAILED = body_of("resources/deployment_get_failed")
STEPS = body_of("resources/deployment_operations_list_failed")
GOOD_STEPS = body_of("resources/deployment_operations_list")
DELETED = "A vault with the same name already exists in deleted state."
LIST = f"/subscriptions/{SUB}/resourcegroups/{RG}/providers/Microsoft.Resources/deployments"
OPERATIONS = f"/subscriptions/{SUB}/resourcegroups/{RG}/deployments/ws-template/operations"
LOG = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
WRITES = writes_of(body_of("monitor/activity_log_keyvault_writes"), NOW)
AT = WRITES[0].time
CORRELATION = WRITES[0].correlation


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=NOW)


def deployed(name: str = "ws-template", **properties: object) -> dict[str, object]:
    """Derived: a deployment that succeeded just when the vault was written."""
    body = deepcopy(FAILED)
    body |= {"name": name, "id": f"{GROUP}/providers/Microsoft.Resources/deployments/{name}"}
    del body["properties"]["error"]
    body["properties"] |= {"provisioningState": "Succeeded", "timestamp": "2026-11-20T08:14:25Z", **properties}
    return body


def writing(vault: str = "kv-mlops") -> dict[str, object]:
    """Derived: its steps, one of which wrote a vault."""
    body = deepcopy(STEPS)
    step = body["value"][0]["properties"]
    step |= {"provisioningState": "Succeeded", "statusCode": "OK"}
    step["targetResource"] |= {"resourceName": vault}
    del step["statusMessage"]
    return body


# --- what the answers say ---


def test_a_deployment_ran_for_as_long_as_it_says():
    deployment = deployment_of(FAILED)
    assert (deployment.name, deployment.resource_group, deployment.failed) == ("ws-template", RG, True)
    assert deployment.ended - deployment.began == timedelta(seconds=10.2)
    assert deployment.correlation == "11111111-0000-0000-0000-00000000dd03"


@pytest.mark.parametrize(("minutes", "near"), [(-10, True), (-11, False), (0, True), (10, True), (11, False)])
def test_ten_minutes_around_a_deployment_are_near(minutes, near):
    deployment = deployment_of(FAILED)
    edge = deployment.began if minutes < 0 else deployment.ended
    assert deployment.near(edge + timedelta(minutes=minutes)) is near
    assert not deployment.near(None)


def test_a_deployment_that_failed_says_why_whatever_wraps_it():
    failure = failure_of(deployment_of(FAILED))
    assert (failure.kind, failure.name, failure.status) == ("template", "ws-template", "Failed")
    assert (failure.code, failure.step) == ("ConflictError", "")
    assert DELETED in failure.message
    assert "\n" not in failure.message
    assert failure.source == "az deployment group show -g rg-mlops -n ws-template --query properties.error"


def test_the_step_that_failed_names_its_resource():
    [step] = operations_of(STEPS, deployment_of(FAILED))
    assert (step.step, step.resource, step.resource_type) == ("Create", "kv-mlops", "Microsoft.KeyVault/vaults")
    assert (step.status, step.code) == ("Failed", "ConflictError")
    assert step.message.startswith(DELETED)
    assert step.correlation == "11111111-0000-0000-0000-00000000dd03"
    assert step.source == "az deployment operation group list -g rg-mlops -n ws-template"


def test_steps_that_went_well_are_left_out_unless_they_wrote_a_vault():
    assert operations_of(GOOD_STEPS, deployment_of(FAILED)) == ()
    [step] = operations_of(writing(), deployment_of(FAILED))
    assert (step.resource, step.status, step.code, step.message) == ("kv-mlops", "Succeeded", "", "")


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ({"error": {"code": "A1", "message": "told"}}, "A1", "told"),
        ({"status": "Failed", "error": {"code": "A1", "message": "told"}}, "A1", "told"),
        ('{\r\n  "error": {\r\n    "code": "A1",\r\n    "message": "told"\r\n  }\r\n}', "A1", "told"),
        ({"code": "BadRequest", "message": '{"error":{"code":"A1","message":"told"}}'}, "A1", "told"),
        ("just a text", "", "just a text"),
        (None, "", ""),
        ({}, "", ""),
    ],
)
def test_a_status_message_is_read_in_every_form(message, code, said):
    told = error_of(message)
    assert told[0] == code
    assert said in told[1]


def test_errors_of_the_deployment_service_itself():
    code, said = error_of(body_of("resources/deployment_validation_400"))
    assert code == "InvalidTemplateDeployment"
    assert "InvalidDomainNameLabel: The domain name label GEN-UNIQUE is invalid" in said
    assert error_of(body_of("resources/deployment_cancel_409"))[0] == "DeploymentCannotBeCancelled"


def test_what_the_data_plane_says_of_a_refused_secret():
    code, said = error_of(body_of("keyvault/dataplane_secret_forbidden_by_rbac_403"))
    assert code == "ForbiddenByRbac"
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in said


def test_the_error_texts_are_written_so_that_a_line_can_be_matched():
    whole, step = error_logs(STEPS, deployment_of(FAILED))
    assert (whole.stream, whole.subject) == ("logs.deployment", Subject("azure"))
    assert f'    "message": "{DELETED}' in whole.chunks[0].text
    assert "\\r\\n" not in whole.chunks[0].text
    assert step.chunks[0].text.count("\n") > 2


def test_an_error_that_is_a_text_is_kept_as_one():
    body = deepcopy(STEPS)
    body["value"][0]["properties"]["statusMessage"] = "first\\nsecond"
    assert error_logs(body, replace(deployment_of(FAILED), error={}))[0].chunks[0].text == "first\nsecond"


def test_a_deployment_without_errors_leaves_no_text():
    assert error_logs(writing(), deployment_of(deployed())) == []


# --- whose doing a change was ---


def test_a_change_with_the_correlation_of_a_deployment_is_its_doing():
    far = deployment_of(deployed(correlationId=CORRELATION, timestamp="2026-11-01T00:00:00Z"))
    assert [write.deployment for write in attributed(WRITES, [far])] == ["ws-template", "ws-template"]


def test_a_change_around_the_time_of_a_deployment_is_taken_for_its_doing():
    assert [write.deployment for write in attributed(WRITES, [deployment_of(deployed())])] == ["ws-template", ""]


def test_the_correlation_says_more_than_the_time():
    same = deployment_of(deployed("same", correlationId=CORRELATION, timestamp="2026-11-01T00:00:00Z"))
    assert attributed(WRITES, [deployment_of(deployed()), same])[0].deployment == "same"


@pytest.mark.parametrize(("vaults", "name"), [(None, "ws-template"), (("KV-mlops",), "ws-template"), ((), "")])
def test_a_deployment_that_touched_no_such_vault_did_not_write_it(vaults, name):
    deployment = replace(deployment_of(deployed()), vaults=vaults)
    assert attributed(WRITES, [deployment])[0].deployment == name


def test_what_a_person_does_to_the_policies_is_no_deployments_doing():
    write = VaultWrite(
        source="test", vault="kv-mlops", operation="vaults/accessPolicies/write", caller_type="user", time=AT
    )
    assert attributed([write], [deployment_of(deployed())])[0].deployment == ""


# --- asking ---


def test_deployments_that_matter_are_read_with_their_steps(arm, azure):
    old = deployed("old", timestamp="2026-10-01T00:00:00Z", provisioningState="Failed")
    other = deployed("other", timestamp="2026-11-18T00:00:00Z")
    azure.answer("GET", LIST, body={"value": [old, other, FAILED]})
    azure.use("resources/deployment_operations_list_failed")
    found = gathering()
    [deployment] = collect_templates(arm, RG, AT, found)
    assert (deployment.name, deployment.vaults) == ("ws-template", ("kv-mlops",))
    collection = found.collection(0)
    assert [(one.step, one.code) for one in collection.items["operations"]] == [
        ("", "ConflictError"),
        ("Create", "ConflictError"),
    ]
    assert len(collection.logs["logs.deployment"]) == 2
    assert azure.paths() == [LIST, OPERATIONS]


def test_without_deployments_the_streams_were_read(arm, azure):
    azure.answer("GET", LIST, body={"value": []})
    found = gathering()
    assert collect_templates(arm, RG, None, found) == ()
    assert found.collection(0).items["operations"] == ()
    assert found.collection(0).logs["logs.deployment"] == ()


def test_steps_that_may_not_be_read_cost_only_themselves(arm, azure):
    azure.answer("GET", LIST, body={"value": [FAILED]})
    azure.answer("GET", OPERATIONS, 403, body_of("arm_errors/403_authorization_failed"))
    found = gathering()
    [deployment] = collect_templates(arm, RG, AT, found)
    assert deployment.vaults is None
    collection = found.collection(0)
    assert [one.code for one in collection.items["operations"]] == ["ConflictError"]
    [gap] = collection.missing
    assert (gap.stream, gap.why, gap.needs) == ("operations", Why.DENIED, "Reader on resource group rg-mlops")


def test_refused_deployments_are_missing(arm, azure):
    azure.answer("GET", LIST, 403, body_of("arm_errors/403_authorization_failed"))
    found = gathering()
    assert collect_templates(arm, RG, AT, found) == ()
    assert "operations" not in found.collection(0).items
    assert [gap.stream for gap in found.collection(0).missing] == ["operations"]


def test_the_pipeline_and_the_template_behind_wiped_policies(arm, azure):
    azure.use("monitor/activity_log_keyvault_writes")
    azure.answer("GET", LIST, body={"value": [deployed(correlationId=CORRELATION)]})
    azure.answer("GET", OPERATIONS, body=writing())
    found = gathering()
    vault = vault_of(body_of("keyvault/vault_get_policies_cleared_by_pipeline"), [], NOW)
    writes = collect_history(arm, VAULT_PATH, vault, found)
    assert writes[0].text() == (
        "vaults/write of kv-mlops by 11111111-0000-0000-0000-0000000000c1, "
        "through template deployment ws-template: Succeeded"
    )
    collection = found.collection(0)
    assert collection.items["vault_writes"] == writes
    assert [(one.name, one.status) for one in collection.items["operations"]] == [("ws-template", "Succeeded")]


def test_without_the_log_the_vaults_own_time_leads_to_the_template(arm, azure):
    azure.answer("GET", LOG, 403, body_of("arm_errors/403_authorization_failed"))
    azure.answer("GET", LIST, body={"value": [deployed()]})
    azure.answer("GET", OPERATIONS, body=writing())
    found = gathering()
    vault = vault_of(body_of("keyvault/vault_get_policies_cleared_by_pipeline"), [], NOW)
    assert collect_history(arm, VAULT_PATH, vault, found) == ()
    collection = found.collection(0)
    assert "vault_writes" not in collection.items
    assert [one.resource for one in collection.items["operations"]] == ["kv-mlops"]
    assert [gap.stream for gap in collection.missing] == ["vault_writes"]
