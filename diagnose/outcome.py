"""What of a report fails a run: the exit code and the formats for pipelines go by the same."""

from __future__ import annotations

from diagnose.model import SEVERITIES, Finding, Report, Role, Verdict


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
