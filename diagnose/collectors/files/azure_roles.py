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
from diagnose.collectors.azure.roles import KnownRole, role_of
from diagnose.collectors.azure.workspaces import links_of
from diagnose.collectors.files.azure_answers import Answer, Answers
from diagnose.collectors.files.facts import Fact
from diagnose.model import Missing, Why


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
    roles = {
        one.words: [role for role in assigned if role.on == one.words] for one in resources if answers.of(Answer.ROLE)
    }
    registries = [one for one in resources if one.kind == "registry"]
    spaces: Sequence[Workspace | None] = known.spaces or (None,)
    for space in spaces:
        found, missing = access_of(
            [one for one in known.identities if one.owner_kind != "workspace" or (space and one.owner == space.name)],
            roles,
            vault=next((one for one in known.vaults if space and one.name.casefold() == space.vault.casefold()), None),
            policies=known.policies,
            registry=space.registry if space else name_of(registries[0].arm_id) if len(registries) == 1 else "",
            storage=space.storage if space else "",
        )
        yield from missing
        yield from (_proven(one, resources, assigned) for one in found)


def _resources(answers: Answers) -> list[_Resource]:
    """Those saved, and those that a workspace names; each once."""
    found = [_Resource("vault", text(one.body.get("id"))) for one in answers.of(Answer.VAULT)]
    found += [_Resource("registry", text(one.body.get("id"))) for one in answers.of(Answer.REGISTRY)]
    for answer in answers.of(Answer.WORKSPACE):
        links = links_of(answer.body)
        found += [_Resource("vault", links.vault_id), _Resource("registry", links.registry_id)]
        found += [_Resource("storage", links.storage_id)]
    return list({one.words.casefold(): one for one in found if one.arm_id}.values())


def _assignments(answers: Answers, resources: Sequence[_Resource]) -> Iterator[RoleAssignment]:
    learnt = {
        name_of(one.body.get("id")).lower(): role_of(one.body) for one in answers.of(Answer.ROLE_DEFINITION)
    }
    for answer in answers.of(Answer.ROLE):
        (role,) = roles_of({"value": [answer.body]}, "", answers.now, learnt)
        role = replace(role, source=answer.source)
        covered = [one for one in resources if one.is_covered_by(role.scope)]
        yield from (replace(role, on=one.words) for one in covered)
        if not covered:
            yield role


def _proven(access: Access, resources: Sequence[_Resource], assigned: Sequence[RoleAssignment]) -> Fact:
    """``access`` as evidence of files; where it says no and rests on roles, only if these are all there are."""
    by_role = not access.source.startswith("az ") ...
