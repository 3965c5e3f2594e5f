"""A report, just made or saved as JSON, as one side of a comparison. A saved one may come from anybody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from diagnose.compare.model import Side, Told
from diagnose.compare.places import places_named, places_of
from diagnose.errors import InputError
from diagnose.model import Citation, Evidence, Finding, Kind, NotChecked, Report, Role, Severity, Verdict

SCHEMA = "diagnose/report/1"

_MOST_FINDINGS = 10_000


class _Evidence(msgspec.Struct):
    source: str
    text: str
    line: int | None = None
    time: datetime | None = None
    count: int = 1


class _Finding(msgspec.Struct):
    rule: str
    title: str
    kind: Kind
    role: Role
    stage: str
    severity: Severity
    subjects: list[str]
    explain: str = ""
    evidence: list[_Evidence] = []
    explains: list[str] = []


class _Stage(msgspec.Struct):
    reached: str | None
    failed: str | None


class _Target(msgspec.Struct):
    where: str = ""
    namespace: str | None = None


class _Gap(msgspec.Struct):
    what: str
    why: str
    needs: str
    rules: list[str]


class _Report(msgspec.Struct, kw_only=True):
    """The fields that are compared; others are passed over."""

    schema: str
    service: str
    target: _Target = msgspec.field(default_factory=_Target)
    verdict: Verdict
    stage: _Stage
    findings: Annotated[list[_Finding], msgspec.Meta(max_length=_MOST_FINDINGS)]
    not_checked: list[_Gap]
    versions: dict[str, str] = {}


class _Schema(msgspec.Struct):
    schema: str = ""


def schema_of(data: bytes) -> str:
    """What a JSON document says it is; empty for what says nothing, or is no JSON object."""
    try:
        return msgspec.json.decode(data, type=_Schema).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def loaded(data: bytes, name: str) -> Side:
    """The side that a JSON report tells of. Raises InputError, calling it ``name``, for what is no such report."""
    try:
        report = msgspec.json.decode(data, type=_Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name}: is no JSON report of diagnose: {error}") from error
    return Side(
        name=name,
        service=report.service,
        where=report.target.where,
        namespace=report.target.namespace,
        verdict=report.verdict,
        reached=report.stage.reached,
        failed=report.stage.failed,
        findings=tuple(_told(finding) for finding in report.findings),
        not_checked=tuple(NotChecked(gap.what, gap.why, gap.needs, tuple(gap.rules)) for gap in report.not_checked),
        versions=report.versions,
    )


def _told(finding: _Finding) -> Told:
    first = finding.evidence[0] if finding.evidence else None
    return Told(
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        stage=finding.stage,
        role=finding.role,
        places=places_named(finding.subjects),
        explains=tuple(finding.explains),
        citation=Citation(first.source, first.text, first.line, first.time, count=first.count) if first else None,
    )


def side_of(report: Report, name: str, evidence: Evidence, known_rules: frozenset[str]) -> Side:
    """The side that a report just made on ``evidence`` tells of."""
    return Side(
        name=name,
        service=report.service,
        where=report.target.where,
        namespace=report.target.namespace,
        time=evidence.now,
        verdict=report.verdict,
        reached=report.reached,
        failed=report.failed,
        findings=tuple(_told_of(finding) for finding in report.findings),
        not_checked=report.not_checked,
        versions=report.versions,
        known_rules=known_rules,
        evidence=evidence,
    )


def _told_of(finding: Finding) -> Told:
    return Told(
        rule=finding.rule,
        title=finding.title,
        severity=finding.severity,
        stage=finding.stage,
        role=finding.role,
        places=places_of(finding.subjects),
        explains=finding.explains,
        citation=finding.evidence[0] if finding.evidence else None,
    )
