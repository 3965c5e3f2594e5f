"""What was saved of a service, and what could not be read, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator

from diagnose.model import Evidence, Why
from diagnose.render.plain import plain_line
from diagnose.render.words import number

_GAPS = 10


def lines(evidence: Evidence, path: str) -> Iterator[str]:
    """What the file at ``path`` holds, then what is not in it."""
    target = evidence.target
    items = sum(map(len, evidence.items.values()))
    logs = sum(map(len, evidence.logs.values()))
    where = f" ({target.where})" if target.where else ""
    yield plain_line(f"wrote {path}: {number(items, 'item')} and {number(logs, 'log')} of {target.service}{where}")
    yield from (plain_line(note) for note in target.notes)
    if replaced := sum(evidence.redactions.values()):
        yield f"replaced by placeholders: {number(replaced, 'secret')}"
    gaps = [gap for gap in evidence.missing if gap.why is not Why.NOT_SUPPLIED]
    told = dict.fromkeys(f"not read: {g.what} ({g.why}{f'; it needs {g.needs}' if g.needs else ''})" for g in gaps)
    yield from map(plain_line, list(told)[:_GAPS])
    if len(told) > _GAPS:
        yield f"and {len(told) - _GAPS} more; diagnose analyze {plain_line(path)} tells all"
