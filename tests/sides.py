"""Short ways to write down the two sides of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnose.compare.changes import Renamed, changes_of
from diagnose.compare.model import Change, NotCompared, Place, Side, Told
from diagnose.model import Evidence, Item, Log, Missing, NotChecked, Role, Severity, Subject, Target, Verdict, Why

OWN = Place("ns", "churn")


def told(
    rule: str, *places: Place, role: Role = Role.ROOT_CAUSE, severity: Severity = "error", **fields: object
) -> Told:
    """A finding; of the service itself unless a place is given."""
    return Told(  # type: ignore[arg-type]
        rule=rule,
        title=f"Title of {rule}",
        severity=severity,
        stage="init",
        role=role,
        places=places or (OWN,),
        **fields,
    )


def side(*findings: Told, verdict: Verdict = Verdict.FAILING, **fields: object) -> Side:
    """A side that was judged by all rules there are."""
    fields = {"name": "file.json", "service": "churn", "namespace": "ns", **fields}
    return Side(verdict=verdict, findings=findings, **fields)  # type: ignore[arg-type]


def gap(what: str, *rules: str, why: str = "denied") -> NotChecked:
    """Something that was not looked at."""
    return NotChecked(what, why, "more rights", rules)


def missing(stream: str, what: str = "something", why: Why = Why.DENIED, subject: Subject | None = None) -> Missing:
    """Something that was not collected."""
    return Missing(stream=stream, why=why, what=what, needs="more rights", subject=subject or Subject())


def collected(
    items: Mapping[str, Sequence[Item]] | None = None, *gaps: Missing, logs: Mapping[str, tuple[Log, ...]] | None = None
) -> Evidence:
    """Evidence of the service."""
    target = Target(service="churn", kind="kubernetes", namespace="ns")
    streams = {name: tuple(several) for name, several in (items or {}).items()}
    return Evidence(target=target, items=streams, logs=logs or {}, missing=gaps)


def differences(
    stream: str, before: Sequence[Item], after: Sequence[Item], renamed: Renamed | None = None
) -> list[Change]:
    """What differs between two collections of one stream."""
    found, gaps = changes_of(collected({stream: before}), collected({stream: after}), renamed or Renamed())
    assert gaps == []
    return found


def shown(changes: Sequence[Change]) -> list[tuple[str, str, str, str]]:
    """Area, what, before, after; of a set what was removed and added."""
    return [
        (one.area, one.what, one.before or ", ".join(one.removed), one.after or ", ".join(one.added)) for one in changes
    ]


def gaps_of(before: Evidence, after: Evidence) -> list[NotCompared]:
    """What could not be compared."""
    return changes_of(before, after, Renamed())[1]
