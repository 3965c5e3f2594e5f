"""AKS clusters: their state as Azure tells it, and the way into them."""

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from azure_server import GROUP, RG, body_of

from diagnose.collectors.azure.clusters import cluster_of, collect_cluster, kubeconfig_of
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Subject, Why

EXAMPLE = body_of("containerservice/managed_cluster_get")
ID = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks-mlops"
WAY_IN = f"{ID}/listClusterUserCredential"


def gathering() -> Gathering:
    return Gathering(Subject("azure"), now=datetime(2026, 11, 22, tzinfo=UTC))


def test_a_cluster_that_does_not_tell_its_power_state():
    item = cluster_of(EXAMPLE)
    assert (item.name, item.power_state, item.provisioning_state) == ("aks-mlops", "", "Succeeded")
    assert (item.version, item.fqdn) == ("1.9.6", "dnsprefix1-abcd1234.hcp.eastus.azmk8s.io")
    assert (item.private, item.authorized_ranges, item.kubelet_principal) == (False, 0, "")
    assert (item.service_principal, item.node_resource_group) == ("clientid", "MC_rg-mlops_aks-mlops_location1")
    assert item.pools == ("nodepool1: 3 x Standard_DS1_v2",)
    assert item.source == f"az aks show -n aks-mlops -g {RG}"


@pytest.mark.parametrize(
    ("name", "power", "provisioning", "pool"),
    [
        (
            "containerservice/managed_cluster_get_running",
            "Running",
            "Succeeded",
            "nodepool1: 3 x Standard_DS1_v2, Running",
        ),
        (
            "containerservice/managed_cluster_get_stopped",
            "Stopped",
            "Succeeded",
            "nodepool1: 0 x Standard_DS1_v2, Stopped",
        ),
        ("containerservice/managed_cluster_get_failed", "Running", "Failed", "nodepool1: 3 x Standard_DS1_v2"),
    ],
)
def test_the_state_of_a_cluster(name, power, provisioning, pool):
    item = cluster_of(body_of(name))
    assert (item.power_state, item.provisioning_state, item.pools) == (power, provisioning, (pool,))


def test_a_private_cluster_with_managed_identities():
    body = deepcopy(EXAMPLE)
    access = {"enablePrivateCluster": True, "authorizedIPRanges": ["203.0.113.0/24", "198.51.100.7/32"]}
    body["properties"] |= {"servicePrincipalProfile": {"clientId": "msi"}, "apiServerAccessProfile": access}
    body["properties"]["identityProfile"] = {"kubeletidentity": {"objectId": "kubelet", "clientId": "c"}}
    item = cluster_of(body)
    assert (item.private, item.authorized_ranges) == (True, 2)
    assert (item.service_principal, item.kubelet_principal) == ("", "kubelet")


def test_a_pool_that_is_not_well_says_so():
    body = deepcopy(EXAMPLE)
    body["properties"]["agentPoolProfiles"][0]["provisioningState"] = "Failed"
    assert cluster_of(body).pools == ("nodepool1: 3 x Standard_DS1_v2, Failed",)


def test_a_stopped_cluster_is_read(azure, arm):
    azure.use("containerservice/managed_cluster_get_stopped")
    found = gathering()
    body = collect_cluster(arm, ID.replace("resourceGroups", "resourcegroups"), found)
    assert body is not None
    assert body["name"] == "aks-mlops"
    (item,) = found.collection(0).items["clusters"]
    assert (item.power_state, item.gone) == ("Stopped", False)


def test_a_cluster_that_is_gone_is_evidence_and_not_a_gap(azure, arm):
    found = gathering()
    assert collect_cluster(arm, f"{ID}-old", found) is None
    collection = found.collection(0)
    (item,) = collection.items["clusters"]
    assert (item.name, item.gone) == ("aks-mlops-old", True)
    assert collection.missing == ()


def test_a_cluster_that_may_not_be_read_names_the_role(azure, arm):
    azure.answer("GET", ID, 403, {"error": {"code": "Forbidden", "message": "no"}})
    found = gathering()
    assert collect_cluster(arm, ID, found) is None
    collection = found.collection(0)
    assert [(gap.stream, gap.why, gap.needs) for gap in collection.missing] == [
        ("clusters", Why.DENIED, "Reader on cluster aks-mlops")
    ]
    assert "clusters" not in collection.items


def test_a_cluster_outside_azure_is_not_asked_for_there(azure, arm):
    found = gathering()
    arc = f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/edge"
    assert collect_cluster(arm, arc, found) is None
    (gap,) = found.collection(0).missing
    assert (gap.stream, gap.why) == ("clusters", Why.NOT_SUPPORTED)
    assert azure.paths() == []


def test_the_kubeconfig_of_the_user(azure, arm):
    found = gathering()
    given = kubeconfig_of(arm, ID, found)
    assert given is not None
    assert given.startswith(b"apiVersion: v1\nkind: Config\n")
    assert azure.paths("POST") == [WAY_IN]


def test_a_kubeconfig_is_kept_nowhere(azure, arm, caplog):
    found = gathering()
    caplog.set_level("DEBUG")
    given = kubeconfig_of(arm, ID, found)
    assert given is not None
    secret = body_of("containerservice/list_cluster_user_credential")["kubeconfigs"][0]["value"]
    told = repr(found.collection(0)) + caplog.text
    assert secret not in told
    assert "clusterUser_rg-mlops" not in told


def test_a_kubeconfig_that_is_refused_names_the_role(azure, arm):
    azure.answer("POST", WAY_IN, 403, {"error": {"code": "Forbidden", "message": "no"}})
    found = gathering()
    assert kubeconfig_of(arm, ID, found) is None
    (gap,) = found.collection(0).missing
    assert (gap.stream, gap.why) == ("pods", Why.DENIED)
    assert "Azure Kubernetes Service Cluster User Role on cluster aks-mlops" in gap.needs


@pytest.mark.parametrize("kubeconfigs", [[], [{"name": "clusterUser", "value": "*c2VjcmV0*"}], None])
def test_an_answer_without_a_kubeconfig_is_a_gap_that_shows_nothing_of_it(azure, arm, kubeconfigs):
    azure.answer("POST", WAY_IN, 200, {"kubeconfigs": kubeconfigs})
    found = gathering()
    assert kubeconfig_of(arm, ID, found) is None
    (gap,) = found.collection(0).missing
    assert gap.why is Why.FAILED
    assert "c2VjcmV0" not in repr(gap)
