"""An API server with many pods: ``python -m bench.apiserver PODS FAILING DELAY_MS`` prints its port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
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


class Server:
    """Serves pages of pods that were encoded beforehand; one thread, so that it costs the client little."""

    def __init__(self, pods: int, failing: int, delay_s: float) -> None:
        self.pods = [json.dumps(pod(number, number < failing)).encode() for number in range(pods)]
        self.delay_s = delay_s

    async def serve(self) -> None:
        """Print the port and answer until killed."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):
                break
            split = urlsplit(head.split(b" ", 2)[1].decode())
            await asyncio.sleep(self.delay_s)
            body, kind = self._answer(split.path, {name: values[0] for name, values in parse_qs(split.query).items()})
            writer.write(
                f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )

    def _answer(self, path: str, query: dict[str, str]) -> tuple[bytes, str]:
        if path.endswith("/log"):
            return _LOG, "text/plain"
        if path.endswith("/pods"):
            return self._page(query), "application/json"
        return b'{"kind":"List","apiVersion":"v1","metadata":{},"items":[]}', "application/json"

    def _page(self, query: dict[str, str]) -> bytes:
        start = int(query.get("continue", "0"))
        end = start + int(query.get("limit", "0") or len(self.pods))
        token = str(end) if end < len(self.pods) else ""
        head = json.dumps({"continue": token, "resourceVersion": "1"}).encode()
        items = b",".join(self.pods[start:end])
        return b'{"kind":"PodList","apiVersion":"v1","metadata":' + head + b',"items":[' + items + b"]}"


if __name__ == "__main__":
    pods, failing, delay_ms = map(int, sys.argv[1:])
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Server(pods, failing, delay_ms / 1000).serve())
