"""A stand-in for a Docker Engine on a socket of its own, for what a real one can not be made to do: fail on demand."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from urllib.parse import urlsplit

import pytest

IDENTITY = "3f1c" * 16
NOW = "2026-11-23T15:30:00.000000001Z"
FAULTS = ("hang", "cut", "html", "nonsense", "403", "500")
"""What a path can do instead of answering; a number is a status."""


def frame(text: str, stream: int = 1) -> bytes:
    """A piece of a log as the engine sends it."""
    payload = text.encode()
    return struct.pack(">BxxxL", stream, len(payload)) + payload


_FIRST = frame("2026-11-23T15:00:02.000000000Z first\n")

ANSWERS: dict[str, object] = {
    "/version": {"ApiVersion": "1.41"},
    "/v1.41/info": {"ServerVersion": "24.0.7", "OSType": "linux", "SystemTime": NOW, "NCPU": 4, "Runtimes": None},
    "/v1.41/containers/json": [
        {"Id": IDENTITY, "Names": ["/churn-app"], "Labels": {"amlServiceName": "churn"}, "State": "running"}
    ],
    f"/v1.41/containers/{IDENTITY}/json": {
        "Id": IDENTITY,
        "Name": "/churn-app",
        "Created": "2026-11-23T15:00:00Z",
        "Image": "sha256:1234",
        "State": {"Status": "running", "StartedAt": "2026-11-23T15:00:01.5Z", "FinishedAt": "0001-01-01T00:00:00Z"},
        "Config": {"Image": "churn:1", "Env": None},
        "Mounts": None,
    },
    f"/v1.41/containers/{IDENTITY}/logs": frame("2026-11-23T15:00:02.000000000Z ready\n"),
    "/v1.41/images/sha256:1234/json": {"Id": "sha256:1234", "Architecture": "amd64", "Os": "linux", "Size": 1024},
    "/v1.41/events": b"",
}


class FakeEngine(ThreadingMixIn, UnixStreamServer):
    """Answers what ``answers`` holds by path: bytes, a status with bytes, a fault's name, or anything else as JSON.

    A function is asked with the query, and gives one of these.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, socket: Path) -> None:
        self.answers = dict(ANSWERS)
        self.closing = threading.Event()
        super().__init__(str(socket), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeEngine
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        answer = self.server.answers.get(url.path, "404")
        match answer(url.query) if callable(answer) else answer:
            case "hang":
                self.server.closing.wait(30)
            case "hang midway":
                self._begin(200, "Transfer-Encoding", "chunked")
                self.wfile.write(b"%x\r\n%b\r\n" % (len(_FIRST), _FIRST))
                self.server.closing.wait(30)
            case "cut":
                self._send(200, b"{", length=1000)
            case "html":
                self._send(200, b"<html>Please sign in</html>")
            case "nonsense":
                self._send(200, json.dumps({"Id": [1], "State": 7, "Name": None}).encode())
            case int(status), bytes(body):
                self._send(status, body)
            case str(status):
                self._send(int(status), b'{"message": "the engine is not well"}')
            case bytes(body):
                self._send(200, body)
            case other:
                self._send(200, json.dumps(other).encode())

    def _send(self, status: int, body: bytes, length: int | None = None) -> None:
        self._begin(status, "Content-Length", str(len(body) if length is None else length))
        self.wfile.write(body)

    def _begin(self, status: int, header: str, value: str) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header(header, value)
        self.end_headers()

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """DOCKER_HOST points at it; a running container of the service ``churn`` is all it knows."""
    socket = tmp_path / "docker.sock"
    engine = FakeEngine(socket)
    thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
    yield engine
    engine.closing.set()
    engine.shutdown()
    thread.join()
    engine.server_close()
