"""Expressions of ARM templates, decided as far as that goes without Azure.

What cannot be decided is left as ``Undecided`` in its place, so that the rest of a template can still be judged.
Nothing of a template is executed: only the functions below are known, and none of them reaches outside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_DEEPEST = 60
"""How deep expressions, parameters and variables may lead from one to the next."""
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[()\[\],.]))")


@dataclass(frozen=True, slots=True)
class Undecided:
    """A value that only Azure, or whoever deploys, can tell."""

    expression: str
    """As it stands in the template."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can refer to."""

    parameters: Mapping[str, object] = field(default_factory=dict)
    """Declarations, by name: ``{"type": ..., "defaultValue": ...}``."""
    variables: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    """Values of parameters that a deployment passes, decided already."""
    place: Mapping[str, object] = field(default_factory=dict)
    """What ``subscription()``, ``tenant()`` and ``resourceGroup()`` are, where it is known."""
    defaulted: set[str] = field(default_factory=set)
    """Parameters that were taken at their defaults so far: whoever deploys may give them another value."""


class _OpenError(Exception):
    """Something on the way cannot be decided."""


# --- from template values to plain ones ---


def decided(value: object, scope: Scope, depth: int = 0) -> object:
    """``value`` with every expression replaced by what it stands for, or by an Undecided."""
    if isinstance(value, str):
        return _of_text(value, scope, depth)
    if isinstance(value, Mapping):
        return {key: decided(one, scope, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [decided(one, scope, depth + 1) for one in value]
    return value


def _of_text(value: str, scope: Scope, depth: int) -> object:
    if not (value.startswith("[") and value.endswith("]")):
        return value
    if value.startswith("[["):
        return value[1:]
    try:
        return _evaluated(_parsed(value[1:-1]), scope, depth)
    except (_OpenError, RecursionError):
        return Undecided(value)


# --- the grammar ---


@dataclass(frozen=True, slots=True)
class _Literal:
    value: object


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Access:
    of: _Node
    key: _Node


_Node: TypeAlias = "_Literal | _Call | _Access"


def _parsed(expression: str) -> _Node:
    tokens = _tokens(expression)
    node, end = _node(tokens, 0)
    if end != len(tokens):
        raise _OpenError
    return node


def _tokens(expression: str) -> list[str]:
    tokens, at = [], 0
    while expression[at:].strip():
        found = _TOKEN.match(expression, at)
        if found is None:
            raise _OpenError
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _node(tokens: Sequence[str], at: int) -> tuple[_Node, int]:
    """The node that begins at ``at``, and where it ends."""
    node, at = _first(tokens, at)
    while at < len(tokens) and tokens[at] in (".", "["):
        if tokens[at] == ".":
            node, at = _Access(node, _Literal(_token(tokens, at + 1))), at + 2
        else:
            key, at = _node(tokens, at + 1)
            node, at = _Access(node, key), _after(tokens, at, "]")
    return node, at


def _first(tokens: Sequence[str], at: int) -> tuple[_Node, int]:
    token = _token(tokens, at)
    if token.startswith("'"):
        return _Literal(token[1:-1].replace("''", "'")), at + 1
    if token.lstrip("-").isdigit():
        return _Literal(int(token)), at + 1
    if not token[0].isalpha() and token[0] != "_":
        raise _OpenError
    at = _after(tokens, at + 1, "(")
    arguments: list[_Node] = []
    while _token(tokens, at) != ")":
        argument, at = _node(tokens, at)
        arguments.append(argument)
        if _token(tokens, at) == ",":
            at += 1
    return _Call(token, tuple(arguments)), at + 1


def _token(tokens: Sequence[str], at: int) -> str:
    if at >= len(tokens):
        raise _OpenError
    return tokens[at]


def _after(tokens: Sequence[str], at: int, mark: str) -> int:
    if _token(tokens, at) != mark:
        raise _OpenError
    return at + 1


# --- the values ---


def _evaluated(node: _Node, scope: Scope, depth: int) -> object:
    if depth > _DEEPEST:
        raise _OpenError
    match node:
        case _Literal(value):
            return value
        case _Access(of, key):
            return _part(_evaluated(of, scope, depth + 1), _evaluated(key, scope, depth + 1))
        case _Call(name, arguments):
            return _called(name.lower(), arguments, scope, depth + 1)


def _part(value: object, key: object) -> object:
    if isinstance(value, Mapping) and isinstance(key, str):
        found = {str(name).casefold(): one for name, one in value.items()}.get(key.casefold(), Undecided(key))
    elif isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        found = value[key]
    else:
        raise _OpenError
    return _settled(found)


def _settled(value: object) -> object:
    if isinstance(value, Undecided):
        raise _OpenError
    return value


def _called(name: str, arguments: Sequence[_Node], scope: Scope, depth: int) -> object:
    def value(node: _Node) -> object:
        return _settled(_evaluated(node, scope, depth))

    if name in ("parameters", "variables") and len(arguments) == 1:
        return _settled(_referred(name, value(arguments[0]), scope, depth))
    if name == "if" and len(arguments) == 3:
        return value(arguments[1] if value(arguments[0]) is True else arguments[2])
    if name in ("concat", "union") and (lists := _lists(arguments, scope, depth)) is not None:
        return lists
    if not arguments and name in scope.place:
        return scope.place[name]
    function = _FUNCTIONS.get(name)
    if function is None:
        raise _OpenError
    try:
        return function([value(argument) for argument in arguments])
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise _OpenError from error


def _referred(kind: str, name: object, scope: Scope, depth: int) -> object:
    """The value of a parameter or variable; names count in any case."""
    if not isinstance(name, str):
        raise _OpenError
    given = _by_name(scope.given, name) if kind == "parameters" else None
    if given is not None:
        return given
    declared = _by_name(scope.parameters if kind == "parameters" else scope.variables, name)
    if kind == "parameters" and isinstance(declared, Mapping):
        declared = declared.get("defaultValue")
        if declared is not None:
            scope.defaulted.update(key for key in scope.parameters if key.casefold() == name.casefold())
    if declared is None:
        raise _OpenError
    return decided(declared, scope, depth + 1)


def _by_name(values: Mapping[str, object], name: str) -> object:
    return next((value for key, value in values.items() if key.casefold() == name.casefold()), None)


def _lists(arguments: Sequence[_Node], scope: Scope, depth: int) -> list[object] | None:
    """Lists put together; one that is undecided leaves an Undecided in its place. None when these are no lists."""
    found: list[object] = []
    is_list = False
    for argument in arguments:
        try:
            value = _evaluated(argument, scope, depth)
        except _OpenError:
            value = Undecided("")
        is_list = is_list or isinstance(value, list)
        found += value if isinstance(value, list) else [value]
    return found if is_list else None


def _format(values: Sequence[object]) -> str:
    """Of .NET's format strings the plain ``{0}``; anything else raises."""
    pattern, *rest = values
    if not isinstance(pattern, str) or re.search(r"\{(?!\d+\})", pattern):
        raise ValueError
    return re.sub(r"\{(\d+)\}", lambda found: _text(rest[int(found[1])]), pattern)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str | int):
        return str(value)
    raise TypeError


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise TypeError


def _equal(values: Sequence[object]) -> bool:
    """Strings are compared in their case, as Azure does; an object with another kind is not."""
    first, second = values
    return type(first) is type(second) and first == second


def _size(value: object) -> int:
    if isinstance(value, str | list | Mapping):
        return len(value)
    raise TypeError


def _first_of(value: object) -> object:
    if isinstance(value, str | list):
        return value[0]
    raise TypeError


_FUNCTIONS: dict[str, Callable[[list[object]], object]] = {
    "true": lambda values: True,
    "false": lambda values: False,
    "null": lambda values: None,
    "concat": lambda values: "".join(map(_text, values)),
    "format": _format,
    "string": lambda values: _text(values[0]),
    "json": lambda values: json.loads(_text(values[0])),
    "tolower": lambda values: _text(values[0]).lower(),
    "toupper": lambda values: _text(values[0]).upper(),
    "trim": lambda values: _text(values[0]).strip(),
    "replace": lambda values: _text(values[0]).replace(_text(values[1]), _text(values[2])),
    "equals": _equal,
    "not": lambda values: not _truth(values[0]),
    "and": lambda values: all(map(_truth, values)),
    "or": lambda values: any(map(_truth, values)),
    "bool": lambda values: _truth(values[0]),
    "empty": lambda values: values[0] is None or _size(values[0]) == 0,
    "length": lambda values: _size(values[0]),
    "coalesce": lambda values: next((value for value in values if value is not None), None),
    "createarray": list,
    "array": lambda values: values[0] if isinstance(values[0], list) else [values[0]],
    "createobject": lambda values: {_text(key): value for key, value in zip(values[::2], values[1::2], strict=True)},
    "first": lambda values: _first_of(values[0]),
}
