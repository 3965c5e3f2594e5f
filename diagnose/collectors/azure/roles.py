"""Roles: what those of Azure allow that matters to a service, and how an unknown one is judged by its definition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diagnose.collectors.azure.answers import part, parts, text

READ_SECRETS = "read secrets"
PULL_IMAGES = "pull images"
READ_BLOBS = "read blobs"

_ACTIONS = {PULL_IMAGES: ("Microsoft.ContainerRegistry/registries/pull/read",)}
_DATA_ACTIONS = {
    READ_SECRETS: ("Microsoft.KeyVault/vaults/secrets/getSecret/action",),
    PULL_IMAGES: ("Microsoft.ContainerRegistry/registries/repositories/content/read",),
    READ_BLOBS: ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",),
}
"""What each right takes: one of these. Pulling is an action of the registry, or one on its repositories."""


@dataclass(frozen=True, slots=True)
class KnownRole:
    """A role, and the rights it gives of those that matter here."""

    name: str
    allows: tuple[str, ...] = ()


WELL_KNOWN = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": KnownRole("Owner", (PULL_IMAGES,)),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": KnownRole("Contributor", (PULL_IMAGES,)),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": KnownRole("Reader", (PULL_IMAGES,)),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": KnownRole("User Access Administrator", (PULL_IMAGES,)),
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": KnownRole("Key Vault Administrator", (READ_SECRETS,)),
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": KnownRole("Key Vault Secrets Officer", (READ_SECRETS,)),
    "4633458b-17de-408a-b874-0445c86b69e6": KnownRole("Key Vault Secrets User", (READ_SECRETS,)),
    "21090545-7ca7-4776-b22c-e363652d74d2": KnownRole("Key Vault Reader"),
    "f25e0fa2-a7c8-4377-a976-54943a77a395": KnownRole("Key Vault Contributor"),
    "a4417e6f-fecd-4de8-b567-7b0420556985": KnownRole("Key Vault Certificates Officer"),
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": KnownRole("Key Vault Crypto Officer"),
    "12338af0-0e69-4776-bea7-57ae8d297424": KnownRole("Key Vault Crypto User"),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": KnownRole("AcrPull", (PULL_IMAGES,)),
    "8311e382-0749-4cb8-b61a-304f252e45ec": KnownRole("AcrPush", (PULL_IMAGES,)),
    "c2f4ef07-c644-48eb-af81-4b1b4947fb11": KnownRole("AcrDelete"),
    "b93aa761-3e63-49ed-ac28-beffa264f7ac": KnownRole("Container Registry Repository Reader", (PULL_IMAGES,)),
    "2a1e307c-b015-4ebd-883e-5b7698a07328": KnownRole("Container Registry Repository Writer", (PULL_IMAGES,)),
    "2efddaa5-3f1f-4df3-97df-af3f13818f4c": KnownRole("Container Registry Repository Contributor", (PULL_IMAGES,)),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": KnownRole("Storage Blob Data Reader", (READ_BLOBS,)),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": KnownRole("Storage Blob Data Contributor", (READ_BLOBS,)),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": KnownRole("Storage Blob Data Owner", (READ_BLOBS,)),
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": KnownRole("Storage Account Contributor"),
    "f6c7c914-8db3-469d-8ca1-694a8f32e121": KnownRole("AzureML Data Scientist"),
}
"""Public constants of Azure, by the id of their definition: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles.
Owner, Contributor and Reader may pull images because that is an action; reading secrets or blobs is a data action,
which none of them has."""


def role_of(definition: Mapping[str, object]) -> KnownRole:
    """A role as its definition describes it."""
    told = part(definition, "properties")
    permissions = parts(told.get("permissions"))
    rights = [right for right in _DATA_ACTIONS if any(_gives(one, right) for one in permissions)]
    return KnownRole(text(told.get("roleName")), tuple(rights))


def _gives(permission: Mapping[str, object], right: str) -> bool:
    controls = (_ACTIONS.get(right, ()), permission.get("actions"), permission.get("notActions"))
    data = (_DATA_ACTIONS[right], permission.get("dataActions"), permission.get("notDataActions"))
    return any(
        _covers(given, action) and not _covers(taken, action)
        for actions, given, taken in (controls, data)
        for action in actions
    )


def _covers(patterns: object, action: str) -> bool:
    return isinstance(patterns, list) and any(_matches(one, action) for one in _strings(patterns))


def _strings(values: Iterable[object]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _matches(pattern: str, action: str) -> bool:
    """Azure's own wildcard: ``*`` stands for any text, slashes among it."""
    expression = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(expression, action, re.IGNORECASE) is not None
