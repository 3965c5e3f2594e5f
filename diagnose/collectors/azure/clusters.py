"""An AKS cluster as Azure describes it, and the way into it.

Needs the role Reader on the cluster; for the kubeconfig "Azure Kubernetes Service Cluster User Role". A kubeconfig is a
secret: it is handed to whoever asks for it, and is kept nowhere.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from diagnose.azure_items import Cluster
from diagnose.collectors.azure.answers import name_of, part, parts, text, whole, within
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Missing, Subject, Why

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

API = "2024-09-01"
"""Of Microsoft.ContainerService."""
_SUBJECT = Subject("azure")
_MANAGED_IDENTITY = "msi"
"""Client id that stands for "no service principal"."""


def cluster_of(body: Json) -> Cluster:
    """The cluster as an item."""
    properties = part(body, "properties")
    access = part(properties, "apiServerAccessProfile")
    client = text(part(properties, "servicePrincipalProfile").get("clientId"))
    ranges = access.get("authorizedIPRanges")
    return Cluster(
        source=_source(text(body.get("id"))),
        subject=_SUBJECT,
        name=text(body.get("name")),
        power_state=text(part(properties, "powerState").get("code")),
        provisioning_state=text(properties.get("provisioningState")),
        version=text(properties.get("currentKubernetesVersion")) or text(properties.get("kubernetesVersion")),
        fqdn=text(properties.get("fqdn")) or text(properties.get("privateFQDN")),
        private=access.get("enablePrivateCluster") is True,
        authorized_ranges=len(ranges) if isinstance(ranges, list) else 0,
        kubelet_principal=text(part(properties, "identityProfile", "kubeletidentity").get("objectId")),
        service_principal="" if client == _MANAGED_IDENTITY else client,
        node_resource_group=text(properties.get("nodeResourceGroup")),
        pools=tuple(_pool(pool) for pool in parts(properties.get("agentPoolProfiles"))),
    )


def _pool(pool: Json) -> str:
    """``nodepool1: 0 x Standard_DS1_v2, Stopped``."""
    provisioning = text(pool.get("provisioningState"))
    told = (
        f"{text(pool.get('name'))}: {whole(pool.get('count')) or 0} x {text(pool.get('vmSize'))}",
        text(part(pool, "powerState").get("code")),
        provisioning if provisioning != "Succeeded" else "",
    )
    return ", ".join(filter(None, told))


def _source(cluster_id: str) -> str:
    return f"az aks show -n {name_of(cluster_id)} -g {within(cluster_id, 'resourceGroups')}"


def collect_cluster(arm: Arm, cluster_id: str, gathering: Gathering) -> Json | None:
    """The cluster, also as an item; one that Azure does not know any more is one too, and returns None.

    Clusters outside Azure that are connected to it have no state there.
    """
    name = name_of(cluster_id)
    if not within(cluster_id, "managedClusters"):
        what = f"cluster {name}, which is connected to Azure and does not run there"
        needs = "a kubeconfig whose current context is that cluster"
        gathering.miss(
            Missing(stream="clusters", why=Why.NOT_SUPPORTED, what=what, needs=needs, subject=gathering.subject)
        )
        return None
    try:
        body = arm.get(cluster_id, API)
    except AzureError as error:
        if error.status == 404:
            gathering.add("clusters", [Cluster(source=_source(cluster_id), subject=_SUBJECT, name=name, gone=True)])
        else:
            gathering.refused(("clusters",), f"cluster {name}", f"Reader on cluster {name}", error)
        return None
    gathering.add("clusters", [cluster_of(body)])
    return body


def kubeconfig_of(arm: Arm, cluster_id: str, gathering: Gathering) -> bytes | None:
    """The kubeconfig of the signed-in user for the cluster; None when it was not given out.

    On a cluster that signs in through Entra ID it calls the program ``kubelogin``.
    """
    name = name_of(cluster_id)
    needs = f"Azure Kubernetes Service Cluster User Role on cluster {name}, or a kubeconfig of your own for it"
    body = gathering.attempt(
        ("pods",),
        f"the way into cluster {name} (its pods, events and logs)",
        needs,
        lambda: arm.post(f"{cluster_id}/listClusterUserCredential", API),
    )
    if body is None:
        return None
    given = next((text(one.get("value")) for one in parts(body.get("kubeconfigs"))), "")
    try:
        decoded = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        what = f"the way into cluster {name}: Azure gave no kubeconfig that can be read"
        gathering.miss(Missing(stream="pods", why=Why.FAILED, what=what, needs=needs, subject=gathering.subject))
    return decoded or None
