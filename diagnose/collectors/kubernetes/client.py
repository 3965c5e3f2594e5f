"""GET requests to one API server: raw, each within its time, and every failure named."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diagnose.collectors.kubernetes import certificates, decode
from diagnose.collectors.kubernetes.calls import WORKERS, Clock
from diagnose.errors import CollectorError
from diagnose.model import Why

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECTIONS = 2 * WORKERS
"""Kept open; twice the workers, for those that replace hanging ones."""

_PIECE = 256 * 1024
_LARGEST_REFUSAL = 4096
_LARGEST_ANSWER = 256 * 1024 * 1024
_MOST_ATTEMPTS = 20
_SIGN_IN = (
    "sign in again: `az login` and `az aks get-credentials --resource-group RG --name CLUSTER --overwrite-existing`, "
    "or whatever gave you this kubeconfig"
)
_ADDRESS = "check the server in the kubeconfig, and VPN or private link: does `kubectl get namespaces` answer?"
_TRUST = "check certificate-authority-data in the kubeconfig: it may belong to a cluster that was made anew"
_PROXY = "correct HTTPS_PROXY, or add the API server to NO_PROXY"
_LONGER = "allow more time with --timeout"


class CallError(CollectorError):
    """A call that brought nothing; the text is one line, capped, without anything secret."""

    def __init__(self, text: str, *, why: Why, needs: str = "", status: int = 0, detail: str = "") -> None:
        self.why = why
        self.status = status
        """HTTP status; 0 when there was no answer."""
        self.detail = detail
        """The server's own message."""
        super().__init__(text, needs=needs)

    @property
    def refused(self) -> bool:
        """Every other call would end the same way: the server does not know us, or is not there."""
        return self.status == 401 or (not self.status and self.why is not Why.FAILED)


