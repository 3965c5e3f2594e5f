"""What a comparison says, in the words and the order in which it is told: screen and comment take it from here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from diagnose.compare.model import COME, GONE, QUIET, Change, Comparison, FindingChange, Side, Status
from diagnose.model import Verdict
from diagnose.render.words import clock, first, iso, location, number

_AREAS = {
    "image": "Image and model",
    "packages": "Packages in the image",
    "environment": "Environment variables",
    "resources": "Resources",
    "probes": "Probes",
    "container": "Container",
    "replicas": "Replicas",
    "network": "Network",
    "deployment": "Deployment",
    "vault": "Key vault",
    "access": "Access",
    "registry": "Registry",
    "workspace": "Workspace and cluster",
    "limits": "Quotas and limits",
    "state": "State, which may be what came of it",
}
_STATUSES = {
    Status.NEW: "New",
    Status.STILL: "Still there",
    Status.UNKNOWN: "Not known any more",
    Status.FIXED: "Fixed",
}
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_LONGEST = 160
"""Characters shown of one value, unless all are asked for."""
_ELEMENTS = 12
"""Elements shown of what was added or removed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is told, and what is said of it."""

    text: str
    details: tuple[tuple[str, str], ...] = ()
    """What it is, and how it is: ``Where`` and the workloads."""
    quote: str = ""
    """A line of evidence."""


@dataclass(frozen=True, slots=True)
class Section:
    """Entries under a heading."""

    title: str
    entries: tuple[Entry, ...]
    hidden: int = 0
    """Entries besides, which are shown when all are asked for."""
    nested: bool = False
    """It belongs to the section before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """The parts of the answer, in the order in which they are told."""

    service: str
    verdicts: tuple[str, str]
    sides: tuple[str, str]
    """Where each of the two is from, and where it stopped."""
    summary: str
    sections: tuple[Section, ...]
    notes: tuple[str, ...]


def view(comparison: Comparison, *, most: int | None) -> ComparisonView:
    """The comparison in the order in which it is told; at most so many entries of a section, None is all."""
    before, after = comparison.before, comparison.after
    changed = _areas(comparison.changes, most)
    return ComparisonView(
        service=after.service if before.service == after.service else f"{before.service} and {after.service}",
        verdicts=(before.verdict.value, after.verdict.value),
        sides=(_side(before), _side(after)),
        summary=_summary(comparison),
        sections=(
            *(section for status in Status for section in _findings(comparison, status, most)),
            *([Section("What was changed in between", ()), *changed] if changed else []),
            *_between(comparison),
            *_not_compared(comparison),
        ),
        notes=comparison.notes,
    )


def stop(side: Side) -> str:
    """Where it stopped, in words."""
    match side.verdict:
        case Verdict.FAILING:
            return f"stopped at {side.failed}" if side.failed else "does not work"
        case Verdict.DEGRADED:
            return f"serves in part, fails at {side.failed}" if side.failed else "serves in part"
        case Verdict.HEALTHY:
            return "no failure found"
        case Verdict.UNKNOWN:
            return "could not be judged"
        case _:
            assert_never(side.verdict)


def _side(side: Side) -> str:
    facts = (stop(side), f"collected {clock(side.time)}" if side.time else "", side.where)
    kind = "report" if side.evidence is None else "evidence"
    return f"{'; '.join(fact for fact in facts if fact)} ({kind} {side.name})"


def _summary(comparison: Comparison) -> str:
    counts = {status: sum(1 for one in comparison.of(status) if one.active and not one.under) for status in Status}
    words = [f"{count} {status.value}" for status, count in counts.items() if count]
    found = f"Findings: {', '.join(words)}." if words else "Nothing harmful was found on either side."
    if comparison.before.evidence is None or comparison.after.evidence is None:
        return f"{found} What was changed in between is not known."
    settings = [change for change in comparison.changes if change.area != "state"]
    return f"{found} Settings changed: {len(settings)}." if settings else f"{found} No setting was seen to change."


def _findings(comparison: Comparison, status: Status, most: int | None) -> Iterator[Section]:
    """Those that do harm with their symptoms, then in one line those that do not."""
    found = comparison.of(status)
    harmful = [one for one in found if one.active and not one.under]
    quiet = [one for one in found if not one.active]
    entries = [_finding(one, found, verbose=most is None) for one in harmful]
    if quiet:
        titles = [f"{one.title} ({one.rule})" for one in quiet]
        shown = first(titles, len(titles) if most is None else 3)
        entries.append(Entry(f"Advice, and what has no effect at present: {shown}"))
    if entries:
        count = number(len(harmful), "finding") if harmful else "advice only"
        yield Section(f"{_STATUSES[status]}: {count}", tuple(entries[:most]), len(entries) - len(entries[:most]))


