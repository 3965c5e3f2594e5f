"""Role assignments in saved answers of Azure: what they prove of the identities of a service, and what they leave open.

A saved list does not say for which resource it was asked, whether with what is inherited, or for one principal alone.
That an identity has a role is proven by one entry; that it has none only by a list that can be told to be complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from diagnose.azure_items import Access, AccessPolicy, Identity, RoleAssignment, Vault, Workspace
from diagnose.collectors.azure.access import access_of
from diagnose.collectors.azure.answers import name_of, text
from diagnose.collectors.azure.identities import roles_of
from diagnose.collectors.azure.roles import role_of
from diagnose.collectors.azure.workspaces import links_of
from diagnose.collectors.files.azure_answers import Answer, Answers
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.model import Missing, Why

_SAVE = "`az role assignment list --scope {} --include-inherited -o json`"


@dataclass(frozen=True, slots=True)
class Known:
    """What the saved answers tell of workspaces, their identities and vaults."""

    spaces: Sequence[Workspace]
    identities: Sequence[Identity]
    vaults: Sequence[Vault]
    policies: Sequence[AccessPolicy]


@dataclass(frozen=True, slots=True)
class _Resource:
    """Something on which roles are assigned."""

    kind: str
    """``vault``, ``registry`` or ``storage``."""
    arm_id: str

    @property
    def words(self) -> str:
        """As ``RoleAssignment.on`` has it."""
        return f"{self.kind} {name_of(self.arm_id)}"

    def is_covered_by(self, scope: str) -> bool:
        """Roles are inherited by all below; what a management group covers is not told, but such are listed above."""
        above = scope.rstrip("/").casefold()
        return f"{self.arm_id.casefold()}/".startswith(f"{above}/") or "/managementgroups/" in above


def role_facts(answers: Answers, known: Known) -> Iterator[Fact]:
    """Role assignments, once for each resource they cover, and what the identities may do."""
    resources = _resources(answers)
    assigned = list(_assignments(answers, resources))
    yield from assigned
    if not assigned and (alone := answers.of(Answer.ROLE_DEFINITION)):
        what = f"role assignments: {alone[0].source} tells what roles allow, and not who has them"
        yield Missing(stream="role_assignments", why=Why.NOT_SUPPLIED, what=what, needs=_SAVE.format("RESOURCE_ID"))
    roles = {
        one.words: [role for role in assigned if role.on == one.words] for one in resources if answers.of(Answer.ROLE)
    }
    spaces: Sequence[Workspace | None] = known.spaces or (None,)
    for number, space in enumerate(spaces):
        found, missing = access_of(
            [one for one in known.identities if _concerns(one, space, first=number == 0)],
            roles,
            vault=next((one for one in known.vaults if space and one.name.casefold() == space.vault.casefold()), None),
            policies=known.policies,
            registry=_name("registry", space.registry if space else "", resources),
            storage=_name("storage", space.storage if space else "", resources),
        )
        for fact in (*missing, *(_proven(one, known, resources, assigned) for one in found)):
            yield from (Empty("access"), fact)


def _concerns(identity: Identity, space: Workspace | None, *, first: bool) -> bool:
    """Of several workspaces each has its own identity; whatever else there is goes with the first."""
    if identity.owner_kind == "workspace":
        return space is not None and identity.owner == space.name
    return first


def _name(kind: str, wanted: str, resources: Sequence[_Resource]) -> str:
    """Name of the resource a workspace names, as it is spelled here; without a workspace of the only one there is."""
    names = [name_of(one.arm_id) for one in resources if one.kind == kind]
    if wanted:
        return next((name for name in names if name.casefold() == wanted.casefold()), "")
    return names[0] if len(names) == 1 else ""


def _resources(answers: Answers) -> list[_Resource]:
    """Those saved, and those that a workspace names; each once."""
    found = [_Resource("vault", text(one.body.get("id"))) for one in answers.of(Answer.VAULT)]
    found += [_Resource("registry", text(one.body.get("id"))) for one in answers.of(Answer.REGISTRY)]
    for answer in answers.of(Answer.WORKSPACE):
        links = links_of(answer.body)
        found += [_Resource("vault", links.vault_id), _Resource("registry", links.registry_id)]
        found += [_Resource("storage", links.storage_id)]
    first: dict[str, _Resource] = {}
    for one in found:
        if one.arm_id:
            first.setdefault(one.words.casefold(), one)
    return list(first.values())


def _assignments(answers: Answers, resources: Sequence[_Resource]) -> Iterator[RoleAssignment]:
    learnt = {name_of(one.body.get("id")).lower(): role_of(one.body) for one in answers.of(Answer.ROLE_DEFINITION)}
    for answer in answers.of(Answer.ROLE):
        (role,) = roles_of({"value": [answer.body]}, "", answers.clock, learnt)
        role = replace(role, source=answer.source)
        covered = [one for one in resources if one.is_covered_by(role.scope)]
        yield from (replace(role, on=one.words) for one in covered)
        if not covered:
            yield role


def _proven(access: Access, known: Known, resources: Sequence[_Resource], roles: Sequence[RoleAssignment]) -> Fact:
    """``access``, or what keeps it from being known: a no that rests on roles holds only if these are all there are."""
    by_policy = access.resource_kind == "vault" and not any(
        one.rbac for one in known.vaults if one.name == access.resource
    )
    if access.granted or by_policy:
        return access
    resource = next(one for one in resources if one.words == f"{access.resource_kind} {access.resource}")
    lists = dict.fromkeys(role.source for role in roles if role.on == resource.words)
    complete = [file for file in lists if _is_complete([r for r in roles if r.source == file], resource, access)]
    if complete:
        return replace(access, source=complete[0])
    what = f"whether the identity of {access.owner_kind} {access.owner} has access to {resource.words}"
    return Missing(
        stream="access",
        why=Why.NOT_SUPPLIED,
        what=f"{what}: the saved role assignments do not say whether they are all there are",
        needs=f"{_SAVE.format(resource.arm_id)}, saved as roles-{access.resource}.json",
    )


def _is_complete(roles: Sequence[RoleAssignment], resource: _Resource, access: Access) -> bool:
    """A file holds all roles that ``access`` could rest on: for the resource, inherited ones too, and for anybody."""
    own = any(role.scope.casefold() == resource.arm_id.casefold() for role in roles)
    inherited = any(role.on == resource.words and len(role.scope) < len(resource.arm_id) for role in roles)
    name = re.escape(name_of(resource.arm_id))
    named = re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", PurePath(roles[0].source).name, re.IGNORECASE)
    principals = {role.principal.casefold() for role in roles}
    return inherited and bool(own or named) and (len(principals) > 1 or principals == {access.principal.casefold()})
