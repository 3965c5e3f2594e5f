"""Reads a vault with what tells whose its policies are and who changed it."""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from diagnose.azure_items import RoleAssignment, VaultWrite
from diagnose.collectors import Limits
from diagnose.collectors.azure import cloud
from diagnose.collectors.azure.answers import name_of, part, text, within
from diagnose.collectors.azure.arm import Arm, Json
from diagnose.collectors.azure.comparison import State
from diagnose.collectors.azure.crew import together
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.identities import collect_roles, identities_of, names_of
from diagnose.collectors.azure.saved_vault import state_of
from diagnose.collectors.azure.templates import collect_history
from diagnose.collectors.azure.vault import API_VERSION, deleted_vault_of, read_deleted_vault, read_vault
from diagnose.collectors.azure.workspaces import API, Links, links_of, list_workspaces
from diagnose.errors import DiagnoseError
from diagnose.model import Subject

_IDENTITIES_API = "2023-01-31"
_NEAR = 3


class NoVaultError(DiagnoseError):
    """No vault of that name could be seen; the text says what is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read of a vault."""

    body: Json
    state: State
    names: Mapping[str, str] = field(default_factory=dict)
    """Who a principal is, by object id in small letters."""
    workspaces: Mapping[str, str] = field(default_factory=dict)
    """Names of the workspaces that use it, by the object id of their identity."""
    writes: Sequence[VaultWrite] = ()
    roles: Sequence[RoleAssignment] = ()
    gaps: Sequence[str] = ()
    now: datetime


def read(arm: Arm, name: str, resource_group: str, workspace: str, limits: Limits, now: datetime) -> Seen:
    """The vault; without a resource group it is looked for in the subscription. ``workspace``: the only one to ask.

    Raises AzureError when the vault itself cannot be read, NoVaultError when there is none. All else that cannot be
    read is among ``gaps``.
    """
    scope = f"/subscriptions/{arm.subscription}"
    if resource_group:
        vault_id = f"{scope}/resourceGroups/{resource_group}/providers/Microsoft.KeyVault/vaults/{name}"
        near: list[str] = []
    else:
        vault_id, near = _found(arm, name)
    body = read_vault(arm, vault_id) if vault_id else {}
    if body:
        return _with_surroundings(arm, vault_id, body, workspace, limits, now)
    where = f"resource group {resource_group}" if resource_group else f"subscription {arm.subscription}"
    return _not_there(arm, name, where, near, now)


def _found(arm: Arm, name: str) -> tuple[str, list[str]]:
    """ARM id of the vault, and names like it; no id where it is not among those that can be seen."""
    listed = arm.pages(f"/subscriptions/{arm.subscription}/providers/Microsoft.KeyVault/vaults", API_VERSION)
    known = {text(one.get("name")).casefold(): text(one.get("id")) for one in listed}
    near = difflib.get_close_matches(name.casefold(), list(known), n=_NEAR, cutoff=0.5)
    return known.get(name.casefold(), ""), near


def _not_there(arm: Arm, name: str, where: str, near: Sequence[str], now: datetime) -> Seen:
    """A vault that is deleted. Raises NoVaultError for one that nobody knows."""
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    unknown = f"no vault {name!r} in {where} that this account, which needs Reader on it, can see{hint}"
    try:
        body = read_deleted_vault(arm, f"/subscriptions/{arm.subscription}/providers/Microsoft.KeyVault/vaults/{name}")
    except AzureError as error:
        raise NoVaultError(f"{unknown}\namong deleted vaults it could not be looked for: {error}") from error
    if not body:
        raise NoVaultError(unknown)
    return Seen(body={}, state=State(deleted_vault_of(body, now)), now=now)


def _with_surroundings(arm: Arm, vault_id: str, body: Json, workspace: str, limits: Limits, now: datetime) -> Seen:
    """With changes, roles, and the identities that principals may be."""
    gathering = Gathering(Subject("azure"), now=now)
    vault = state_of(body, {}, {}, now).vault
    spaces: list[Json] = []
    given: list[Json] = []
    roles: list[RoleAssignment] = []
    works: tuple[Callable[[], object], ...] = (
        lambda: spaces.extend(_workspaces(arm, workspace, within(vault_id, "resourceGroups"), gathering)),
        lambda: given.extend(_user_assigned(arm, gathering)),
        lambda: roles.extend(collect_roles(arm, vault_id, f"vault {vault.name}", gathering) or ()),
        partial(collect_history, arm, vault_id, vault, gathering),
    )
    done = together(limits, works)
    owners = [identity for space in spaces for identity in identities_of(space, "workspace")]
    names = {**_names_of_given(given), **_signed_in_as(arm), **names_of(owners)}
    users = _users(vault.name, spaces)
    collection = gathering.collection(0)
    gaps = [f"{gap.what}; needs {gap.needs}" for gap in collection.missing]
    gaps += [_LATE for one in done if isinstance(one, Exception)]
    return Seen(
        body=body,
        state=state_of(body, names, users, now),
        names=names,
        workspaces=users,
        writes=[one for one in collection.items.get("vault_writes", ()) if isinstance(one, VaultWrite)],
        roles=roles,
        gaps=tuple(dict.fromkeys(gaps)),
        now=now,
    )


_LATE = "something was not read in time; allow more with --timeout"


def _workspaces(arm: Arm, workspace: str, group: str, gathering: Gathering) -> list[Json]:
    """Workspaces of the subscription, whose identities are among the principals; the one named, if one is.

    That one mostly lies in the group of its vault, and who may read it may not always list all.
    """
    if workspace:
        near = Links(arm.subscription, group, workspace)
        try:
            return [arm.get(near.path, API)]
        except AzureError:
            pass  # not there, or not readable: the list tells
    listed = gathering.attempt(
        ("workspaces",),
        "workspaces of the subscription, to tell whose identities the policies name",
        "Reader on the subscription",
        lambda: list_workspaces(arm, None),
    )
    return [one for one in listed or () if workspace.casefold() in ("", text(one.get("name")).casefold())]


def _users(vault: str, spaces: Sequence[Json]) -> dict[str, str]:
    """Workspaces that use this vault, by the identity they work with."""
    links = [links_of(space) for space in spaces]
    using = [one for one in links if name_of(one.vault_id).casefold() == vault.casefold() and one.principals]
    return {one.principals[0].casefold(): one.name for one in using}


def _user_assigned(arm: Arm, gathering: Gathering) -> list[Json]:
    path = f"/subscriptions/{arm.subscription}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    listed = gathering.attempt(
        ("identities",),
        "user-assigned identities of the subscription, to tell whom the policies name",
        "Reader on the subscription",
        lambda: arm.pages(path, _IDENTITIES_API),
    )
    return listed or []


def _names_of_given(bodies: Sequence[Json]) -> dict[str, str]:
    principals = {text(part(one, "properties").get("principalId")).casefold(): text(one.get("name")) for one in bodies}
    return {principal: f"managed identity {name}" for principal, name in principals.items() if principal}


def _signed_in_as(arm: Arm) -> dict[str, str]:
    """The account that asks, as its token calls itself."""
    token = arm.ask(lambda: arm.credential.get_token(cloud.current().scope)).token
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    principal = text(part(claims).get("oid"))
    who = next((name for key in ("upn", "unique_name", "appid") if (name := text(part(claims).get(key)))), "")
    return {principal.casefold(): f"signed in here{f' as {who}' if who else ''}"} if principal else {}
