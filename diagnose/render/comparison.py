"""A comparison laid out for a terminal, a comment or a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from diagnose.compare.model import Comparison
from diagnose.render.comparison_view import ComparisonView, Entry, Section, document, view
from diagnose.render.json import written
from diagnose.render.markdown import LIMIT, fenced, prose
from diagnose.render.options import Options
from diagnose.render.plain import plain_line

if TYPE_CHECKING:
    from diagnose.render.screen import Screen

_MOST = 15
"""Entries of one section, unless all are asked for."""
_VERDICTS = {"failing": "bold red", "degraded": "bold yellow", "healthy": "bold green", "unknown": "bold magenta"}
_LABELS = ("Before", "After ")


def terminal(comparison: Comparison, options: Options) -> str:
    """At most ``options.width`` wide; without ``options.colour`` no control character but newlines."""
    from diagnose.render.screen import Screen

    screen = Screen(options.width)
    told = view(comparison, most=None if options.verbose else _MOST)
    before, after = told.verdicts
    screen.write(
        (f"{told.service}  ", "bold"),
        (before.upper(), _VERDICTS[before]),
        (" → ", ""),
        (after.upper(), _VERDICTS[after]),
    )
    for label, side in zip(_LABELS, told.sides, strict=True):
        screen.write((f"{label} ", "bold"), (side, ""), hang=7)
    for note in told.notes:
        screen.write((note, "yellow"))
    screen.write((told.summary, ""))
    for section in told.sections if not options.quiet else ():
        _section(screen, section)
    return screen.text(colour=options.colour)


def _section(screen: Screen, section: Section) -> None:
    indent = 2 if section.nested else 0
    if not section.nested:
        screen.blank()
    screen.write((section.title, "bold"), indent=indent)
    for entry in section.entries:
        _entry(screen, entry, indent + 2)
    if section.hidden:
        screen.write((f"and {section.hidden} more (--verbose shows all)", "dim"), indent=indent + 2)


def _entry(screen: Screen, entry: Entry, indent: int) -> None:
    screen.write((entry.text, ""), indent=indent, hang=2)
    for label, text in entry.details:
        screen.write((f"{label}: {text}", "dim"), indent=indent + 2, hang=2)
    if entry.quote:
        screen.quote(">", entry.quote, "", indent=indent + 2, most=3)


def markdown(comparison: Comparison, options: Options) -> str:
    """A comment for GitHub, Azure DevOps or Jira: no tables, no nested lists, words from outside without a meaning."""
    for most in (*((None,) if options.verbose else ()), _MOST, 5, 1):
        text = "\n\n".join(_blocks(view(comparison, most=most), quiet=options.quiet)) + "\n"
        if len(text) <= LIMIT:
            break
    return text


def _blocks(told: ComparisonView, *, quiet: bool) -> Iterator[str]:
    before, after = told.verdicts
    yield f"## {prose(told.service)}: {before.upper()} → {after.upper()}"
    for label, side in zip(_LABELS, told.sides, strict=True):
        yield f"**{label.strip()}:** {prose(side)}"
    yield from map(prose, told.notes)
    yield prose(told.summary)
    for section in told.sections if not quiet else ():
        yield f"{'####' if section.nested else '###'} {prose(section.title)}"
        yield from _listed(section)


def _listed(section: Section) -> Iterator[str]:
    """Entries with something to say besides as paragraphs, the others as a list."""
    short = [entry for entry in section.entries if not entry.details and not entry.quote]
    for entry in section.entries:
        if entry.details or entry.quote:
            yield f"**{prose(entry.text)}**"
            yield "\n".join(f"- {label}: {prose(text)}" for label, text in entry.details)
        if entry.quote:
            yield fenced(f"> {plain_line(entry.quote)}", "text")
    if short:
        yield "\n".join(f"- {prose(entry.text)}" for entry in short)
    if section.hidden:
        yield f"*and {section.hidden} more*"


def json(comparison: Comparison, _options: Options) -> str:
    """The document ``diagnose/comparison/1``; the same whatever the options say, because a program reads it."""
    return written(document(comparison))


FORMATS: Mapping[str, Callable[[Comparison, Options], str]] = MappingProxyType(
    {"terminal": terminal, "json": json, "markdown": markdown}
)
"""By the name that ``--format`` takes."""
