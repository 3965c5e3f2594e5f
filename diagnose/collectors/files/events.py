"""Rows of event tables, of ``kubectl get events`` and of ``kubectl describe`` alike, as events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from diagnose.collectors.files.grid import Row, columns_of, rows
from diagnose.collectors.files.names import Origin, subject_of
from diagnose.collectors.files.times import age_s
from diagnose.streams import Event

KINDS = {
    kind.lower(): kind
    for kind in (
        *(
            "Pod",
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
            "DaemonSet",
            "Job",
            "CronJob",
            "Node",
            "Service",
            "Endpoints",
        ),
        *("HorizontalPodAutoscaler", "PersistentVolumeClaim", "PersistentVolume", "Ingress", "InferenceService"),
    )
}
"""Kubernetes writes kinds in small letters where it names an object ``kind/name``."""

_LAST_COLUMNS = ("MESSAGE", "NAME")
"""``-o wide`` ends with the name of the event."""
_AGE = re.compile(r"(?P<age>\S+)(?: \(x(?P<count>\d+)(?: over \S+)?\))?")
_SEEN = re.compile(r"(?:\d+[ydhms])+|<unknown>|<invalid>")
_PART = re.compile(r"spec\.(?:initContainers|containers|ephemeralContainers)\{(.+?)\}")
_EVENT_NAME = re.compile(r"\.[0-9a-f]{14,16}$")
_BARE = re.compile(r"\s*(?P<type>Normal|Warning)[ \t]{2,}(?P<reason>[A-Z]\w+)[ \t]{2,}(?P<rest>\S.*)")
_WRAPPED_LINES = 20
"""Lines of one message: a failed mount prints about ten."""


def is_event_header(line: str) -> bool:
    """``line`` is the header of an event table of any version."""
    if not line.rstrip().upper().endswith(_LAST_COLUMNS):
        return False
    columns = set(columns_of(line))
    return {"TYPE", "REASON", "MESSAGE"} <= columns and not {"STATUS", "READY"} & columns


def is_bare_event(line: str) -> bool:
    """``line`` is a row of an event table whose header was not saved with it."""
    return _BARE.fullmatch(line) is not None


def events_of_table(lines: Sequence[str], origin: Origin, kind: str = "", name: str = "") -> list[Event]:
    """The events of the table whose header is ``lines[0]``; ``kind`` and ``name`` when all are about one object."""
    found: list[Event] = []
    wrapped = 0
    for row in rows(lines, origin.line):
        if _is_row(row):
            found.append(_event(row, origin, kind, name))
            wrapped = 0
        elif found and wrapped < _WRAPPED_LINES:
            text = lines[row.line - origin.line].strip()
            found[-1] = replace(found[-1], message=f"{found[-1].message} {text}".strip())
            wrapped += 1
    return found


def bare_events(lines: Sequence[str], origin: Origin) -> list[Event]:
    """Events of rows without a header: type, reason, perhaps age, perhaps source, message."""
    found = []
    for number, line in enumerate(lines, origin.line):
        row = _BARE.fullmatch(line)
        if row is None:
            continue
        cells = re.split(r"[ \t]{2,}", row["rest"])
        age, count = _seen(cells[0])
        rest = cells[1:] if len(cells) > 1 and _SEEN.match(cells[0]) else cells
        found.append(
            Event(
                source=origin.source,
                subject=origin.subject,
                line=number,
                type=row["type"],
                reason=row["reason"],
                message=" ".join(rest[1:] if len(rest) > 1 else rest),
                age_s=age,
                count=count,
            )
        )
    return found


def _is_row(row: Row) -> bool:
    """A message that wraps puts its words where the type should be."""
    return row.aligned and row["TYPE"].isalpha() and row["TYPE"][0].isupper() and bool(row["REASON"])


def _event(row: Row, origin: Origin, kind: str, name: str) -> Event:
    age, count = _seen(row["LASTSEEN"] or row["AGE"])
    about_kind, about_name = _about(row) if row["OBJECT"] or row["KIND"] else (kind, name)
    part = _PART.search(row["SUBOBJECT"] or row["SUBOBJECTPATH"])
    namespace = row["NAMESPACE"] or origin.subject.namespace
    return Event(
        source=origin.source,
        subject=subject_of(about_kind, about_name, namespace, part[1] if part else None)
        if about_name
        else origin.subject,
        line=row.line,
        type=row["TYPE"],
        reason=row["REASON"],
        message=row["MESSAGE"],
        kind=about_kind,
        name=about_name,
        count=int(row["COUNT"]) if row["COUNT"].isdigit() else count,
        age_s=age,
    )


def _seen(text: str) -> tuple[float | None, int]:
    """Age and count of ``6m27s (x12 over 8m39s)``."""
    found = _AGE.match(text)
    return (age_s(found["age"]), int(found["count"] or 1)) if found else (None, 1)


def _about(row: Row) -> tuple[str, str]:
    if row["KIND"]:
        return row["KIND"], _EVENT_NAME.sub("", row["NAME"])
    kind, _, name = row["OBJECT"].partition("/")
    kind = kind.split(".")[0]
    return (KINDS.get(kind.lower(), kind), name) if name else ("", kind)
