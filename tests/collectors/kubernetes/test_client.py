"""TLS, certificates and answers that are no answers."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from made_objects import seconds

from diagnose.collectors.kubernetes.calls import Calls, Clock
from diagnose.collectors.kubernetes.client import CallError, Cluster
from diagnose.collectors.kubernetes.kubeconfig import connect
from diagnose.model import Why

TLS = Path(__file__).parent / "tls"


class _Handler(BaseHTTPRequestHandler):
    status, body = 200, b'{"items": []}'
    headers_sent: tuple[tuple[str, str], ...] = ()

    def do_GET(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_sent:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def server(context: ssl.SSLContext | None = None, **answer: Any) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), answer)) as found:
        found.handle_error = lambda *_: None  # type: ignore[method-assign]
        if context is not None:
            found.socket = context.wrap_socket(found.socket, server_side=True)
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield found.server_address[1]
        finally:
            found.shutdown()
            thread.join()


def tls(client_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(TLS / "server.pem")
    return context


def data(name: str) -> str:
    return base64.b64encode((TLS / name).read_bytes()).decode()


EXPIRED = {"client-certificate-data": data("expired-client.pem"), "client-key-data": data("expired-client.pem")}
TRUSTED = {"certificate-authority-data": data("server.pem")}


@pytest.fixture
def connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def to(url: str, user: dict[str, str] | None = None, **more: Any) -> Cluster:
        config = {
            "current-context": "prod",
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": url, **more}}],
            "users": [{"name": "u", "user": user or {"token": "t"}}],
        }
        file = tmp_path / "config"
        file.write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(file))
        return connect(None, seconds(10), Calls())

    return to


def read(cluster: Cluster) -> bytes:
    return cluster.read("/api/v1/pods", {}, Clock(seconds(5)))


def failure(cluster: Cluster) -> CallError:
    with pytest.raises(CallError) as caught:
        read(cluster)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_trusted_server_is_read(connected: Any) -> None:
    with server(tls()) as port:
        assert read(connected(f"https://127.0.0.1:{port}", **TRUSTED)) == b'{"items": []}'


def test_a_certificate_that_is_not_trusted_is_said(connected: Any) -> None:
    with server(tls()) as port:
        error = failure(connected(f"https://127.0.0.1:{port}"))
    assert str(error) == f"the certificate of 127.0.0.1:{port} is not trusted: self-signed certificate"
    assert (error.why, error.refused) == (Why.UNREACHABLE, True)


def test_an_expired_client_certificate_is_said_with_its_date(connected: Any) -> None:
    with server(tls(client_certificate=True)) as port:
        error = failure(connected(f"https://127.0.0.1:{port}", EXPIRED, **TRUSTED))
    assert "the client certificate of context prod expired on 2025-03-01" in str(error)
    assert "az aks get-credentials" in error.needs
    assert (error.why, error.refused) == (Why.DENIED, True)


def test_the_date_is_also_said_when_the_api_server_refuses_by_status(connected: Any) -> None:
    with server(tls(), status=401, body=b"{}") as port:
        error = failure(connected(f"https://127.0.0.1:{port}", EXPIRED, **TRUSTED))
    assert str(error) == "HTTP 401 Unauthorized: the client certificate of context prod expired on 2025-03-01"


def test_a_token_that_is_refused_is_said(connected: Any) -> None:
    with server(status=401) as port:
        error = failure(connected(f"http://127.0.0.1:{port}"))
    assert "the token of context prod was refused" in str(error)


def test_a_redirect_is_not_followed(connected: Any) -> None:
    with server(status=302, headers_sent=(("Location", "https://login.example.com/?secret=1"),)) as port:
        error = failure(connected(f"http://127.0.0.1:{port}"))
    assert (str(error), error.why) == ("HTTP 302 Found", Why.FAILED)


def test_a_server_that_speaks_something_else_is_said(connected: Any) -> None:
    with server() as port:
        error = failure(connected(f"https://127.0.0.1:{port}"))
    assert (str(error), error.why) == (f"TLS with 127.0.0.1:{port} failed", Why.UNREACHABLE)


@pytest.mark.parametrize("url", ["ftp://example.invalid", "https://user:hunter2@127.0.0.1:9"])
def test_an_address_that_can_not_be_is_said_without_what_is_secret(connected: Any, url: str) -> None:
    error = failure(connected(url))
    assert error.why is Why.UNREACHABLE
    assert "hunter2" not in str(error)


def test_the_message_of_a_refusal_is_capped(connected: Any) -> None:
    body = json.dumps({"message": "no " * 500}).encode()
    with server(status=403, body=body) as port:
        error = failure(connected(f"http://127.0.0.1:{port}"))
    assert (str(error), error.status, len(error.detail) <= 300) == ("HTTP 403 Forbidden", 403, True)


@pytest.mark.parametrize("header", ["soon", "-5", "0"])
def test_an_odd_retry_after_ends_too(connected: Any, header: str) -> None:
    with server(status=429, headers_sent=(("Retry-After", header),)) as port:
        cluster = connected(f"http://127.0.0.1:{port}")
        with pytest.raises(CallError) as caught:
            cluster.read("/api/v1/pods", {}, Clock(seconds(0.5)))
    assert caught.value.why is Why.TIMED_OUT


def test_the_clock_of_the_server_is_noted(connected: Any) -> None:
    with server(headers_sent=(("Date", "not a date"),)) as port:
        cluster = connected(f"http://127.0.0.1:{port}")
        read(cluster)
    assert cluster.traffic.server_time is not None
    assert cluster.traffic.bytes == len(b'{"items": []}')
