"""How facts of a report are put into words, for people, the same in every format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from diagnose.model import Citation, Finding, Fix, Moment, StageState, Subject, Target, Verdict

MARKS: Mapping[StageState, str] = {
    StageState.PASSED: "ok",
    StageState.FAILED: "X",
    StageState.NOT_REACHED: ".",
    StageState.UNKNOWN: "?",
}
"""A rung of the ladder where there is neither colour nor shape."""

STATES: Mapping[StageState, str] = {
    StageState.PASSED: "passed",
    StageState.FAILED: "failed here",
    StageState.NOT_REACHED: "not reached",
    StageState.UNKNOWN: "not known",
}

LOST = "Nothing that was read shows how far the deployment came."
"""In place of a ladder of which no rung is known."""

UNCAUSED: Mapping[Verdict, str] = {
    Verdict.FAILING: "The cause was not found",
    Verdict.DEGRADED: "The cause was not found",
    Verdict.UNKNOWN: "Not enough could be seen",
    Verdict.HEALTHY: "Nothing is wrong",
}
"""What is said of services without a known cause, where many are listed."""

RISKS: Mapping[str, str] = {"none": "none", "low": "low", "high": "high, think before you run it"}
"""Of a fix."""

KINDS: Mapping[str, str] = {
    "deployment": "Deployment",
    "build": "Image build",
    "schedule": "Scheduling",
    "pull": "Image pull",
    "start": "Start",
    "init": "init()",
    "probe": "Probes",
    "crash": "Crashes",
    "policy": "Policy writes",
    "request": "Requests",
    "": "Other",
}
"""Of the moments of a time line: MOMENTS, and what is none of them."""


def climbed(ladder: Sequence[tuple[str, StageState]]) -> bool:
    """Something is known of at least one stage."""
    return any(state is not StageState.UNKNOWN for _, state in ladder)


def legend(ladder: Sequence[tuple[str, StageState]]) -> str:
    """The marks that occur in ``ladder``, explained."""
    used = {state for _, state in ladder}
    return ", ".join(f"{MARKS[state]} {words}" for state, words in STATES.items() if state in used)


def location(citation: Citation) -> str:
    """``file:line``, ``command, line 3``, or the source alone."""
    if citation.line is None:
        return citation.source
    return f"{citation.source}{', line ' if ' ' in citation.source else ':'}{citation.line}"


def circumstances(citation: Citation) -> str:
    """When, and how often; empty when neither is known."""
    facts = (clock(citation.time) if citation.time else "", f"×{citation.count}" if citation.count > 1 else "")
    return "  ".join(fact for fact in facts if fact)


def first_line(citation: Citation) -> int | None:
    """Number of the first line of ``before``."""
    return None if citation.line is None else citation.line - len(citation.before)


def classification(finding: Finding) -> str:
    """The rule with what it says of itself, for who looks it up."""
    return f"{finding.rule}, {finding.severity}, stage {finding.stage}"


def subjects(finding: Finding, target: Target, most: int) -> str:
    """The first ``most`` objects concerned, in words; empty when none has a name."""
    same = {(one.namespace, one.container) for one in finding.subjects}
    pods = sorted({one.pod for one in finding.subjects if one.pod})
    if len(same) == 1 and len(pods) == len(set(finding.subjects)) > 1:
        place = subject_name(replace(finding.subjects[0], pod=None, workload=None), target)
        return f"{place}{' of ' if place else ''}pods " + first(pods, most, ", ")
    return first(sorted({name for name in (subject_name(one, target) for one in finding.subjects) if name}), most)


def first(names: Sequence[str], most: int, between: str = "; ") -> str:
    """``names`` in one line; of more than ``most`` only how many there are besides."""
    more = f"{between}and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more


def subject_name(subject: Subject, target: Target) -> str:
    """What an object is called; its namespace only where it is not the target's."""
    elsewhere = f"namespace {subject.namespace}" if subject.namespace not in (None, target.namespace) else ""
    pod = f"pod {subject.pod}" if subject.pod else ""
    container = f"container {subject.container}" if subject.container else ""
    workload = f"{subject.workload}" if subject.workload and not (pod or container) else ""
    return ", ".join(part for part in (elsewhere, workload, pod, container) if part)


def risk(fix: Fix) -> str:
    """In words; empty when there is none."""
    return "" if fix.risk == "none" else RISKS[fix.risk]


def left_open(rules: Sequence[str], most: int) -> str:
    """How many rules could not be decided, with the names of the first ``most``."""
    names = ", ".join(rules[:most]) + (", ..." if len(rules) > most else "")
    return f"{number(len(rules), 'rule')} ({names})" if rules else ""


def left_out(characters: int) -> str:
    """Stands where a line was cut."""
    return f"... {number(characters, 'character')} left out ..."


def more(count: int) -> str:
    """How many there are besides; empty without any."""
    return f"and {count:,} more" if count else ""


SHORTENED: Mapping[str, tuple[str, str]] = {
    "cut": ("piece", "of evidence shown in part, around what the rule found"),
    "uncited": ("further piece", "of evidence not shown"),
    "brief": ("finding", "told in one line"),
    "untold": ("finding", "not told"),
    "gaps": ("thing", "that could not be checked not named"),
    "earlier": ("earlier moment", "not on the time line"),
}
"""What a page may leave out of a report."""


def shortened(counts: Mapping[str, int]) -> list[str]:
    """What is left out, in words; ``counts`` by the names of SHORTENED."""
    return [f"{number(counts[name], noun)} {rest}" for name, (noun, rest) in SHORTENED.items() if counts.get(name)]


def same_cause(services: int) -> str:
    """Said above what is wrong with several services; empty for one."""
    return f"The same cause in {number(services, 'service')}" if services > 1 else ""


def reports_left_out(count: int) -> str:
    """Said below the index of a file that does not hold every report; empty for none."""
    return (
        f"{number(count, 'report')} {'is' if count == 1 else 'are'} left out to keep this file small." if count else ""
    )


def in_order(timeline: Sequence[Moment]) -> list[Moment]:
    """By time; as reported where the times are the same."""
    return sorted(timeline, key=lambda moment: utc(moment.time))


def utc(time: datetime) -> datetime:
    """In UTC; a time without zone is UTC already."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def iso(time: datetime) -> str:
    """ISO 8601 in UTC with a ``Z``."""
    return utc(time).isoformat().removesuffix("+00:00") + "Z"


def clock(time: datetime) -> str:
    """``2026-11-22 12:03:41 UTC``."""
    return f"{utc(time):%Y-%m-%d %H:%M:%S} UTC"


def number(count: int, noun: str) -> str:
    """``1 secret``, ``3 secrets``, ``12,000 lines``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def size(count: int) -> str:
    """Bytes in words: ``312 B``, ``4.1 KiB``, ``1.0 MiB``."""
    if count < 1024:
        return f"{count} B"
    amount = count / 1024
    for unit in ("KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def duration(seconds: float) -> str:
    """``0.8 s``, ``12 s``, ``2 min 5 s``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
