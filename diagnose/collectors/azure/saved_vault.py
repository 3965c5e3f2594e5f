"""A vault's settings and access policies as a file, and back. It holds no secret: ARM shows none of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from diagnose.collectors.azure.answers import part, text
from diagnose.collectors.azure.comparison import State
from diagnose.collectors.azure.vault import policies_of, vault_of
from diagnose.errors import InputError

SCHEMA = "diagnose/vault/1"
_SETTINGS = (
    *("tenantId", "sku", "vaultUri", "provisioningState", "accessPolicies", "enableRbacAuthorization"),
    *("enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment"),
    *("enableSoftDelete", "softDeleteRetentionInDays", "enablePurgeProtection", "networkAcls", "publicNetworkAccess"),
)
_TOP = ("id", "name", "type", "location", "systemData")


@dataclass(frozen=True, slots=True)
class SavedVault:
    """A state from a file."""

    state: State
    saved: str
    """When, as it stands there; empty for what ``az keyvault show`` printed."""


def state_of(
    body: Mapping[str, object], names: Mapping[str, str], workspaces: Mapping[str, str], now: datetime
) -> State:
    """The state that ARM describes. ``names`` and ``workspaces``: by object id in small letters."""
    return State(vault_of(body, [], now), policies_of(body, names), workspaces)


def saved(body: Mapping[str, object], names: Mapping[str, str], workspaces: Mapping[str, str], now: datetime) -> bytes:
    """What ARM says of a vault, and who its principals are, as JSON."""
    told = part(body, "properties")
    vault: dict[str, object] = {key: body[key] for key in _TOP if key in body}
    vault["properties"] = {key: told[key] for key in _SETTINGS if key in told}
    listed = {policy.principal.casefold() for policy in policies_of(body, {})}
    content = {
        "schema": SCHEMA,
        "saved": now.isoformat(timespec="seconds"),
        "names": {principal: name for principal, name in names.items() if principal in listed},
        "workspaces": dict(workspaces),
        "vault": vault,
    }
    return json.dumps(content, indent=2).encode() + b"\n"


def is_state(content: Mapping[str, object]) -> bool:
    """It was saved here, or is what ``az keyvault show`` prints."""
    return content.get("schema") == SCHEMA or text(content.get("type")).lower() == "microsoft.keyvault/vaults"


def loaded(content: Mapping[str, object], file: str, now: datetime) -> SavedVault:
    """The state in a file. Raises InputError, calling it ``file``, when something in it is not as it was saved."""
    body = part(content, "vault") if content.get("schema") == SCHEMA else content
    policies = part(body, "properties").get("accessPolicies", [])
    if not text(body.get("name")) or not isinstance(body.get("properties"), Mapping):
        raise InputError(f"{file}: holds no vault; save one with: diagnose vault NAME --save {file}")
    if policies is not None and not _are_policies(policies):
        raise InputError(
            f"{file}: vault.properties.accessPolicies is no list of policies with objectId and permissions"
        )
    names = {key: text(value) for key, value in part(content, "names").items()}
    workspaces = {key: text(value) for key, value in part(content, "workspaces").items()}
    return SavedVault(state_of(body, names, workspaces, now), text(content.get("saved")))


def _are_policies(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(text(part(one).get("objectId")) and isinstance(part(one).get("permissions"), Mapping) for one in value)


def write_private(file: Path, data: bytes) -> None:
    """``data`` in a file that nobody else can read. Raises InputError when it cannot be written."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            os.chmod(file, 0o600)
            opened.write(data)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}; give another file with --save") from error
