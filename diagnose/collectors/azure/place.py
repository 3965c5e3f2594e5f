"""Where in Azure to look: subscription, resource group and workspace, from options down to the Azure CLI's settings."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from diagnose.collectors.azure.cloud import cli_folder, settings

Strength = Literal["named", "signed in", "none"]

_CONFIGS = ("config.json", ".azureml/config.json", "aml_config/config.json")
_KEYS = ("subscription_id", "resource_group", "workspace_name")
_LARGEST_CONFIG = 1024 * 1024
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IDENTITIES = (
    ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
    ("AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"),
    ("AZURE_FEDERATED_TOKEN_FILE",),
    ("IDENTITY_ENDPOINT",),
    ("MSI_ENDPOINT",),
)
"""Variables that, where all of a line are set, sign somebody in."""
_WAYS = {
    "subscription": "the subscription with --subscription ID or `az account set --subscription ID`",
    "resource group": "the resource group with --resource-group NAME or `az config set defaults.group=NAME`",
    "workspace": "the workspace with --workspace NAME or `az config set defaults.workspace=NAME`",
}
_ALL_AT_ONCE = "all three with the config.json that the studio offers for download"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to look. What is empty was found nowhere."""

    subscription: str = ""
    """Id; a name where the Azure CLI does not know one of that name."""
    resource_group: str = ""
    workspace: str = ""
    tenant: str = ""
    """Of the subscription, where the Azure CLI knows it."""
    found_in: tuple[str, ...] = ()
    """What it was taken from, in words."""
    strength: Strength = "none"
    """``named``: somebody wrote down one of the three. ``signed in``: there is only a login on this machine. ``none``:
    nothing here has to do with Azure, and no call to it may be made."""
    notes: tuple[str, ...] = ()
    """Files that could not be used, and why."""

    def how_to_give(self, missing: Sequence[str] = ()) -> str:
        """How to say what is missing, in one line. ``missing``: of ``subscription``, ``resource group``, ``workspace``;
        by default what is empty."""
        have = {"subscription": self.subscription, "resource group": self.resource_group, "workspace": self.workspace}
        ways = [_WAYS[part] for part in missing or [part for part, value in have.items() if not value]]
        return f"name {'; '.join(ways)}; or {_ALL_AT_ONCE}" if ways else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What one place says."""

    where: str
    subscription: str = ""
    resource_group: str = ""
    workspace: str = ""
    tenant: str = ""
    names: bool = True
    """Somebody wrote it down, for this or another Azure tool."""

    def __bool__(self) -> bool:
        return bool(self.subscription or self.resource_group or self.workspace)


def place_of(
    subscription: str | None = None,
    resource_group: str | None = None,
    workspace: str | None = None,
    folder: Path | None = None,
) -> Place:
    """From options, then the environment, config.json in ``folder`` (the current one) or above, then the Azure CLI.

    Reads files and variables only: neither ``az`` nor Azure is asked. What contradicts a stronger source adds nothing:
    a config.json of another subscription does not give its resource group.
    """
    notes: list[str] = []
    logins = _logins(notes)
    options = _Source(
        where="options",
        subscription=subscription or "",
        resource_group=resource_group or "",
        workspace=workspace or "",
    )
    place = Place(strength="signed in" if logins or _has_identity() else "none")
    for source in (
        options,
        *_environment(),
        *_config(folder or Path.cwd(), notes),
        *_defaults(notes),
        *_active(logins),
    ):
        place = _with(place, source, logins)
    return replace(place, notes=tuple(notes))


def _with(place: Place, source: _Source, logins: Sequence[_Login]) -> Place:
    """``place`` and what ``source`` adds to it."""
    login = _login_of(source.subscription, logins)
    subscription = login.id if login else source.subscription
    if not source or _differ(place.subscription, subscription):
        return place
    same_group = not _differ(place.resource_group, source.resource_group)
    same_workspace = not _differ(place.workspace, source.workspace)
    added = replace(
        place,
        subscription=place.subscription or subscription,
        resource_group=place.resource_group or (source.resource_group if same_workspace else ""),
        workspace=place.workspace or (source.workspace if same_group else ""),
        tenant=place.tenant or (login.tenant if login else ""),
    )
    if added == place:
        return place
    strength: Strength = "named" if source.names else place.strength
    return replace(added, strength=strength, found_in=(*place.found_in, source.where))


def _differ(known: str, other: str) -> bool:
    return bool(known and other) and known.casefold() != other.casefold()


# --- the environment ---


def _environment() -> Iterator[_Source]:
    """Sources of their own, because each is set by somebody else."""
    given = os.environ.get
    yield _Source(where="AZURE_SUBSCRIPTION_ID", subscription=given("AZURE_SUBSCRIPTION_ID", ""))
    yield _Source(
        where="AZUREML_ARM_*",
        subscription=given("AZUREML_ARM_SUBSCRIPTION", ""),
        resource_group=given("AZUREML_ARM_RESOURCEGROUP", ""),
        workspace=given("AZUREML_ARM_WORKSPACE_NAME", ""),
    )
    yield _Source(
        where="AZURE_DEFAULTS_*",
        resource_group=given("AZURE_DEFAULTS_GROUP", ""),
        workspace=given("AZURE_DEFAULTS_WORKSPACE", ""),
    )


def _has_identity() -> bool:
    return any(all(os.environ.get(name) for name in names) for names in _IDENTITIES)


# --- config.json ---


def _config(folder: Path, notes: list[str]) -> Iterator[_Source]:
    """The nearest file that tells of a workspace; other programs have a config.json, too."""
    for parent in (folder, *folder.parents):
        for name in _CONFIGS:
            source = _of_config(parent / name, notes)
            if source:
                yield source
                return


def _of_config(file: Path, notes: list[str]) -> _Source | None:
    content = _json(file, notes, _LARGEST_CONFIG)
    if not isinstance(content, dict):
        return None
    subscription, group, workspace = (_filled_in(content.get(key)) for key in _KEYS)
    if not subscription and not workspace:
        return None
    return _Source(where=str(file), subscription=subscription, resource_group=group, workspace=workspace)


def _filled_in(value: object) -> str:
    """``value``; empty for the ``<your-workspace>`` of a template."""
    return value if isinstance(value, str) and not value.startswith(("<", "{", "$")) else ""


def _json(file: Path, notes: list[str], largest: int) -> object:
    """What ``file`` holds; None where there is no such file, or no JSON in it: then a note says so."""
    try:
        if not file.is_file() or file.stat().st_size > largest:
            return None
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        notes.append(f"{file}:{error.lineno}: not JSON ({error.msg}); it is passed over")
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        notes.append(f"{file} can not be read ({type(error).__name__}); it is passed over")
    return None


# --- the Azure CLI ---


@dataclass(frozen=True, slots=True)
class _Login:
    """A subscription that the Azure CLI is signed in to."""

    id: str
    name: str
    tenant: str
    is_default: bool


def _logins(notes: list[str]) -> list[_Login]:
    """Of ``azureProfile.json``, which begins with a byte order mark."""
    profile = _json(cli_folder() / "azureProfile.json", notes, 64 * _LARGEST_CONFIG)
    found = profile.get("subscriptions") if isinstance(profile, dict) else None
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return [
        _Login(
            id=str(entry["id"]),
            name=str(entry.get("name") or ""),
            tenant=str(entry.get("tenantId") or ""),
            is_default=entry.get("isDefault") is True,
        )
        for entry in entries
        if entry.get("id")
    ]


def _login_of(subscription: str, logins: Sequence[_Login]) -> _Login | None:
    """The one with this id, or name, as ``az`` itself takes both."""
    wanted = subscription.casefold()
    return next((login for login in logins if wanted and wanted in (login.id.casefold(), login.name.casefold())), None)


def _defaults(notes: list[str]) -> Iterator[_Source]:
    """What ``az config set defaults.group=...`` wrote."""
    try:
        parser = settings("config")
    except ValueError as error:
        notes.append(f"{error}; it is passed over")
        return
    yield _Source(
        where="the Azure CLI's defaults",
        resource_group=parser.get("defaults", "group", fallback=""),
        workspace=parser.get("defaults", "workspace", fallback=""),
    )


def _active(logins: Sequence[_Login]) -> Iterator[_Source]:
    """The subscription that ``az account show`` prints."""
    for login in logins:
        if login.is_default and _GUID.fullmatch(login.id):
            yield _Source(where="the Azure CLI's subscription", subscription=login.id, names=False)
