"""An API server that answers what a recorded one answered, with faults where a test wants them."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

LAB = Path(__file__).parent / "lab"
_TIME = re.compile(r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z"')
_NAMESPACED = re.compile(r"/(api/v1|apis/[^/]+/[^/]+)/namespaces/([^/]+)/([^/]+)(?:/([^/]+)/(log))?")
_ALL = re.compile(r"/(api/v1|apis/[^/]+/[^/]+)/([^/]+)")


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the answers about one kind of resource."""

    status: int = 0
    """An HTTP status with a Status body; 0 for none of that."""
    retry_after: int | None = None
    times: int | None = None
    """How often; None for always."""
    hang: bool = False
    cut: bool = False
    """Fewer bytes than Content-Length promises."""
    html: bool = False
    body: bytes | None = None
    """Any other body, with status 200."""
    drip_s: float | None = None
    """Seconds between single bytes."""
    only_continued: bool = False
    """Only on pages after the first."""


DENIED, NOT_FOUND, BROKEN = Fault(status=403), Fault(status=404), Fault(status=500)
HANG, CUT, HTML = Fault(hang=True), Fault(cut=True), Fault(html=True)


@dataclass
class Call:
    """A request that was answered."""

    path: str
    resource: str
    query: dict[str, str]
    began: float
    ended: float = 0.0


@dataclass
class Replay:
    """Answers from ``documents``: lists by URL path. ``logs`` by (namespace, pod, container, previous)."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: dict[tuple[str, str, str, bool], bytes] = field(default_factory=dict)
    log_errors: dict[tuple[str, str, str, bool], str] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By resource: ``pods``, ``pods/log``, ``events`` ... or by whole path."""
    delay_s: float = 0.0
    date: datetime | None = None
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _hits: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def of(cls, folder: Path | str, **options: Any) -> Replay:
        """A recording: a folder, or the name of one of ``tests/lab``."""
        root = LAB / folder if isinstance(folder, str) else folder
        replay = cls(**options)
        newest = ""
        for file in sorted(root.rglob("*.json")):
            text = file.read_text(encoding="utf-8")
            replay.documents[f"/{file.relative_to(root).with_suffix('').as_posix()}"] = json.loads(text)
            newest = max([newest, *_TIME.findall(text)])
        for file in sorted(root.rglob("log.*.txt")):
            replay._add_log(file)
        if newest and replay.date is None:
            replay.date = datetime.fromisoformat(newest).replace(tzinfo=UTC)
        return replay

    def _add_log(self, file: Path) -> None:
        _, container, run, *error, _ = file.name.split(".")
        key = (file.parents[2].name, file.parent.name, container, run == "previous")
        if error:
            prefix = "Error from server (BadRequest): "
            self.log_errors[key] = file.read_text(encoding="utf-8").strip().removeprefix(prefix)
        else:
            self.logs[key] = file.read_bytes()

    def waves(self) -> int:
        """Length of the longest chain of calls of which each began after the one before had ended."""
        calls = sorted(self.calls, key=lambda call: call.began)
        depths: list[int] = []
        for index, call in enumerate(calls):
            before = (depths[i] for i in range(index) if 0 < calls[i].ended <= call.began)
            depths.append(1 + max(before, default=0))
        return max(depths, default=0)

    def paths(self, resource: str) -> list[str]:
        """Paths asked for of one kind of resource."""
        return [call.path for call in self.calls if call.resource == resource]

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Status, body and content type, faults aside."""
        found = _NAMESPACED.fullmatch(path)
        if found and found[5]:
            return self._log(found[2], found[4], query)
        document = self.documents.get(path) or self._in_namespace(path) or self._everywhere(path)
        if document is None:
            return status(404, "the server could not find the requested resource")
        return 200, json.dumps(_page(document, query)).encode(), "application/json"

    def _log(self, namespace: str, pod: str, query: Mapping[str, str]) -> tuple[int, bytes, str]:
        container = query.get("container", "")
        key = (namespace, pod, container, query.get("previous") == "true")
        if key in self.logs:
            return 200, self.logs[key], "text/plain"
        if key[3] or key in self.log_errors:
            known = self.log_errors.get(key)
            return status(400, known or f'previous terminated container "{container}" in pod "{pod}" not found')
        return status(404, f'pods "{pod}" not found')

    def _in_namespace(self, path: str) -> dict[str, Any] | None:
        """Another namespace than the recorded one is empty."""
        found = _NAMESPACED.fullmatch(path)
        alike = next(self._alike(found[1], found[3]), None) if found and not found[4] else None
        return {**alike, "items": []} if alike else None

    def _everywhere(self, path: str) -> dict[str, Any] | None:
        found = _ALL.fullmatch(path)
        parts = list(self._alike(found[1], found[2])) if found else []
        return {**parts[0], "items": [item for part in parts for item in part["items"] or ()]} if parts else None

    def _alike(self, api: str, resource: str) -> Iterator[dict[str, Any]]:
        for path, document in self.documents.items():
            found = _NAMESPACED.fullmatch(path)
            if found and (found[1], found[3], found[4]) == (api, resource, None):
                yield document

    def take_fault(self, path: str, resource: str, query: Mapping[str, str]) -> Fault:
        """The fault for this request, counted."""
        with self._lock:
            name = path if path in self.faults else resource
            fault = self.faults.get(name, Fault())
            if fault.only_continued and "continue" not in query:
                return Fault()
            hits = self._hits[name] = self._hits.get(name, 0) + 1
            return fault if fault.times is None or hits <= fault.times else Fault()


def status(code: int, message: str) -> tuple[int, bytes, str]:
    """A v1 Status, as an API server says no."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return code, json.dumps(body).encode(), "application/json"


