"""A report in the parts that the HTML page lays out: the same words as on the screen, evidence numbered and cut to fit.

Evidence is shown once, where it is cited first; whoever cites it again links there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diagnose.model import Citation, Finding, Fix, Moment, Report, StageState
from diagnose.render.axis import Axis, axis
from diagnose.render.excerpt import is_cut, rows
from diagnose.render.plain import plain, plain_line
from diagnose.render.view import Further, Unseen, View, view
from diagnose.render.words import (
    KINDS,
    LOST,
    RISKS,
    STATES,
    circumstances,
    classification,
    climbed,
    clock,
    duration,
    first,
    in_order,
    iso,
    location,
    more,
    number,
    size,
    subjects,
)

Part = dict[str, object]
"""Something the template lays out: texts, and lists of parts."""

_CLASSES = {
    StageState.PASSED: "passed",
    StageState.FAILED: "failed",
    StageState.NOT_REACHED: "ahead",
    StageState.UNKNOWN: "unsure",
}
_FEW = 4
"""Rules left open that are named at once."""
_MARKUP = 80
"""Bytes of elements around a part, about."""
_ESCAPED = frozenset("<>&\"'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is shown; None is all of it."""

    line: int | None = None
    """Characters of a line of evidence."""
    beside: int | None = None
    """Characters of a line beside it."""
    evidence: int | None = None
    """Citations of one finding."""
    names: int | None = None
    """Objects, rules and sentences in a list."""
    told: int | None = None
    """Findings told with all they say, beside the answer; the others get a line each."""
    brief: int | None = None
    """Those lines."""
    moments: int | None = None
    """Moments of the time line: the newest."""
    gaps: int | None = None
    """Reasons why something could not be checked."""


WHOLE = Limits()
LEVELS = (
    Limits(line=1_000, beside=300, evidence=5, names=10, told=200, brief=2_000, moments=200, gaps=200),
    Limits(line=600, beside=200, evidence=3, names=10, told=100, brief=2_000, moments=100, gaps=200),
    Limits(line=300, beside=150, evidence=3, names=5, told=50, brief=1_000, moments=60, gaps=100),
    Limits(line=300, beside=100, evidence=2, names=5, told=20, brief=500, moments=60, gaps=50),
    Limits(line=160, beside=0, evidence=1, names=3, told=3, brief=20, moments=20, gaps=10),
)
"""From what is shown of an ordinary report to what is shown of the largest."""


@dataclass(slots=True)
class _Shown:
    """What the page holds so far: which number each citation has, and what was left out."""

    numbers: dict[Citation, int] = field(default_factory=dict)
    cut: int = 0
    """Citations of which only a part is shown."""
    uncited: int = 0
    """Citations that are not shown."""
    brief: int = 0
    """Findings that got a line only."""
    unnamed: int = 0
    """Findings that did not even get that."""
    earlier: int = 0
    """Moments before those that are shown."""
    gaps: int = 0
    """Reasons why something could not be checked that are not shown."""


def parts(report: Report, limits: Limits, *, prefix: str = "") -> Part:
    """All of it. ``prefix`` keeps the ids of several reports in one file apart."""
    return _Page(report, limits, prefix).parts()


def weight(part: object) -> int:
    """Bytes that ``part`` takes on the page, about; rather more than less."""
    match part:
        case str():
            return len(part.encode("utf-8", "replace")) + 4 * sum(map(part.count, _ESCAPED))
        case Mapping():
            return _MARKUP + sum(map(weight, part.values()))
        case list() | tuple():
            return sum(map(weight, part))
        case Axis():
            return weight([{"told": spot.told} for spot in part.spots])
        case _:
            return 0


def least(report: Report, limits: Limits) -> int:
    """Bytes of evidence on the page, rather less than more; quick, to pass over what will not fit anyway."""
    told = report.findings if limits.told is None else report.findings[: limits.told]
    distinct = {citation for finding in told for citation in finding.evidence[: limits.evidence]}
    return sum(min(len(one.text), limits.line or len(one.text)) + sum(_beside(one, limits.beside)) for one in distinct)


def _beside(citation: Citation, most: int | None) -> Iterator[int]:
    for text in (*citation.before, *citation.after):
        yield len(text) if most is None else min(len(text), most)


