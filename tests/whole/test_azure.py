"""From the command line to a report, through the real sign-in and the real SDK, over what Azure answers."""

from __future__ import annotations

from azure_server import AzureServer
from azure_world import VAULT_PATH, WHERE, managed_endpoint, vault, web_service
from program import Ended, diagnose


def asked(*arguments: str) -> Ended:
    return diagnose("mysvc", *WHERE, "--on", "azure", "--format", "json", *arguments)


def show(e):
    print(e.code, e.err)
    r = e.report
    print(r["verdict"], r["verdict_reason"], r["stage"])
    for f in r["findings"]:
        print(f["role"], f["rule"], f["severity"], [c["text"][:150] for c in f["evidence"]])
    for n in r["not_checked"]:
        print("  NOT", n["what"], n["why"], n["needs"])


def test_try(azure: AzureServer) -> None:
    managed_endpoint(azure)
    show(asked())
    assert 0


def test_try2(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aci")
    azure.use("containerinstance/container_group_get_crashloop")
    show(asked())
    assert 0


def test_try3(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aks")
    show(asked())
    assert 0


def test_try4(azure: AzureServer) -> None:
    managed_endpoint(
        azure,
        "Failed",
        error="ResourceNotReady: User container has crashed or terminated: Liveness probe failed: HTTP probe failed with statuscode: 502.",
    )
    show(asked())
    assert 0


def test_try5(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aks")
    azure.answer("GET", VAULT_PATH.replace("KeyVault", "Keyvault"), body=vault(accessPolicies=[]))
    azure.use("keyvault/vault_get_policies_cleared_by_pipeline", at=VAULT_PATH)
    azure.use("monitor/activity_log_keyvault_writes")
    azure.use("containerservice/managed_cluster_get_stopped")
    print(diagnose("mysvc", *WHERE, "--on", "azure").out)
    assert 0
