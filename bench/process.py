"""Whole processes, timed from outside."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_INSTALLED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its byte code: without it every start would compile the sources."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over several runs."""

    seconds: float
    peak_mib: float


def timed(
    command: Sequence[str], *, runs: int = 5, cores: int | None = None, env: Mapping[str, str] | None = None
) -> Timing:
    """Run ``command`` once to warm up and then ``runs`` times, on ``cores`` processors where that is given."""
    once(command, cores, env)
    measured = [once(command, cores, env) for _ in range(runs)]
    return Timing(statistics.median(m.seconds for m in measured), statistics.median(m.peak_mib for m in measured))


def once(command: Sequence[str], cores: int | None = None, env: Mapping[str, str] | None = None) -> Timing:
    """One run. Raises RuntimeError when the program refused its arguments, for then nothing was measured."""
    prefix = ["taskset", "-c", ",".join(map(str, range(cores)))] if cores else []
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_INSTALLED | dict(env or {})
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == 2:
        raise RuntimeError(f"{command[0]} refused its arguments")
    return Timing(time.perf_counter() - begun, usage.ru_maxrss / 1024)
