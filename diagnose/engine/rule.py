"""A rule as the engine runs it: frozen, checked, and quick to load from a cache."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from diagnose.model import Fix, Kind, Severity
from diagnose.patterns import Pattern

PLACEHOLDER = re.compile(
    r"\{(?P<name>[a-z_][a-z0-9_]*)(?:\.(?P<field>[a-z_][a-z0-9_]*))?(?:\|(?P<otherwise>[^{}]*))?\}"
)
"""``{selection.field}``, ``{selection.capture}`` or ``{service}``, with ``|text`` for when it is not known.

Of several, ``{one.field|other.field|text}``, the first that is known counts; the last part always is a text.
"""

CONTEXT = (
    *("service", "namespace", "workload", "pod", "container", "image", "logs", "previous_logs", "exec", "shell"),
    *("subscription", "resource_group", "workspace"),
)
"""Names a text may use beside its selections; they stand for the real names of the failing subject.

``logs`` and ``previous_logs`` are the commands that print its log, ``exec`` the command that runs something in the
running container, ``shell`` the one that opens a copy of it that does not crash.
"""

Test = Literal["equals", "regex", "above", "below", "at_least", "at_most", "exists"]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One test of one field."""

    field: str
    test: Test
    values: tuple[str | int | float | bool | None, ...] = ()
    """``equals``: any of these; the comparisons and ``exists``: the first."""
    pattern: Pattern | None = None
    negate: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A named choice of items of one stream: what it selects is the evidence cited."""

    name: str
    stream: str
    where: tuple[Matcher, ...]
    run: Literal["current", "previous", "any"] = "any"
    unless_line: Pattern | None = None
    """Nothing of a log counts in which any line matches this."""
    unless_followed_by: Pattern | None = None
    """A line does not count when a later one of the same log matches this."""
    followed_by: Pattern | None = None
    """A line counts only when a later one of the same log matches this."""
    at_least: int = 1
    """Occurrences needed; an event counts as often as it says."""
    optional: bool = False
    """Cited and used in texts when it is there, but not needed."""

    def patterns(self) -> tuple[Pattern, ...]:
        """The patterns that choose log lines: all of all rules run over a log at once."""
        return tuple(matcher.pattern for matcher in self.where if matcher.field == "line" and matcher.pattern)

    def context(self) -> tuple[Pattern, ...]:
        """The patterns for lines around a chosen one; they only run there, since some match every other line."""
        return tuple(p for p in (self.unless_line, self.unless_followed_by, self.followed_by) if p)


@dataclass(frozen=True, slots=True)
class Rule:
    """A known failure."""

    id: str
    title: str
    kind: Kind
    stage: str
    severity: Severity
    stops: str
    """Stage of the ladder at which a deployment stops for it; empty when the folded symptoms tell."""
    explains: tuple[str, ...]
    selections: tuple[Selection, ...]
    condition: tuple[str, ...]
    """Names, ``and``, ``or``, ``not`` in postfix order."""
    per: str
    within_s: float | None
    explain: str
    fixes: tuple[Fix, ...]
    references: tuple[str, ...]
    path: str
    """The file it came from."""


def choices(found: re.Match[str]) -> tuple[list[tuple[str, str | None]], str]:
    """What a placeholder stands for: the names to try, in order, and the text for when none of them is known."""
    names: list[tuple[str, str | None]] = [(found["name"], found["field"])]
    if found["otherwise"] is None:
        return names, f"<{found['field'] or found['name']}>"
    *others, text = found["otherwise"].split("|")
    for name, _, field in (other.partition(".") for other in others):
        names.append((name, field or None))
    return names, text


def filled(text: str, value: Callable[[str, str | None], str | None]) -> str:
    """``text`` with placeholders replaced by ``value(name, field)``; None gives way to ``|text`` or ``<name>``."""

    def one(found: re.Match[str]) -> str:
        names, otherwise = choices(found)
        return next((known for name, field in names if (known := value(name, field))), otherwise)

    return PLACEHOLDER.sub(one, text)


def kleene(condition: tuple[str, ...], values: Mapping[str, bool | None]) -> bool | None:
    """Three-valued logic over postfix ``condition``: None is "unknown" and only counts where it decides."""
    stack: list[bool | None] = []
    for token in condition:
        if token == "not":
            top = stack.pop()
            stack.append(None if top is None else not top)
        elif token in ("and", "or"):
            stack.append(_join(token, stack.pop(), stack.pop()))
        else:
            stack.append(values[token])
    return stack.pop()


def _join(word: str, right: bool | None, left: bool | None) -> bool | None:
    decisive = word == "or"
    if decisive in (left, right):
        return decisive
    return None if None in (left, right) else not decisive
