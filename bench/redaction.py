"""Redaction of an ordinary log in one thread."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.texts import write_log
from diagnose.redact import Redactor


def run() -> Iterator[str]:
    """Megabytes a second, the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        write_log(path, 50)
        text = path.read_text()
    redactor = Redactor()
    redactor.text(text[:1000])
    best = min(_seconds(redactor, text) for _ in range(3))
    yield f"{len(text) / 1e6 / best:,.0f} MB/s (reach: 100)"


def _seconds(redactor: Redactor, text: str) -> float:
    begun = time.perf_counter()
    redactor.text(text)
    return time.perf_counter() - begun
