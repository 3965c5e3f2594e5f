"""What is shown of a vault: its settings, its policies with names, what is lost, and how to bring it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from diagnose.azure_items import AccessPolicy, RoleAssignment, Vault
from diagnose.collectors.azure.answers import part, whole, within
from diagnose.collectors.azure.comparison import Comparison, State
from diagnose.collectors.azure.policies import (
    KINDS,
    SKIP_CONDITION,
    full_policy,
    key_of,
    policies_block,
    reads_alone,
    restore_command,
    with_policy,
)
from diagnose.collectors.azure.roles import READ_SECRETS
from diagnose.render.vault import Entry, Section, VaultView
from diagnose.vaults.files import Files
from diagnose.vaults.reading import Seen

_CHANGES = 10
"""Changes of the activity log that are shown."""


def view_of(seen: Seen, comparison: Comparison | None, title: str, files: Files) -> VaultView:
    """The page; ``title`` heads what ``comparison`` found, where something was compared."""
    vault = seen.state.vault
    sections = [*_changes(seen), *_readers(seen), *_remedies(seen)]
    if comparison:
        sections += _comparison(comparison, title, files, seen)
    sections += _template_texts(seen, comparison, files)
    if seen.gaps:
        sections.append(Section("not read", tuple(seen.gaps)))
    if vault.deleted:
        return VaultView(title=vault.text(), sections=(Section("to bring it back", (_recover(vault),)), *sections))
    count = len(seen.state.policies)
    aside = ", which have no say under Azure RBAC" if vault.rbac else ""
    return VaultView(
        title=f"vault {vault.name}",
        facts=_facts(seen),
        policies=tuple(_entry(policy, seen.roles) for policy in seen.state.policies),
        policies_title=f"access policies: {count}{aside if count else ''}",
        sections=tuple(sections),
    )


def _recover(vault: Vault) -> str:
    location = f" --location {vault.location}" if vault.location else ""
    return f"az keyvault recover -n {vault.name}{location}"


def _facts(seen: Seen) -> tuple[tuple[str, str], ...]:
    vault = seen.state.vault
    told = part(seen.body, "properties")
    days = whole(told.get("softDeleteRetentionInDays"))
    delete = {True: "on", False: "off", None: "not told"}[vault.soft_delete]
    purge = "purge protection on" if vault.purge_protection else "purge protection off"
    users = [f"{name}{_listed(seen, principal)}" for principal, name in seen.workspaces.items()]
    return (
        ("resource group", f"{vault.resource_group}, {vault.location}"),
        ("permission model", "Azure RBAC" if vault.rbac else "access policies"),
        ("firewall", _firewall(vault)),
        ("soft delete", ", ".join(filter(None, (delete, f"{days} days" if days else "", purge)))),
        ("state", vault.provisioning_state or "not told"),
        ("last written", _last_written(seen)),
        ("used by workspace", "; ".join(users) or "none that can be seen"),
    )


def _listed(seen: Seen, principal: str) -> str:
    if seen.state.vault.rbac:
        return ""
    own = [policy for policy in seen.state.policies if policy.principal.casefold() == principal]
    if not own:
        return f" (its identity {principal} is NOT among the policies)"
    return "" if any(map(reads_alone, own)) else f" (its identity {principal} may NOT get and list secrets)"


def _firewall(vault: Vault) -> str:
    if vault.default_action == "Deny":
        addresses = f"{vault.addresses} addresses" if vault.addresses else ""
        subnets = f"{vault.subnets} subnets" if vault.subnets else ""
        trusted = "trusted Azure services" if vault.bypass == "AzureServices" else ""
        told = f"closed, lets in {', '.join(filter(None, (addresses, subnets, trusted))) or 'nobody'}"
    else:
        told = "open to all networks"
    private = f"; {vault.private_endpoints} private endpoints" if vault.private_endpoints else ""
    return told + private + ("; public network access disabled" if vault.public_network_access == "Disabled" else "")


def _last_written(seen: Seen) -> str:
    vault = seen.state.vault
    if vault.time is None:
        return "not told"
    through = next((write.deployment for write in seen.writes if write.time == vault.time and write.deployment), "")
    by = f" by {vault.written_by} ({vault.written_by_type})" if vault.written_by else ""
    return f"{_moment(vault.time)}{by}{f', through template deployment {through}' if through else ''}"


def _moment(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def _entry(policy: AccessPolicy, roles: Sequence[RoleAssignment]) -> Entry:
    through = f"through application {policy.application}" if policy.application else ""
    name = policy.name or _role_of(policy.principal, roles)
    given = tuple((kind, permissions) for kind in KINDS if (permissions := getattr(policy, kind)))
    return Entry(policy.principal, " ".join(filter(None, (name, through))), given)


def _role_of(principal: str, roles: Sequence[RoleAssignment]) -> str:
    """What else is known of a principal without a name."""
    own = next((role for role in roles if role.principal.casefold() == principal.casefold()), None)
    return f"{own.principal_type}, {own.role} here" if own else ""


def _changes(seen: Seen) -> list[Section]:
    lines = [f"{_moment(write.time)}  {write.text()}" for write in seen.writes if write.time]
    more = len(lines) - _CHANGES
    shown = [*lines[:_CHANGES], *([f"and {more} earlier ones"] if more > 0 else [])]
    return [Section("changes in the activity log, which keeps 90 days", tuple(shown))] if shown else []


def _readers(seen: Seen) -> list[Section]:
    """Who reads secrets by a role, where roles decide."""
    if not seen.state.vault.rbac:
        return []
    readers = [role for role in seen.roles if READ_SECRETS in role.allows]
    lines = [
        f"{role.principal}  {seen.names.get(role.principal.casefold(), role.principal_type)}  {role.role}"
        for role in readers
    ]
    return [Section("roles that read secrets", tuple(lines) or ("none",))]


def _remedies(seen: Seen) -> list[Section]:
    """The commands that give the workspaces their policies back, where they lack them."""
    commands = []
    for principal in _lacking(seen):
        wanted = _with_workspaces(seen.state.vault, seen.state.policies, [principal])
        commands.append(_restore(wanted[-1], seen))
    return [Section("to give the workspace's identity its policy back", tuple(commands))] if commands else []


def _lacking(seen: Seen) -> list[str]:
    """Identities of workspaces that use the vault and may not read it by its policies."""
    vault = seen.state.vault
    return [] if vault.rbac or vault.deleted else [key for key in seen.workspaces if _listed(seen, key)]


def _with_workspaces(
    vault: Vault, policies: Sequence[AccessPolicy], principals: Sequence[str]
) -> tuple[AccessPolicy, ...]:
    for principal in principals:
        policies = with_policy(policies, full_policy(vault.name, principal, vault.tenant))
    return tuple(policies)


def _restore(policy: AccessPolicy, seen: Seen) -> str:
    return restore_command(policy, seen.state.vault.resource_group, within(seen.body.get("id"), "subscriptions"))


def _template_texts(seen: Seen, comparison: Comparison | None, files: Files) -> list[Section]:
    """What keeps a template from taking policies away."""
    before = files.saved.state if files.saved else seen.state
    taken = files.template is not None and comparison is not None and comparison.exit_code
    if before.vault.rbac or seen.state.vault.deleted or not (taken or _lacking(seen)):
        return []
    listed = {policy.principal.casefold() for policy in before.policies}
    missing = [*_lacking(seen), *(key for key in before.workspaces if key not in listed)]
    wanted = _with_workspaces(before.vault, before.policies, list(dict.fromkeys(missing)))
    return [
        Section("for the template's vault, so that it keeps them", (policies_block(wanted),)),
        Section("or leave a vault alone that exists (parameter keyVaultOption: new or existing)", (SKIP_CONDITION,)),
    ]


def _comparison(comparison: Comparison, title: str, files: Files, seen: Seen) -> list[Section]:
    lost = (*comparison.changes, *map(str, comparison.losses))
    nothing = "nothing for certain" if comparison.open else "nothing"
    sections = [Section(title, lost or (nothing,))]
    sections += [Section("not decidable", comparison.undecided)] if comparison.undecided else []
    sections += [Section("note", comparison.notes)] if comparison.notes else []
    if files.saved and files.template is None and comparison.losses and not seen.state.vault.deleted:
        commands = tuple(_restored(comparison, files.saved.state, seen))
        sections.append(Section("to give them back what they lost", commands))
    return sections


def _restored(comparison: Comparison, before: State, seen: Seen) -> list[str]:
    """Commands that give back what was lost, and keep what was gained since."""
    lost = {(loss.principal.casefold(), loss.application.casefold()) for loss in comparison.losses}
    wanted = seen.state.policies
    commands = []
    for policy in before.policies:
        if key_of(policy) in lost:
            wanted = with_policy(wanted, policy)
            commands.append(_restore(wanted[-1], seen))
    return commands
