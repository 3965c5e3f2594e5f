"""The program as a user starts it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report."""
        return json.loads(self.out)  # type: ignore[no-any-return]

    @property
    def first(self) -> str | None:
        """Rule id of the first root cause."""
        return next((f["rule"] for f in self.report["findings"] if f["role"] == "root_cause"), None)


def diagnose(*arguments: str | Path, stdin: bytes = b"", timeout: float = 90, **environment: str) -> Ended:
    """Run the program; Docker and Kubernetes are out of reach unless ``environment`` says where they are."""
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock", "KUBECONFIG": "/nonexistent/kubeconfig"}
    done = subprocess.run(
        [sys.executable, "-m", "diagnose", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        env={**os.environ, **nowhere, **environment},
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
