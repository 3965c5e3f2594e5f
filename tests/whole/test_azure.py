"""From the command line to a report, through the real sign-in and the real SDK, over what Azure answers."""

from __future__ import annotations

from typing import Any

import pytest
from azure_server import AzureServer, body_of
from azure_world import (
    ACTIVITY,
    CLUSTER,
    CONTAINER_GROUP,
    ENDPOINT,
    IDENTITY,
    MANAGEMENT,
    OPERATION,
    VAULT_PATH,
    WHERE,
    changed,
    healthy_service,
    managed_endpoint,
    vault,
    web_service,
)
from program import Ended, diagnose


def asked(*arguments: str) -> Ended:
    return diagnose("mysvc", *WHERE, "--on", "azure", "--format", "json", *arguments)


def roles(ended: Ended) -> dict[str, str]:
    """By rule."""
    return {finding["rule"]: finding["role"] for finding in ended.report["findings"]}


def alarms(ended: Ended) -> set[str]:
    """Rules that count against the service."""
    return {rule for rule, role in roles(ended).items() if role not in ("latent", "advice")}


def put_vault(azure: AzureServer, body: object) -> None:
    azure.answer("GET", VAULT_PATH, body=body)


def failing_image(azure: AzureServer) -> None:
    """A web service whose image could not be created: the answer is an HTTP 500 and nothing else."""
    error = {"code": "InternalServerError", "statusCode": 500, "message": "An internal server error occurred."}
    web_service(azure, "machinelearning_v1/service_get_aks", state="Failed", error=error)


# --- Key Vault ---


@pytest.mark.parametrize(
    "name", ["keyvault/vault_get_policies_cleared_by_pipeline", "keyvault/vault_get_policies_empty"]
)
def test_wiped_access_policies_are_the_cause_of_an_image_that_cannot_be_created(azure: AzureServer, name: str) -> None:
    failing_image(azure)
    put_vault(azure, body_of(name))
    azure.use("monitor/activity_log_keyvault_writes", at=ACTIVITY)
    ended = asked()
    assert ended.first == "keyvault.access-policies-wiped"
    (finding,) = [one for one in ended.report["findings"] if one["role"] == "root_cause"]
    told = finding["explain"]
    assert IDENTITY in told
    assert "11111111-0000-0000-0000-0000000000c1" in told
    assert "2026-11-20" in told
    commands = "\n".join(fix["command"] for fix in finding["fixes"])
    assert f"az keyvault set-policy --name kv-mlops --object-id {IDENTITY}" in commands
    assert '"accessPolicies": [' in commands
    assert "condition" in commands


def test_policies_without_the_workspace_are_as_bad_as_none(azure: AzureServer) -> None:
    failing_image(azure)
    put_vault(azure, body_of("keyvault/vault_get_access_policies"))
    assert asked().first == "keyvault.access-policies-wiped"


def test_a_vault_in_order_is_not_accused(azure: AzureServer) -> None:
    failing_image(azure)
    assert not any(rule.startswith("keyvault.") for rule in alarms(asked()))


def test_a_vault_with_roles_needs_no_policies(azure: AzureServer) -> None:
    failing_image(azure)
    put_vault(azure, body_of("keyvault/vault_get_rbac"))
    assert "keyvault.access-policies-wiped" not in roles(asked())


def test_a_service_that_works_proves_that_the_vault_does_no_harm_now(azure: AzureServer) -> None:
    healthy_service(azure)
    put_vault(azure, vault(accessPolicies=[]))
    ended = asked()
    assert alarms(ended) == set()
    assert ended.report["verdict"] != "failing"


def test_the_firewall_of_a_vault_is_named(azure: AzureServer) -> None:
    failing_image(azure)
    put_vault(azure, body_of("keyvault/vault_get_network_denied"))
    found = roles(asked())
    assert {"keyvault.firewall-bypass-none", "keyvault.private-link-only"} & found.keys()


# --- image builds ---


def test_a_failed_build_names_what_broke_in_it(azure: AzureServer, azurite: Any) -> None:
    log = (
        "Step 7/16 : RUN conda env create -p /azureml-envs/x -f mutated.yml\n"
        "ERROR: Could not find a version that satisfies the requirement scikit-lern==1.5.1 (from versions: none)\n"
        "ERROR: No matching distribution found for scikit-lern==1.5.1\n"
        "CondaEnvException: Pip failed\n"
        "The command '/bin/sh -c conda env create' returned a non-zero code: 1\n"
    )
    url = azurite.put("build.log", log.encode())
    failing_build(azure, url)
    ended = asked()
    assert ended.first == "build.pip-no-matching-distribution"
    assert any("scikit-lern" in line["text"] for line in ended.report["findings"][0]["evidence"])
    assert ended.report["stage"]["failed"] == "build"
    assert "sig=" not in ended.out


