"""Secrets in what Azure answers: none comes out, and none is asked for."""

from __future__ import annotations

import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from azure_server import AzureServer, body_of
from azure_world import (
    CLUSTER,
    CONTAINER_GROUP,
    ENDPOINT,
    MANAGEMENT,
    OPERATION,
    WHERE,
    WORKSPACE_PATH,
    built,
    changed,
    managed_endpoint,
    web_service,
)
from planted import PLANTED, leaks
from program import diagnose

LINES = [line for line, _ in PLANTED.values()]
TOLD = " ".join(LINES)
OWN = {
    "registry password": "Pl4ntedRegistryPassw0rd",
    "registry user": "pl4nted-registry-user",
    "token of the kubeconfig": "pl4nted-kubeconfig-token",
    "signature of the build log": "Pl4ntedBuildLogS1gnature",
    "value of an application setting": "pl4nted-setting-value",
    "client secret of the sign-in": "made-up",
    "relay connection": "pl4nted-relay-connection",
}
"""Secrets that Azure's answers hold beside texts: whole fields that nobody may read."""


def found_in(text: str) -> list[str]:
    return [*leaks(text), *(kind for kind, secret in OWN.items() if secret in text)]


def service_full_of_secrets(azure: AzureServer) -> None:
    """A web service on AKS that failed, each of whose answers holds secrets."""
    error = {"code": "KubernetesDeploymentFailed", "statusCode": 400, "message": TOLD}
    details = [{"code": "CrashLoopBackOff", "message": f"Error: {line}"} for line in LINES]
    web_service(
        azure,
        "machinelearning_v1/service_get_aks",
        error=error | {"details": details},
        operationId=OPERATION,
        kvTags={"planted": TOLD},
        properties={"planted": OWN["value of an application setting"]},
        environmentImageRequest={"environmentReference": {"name": "env", "version": "1"}},
    )
    operation = copy.deepcopy(body_of("machinelearning_v1/operation_get_failed"))
    operation["operationLog"] = operation["operationLog"].replace("REDACTED", OWN["signature of the build log"])  # type: ignore[index]
    azure.answer("GET", f"{MANAGEMENT}/operations/{OPERATION}", body=operation)
    log = {
        "content": "\n".join(
            ["Traceback (most recent call last):", '  File "/var/azureml-app/score.py", line 1', *LINES]
        )
    }
    azure.answer("GET", f"{MANAGEMENT}/services/mysvc/logs", body=log)
    image: dict[str, Any] = built(exists=False)
    image["dockerImage"]["registry"] |= {"username": OWN["registry user"], "password": OWN["registry password"]}
    azure.answer("GET", f"/environment/v1.0{WORKSPACE_PATH}/environments/env/versions/1/image", body=image)
    compute = changed("machinelearning/compute_get_kubernetes")
    compute["properties"]["properties"]["relayConnectionString"] = OWN["relay connection"]
    azure.answer("GET", f"{WORKSPACE_PATH}/computes/aks-mlops", body=compute)
    config = f"apiVersion: v1\nkind: Config\nusers: [{{name: x, user: {{token: {OWN['token of the kubeconfig']}}}}}]\n"
    entry = {"name": "clusterUser", "value": base64.b64encode(config.encode()).decode()}
    azure.answer("POST", f"{CLUSTER}/listClusterUserCredential", body={"kubeconfigs": [entry]})


@pytest.mark.parametrize("name", ["terminal", "json", "html"])
def test_nothing_of_a_web_service_comes_out(name: str, azure: AzureServer) -> None:
    service_full_of_secrets(azure)
    ended = diagnose("mysvc", *WHERE, "--on", "azure", "--verbose", "--format", name)
    assert ended.code == 1, ended.err
    assert "[redacted:" in ended.out
    assert found_in(ended.out) == []
    assert found_in(ended.err) == []


def test_nothing_of_an_endpoint_comes_out(azure: AzureServer) -> None:
    managed_endpoint(azure, "Failed", log="\n".join(LINES), error=f"ResourceNotReady: {TOLD}")
    deployment = changed("machinelearning/online_deployment_get_failed")
    deployment["properties"]["environmentVariables"] = {"SETTING": OWN["value of an application setting"]}
    azure.answer("GET", f"{ENDPOINT}/deployments", body={"value": [deployment]})
    for name in ("terminal", "json"):
        ended = diagnose("mysvc", *WHERE, "--verbose", "--format", name)
        assert ended.code == 1, ended.err
        assert found_in(ended.out + ended.err) == []


def test_nothing_of_a_container_group_comes_out(azure: AzureServer) -> None:
    web_service(azure, "machinelearning_v1/service_get_aci")
    group: dict[str, Any] = copy.deepcopy(body_of("containerinstance/container_group_get_crashloop"))  # type: ignore[assignment]
    container = group["properties"]["containers"][0]["properties"]
    container["environmentVariables"] = [{"name": "SETTING", "value": OWN["value of an application setting"]}]
    container["instanceView"]["currentState"]["detailStatus"] += f" {TOLD}"
    container["instanceView"]["events"][0]["message"] += f" {TOLD}"
    group["properties"]["imageRegistryCredentials"] = [
        {"server": "x.azurecr.io", "username": OWN["registry user"], "password": OWN["registry password"]}
    ]
    azure.answer("GET", CONTAINER_GROUP, body=group)
    ended = diagnose("mysvc", *WHERE, "--on", "aci", "--verbose")
    assert ended.code == 1, ended.err
    assert found_in(ended.out + ended.err) == []


def test_neither_keys_nor_tokens_of_a_service_are_asked_for(azure: AzureServer) -> None:
    service_full_of_secrets(azure)
    diagnose("mysvc", *WHERE, "--on", "azure")
    managed_endpoint(azure)
    diagnose("mysvc", *WHERE)
    asked = {request.path.rpartition("/")[2].lower() for request in azure.requests if request.token}
    assert not asked & {"listkeys", "token", "score", "regeneratekeys", "listcredentials"}
    assert {request.method for request in azure.requests} <= {"GET", "POST"}


def test_what_azure_saved_to_a_file_gives_nothing_away(tmp_path: Path) -> None:
    """The same bodies, saved and analysed."""
    image: dict[str, Any] = built(exists=False)
    image["dockerImage"]["registry"] |= {"username": OWN["registry user"], "password": OWN["registry password"]}
    (tmp_path / "image.json").write_text(json.dumps(image), encoding="utf-8")
    service = {"name": "mysvc", "computeType": "ACI", "state": "Failed", "error": {"code": "X", "message": TOLD}}
    (tmp_path / "service.json").write_text(json.dumps(service), encoding="utf-8")
    for name in ("terminal", "json", "html"):
        ended = diagnose("analyze", tmp_path, "--verbose", "--format", name)
        assert found_in(ended.out + ended.err) == []
