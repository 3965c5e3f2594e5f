"""The indented ``Key: value`` text of ``kubectl describe`` as a tree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_KEY = re.compile(r"(?P<key>[A-Za-z0-9][^\s:]*(?: [^\s:]+){0,4}):(?: +(?P<value>.*)|)")
_END_STATE = re.compile(r"(?P<indent> +)(?:Exit Code|Signal|Started|Finished|Ready):")
_MESSAGE = re.compile(r"(?P<indent> +)Message: ")
_MESSAGE_LINES = 300
"""A termination message holds at most 4 KB or 80 lines of log."""


@dataclass(slots=True)
class Field:
    """A key with its value, what stands indented below it, and the number of its line."""

    key: str
    value: str
    line: int
    indent: int = -1
    children: list[Field] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    """Lines below it that have no key of their own: further labels, words of a command, rows of a table."""

    def child(self, key: str) -> Field | None:
        """The first child of that name."""
        return next((child for child in self.children if child.key == key), None)

    def get(self, *path: str) -> str:
        """The value at the end of a path of keys; empty where there is none, or where kubectl prints ``<none>``."""
        here: Field | None = self
        for key in path:
            here = here.child(key) if here else None
        return "" if here is None or here.value in ("<none>", "<unset>", "<unknown>", "<nil>") else here.value

    def values(self, key: str) -> list[str]:
        """The value of ``key`` and the lines that continue it."""
        child = self.child(key)
        if child is None:
            return []
        nested = [f"{one.key}: {one.value}".rstrip(" :") for one in child.children]
        return [value for value in (self.get(key), *child.rest, *nested) if value]


def outline(lines: Sequence[str], first_line: int) -> Field:
    """The tree of ``lines``, of which the first is line ``first_line`` of its file. Its root has no key."""
    root = Field("", "", first_line)
    open_fields = [root]
    for number, line in _unwrapped(lines, first_line):
        content = line.strip()
        if not content:
            continue
        indent = len(line) - len(line.lstrip())
        while open_fields[-1].indent >= indent:
            open_fields.pop()
        found = _KEY.fullmatch(content)
        if found is None:
            open_fields[-1].rest.append(content)
            continue
        new = Field(found["key"], (found["value"] or "").strip(), number, indent)
        open_fields[-1].children.append(new)
        open_fields.append(new)
    return root


def _unwrapped(lines: Sequence[str], first_line: int) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, where a termination message of several lines, printed as it is, takes only one."""
    index = 0
    while index < len(lines):
        line, after = lines[index], index + 1
        if found := _MESSAGE.match(line):
            after = _end_of_message(lines, index + 1, found["indent"])
            line = " ".join([line, *(more.strip() for more in lines[index + 1 : after] if more.strip())])
        yield first_line + index, line
        index = after


def _end_of_message(lines: Sequence[str], start: int, indent: str) -> int:
    """Where the state goes on after a message: at a key of the state, indented like ``Message`` or less."""
    for index in range(start, min(start + _MESSAGE_LINES, len(lines))):
        found = _END_STATE.match(lines[index])
        if found and len(found["indent"]) <= len(indent):
            return index
    return start
