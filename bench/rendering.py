"""The HTML page of a very large report, against the same report as JSON and against collecting what it cites."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from bench.cluster import collecting
from diagnose.model import Citation, Finding, Report, Role
from diagnose.pipeline import Settings, demo
from diagnose.render import FORMATS, Options

_FINDINGS = 1_000
_CITED = 2
"""Citations of one finding, of five lines each."""
_ROLES = tuple(Role)


def run() -> Iterator[str]:
    """Seconds, the median of five; templates are loaded before, as for the second report of a run."""
    report = large(demo("get-model-path", Settings()))
    lines = sum(1 + len(c.before) + len(c.after) for finding in report.findings for c in finding.evidence)
    yield f"{len(report.findings):,} findings, {lines:,} lines of evidence"
    collected = collecting(_FINDINGS)
    json, _ = _rendered(report, "json", Options())
    for name, options in (("html", Options()), ("html, verbose", Options(verbose=True))):
        seconds, size = _rendered(report, "html", options)
        yield (
            f"{name}: {seconds:.2f} s, {size / 1e6:.1f} MB; json {json:.2f} s, ratio {seconds / json:.1f}; "
            f"collecting from {_FINDINGS:,} pods {collected:.2f} s, ratio {seconds / collected:.2f} (reach: 1.0)"
        )


def large(report: Report) -> Report:
    """``report`` with very many findings: each explains another, and cites lines of its own."""
    return replace(report, findings=tuple(_finding(report.findings[0], number) for number in range(_FINDINGS)))


def _finding(model: Finding, number: int) -> Finding:
    return replace(
        model,
        rule=f"start.rule-{number}",
        role=_ROLES[number % len(_ROLES)],
        explains=(f"start.rule-{number + 2}",),
        evidence=tuple(_citation(f"pod-{number}", place) for place in range(_CITED)),
    )


def _citation(pod: str, place: int) -> Citation:
    line = f'2026-11-22 12:03:41,{place:03d} E [7] azmlinfsrv - {pod}: {{"error": "init failed", "attempt": {place}}}'
    return Citation(
        source=f"kubectl logs -n aml-churn {pod} -c inference-server --previous",
        text=line,
        line=10 * place + 3,
        before=(f"{line} two before", f"{line} one before"),
        after=(f"{line} one after", f"{line} two after"),
        marked="init failed",
    )


def _rendered(report: Report, name: str, options: Options) -> tuple[float, int]:
    """Seconds and bytes."""
    size = len(FORMATS[name].render(report, options).encode())
    return statistics.median(_seconds(lambda: FORMATS[name].render(report, options)) for _ in range(5)), size


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
