"""Workspaces: what they are made of, whose identity they work with, and what their own check finds."""

import time
from copy import deepcopy
from datetime import UTC, datetime

from azure_server import GROUP, RG, SUB, WORKSPACE, WORKSPACE_PATH, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import (
    Links,
    collect_problems,
    links_of,
    list_workspaces,
    problems_of,
    read_workspace,
    workspace_of,
)
from diagnose.model import Subject, Why

RECORDED = body_of("machinelearning/workspace_get")
USER_ASSIGNED = body_of("machinelearning/workspace_get_user_assigned_identity")
OWN, ASSIGNED = "11111111-0000-0000-0000-0000000000d3", "11111111-0000-0000-0000-0000000000d4"
CHECK = f"{WORKSPACE_PATH}/diagnose"
LATER = f"/subscriptions/{SUB}/providers/Microsoft.MachineLearningServices/workspaceOperationsStatus/1"


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=datetime(2026, 11, 22, tzinfo=UTC))


def with_second_identity(primary: str | None) -> dict[str, object]:
    """Derived: the workspace with two user-assigned identities."""
    body = deepcopy(USER_ASSIGNED)
    first = next(iter(body["identity"]["userAssignedIdentities"]))
    second = first.replace("id-mlops", "id-other")
    body["identity"]["userAssignedIdentities"][second] = {"principalId": "other", "clientId": "c"}
    body["properties"]["primaryUserAssignedIdentity"] = primary and second.upper()
    return body


def test_a_workspace_with_the_names_of_what_it_works_with():
    item = workspace_of(RECORDED)
    assert (item.name, item.resource_group, item.location) == (WORKSPACE, RG, "eastus2")
    assert (item.vault, item.storage, item.registry) == ("kv-mlops", "stmlops", "myregistry")
    assert (item.principal, item.identity_type) == (OWN, "SystemAssigned")
    assert (item.provisioning_state, item.public_network_access) == ("Succeeded", "Enabled")
    assert (item.v1_legacy_mode, item.image_build_compute, item.managed_network) == (False, "", "")
    assert item.source == "az ml workspace show -n ws-mlops -g rg-mlops"


def test_legacy_mode_build_compute_and_managed_network_are_told():
    body = deepcopy(RECORDED)
    body["properties"] |= {"v1LegacyMode": True, "imageBuildCompute": "cpu"}
    body["properties"]["managedNetwork"] = {"isolationMode": "AllowOnlyApprovedOutbound"}
    item = workspace_of(body)
    assert (item.v1_legacy_mode, item.image_build_compute) == (True, "cpu")
    assert item.managed_network == "AllowOnlyApprovedOutbound"


def test_the_links_lead_on():
    links = links_of(RECORDED)
    assert (links.subscription, links.resource_group, links.name) == (SUB, RG, WORKSPACE)
    assert links.vault_id.endswith("/Microsoft.Keyvault/vaults/kv-mlops")
    assert links.registry_id.endswith("/registries/myregistry")
    assert links.storage_id.endswith("/storageAccounts/stmlops")
    assert links.discovery_url == "https://eastus2.api.azureml.ms/discovery"
    assert links.path == WORKSPACE_PATH
    assert links.body["identity"]["principalId"] == OWN


def test_the_only_user_assigned_identity_is_the_one_it_works_with():
    assert workspace_of(USER_ASSIGNED).principal == ASSIGNED
    assert links_of(USER_ASSIGNED).principals == (ASSIGNED,)


def test_of_several_the_primary_one_counts_however_its_id_is_spelled():
    body = with_second_identity(primary="second")
    assert workspace_of(body).principal == "other"
    assert links_of(body).principals == ("other", ASSIGNED)


def test_of_several_without_a_primary_nobody_can_tell():
    body = with_second_identity(primary=None)
    assert workspace_of(body).principal == ""
    assert set(links_of(body).principals) == {ASSIGNED, "other"}


def test_a_registry_that_does_not_exist_yet_is_no_link():
    body = deepcopy(RECORDED)
    body["properties"]["containerRegistry"] = None
    assert (workspace_of(body).registry, links_of(body).registry_id) == ("", "")


def test_a_check_without_problems():
    assert problems_of(body_of("machinelearning/workspace_diagnose_ok"), links_of(RECORDED)) == ()


