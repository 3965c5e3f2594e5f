"""Every shipped rule's patterns over a large log, against ripgrep with the same patterns."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.process import timed
from bench.texts import write_log
from diagnose.engine.load import load
from diagnose.facts import TEXTS
from diagnose.patterns import Pattern, search

_RG = ("rg", "--no-config", "--no-unicode", "--regex-size-limit=4G", "--dfa-size-limit=4G", "-a", "-c", "-f")
"""Its fastest way with many patterns: with Unicode on it takes minutes, and by default it refuses this many."""


def run() -> Iterator[str]:
    """Whole processes, warm cache: seconds, peak memory and the ratio, on one core and on two."""
    megabytes = int(os.environ.get("BENCH_MB", "1000"))
    patterns = load((), TEXTS).patterns.patterns
    with tempfile.TemporaryDirectory() as folder:
        log, expressions = Path(folder, "big.log"), Path(folder, "patterns")
        write_log(log, megabytes)
        # Without what any text matches: it would end ripgrep's work on each line with the first letter.
        expressions.write_text("\n".join(_for_ripgrep(one) for one in patterns if search(one, "x") is None))
        yield f"{len(patterns)} patterns, {log.stat().st_size / 1e6:,.0f} MB"
        ours = [sys.executable, "-m", "diagnose", "analyze", str(log), "--format", "json"]
        if shutil.which("rg") is None:
            yield f"diagnose {timed(ours, runs=3).seconds:.2f} s; ripgrep is not installed, so there is no ratio"
            return
        for cores in (1, 2):
            mine = timed(ours, runs=3, cores=cores)
            theirs = timed([*_RG, str(expressions), str(log)], runs=3, cores=cores)
            ratio = mine.seconds / theirs.seconds
            yield (
                f"{cores} core(s): diagnose {mine.seconds:.2f} s, {mine.peak_mib:.0f} MiB; "
                f"ripgrep {theirs.seconds:.2f} s, {theirs.peak_mib:.0f} MiB; ratio {ratio:.2f} (reach: 1.0)"
            )


def _for_ripgrep(pattern: Pattern) -> str:
    """The same expression in its spelling: it knows no escaped quotation mark, a name of a group only once, and without
    Unicode only bytes."""
    expression = re.sub(r"(\\\\)|\\\"", lambda found: found[1] or '"', pattern.expression)
    expression = re.sub(r"\(\?P<\w+>", "(?:", expression)
    expression = "".join(one if one.isascii() else "".join(f"\\x{b:02x}" for b in one.encode()) for one in expression)
    return f"(?i){expression}" if pattern.ignore_case else expression
