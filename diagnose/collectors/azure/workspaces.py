"""The Azure Machine Learning workspace: what it is made of, and what its own check says of its parts.

Needs the role Reader on the workspace. Its own check starts nothing and changes nothing, but is a POST: Reader does not
always do for it, AzureML Data Scientist does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diagnose.azure_items import Workspace, WorkspaceProblem
from diagnose.collectors.azure.answers import log_of, name_of, part, parts, text, within
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

API = "2024-04-01"
"""Of Microsoft.MachineLearningServices: the first stable one with all that is read here."""
_SUBJECT = Subject("azure")
_RESULTS = "Results"


@dataclass(frozen=True, slots=True)
class Links:
    """A workspace, and the ids of what it works with."""

    subscription: str
    resource_group: str
    name: str
    vault_id: str = ""
    registry_id: str = ""
    """Empty until the first image is built."""
    storage_id: str = ""
    discovery_url: str = ""
    """Tells the hosts of the region's services, to anybody."""
    location: str = ""
    principals: tuple[str, ...] = ()
    """Object ids of its identities, the one it works with first."""
    body: Json = field(default_factory=dict, repr=False)
    """The whole answer."""

    @property
    def path(self) -> str:
        """Its ARM id."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    @property
    def options(self) -> str:
        """Options of ``az ml`` that name it."""
        return f"-g {self.resource_group} -w {self.name}"


def links_of(body: Json) -> Links:
    """What the answer about a workspace leads to."""
    properties = part(body, "properties")
    return Links(
        subscription=within(body.get("id"), "subscriptions"),
        resource_group=within(body.get("id"), "resourceGroups"),
        name=text(body.get("name")),
        vault_id=text(properties.get("keyVault")),
        registry_id=text(properties.get("containerRegistry")),
        storage_id=text(properties.get("storageAccount")),
        discovery_url=text(properties.get("discoveryUrl")),
        location=text(body.get("location")),
        principals=_principals(body),
        body=body,
    )


def workspace_of(body: Json) -> Workspace:
    """The workspace as an item."""
    links = links_of(body)
    properties = part(body, "properties")
    return Workspace(
        source=f"az ml workspace show -n {links.name} -g {links.resource_group}",
        subject=_SUBJECT,
        name=links.name,
        resource_group=links.resource_group,
        location=links.location,
        provisioning_state=text(properties.get("provisioningState")),
        vault=name_of(links.vault_id),
        storage=name_of(links.storage_id),
        registry=name_of(links.registry_id),
        principal=_principal(body),
        identity_type=text(part(body, "identity").get("type")),
        v1_legacy_mode=properties.get("v1LegacyMode") is True,
        public_network_access=text(properties.get("publicNetworkAccess")),
        image_build_compute=text(properties.get("imageBuildCompute")),
        managed_network=text(part(properties, "managedNetwork").get("isolationMode")),
    )


def _principals(body: Json) -> tuple[str, ...]:
    """Each once, the one it works with first."""
    identity = part(body, "identity")
    assigned = [text(one.get("principalId")) for one in _user_assigned(body).values()]
    found = (_principal(body), text(identity.get("principalId")), *assigned)
    return tuple(dict.fromkeys(principal for principal in found if principal))


def _principal(body: Json) -> str:
    """The one it works with: the primary user-assigned one where one is named, else its own. Of several user-assigned
    ones without a primary nobody can tell."""
    primary = text(part(body, "properties").get("primaryUserAssignedIdentity")).lower()
    assigned = _user_assigned(body)
    if primary in assigned:
        return text(assigned[primary].get("principalId"))
    own = text(part(body, "identity").get("principalId"))
    if own or len(assigned) != 1:
        return own
    return text(next(iter(assigned.values())).get("principalId"))


def _user_assigned(body: Json) -> dict[str, Mapping[str, object]]:
    """By ARM id in small letters: Azure spells the same id in several ways."""
    identities = part(body, "identity", "userAssignedIdentities")
    return {arm_id.lower(): part(identities, arm_id) for arm_id in identities}


def problems_of(body: Json, links: Links) -> tuple[WorkspaceProblem, ...]:
    """What the workspace's own check found; nothing when all is well."""
    return tuple(
        WorkspaceProblem(
            source=_check_of(links),
            subject=_SUBJECT,
            area=area.removesuffix(_RESULTS),
            code=text(problem.get("code")),
            level=text(problem.get("level")),
            message=text(problem.get("message")),
        )
        for area, found in part(body, "value").items()
        for problem in parts(found)
    )


def _check_of(links: Links) -> str:
    return f"az ml workspace diagnose -n {links.name} -g {links.resource_group}"


def read_workspace(arm: Arm, resource_group: str, name: str, gathering: Gathering) -> Links | None:
    """The workspace, also as an item; None when it could not be read, which the gathering then says."""
    try:
        body = arm.get(Links(arm.subscription, resource_group, name).path, API)
    except AzureError as error:
        needs = "check --workspace and --resource-group" if error.status == 404 else f"Reader on workspace {name}"
        gathering.refused(("workspaces",), f"workspace {name}", needs, error)
        return None
    gathering.add("workspaces", [workspace_of(body)])
    return links_of(body)


def list_workspaces(arm: Arm, resource_group: str | None) -> list[Json]:
    """The workspaces of a group, or of the whole subscription. Raises AzureError."""
    group = f"/resourceGroups/{resource_group}" if resource_group else ""
    scope = f"/subscriptions/{arm.subscription}{group}"
    return arm.pages(f"{scope}/providers/Microsoft.MachineLearningServices/workspaces", API)


def collect_problems(arm: Arm, links: Links, gathering: Gathering) -> None:
    """What the workspace's own check says, as items and as error texts. It takes about 30 s: no longer than allowed."""
    needs = f"AzureML Data Scientist on workspace {links.name}, and about 30 s: allow more with --timeout"
    what = f"the check of workspace {links.name} by itself"
    body = gathering.attempt(
        ("workspace_problems",), what, needs, lambda: arm.post(f"{links.path}/diagnose", API, {"value": {}})
    )
    if body is None:
        return
    problems = problems_of(body, links)
    gathering.add("workspace_problems", problems)
    lines = [f"{one.area}: {one.level}: {one.code}: {one.message}" for one in problems if one.level != "Information"]
    if lines:
        gathering.add_logs("logs.deployment", [log_of("\n".join(lines), "logs.deployment", _check_of(links), _SUBJECT)])
