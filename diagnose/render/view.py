"""What a report says, in the words and the order in which it is told: the screen and the page take it from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from diagnose.model import Finding, NotChecked, Report, Role, Target, Verdict
from diagnose.render.words import number

_PLACES = {"docker": "Docker", "kubernetes": "Kubernetes", "aci": "Azure", "endpoint": "Azure", "azure": "Azure"}
_NOT_SUPPLIED = "not supplied"


@dataclass(frozen=True, slots=True)
class Further:
    """A finding that is told after the answer."""

    label: str
    """What it is to the answer."""
    finding: Finding
    urgent: bool
    """Told with its evidence: a second cause, a contribution, or something that nothing explains."""
    folded: tuple[str, ...]
    """Titles of what it accounts for."""
    symptoms: tuple[Finding, ...]
    """The same, as far as it was found."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """All that could not be looked at for one reason, and what would make it readable."""

    why: str
    what: tuple[str, ...]
    needs: tuple[str, ...]
    rules: tuple[str, ...]
    """Left open by it, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The parts of the answer, in the order in which they are told."""

    service: str
    verdict: str
    stop: str
    """Where it stopped, in words; may be empty."""
    reason: str
    """Why the verdict is what it is; empty when the title of ``main`` says it already."""
    place: str
    """Where the service was found."""
    main: Finding | None
    """The finding that answers; without one either all is well, or nothing that was seen says what is wrong."""
    heading: str
    """What ``main`` is, or that nothing explains the failure; empty when there is nothing to explain."""
    unaccounted: str
    """What is said where ``heading`` has no finding."""
    known: bool
    """``main`` is a cause, so its fixes mend something; otherwise they say where to look."""
    remedy: str
    """What the fixes of ``main`` are."""
    reading: tuple[str, ...]
    """Where to read on when no cause is known."""
    folded: tuple[str, ...]
    """Titles of the symptoms that ``main`` accounts for."""
    symptoms: tuple[Finding, ...]
    """The same, as far as they were found."""
    further: tuple[Further, ...]
    unseen: tuple[Unseen, ...]
    blind: bool
    """Too little was seen: what could not be checked is the answer, and told before all that was found besides."""
    unseen_heading: str
    advice: str
    """What to do when too little was seen; empty otherwise."""
    redactions: str
    """In one sentence; empty without any."""


def view(report: Report) -> View:
    """The report in the order in which it is told. Takes every fact from it and adds none."""
    main = _main(report)
    known = main is not None and main.role is Role.ROOT_CAUSE
    blind = report.verdict is Verdict.UNKNOWN and not known
    return View(
        service=report.service,
        verdict=report.verdict.value,
        stop=_stop(report),
        reason=_reason(report, main),
        place=_place(report.target),
        main=main,
        heading=_heading(report.verdict, main),
        unaccounted="No rule accounts for what was seen.",
        known=known,
        remedy="What to do" if known else "Where to look next",
        reading=() if known or main is None else tuple(_reading(report, main)),
        folded=_titles(_by_rule(report), main) if main else (),
        symptoms=_symptoms(report, main) if main else (),
        further=tuple(_further(report, main)),
        unseen=tuple(_unseen(report.not_checked)),
        blind=blind,
        unseen_heading="What could not be seen, and what that needs" if blind else "What could not be checked",
        advice=_advice(report) if blind else "",
        redactions=_redactions(report.redactions),
    )


def _main(report: Report) -> Finding | None:
    causes = [finding for finding in report.findings if finding.role is Role.ROOT_CAUSE]
    if causes or report.verdict is Verdict.HEALTHY:
        return next(iter(causes), None)
    folded = _folded(report)
    open_questions = (
        finding
        for finding in report.findings
        if finding.role in (Role.SYMPTOM, Role.CONTRIBUTING) and id(finding) not in folded
    )
    return next(open_questions, None)


def _folded(report: Report) -> set[int]:
    """Identities of the findings that another one accounts for, and that are told under its name."""
    causes: dict[str, list[Finding]] = {}
    for finding in report.findings:
        for rule in finding.explains:
            causes.setdefault(rule, []).append(finding)
    folded: set[int] = set()
    for finding in report.findings:
        if finding.role in (Role.SYMPTOM, Role.LATENT) and any(
            id(other) not in folded and _accounts(other, finding) for other in causes.get(finding.rule, ())
        ):
            folded.add(id(finding))
    return folded


def _accounts(cause: Finding, told: Finding) -> bool:
    """``told`` is named by ``cause``, was true at the same time, and of the same object: a rule may be found twice."""
    return (
        told is not cause
        and told.rule in cause.explains
        and (told.role is Role.LATENT) == (cause.role is Role.LATENT)
        and any(one.joins(other) for one in cause.subjects for other in told.subjects)
    )


def _heading(verdict: Verdict, main: Finding | None) -> str:
    if main is not None:
        return "Cause" if main.role is Role.ROOT_CAUSE else "The cause was not found. This was seen"
    return "The cause was not found" if verdict in (Verdict.FAILING, Verdict.DEGRADED) else ""


def _stop(report: Report) -> str:
    match report.verdict:
        case Verdict.FAILING:
            return f"stopped at {report.failed}" if report.failed else _got_to(report.reached)
        case Verdict.DEGRADED:
            return f"serves in part, fails at {report.failed}" if report.failed else "serves in part"
        case Verdict.HEALTHY:
            return "no failure found"
        case Verdict.UNKNOWN:
            return f"may have stopped at {report.failed}" if report.failed else "could not see enough to tell"
        case _:
            assert_never(report.verdict)


def _reason(report: Report, main: Finding | None) -> str:
    said = main is not None and report.verdict_reason.rstrip(".") == main.title.rstrip(".")
    return "" if said else report.verdict_reason


def _got_to(stage: str | None) -> str:
    return f"came as far as {stage}" if stage else ""


def _place(target: Target) -> str:
    if target.kind == "nowhere":
        return f"Looked for in {target.where}" if target.where else "Found nowhere"
    found = f"Found in {_PLACES[target.kind]}" if target.kind in _PLACES else "Read from saved evidence"
    return f"{found}: {target.where}" if target.where else found


def _reading(report: Report, main: Finding) -> Iterable[str]:
    """Where the cause may still be found, as sentences."""
    for citation in main.evidence[:2]:
        if citation.line is not None:
            yield f"Read what stands around line {citation.line} of {citation.source}."
        elif not main.fixes:
            yield f"Look at {citation.source}."
    if report.not_checked:
        yield "Make readable what could not be checked, listed below: the cause may be there."


def _by_rule(report: Report) -> Mapping[str, Finding]:
    return {finding.rule: finding for finding in report.findings}


def _titles(found: Mapping[str, Finding], cause: Finding) -> tuple[str, ...]:
    """Of what ``cause`` accounts for; the id alone where the report holds no more of it."""
    return tuple(f"{found[rule].title} ({rule})" if rule in found else rule for rule in sorted(cause.explains))


def _symptoms(report: Report, cause: Finding) -> tuple[Finding, ...]:
    """In the order of their ids, as their titles are."""
    told = (finding for finding in report.findings if cause.explains and _accounts(cause, finding))
    return tuple(sorted(told, key=lambda finding: finding.rule))


_ORDER = (Role.ROOT_CAUSE, Role.CONTRIBUTING, Role.SYMPTOM, Role.LATENT, Role.ADVICE)


def _further(report: Report, main: Finding | None) -> Iterable[Further]:
    """All but the answer and the symptoms something accounts for: by role, and as ranked within it."""
    folded, found = _folded(report), _by_rule(report)
    told = [finding for finding in report.findings if finding is not main and id(finding) not in folded]
    for finding in sorted(told, key=lambda finding: _ORDER.index(finding.role)):
        urgent = finding.role not in (Role.LATENT, Role.ADVICE)
        symptoms = _symptoms(report, finding)
        yield Further(_label(finding.role), finding, urgent, _titles(found, finding), symptoms)


def _label(role: Role) -> str:
    match role:
        case Role.ROOT_CAUSE:
            return "Another cause"
        case Role.CONTRIBUTING:
            return "Contributes to it"
        case Role.SYMPTOM:
            return "Not explained"
        case Role.LATENT:
            return "No effect at present"
        case Role.ADVICE:
            return "Advice"
        case _:
            assert_never(role)


def _unseen(gaps: Sequence[NotChecked]) -> Iterable[Unseen]:
    """By reason and remedy, as reported. What nobody supplied says nothing against the service: it is one, and last."""
    groups: dict[tuple[str, str], list[NotChecked]] = {}
    for gap in gaps:
        groups.setdefault((gap.why, "" if gap.why == _NOT_SUPPLIED else gap.needs), []).append(gap)
    for (why, _), group in sorted(groups.items(), key=lambda item: item[0][0] == _NOT_SUPPLIED):
        yield Unseen(
            why=why,
            what=tuple(dict.fromkeys(gap.what for gap in group)),
            needs=tuple(dict.fromkeys(gap.needs for gap in group if gap.needs)),
            rules=tuple(sorted({rule for gap in group for rule in gap.rules})),
        )


def _advice(report: Report) -> str:
    if report.not_checked:
        return "To get an answer, provide what is needed here, beginning with the first, and run diagnose again."
    return "To get an answer, run diagnose where the service can be reached, or give it the logs of its container."


def _redactions(counts: Mapping[str, int]) -> str:
    kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(counts.items()) if count)
    total = sum(counts.values())
    were = "was" if total == 1 else "were"
    return f"{number(total, 'secret')} {were} replaced by placeholders: {kinds}." if total else ""
