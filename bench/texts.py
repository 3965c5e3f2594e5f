"""Logs to measure with: gunicorn and azmlinfsrv lines, with a failure now and then."""

from __future__ import annotations

import random
from pathlib import Path

_LINES = (
    "2024-02-01 09:00:12,{0:03d} I [152] azmlinfsrv - POST /score 200 {1}.{0}ms 4\n",
    "2024-02-01 09:00:12,{0:03d} I [152] gunicorn.access - 127.0.0.1 - - [01/Feb/2024:09:00:12 +0000] "
    '"POST /score HTTP/1.1" 200 {1} "-" "python-requests/2.31.0"\n',
    '127.0.0.1 - - [14/Sep/2021:11:58:05 +0000] "GET / HTTP/1.0" 200 {1} "-" "kube-probe/1.20"\n',
    "2024-02-01 09:00:12,{0:03d} | azmlinfsrv.user | INFO | predicted {1} rows using the cached model\n",
)
_FAILURE = (
    "2024-02-01 09:00:13,000 | azmlinfsrv.user | WARNING | "
    "Model m{0} not found in cache at a or in current working directory b\n"
)
_BLOCK_LINES = 10_000


def write_log(path: Path, megabytes: int, *, failing: bool = True) -> None:
    """About ``megabytes`` of log in ``path``, with one hit in 10,000 lines when ``failing``."""
    generator = random.Random(1)
    size = 0
    with path.open("w") as file:
        while size < megabytes * 1_000_000:
            lines = [
                generator.choice(_LINES).format(generator.randrange(1000), generator.randrange(100))
                for _ in range(_BLOCK_LINES)
            ]
            if failing:
                lines[0] = _FAILURE.format(size)
            block = "".join(lines) * 8 if not failing else "".join(lines)
            file.write(block)
            size += len(block)
