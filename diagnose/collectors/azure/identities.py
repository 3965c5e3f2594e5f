"""The identities a service works with, and the roles they have.

Needs the role Reader on each resource whose role assignments are listed
(``Microsoft.Authorization/roleAssignments/read``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from diagnose.azure_items import Identity, RoleAssignment
from diagnose.collectors.azure.answers import name_of, part, parts, text, within
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.roles import WELL_KNOWN, KnownRole, role_of
from diagnose.collectors.files.times import moment
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm

SUBJECT = Subject("azure")
API_VERSION = "2022-04-01"
_LOOKUPS = 20
"""Definitions of unknown roles that are asked for."""
_NO_PRINCIPAL = ("", "msi")
"""What a cluster with a managed identity says in place of a service principal."""


# --- identities ---


def identities_of(body: Mapping[str, object], owner_kind: str, source: str = "") -> tuple[Identity, ...]:
    """What ``identity`` of a workspace, an endpoint, a cluster or a compute says, the one it works with first.

    ``owner_kind`` as in ``Identity.owner_kind``; ``source``: the command that shows the owner.
    """
    told = part(body, "identity")
    make = partial(Identity, source=source or _source(body), subject=SUBJECT, owner_kind=owner_kind)
    make = partial(make, owner=text(body.get("name")))
    own = text(told.get("principalId"))
    found = [make(type="SystemAssigned", principal=own)] if own else []
    primary = text(part(body, "properties").get("primaryUserAssignedIdentity")).lower()
    for arm_id, one in part(told, "userAssignedIdentities").items():
        principal, client = text(part(one).get("principalId")), text(part(one).get("clientId"))
        assigned = make(type="UserAssigned", principal=principal, client=client, resource=name_of(arm_id))
        found.insert(0 if arm_id.lower() == primary else len(found), assigned)
    return tuple(found)


def identities_of_cluster(body: Mapping[str, object]) -> tuple[Identity, ...]:
    """Of an AKS cluster: its own identity, and the kubelet's, which pulls the images."""
    told, owner = part(body, "properties"), text(body.get("name"))
    make = partial(Identity, source=_source(body), subject=SUBJECT, owner=owner)
    found = [*identities_of(body, "cluster")]
    client = text(part(told, "servicePrincipalProfile").get("clientId"))
    if client not in _NO_PRINCIPAL:
        found.append(make(owner_kind="cluster", type="ServicePrincipal", client=client))
    if kubelet := part(told, "identityProfile", "kubeletidentity"):
        principal, used = text(kubelet.get("objectId")), text(kubelet.get("clientId"))
        resource = name_of(kubelet.get("resourceId"))
        found.append(
            make(owner_kind="kubelet", type="UserAssigned", principal=principal, client=used, resource=resource)
        )
    return tuple(found)


def _source(body: Mapping[str, object]) -> str:
    return f"az resource show --ids {text(body.get('id'))}"


def names_of(identities: Iterable[Identity]) -> dict[str, str]:
    """Who a principal is, in words, by object id in small letters."""
    return {one.principal.casefold(): _words(one) for one in reversed(list(identities)) if one.principal}


def _words(identity: Identity) -> str:
    return " ".join(filter(None, ("identity", identity.resource, "of", identity.owner_kind, identity.owner)))


# --- roles ---


def roles_of(
    body: Mapping[str, object],
    on: str,
    now: datetime,
    learnt: Mapping[str, KnownRole] | None = None,
) -> tuple[RoleAssignment, ...]:
    """Role assignments as ARM lists them. ``on``: the resource for which, in words; ``learnt``: further roles by id."""
    known = {**WELL_KNOWN, **(learnt or {})}
    return tuple(_assignment(one, on, now, known) for one in parts(body.get("value")))


def _assignment(body: Mapping[str, object], on: str, now: datetime, known: Mapping[str, KnownRole]) -> RoleAssignment:
    told = part(body, "properties")
    role_id = name_of(told.get("roleDefinitionId")).lower()
    role = known.get(role_id) or KnownRole(role_id)
    created = moment(text(told.get("createdOn")))
    principal, scope = text(told.get("principalId")), text(told.get("scope"))
    return RoleAssignment(
        source=f"az role assignment list --assignee {principal} --scope {scope}",
        subject=SUBJECT,
        time=created,
        principal=principal,
        principal_type=text(told.get("principalType")),
        role=role.name,
        scope=scope,
        on=on,
        age_s=max(0.0, (now - created).total_seconds()) if created else None,
        allows=role.allows,
    )


def collect_roles(arm: Arm, scope_id: str, on: str, gathering: Gathering) -> list[RoleAssignment] | None:
    """Role assignments that cover the resource ``scope_id``, also put into ``gathering``; None when they are unknown.

    ``on``: the resource in words, ``vault kv-mlops``. What an unknown role allows is read from its definition; a role
    whose definition cannot be read keeps its id for a name.
    """
    path = f"{scope_id}/providers/Microsoft.Authorization/roleAssignments"
    listed = gathering.attempt(
        ("role_assignments", "access"),
        f"role assignments on {on}",
        f"Reader on {on}",
        lambda: arm.pages(path, API_VERSION, **{"$filter": "atScope()"}),
    )
    if listed is None:
        return None
    subscription = within(scope_id, "subscriptions")
    learnt = _learnt(arm, subscription, listed, gathering)
    roles = list(roles_of({"value": listed}, on, gathering.now, learnt))
    gathering.add("role_assignments", roles)
    return roles


def _learnt(
    arm: Arm, subscription: str, listed: Sequence[Mapping[str, object]], gathering: Gathering
) -> dict[str, KnownRole]:
    """Roles that are not well known, by id. A definition that cannot be read costs its own answer."""
    used = (name_of(part(one, "properties").get("roleDefinitionId")).lower() for one in listed)
    unknown = [role for role in dict.fromkeys(used) if role and role not in WELL_KNOWN]
    learnt = {}
    for role in unknown[:_LOOKUPS]:
        path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        definition = gathering.attempt(
            (), f"role definition {role}", "Reader on the subscription", partial(arm.get, path, API_VERSION)
        )
        if definition is not None:
            learnt[role] = role_of(definition)
    return learnt