class _Page:
    """One report being laid out."""

    def __init__(self, report: Report, limits: Limits, prefix: str) -> None:
        self.report = report
        self.limits = limits
        self.prefix = prefix
        self.told: View = view(report)
        self.shown = _Shown()

    def parts(self) -> Part:
        report, told, limits = self.report, self.told, self.limits
        answer = self._answer(told.main) if told.main else None
        further, brief = self._further()
        gaps = [self._gap(gap) for gap in (told.unseen if limits.gaps is None else told.unseen[: limits.gaps])]
        self.shown.gaps = len(told.unseen) - len(gaps)
        return {
            "prefix": self.prefix,
            "service": told.service,
            "verdict": told.verdict,
            "stop": told.stop,
            "reason": told.reason,
            "place": told.place,
            "notes": report.target.notes,
            "lost": "" if climbed(report.ladder) else LOST,
            "ladder": [
                {"stage": stage, "state": STATES[state], "class": _CLASSES[state]} for stage, state in report.ladder
            ],
            "climb": _climb(report),
            "heading": told.heading,
            "unaccounted": told.unaccounted,
            "remedy": told.remedy,
            "answer": answer,
            "further": further,
            "brief": brief,
            "unnamed": more(self.shown.unnamed),
            "unseen_first": gaps if told.blind else [],
            "unseen_last": [] if told.blind else gaps,
            "unseen_heading": told.unseen_heading,
            "advice": told.advice,
            **self._timeline(),
            **self._background(),
            "cuts_more": more(len(report.cuts) - len(report.cuts[: limits.names])),
        }

    def _timeline(self) -> Part:
        every = in_order(self.report.timeline)
        moments = every[-self.limits.moments :] if self.limits.moments else every
        self.shown.earlier = self.report.earlier + len(every) - len(moments)
        common = _common(moment.subject for moment in moments if moment.subject)
        return {
            "axis": axis(moments),
            "common": common,
            "timeline": [_moment(moment, common) for moment in moments],
        }

    def _background(self) -> Part:
        report = self.report
        return {
            "collected": [
                {
                    "collector": one.collector,
                    "brought": f"{one.items:,}",
                    "size": size(one.bytes),
                    "duration": duration(one.seconds),
                }
                for one in sorted(report.collected, key=lambda one: one.collector)
            ],
            "cuts": report.cuts[: self.limits.names],
            "shortened": list(self._shortened()),
            "redactions": [
                {"kind": kind, "count": f"{count:,}"} for kind, count in sorted(report.redactions.items()) if count
            ],
            "versions": [{"name": name, "version": version} for name, version in sorted(report.versions.items())],
        }

    def _shortened(self) -> Iterator[str]:
        """What of the report this page does not show."""
        shown = self.shown
        if shown.cut:
            yield f"{number(shown.cut, 'piece')} of evidence shown in part, around what the rule found"
        if shown.uncited:
            yield f"{number(shown.uncited, 'further piece')} of evidence not shown"
        if shown.brief:
            yield f"{number(shown.brief, 'finding')} told in one line"
        if shown.unnamed:
            yield f"{number(shown.unnamed, 'finding')} not told"
        if shown.gaps:
            yield f"{number(shown.gaps, 'thing')} that could not be checked not named"
        if shown.earlier:
            yield f"{number(shown.earlier, 'earlier moment')} not on the time line"

    def _gap(self, gap: Unseen) -> Part:
        names = self.limits.names
        return {
            "why": gap.why,
            "what": first(gap.what, names or len(gap.what)),
            "needs": first(gap.needs, names or len(gap.needs)),
            "open": number(len(gap.rules), "rule") if gap.rules else "",
            "rules": first(gap.rules, 2 * names if names else len(gap.rules), ", "),
            "few": 0 < len(gap.rules) <= _FEW,
        }

    def _answer(self, main: Finding) -> Part:
        reading = (Fix(sentence) for sentence in self.told.reading)
        told = self._finding(main)
        return {
            **told,
            "steps": [_step(fix) for fix in (*main.fixes, *reading)],
            "symptoms": self._symptoms(self.told.symptoms),
            "unfound": _unfound(main, self.told.symptoms),
        }

    def _further(self) -> tuple[list[Part], list[Part]]:
        """The findings told in full, and those that get a line."""
        limits, every = self.limits, self.told.further
        whole = every if limits.told is None else every[: limits.told]
        rest = every[len(whole) :]
        lines = rest if limits.brief is None else rest[: limits.brief]
        self.shown.brief += len(lines)
        self.shown.unnamed += len(rest) - len(lines)
        return [self._one(one) for one in whole], [self._line(one.finding, one.label) for one in lines]

    def _one(self, one: Further) -> Part:
        told = self._finding(one.finding)
        return {
            "label": one.label,
            "open": one.urgent,
            **told,
            "symptoms": self._symptoms(one.symptoms),
            "unfound": _unfound(one.finding, one.symptoms),
        }

    def _line(self, finding: Finding, label: str) -> Part:
        """A finding in one line, with where to look it up."""
        cited = finding.evidence[:1]
        return {
            "label": label,
            "title": finding.title,
            "rule": finding.rule,
            "where": subjects(finding, self.report.target, 1),
            "location": location(cited[0]) if cited else "",
        }

    def _symptoms(self, findings: Sequence[Finding]) -> list[Part]:
        limit = self.limits.told
        whole = findings if limit is None else findings[:limit]
        self.shown.unnamed += len(findings) - len(whole)
        return [self._finding(finding) for finding in whole]

    def _finding(self, finding: Finding) -> Part:
        names = self.limits.names
        shown = finding.evidence[: self.limits.evidence]
        hidden = len(finding.evidence) - len(shown)
        self.shown.uncited += hidden
        figures = [figure for citation in shown if (figure := self._figure(citation))]
        return {
            "title": finding.title,
            "explain": plain(finding.explain).strip().split("\n"),
            "where": subjects(finding, self.report.target, names or len(finding.subjects)),
            "id": finding.rule,
            "rule": classification(finding),
            "refs": [self._ref(citation) for citation in shown],
            "figures": figures,
            "hidden": more(hidden),
            "steps": [_step(fix) for fix in finding.fixes],
            "references": [_reference(text) for text in finding.references],
        }

    def _number(self, citation: Citation) -> int:
        """The number of a citation; the same for what two rules found in the same line."""
        return self.shown.numbers.setdefault(replace(citation, marked=""), len(self.shown.numbers) + 1)

    def _ref(self, citation: Citation) -> Part:
        own = self._number(citation)
        return {"id": f"{self.prefix}e{own}", "name": f"E{own}"}

    def _figure(self, citation: Citation) -> Part | None:
        """None where the page holds it already."""
        known = len(self.shown.numbers)
        if self._number(citation) <= known:
            return None
        shown = rows(citation, self.limits.line, self.limits.beside)
        self.shown.cut += is_cut(shown)
        return {
            **self._ref(citation),
            "location": location(citation),
            "circumstances": circumstances(citation),
            "rows": [
                {
                    "number": row.number,
                    "hit": row.hit,
                    "pieces": [{"kind": piece.kind, "text": piece.text} for piece in row.pieces],
                }
                for row in shown
            ],
        }


