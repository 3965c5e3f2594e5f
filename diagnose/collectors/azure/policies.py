"""Access policies of key vaults: what they allow, and the texts that bring them back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace

from diagnose.azure_items import AccessPolicy

KINDS = ("keys", "secrets", "certificates", "storage")
"""What permissions are given for, as ARM names them."""

_KEEPING = ("get", "list", "delete", "recover", "backup", "restore")
EVERYTHING = {
    "keys": (
        *(*_KEEPING, "create", "import", "update"),
        *("decrypt", "encrypt", "unwrapKey", "wrapKey", "verify", "sign"),
    ),
    "secrets": (*_KEEPING, "set"),
    "certificates": (
        *(*_KEEPING, "create", "import", "update", "managecontacts"),
        *("manageissuers", "getissuers", "listissuers", "setissuers", "deleteissuers"),
    ),
}
"""What a workspace gives its own identity. ``purge`` is not among it, as it is not in Azure's own ``all``: it destroys
for good, and no service needs it."""

_ALL = {
    **EVERYTHING,
    "storage": (
        *(*_KEEPING, "set", "update", "regeneratekey"),
        *("setsas", "listsas", "getsas", "deletesas"),
    ),
}
"""What ``all`` stands for."""

SKIP_CONDITION = "\"condition\": \"[equals(parameters('keyVaultOption'), 'new')]\""
"""For the vault in a template with a parameter ``keyVaultOption`` of ``new`` or ``existing``: it leaves one alone that
exists."""


def allows(given: Sequence[str], *permissions: str) -> bool:
    """All of ``permissions`` are among those given: portals write them ``Get``, templates ``get`` or ``all``."""
    known = {permission.casefold() for permission in given}
    return "all" in known or {permission.casefold() for permission in permissions} <= known


def given_by(policy: AccessPolicy, kind: str) -> dict[str, str]:
    """The permissions of a policy as they are spelled, by how they compare; ``all`` stands for each."""
    given: tuple[str, ...] = getattr(policy, kind)
    spelled = {permission.casefold(): permission for permission in given}
    if "all" in spelled:
        del spelled["all"]
        spelled |= {permission.casefold(): permission for permission in _ALL[kind]}
    return spelled


def reads_alone(policy: AccessPolicy) -> bool:
    """Its principal may read secrets; with an application named, it may only through that."""
    return policy.reads_secrets and not policy.application


def full_policy(vault: str, principal: str, tenant: str, name: str = "") -> AccessPolicy:
    """The policy of a workspace's identity."""
    return AccessPolicy(
        source=f"az keyvault show -n {vault}",
        vault=vault,
        principal=principal,
        name=name,
        tenant=tenant,
        keys=EVERYTHING["keys"],
        secrets=EVERYTHING["secrets"],
        certificates=EVERYTHING["certificates"],
        reads_secrets=True,
    )


def with_policy(policies: Sequence[AccessPolicy], added: AccessPolicy) -> tuple[AccessPolicy, ...]:
    """``policies`` with ``added``, merged with what its principal has already."""
    merged, others = added, []
    for one in policies:
        if key_of(one) == key_of(added):
            merged = _merged(one, merged)
        else:
            others.append(one)
    return (*others, merged)


def _merged(one: AccessPolicy, other: AccessPolicy) -> AccessPolicy:
    return replace(
        other,
        keys=_union(one.keys, other.keys),
        secrets=_union(one.secrets, other.secrets),
        certificates=_union(one.certificates, other.certificates),
        storage=_union(one.storage, other.storage),
        reads_secrets=one.reads_secrets or other.reads_secrets,
    )


def key_of(policy: AccessPolicy) -> tuple[str, str]:
    """Whose policy it is: a principal, or a principal through one application."""
    return policy.principal.casefold(), policy.application.casefold()


def policies_block(policies: Sequence[AccessPolicy]) -> str:
    """``"accessPolicies": [...]`` in one line, ready for the ``properties`` of a vault in a template."""
    return f'"accessPolicies": {json.dumps([entry_of(policy) for policy in policies])}'


def entry_of(policy: AccessPolicy) -> dict[str, object]:
    """One entry of ``accessPolicies`` as ARM takes it."""
    entry: dict[str, object] = {"tenantId": policy.tenant, "objectId": policy.principal}
    if policy.application:
        entry["applicationId"] = policy.application
    entry["permissions"] = {kind: list(getattr(policy, kind)) for kind in KINDS if getattr(policy, kind)}
    return entry


def restore_command(policy: AccessPolicy, resource_group: str = "", subscription: str = "") -> str:
    """Gives a principal this policy.

    All permissions are listed: the call replaces those that the principal has, kind by kind.
    """
    words = ["az", "keyvault", "set-policy", "-n", policy.vault]
    words += ["-g", resource_group] if resource_group else []
    words += ["--subscription", subscription] if subscription else []
    words += ["--object-id", policy.principal]
    words += ["--application-id", policy.application] if policy.application else []
    for option, permissions in (
        ("--key-permissions", policy.keys),
        ("--secret-permissions", policy.secrets),
        ("--certificate-permissions", policy.certificates),
        ("--storage-permissions", policy.storage),
    ):
        words += [option, *permissions] if permissions else []
    return shlex.join(words)


def _union(some: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    known = {permission.casefold() for permission in some}
    return (*some, *(permission for permission in more if permission.casefold() not in known))
