"""Who changed a vault, and when: the activity log.

Needs the role Reader or Monitoring Reader on the vault or above (``Microsoft.Insights/eventtypes/values/read``). The
log keeps 90 days, and never says which policies a change removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from diagnose.azure_items import VaultWrite
from diagnose.collectors.azure.answers import name_of, part, parts, text, within
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.files.times import moment
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm

API_VERSION = "2015-04-01"
_REACH = timedelta(days=90) - timedelta(hours=1)
"""What is asked for: a beginning further back than 90 days is refused, and the service's clock decides."""
_FIELDS = "caller,correlationId,eventName,eventTimestamp,operationName,resourceId,status"
"""Not the claims: they name people, and nobody needs them."""
_PROVIDER = "microsoft.keyvault/"
_CHANGES = ("vaults/write", "vaults/accesspolicies/write", "vaults/delete")
_ENDED = ("succeeded", "failed")


def writes_of(body: Mapping[str, object], now: datetime) -> tuple[VaultWrite, ...]:
    """Changes of vaults among the events of the activity log, each once, the newest first."""
    writes = [_write(event, now) for event in parts(body.get("value")) if _is_change(event)]
    return tuple(sorted(writes, key=lambda write: -(write.time.timestamp() if write.time else 0)))


def _is_change(event: Mapping[str, object]) -> bool:
    """The end of a change: its beginning, with status Started or Accepted, is told besides."""
    operation = text(part(event, "operationName").get("value")).lower()
    ended = text(part(event, "status").get("value")).lower() in _ENDED
    return ended and operation.startswith(_PROVIDER) and operation.removeprefix(_PROVIDER) in _CHANGES


def _write(event: Mapping[str, object], now: datetime) -> VaultWrite:
    time = moment(text(event.get("eventTimestamp")))
    resource = text(event.get("resourceId"))
    caller = text(event.get("caller"))
    return VaultWrite(
        source=f"az monitor activity-log list --resource-id {resource} --offset 90d",
        subject=Subject("azure"),
        time=time,
        vault=within(resource, "vaults") or name_of(resource),
        operation=text(part(event, "operationName").get("value")).partition("/")[2],
        caller=caller,
        caller_type=_caller_type(event, caller),
        status=text(part(event, "status").get("value")),
        age_s=max(0.0, (now - time).total_seconds()) if time else None,
        correlation=text(event.get("correlationId")),
    )


def _caller_type(event: Mapping[str, object], caller: str) -> str:
    """``user`` or ``app``, as the token said; people are named by their address, applications by their id."""
    return text(part(event, "claims").get("idtyp")) or ("user" if "@" in caller else "app" if caller else "")


def collect_writes(arm: Arm, vault_id: str, gathering: Gathering) -> tuple[VaultWrite, ...] | None:
    """Changes of the vault in the last 90 days; None when the log could not be read, which ``gathering`` then says.

    They are not put into ``gathering`` yet: which deployments made them is told by ``templates.attributed``.
    """
    name, subscription = within(vault_id, "vaults"), within(vault_id, "subscriptions")
    span = f"eventTimestamp ge '{_instant(gathering.now - _REACH)}' and eventTimestamp le '{_instant(gathering.now)}'"
    wanted = {"$filter": f"{span} and resourceUri eq '{vault_id}'", "$select": _FIELDS}
    path = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    events = gathering.attempt(
        ("vault_writes",),
        f"the activity log of vault {name}",
        f"Monitoring Reader, or Reader, on vault {name}",
        lambda: arm.pages(path, API_VERSION, **wanted),
    )
    return None if events is None else writes_of({"value": events}, gathering.now)


def latest(writes: Sequence[VaultWrite]) -> VaultWrite | None:
    """The newest change that succeeded."""
    return next((write for write in writes if write.status.lower() == "succeeded"), None)


def _instant(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
