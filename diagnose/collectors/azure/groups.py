"""Container groups of Azure Container Instances: states and events of their containers, and their logs.

Needs Reader on the group, which holds ``Microsoft.ContainerInstance/containerGroups/containers/logs/read``, too. Azure
keeps the log of the latest run of a container only: what the run before said is gone once it was started again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from diagnose.azure_items import ContainerGroup
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import TAIL, kept_of, log_of, name_of, part, text, within
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.group_answers import facts_of_group, group_of
from diagnose.collectors.files.names import Origin
from diagnose.model import Item, Log, Missing, Subject, Why
from diagnose.streams import Container, Event

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

API = "2023-05-01"

_ACTION = "Microsoft.ContainerInstance/containerGroups/containers/logs/read"
_NO_LOG = ("ContainerLogNotAvailable", "ContainerGroupTransitioning", "ContainerNotFound")
"""Codes for the log of a container that has not run yet."""


def list_groups(arm: Arm, resource_group: str | None) -> list[Json]:
    """The container groups of a resource group, or of the subscription, without any state. Raises AzureError."""
    within_group = f"/resourceGroups/{resource_group}" if resource_group else ""
    scope = f"/subscriptions/{arm.subscription}{within_group}"
    return arm.pages(f"{scope}/providers/Microsoft.ContainerInstance/containerGroups", API)


def groups_of_service(groups: Iterable[Json], service: str, fqdn: str = "") -> list[Json]:
    """Those of ``groups`` that are ``service``: of its name, of its ``fqdn``, or with a tag that is its name."""
    name, address = service.lower(), fqdn.lower()
    return [
        group
        for group in groups
        if text(group.get("name")).lower() == name
        or (address and text(part(group, "properties", "ipAddress").get("fqdn")).lower() == address)
        or name in (text(value).lower() for value in part(group, "tags").values())
    ]


def facts_of(body: Json, now: datetime | None) -> tuple[ContainerGroup, list[Container], list[Event]]:
    """The group, its containers, and its events, of the answer about one group; ages are counted from ``now``."""
    name, resource_group = text(body.get("name")), within(body.get("id"), "resourceGroups")
    origin = Origin(f"az container show -g {resource_group} -n {name}", Subject("aci"), now=now)
    facts: list[Item] = [replace(fact, line=None) for fact in facts_of_group(body, origin)]
    return (
        group_of(body, origin),
        [fact for fact in facts if isinstance(fact, Container)],
        [fact for fact in facts if isinstance(fact, Event)],
    )


def collect_group(arm: Arm, group_id: str, gathering: Gathering, limits: Limits) -> ContainerGroup | None:
    """The group with this ARM id, in ``groups``, ``containers``, ``events`` and ``logs.container``.

    None when it could not be read, which the gathering then says.
    """
    group_id, name = group_id.rstrip("/"), name_of(group_id)
    streams = ("groups", "containers", "events", "logs.container")
    needs = f"Reader on container group {name}"
    body = gathering.attempt(streams, f"container group {name}", needs, lambda: arm.get(group_id, API))
    if body is None:
        return None
    group, containers, events = facts_of(body, gathering.now)
    gathering.add("groups", [group])
    gathering.add("containers", containers)
    gathering.add("events", events)
    gathering.add_logs("logs.container")
    for container in _started(containers):
        _collect_log(arm, group_id, container, gathering, limits)
    return group


def _started(containers: Sequence[Container]) -> list[Container]:
    """Those that can have a log: one that still waits for its first start has none, as ordinary."""
    return [one for one in containers if one.state != "waiting" or one.exit_code is not None or one.restarts]


def _collect_log(arm: Arm, group_id: str, container: Container, gathering: Gathering, limits: Limits) -> None:
    what = f"log of container {container.name} in container group {name_of(group_id)}"
    path, query = f"{group_id}/containers/{container.name}/logs", {"tail": str(TAIL), "timestamps": "true"}
    try:
        content = text(arm.get(path, API, **query).get("content"))
    except AzureError as error:
        if error.code in _NO_LOG:
            needs = "look again once the container was started"
            missing = Missing(stream="logs.container", why=Why.NOT_FOUND, what=what, needs=needs)
            gathering.miss(replace(missing, subject=container.subject))
        else:
            needs = f"{_ACTION} on container group {name_of(group_id)}, as role Reader has"
            gathering.refused(("logs.container",), what, needs, error)
        return
    gathering.add_logs("logs.container", [_log(content, group_id, container, gathering.now, limits)])


def _log(content: str, group_id: str, container: Container, now: datetime, limits: Limits) -> Log:
    """As much of it as is wanted; one that is empty is a log, too."""
    kept, first_line, cut = kept_of(content, limits, now)
    where = f"-g {within(group_id, 'resourceGroups')} -n {name_of(group_id)} --container-name {container.name}"
    return log_of(
        kept,
        "logs.container",
        f"az container logs {where}",
        container.subject,
        first_line=first_line,
        cut=cut,
    )
