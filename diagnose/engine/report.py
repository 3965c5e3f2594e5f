"""The whole answer from evidence: findings, verdict, ladder, what was not checked, and the time line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnose.engine.health import Health
from diagnose.engine.ladder import ladder, stopped_at
from diagnose.engine.load import RuleBook
from diagnose.engine.match import Outcome, match
from diagnose.engine.rank import rank
from diagnose.engine.timeline import timeline
from diagnose.model import (
    Evidence,
    Finding,
    Missing,
    NotChecked,
    Report,
    Role,
    Verdict,
    Why,
)
from diagnose.outcome import counts_against
from diagnose.streams import STREAMS

_DECIDING = (Role.ROOT_CAUSE, Role.CONTRIBUTING)


def report(book: RuleBook, evidence: Evidence, versions: Mapping[str, str]) -> Report:
    """Judge ``evidence`` by the rules of ``book``."""
    outcomes = match(book, evidence)
    health = Health(evidence)
    findings = rank([hit for outcome in outcomes for hit in outcome.hits], evidence, health, book.by_id)
    broken = [o.rule.id for o in outcomes if any(one not in evidence.missing for one in o.missing)]
    unseen = [*_unseen(evidence), *(f"the answer of {name}" for name in broken)]
    failed = stopped_at(findings, book.by_id)
    verdict, reason = _verdict(findings, unseen, failed, health)
    rungs, reached = ladder(evidence, failed)
    moments, earlier = timeline(evidence)
    return Report(
        service=evidence.target.service,
        target=evidence.target,
        verdict=verdict,
        verdict_reason=reason,
        reached=reached,
        failed=failed,
        ladder=rungs,
        findings=findings,
        not_checked=_not_checked(evidence.missing, outcomes),
        timeline=moments,
        collected=evidence.collected,
        redactions=evidence.redactions,
        cuts=tuple(log.cut for logs in evidence.logs.values() for log in logs if log.cut),
        versions=versions,
        earlier=earlier,
    )


def _verdict(
    findings: Sequence[Finding], unseen: Sequence[str], failed: str | None, health: Health
) -> tuple[Verdict, str]:
    active = [finding for finding in findings if counts_against(finding, "error")]
    if active:
        causes = [finding for finding in findings if finding.role in _DECIDING]
        told = causes[0].title if causes else f"{active[0].title}; its cause was not found"
        return _broken(told, failed, health)
    if health.unwell():
        state = Verdict.DEGRADED if health.serving() else Verdict.FAILING
        return state, "Its state says that it does not work, but no known failure explains what was seen."
    if unseen:
        return Verdict.UNKNOWN, f"Nothing wrong in what could be read, but {_listed(unseen)} could not be had."
    if health.all_well():
        return Verdict.HEALTHY, _well(health)
    return Verdict.UNKNOWN, "No known failure was recognised, and nothing proves that the service works."


def _broken(told: str, failed: str | None, health: Health) -> tuple[Verdict, str]:
    late = failed in ("score", "serve")
    if any(server.served for server in health.servers) if late else health.serving():
        return Verdict.DEGRADED, f"{told}; part of it still serves."
    return Verdict.FAILING, f"{told}."


def _unseen(evidence: Evidence) -> list[str]:
    """Titles of the vital streams of which something could not be read, though it was there to be read."""
    gaps = dict.fromkeys(
        m.stream for m in evidence.missing if STREAMS[m.stream].vital and m.why not in (Why.NOT_SUPPLIED, Why.TRUNCATED)
    )
    return [STREAMS[name].title for name in gaps]


def _well(health: Health) -> str:
    served = sum(server.served for server in health.servers)
    answered = f"; answered requests: {served}" if served else ""
    if health.containers:
        working = sum(map(health.container_works, health.containers))
        return f"{working} of {len(health.containers)} containers run and are ready{answered}."
    if health.azure:
        return f"Azure says: {'; '.join(state.told for state in health.azure)}{answered}."
    return f"The model server is up and ready for traffic{answered}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _not_checked(missing: Iterable[Missing], outcomes: Sequence[Outcome]) -> tuple[NotChecked, ...]:
    """Each thing once, though several streams lack it."""
    rules: dict[tuple[str, str, str], dict[str, None]] = {_told_of(one): {} for one in missing}
    for outcome in outcomes:
        for one in outcome.missing if not outcome.hits else ():
            rules.setdefault(_told_of(one), {})[outcome.rule.id] = None
    return tuple(NotChecked(what, why, needs, tuple(ids)) for (what, why, needs), ids in rules.items())


def _told_of(missing: Missing) -> tuple[str, str, str]:
    return missing.what, missing.why.value, missing.needs