@dataclass(slots=True)
class Traffic:
    """What came over a connection so far."""

    bytes: int = 0
    server_time: datetime | None = None
    """The server's own clock, from the newest answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        """Add the bytes of an answer."""
        with self._lock:
            self.bytes += size

    def note_time(self, text: str | None) -> None:
        """Keep what a ``Date`` header says."""
        if not text:
            return
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        with self._lock:
            if self.server_time is None or moment > self.server_time:
                self.server_time = moment


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to one API server. Safe to use from several threads."""

    pool: PoolManager
    server: str
    """Address of the API server."""
    headers: Mapping[str, str] = field(repr=False)
    context: str = ""
    """Name of the context, or ``in-cluster``."""
    namespace: str = "default"
    """Of the context."""
    certificate: str | None = None
    """File of the client certificate."""
    traffic: Traffic = field(default_factory=Traffic)
    absent: set[str] = field(default_factory=set)
    """Group versions of a resource that this server turned out not to have."""

    def read(self, path: str, query: Mapping[str, str], clock: Clock) -> bytes:
        """The whole body of ``GET path``. Raises CallError."""
        body = bytearray()
        for piece in self.pieces(path, query, clock):
            body += piece
            if len(body) > _LARGEST_ANSWER:
                raise CallError("the answer is above 256 MiB", why=Why.TRUNCATED)
        return bytes(body)

    def pieces(self, path: str, query: Mapping[str, str], clock: Clock) -> Iterator[bytes]:
        """The body of ``GET path`` as it arrives. Raises CallError, also midway and when the call's time is over."""
        from urllib3.exceptions import HTTPError

        allowed_s = clock.renew()
        try:
            with closing(self._answer(path, query, clock)) as response:
                while piece := response.read1(_PIECE):
                    self.traffic.count(len(piece))
                    yield piece
                    if clock.over():
                        raise TimeoutError
        except (HTTPError, OSError) as error:
            raise self._failure(error, allowed_s) from error

    def _answer(self, path: str, query: Mapping[str, str], clock: Clock) -> BaseHTTPResponse:
        """A response with status 200, after waiting as often as the server asks to."""
        for _ in range(_MOST_ATTEMPTS):
            response = self._send(path, query, clock.renew())
            self.traffic.note_time(response.headers.get("Date"))
            if response.status == 200 and not response.headers.get("Content-Type", "").startswith("text/html"):
                return response
            with closing(response):
                if response.status == 200:
                    raise CallError("HTML from a proxy or a login page", why=Why.FAILED, needs=_ADDRESS)
                wait_s = _asked_to_wait_s(response)
                if wait_s is None or not clock.pause(wait_s):
                    raise self._refusal(response)
        raise CallError("the server kept asking to come back later", why=Why.FAILED, needs=_LONGER)

    def _send(self, path: str, query: Mapping[str, str], allowed_s: float) -> BaseHTTPResponse:
        from urllib3 import Timeout

        return self.pool.request(
            "GET",
            self.server + path,
            fields=dict(query),
            headers=dict(self.headers),
            timeout=Timeout(total=allowed_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _refusal(self, response: BaseHTTPResponse) -> CallError:
        body = response.read1(_LARGEST_REFUSAL)
        status, detail = response.status, decode.message(body) or _plain(body)
        text = f"HTTP {status} {response.reason or ''}".strip()
        if status == 401:
            return CallError(f"{text}: {self._credentials()}", why=Why.DENIED, needs=_SIGN_IN, status=401)
        why = _WHY.get(status, Why.FAILED)
        needs = _LONGER if why is Why.TIMED_OUT else ""
        return CallError(text, why=why, needs=needs, status=status, detail=detail)

    def _credentials(self) -> str:
        """What is wrong with them, as far as it can be told."""
        what = "client certificate" if self.certificate else "token"
        return self._expired() or f"the {what} of context {self.context} was refused: expired, or not of this cluster"

    def _expired(self) -> str:
        """That the client certificate is too old; empty when it is not, or there is none."""
        end = certificates.end_of(Path(self.certificate)) if self.certificate else None
        if end is None or end > datetime.now(UTC):
            return ""
        return f"the client certificate of context {self.context} expired on {end:%Y-%m-%d}"

    def _failure(self, error: Exception, allowed_s: float) -> CallError:
        """``error`` of the HTTP library in our words."""
        from urllib3 import exceptions as http

        place = _place(self.server)
        match error:
            case http.NameResolutionError():
                return CallError(f"the name {place} does not resolve", why=Why.UNREACHABLE, needs=_ADDRESS)
            case http.NewConnectionError():
                reason = _reason(error)
                return CallError(f"no connection to {place}: {reason}", why=Why.UNREACHABLE, needs=_ADDRESS)
            case http.TimeoutError() | TimeoutError():
                text = f"no answer from {place} within {allowed_s:.3g} s"
                return CallError(text, why=Why.TIMED_OUT, needs=f"{_ADDRESS}; or {_LONGER}")
            case http.SSLError():
                return self._tls_failure(str(error), place)
            case http.ProtocolError() if self._expired():
                return CallError(f"TLS with {place}: {self._expired()}", why=Why.DENIED, needs=_SIGN_IN)
            case http.ProxyError():
                return CallError(f"the proxy to {place} does not answer", why=Why.UNREACHABLE, needs=_PROXY)
            case http.ProtocolError():
                return CallError(f"{place} cut the connection", why=Why.FAILED, needs="try again")
            case http.HTTPError():
                text = f"{place} can not be asked: {type(error).__name__}"
                return CallError(text, why=Why.UNREACHABLE, needs=_ADDRESS)
        text = f"the client certificate or its authority can not be used: {_reason(error)}"
        return CallError(text, why=Why.UNREACHABLE, needs=_SIGN_IN)

    def _tls_failure(self, text: str, place: str) -> CallError:
        _, _, reason = text.partition("certificate verify failed: ")
        if reason:
            reason = reason.split(" (_ssl", 1)[0][:120]
            return CallError(f"the certificate of {place} is not trusted: {reason}", why=Why.UNREACHABLE, needs=_TRUST)
        # A server that refuses a certificate may close before its reason arrives: the date is what is left to tell by.
        if self._expired() or re.search(r"alert.*(certificate|unknown ca|access denied)", text, re.IGNORECASE):
            return CallError(f"TLS with {place}: {self._credentials()}", why=Why.DENIED, needs=_SIGN_IN)
        return CallError(f"TLS with {place} failed", why=Why.UNREACHABLE, needs=_ADDRESS)


_WHY = {
    403: Why.DENIED,
    404: Why.NOT_FOUND,
    408: Why.TIMED_OUT,
    410: Why.TRUNCATED,
    429: Why.TIMED_OUT,
    504: Why.TIMED_OUT,
}


def _asked_to_wait_s(response: BaseHTTPResponse) -> float | None:
    """Seconds after which the server wants to be asked again; None when it does not."""
    header = response.headers.get("Retry-After")
    if response.status != 429 and not (response.status == 503 and header):
        return None
    try:
        return min(max(0.1, float(header or 1)), 3600.0)
    except ValueError:
        return 1.0


def _plain(body: bytes) -> str:
    """The text of an answer that is no v1 Status, in one short line; nothing of a page."""
    text = body.decode("utf-8", "replace").strip()
    return "" if text[:1] in ("<", "{", "[") else " ".join(text.split())[:300]


def _place(server: str) -> str:
    """Host and port, without user name and password."""
    return urlsplit(server).netloc.rpartition("@")[2]


def _reason(error: Exception) -> str:
    """What the operating system said, in words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()[:120]
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
