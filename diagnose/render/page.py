"""A report in the parts that the HTML page lays out: the same words as on the screen, evidence numbered and cut to fit.

Evidence is shown once, where it is cited first; whoever cites it again links there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
    shortened,
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
    Limits(line=1_000, beside=300, evidence=8, names=10, told=200, brief=2_000, moments=200, gaps=200),
    Limits(line=600, beside=200, evidence=3, names=10, told=100, brief=2_000, moments=100, gaps=200),
    Limits(line=300, beside=150, evidence=3, names=5, told=50, brief=1_000, moments=60, gaps=100),
    Limits(line=300, beside=100, evidence=2, names=5, told=20, brief=500, moments=60, gaps=50),
    Limits(line=160, beside=0, evidence=1, names=3, told=3, brief=20, moments=20, gaps=10),
)
"""From what is shown of an ordinary report to what is shown of the largest."""


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
    distinct = {
        citation for finding in report.findings[: limits.told] for citation in finding.evidence[: limits.evidence]
    }
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
        self.numbers: dict[Citation, int] = {}
        """Of the evidence that the page holds so far."""
        self.left_out: Counter[str] = Counter()
        """By the names of SHORTENED."""

    def parts(self) -> Part:
        """In the order of the page, so that its evidence is numbered in that order."""
        return {
            "prefix": self.prefix,
            **self._state(),
            **self._findings(),
            **self._gaps(),
            **self._timeline(),
            **self._background(),
        }

    def _state(self) -> Part:
        report, told = self.report, self.told
        return {
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
        }

    def _findings(self) -> Part:
        told, limits = self.told, self.limits
        answer = self._answer(told.main) if told.main else None
        whole = told.further[: limits.told]
        rest = told.further[len(whole) :]
        brief = rest[: limits.brief]
        self.left_out["brief"] += len(brief)
        self.left_out["untold"] += len(rest) - len(brief)
        return {
            "heading": told.heading,
            "unaccounted": told.unaccounted,
            "remedy": told.remedy,
            "answer": answer,
            "further": [self._one(one) for one in whole],
            "brief": [self._line(one.finding, one.label) for one in brief],
            "untold": more(len(rest) - len(brief)),
        }

    def _gaps(self) -> Part:
        told = self.told
        gaps = [self._gap(gap) for gap in told.unseen[: self.limits.gaps]]
        self.left_out["gaps"] += len(told.unseen) - len(gaps)
        return {
            "unseen_first": gaps if told.blind else [],
            "unseen_last": [] if told.blind else gaps,
            "unseen_heading": told.unseen_heading,
            "advice": told.advice,
        }

    def _timeline(self) -> Part:
        every = in_order(self.report.timeline)
        moments = every[-self.limits.moments :] if self.limits.moments else every
        self.left_out["earlier"] += self.report.earlier + len(every) - len(moments)
        common = _common(moment.subject for moment in moments if moment.subject)
        return {
            "axis": axis(moments),
            "common": common,
            "timeline": [_moment(moment, common) for moment in moments],
        }

    def _background(self) -> Part:
        report = self.report
        cuts = report.cuts[: self.limits.names]
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
            "cuts": cuts,
            "cuts_more": more(len(report.cuts) - len(cuts)),
            "shortened": shortened(self.left_out),
            "redactions": [
                {"kind": kind, "count": f"{count:,}"} for kind, count in sorted(report.redactions.items()) if count
            ],
            "versions": [{"name": name, "version": version} for name, version in sorted(report.versions.items())],
        }

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
        return {
            **self._finding(main),
            "steps": [_step(fix) for fix in (*main.fixes, *reading)],
            "symptoms": self._symptoms(self.told.symptoms),
            "unfound": _unfound(main, self.told.symptoms),
        }

    def _one(self, one: Further) -> Part:
        return {
            "label": one.label,
            "open": one.urgent,
            **self._finding(one.finding),
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
        whole = findings[: self.limits.told]
        self.left_out["untold"] += len(findings) - len(whole)
        return [self._finding(finding) for finding in whole]

    def _finding(self, finding: Finding) -> Part:
        names = self.limits.names
        shown = finding.evidence[: self.limits.evidence]
        hidden = len(finding.evidence) - len(shown)
        self.left_out["uncited"] += hidden
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
        return self.numbers.setdefault(replace(citation, marked=""), len(self.numbers) + 1)

    def _ref(self, citation: Citation) -> Part:
        own = self._number(citation)
        return {"id": f"{self.prefix}e{own}", "name": f"E{own}"}

    def _figure(self, citation: Citation) -> Part | None:
        """None where the page holds it already."""
        known = len(self.numbers)
        if self._number(citation) <= known:
            return None
        shown = rows(citation, self.limits.line, self.limits.beside)
        self.left_out["cut"] += is_cut(shown)
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
