"""What the formats for pipelines share: how loud a finding is, the file it is about, and all it says as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from diagnose.model import Citation, Finding, Fix, Report, Target
from diagnose.outcome import counts_against
from diagnose.render.excerpt import rows
from diagnose.render.plain import plain, plain_line
from diagnose.render.view import Unseen, view
from diagnose.render.words import circumstances, classification, left_open, left_out, location, number, risk, subjects

Level = Literal["error", "warning", "note"]

_STDIN = "-"
_UNWRAPPED = re.compile(r" \([a-z ]+\)$")
"""How a text that stood inside a file was made readable."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file."""

    path: str
    line: int | None
    """None where the line is not one of the file itself."""


def explained(report: Report) -> Mapping[int, str]:
    """Rules that account for a finding, by the identity of the finding: of those that are told under another's name."""
    told = view(report)
    causes = [(told.main.rule, told.symptoms)] if told.main else []
    causes += [(one.finding.rule, one.symptoms) for one in told.further]
    above = {id(told.main), *(id(one.finding) for one in told.further)}
    rules: dict[int, list[str]] = {}
    for rule, symptoms in causes:
        for finding in symptoms:
            rules.setdefault(id(finding), []).append(rule)
    return {known: ", ".join(names) for known, names in rules.items() if known not in above}


def level(finding: Finding, *, explained: bool) -> Level:
    """An error makes the run fail unless ``--fail-on`` says otherwise; what another finding explains is no news, and
    advice no alarm."""
    if explained:
        return "note"
    if counts_against(finding, "error"):
        return "error"
    return "warning" if counts_against(finding, "warning") else "note"


def place(citation: Citation, target: Target) -> Place | None:
    """The file that holds it; None for what a command printed, and for standard input."""
    if target.kind != "files" and " " in citation.source:
        return None
    path = _UNWRAPPED.sub("", citation.source)
    return None if path == _STDIN else Place(path, citation.line if path == citation.source else None)


def summary(report: Report) -> str:
    """The verdict in one line."""
    told = view(report)
    return plain_line(f"{told.service}: {told.verdict}{f', {told.stop}' if told.stop else ''}")


def text(finding: Finding, target: Target, most: int | None = None, characters: int | None = None) -> str:
    """All but the title, in lines; of the evidence at most ``most`` pieces, of each ``characters``."""
    where = subjects(finding, target, len(finding.subjects))
    parts = [
        plain(finding.explain).strip(),
        f"Where: {plain_line(where)}" if where else "",
        f"Rule: {plain_line(classification(finding))}",
        f"Explains: {', '.join(map(plain_line, sorted(finding.explains)))}" if finding.explains else "",
        *_quoted(finding.evidence, most, characters),
        *steps(finding.fixes),
        *(f"Read more: {plain_line(address)}" for address in finding.references),
    ]
    return "\n".join(part for part in parts if part)


def _quoted(evidence: Sequence[Citation], most: int | None, characters: int | None) -> Iterable[str]:
    for citation in evidence[:most]:
        yield f"Evidence: {plain_line(f'{location(citation)}  {circumstances(citation)}')}"
        for line in rows(citation, characters, characters and characters // 4):
            yield f"  {'>' if line.hit else '|'} {''.join(piece.text for piece in line.pieces)}"
    hidden = len(evidence) - len(evidence[:most])
    if hidden:
        yield f"and {number(hidden, 'more piece')} of evidence"


def steps(fixes: Sequence[Fix]) -> Iterable[str]:
    """What to do, in lines."""
    for count, fix in enumerate(fixes, 1):
        yield f"{count}. {plain_line(fix.text)}"
        command = plain(fix.command).strip("\n").replace("\n", "\n     ")
        yield from [f"   $ {command}"] if command else []
        if fix.risk != "none":
            yield f"   Risk: {risk(fix)}."
        if fix.verify:
            yield f"   To verify: {plain_line(fix.verify)}"


def gap(unseen: Unseen) -> str:
    """What could not be looked at for one reason, in one line."""
    needs = f". It needs: {'; '.join(unseen.needs)}" if unseen.needs else ""
    rules = f". Left open: {left_open(unseen.rules, len(unseen.rules))}" if unseen.rules else ""
    return plain_line(f"{unseen.why}: {'; '.join(unseen.what)}{needs}{rules}")


def shortened(text: str, most: int) -> str:
    """How ``text`` begins and ends when it is longer than ``most`` characters."""
    if len(text) <= most:
        return text
    start, end = most - most // 4, len(text) - most // 4
    return f"{text[:start]} {left_out(end - start)} {text[end:]}"
