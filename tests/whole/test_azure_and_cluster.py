"""A service on a cluster has two sides: what Azure knows of it, and its pods; one report holds both."""

from __future__ import annotations

import base64
import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure_server import AzureServer, body_of
from azure_world import CLUSTER, ENDPOINT, MANAGEMENT, WHERE, WORKSPACE_PATH, in_order, web_service
from program import Ended, diagnose
from replay import Replay, kubeconfig, serving

Start = Callable[..., Replay]


@pytest.fixture
def on_azure(azure: AzureServer) -> AzureServer:
    """The web service ``rollout`` of SDK v1, in the namespace of the recorded cluster."""
    web_service(azure, "machinelearning_v1/service_get_aks", "rollout", namespace="aml-rollout")
    azure.use("machinelearning/compute_get_kubernetes", at=f"{WORKSPACE_PATH}/computes/aks-mlops")
    is_at(azure, "127.0.0.1")
    return azure


def is_at(azure: AzureServer, host: str) -> None:
    """Azure says that the API server has this name. The recorded cluster answers on this machine."""
    cluster: dict[str, Any] = copy.deepcopy(body_of("containerservice/managed_cluster_get_running"))  # type: ignore[assignment]
    cluster["properties"] |= {"fqdn": host, "azurePortalFQDN": host}
    azure.answer("GET", CLUSTER, body=cluster)


def given_out(azure: AzureServer, file: Path) -> None:
    """Azure gives this kubeconfig to whoever may have it."""
    entry = {"name": "clusterUser", "value": base64.b64encode(file.read_bytes()).decode()}
    azure.answer("POST", f"{CLUSTER}/listClusterUserCredential", body={"kubeconfigs": [entry]})


def asked_for_credential(azure: AzureServer) -> bool:
    return any(path.lower().endswith("/listclusterusercredential") for path in azure.paths("POST"))


def asked(service: str = "rollout", **environment: str) -> Ended:
    return diagnose(service, *WHERE, "--format", "json", **environment)


def collectors(ended: Ended) -> set[str]:
    return {one["collector"] for one in ended.report["collected"]}


def test_pods_come_through_the_kubeconfig_at_hand(on_azure: AzureServer, replayed: Start) -> None:
    replayed("rollout", "aml-rollout")
    ended = asked(KUBECONFIG=os.environ["KUBECONFIG"])
    assert collectors(ended) == {"azure", "kubernetes"}
    assert ended.first == "init.get-model-path-not-found"
    where = ended.report["target"]["where"]
    assert "web service rollout" in where
    assert "namespace aml-rollout" in where
    assert not asked_for_credential(on_azure)


def test_without_one_azure_gives_one_out(on_azure: AzureServer, tmp_path: Path) -> None:
    with serving(Replay.of("rollout")) as replay:
        given_out(on_azure, kubeconfig(tmp_path, replay.url))
        ended = asked(NO_PROXY="127.0.0.1")
    assert collectors(ended) == {"azure", "kubernetes"}
    assert ended.first == "init.get-model-path-not-found"
    assert "replayed-token" not in ended.out + ended.err


def test_a_kubeconfig_of_another_cluster_is_not_taken_for_it(
    on_azure: AzureServer, replayed: Start, tmp_path: Path
) -> None:
    replayed("rollout", "aml-rollout")
    is_at(on_azure, "another.hcp.eastus.azmk8s.io")
    on_azure.use("arm_errors/403_authorization_failed", at=f"{CLUSTER}/listClusterUserCredential")
    ended = asked(KUBECONFIG=os.environ["KUBECONFIG"])
    assert collectors(ended) == {"azure"}
    (gap,) = [gap for gap in ended.report["not_checked"] if "way into cluster aks-mlops" in gap["what"]]
    assert gap["why"] == "denied"
    assert "Azure Kubernetes Service Cluster User Role" in gap["needs"]


def kubernetes_endpoint(azure: AzureServer, name: str, namespace: str) -> None:
    """An online endpoint on Kubernetes with one deployment, and the compute it runs on."""
    in_order(azure)
    azure.answer("GET", f"{MANAGEMENT}/services/{name}", 404, {"code": "ServiceNotFound", "message": "no"})
    endpoint: dict[str, Any] = copy.deepcopy(body_of("machinelearning/online_endpoint_get_kubernetes"))  # type: ignore[assignment]
    path = ENDPOINT.replace("mysvc", name)
    azure.answer("GET", path, body=endpoint | {"name": name, "id": path})
    deployment = body_of("machinelearning/online_deployment_get_kubernetes")
    azure.answer("GET", f"{path}/deployments", body={"value": [deployment]})
    compute: dict[str, Any] = copy.deepcopy(body_of("machinelearning/compute_get_kubernetes"))  # type: ignore[assignment]
    compute["properties"]["properties"]["namespace"] = namespace
    azure.answer("GET", f"{WORKSPACE_PATH}/computes/aks-mlops", body=compute)
    is_at(azure, "127.0.0.1")


def test_an_online_endpoint_on_kubernetes_too(azure: AzureServer, tmp_path: Path) -> None:
    kubernetes_endpoint(azure, "getmodelpath", "aml-getmodelpath")
    with serving(Replay.of("getmodelpath")) as replay:
        given_out(azure, kubeconfig(tmp_path, replay.url))
        ended = asked("getmodelpath", NO_PROXY="127.0.0.1")
    assert collectors(ended) == {"azure", "kubernetes"}
    assert ended.first == "init.get-model-path-not-found"


def test_a_cluster_without_its_pods_says_so(azure: AzureServer, tmp_path: Path) -> None:
    kubernetes_endpoint(azure, "elsewhere", "aml-getmodelpath")
    with serving(Replay.of("getmodelpath")) as replay:
        given_out(azure, kubeconfig(tmp_path, replay.url))
        ended = asked("elsewhere", NO_PROXY="127.0.0.1")
    assert any("pods of elsewhere in namespace aml-getmodelpath" in gap["what"] for gap in ended.report["not_checked"])
    assert ended.report["verdict"] != "healthy"
