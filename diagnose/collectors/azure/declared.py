"""What a template says of key vaults and their access policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from diagnose.azure_items import AccessPolicy
from diagnose.collectors.azure.answers import flag, part, text
from diagnose.collectors.azure.expressions import Scope, Undecided, decided
from diagnose.errors import InputError

Does = Literal["write", "add", "replace", "remove"]

_VAULT = "microsoft.keyvault/vaults"
_CHILD = "microsoft.keyvault/vaults/accesspolicies"
_DEPLOYMENT = "microsoft.resources/deployments"
_CHANGES: dict[str, Does] = {"add": "add", "replace": "replace", "remove": "remove"}
_CHANGE_AT_THE_END = re.compile(r"'/?(add|replace|remove)'\s*\)*\]$", re.IGNORECASE)
"""``[concat(parameters('vault'), '/add')]``: what is done is known, though not to which vault."""
_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_WORKSPACES = "microsoft.machinelearningservices/workspaces"
_DEEPEST = 20
OPEN = "?"
"""Stands among permissions for those that cannot be decided."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something in a template that nobody can decide by reading it."""

    path: str
    """``resources[0].properties.accessPolicies[1].objectId``."""
    expression: str

    def __str__(self) -> str:
        return f"{self.path}: {self.expression}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredVault:
    """A vault that a template writes, or a change of its access policies."""

    path: str
    """Where in the template: ``resources[0]``."""
    name: str
    """Empty where it cannot be decided."""
    named: str = ""
    """The name as it stands in the template."""
    does: Does
    policies: tuple[AccessPolicy, ...] = ()
    """A principal that cannot be decided is empty, its expression being the name; among permissions that cannot be
    decided is OPEN."""
    declares_policies: bool = False
    whole_list_open: bool = False
    """The list as a whole, or how many there are in it, cannot be decided."""
    gaps: tuple[Gap, ...] = ()
    condition: str = ""
    """The condition under which it is deployed, where that cannot be decided."""
    rbac: bool | None = None
    default_action: str = ""
    bypass: str = ""
    public_network_access: str = ""
    recovers: bool = False
    """``createMode`` is ``recover``: the vault keeps what it has."""


def stands_for_workspace(policy: AccessPolicy) -> bool:
    """Its principal cannot be decided, but is the identity of an Azure Machine Learning workspace."""
    return not policy.principal and _WORKSPACES in policy.name.lower()


@dataclass(frozen=True, slots=True)
class Declared:
    """All that a template says of vaults."""

    vaults: tuple[DeclaredVault, ...] = ()
    defaulted: tuple[str, ...] = ()
    """Parameters taken at their defaults."""
    unread: tuple[Gap, ...] = ()
    """Linked templates, which are somewhere else."""


def template_of(content: str, name: str) -> dict[str, object]:
    """The JSON of a template; comments are allowed. Raises InputError, calling it ``name``."""
    try:
        found = json.loads(_COMMENT.sub(_without_comment, content.removeprefix("\ufeff")))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: is no JSON: {error}; compile Bicep with: az bicep build --file {name}") from error
    if not isinstance(found, dict):
        raise InputError(f"{name}: is neither a template nor a saved state: it holds no JSON object")
    return found