def _step(fix: Fix) -> Part:
    return {
        "text": fix.text,
        "command": plain(fix.command).strip("\n"),
        "risk": fix.risk,
        "risk_told": RISKS[fix.risk],
        "verify": fix.verify,
    }


def _climb(report: Report) -> str:
    """The ladder in one sentence, for where there is no room for the picture."""
    groups: dict[str, list[str]] = {}
    for stage, state in report.ladder:
        groups.setdefault(STATES[state], []).append(stage)
    return "; ".join(f"{state}: {', '.join(stages)}" for state, stages in groups.items())


def _unfound(cause: Finding, symptoms: Sequence[Finding]) -> list[str]:
    """Rules that ``cause`` accounts for, of which the report holds no more than the id."""
    return sorted(set(cause.explains) - {finding.rule for finding in symptoms})


def _moment(moment: Moment, common: str) -> Part:
    return {
        "clock": clock(moment.time),
        "iso": iso(moment.time),
        "kind": KINDS.get(moment.kind, KINDS[""]),
        "what": plain_line(moment.what),
        "subject": moment.subject.removeprefix(common).strip("/"),
    }


def _common(paths: Iterable[str]) -> str:
    """The leading parts that all ``paths`` share."""
    every = [path.split("/") for path in dict.fromkeys(paths)]
    shared: list[str] = []
    for level in zip(*every, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared)


def _reference(text: str) -> Part:
    """Only an https address without anything odd in it becomes a link."""
    clean = plain(text)
    return {"text": clean, "link": clean if clean.startswith("https://") and not set(clean) & set(" \n<>\"'`") else ""}
