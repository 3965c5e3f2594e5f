"""What of a report fails a run: the exit code and the formats for pipelines go by the same."""

from __future__ import annotations

from diagnose.model import SEVERITIES, Finding, Report, Role, Verdict

_BY_URGENCY = (Verdict.FAILING, Verdict.DEGRADED, Verdict.UNKNOWN, Verdict.HEALTHY)
_OF_NOW = (Role.ROOT_CAUSE, Role.CONTRIBUTING, Role.SYMPTOM)


def urgency(report: Report) -> tuple[int, int, str, str]:
    """Sorts the report that needs a person soonest first."""
    now = [finding for finding in report.findings if finding.role in _OF_NOW]
    gravest = max((SEVERITIES.index(finding.severity) for finding in now), default=-1)
    return (_BY_URGENCY.index(report.verdict), -gravest, report.service, report.target.where)


def counts_against(finding: Finding, threshold: str) -> bool:
    """True when the finding is of now, is no advice, and at or above the severity ``threshold``."""
    grave = SEVERITIES.index(finding.severity) >= SEVERITIES.index(threshold)
    return grave and finding.role not in (Role.LATENT, Role.ADVICE)


def fails(report: Report, threshold: str) -> bool:
    """True when something counts from ``threshold`` on, or the service is broken and nothing that counts says why."""
    if any(counts_against(finding, threshold) for finding in report.findings):
        return True
    broken = report.verdict in (Verdict.FAILING, Verdict.DEGRADED)
    explained = any(counts_against(finding, "error") for finding in report.findings)
    return broken and not explained and threshold != "critical"
