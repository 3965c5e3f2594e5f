"""Facts computed from logs: tracebacks and what the model server did. Pure functions, after redaction."""

from __future__ import annotations

from dataclasses import replace

from diagnose.facts.server import MARKS, server_runs
from diagnose.facts.tracebacks import HEADER, tracebacks
from diagnose.model import Evidence

TEXTS = (HEADER, *(text for texts in MARKS.values() for text in texts))
"""Literal texts the facts are computed from: what must be kept of a log that is too large to keep."""


def derived(evidence: Evidence) -> Evidence:
    """The evidence with the streams ``tracebacks`` and ``server`` added, when any log was collected."""
    logs = [log for several in evidence.logs.values() for log in several]
    if not evidence.logs:
        return evidence
    found = {
        "tracebacks": tuple(fact for log in logs for fact in tracebacks(log)),
        "server": tuple(fact for log in evidence.logs.get("logs.container", ()) for fact in server_runs(log)),
    }
    return replace(evidence, items={**evidence.items, **found})