def _finding(one: FindingChange, found: Iterable[FindingChange], *, verbose: bool) -> Entry:
    symptoms = [f"{other.title} ({other.rule})" for other in found if other.under == one.rule]
    cited = one.citation if verbose or one.status is Status.NEW else None
    details = (
        ("Rule", f"{one.rule}, {one.severity}, stage {one.stage}"),
        ("Where", ", ".join(one.places)),
        ("Role", _role(one)),
        ("Note", one.note),
        ("With it", "; ".join(symptoms)),
        ("Evidence", location(cited) if cited else ""),
    )
    return Entry(one.title, tuple(pair for pair in details if pair[1]), _short(cited.text, verbose) if cited else "")


def _role(one: FindingChange) -> str:
    """Only where it changed."""
    if one.before is None or one.after is None or one.before is one.after:
        return ""
    quiet = " (no effect at present)" if one.after in QUIET else ""
    return f"{_words(one.before)} → {_words(one.after)}{quiet}"


def _words(role: str) -> str:
    return role.replace("_", " ")


def _areas(changes: Iterable[Change], most: int | None) -> list[Section]:
    by_area: dict[str, list[Change]] = {}
    for change in changes:
        by_area.setdefault(change.area, []).append(change)
    return [
        Section(
            _AREAS[area],
            tuple(_change(change, verbose=most is None) for change in found[:most]),
            len(found) - len(found[:most]),
            nested=True,
        )
        for area, found in by_area.items()
    ]


def _change(change: Change, *, verbose: bool) -> Entry:
    details = (("See", "; ".join(change.sources)),) if verbose and change.sources else ()
    if change.what in (COME, GONE):
        told = _short("; ".join((*change.added, *change.removed)), verbose)
        return Entry(f"{change.subject} {change.what}: {told}", details)
    return Entry(f"{change.subject}, {change.what}: {_difference(change, verbose)}", details)


def _difference(change: Change, verbose: bool) -> str:
    if change.before or change.after:
        return f"{_short(change.before, verbose)} → {_short(change.after, verbose)}"
    parts = {"removed": change.removed, "added": change.added}
    most = {name: len(values) if verbose else _ELEMENTS for name, values in parts.items()}
    told = (
        f"{name} {first([_short(value, verbose) for value in values], most[name], ', ')}"
        for name, values in parts.items()
        if values
    )
    return "; ".join(told)


def _short(text: str, verbose: bool) -> str:
    """A digest by its beginning, and a long text by its ends."""
    if verbose:
        return text
    told = _DIGEST.sub(r"\1", text)
    if len(told) <= _LONGEST:
        return told
    return f"{told[: _LONGEST // 2]} ... {told[-_LONGEST // 3 :]}"


def _between(comparison: Comparison) -> list[Section]:
    entries = tuple(Entry(f"{clock(moment.time)}  {moment.what}") for moment in comparison.between)
    return [Section("What happened in between", entries)] if entries else []


def _not_compared(comparison: Comparison) -> list[Section]:
    entries = tuple(Entry(f"{gap.what}: {gap.why}") for gap in comparison.not_compared)
    return [Section("What could not be compared", entries)] if entries else []


def document(comparison: Comparison) -> Mapping[str, object]:
    """All of it as plain values, for programs."""
    return {
        "schema": "diagnose/comparison/1",
        "before": _side_document(comparison.before),
        "after": _side_document(comparison.after),
        "findings": [_finding_document(one) for one in comparison.findings],
        "changes": [_change_document(one) for one in comparison.changes],
        "between": [{"time": iso(one.time), "what": one.what, "subject": one.subject} for one in comparison.between],
        "not_compared": [{"what": gap.what, "why": gap.why} for gap in comparison.not_compared],
        "notes": list(comparison.notes),
    }


def _side_document(side: Side) -> Mapping[str, object]:
    return {
        "file": side.name,
        "form": side.form,
        "service": side.service,
        "where": side.where,
        "time": iso(side.time) if side.time else None,
        "verdict": side.verdict,
        "stage": {"reached": side.reached, "failed": side.failed},
        "versions": dict(sorted(side.versions.items())),
    }


def _finding_document(one: FindingChange) -> Mapping[str, object]:
    cited = one.citation
    return {
        "status": one.status,
        "rule": one.rule,
        "title": one.title,
        "stage": one.stage,
        "severity": one.severity,
        "places": list(one.places),
        "before": one.before,
        "after": one.after,
        "note": one.note,
        "explained_by": one.under or None,
        "evidence": {"source": cited.source, "line": cited.line, "text": cited.text} if cited else None,
    }


def _change_document(one: Change) -> Mapping[str, object]:
    return {
        "area": one.area,
        "subject": one.subject,
        "what": one.what,
        "before": one.before,
        "after": one.after,
        "removed": list(one.removed),
        "added": list(one.added),
        "sources": list(one.sources),
    }
