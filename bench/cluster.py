"""Listing many pods, and waiting for many logs, from an API server in a process of its own."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.apiserver import NAMESPACE
from diagnose.collectors import Limits
from diagnose.collectors.kubernetes.calls import Calls
from diagnose.collectors.kubernetes.kinds import BY_RESOURCE
from diagnose.collectors.kubernetes.kubeconfig import connect
from diagnose.collectors.kubernetes.lists import Listing, Query
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder

_DELAY_MS = 50
_CHAIN = 2
"""Calls that must wait for each other: the list of pods, then their logs."""


def run_listing() -> Iterator[str]:
    """5,000 pods over loopback: ours against the official client's typed models, both in pages of 500."""
    with _server(5000, 0, 0):
        ours = _median(_list_ours)
        typed = _median(_list_typed)
    yield f"5,000 pods: diagnose {ours:.2f} s; official client, typed {typed:.2f} s; ratio {ours / typed:.3f}"


def run_waiting() -> Iterator[str]:
    """Search and collection, 50 ms a call, against the longest chain of dependent calls."""
    ideal = _CHAIN * _DELAY_MS / 1000
    for failing, all_pods in ((1, 1), (10, 100), (50, 50), (50, 1000)):
        with _server(all_pods, failing, _DELAY_MS):
            pages = -(-all_pods // 500)
            chain = ideal + (pages - 1) * _DELAY_MS / 1000
            taken = _median(_collect)
        yield (
            f"{failing} failing of {all_pods} pods: {taken * 1000:.0f} ms; chain of {_CHAIN + pages - 1} calls "
            f"{chain * 1000:.0f} ms; ratio {taken / chain:.2f} (reach: 1.3)"
        )


def collecting(failing: int) -> float:
    """Seconds to collect so many failing pods, with their logs, from a server that answers at once."""
    with _server(failing, failing, 0):
        return _median(_collect)


@contextmanager
def _server(pods: int, failing: int, delay_ms: int) -> Iterator[None]:
    """The server, as the current context of a kubeconfig of its own."""
    command = [sys.executable, "-m", "bench.apiserver", str(pods), str(failing), str(delay_ms)]
    before = os.environ.get("KUBECONFIG")
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert process.stdout is not None
        path = Path(folder, "kubeconfig")
        path.write_text(json.dumps(_kubeconfig(f"http://127.0.0.1:{process.stdout.readline().strip()}")))
        os.environ["KUBECONFIG"] = str(path)
        try:
            yield
        finally:
            process.terminate()
            os.environ.pop("KUBECONFIG")
            if before is not None:
                os.environ["KUBECONFIG"] = before


def _kubeconfig(url: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bench",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench", "namespace": NAMESPACE}}],
        "users": [{"name": "bench", "user": {"token": "bench"}}],
    }


def _median(work: Callable[[], None]) -> float:
    work()
    return statistics.median(_seconds(work) for _ in range(5))


def _seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _list_ours() -> None:
    limits, calls = Limits(), Calls()
    cluster = connect(None, limits, calls)
    listing = Listing(cluster, Query(BY_RESOURCE["pods"], NAMESPACE)).start(calls, limits)
    assert len(listing.outcome().items) == 5000


def _list_typed() -> None:
    from kubernetes import client, config

    config.load_kube_config(os.environ["KUBECONFIG"])
    api = client.CoreV1Api()
    token, count = None, 0
    while True:
        page = api.list_namespaced_pod(NAMESPACE, limit=500, **({"_continue": token} if token else {}))
        count += len(page.items)
        token = page.metadata._continue
        if not token:
            break
    assert count == 5000


def _collect() -> None:
    limits = Limits()
    found = KubernetesFinder().find(Wanted(service="churn"), limits)
    collection = found.candidates[0].collect(limits)
    assert collection.logs["logs.container"]
