"""What changed in Azure between two looks at a service, through the real SDK over what Azure answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azure_server import AzureServer, body_of
from azure_world import (
    ACTIVITY,
    ENDPOINT,
    IDENTITY,
    VAULT_PATH,
    WHERE,
    changed,
    healthy_service,
    managed_endpoint,
    vault,
    web_service,
)
from program import diagnose


def collected(path: Path) -> Path:
    ended = diagnose("collect", "mysvc", *WHERE, "--on", "azure", "-o", path)
    assert ended.code == 0, ended.err
    return path


def compared(before: Path, after: Path) -> tuple[int, dict[str, Any]]:
    ended = diagnose("compare", before, after, "--format", "json")
    return ended.code, ended.report


def test_the_report_from_a_file_finds_what_the_live_one_finds(azure: AzureServer, tmp_path: Path) -> None:
    managed_endpoint(azure, "Failed", error="ImagePullFailure: the image could not be pulled")
    live = diagnose("mysvc", *WHERE, "--on", "azure", "--format", "json")
    saved = diagnose("analyze", collected(tmp_path / "a.tar.gz"), "--format", "json")
    assert [one["rule"] for one in saved.report["findings"]] == [one["rule"] for one in live.report["findings"]]
    assert saved.report["not_checked"] == live.report["not_checked"]
    assert (saved.code, saved.report["verdict"]) == (live.code, live.report["verdict"])


def test_wiped_access_policies_are_what_changed(azure: AzureServer, tmp_path: Path) -> None:
    healthy_service(azure)
    before = collected(tmp_path / "before.json")
    error = {"code": "InternalServerError", "statusCode": 500, "message": "An internal server error occurred."}
    web_service(azure, "machinelearning_v1/service_get_aks", state="Failed", error=error)
    azure.answer("GET", VAULT_PATH, body=body_of("keyvault/vault_get_policies_cleared_by_pipeline"))
    azure.use("monitor/activity_log_keyvault_writes", at=ACTIVITY)
    code, document = compared(before, collected(tmp_path / "after.json"))
    assert code == 1
    assert "keyvault.access-policies-wiped" in {one["rule"] for one in document["findings"] if one["status"] == "new"}
    gone = [one for one in document["changes"] if one["area"] == "access" and one["what"] == "is gone"]
    assert any(IDENTITY in one["subject"] and "secrets: " in one["removed"][0] for one in gone)
    assert any(one["what"] == "number of access policies" for one in document["changes"])


def test_a_vault_that_turned_to_roles_is_what_changed(azure: AzureServer, tmp_path: Path) -> None:
    healthy_service(azure)
    before = collected(tmp_path / "before.json")
    azure.answer("GET", VAULT_PATH, body=vault(enableRbacAuthorization=True))
    _, document = compared(before, collected(tmp_path / "after.json"))
    (change,) = [one for one in document["changes"] if one["what"] == "permission model"]
    assert (change["before"], change["after"], change["subject"]) == ("access policies", "Azure RBAC", "vault kv-mlops")


def test_a_vault_that_may_not_be_read_any_more_lost_nothing(azure: AzureServer, tmp_path: Path) -> None:
    healthy_service(azure)
    before = collected(tmp_path / "before.json")
    azure.answer("GET", VAULT_PATH, 403, {"error": {"code": "AuthorizationFailed", "message": "no"}})
    _, document = compared(before, collected(tmp_path / "after.json"))
    assert [one for one in document["changes"] if one["area"] in ("vault", "access")] == []
    assert any(one["what"] == "access policies of key vaults" for one in document["not_compared"])


def test_the_deployment_of_an_endpoint_that_changed_is_told(azure: AzureServer, tmp_path: Path) -> None:
    managed_endpoint(azure)
    before = collected(tmp_path / "before.json")
    name = "machinelearning/online_deployment_get_failed"
    model = "azureml://registries/r/models/other/versions/9"
    deployment = changed(name, provisioningState="Failed", instanceType="Standard_F2s_v2", model=model)
    azure.answer("GET", f"{ENDPOINT}/deployments", body={"value": [deployment]})
    _, document = compared(before, collected(tmp_path / "after.json"))
    told = {one["what"]: one["after"] for one in document["changes"]}
    assert (told["instance type"], told["state"]) == ("Standard_F2s_v2", "Failed")
    assert "other" in told["model"]
