"""A key vault laid out for a terminal: its settings, its access policies, and what else there is to say."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diagnose.render.plain import plain_line

_INDENT = "  "
_LABEL = 18


@dataclass(frozen=True, slots=True)
class Entry:
    """One access policy."""

    principal: str
    name: str
    """Who that is; empty where nobody can tell."""
    permissions: tuple[tuple[str, tuple[str, ...]], ...]
    """By kind, those that are given."""


@dataclass(frozen=True, slots=True)
class Section:
    """More lines under a heading. They are not wrapped: commands are copied from here."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultView:
    """What is shown of a vault."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    policies: tuple[Entry, ...] = ()
    policies_title: str = ""
    """Empty: no policies are shown."""
    sections: tuple[Section, ...] = ()


def render(view: VaultView, width: int = 100) -> str:
    """The whole text, ending with a newline; nothing in it reaches the terminal as a control sequence."""
    return "\n".join(plain_line_kept(line) for line in _lines(view, width)) + "\n"


def plain_line_kept(line: str) -> str:
    """A safe line that keeps its indentation."""
    return " " * (len(line) - len(line.lstrip(" "))) + plain_line(line)


def _lines(view: VaultView, width: int) -> Iterator[str]:
    yield view.title
    for label, value in view.facts:
        yield from _labelled(label, (value,), width, _INDENT)
    if view.policies_title:
        yield ""
        yield view.policies_title
        for entry in view.policies:
            yield f"{_INDENT}{entry.principal}  {entry.name}".rstrip()
            for kind, permissions in entry.permissions:
                yield from _labelled(kind, permissions, width, _INDENT * 2)
    for section in view.sections:
        yield ""
        yield section.title
        yield from (f"{_INDENT}{line}" for line in section.lines)


def _labelled(label: str, words: Sequence[str], width: int, indent: str) -> Iterator[str]:
    first = f"{indent}{label:<{_LABEL}} "
    text = " ".join(words) or "none"
    yield from textwrap.wrap(
        text,
        max(width, 60),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
