"""Who may do what, in saved answers of Azure: the workspace, its vault, who wrote that, and the roles of identities."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from diagnose.azure_items import Access, AccessPolicy, Identity, RoleAssignment, Vault, VaultWrite, Workspace
from diagnose.collectors.azure import activity, identities, templates, vault, workspaces
from diagnose.collectors.azure.access import access_of
from diagnose.collectors.azure.answers import name_of, part, text, within
from diagnose.collectors.azure.roles import KnownRole, role_of
from diagnose.collectors.files.azure_answers import Answer, Answers, SavedAnswer
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.model import Item, Missing, Subject, Why

_VAULTS = "microsoft.keyvault/"


def access_facts(answers: Answers) -> Iterator[Fact]:
    """Workspaces, vaults, policies, writes, template deployments, identities, roles, and what follows from them."""
    known = _Known.of(answers)
    yield from known.workspaces
    yield from known.identities
    yield from _vault_facts(known, answers)
    deployments = _deployments(answers)
    yield from _operations(deployments, answers)
    yield from _writes(deployments, answers)
    yield from known.assigned
    yield from _accesses(known)
