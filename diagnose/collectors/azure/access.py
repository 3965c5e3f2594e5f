"""Whether the identities of a service may do what it needs of them: computed from policies and role assignments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diagnose.azure_items import Access, AccessPolicy, Identity, RoleAssignment, Vault
from diagnose.collectors.azure.policies import reads_alone
from diagnose.collectors.azure.roles import PULL_IMAGES, READ_BLOBS, READ_SECRETS
from diagnose.model import Missing, Subject, Why

SUBJECT = Subject("azure")
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
"""What a role is called whose definition could not be read."""


@dataclass(frozen=True, slots=True)
class _Need:
    """What the owner of an identity has to be allowed."""

    resource_kind: str
    right: str
    role: str
    """The least that gives it."""


_NEEDS = {
    "workspace": (_Need("vault", READ_SECRETS, "Key Vault Secrets User"),),
    "kubelet": (_Need("registry", PULL_IMAGES, "AcrPull"),),
    "endpoint": (
        _Need("registry", PULL_IMAGES, "AcrPull"),
        _Need("storage", READ_BLOBS, "Storage Blob Data Reader"),
    ),
}
"""By kind of owner."""
_BY_POLICY = "an access policy with get and list of secrets"


def access_of(
    identities: Sequence[Identity],
    roles: Mapping[str, Sequence[RoleAssignment] | None],
    *,
    vault: Vault | None = None,
    policies: Sequence[AccessPolicy] = (),
    registry: str = "",
    storage: str = "",
) -> tuple[tuple[Access, ...], tuple[Missing, ...]]:
    """Whether each identity may do what its owner needs; and what could not be told, with the reason.

    ``roles``: as ``collect_roles`` gave them, by resource in words (``vault kv-mlops``, ``registry myregistry``,
    ``storage stmlops``). Where they are None or absent nothing is said here: ``collect_roles`` did say why. ``vault``
    and ``policies`` decide together; an empty name of registry or storage leaves that out.
    """
    resources = {"vault": vault.name if vault and not vault.gone and not vault.deleted else ""}
    resources |= {"registry": registry, "storage": storage}
    answers: list[Access | Missing] = []
    for owned in _owned(identities):
        for need in _NEEDS.get(owned[0].owner_kind, ()):
            name = resources[need.resource_kind]
            if name and need.resource_kind == "vault" and vault and not vault.rbac:
                answers += _best([_by_policy(one, vault, policies) for one in owned])
            elif name and (assigned := roles.get(f"{need.resource_kind} {name}")) is not None:
                answers += _best([_by_role(one, need, name, assigned) for one in owned])
    found = tuple(answer for answer in answers if isinstance(answer, Access))
    return found, tuple(answer for answer in answers if isinstance(answer, Missing))


def _best(answers: Sequence[Access | Missing]) -> Sequence[Access | Missing]:
    """Of several identities of one owner it is enough that one may."""
    granted = [answer for answer in answers if isinstance(answer, Access) and answer.granted]
    undecided = [answer for answer in answers if isinstance(answer, Missing)]
    return granted or undecided or answers


def _owned(identities: Sequence[Identity]) -> list[list[Identity]]:
    """By owner. Of those of a workspace the first alone: it is the one it works with."""
    owned: dict[tuple[str, str], list[Identity]] = {}
    for one in identities:
        if one.principal:
            owned.setdefault((one.owner_kind, one.owner), []).append(one)
    return [found[:1] if kind == "workspace" else found for (kind, _), found in owned.items()]


def _by_policy(identity: Identity, vault: Vault, policies: Sequence[AccessPolicy]) -> Access:
    principal = identity.principal.casefold()
    granted = any(
        policy.principal.casefold() == principal and reads_alone(policy)
        for policy in policies
        if policy.vault.casefold() == vault.name.casefold()
    )
    return _access(identity, "vault", vault.name, _BY_POLICY, "access policy" if granted else "", vault.source)


def _by_role(identity: Identity, need: _Need, name: str, roles: Sequence[RoleAssignment]) -> Access | Missing:
    """An answer, or what keeps it from being given."""
    principal = identity.principal.casefold()
    own = [role for role in roles if role.principal.casefold() == principal]
    via = next((role for role in own if need.right in role.allows), None)
    if via:
        return _access(identity, need.resource_kind, name, need.role, via.role, via.source)
    doubt = _doubt(own, roles, need.right)
    if doubt:
        what = (
            f"whether the identity of {identity.owner_kind} {identity.owner} has access to {need.resource_kind} {name}"
        )
        return Missing(
            stream="access", why=Why.NOT_SUPPORTED, what=f"{what}: {doubt[0]}", needs=doubt[1], subject=SUBJECT
        )
    source = f"az role assignment list --assignee {identity.principal} --all"
    return _access(identity, need.resource_kind, name, need.role, "", source)


def _doubt(own: Sequence[RoleAssignment], roles: Sequence[RoleAssignment], right: str) -> tuple[str, str] | None:
    """Why nobody can say no, and what would help."""
    unread = next((role for role in own if _ID.fullmatch(role.role)), None)
    if unread:
        return f"what role {unread.role} allows is not known", "Reader on the subscription, for role definitions"
    group = next((role for role in roles if role.principal_type == "Group" and right in role.allows), None)
    if group:
        return f"group {group.principal} has {group.role}, its members are not read", "compare the members of the group"
    return None


def _access(identity: Identity, kind: str, resource: str, needs: str, via: str, source: str) -> Access:
    return Access(
        source=source,
        subject=SUBJECT,
        owner_kind=identity.owner_kind,
        owner=identity.owner,
        principal=identity.principal,
        resource_kind=kind,
        resource=resource,
        needs=needs,
        granted=bool(via),
        via=via,
    )
