"""Computes: the link from a service to its cluster and namespace."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from azure_server import GROUP, RG, WORKSPACE, WORKSPACE_PATH, body_of

from diagnose.collectors.azure.computes import ComputeGraph, compute_of, graph_of, read_compute
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import links_of
from diagnose.model import Subject, Why

ATTACHED = body_of("machinelearning/compute_get_kubernetes")
LINKS = links_of(body_of("machinelearning/workspace_get"))
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-mlops".replace(
    "resourceGroups", "resourcegroups"
)


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=datetime(2026, 11, 22, tzinfo=UTC))


def legacy() -> dict[str, object]:
    """Derived: a cluster attached the v1 way."""
    body = deepcopy(ATTACHED)
    body["properties"] |= {"computeType": "AKS", "properties": {"clusterFqdn": "x.azmk8s.io", "agentCount": 3}}
    return body


def failed() -> dict[str, object]:
    """Derived: a compute that could not be attached."""
    body = deepcopy(ATTACHED)
    error = {"code": "BadArgument", "message": "The extension is not installed"}
    body["properties"] |= {"provisioningState": "Failed", "provisioningErrors": [{"error": error}]}
    return body


def test_a_compute_on_kubernetes():
    item = compute_of(ATTACHED)
    assert (item.name, item.type, item.provisioning_state) == ("aks-mlops", "Kubernetes", "Succeeded")
    assert (item.namespace, item.cluster, item.errors, item.principal) == ("default", "aks-mlops", "", "")
    assert item.source == f"az ml compute show -n aks-mlops -g {RG} -w {WORKSPACE}"


def test_a_compute_leads_to_its_cluster():
    assert graph_of(ATTACHED) == ComputeGraph("aks-mlops", CLUSTER, "default", legacy=False)


def test_a_legacy_compute_has_no_namespace_of_its_own():
    assert compute_of(legacy()).type == "AKS"
    assert graph_of(legacy()) == ComputeGraph("aks-mlops", CLUSTER, "", legacy=True)


@pytest.mark.parametrize(
    "change",
    [
        {"identity": {"type": "SystemAssigned", "principalId": "p"}},
        {"properties": {"properties": {"extensionPrincipalId": "p"}}},
    ],
)
def test_the_identity_of_a_compute_is_its_own_or_the_extensions(change):
    assert compute_of(ATTACHED | change).principal == "p"


def test_connection_strings_are_not_kept():
    body = deepcopy(ATTACHED)
    body["properties"]["properties"] |= {
        "relayConnectionString": "topsecret",
        "serviceBusConnectionString": "topsecret",
    }
    assert "topsecret" not in repr(compute_of(body)) + repr(graph_of(body))


@pytest.mark.parametrize("compute", ["aks-mlops", ATTACHED["id"]])
def test_a_compute_is_read_by_name_or_by_id(azure, arm, compute):
    found = gathering()
    graph = read_compute(arm, LINKS, compute, found)
    assert graph is not None
    assert graph.cluster_id == CLUSTER
    assert azure.paths() == [f"{WORKSPACE_PATH}/computes/aks-mlops"]
    collection = found.collection(0)
    assert collection.items["computes"][0].name == "aks-mlops"
    assert "logs.deployment" not in collection.logs


def test_why_a_compute_failed_is_a_text_too(azure, arm):
    azure.answer("GET", f"{WORKSPACE_PATH}/computes/aks-mlops", 200, failed())
    found = gathering()
    read_compute(arm, LINKS, "aks-mlops", found)
    collection = found.collection(0)
    assert collection.items["computes"][0].errors == "BadArgument: The extension is not installed"
    assert collection.logs["logs.deployment"][0].chunks[0].text == "BadArgument: The extension is not installed"


def test_a_compute_that_may_not_be_read_names_the_role(azure, arm):
    azure.answer("GET", f"{WORKSPACE_PATH}/computes/aks-mlops", 403, {"error": {"code": "Forbidden", "message": "no"}})
    found = gathering()
    assert read_compute(arm, LINKS, "aks-mlops", found) is None
    (gap,) = found.collection(0).missing
    assert (gap.stream, gap.why, gap.needs) == ("computes", Why.DENIED, "Reader on workspace ws-mlops")
