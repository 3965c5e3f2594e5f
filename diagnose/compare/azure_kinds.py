"""What is compared of endpoints, web services, vaults and what else Azure tells of."""

from __future__ import annotations

from diagnose.azure_items import AccessPolicy, ImageBuild, Vault
from diagnose.compare.traits import Kind, Trait
from diagnose.model import Item

_PERMISSIONS = ("keys", "secrets", "certificates", "storage")


def _of_service(item: Item) -> bool:
    """Runs of a registry have new names every time."""
    return not isinstance(item, ImageBuild) or item.origin != "registry run"


def _model(item: Item) -> str:
    return ("Azure RBAC" if item.rbac else "access policies") if isinstance(item, Vault) else ""


def _policy(item: Item) -> str:
    if not isinstance(item, AccessPolicy):
        return ""
    who = f"{item.principal} ({item.name})" if item.name else item.principal
    through = f" through application {item.application}" if item.application else ""
    return f"access policy of {who}{through} in vault {item.vault}"


def _permissions(item: Item) -> str:
    given = ((kind, getattr(item, kind)) for kind in _PERMISSIONS)
    return "; ".join(f"{kind}: {' '.join(names)}" for kind, names in given if names) or "no permissions"


AZURE_KINDS = (
    Kind(
        stream="endpoints",
        called="endpoint {0.name}".format,
        area="deployment",
        traits=(
            Trait(name="traffic", label="traffic", each=True),
            Trait(name="compute", label="compute"),
            Trait(name="auth_mode", label="authentication"),
            Trait(name="public_network_access", label="public network access"),
            Trait(name="provisioning_state", label="state", area="state"),
        ),
    ),
    Kind(
        stream="online_deployments",
        called="deployment {0.name}".format,
        area="deployment",
        traits=(
            Trait(name="model", label="model", area="image"),
            Trait(name="environment", label="environment", area="image"),
            Trait(name="traffic_percent", label="traffic", unit="%"),
            Trait(name="instance_type", label="instance type", area="resources"),
            Trait(name="instances", label="instances", area="replicas"),
            Trait(name="scale_type", label="scaling", area="replicas"),
            Trait(name="min_instances", label="least instances", area="replicas"),
            Trait(name="max_instances", label="most instances", area="replicas"),
            Trait(name="concurrent_requests", label="requests at a time, per instance"),
            Trait(name="request_timeout_s", label="request timeout", unit="s"),
            Trait(name="queue_wait_s", label="longest wait in the queue", unit="s"),
            Trait(name="egress_public_network_access", label="public network access on the way out"),
            Trait(name="liveness_allows_s", label="time the liveness probe allows", area="probes", unit="s"),
            Trait(name="provisioning_state", label="state", area="state"),
            Trait(name="failed_step", label="failed step", area="state", none="none"),
        ),
    ),
    Kind(
        stream="web_services",
        called="web service {0.name}".format,
        area="deployment",
        traits=(
            Trait(name="image", label="image", area="image"),
            Trait(name="compute", label="compute"),
            Trait(name="auth_enabled", label="authentication"),
            Trait(name="cpu", label="CPU", area="resources", unit="cores"),
            Trait(name="memory_gb", label="memory", area="resources", unit="GB"),
            Trait(name="autoscale", label="autoscaling", area="replicas"),
            Trait(name="replicas", label="replicas", area="replicas"),
            Trait(name="min_replicas", label="least replicas", area="replicas"),
            Trait(name="max_replicas", label="most replicas", area="replicas"),
            Trait(name="target_utilization_percent", label="target utilization", area="replicas", unit="%"),
            Trait(name="concurrent_requests", label="requests at a time, per container"),
            Trait(name="queue_wait_ms", label="longest wait in the queue", unit="ms"),
            Trait(name="scoring_timeout_ms", label="scoring timeout", unit="ms"),
            Trait(name="state", label="state", area="state"),
            Trait(name="available_replicas", label="available replicas", area="state"),
        ),
    ),
    Kind(
        stream="groups",
        called="container group {0.name}".format,
        area="deployment",
        traits=(
            Trait(name="cpu", label="CPU", area="resources", unit="cores"),
            Trait(name="memory_gb", label="memory", area="resources", unit="GB"),
            Trait(name="public_ports", label="public ports", area="network", each=True),
            Trait(name="container_ports", label="container ports", area="network", each=True),
            Trait(name="fqdn", label="DNS name", area="network"),
            Trait(name="restart_policy", label="restart policy"),
            Trait(name="state", label="state", area="state"),
            Trait(name="provisioning_state", label="provisioning state", area="state"),
        ),
    ),
    Kind(
        stream="builds",
        called="image built from {0.origin}".format,
        area="image",
        names=("origin",),
        chosen=_of_service,
        renamed=True,
        traits=(
            Trait(name="name", label="name"),
            Trait(name="image", label="image"),
            Trait(name="in_registry", label="in the registry"),
            Trait(name="status", label="state", area="state"),
        ),
    ),
    Kind(
        stream="vaults",
        called="vault {0.name}".format,
        area="vault",
        summary=_model,
        traits=(
            Trait(
                name="rbac", label="permission model", shown={"yes": "Azure RBAC", "no": "access policies"}.__getitem__
            ),
            Trait(name="policies", label="number of access policies"),
            Trait(name="default_action", label="firewall"),
            Trait(name="bypass", label="let through the firewall"),
            Trait(name="addresses", label="addresses let in"),
            Trait(name="subnets", label="subnets let in"),
            Trait(name="private_endpoints", label="private endpoints"),
            Trait(name="public_network_access", label="public network access"),
            Trait(name="gone", label="not found"),
            Trait(name="deleted", label="deleted"),
            Trait(name="written_by", label="last written by"),
        ),
    ),
    Kind(
        stream="access_policies",
        called=_policy,
        area="access",
        names=("vault", "principal", "application"),
        summary=_permissions,
        traits=tuple(
            Trait(name=name, label=f"permissions on {name}", each=True, shown=str.casefold) for name in _PERMISSIONS
        ),
    ),
    Kind(
        stream="role_assignments",
        called="roles of {0.principal}".format,
        area="access",
        names=("principal", "role", "scope"),
        summary="{0.role} on {0.scope}".format,
        traits=(),
    ),
    Kind(
        stream="identities",
        called="identity of {0.owner_kind} {0.owner}".format,
        area="access",
        names=("owner_kind", "owner", "type", "resource"),
        traits=(Trait(name="principal", label="object id"),),
    ),
    Kind(
        stream="registries",
        called="registry {0.name}".format,
        area="registry",
        traits=(
            Trait(name="sku", label="tier"),
            Trait(name="admin_user", label="admin user"),
            Trait(name="public_network_access", label="public network access"),
            Trait(name="default_action", label="firewall"),
            Trait(name="bypass", label="let through the firewall"),
            Trait(name="private_endpoints", label="private endpoints"),
            Trait(name="gone", label="not found"),
        ),
    ),
    Kind(
        stream="workspaces",
        called="workspace {0.name}".format,
        area="workspace",
        traits=(
            Trait(name="vault", label="vault"),
            Trait(name="registry", label="registry", none="none"),
            Trait(name="storage", label="storage account"),
            Trait(name="principal", label="identity"),
            Trait(name="identity_type", label="kind of identity"),
            Trait(name="v1_legacy_mode", label="v1 legacy mode"),
            Trait(name="public_network_access", label="public network access"),
            Trait(name="image_build_compute", label="compute that builds images", none="none"),
            Trait(name="managed_network", label="managed network", none="none"),
            Trait(name="provisioning_state", label="state", area="state"),
        ),
    ),
    Kind(
        stream="clusters",
        called="cluster {0.name}".format,
        area="workspace",
        traits=(
            Trait(name="version", label="version"),
            Trait(name="power_state", label="power", area="state"),
            Trait(name="provisioning_state", label="state", area="state"),
            Trait(name="authorized_ranges", label="address ranges that may reach it"),
            Trait(name="kubelet_principal", label="identity of the kubelet"),
            Trait(name="pools", label="node pools", each=True),
        ),
    ),
)
