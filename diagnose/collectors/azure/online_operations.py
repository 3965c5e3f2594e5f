"""The last operation on an online endpoint or deployment: it holds the error that the thing itself does not tell.

Needs the role Reader on the workspace. How long Azure keeps an operation readable is documented nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.azure_items import Operation
from diagnose.collectors.azure.answers import log_of, part, text, told_by
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import API
from diagnose.collectors.files.errors import pretty
from diagnose.collectors.files.times import moment
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

_ENDED = ("Succeeded", "Failed", "Canceled", "TimedOut")


def operation_of(body: Json, kind: str, name: str) -> Operation:
    """The last operation on an endpoint or deployment, as ``AzureAsyncOperationUri`` tells of it."""
    error, status = told_by(body.get("error")), text(body.get("status"))
    return Operation(
        source=f"az rest --method get --url '{text(body.get('id'))}?api-version={API}'",
        subject=Subject("endpoint", workload=name if kind == "deployment" else None),
        time=moment(text(body.get("endTime"))) or moment(text(body.get("startTime"))),
        kind=kind,
        name=name,
        status=status if status in _ENDED else "Running",
        code=error.code,
        message=error.message,
    )


def collect_operation(arm: Arm, kind: str, body: Json, needs: str, gathering: Gathering) -> None:
    """The last operation on an endpoint or deployment that is not well, with its error as a text.

    ``kind``: ``endpoint`` or ``deployment``; ``body``: its answer. The address that names the operation is followed on
    Azure's own hosts only.
    """
    properties = part(body, "properties")
    address = text(part(properties, "properties").get("AzureAsyncOperationUri"))
    if properties.get("provisioningState") == "Succeeded" or not address:
        return
    name = text(body.get("name"))
    what = f"the last operation on {kind} {name}"
    answer = gathering.attempt(("operations",), what, needs, lambda: arm.elsewhere(address, signed=True))
    if answer is None:
        return
    item = operation_of(answer, kind, name)
    gathering.add("operations", [item])
    if answer.get("error"):
        log = log_of(pretty(answer["error"]), "logs.deployment", item.source, item.subject)
        gathering.add_logs("logs.deployment", [log])
