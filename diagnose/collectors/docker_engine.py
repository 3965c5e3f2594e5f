"""A read-only connection to a Docker Engine: where it is, what it answers, and what its failures mean."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from diagnose.collectors import IMPORTS, Limits
from diagnose.collectors.decoding import decoder
from diagnose.errors import CollectorError
from diagnose.model import Why

if TYPE_CHECKING:
    import docker
    import requests
    from docker.context import Context

WORKERS = 16
"""Calls made side by side; the client keeps as many connections."""

_PIECE = 64 * 1024
_LARGEST_ANSWER = 64 * 1024 * 1024
_START = "start Docker (Docker Desktop, or `sudo systemctl start docker`); if it listens elsewhere, set DOCKER_HOST"
_GROUP = "join the group docker (`sudo usermod -aG docker $USER`, then log in again) or run this with sudo"
_TLS = "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem of this engine"
_HOST = "correct DOCKER_HOST (unix:///path, tcp://host:port or ssh://user@host), or unset it to use the local engine"
_WAIT = "look whether `docker info` answers and restart the engine if not, or allow more time with --timeout"

Answer = TypeVar("Answer")


class EngineError(CollectorError):
    """The engine, or one object of it, could not be read; the text is one line, without anything secret."""

    def __init__(self, message: str, *, why: Why, needs: str = "") -> None:
        self.why = why
        super().__init__(message, needs=needs)


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker Engine. Safe to use from several threads."""

    api: docker.APIClient
    place: str
    """As the user knows it, without user name and password."""
    prefix: str = ""
    """Of every path: ``/v1.41``, the engine's own version of its API."""

    def get(self, path: str, answer: type[Answer], limits: Limits, **query: str | int) -> Answer:
        """What ``GET path`` answers, decoded. Raises EngineError."""
        body = self.read(path, limits, **query)
        try:
            return decoder(answer).decode(body)
        except msgspec.MsgspecError as error:
            raise EngineError(f"the answer of {self.place} to GET {path} was not understood", why=Why.FAILED) from error

    def read(self, path: str, limits: Limits, **query: str | int) -> bytes:
        """The whole body of ``GET path``, where that is small. Raises EngineError."""
        body = bytearray()
        for piece in self.pieces(path, limits, **query):
            body += piece
            if len(body) > _LARGEST_ANSWER:
                raise EngineError(f"the answer of {self.place} to GET {path} is above 64 MiB", why=Why.FAILED)
        return bytes(body)

    def pieces(self, path: str, limits: Limits, **query: str | int) -> Iterator[bytes]:
        """The body of ``GET path`` as it arrives; raises EngineError, also midway and when ``limits.left_s()`` is over.

        The client's own functions for logs and events switch the time limit of the socket off, so that an engine that
        hangs would hang us: https://github.com/docker/docker-py/blob/7.1.0/docker/api/client.py
        """
        allowed_s = limits.left_s()
        deadline = time.monotonic() + allowed_s
        url = f"{self.api.base_url}{self.prefix}{path}"
        with (
            _named(self.place, allowed_s),
            self.api.get(url, params=query, timeout=allowed_s, stream=True) as response,
        ):
            _refuse(response, path)
            for piece in response.iter_content(_PIECE):
                if time.monotonic() > deadline:
                    raise TimeoutError
                yield piece

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self.api.close()


class _Version(msgspec.Struct):
    ApiVersion: str


def connect(limits: Limits) -> Engine:
    """The engine that DOCKER_HOST or the current context names, else the local one. Raises EngineError."""
    with IMPORTS:
        import docker
        from docker.constants import DEFAULT_DOCKER_API_VERSION
        from docker.utils import kwargs_from_env

    place, allowed_s = _place(), limits.left_s()
    with _named(place, allowed_s):
        context, given = _context(), kwargs_from_env()
        address = given.get("base_url") or (context.Host if context else None)
        _knock(address, allowed_s)
        api = docker.APIClient(
            base_url=address,
            version=DEFAULT_DOCKER_API_VERSION,  # without one it asks the engine, in a way that hides every error
            tls=given.get("tls") or (context.TLSConfig if context else None) or False,
            max_pool_size=WORKERS,
        )
    engine = Engine(api, place)
    try:
        version = engine.get("/version", _Version, limits)
    except EngineError as error:
        engine.close()
        raise EngineError(str(error), why=error.why, needs=error.needs or _HOST) from error
    return Engine(api, place, f"/v{version.ApiVersion}")


def _knock(address: str | None, allowed_s: float) -> None:
    """Raises OSError for a socket that can not be opened: the client would leave its end of it unclosed."""
    from docker.utils import parse_host

    scheme, _, path = str(parse_host(address, os.name == "nt")).partition("://")
    if scheme == "http+unix":
        with socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(allowed_s)
            knock.connect(path if path.startswith("/") else f"/{path}")


def _place() -> str:
    """Where the engine is meant to be, in words. Raises EngineError for a DOCKER_HOST that is no address."""
    from docker.errors import DockerException
    from docker.utils import parse_host

    host = os.environ.get("DOCKER_HOST", "")
    if not host:
        context = _context_name()
        return "Docker on this machine" if context == "default" else f"Docker context {context}"
    try:
        parse_host(host, os.name == "nt")
    except (DockerException, ValueError):
        said = f"DOCKER_HOST is not an address: {_without_login(host)}"
        raise EngineError(said, why=Why.UNREACHABLE, needs=_HOST) from None  # their text repeats a password in it
    return f"DOCKER_HOST {_without_login(host)}"


