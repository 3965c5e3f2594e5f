"""The report as one HTML file that needs nothing else: no script, no outside address, and a policy forbidding both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from diagnose.model import Citation, Finding, Fix, Moment, Report, StageState
from diagnose.render.options import Options
from diagnose.render.plain import plain
from diagnose.render.view import Further, Unseen, View, view
from diagnose.render.words import (
    LOST,
    STATES,
    circumstances,
    classification,
    climbed,
    clock,
    duration,
    first_line,
    in_order,
    iso,
    left_open,
    location,
    number,
    risk,
    size,
    subjects,
)

if TYPE_CHECKING:
    from jinja2 import Environment

Part = dict[str, object]
"""Something the template lays out: texts, and lists of parts."""

_MARKS = {StageState.PASSED: "✓", StageState.FAILED: "✕", StageState.NOT_REACHED: "–", StageState.UNKNOWN: "?"}
_CLASSES = {
    StageState.PASSED: "passed",
    StageState.FAILED: "failed",
    StageState.NOT_REACHED: "ahead",
    StageState.UNKNOWN: "unknown",
}

_SUBJECTS = 10
_RULES = 20
_EVIDENCE = 5
"""Citations shown of one finding, unless all are asked for."""
_CHARACTERS = 2_000
"""Characters shown of one line of evidence, and a quarter of it of a line beside it, unless all are asked for."""


def render(report: Report, options: Options) -> str:
    """The whole file. Of ``options`` only ``verbose`` matters; the others concern a terminal."""
    from importlib.resources import files

    from markupsafe import Markup

    style = files("diagnose.reports").joinpath("report.css").read_text(encoding="utf-8")
    page = _environment().get_template("report.html.j2")
    laid_out = page.render(policy=policy(style), style=Markup(style), **_parts(report, verbose=options.verbose))
    return laid_out.rstrip("\n") + "\n"


def policy(style: str) -> str:
    """The content security policy of a page whose only resource is this inline style."""
    from base64 import b64encode
    from hashlib import sha256

    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("diagnose.reports", ""),
        autoescape=True,  # select_autoescape() would leave a .j2 file unescaped
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """What is printed of ``value``: every text of the page comes through here, and is escaped after it."""
    return plain(value) if type(value) is str else value


def _parts(report: Report, *, verbose: bool) -> Part:
    told = view(report)
    gaps = [_gap(gap) for gap in told.unseen]
    return {
        "told": told,
        "notes": report.target.notes,
        "lost": "" if climbed(report.ladder) else LOST,
        "ladder": [_rung(stage, state) for stage, state in report.ladder] if climbed(report.ladder) else [],
        "answer": _answer(report, told, told.main, verbose) if told.main else None,
        "further": [_further(report, one, verbose) for one in told.further],
        "unseen_first": gaps if told.blind else [],
        "unseen_last": [] if told.blind else gaps,
        "timeline": [_moment(moment) for moment in in_order(report.timeline)],
        **_background(report, told),
    }


def _gap(gap: Unseen) -> Part:
    return {
        "why": gap.why,
        "what": "; ".join(gap.what),
        "needs": "; ".join(gap.needs),
        "left_open": left_open(gap.rules, _RULES),
    }


def _moment(moment: Moment) -> Part:
    return {
        "clock": clock(moment.time),
        "iso": iso(moment.time),
        "what": moment.what,
        "subject": moment.subject,
    }


def _background(report: Report, told: View) -> Part:
    return {
        "collected": [
            {
                "collector": one.collector,
                "brought": number(one.items, "item"),
                "size": size(one.bytes),
                "duration": duration(one.seconds),
            }
            for one in sorted(report.collected, key=lambda one: one.collector)
        ],
        "cuts": report.cuts,
        "redactions": told.redactions,
        "versions": ", ".join(f"{name} {version}" for name, version in sorted(report.versions.items())),
    }


def _rung(stage: str, state: StageState) -> Part:
    return {"stage": stage, "state": STATES[state], "mark": _MARKS[state], "class": _CLASSES[state]}


def _answer(report: Report, told: View, main: Finding, verbose: bool) -> Part:
    steps = (*main.fixes, *(Fix(sentence) for sentence in told.reading))
    return {**_finding(report, main, verbose), "steps": [_fix(step) for step in steps]}


def _further(report: Report, one: Further, verbose: bool) -> Part:
    return {"label": one.label, "folded": one.folded, **_finding(report, one.finding, verbose)}


def _finding(report: Report, finding: Finding, verbose: bool) -> Part:
    shown = finding.evidence if verbose else finding.evidence[:_EVIDENCE]
    hidden = len(finding.evidence) - len(shown)
    return {
        "title": finding.title,
        "explain": plain(finding.explain).strip().split("\n"),
        "where": subjects(finding, report.target, len(finding.subjects) if verbose else _SUBJECTS),
        "rule": classification(finding),
        "evidence": [_citation(citation, None if verbose else _CHARACTERS) for citation in shown],
        "hidden": f"and {hidden} more" if hidden else "",
        "steps": [_fix(fix) for fix in finding.fixes],
        "references": [_reference(text) for text in finding.references],
    }


def _citation(citation: Citation, most: int | None) -> Part:
    lines = (*citation.before, citation.text, *citation.after)
    return {
        "location": location(citation),
        "circumstances": circumstances(citation),
        "lines": list(_lines(lines, first_line(citation), hit=len(citation.before), most=most)),
    }


def _lines(lines: Iterable[str], first: int | None, *, hit: int, most: int | None) -> Iterable[Part]:
    context = most // 4 if most else None
    for place, line in enumerate(lines):
        yield {
            "number": "" if first is None else str(first + place),
            "text": _ends(plain(line).rstrip(), most if place == hit else context),
            "hit": place == hit,
        }


def _ends(text: str, most: int | None) -> str:
    """How ``text`` begins and ends when it is longer than ``most`` characters."""
    if most is None or len(text) <= most:
        return text
    start, end = most - most // 4, len(text) - most // 4
    return f"{text[:start]} ... {end - start:,} characters left out ... {text[end:]}"


def _fix(fix: Fix) -> Part:
    return {
        "text": fix.text,
        "command": plain(fix.command).strip("\n"),
        "risk": risk(fix),
        "verify": fix.verify,
    }


def _reference(text: str) -> Part:
    """Only an https address without anything odd in it becomes a link."""
    clean = plain(text)
    return {"text": clean, "link": clean if clean.startswith("https://") and not set(clean) & set(" \n<>\"'`") else ""}
