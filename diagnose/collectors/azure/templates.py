"""Deployments of templates to a resource group: those that failed, and the one that wrote the vault.

Needs the role Reader on the resource group (``Microsoft.Resources/deployments/read`` and
``Microsoft.Resources/deployments/operations/read``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from diagnose.azure_items import Operation, Vault, VaultWrite
from diagnose.collectors.azure.activity import collect_writes, latest
from diagnose.collectors.azure.answers import log_of, part, parts, seconds, text, within
from diagnose.collectors.azure.errors import refusal
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.files.errors import pretty, unescape
from diagnose.collectors.files.times import moment
from diagnose.model import Log, Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm

SUBJECT = Subject("azure")
API_VERSION = "2021-04-01"
_RECENT = timedelta(days=7)
"""How old a failed deployment may be to be read."""
_AROUND = timedelta(minutes=10)
"""How close to a deployment a change may be to be taken for its doing."""
_MOST = 10
"""Deployments whose operations are read, the newest."""
_FAILED = "failed"
_VAULTS = "microsoft.keyvault/vaults"
_LOGS = "logs.deployment"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment of a template to a resource group."""

    name: str
    resource_group: str
    state: str
    """``Succeeded``, ``Failed``, ``Running`` ..."""
    began: datetime | None
    ended: datetime | None
    """When its state changed last."""
    correlation: str
    error: Mapping[str, object]
    vaults: tuple[str, ...] | None = None
    """Vaults it wrote, or tried to; None where its steps are not known."""

    @property
    def failed(self) -> bool:
        """It ended, and not well."""
        return self.state.lower() == _FAILED

    def near(self, time: datetime | None) -> bool:
        """It ran at ``time``, or within ten minutes of it."""
        if time is None or self.began is None or self.ended is None:
            return False
        return self.began - _AROUND <= time <= self.ended + _AROUND

    @property
    def source(self) -> str:
        """The command that shows what it did."""
        return f"az deployment operation group list -g {self.resource_group} -n {self.name}"


# --- what the answers say ---


def deployment_of(body: Mapping[str, object]) -> Deployment:
    """A deployment as ARM describes it. Its parameters and outputs are left alone: they may hold secrets."""
    told = part(body, "properties")
    ended, lasted = moment(text(told.get("timestamp"))), seconds(told.get("duration"))
    return Deployment(
        name=text(body.get("name")),
        resource_group=within(body.get("id"), "resourceGroups"),
        state=text(told.get("provisioningState")),
        began=ended - timedelta(seconds=lasted or 0) if ended else None,
        ended=ended,
        correlation=text(told.get("correlationId")),
        error=part(told, "error"),
    )


def operations_of(body: Mapping[str, object], deployment: Deployment) -> tuple[Operation, ...]:
    """The steps of a deployment that failed, or that wrote a vault."""
    told = [part(one, "properties") for one in parts(body.get("value"))]
    return tuple(_operation(one, deployment) for one in told if _is_failed(one) or _wrote_vault(one))


def _operation(told: Mapping[str, object], deployment: Deployment) -> Operation:
    target = part(told, "targetResource")
    code, message = error_of(told.get("statusMessage")) if _is_failed(told) else ("", "")
    return Operation(
        source=deployment.source,
        subject=SUBJECT,
        time=moment(text(told.get("timestamp"))),
        kind="template",
        name=deployment.name,
        step=text(told.get("provisioningOperation")),
        resource=text(target.get("resourceName")),
        resource_type=text(target.get("resourceType")),
        status=text(told.get("provisioningState")),
        code=code or (text(told.get("statusCode")) if _is_failed(told) else ""),
        message=message,
        correlation=deployment.correlation,
    )


def _is_failed(told: Mapping[str, object]) -> bool:
    return text(told.get("provisioningState")).lower() == _FAILED


def _wrote_vault(told: Mapping[str, object]) -> bool:
    return text(part(told, "targetResource").get("resourceType")).lower().startswith(_VAULTS)


def failure_of(deployment: Deployment) -> Operation:
    """The deployment as a whole, which failed."""
    inner = deployment.error.get("details")
    code, message = error_of(inner if parts(inner) else deployment.error)
    return Operation(
        source=_source_of_error(deployment),
        subject=SUBJECT,
        time=deployment.ended,
        kind="template",
        name=deployment.name,
        resource=deployment.name,
        resource_type="Microsoft.Resources/deployments",
        status=deployment.state,
        code=code,
        message=message,
        correlation=deployment.correlation,
    )


def error_of(message: object) -> tuple[str, str]:
    """Code and first line of a status message: an object, a string, JSON in a string, or ``{status, error}``."""
    if not message:
        return "", ""
    told = refusal(0, {"error": message} if isinstance(message, list) else message, {})
    return told.code, told.message.partition("\n")[0]