def _without_comment(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else " "


def is_template(body: Mapping[str, object]) -> bool:
    """An ARM template, not one of its parameter files."""
    return isinstance(body.get("resources"), list | dict)


def declared_in(template: Mapping[str, object], place: Mapping[str, object]) -> Declared:
    """Vaults and changes of their policies in a template and the templates nested in it, in order.

    ``place``: what ``subscription``, ``tenant`` and ``resourcegroup`` are, where that is known.
    """
    scope = Scope(part(template, "parameters"), part(template, "variables"), {}, place)
    found = list(_in_resources(template.get("resources"), "resources", scope, "", 0))
    return Declared(
        vaults=tuple(one for one in found if isinstance(one, DeclaredVault)),
        defaulted=tuple(sorted(scope.defaulted)),
        unread=tuple(one for one in found if isinstance(one, Gap)),
    )


def _in_resources(resources: object, path: str, scope: Scope, parent: str, depth: int) -> Iterator[DeclaredVault | Gap]:
    """``parent``: name of the vault whose children these are; empty for other resources."""
    if isinstance(resources, Mapping):
        named = [(f"{path}.{key}", one) for key, one in resources.items()]
    else:
        listed = resources if isinstance(resources, list) else []
        named = [(f"{path}[{index}]", one) for index, one in enumerate(listed)]
    for where, one in named:
        if isinstance(one, Mapping) and depth < _DEEPEST:
            yield from _in_resource(one, where, scope, parent, depth + 1)


def _in_resource(
    resource: Mapping[str, object], path: str, scope: Scope, parent: str, depth: int
) -> Iterator[DeclaredVault | Gap]:
    condition = decided(resource.get("condition", True), scope)
    if condition in (False, "false", "False") or resource.get("existing") is True:
        return
    open_condition = condition.expression if isinstance(condition, Undecided) else ""
    kind = text(decided(resource.get("type"), scope)).lower()
    name = _name_of(resource, scope)
    found: list[DeclaredVault | Gap] = []
    if kind == _VAULT:
        found.append(_vault(resource, path, name, scope))
        found += _in_resources(resource.get("resources"), f"{path}.resources", scope, name or "?", depth)
    elif kind == _CHILD or (parent and kind == "accesspolicies"):
        found.append(_change(resource, path, name, scope, parent))
    elif kind == _DEPLOYMENT:
        found += _nested(resource, path, scope, depth)
    else:
        found += _in_resources(resource.get("resources"), f"{path}.resources", scope, "", depth)
    for one in found:
        yield replace(one, condition=open_condition) if open_condition and isinstance(one, DeclaredVault) else one


def _name_of(resource: Mapping[str, object], scope: Scope) -> str:
    """Empty where it cannot be decided; a resource that is made several times has no one name."""
    return "" if "copy" in resource else text(decided(resource.get("name"), scope))


def _nested(resource: Mapping[str, object], path: str, scope: Scope, depth: int) -> Iterator[DeclaredVault | Gap]:
    """The template within a deployment. It sees the outer parameters, unless it says that it has its own."""
    properties = part(resource, "properties")
    template = part(properties, "template")
    if not template:
        linked = text(part(properties, "templateLink").get("uri")) or text(part(properties, "templateLink").get("id"))
        yield Gap(f"{path}.properties.templateLink", linked or "a template from elsewhere")
        return
    inner = scope
    if text(part(properties, "expressionEvaluationOptions").get("scope")).lower() == "inner":
        passed = part(properties, "parameters")
        given = {key: decided(part(passed, key).get("value"), scope) for key in passed}
        inner = Scope(part(template, "parameters"), part(template, "variables"), given, scope.place, scope.defaulted)
    yield from _in_resources(template.get("resources"), f"{path}.properties.template.resources", inner, "", depth)


# --- one vault ---


def _vault(resource: Mapping[str, object], path: str, name: str, scope: Scope) -> DeclaredVault:
    properties = decided(resource.get("properties"), scope)
    told = part(properties)
    network = part(told, "networkAcls")
    reading = _Reading(name, f"{path}.properties")
    reading.read(told.get("accessPolicies"))
    if any(text(part(one).get("name")) == "accessPolicies" for one in _list(told.get("copy"))):
        reading.whole_list_open = True
        reading.gaps.append(Gap(f"{path}.properties.copy", "access policies made in a loop"))
    if isinstance(properties, Undecided):
        reading.whole_list_open = True
        reading.gaps.append(Gap(f"{path}.properties", properties.expression))
    rbac = told.get("enableRbacAuthorization")
    if isinstance(rbac, Undecided):
        reading.gaps.append(Gap(f"{path}.properties.enableRbacAuthorization", rbac.expression))
    return reading.declared(
        DeclaredVault(
            path=path,
            name=name,
            named=text(resource.get("name")),
            does="write",
            declares_policies=told.get("accessPolicies") is not None or reading.whole_list_open,
            rbac=flag(rbac),
            default_action=text(network.get("defaultAction")),
            bypass=text(network.get("bypass")),
            public_network_access=text(told.get("publicNetworkAccess")),
            recovers=text(told.get("createMode")).lower() == "recover",
        )
    )


def _change(resource: Mapping[str, object], path: str, name: str, scope: Scope, parent: str) -> DeclaredVault:
    """``vaults/accessPolicies``, whose name is what it does: ``add``, ``replace`` or ``remove``."""
    vault, _, last = name.rpartition("/")
    if not name and (ending := _CHANGE_AT_THE_END.search(text(resource.get("name")))):
        last = ending[1]
    reading = _Reading(vault, f"{path}.properties")
    reading.read(part(decided(resource.get("properties"), scope)).get("accessPolicies"))
    owner = vault or (parent if parent != "?" else "")
    does = _CHANGES.get(last.lower())
    if does is None:
        reading.gaps.append(Gap(f"{path}.name", text(resource.get("name"))))
        reading.whole_list_open = True
    named = text(resource.get("name"))
    made = DeclaredVault(path=path, name=owner, named=named, does=does or "replace", declares_policies=True)
    return reading.declared(made)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


@dataclass
class _Reading:
    """The access policies of one resource, as they are read."""

    vault: str
    path: str
    policies: list[AccessPolicy] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    whole_list_open: bool = False

    def read(self, entries: object) -> None:
        if isinstance(entries, Undecided):
            self.whole_list_open = True
            self.gaps.append(Gap(f"{self.path}.accessPolicies", entries.expression))
        for index, entry in enumerate(_list(entries)):
            self._entry(entry, f"{self.path}.accessPolicies[{index}]")

    def _entry(self, entry: object, path: str) -> None:
        if isinstance(entry, Undecided):
            self.whole_list_open = True
            self.gaps.append(Gap(path, entry.expression or "entries from elsewhere"))
            return
        told = part(entry)
        principal, name = told.get("objectId"), ""
        if isinstance(principal, Undecided):
            name = principal.expression
            self.gaps.append(Gap(f"{path}.objectId", name))
        self.policies.append(
            AccessPolicy(
                source=path,
                vault=self.vault,
                principal=text(principal),
                name=name,
                tenant=text(told.get("tenantId")),
                application=text(told.get("applicationId")),
                keys=self._permissions(told, "keys", path),
                secrets=self._permissions(told, "secrets", path),
                certificates=self._permissions(told, "certificates", path),
                storage=self._permissions(told, "storage", path),
            )
        )

    def _permissions(self, entry: Mapping[str, object], kind: str, path: str) -> tuple[str, ...]:
        where = f"{path}.permissions"
        permissions = entry.get("permissions")
        if isinstance(permissions, Undecided):
            self._once(Gap(where, permissions.expression))
            return (OPEN,)
        given = part(permissions).get(kind)
        if isinstance(given, Undecided):
            self.gaps.append(Gap(f"{where}.{kind}", given.expression))
            return (OPEN,)
        for index, one in enumerate(_list(given)):
            if isinstance(one, Undecided):
                self.gaps.append(Gap(f"{where}.{kind}[{index}]", one.expression))
        return tuple(one if isinstance(one, str) else OPEN for one in _list(given))

    def _once(self, gap: Gap) -> None:
        self.gaps += [gap] if gap not in self.gaps else []

    def declared(self, vault: DeclaredVault) -> DeclaredVault:
        return replace(
            vault,
            policies=tuple(self.policies),
            gaps=tuple(self.gaps),
            whole_list_open=self.whole_list_open,
        )
