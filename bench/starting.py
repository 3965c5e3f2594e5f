"""Start-up: the help text, and a small log with every rule loaded."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.process import timed

_SMALL = "2026-11-22 12:03:41,093 E [7] azmlinfsrv - User's init function failed\n" * 20


def run() -> Iterator[str]:
    """Whole processes, rules cached."""
    click = timed([sys.executable, "-c", "import click"], runs=9)
    shown = timed([sys.executable, "-m", "diagnose", "--help"], runs=9)
    yield (
        f"--help {shown.seconds:.3f} s; python -c 'import click' {click.seconds:.3f} s; "
        f"ratio {shown.seconds / click.seconds:.2f} (reach: 2.0)"
    )
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "small.log")
        log.write_text(_SMALL)
        for name in ("json", "terminal"):
            small = timed([sys.executable, "-m", "diagnose", "analyze", str(log), "--format", name], runs=9)
            yield f"analyze of a small log, {name}: {small.seconds:.3f} s (reach: 0.35 s)"
        cold = timed(
            [sys.executable, "-m", "diagnose", "analyze", str(log), "--format", "json"],
            runs=3,
            env={"DIAGNOSE_CACHE": ""},
        )
        yield f"the same without a cache: {cold.seconds:.3f} s"
