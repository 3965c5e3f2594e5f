"""Two looks at a service compared: what came, what went, and what was changed in between. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from diagnose.azure_items import Operation
from diagnose.compare import changes, findings, packages
from diagnose.compare.changes import Renamed
from diagnose.compare.model import AREAS, Change, Comparison, NotCompared, Place, Side, Told
from diagnose.model import Evidence, Item, Moment

_WHAT_A_REPORT_LACKS = "images, packages, environment, resources, probes, replicas, access and all other settings"


def compare(before: Side, after: Side) -> Comparison:
    """What became of the findings, and what was changed. Two services are compared as if they were one."""
    renamed = _renamed(before, after)
    found, gaps = _changes(before.evidence, after.evidence, renamed)
    return Comparison(
        before=before,
        after=after,
        findings=findings.changes_of(_in_the_names_of_after(before, renamed), after),
        changes=tuple(sorted(found, key=lambda change: AREAS.index(change.area))),
        between=_between(before, after),
        not_compared=tuple(gaps),
        notes=tuple(_notes(before, after)),
    )


def _renamed(before: Side, after: Side) -> Renamed:
    services = {before.service: after.service} if before.service != after.service else {}
    known = before.namespace and after.namespace and before.namespace != after.namespace
    return Renamed(services, {str(before.namespace): str(after.namespace)} if known else {})


def _in_the_names_of_after(side: Side, renamed: Renamed) -> Side:
    return replace(
        side,
        findings=tuple(replace(one, places=_places(one, renamed)) for one in side.findings),
        not_checked=tuple(replace(gap, what=renamed.text(gap.what)) for gap in side.not_checked),
    )


def _places(told: Told, renamed: Renamed) -> tuple[Place, ...]:
    return tuple(
        Place(
            place.namespace and renamed.namespace(place.namespace),
            place.workload and renamed.name(place.workload),
        )
        for place in told.places
    )


def _changes(
    before: Evidence | None, after: Evidence | None, renamed: Renamed
) -> tuple[list[Change], list[NotCompared]]:
    if before is None or after is None:
        both = before is None and after is None
        which = "BEFORE and AFTER are reports" if both else f"{'BEFORE' if before is None else 'AFTER'} is a report"
        why = f"{which}, and a report holds findings but no evidence: give what `diagnose collect` saved"
        return [], [NotCompared(_WHAT_A_REPORT_LACKS, why)]
    of_items, unread = changes.changes_of(before, after, renamed)
    of_packages, unnamed = packages.changes_of(before, after)
    return [*of_items, *of_packages], [*unread, *unnamed]


def _between(before: Side, after: Side) -> tuple[Moment, ...]:
    """Writes and deployments after BEFORE was collected."""
    if before.time is None or after.evidence is None:
        return ()
    streams = ("vault_writes", "operations")
    items = [item for stream in streams for item in after.evidence.items.get(stream, ())]
    moments = {Moment(item.time, _told(item), str(item.subject)) for item in items if item.time}
    return tuple(sorted((m for m in moments if m.time > before.time), key=lambda m: (m.time, m.what)))


def _told(item: Item) -> str:
    if isinstance(item, Operation):
        return f"{item.step or item.kind} of {item.resource or item.name}: {item.status} {item.message}".strip()
    return item.text()


def _notes(before: Side, after: Side) -> Iterator[str]:
    if before.service != after.service:
        yield f"BEFORE is of {before.service}, AFTER of {after.service}: they are compared as if they were one service."
    if before.time and after.time and after.time < before.time:
        yield "AFTER was collected before BEFORE: were they meant the other way round?"
    if before.versions.get("rules") != after.versions.get("rules") or _version(before) != _version(after):
        yield (
            f"BEFORE was judged by diagnose {_version(before)} with {before.versions.get('rules', 'unknown')} rules, "
            f"AFTER by {_version(after)} with {after.versions.get('rules', 'unknown')}: "
            "what is new or fixed may be so because of the rules."
        )


def _version(side: Side) -> str:
    return side.versions.get("diagnose", "of an unknown version")
