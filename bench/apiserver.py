"""An API server with many pods: ``python -m bench.apiserver PODS FAILING DELAY_MS`` prints its port."""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NAMESPACE = "bench"
_LOG = b"2026-11-22T12:03:41.093880251Z 2026-11-22 12:03:41,093 E [7] azmlinfsrv - User's init function failed\n" * 50
_FILLER = {f"annotation-{number}": "x" * 100 for number in range(25)}


def pod(number: int, failing: bool) -> dict[str, Any]:
    """A pod of about 6 KB, as a cluster with an agent or two has them."""
    state = (
        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
        if failing
        else {"running": {"startedAt": "2026-11-22T10:00:00Z"}}
    )
    last = {"terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-11-22T12:03:42Z"}} if failing else {}
    ready = "False" if failing else "True"
    return {
        "metadata": {
            "name": f"churn-{number:05d}",
            "namespace": NAMESPACE,
            "uid": f"uid-{number}",
            "labels": {"ml.azure.com/endpoint-name": "churn", "app": "churn"},
            "annotations": _FILLER,
            "managedFields": [{"manager": "kubelet", "fieldsV1": {f"f:field-{n}": {"f:x": {}} for n in range(60)}}],
        },
        "spec": {"nodeName": "node-1", "containers": [{"name": "server", "image": "churn:1", "resources": {}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}, {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [
                {
                    "name": "server",
                    "ready": not failing,
                    "restartCount": 5 if failing else 0,
                    "state": state,
                    "lastState": last,
                    "image": "churn:1",
                    "imageID": "sha256:1",
                }
            ],
        },
    }


class Server(ThreadingHTTPServer):
    """Serves pages of pods that were encoded beforehand."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, pods: int, failing: int, delay_s: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pods = [json.dumps(pod(number, number < failing)).encode() for number in range(pods)]
        self.delay_s = delay_s


class Handler(BaseHTTPRequestHandler):
    """Lists, mostly empty, and logs."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer after the delay."""
        time.sleep(self.server.delay_s)
        split = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        if split.path.endswith("/log"):
            self._send(_LOG, "text/plain")
        elif split.path.endswith("/pods"):
            self._send(self._page(query), "application/json")
        else:
            self._send(b'{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}', "application/json")

    def _page(self, query: dict[str, str]) -> bytes:
        start = int(query.get("continue", "0"))
        end = start + int(query.get("limit", "0") or len(self.server.pods))
        token = str(end) if end < len(self.server.pods) else ""
        head = json.dumps({"continue": token, "resourceVersion": "1"}).encode()
        items = b",".join(self.server.pods[start:end])
        return b'{"kind":"PodList","apiVersion":"v1","metadata":' + head + b',"items":[' + items + b"]}"

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self._headers_buffer.append(b"\r\n")  # one packet: two would wait for each other's acknowledgement
        head, self._headers_buffer = b"".join(self._headers_buffer), []
        self.wfile.write(head + body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    pods, failing, delay_ms = map(int, sys.argv[1:])
    with Server(pods, failing, delay_ms / 1000) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