def test_a_problem_with_its_area():
    (problem,) = problems_of(body_of("machinelearning/workspace_diagnose_key_vault_problem"), links_of(RECORDED))
    assert (problem.area, problem.code, problem.level) == ("keyVault", "KeyVaultAccessPolicyMissing", "Error")
    assert problem.source == "az ml workspace diagnose -n ws-mlops -g rg-mlops"


def test_a_workspace_is_read(azure, arm):
    azure.use("machinelearning/workspace_get")
    found = gathering()
    links = read_workspace(arm, RG, WORKSPACE, found)
    assert links is not None
    assert links.principals == (OWN,)
    (item,) = found.collection(0).items["workspaces"]
    assert item.name == WORKSPACE
    assert azure.paths() == [WORKSPACE_PATH]


def test_a_workspace_that_may_not_be_read_names_the_role(azure, arm):
    azure.use("arm_errors/403_authorization_failed", at=WORKSPACE_PATH)
    found = gathering()
    assert read_workspace(arm, RG, WORKSPACE, found) is None
    collection = found.collection(0)
    (gap,) = collection.missing
    assert (gap.stream, gap.why) == ("workspaces", Why.DENIED)
    assert gap.needs
    assert collection.items["refusals"][0].status == 403
    assert "workspaces" not in collection.items


def test_a_workspace_that_is_not_there(azure, arm):
    found = gathering()
    assert read_workspace(arm, RG, "other", found) is None
    (gap,) = found.collection(0).missing
    assert gap.why is Why.NOT_FOUND
    assert gap.needs == "check --workspace and --resource-group"


def test_workspaces_of_a_group_and_of_the_subscription(azure, arm):
    inner = "providers/Microsoft.MachineLearningServices/workspaces"
    azure.answer("GET", f"{GROUP}/{inner}", 200, {"value": [RECORDED]})
    azure.answer("GET", f"/subscriptions/{SUB}/{inner}", 200, {"value": [RECORDED, USER_ASSIGNED]})
    assert [links_of(one).path for one in list_workspaces(arm, RG)] == [WORKSPACE_PATH]
    assert len(list_workspaces(arm, None)) == 2


def test_the_check_of_a_workspace_is_waited_for(azure, arm):
    azure.answer(
        "POST", CHECK, 202, {}, {"Location": f"{azure.url}{LATER}?api-version=1&type=location", "Retry-After": "0"}
    )
    azure.use("machinelearning/workspace_diagnose_key_vault_problem", at=LATER)
    found = gathering()
    collect_problems(arm, links_of(RECORDED), found)
    collection = found.collection(0)
    assert [problem.area for problem in collection.items["workspace_problems"]] == ["keyVault"]
    (log,) = collection.logs["logs.deployment"]
    assert log.chunks[0].text.startswith("keyVault: Error: KeyVaultAccessPolicyMissing: ")
    assert (azure.paths("POST"), azure.paths("GET")) == ([CHECK], [LATER])
    assert [request.body for request in azure.requests if request.path == CHECK] == ['{"value": {}}']


def test_a_workspace_without_problems_was_checked(azure, arm):
    azure.use("machinelearning/workspace_diagnose_ok")
    found = gathering()
    collect_problems(arm, links_of(RECORDED), found)
    collection = found.collection(0)
    assert collection.items["workspace_problems"] == ()
    assert collection.missing == ()
    assert "logs.deployment" not in collection.logs


def test_a_check_that_takes_longer_than_there_is_time_is_missing(azure, arm):
    headers = {"Location": f"{azure.url}{LATER}", "Retry-After": "30"}
    azure.answer("POST", CHECK, 202, {}, headers)
    found = gathering()
    collect_problems(arm.under(Limits(deadline=time.monotonic() + 5)), links_of(RECORDED), found)
    collection = found.collection(0)
    (gap,) = collection.missing
    assert (gap.stream, gap.why) == ("workspace_problems", Why.TIMED_OUT)
    assert "--timeout" in gap.needs
    assert "workspace_problems" not in collection.items


def test_links_do_not_show_the_whole_answer():
    assert "sdkTelemetryAppInsightsKey" not in repr(links_of(RECORDED))
    assert Links("s", "g", "w").options == "-g g -w w"