def _without_login(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else url.rpartition("@")[2]


def _context_name() -> str:
    from docker.context.config import get_current_context_name

    return str(os.environ.get("DOCKER_CONTEXT") or get_current_context_name() or "default")


class _ContextFile(msgspec.Struct):
    """What the client takes for granted in a context's file."""

    Name: str
    Metadata: dict[str, object]
    Endpoints: dict[str, dict[str, object]]


def _context() -> Context | None:
    """The current context; None when DOCKER_HOST overrides it."""
    if os.environ.get("DOCKER_HOST"):
        return None
    from docker.context import ContextAPI
    from docker.context.config import get_meta_file

    name = _context_name()
    if name != "default":
        _check_context(name, Path(get_meta_file(name)))
    return ContextAPI.get_context(name)


def _check_context(name: str, file: Path) -> None:
    """Raises EngineError where the client would take another engine (no such context) or raise a bare Exception."""
    needs = "choose one of `docker context ls` with `docker context use NAME`, or unset DOCKER_CONTEXT"
    try:
        decoder(_ContextFile).decode(file.read_bytes())
    except FileNotFoundError as error:
        raise EngineError(f"the Docker context {name} does not exist", why=Why.NOT_FOUND, needs=needs) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise EngineError(f"the file of Docker context {name} can not be read", why=Why.FAILED, needs=needs) from error


class _Message(msgspec.Struct):
    message: str = ""


_STATUS = {401: Why.DENIED, 403: Why.DENIED, 404: Why.NOT_FOUND, 501: Why.NOT_SUPPORTED, 504: Why.TIMED_OUT}


def _refuse(response: requests.Response, path: str) -> None:
    """Raises EngineError for an answer that is an error."""
    if response.status_code < 400:
        return
    body = next(response.iter_content(_PIECE), b"")
    try:
        said = decoder(_Message).decode(body).message
    except msgspec.MsgspecError:
        said = body.decode("utf-8", "replace") if b"HTTPS server" in body else response.reason or ""
    why = _STATUS.get(response.status_code, Why.FAILED)
    needs = f"permission for GET {path}, from the authorization plugin or the proxy before the engine"
    raise EngineError(
        f"GET {path} was answered with {response.status_code} {_one_line(said)}".rstrip(),
        why=why,
        needs=_TLS if "HTTPS server" in said else needs if why is Why.DENIED else "",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


@contextmanager
def _named(place: str, allowed_s: float) -> Iterator[None]:
    """The one place where errors of the client and of the network become ours."""
    import urllib3.exceptions
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException, urllib3.exceptions.HTTPError, OSError, _ssh_error()) as error:
        raise _engine_error(tuple(_causes(error)), place, allowed_s) from error


def _ssh_error() -> type[Exception]:
    """Of the optional library behind ssh:// addresses; where that is missing, one that is caught anyway."""
    try:
        from paramiko import SSHException  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return OSError
    return SSHException  # type: ignore[no-any-return, unused-ignore]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all it wraps: as cause, as context, or as an argument."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [other for other in wrapped if isinstance(other, BaseException)]


def _engine_error(causes: tuple[BaseException, ...], place: str, allowed_s: float) -> EngineError:
    """The most telling of the causes in our words; never in theirs, which repeat addresses with passwords."""
    for meaning in (_socket_meaning, _network_meaning):
        for cause in causes:
            found = meaning(cause, place, allowed_s)
            if found:
                return found
    kinds = " from ".join(dict.fromkeys(type(cause).__name__ for cause in causes))
    return EngineError(f"{place} can not be used: {kinds}", why=Why.FAILED, needs=_HOST)


def _socket_meaning(cause: BaseException, place: str, allowed_s: float) -> EngineError | None:
    match cause:
        case PermissionError():
            return EngineError(f"{place}: permission denied on its socket", why=Why.DENIED, needs=_GROUP)
        case FileNotFoundError():
            return EngineError(f"{place}: no engine, its socket does not exist", why=Why.UNREACHABLE, needs=_START)
        case ConnectionRefusedError():
            return EngineError(f"{place}: connection refused", why=Why.UNREACHABLE, needs=_START)
        case socket.gaierror():
            return EngineError(f"{place}: the host name is not known", why=Why.UNREACHABLE, needs=_HOST)
        case TimeoutError():
            return EngineError(f"{place}: no answer within {allowed_s:.1f} s", why=Why.TIMED_OUT, needs=_WAIT)
    return None


def _network_meaning(cause: BaseException, place: str, _allowed_s: float) -> EngineError | None:
    from ssl import SSLError

    import urllib3.exceptions
    from docker.errors import DockerException, TLSParameterError

    match cause:
        case SSLError():
            said = f"{place}: TLS failed ({_one_line(cause.reason or 'handshake')})"
            return EngineError(said, why=Why.UNREACHABLE, needs=_TLS)
        case TLSParameterError():
            return EngineError(f"{place}: the TLS certificates are not there", why=Why.UNREACHABLE, needs=_TLS)
        case DockerException() if "paramiko" in str(cause):
            said = f"{place}: an ssh:// address needs the Python package paramiko"
            return EngineError(said, why=Why.NOT_SUPPORTED, needs="pip install paramiko, beside diagnose")
        case ConnectionError() | urllib3.exceptions.ProtocolError():
            return EngineError(f"{place}: the connection was cut", why=Why.UNREACHABLE, needs=_START)
        case OSError(errno=int(), strerror=str(words)):
            return EngineError(f"{place}: {words}", why=Why.UNREACHABLE, needs=_HOST)
    return None
