"""A compute of the workspace on which services run: the link to its cluster.

Needs the role Reader on the workspace. Of its answer, connection strings are never kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diagnose.azure_items import Compute
from diagnose.collectors.azure.answers import log_of, name_of, part, parts, text, told_by, within
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import API, Links
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

_SUBJECT = Subject("azure")


@dataclass(frozen=True, slots=True)
class ComputeGraph:
    """What a compute leads to."""

    name: str
    cluster_id: str = ""
    """ARM id of the AKS, or Arc-connected, cluster; empty for what is no cluster."""
    namespace: str = ""
    """In which its services run. Empty for a legacy one, whose services name their own."""
    legacy: bool = False
    """Attached the v1 way: endpoints of v2 can not run there."""


def compute_of(body: Json) -> Compute:
    """The compute as an item."""
    properties = part(body, "properties")
    inner, arm_id = part(properties, "properties"), body.get("id")
    name = text(body.get("name"))
    options = f"-g {within(arm_id, 'resourceGroups')} -w {within(arm_id, 'workspaces')}"
    return Compute(
        source=f"az ml compute show -n {name} {options}",
        subject=_SUBJECT,
        name=name,
        type=text(properties.get("computeType")),
        provisioning_state=text(properties.get("provisioningState")),
        namespace=text(inner.get("namespace")),
        cluster=name_of(properties.get("resourceId")),
        errors="; ".join(_errors(body)),
        principal=text(part(body, "identity").get("principalId")) or text(inner.get("extensionPrincipalId")),
    )


def _errors(body: Json) -> Iterator[str]:
    """What went wrong when it was attached or made."""
    for one in parts(part(body, "properties").get("provisioningErrors")):
        error = told_by(part(one, "error") or one)
        yield ": ".join(filter(None, (error.code, error.message)))


def graph_of(body: Json) -> ComputeGraph:
    """What the compute leads to, without asking any further."""
    properties = part(body, "properties")
    return ComputeGraph(
        name=text(body.get("name")),
        cluster_id=text(properties.get("resourceId")),
        namespace=text(part(properties, "properties").get("namespace")),
        legacy=text(properties.get("computeType")).upper() == "AKS",
    )


def read_compute(arm: Arm, links: Links, compute: str, gathering: Gathering) -> ComputeGraph | None:
    """The compute, also as an item; None when it could not be read. ``compute``: its ARM id, or its name."""
    path = compute if compute.startswith("/") else f"{links.path}/computes/{compute}"
    needs = f"Reader on workspace {links.name}"
    body = gathering.attempt(("computes",), f"compute {name_of(path)}", needs, lambda: arm.get(path, API))
    if body is None:
        return None
    item = compute_of(body)
    gathering.add("computes", [item])
    if item.errors:
        gathering.add_logs("logs.deployment", [log_of(item.errors, "logs.deployment", item.source, _SUBJECT)])
    return graph_of(body)