def error_logs(body: Mapping[str, object], deployment: Deployment) -> list[Log]:
    """The error texts of a deployment and of its steps, as a person reads them."""
    texts = [(_source_of_error(deployment), pretty(deployment.error))] if deployment.error else []
    for one in parts(body.get("value")):
        told = part(one, "properties")
        if _is_failed(told) and told.get("statusMessage"):
            texts.append((deployment.source, _readable(told["statusMessage"])))
    return [log_of(said, _LOGS, source, SUBJECT) for source, said in texts]


def _readable(message: object) -> str:
    return unescape(message) if isinstance(message, str) else pretty(message)


def _source_of_error(deployment: Deployment) -> str:
    return f"az deployment group show -g {deployment.resource_group} -n {deployment.name} --query properties.error"


def attributed(writes: Sequence[VaultWrite], deployments: Sequence[Deployment]) -> tuple[VaultWrite, ...]:
    """``writes`` with the deployments that made them: of the same correlation, else one that ran around that time."""
    return tuple(replace(write, deployment=_name_of_cause(write, deployments)) for write in writes)


def _name_of_cause(write: VaultWrite, deployments: Sequence[Deployment]) -> str:
    same = [one for one in deployments if write.correlation and one.correlation == write.correlation]
    # A person's own change of the access policies is no deployment's, whatever ran besides.
    alone = write.caller_type == "user" and write.operation.lower() != "vaults/write"
    near = [] if alone else [one for one in deployments if one.near(write.time) and _touches(one, write.vault)]
    return next((one.name for one in (*same, *near)), "")


def _touches(deployment: Deployment, vault: str) -> bool:
    return deployment.vaults is None or vault.casefold() in map(str.casefold, deployment.vaults)


# --- asking ---


def collect_templates(
    arm: Arm,
    resource_group: str,
    around: datetime | None,
    gathering: Gathering,
    correlations: Collection[str] = (),
) -> tuple[Deployment, ...]:
    """The deployments worth a look, newest first; their steps and errors are put into ``gathering``.

    These are those that failed lately, those that ran ``around`` the vault's last change, and those that share one of
    ``correlations`` with it.
    """
    path = (
        f"/subscriptions/{arm.subscription}/resourcegroups/{resource_group}/providers/Microsoft.Resources/deployments"
    )
    listed = gathering.attempt(
        ("operations",),
        f"template deployments of resource group {resource_group}",
        f"Reader on resource group {resource_group}",
        lambda: arm.pages(path, API_VERSION),
    )
    if listed is None:
        return ()
    found = [deployment_of(one) for one in listed]
    chosen = [one for one in found if _matters(one, around, correlations, gathering.now)]
    chosen = sorted(chosen, key=lambda one: -(one.ended.timestamp() if one.ended else 0))[:_MOST]
    gathering.add("operations", [failure_of(one) for one in chosen if one.failed])
    gathering.add_logs(_LOGS)
    return tuple(replace(one, vaults=_collect_operations(arm, one, gathering)) for one in chosen)


def _matters(deployment: Deployment, around: datetime | None, correlations: Collection[str], now: datetime) -> bool:
    recent = deployment.ended is not None and now - deployment.ended <= _RECENT
    return (deployment.failed and recent) or deployment.near(around) or deployment.correlation in correlations


def _collect_operations(arm: Arm, deployment: Deployment, gathering: Gathering) -> tuple[str, ...] | None:
    """The steps of a deployment, put into ``gathering``, and the vaults they wrote."""
    group = f"/subscriptions/{arm.subscription}/resourcegroups/{deployment.resource_group}"
    listed = gathering.attempt(
        ("operations",),
        f"operations of template deployment {deployment.name}",
        f"Reader on resource group {deployment.resource_group}",
        lambda: arm.pages(f"{group}/deployments/{deployment.name}/operations", API_VERSION),
    )
    operations = operations_of({"value": listed or []}, deployment)
    gathering.add("operations", operations)
    gathering.add_logs(_LOGS, error_logs({"value": listed or []}, deployment))
    vaults = (one.resource.partition("/")[0] for one in operations if one.resource_type.lower().startswith(_VAULTS))
    return None if listed is None else tuple(dict.fromkeys(vaults))


def collect_history(arm: Arm, vault_id: str, vault: Vault | None, gathering: Gathering) -> tuple[VaultWrite, ...]:
    """What changed the vault, and the deployments of its group behind it, also put into ``gathering``."""
    writes = collect_writes(arm, vault_id, gathering)
    last = latest(writes or ())
    around = last.time if last else vault.time if vault else None
    correlations = {write.correlation for write in writes or () if write.correlation}
    deployments = collect_templates(arm, within(vault_id, "resourceGroups"), around, gathering, correlations)
    if writes is None:
        return ()
    made = attributed(writes, deployments)
    gathering.add("vault_writes", made)
    return made
