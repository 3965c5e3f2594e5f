"""``python -m bench [scan|redact|list|wait|start|render]``: all of them without a name."""

from __future__ import annotations

import sys

from bench import cluster, redaction, rendering, scanning, starting

BENCHES = {
    "scan": scanning.run,
    "redact": redaction.run,
    "list": cluster.run_listing,
    "wait": cluster.run_waiting,
    "start": starting.run,
    "render": rendering.run,
}

for name in sys.argv[1:] or BENCHES:
    print(f"== {name}")
    for line in BENCHES[name]():
        print(f"   {line}", flush=True)
