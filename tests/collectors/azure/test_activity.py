"""The activity log: who changed a vault, and when."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from azure_server import SUB, VAULT_PATH, body_of

from diagnose.collectors.azure.activity import collect_writes, latest, writes_of
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Subject, Why

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PIPELINE = "11111111-0000-0000-0000-0000000000c1"
LOG = f"/subscriptions/{SUB}/providers/Microsoft.Insights/eventtypes/management/values"
WRITES = body_of("monitor/activity_log_keyvault_writes")


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=NOW)


def test_changes_are_told_once_each_the_newest_first():
    first, second = writes_of(WRITES, NOW)
    assert (first.operation, first.caller, first.caller_type) == ("vaults/write", PIPELINE, "app")
    assert (first.status, first.vault) == ("Succeeded", "kv-mlops")
    assert first.time == datetime(2026, 11, 20, 8, 14, 2, 118000, UTC)
    assert first.age_s == pytest.approx(143157.882)
    assert (second.operation, second.caller) == ("vaults/accessPolicies/write", "user@example.com")
    assert second.caller_type == "user"
    assert latest((first, second)) is first


def test_the_beginning_of_a_change_is_no_change():
    states = [event["status"]["value"] for event in WRITES["value"]]
    assert states.count("Started") == 1
    assert [write.status for write in writes_of(WRITES, NOW)] == ["Succeeded", "Succeeded"]


def test_events_of_other_resources_are_no_changes_of_a_vault():
    assert writes_of(body_of("monitor/activity_log_filtered"), NOW) == ()


def test_the_kind_of_caller_is_told_without_the_claims_too():
    body = deepcopy(WRITES)
    for event in body["value"]:
        del event["claims"]
    assert [write.caller_type for write in writes_of(body, NOW)] == ["app", "user"]


def test_a_change_that_failed_changed_nothing():
    body = deepcopy(WRITES)
    body["value"][0]["status"]["value"] = "Failed"
    writes = writes_of(body, NOW)
    assert [write.status for write in writes] == ["Failed", "Succeeded"]
    assert latest(writes).caller == "user@example.com"
    assert latest(writes[:1]) is None


def test_an_operation_is_known_in_any_case():
    body = deepcopy(WRITES)
    body["value"][0]["operationName"]["value"] = "MICROSOFT.KEYVAULT/VAULTS/DELETE"
    assert writes_of(body, NOW)[0].operation == "VAULTS/DELETE"


def test_the_log_is_asked_for_the_vault_and_for_no_claims(arm, azure):
    azure.use("monitor/activity_log_keyvault_writes")
    writes = collect_writes(arm, VAULT_PATH, gathering())
    assert [write.operation for write in writes] == ["vaults/write", "vaults/accessPolicies/write"]
    [request] = azure.requests
    assert request.path == LOG
    assert request.query["api-version"] == "2015-04-01"
    assert request.query["$filter"] == (
        "eventTimestamp ge '2026-08-24T01:00:00Z' and eventTimestamp le '2026-11-22T00:00:00Z' "
        f"and resourceUri eq '{VAULT_PATH}'"
    )
    assert "claims" not in request.query["$select"]


def test_a_refused_log_leaves_the_role_to_ask_for(arm, azure):
    azure.answer("GET", LOG, 403, body_of("arm_errors/403_authorization_failed"))
    found = gathering()
    assert collect_writes(arm, VAULT_PATH, found) is None
    [gap] = found.collection(0).missing
    assert (gap.stream, gap.why, gap.needs) == (
        "vault_writes",
        Why.DENIED,
        "Monitoring Reader, or Reader, on vault kv-mlops",
    )


def test_an_error_of_monitor_with_its_bare_code_is_read(arm, azure):
    azure.answer("GET", LOG, 409, body_of("monitor/error_409_bare_code"))
    found = gathering()
    assert collect_writes(arm, VAULT_PATH, found) is None
    assert found.collection(0).items["refusals"][0].code == "Conflict"