def failing_build(azure: AzureServer, url: str) -> None:
    """A web service whose operation failed building the environment, with its log at ``url``."""
    web_service(azure, "machinelearning_v1/service_get_aks", state="Failed", error=None, operationId=OPERATION)
    operation: dict[str, Any] = {**body_of("machinelearning_v1/operation_get_failed")}  # type: ignore[dict-item]
    azure.answer("GET", f"{MANAGEMENT}/operations/{OPERATION}", body=operation | {"operationLog": url})


def test_a_link_to_a_build_log_that_expired_is_said_and_how_to_get_a_new_one(azure: AzureServer) -> None:
    expired = (
        "https://stmlops.blob.core.windows.net/azureml/ImageLogs/x/build.log?se=2026-11-21T08%3A00%3A00Z&sp=r&sig=abc"
    )
    failing_build(azure, expired)
    ended = asked()
    assert ended.report["verdict"] == "failing"
    (gap,) = [gap for gap in ended.report["not_checked"] if "build log" in gap["what"]]
    assert "expired" in gap["what"]
    assert "new link" in gap["needs"]
    assert "sig=" not in ended.out


# --- container groups ---


def test_a_crash_loop_on_container_instances_with_its_log(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aci")
    azure.use("containerinstance/container_group_get_crashloop")
    ended = asked()
    assert ended.first == "init.import-error"
    assert roles(ended)["start.crash-loop-back-off"] == "symptom"


def test_an_image_that_container_instances_cannot_reach(azure: AzureServer) -> None:
    error = body_of("machinelearning_v1/service_error_aci_image_not_accessible")
    web_service(azure, "machinelearning_v1/service_get_aci", error=error)
    azure.answer("GET", CONTAINER_GROUP, 404, {"error": {"code": "ResourceNotFound", "message": "no such group"}})
    azure.answer("GET", f"{MANAGEMENT}/services/mysvc/logs", body={"content": ""})
    ended = asked()
    assert ended.report["stage"]["failed"] == "pull"
    assert any(rule.startswith("pull.") for rule in alarms(ended))


# --- online endpoints ---

STEPS = ("SystemSetup", "UserContainerImagePull", "ModelDownload", "UserContainerStart")


def instance_log(failed: str) -> str:
    """The beginning of a log of which one step failed: those before it are through, those after it wait."""
    at = STEPS.index(failed)
    states = ["Succeeded"] * at + ["Failed"] + ["Waiting"] * (len(STEPS) - at - 1)
    lines = "\n".join(f"{step}: {state}" for step, state in zip(STEPS, states, strict=True))
    return f"Instance status:\n{lines}\n\nContainer events:\n"


@pytest.mark.parametrize(
    ("step", "stage"),
    [
        ("SystemSetup", "deploy"),
        ("UserContainerImagePull", "pull"),
        ("ModelDownload", "start"),
        ("UserContainerStart", "start"),
    ],
)
def test_each_step_at_which_a_deployment_can_fail_is_told(azure: AzureServer, step: str, stage: str) -> None:
    managed_endpoint(azure, "Failed", log=instance_log(step))
    ended = asked()
    assert ended.report["verdict"] == "failing"
    assert ended.report["stage"]["failed"] == stage
    first = ended.report["findings"][0]
    assert step in " ".join([first["title"], first["explain"], *(line["text"] for line in first["evidence"])])


def test_a_failed_deployment_with_a_traceback_names_it(azure: AzureServer) -> None:
    log = instance_log("UserContainerStart") + (
        "2026-11-20 08:20:11,412 E [70] azmlinfsrv - Traceback (most recent call last):\n"
        '  File "/var/azureml-app/score.py", line 2, in <module>\n'
        "    import joblib\n"
        "ModuleNotFoundError: No module named 'joblib'\n"
    )
    managed_endpoint(azure, "Failed", log=log, error="ResourceNotReady: User container has crashed or terminated.")
    assert asked().first == "init.import-error"


def test_an_endpoint_without_traffic_answers_nobody(azure: AzureServer) -> None:
    managed_endpoint(azure)
    azure.answer("GET", ENDPOINT, body=changed("machinelearning/online_endpoint_get", traffic={}))
    ended = asked()
    assert ended.first == "score.http-404-no-traffic"


def test_a_healthy_endpoint_is_healthy(azure: AzureServer) -> None:
    managed_endpoint(azure)
    ended = asked()
    assert (ended.code, ended.report["verdict"]) == (0, "healthy")
    assert alarms(ended) == set()


# --- clusters ---


def test_a_stopped_cluster_is_the_cause(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aks")
    azure.use("containerservice/managed_cluster_get_stopped")
    ended = asked()
    assert ended.first == "deploy.cluster-stopped"
    assert any("az aks start" in fix["command"] for fix in ended.report["findings"][0]["fixes"])


def test_a_cluster_that_is_gone_is_said(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aks")
    azure.answer("GET", CLUSTER, 404, {"error": {"code": "ResourceNotFound", "message": "no such cluster"}})
    assert asked().report["verdict"] == "failing"
