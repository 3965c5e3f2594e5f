from __future__ import annotations

import hashlib
import json
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker_fake import FakeEngine

from diagnose.collectors import Limits
from diagnose.collectors.docker_engine import EngineError, connect
from diagnose.model import Why

IMPATIENT = Limits(deadline=math.inf, call_s=0.3)


def refusal(limits: Limits = IMPATIENT) -> EngineError:
    with pytest.raises(EngineError) as caught:
        connect(limits)
    return caught.value


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may open every socket; nobody may not."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_engine_says_which_version_of_the_api_it_speaks(fake_engine: FakeEngine):
    engine = connect(IMPATIENT)
    engine.close()
    assert engine.prefix == "/v1.41"
    assert engine.place.startswith("DOCKER_HOST unix://")


def test_a_missing_socket_is_no_engine(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    error = refusal()
    assert error.why is Why.UNREACHABLE
    assert str(error) == f"DOCKER_HOST unix://{tmp_path}/none.sock: no engine, its socket does not exist"
    assert "start Docker" in error.needs


def test_a_socket_without_permission_names_the_group(fake_engine: FakeEngine):
    connect(IMPATIENT).close()  # imports what nobody may not be able to
    Path(str(fake_engine.server_address)).chmod(0)
    with as_nobody():
        error = refusal()
    assert error.why is Why.DENIED
    assert "permission denied" in str(error)
    assert "usermod -aG docker" in error.needs


def test_a_socket_nobody_listens_on_refuses(monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/dead.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/dead.sock")
    error = refusal()
    assert error.why is Why.UNREACHABLE
    assert "connection refused" in str(error)


def test_an_engine_that_hangs_costs_its_own_deadline(fake_engine: FakeEngine):
    fake_engine.answers["/version"] = "hang"
    error = refusal()
    assert error.why is Why.TIMED_OUT
    assert "no answer within 0.3 s" in str(error)
    assert "docker info" in error.needs


@pytest.mark.parametrize(
    "host", ["tcp://me:planted@127.0.0.1:2375", "tcp://127.0.0.1:planted", "planted:2375:1", "tcp://", "http//planted"]
)
def test_a_docker_host_that_is_no_address_is_named_without_its_password(monkeypatch, host):
    monkeypatch.setenv("DOCKER_HOST", host)
    error = refusal()
    assert error.why is Why.UNREACHABLE
    assert "DOCKER_HOST" in str(error)
    assert "me:planted" not in str(error)
    assert error.__cause__ is None
    assert "tcp://host:port" in error.needs


def test_an_unknown_host_name_is_said_to_be_unknown(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.invalid:2375")
    error = refusal(Limits(call_s=5))
    assert error.why is Why.UNREACHABLE
    assert "engine.invalid:2375: the host name is not known" in str(error)


def test_a_closed_port_refuses(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    assert "connection refused" in str(refusal())


def test_an_engine_that_wants_tls_says_how_to_give_it(fake_engine: FakeEngine):
    fake_engine.answers["/version"] = (400, b"Client sent an HTTP request to an HTTPS server.\n")
    error = refusal()
    assert "HTTPS server" in str(error)
    assert "DOCKER_TLS_VERIFY" in error.needs


def test_tls_to_what_speaks_none_is_a_tls_problem(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DOCKER_HOST", f"https://127.0.0.1:{server.getsockname()[1]}")

        def talk_plainly() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=talk_plainly)
        thread.start()
        error = refusal(Limits(call_s=5))
        thread.join()
    assert "TLS failed" in str(error)
    assert "DOCKER_CERT_PATH" in error.needs


def test_certificates_that_are_not_there_are_a_tls_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    error = refusal()
    assert "TLS certificates are not there" in str(error)


@pytest.mark.parametrize("fault", ["html", "nonsense", "404", "500", "cut"])
def test_what_is_no_engine_is_not_taken_for_one(fake_engine: FakeEngine, fault):
    fake_engine.answers["/version"] = fault
    error = refusal()
    assert "\n" not in str(error)
    assert error.needs


def test_the_current_context_is_followed(fake_engine: FakeEngine, monkeypatch, tmp_path):
    address = os.environ["DOCKER_HOST"]
    monkeypatch.delenv("DOCKER_HOST")
    _context(monkeypatch, tmp_path, {"Name": "lab", "Metadata": {}, "Endpoints": {"docker": {"Host": address}}})
    engine = connect(IMPATIENT)
    engine.close()
    assert engine.place == "Docker context lab"


def test_a_context_that_does_not_exist_is_not_silently_another_engine(monkeypatch, tmp_path):
    _context(monkeypatch, tmp_path, None)
    error = refusal()
    assert str(error) == "the Docker context lab does not exist"
    assert "docker context use" in error.needs


@pytest.mark.parametrize("meta", ["{", "[]", {"Name": "lab"}])
def test_a_broken_context_is_an_error_of_ours(monkeypatch, tmp_path, meta):
    _context(monkeypatch, tmp_path, meta)
    assert "context lab can not be read" in str(refusal())


def _context(monkeypatch: pytest.MonkeyPatch, folder: Path, meta: object) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    (folder / "config.json").write_text('{"currentContext": "lab"}')
    if meta is not None:
        file = folder / "contexts" / "meta" / hashlib.sha256(b"lab").hexdigest() / "meta.json"
        file.parent.mkdir(parents=True)
        file.write_text(meta if isinstance(meta, str) else json.dumps(meta))


def test_a_stream_that_stops_midway_ends_at_the_deadline(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/events"] = "hang midway"
    engine = connect(Limits())
    with pytest.raises(EngineError) as caught:
        engine.read("/events", IMPATIENT)
    engine.close()
    assert caught.value.why is Why.TIMED_OUT


def test_the_deadline_of_the_run_is_kept_by_every_call(fake_engine: FakeEngine):
    fake_engine.answers["/version"] = "hang"
    error = refusal(Limits(deadline=time.monotonic() - 1, call_s=10))
    assert error.why is Why.TIMED_OUT


def test_a_refused_path_names_the_permission_it_needs(fake_engine: FakeEngine):
    fake_engine.answers["/v1.41/events"] = "403"
    engine = connect(IMPATIENT)
    with pytest.raises(EngineError, match="403 the engine is not well") as caught:
        engine.read("/events", IMPATIENT)
    engine.close()
    assert caught.value.why is Why.DENIED
    assert "GET /events" in caught.value.needs
