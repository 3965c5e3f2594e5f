"""The report for other programs: one JSON document, ``diagnose/report/1``, stable in its names and its order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from diagnose.model import Citation, Collected, Finding, Moment, NotChecked, Report, Target
from diagnose.render.options import Options
from diagnose.render.words import in_order, iso

if TYPE_CHECKING:
    from diagnose.render.schema import (
        CitationDocument,
        CollectedDocument,
        FindingDocument,
        MomentDocument,
        NotCheckedDocument,
        ReportDocument,
        TargetDocument,
    )

# A JSON document is printed on terminals too: what could steer one is written as \uXXXX, and reads back unchanged.
_STEERING = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def render(report: Report, options: Options) -> str:
    """The document; the same whatever ``options`` say, because a program reads it."""
    return written(document(report))


def render_many(reports: Sequence[Report], options: Options) -> str:
    """Several reports of one run: ``diagnose/reports/1`` holds each as ``render`` gives it alone."""
    return written({"schema": "diagnose/reports/1", "reports": [document(report) for report in reports]})


def written(document: Mapping[str, object]) -> str:
    """``document`` as text that can be printed on a terminal, and reads back unchanged but for lone surrogates."""
    text = _SURROGATES.sub("\ufffd", json.dumps(document, ensure_ascii=False, indent=2))
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def document(report: Report) -> ReportDocument:
    """The report as plain values. Lists keep the report's order where it means something and are sorted elsewhere."""
    return {
        "schema": "diagnose/report/1",
        "service": report.service,
        "target": _target(report.target),
        "verdict": report.verdict,
        "verdict_reason": report.verdict_reason,
        "stage": {"reached": report.reached, "failed": report.failed},
        "ladder": [{"stage": stage, "state": state} for stage, state in report.ladder],
        "findings": [_finding(finding) for finding in report.findings],
        "not_checked": [_not_checked(gap) for gap in report.not_checked],
        "timeline": [_moment(moment) for moment in in_order(report.timeline)],
        "earlier": report.earlier,
        "collected": [_collected(one) for one in sorted(report.collected, key=lambda one: one.collector)],
        "redactions": dict(sorted(report.redactions.items())),
        "cuts": list(report.cuts),
        "versions": dict(sorted(report.versions.items())),
    }


def _target(target: Target) -> TargetDocument:
    return {
        "kind": target.kind,
        "where": target.where,
        "namespace": target.namespace,
        "subscription": target.subscription,
        "resource_group": target.resource_group,
        "workspace": target.workspace,
        "notes": list(target.notes),
    }


def _finding(finding: Finding) -> FindingDocument:
    return {
        "rule": finding.rule,
        "title": finding.title,
        "kind": finding.kind,
        "role": finding.role,
        "stage": finding.stage,
        "severity": finding.severity,
        "subjects": sorted(str(subject) for subject in finding.subjects),
        "explain": finding.explain,
        "evidence": [_citation(citation) for citation in finding.evidence],
        "explains": sorted(finding.explains),
        "fixes": [
            {"text": fix.text, "command": fix.command, "risk": fix.risk, "verify": fix.verify} for fix in finding.fixes
        ],
        "references": list(finding.references),
    }


def _citation(citation: Citation) -> CitationDocument:
    return {
        "source": citation.source,
        "line": citation.line,
        "time": iso(citation.time) if citation.time else None,
        "text": citation.text,
        "before": list(citation.before),
        "after": list(citation.after),
        "count": citation.count,
        "marked": citation.marked,
    }


def _not_checked(gap: NotChecked) -> NotCheckedDocument:
    return {"what": gap.what, "why": gap.why, "needs": gap.needs, "rules": sorted(gap.rules)}


def _moment(moment: Moment) -> MomentDocument:
    return {"time": iso(moment.time), "what": moment.what, "subject": moment.subject, "kind": moment.kind}


def _collected(one: Collected) -> CollectedDocument:
    return {
        "collector": one.collector,
        "items": one.items,
        "bytes": one.bytes,
        "seconds": round(one.seconds, 3),
    }
