"""From a name to what Azure has of that name."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from azure_server import GROUP, SUB, WORKSPACE_PATH, AzureServer, body_of
from azure_world import CONTAINER_GROUP, ENDPOINT, MANAGEMENT, SERVICE, healthy_service, managed_endpoint, web_service

from diagnose.collectors import Limits
from diagnose.targets import Found, Wanted
from diagnose.targets.azure import AzureFinder

GROUPS = CONTAINER_GROUP.rpartition("/")[0]
NOTHING = {"value": []}


def find(service: str = "mysvc", **wanted: str) -> Found:
    where = {"subscription": SUB, "resource_group": "rg-mlops", "workspace": "ws-mlops"} | wanted
    return AzureFinder().find(Wanted(service=service, **where), Limits(deadline=time.monotonic() + 20))  # type: ignore[arg-type]


def nothing_else(azure: AzureServer) -> None:
    """Neither endpoint nor group bears the name."""
    azure.answer("GET", GROUPS, body=NOTHING)


def test_an_online_endpoint(azure: AzureServer) -> None:
    managed_endpoint(azure)
    nothing_else(azure)
    found = find()
    (candidate,) = found.candidates
    assert (candidate.target.kind, candidate.target.workspace, candidate.unwell) == ("endpoint", "ws-mlops", False)
    assert candidate.join is None
    assert found.unsearched == ()


def test_a_web_service_on_a_cluster_has_another_side(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aks")
    (candidate,) = find().candidates
    assert (candidate.target.kind, candidate.unwell) == ("azure", True)
    assert candidate.join is not None


def test_a_web_service_on_container_instances_is_one_candidate_with_its_group(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aci")
    azure.answer("GET", GROUPS, body={"value": [body_of("containerinstance/container_group_get_crashloop")]})
    (candidate,) = find().candidates
    assert (candidate.target.kind, candidate.target.where.partition(",")[0]) == ("aci", "web service mysvc")


def test_a_container_group_of_nobody(azure: AzureServer) -> None:
    healthy_service(azure)
    azure.answer("GET", SERVICE, 404, {"code": "ServiceNotFound", "message": "no"})
    azure.answer("GET", GROUPS, body={"value": [body_of("containerinstance/container_group_get_crashloop")]})
    (candidate,) = find().candidates
    assert (candidate.target.kind, candidate.target.resource_group) == ("aci", "rg-mlops")
    assert candidate.target.workspace == ""


@pytest.mark.parametrize(
    ("on", "kinds"), [("aci", {"aci"}), ("endpoint", {"endpoint"}), ("azure", {"aci", "endpoint"})]
)
def test_on_leaves_out_what_is_not_meant(azure: AzureServer, on: str, kinds: set[str]) -> None:
    managed_endpoint(azure)
    azure.answer("GET", SERVICE, body=body_of("machinelearning_v1/service_get_aci"))
    azure.answer("GET", GROUPS, body=NOTHING)
    assert {candidate.target.kind for candidate in find(on=on).candidates} == kinds


def test_of_a_name_that_is_nowhere_the_others_are_told(azure: AzureServer) -> None:
    managed_endpoint(azure)
    nothing_else(azure)
    for path in (f"{ENDPOINT.rpartition('/')[0]}/mysvcs", f"{MANAGEMENT}/services/mysvcs"):
        azure.answer("GET", path, 404, {"error": {"code": "NotFound", "message": "no"}})
    azure.answer("GET", f"{MANAGEMENT}/services", body={"value": [{"name": "other"}]})
    found = find("mysvcs")
    assert (found.reachable, found.candidates) == (True, ())
    assert {"mysvc", "other"} <= set(found.names)


def test_a_workspace_is_found_by_its_name_alone(azure: AzureServer) -> None:
    managed_endpoint(azure)
    nothing_else(azure)
    listed = f"/subscriptions/{SUB}/providers/Microsoft.MachineLearningServices/workspaces"
    azure.answer("GET", listed, body={"value": [body_of("machinelearning/workspace_get")]})
    azure.answer("GET", GROUPS.replace(GROUP, f"/subscriptions/{SUB}"), body=NOTHING)
    (candidate,) = find(resource_group="").candidates
    assert candidate.target.resource_group == "rg-mlops"
    assert find(resource_group="", workspace="ws-other").unsearched[0].why == "there is no such workspace"


def test_what_may_not_be_listed_is_not_searched(azure: AzureServer) -> None:
    managed_endpoint(azure)
    azure.use("arm_errors/403_authorization_failed", at=GROUPS)
    found = find()
    assert len(found.candidates) == 1
    (gap,) = found.unsearched
    assert gap.place == "azure: container groups"
    assert "AuthorizationFailed" in gap.why


def test_a_workspace_that_may_not_be_read_is_still_an_answer(azure: AzureServer) -> None:
    azure.use("arm_errors/403_authorization_failed", at=WORKSPACE_PATH)
    found = find()
    (candidate,) = found.candidates
    assert candidate.unseen
    collection = candidate.collect(Limits())
    assert {gap.stream for gap in collection.missing} == {"web_services", "endpoints"}
    assert len(collection.items["refusals"]) == 1


def test_a_mere_login_is_no_reason_to_look(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finder = AzureFinder()
    assert not finder.expected(Wanted(service="mysvc"))
    assert finder.expected(Wanted(service="mysvc", workspace="ws-mlops"))
    (tmp_path / "config.json").write_text(json.dumps({"subscription_id": SUB, "workspace_name": "ws-mlops"}))
    monkeypatch.chdir(tmp_path)
    assert finder.expected(Wanted(service="mysvc"))


def test_without_a_subscription_no_call_is_made(azure: AzureServer) -> None:
    found = AzureFinder().find(Wanted(service="mysvc"), Limits())
    assert not found.reachable
    assert "--subscription" in found.unsearched[0].remedy
    assert azure.requests == []
