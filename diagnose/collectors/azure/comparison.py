"""What a vault lost, or a template would take from it: who loses which permission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from diagnose.azure_items import AccessPolicy, Vault
from diagnose.collectors.azure.declared import OPEN, Declared, DeclaredVault, stands_for_workspace
from diagnose.collectors.azure.policies import KINDS, given_by, key_of, with_policy


@dataclass(frozen=True, slots=True)
class Loss:
    """What one principal loses."""

    principal: str
    name: str
    """Who that is, where it can be told."""
    application: str
    whole: bool
    """It is not among the policies any more."""
    permissions: Mapping[str, tuple[str, ...]]
    """By kind: ``secrets``."""

    def __str__(self) -> str:
        who = " ".join(filter(None, (self.principal, f"({self.name})" if self.name else "")))
        through = f" through application {self.application}" if self.application else ""
        told = "; ".join(f"{kind}: {' '.join(given)}" for kind, given in self.permissions.items())
        return f"{who}{through}{' loses its policy' if self.whole else ''}: {told or 'no permissions'}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is lost on the way from one state of a vault to another."""

    losses: tuple[Loss, ...] = ()
    changes: tuple[str, ...] = ()
    """Settings that shut somebody out, in words."""
    undecided: tuple[str, ...] = ()
    """What could not be told, with where it stands."""
    open: bool = False
    """Something may be lost that is not among ``losses`` and ``changes``."""
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 when something is lost for certain, 3 when nobody can tell, else 0."""
        return 1 if self.losses or self.changes else 3 if self.open else 0


@dataclass(frozen=True, slots=True)
class State:
    """A vault with its access policies, at one time."""

    vault: Vault
    policies: tuple[AccessPolicy, ...] = ()
    workspaces: Mapping[str, str] = field(default_factory=dict)
    """Names of the workspaces that use it, by the object id of their identity."""


# --- two states ---


def lost_between(before: State, after: State) -> Comparison:
    """What was lost from one state to the next."""
    if after.vault.gone or after.vault.deleted:
        word = "deleted" if after.vault.deleted else "not there any more"
        return Comparison(_losses(before.policies, ()), (f"the vault is {word}",))
    changes = _shut(before.vault, after.vault)
    if before.vault.rbac or after.vault.rbac:
        return Comparison(changes=changes, notes=_without_policies(before.vault.rbac, after.vault.rbac))
    return Comparison(_losses(before.policies, after.policies), changes)


def _losses(before: Sequence[AccessPolicy], after: Sequence[AccessPolicy]) -> tuple[Loss, ...]:
    kept = {key_of(policy): policy for policy in after}
    found = (_loss(policy, kept.get(key_of(policy))) for policy in before)
    return tuple(loss for loss in found if loss is not None)


def _loss(before: AccessPolicy, after: AccessPolicy | None) -> Loss | None:
    lost = {}
    for kind in KINDS:
        left = given_by(after, kind) if after else {}
        gone = [name for key, name in given_by(before, kind).items() if key not in left]
        if gone and OPEN not in left:
            lost[kind] = tuple(gone)
    if after is not None and not lost:
        return None
    return Loss(before.principal, before.name, before.application, after is None, lost)


def _shut(before: Vault, after: Vault) -> tuple[str, ...]:
    """Settings of ``after`` that shut out whom ``before`` let in; what it does not say stays as it was."""
    model = {(False, True): _TO_RBAC.format(before.policies), (True, False): _TO_POLICIES}
    closes = _same(after.default_action, "Deny")
    found = (
        model.get((before.rbac, after.rbac), ""),
        "the firewall closes: default action Deny" if closes and not _same(before.default_action, "Deny") else "",
        "trusted Azure services are no longer let through the firewall"
        if closes and _same(after.bypass, "None") and not _same(before.bypass, "None")
        else "",
        "public network access is disabled"
        if _same(after.public_network_access, "Disabled") and not _same(before.public_network_access, "Disabled")
        else "",
    )
    return tuple(filter(None, found))


def _same(value: str, word: str) -> bool:
    """Templates write ``deny``, Azure answers ``Deny``."""
    return value.casefold() == word.casefold()


_TO_RBAC = "the permission model becomes Azure RBAC: {} access policies stop counting"
_TO_POLICIES = "the permission model becomes access policies: roles such as Key Vault Secrets User stop counting"


def _without_policies(before: bool, after: bool) -> tuple[str, ...]:
    return ("Azure RBAC decides, access policies have no say",) if before and after else ()


# --- a state and a template ---


def lost_to(before: State, declared: Declared) -> Comparison:
    """What deploying a template would take from the vault."""
    steps, notes = _concerning(before.vault, declared)
    notes += [f"taken at their defaults: parameters {', '.join(declared.defaulted)}"] if declared.defaulted else []
    certain = [step for step in steps if not step.condition]
    told = _deployed(before, certain)
    doubtful = _doubts(before, certain, steps)
    unread = [f"{gap}: a template that was not read" for gap in declared.unread]
    return replace(
        told,
        undecided=(*told.undecided, *doubtful, *unread),
        open=told.open or bool(doubtful) or bool(unread),
        notes=(*told.notes, *notes),
    )


def _concerning(vault: Vault, declared: Declared) -> tuple[list[DeclaredVault], list[str]]:
    """What a template does to this vault, in order; and what was taken for granted there."""
    known = [one for one in declared.vaults if one.name.casefold() == vault.name.casefold()]
    nameless = [one for one in declared.vaults if not one.name]
    if known and not any(one.does == "write" for one in nameless):
        return [one for one in declared.vaults if one in known or one in nameless], []
    if known or not nameless:
        others = dict.fromkeys(one.name for one in declared.vaults if one not in known and one.name)
        return known, [f"of other vaults: {', '.join(others)}"] if others else []
    names = dict.fromkeys(one.named for one in nameless if one.does == "write")
    if len(names) > 1:
        return [replace(one, condition=f"its name {one.named} is that of this vault") for one in nameless], []
    return nameless, [f"the vault called {name} is taken for this one" for name in names]


def _doubts(before: State, certain: Sequence[DeclaredVault], steps: Sequence[DeclaredVault]) -> list[str]:
    """What the steps would take of which nobody can say whether they are done."""
    found = []
    for step in steps:
        if step.condition:
            told = _deployed(before, [*certain, step])
            more = [str(loss) for loss in told.losses] + list(told.changes) + list(told.undecided)
            if told.exit_code and step.does != "add":
                found.append(f"{step.path}: if {step.condition}: {' | '.join(more)}")
    return found


def _deployed(before: State, steps: Sequence[DeclaredVault]) -> Comparison:
    """What is lost when these steps are done."""
    vault, after = before.vault, _After(before.policies)
    for step in steps:
        vault = _written(vault, step)
        after = _applied(after, step, before.workspaces)
    changes = _shut(before.vault, vault)
    if before.vault.rbac or vault.rbac:
        return Comparison(changes=changes, notes=_without_policies(before.vault.rbac, vault.rbac))
    notes = tuple(_LISTS_NOTHING.format(step.path) for step in steps if _lists_nothing(step))
    told = _judged(_losses(before.policies, after.policies), after)
    maybe = _maybe(before.policies, after.policies)
    gaps = [str(gap) for step in steps for gap in step.gaps]
    return replace(
        told,
        changes=changes,
        undecided=(*told.undecided, *maybe, *gaps),
        open=told.open or bool(maybe),
        notes=(*told.notes, *notes, *_unnamed(before, after)),
    )


def _unnamed(before: State, after: _After) -> list[str]:
    """Workspaces whose identities were not among the policies, and will not be."""
    listed = {policy.principal.casefold() for policy in (*before.policies, *after.policies)}
    if after.nameless or after.any_number:
        return []
    return [_STAYS_OUT.format(name) for principal, name in before.workspaces.items() if principal not in listed]


_STAYS_OUT = "the identity of workspace {} is not among the policies now, and the template does not name it either"


def _maybe(before: Sequence[AccessPolicy], after: Sequence[AccessPolicy]) -> list[str]:
    """Principals whose permissions afterwards cannot be decided, and are less as far as they can."""
    kept = {key_of(policy): policy for policy in after}
    found = []
    for policy in before:
        left = kept.get(key_of(policy))
        if left and any(
            OPEN in (given := given_by(left, kind)) and not given_by(policy, kind).keys() <= given.keys()
            for kind in KINDS
        ):
            found.append(_MAY_LOSE.format(policy.principal, left.source))
    return found


_LISTS_NOTHING = "{} declares no accessPolicies: Azure refuses that, or takes it for none"
_MAY_LOSE = "{} may lose permissions: those of {} cannot be decided"


@dataclass(frozen=True, slots=True)
class _After:
    """The access policies after some steps."""

    policies: tuple[AccessPolicy, ...]
    nameless: int = 0
    """Policies besides whose principals cannot be decided."""
    any_number: bool = False
    """There may be any number of others."""
    anything: bool = False
    """And any may be gone."""


def _written(vault: Vault, step: DeclaredVault) -> Vault:
    """The settings after a vault was written; what a template does not say is taken to stay."""
    if step.does != "write":
        return vault
    return replace(
        vault,
        rbac=vault.rbac if step.rbac is None else step.rbac,
        default_action=step.default_action or vault.default_action,
        bypass=step.bypass or vault.bypass,
        public_network_access=step.public_network_access or vault.public_network_access,
    )


def _lists_nothing(step: DeclaredVault) -> bool:
    return step.does == "write" and not step.declares_policies and not step.recovers and step.rbac is not True


def _applied(after: _After, step: DeclaredVault, workspaces: Mapping[str, str]) -> _After:
    if step.does == "write" and step.recovers:
        return after
    if step.does == "write":
        after = _After(())
    named, nameless = _named(step, workspaces)
    policies = after.policies
    for policy in named:
        policies = _with(policies, policy, step.does)
    taking = step.does in ("replace", "remove")
    unclear = step.whole_list_open or nameless > 0 or (step.does == "remove" and any(map(_is_open, named)))
    return _After(
        policies,
        after.nameless + (0 if step.does == "remove" else nameless),
        after.any_number or step.whole_list_open,
        after.anything or (taking and unclear),
    )


def _named(step: DeclaredVault, workspaces: Mapping[str, str]) -> tuple[list[AccessPolicy], int]:
    """The policies whose principals are known, and the number of the others.

    What stands for the identity of a workspace is taken for that of one that uses the vault.
    """
    listed = {policy.principal.casefold() for policy in step.policies}
    free = [principal for principal in workspaces if principal.casefold() not in listed]
    named = []
    for policy in step.policies:
        if policy.principal:
            named.append(policy)
        elif stands_for_workspace(policy) and free:
            named.append(replace(policy, principal=free.pop(0)))
    return named, len(step.policies) - len(named)


def _with(policies: tuple[AccessPolicy, ...], policy: AccessPolicy, does: str) -> tuple[AccessPolicy, ...]:
    """``add`` merges with what a principal has, ``replace`` does not, ``remove`` takes away what is named.

    Source: https://learn.microsoft.com/azure/templates/microsoft.keyvault/vaults/accesspolicies, and what people saw.
    """
    if does == "add":
        return with_policy(policies, policy)
    others = tuple(one for one in policies if key_of(one) != key_of(policy))
    if does != "remove":
        return (*others, policy)
    left = [_without(one, policy) for one in policies if key_of(one) == key_of(policy)]
    return (*others, *(one for one in left if any(getattr(one, kind) for kind in KINDS)))


def _without(policy: AccessPolicy, taken: AccessPolicy) -> AccessPolicy:
    return replace(
        policy,
        keys=_left(policy, taken, "keys"),
        secrets=_left(policy, taken, "secrets"),
        certificates=_left(policy, taken, "certificates"),
        storage=_left(policy, taken, "storage"),
    )


def _left(policy: AccessPolicy, taken: AccessPolicy, kind: str) -> tuple[str, ...]:
    away = given_by(taken, kind)
    return tuple(name for key, name in given_by(policy, kind).items() if key not in away)


def _is_open(policy: AccessPolicy) -> bool:
    return any(OPEN in getattr(policy, kind) for kind in KINDS)


def _judged(losses: Sequence[Loss], after: _After) -> Comparison:
    """Who loses its policy may be one of those whose principals cannot be decided."""
    whole = [loss for loss in losses if loss.whole]
    parts = [loss for loss in losses if not loss.whole]
    if whole and (after.any_number or len(whole) <= after.nameless):
        maybe = tuple(f"{loss.principal} {loss.name}".strip() for loss in whole)
        told = f"not named, but perhaps among what cannot be decided: {', '.join(maybe)}"
        return Comparison(tuple(parts), undecided=(told,), open=True)
    notes = (f"of these, {after.nameless} may be behind principals that cannot be decided",)
    return Comparison(tuple(losses), open=after.anything, notes=notes if whole and after.nameless else ())
