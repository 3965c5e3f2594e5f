"""Online endpoints, managed and on Kubernetes.

Needs the role Reader on the workspace, for the logs of deployments AzureML Data Scientist. Nothing is ever sent to the
endpoint itself, and neither its keys nor its tokens are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diagnose.azure_items import Endpoint, OnlineDeployment
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import name_of, part, text, whole
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.online_deployments import Reading, collect_deployments, kind_of, options_of
from diagnose.collectors.azure.online_operations import collect_operation
from diagnose.collectors.azure.workspaces import API, Links
from diagnose.model import Missing, Subject, Why

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json


@dataclass(frozen=True, slots=True)
class EndpointGraph:
    """What an endpoint leads to."""

    endpoint_id: str
    """Its ARM id: metrics are asked for by it."""
    kind: str
    """``managed`` or ``kubernetes``."""
    compute: str = ""
    """ARM id of the compute it runs on; empty for a managed one."""
    deployments: tuple[OnlineDeployment, ...] = ()
    environments: tuple[str, ...] = ()
    """ARM ids of the deployments' environments, each once."""
    identity: Json = field(default_factory=dict, repr=False)
    """The object ``identity`` of its answer: type, principal, user-assigned ones."""


def endpoint_of(body: Json, deployments: Sequence[Json] | None) -> Endpoint:
    """The endpoint as an item. ``deployments``: its own, or None when they could not be listed."""
    properties = part(body, "properties")
    traffic = {name: whole(share) or 0 for name, share in part(properties, "traffic").items()}
    existing = None if deployments is None else {text(one.get("name")).lower() for one in deployments}
    return Endpoint(
        source=f"az ml online-endpoint show -n {text(body.get('name'))} {options_of(body)}",
        subject=Subject("endpoint"),
        name=text(body.get("name")),
        kind=kind_of(body),
        provisioning_state=text(properties.get("provisioningState")),
        compute=name_of(properties.get("compute")),
        traffic=tuple(f"{name}={share}" for name, share in traffic.items()),
        traffic_percent=sum(share for name, share in traffic.items() if existing is None or name.lower() in existing),
        deployments=None if deployments is None else len(deployments),
        auth_mode=text(properties.get("authMode")),
        public_network_access=text(properties.get("publicNetworkAccess")),
        scoring_uri=text(properties.get("scoringUri")),
    )


def list_endpoints(arm: Arm, links: Links) -> list[Json]:
    """All online endpoints of the workspace. Raises AzureError."""
    return arm.pages(f"{links.path}/onlineEndpoints", API)


def read_endpoint(arm: Arm, links: Links, name: str) -> Json | None:
    """The endpoint; None when there is none of that name. Raises AzureError."""
    try:
        return arm.get(f"{links.path}/onlineEndpoints/{name}", API)
    except AzureError as error:
        if error.status == 404:
            return None
        raise


def collect_endpoint(arm: Arm, links: Links, name: str, gathering: Gathering, limits: Limits) -> EndpointGraph | None:
    """The endpoint with its deployments, their logs, and what failed; None when it could not be read."""
    needs = f"Reader on workspace {links.name}"
    what = f"online endpoint {name} of workspace {links.name}"
    read = gathering.attempt(("endpoints",), what, needs, lambda: [read_endpoint(arm, links, name)])
    if not read:
        return None
    (body,) = read
    if body is None:
        needs = f"check the name: `az ml online-endpoint list {links.options}`"
        gap = Missing(stream="endpoints", why=Why.NOT_FOUND, what=what, needs=needs, subject=gathering.subject)
        gathering.miss(gap)
        return None
    path = f"{links.path}/onlineEndpoints/{name}/deployments"
    listed = gathering.attempt(
        ("online_deployments", "logs.container"), f"deployments of {what}", needs, lambda: arm.pages(path, API)
    )
    gathering.add("endpoints", [endpoint_of(body, listed)])
    gathering.add_logs("logs.deployment")
    collect_operation(arm, "endpoint", body, needs, gathering)
    reading = Reading(arm, links, body, gathering, limits)
    return EndpointGraph(
        endpoint_id=text(body.get("id")),
        kind=kind_of(body),
        compute=text(part(body, "properties").get("compute")),
        deployments=() if listed is None else collect_deployments(reading, listed),
        environments=tuple(dict.fromkeys(_environments(listed or ()))),
        identity=dict(part(body, "identity")),
    )


def _environments(deployments: Sequence[Json]) -> Iterator[str]:
    for one in deployments:
        if environment := text(part(one, "properties").get("environmentId")):
            yield environment
