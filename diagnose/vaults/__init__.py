"""``diagnose vault``: a vault with its access policies, and what a template or the past makes of them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from diagnose.azure_items import Vault
from diagnose.collectors import Limits
from diagnose.collectors.azure.comparison import Comparison, State, lost_between, lost_to
from diagnose.collectors.azure.declared import declared_in
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.place import place_of
from diagnose.collectors.azure.saved_vault import saved, write_private
from diagnose.collectors.azure.session import signed_in
from diagnose.errors import CollectorError
from diagnose.render.vault import render
from diagnose.vaults.files import Files, files_of
from diagnose.vaults.page import view_of
from diagnose.vaults.reading import NoVaultError, read

__all__ = ["Answer", "Asked", "NoVaultError", "inspect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user asked for."""

    name: str
    subscription: str | None = None
    resource_group: str | None = None
    workspace: str | None = None
    save: Path | None = None
    against: tuple[Path, ...] = ()
    """A saved state, a template, or one of each."""
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What to print, and how to end: 1 when something is lost, 3 when that cannot be told, else 0."""

    text: str
    exit_code: int


def inspect(asked: Asked, width: int = 100) -> Answer:
    """Read the vault, save it, compare it. Nothing is written to Azure.

    Raises InputError for files that cannot be used, CollectorError when the vault could not be read, NoVaultError.
    """
    now = datetime.now(UTC)
    files = files_of(asked.against, now)
    place = place_of(asked.subscription, asked.resource_group, asked.workspace)
    if not place.subscription:
        raise CollectorError(f"no subscription is named: {place.how_to_give(['subscription'])}")
    limits = Limits(deadline=time.monotonic() + asked.timeout_s)
    try:
        with closing(signed_in(place.subscription, limits, tenant=place.tenant)) as arm:
            group = place.resource_group if asked.resource_group else ""
            seen = read(arm, asked.name, group, asked.workspace or "", limits, now)
    except AzureError as error:
        needs = f"Reader on vault {asked.name}" if error.status == 403 else error.needs
        raise CollectorError(f"vault {asked.name}: {error}; needs {needs or 'another try'}", needs=needs) from error
    if asked.save and seen.body:
        write_private(asked.save, saved(seen.body, seen.names, seen.workspaces, now))
    elif asked.save:
        raise NoVaultError(f"{seen.state.vault.text()}; there is nothing to save, {asked.save} is left as it is")
    comparison, title = _compared(seen.state, files)
    view = view_of(seen, comparison, title, files)
    return Answer(render(view, width), comparison.exit_code if comparison else int(seen.state.vault.deleted))


def _compared(state: State, files: Files) -> tuple[Comparison | None, str]:
    """A template takes from the saved state where one is given, else from the present one."""
    if files.template is not None:
        before = files.saved.state if files.saved else state
        of = f"the state saved in {files.saved_name}" if files.saved else "the vault"
        told = lost_to(before, declared_in(files.template, _place_of(before.vault, state.vault)))
        return told, f"deploying {files.template_name} would take from {of}"
    if files.saved:
        when = f" on {files.saved.saved}" if files.saved.saved else ""
        return lost_between(files.saved.state, state), f"lost since the state of {files.saved_name} was saved{when}"
    return None, ""


def _place_of(before: Vault, now: Vault) -> dict[str, object]:
    """What a template's ``subscription()`` and the like stand for."""
    tenant = before.tenant or now.tenant
    group = before.resource_group or now.resource_group
    place: dict[str, object] = {"resourcegroup": {"name": group, "location": before.location}} if group else {}
    return place | ({"tenant": {"tenantId": tenant}, "subscription": {"tenantId": tenant}} if tenant else {})