def _page(document: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    items, limit = document.get("items"), int(query.get("limit", "0"))
    if not isinstance(items, list) or not limit:
        return document
    start = int(query.get("continue", "0"))
    token = {"continue": str(start + limit)} if start + limit < len(items) else {}
    return {**document, "metadata": {"resourceVersion": "1", **token}, "items": items[start : start + limit]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Answer, after the delay, and with the fault of that resource."""
        replay, split = self.server.replay, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        call = Call(split.path, _resource(split.path), query, time.monotonic())
        replay.calls.append(call)
        replay.closing.wait(replay.delay_s)
        fault = replay.take_fault(split.path, call.resource, query)
        if fault.hang:
            replay.closing.wait()
        call.ended = time.monotonic()
        self._send(*(_faulty(fault) or replay.answer(split.path, query)), fault)

    def _send(self, code: int, body: bytes, kind: str, fault: Fault) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if fault.retry_after is not None and code != 200:
            self.send_header("Retry-After", str(fault.retry_after))
        if fault.drip_s:
            self.end_headers()
            self._drip(body, fault.drip_s)
            return
        self._headers_buffer.append(b"\r\n")
        head, self._headers_buffer = b"".join(self._headers_buffer), []
        self.wfile.write(head + (body[: len(body) // 2] if fault.cut else body))
        self.close_connection = fault.cut

    def _drip(self, body: bytes, seconds: float) -> None:
        for index in range(len(body)):
            if self.server.replay.closing.wait(seconds):
                return
            self.wfile.write(body[index : index + 1])

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The recorded time, in the header ``Date``."""
        return format_datetime(self.server.replay.date or datetime.now(UTC), usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _resource(path: str) -> str:
    found = _NAMESPACED.fullmatch(path)
    if found:
        return f"{found[3]}/{found[5]}" if found[5] else found[3]
    return path.rpartition("/")[2]


def _faulty(fault: Fault) -> tuple[int, bytes, str] | None:
    if fault.status:
        return status(fault.status, f"recorded fault {fault.status}")
    if fault.html:
        return 200, b"<!DOCTYPE html><html><body>Sign in to continue</body></html>", "text/html"
    return None if fault.body is None else (200, fault.body, "application/json")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, replay: Replay) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replay = replay

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gave up is what some tests are about."""


@contextmanager
def serving(replay: Replay) -> Iterator[Replay]:
    """The replay, answering at its ``url``."""
    with _Server(replay) as server:
        replay.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield replay
        finally:
            replay.closing.set()
            server.shutdown()
            thread.join()


def kubeconfig(folder: Path, url: str, namespace: str | None = None) -> Path:
    """A kubeconfig with one context, ``lab``, for that server."""
    context = {"cluster": "lab", "user": "lab"} | ({"namespace": namespace} if namespace else {})
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": url}}],
        "contexts": [{"name": "lab", "context": context}],
        "users": [{"name": "lab", "user": {"token": "replayed-token"}}],
    }
    file = folder / "kubeconfig.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


Start = Callable[..., Replay]


@pytest.fixture
def replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a Replay, or a recording by name, and makes it the current context: ``replayed("rollout")``."""
    with ExitStack() as stack:

        def start(what: Replay | str, namespace: str | None = None, **options: Any) -> Replay:
            replay = stack.enter_context(serving(what if isinstance(what, Replay) else Replay.of(what, **options)))
            monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, replay.url, namespace)))
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            return replay

        yield start
