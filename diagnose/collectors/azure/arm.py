"""Asks Azure Resource Manager, and the hosts it names, for plain JSON: GET, and the POSTs that only read."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from diagnose.collectors import IMPORTS, Limits
from diagnose.collectors.azure import failures, hosts
from diagnose.collectors.azure.bounded import within
from diagnose.collectors.azure.cloud import PUBLIC, Cloud
from diagnose.collectors.azure.errors import LONGER, AzureError, header, refusal, retry_after_s, safe
from diagnose.model import Why

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.mgmt.core import ARMPipelineClient

Json: TypeAlias = dict[str, object]
_T = TypeVar("_T")

READING_POSTS = frozenset(("getlogs", "listlogsasurl", "diagnose", "listclusterusercredential"))
"""Last part, in small letters, of the paths to which a POST only reads. None of these gives out a key or a password;
the kubeconfig of ``listClusterUserCredential`` is the caller's own."""

_PATH = "!$&'()*+,;=:@"
"""Characters that stay as they are in a part of a path."""
_LARGEST = 64 * 1024 * 1024
_CONNECTIONS = 32
_MOST_PAGES = 1000
_UNKNOWN_WAIT_S = 1.0
_LEAST_WAIT_S = 0.1
_POLL_S = 2.0
_GRACE_S = 0.2
"""A call notices by itself that its time is over; whoever waits gives it this long to say so."""


@dataclass(slots=True)
class _Traffic:
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        with self.lock:
            self.bytes += size


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Arm:
    """One sign-in, one subscription. Safe to use from several threads; raises AzureError for all that goes wrong.

    Paths are given as they read, not percent-encoded, and begin with ``/subscriptions/``.
    """

    def __init__(
        self, subscription: str, credential: TokenCredential, limits: Limits, cloud: Cloud = PUBLIC, tenant: str = ""
    ) -> None:
        """Raises AzureError when the cloud's endpoint is no https address."""
        hosts.checked(cloud.endpoint)
        self.subscription = subscription
        self.credential = credential
        """For clients of azure-mgmt packages; build them with ``options``, and call them through ``ask``."""
        self.limits = limits
        self.endpoint = cloud.endpoint
        """``https://management.azure.com``, or what it is in another cloud."""
        self.tenant = tenant
        """Of the token in use; empty where it is not known."""
        self._scope = cloud.scope
        self._traffic = _Traffic()
        with IMPORTS:
            self._clients = {signed: self._client(signed) for signed in (True, False)}

    @property
    def received(self) -> int:
        """Bytes that came so far; those of clients that were built with ``options`` are not counted."""
        return self._traffic.bytes

    @property
    def options(self) -> dict[str, object]:
        """Keyword arguments for a client of an azure-mgmt package: nothing is tried again, registered or logged.

        By default such a client answers "the resource provider is not registered" by registering it.
        """
        seconds = self.limits.left_s()
        return {
            "policies": _policies(self.credential, self._scope),
            "credential_scopes": [self._scope],
            "retry_total": 0,
            "connection_timeout": seconds,
            "read_timeout": seconds,
        }

    def under(self, limits: Limits) -> Arm:
        """The same sign-in with the same connections, under other limits."""
        other = copy.copy(self)
        other.limits = limits
        return other

    def close(self) -> None:
        """Give the connections back."""
        for client in self._clients.values():
            client.close()

    def get(self, path: str, api_version: str, **query: str) -> Json:
        """``GET path``."""
        return _object(self._exchange("GET", self._address(path, api_version, query)))

    def post(self, path: str, api_version: str, body: Json | None = None, **query: str) -> Json:
        """``POST path``, where that only reads (READING_POSTS); an answer that takes time is waited for.

        Raises ValueError for any other path.
        """
        if path.rsplit("/", 1)[-1].lower() not in READING_POSTS:
            raise ValueError(f"a POST to {path} is not known to only read")
        address = self._address(path, api_version, query)
        answer = self._exchange("POST", address, body)
        while answer.status == 202:
            address = hosts.same(address, header(answer.headers, "Location"))
            asked_s = retry_after_s(answer.headers)
            self._pause(_POLL_S if asked_s is None else asked_s, AzureError("", "the answer is not ready", 202))
            answer = self._exchange("GET", address)
        return _object(answer)

    def pages(self, path: str, api_version: str, **query: str) -> list[Json]:
        """What ``value`` holds, on this and all further pages."""
        return list(self._pages(self._address(path, api_version, query)))

    def elsewhere(self, url: str, *, signed: bool) -> Json:
        """``GET`` an absolute address: of Azure Resource Manager itself, or of Azure Machine Learning's services.

        ``signed`` sends the token; only the services that Microsoft runs are given it.
        """
        return _object(self._exchange("GET", hosts.allowed(url, self.endpoint, signed=signed), signed=signed))

    def pages_elsewhere(self, url: str, *, signed: bool) -> list[Json]:
        """What ``value`` holds there, on this and all further pages; those have to be on the same host."""
        return list(self._pages(hosts.allowed(url, self.endpoint, signed=signed), signed=signed))

    def ask(self, call: Callable[[], _T]) -> _T:
        """What ``call`` returns, which uses a client of an azure-mgmt package; its failures as AzureError."""
        return self._bounded(self.endpoint, call)

    # --- addresses ---

    def _address(self, path: str, api_version: str, query: Mapping[str, str]) -> str:
        segments = path.split("/")
        if segments[:2] != ["", "subscriptions"] or {".", "..", ""} & set(segments[2:]):
            raise AzureError("InvalidName", f"{path!r} is not the path of a resource")
        encoded = "/".join(quote(segment, safe=_PATH) for segment in segments)
        return f"{self.endpoint}{encoded}?{urlencode({'api-version': api_version, **query}, quote_via=quote)}"

    # --- calls ---

    def _pages(self, url: str, signed: bool = True) -> Iterator[Json]:
        for _ in range(_MOST_PAGES):
            page = _object(self._exchange("GET", url, signed=signed))
            found = page.get("value")
            if not isinstance(found, list):
                raise AzureError("Unreadable", "the answer is no list")
            yield from (entry for entry in found if isinstance(entry, dict))
            link = page.get("nextLink")
            if not isinstance(link, str) or not link:
                return
            url = hosts.same(url, link)
        raise AzureError("TooLarge", f"more than {_MOST_PAGES} pages", why=Why.TRUNCATED)

    def _exchange(self, method: str, url: str, body: Json | None = None, signed: bool = True) -> _Answer:
        """An answer below 400, after waiting as often as Azure asks to."""
        while True:
            answer = self._bounded(url, partial(self._once, method, url, body, signed))
            if answer.status < 300:
                return answer
            error, asked_s = _refused(answer), retry_after_s(answer.headers)
            if answer.status != 429 and not (answer.status == 503 and asked_s is not None):
                raise error
            self._pause(_UNKNOWN_WAIT_S if asked_s is None else asked_s, error)

    def _once(self, method: str, url: str, body: Json | None, signed: bool) -> _Answer:
        """One request and its answer, whatever it is."""
        seconds = self.limits.left_s()
        until = time.monotonic() + seconds
        response: HttpResponse = self._clients[signed].send_request(
            _request(method, url, body), stream=True, connection_timeout=seconds, read_timeout=seconds
        )
        with response:
            return _Answer(response.status_code, dict(response.headers), self._body(response, until))

    def _body(self, response: HttpResponse, until: float) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            self._traffic.count(len(piece))
            body += piece
            if len(body) > _LARGEST:
                raise AzureError("TooLarge", "the answer is above 64 MiB", why=Why.TRUNCATED)
            if time.monotonic() > until or self.limits.stop.is_set():
                raise TimeoutError
        return bytes(body)

    def _bounded(self, url: str, call: Callable[[], _T]) -> _T:
        """What ``call`` returns within the time of one call."""
        from azure.core.exceptions import AzureError as SdkError

        seconds = self.limits.left_s()
        try:
            return within(seconds + _GRACE_S, self.limits.stop, call)
        except (SdkError, OSError) as error:
            raise failures.of_call(error, url, seconds) from error

    def _pause(self, seconds: float, error: AzureError) -> None:
        """Wait before asking again. Raises ``error``, at once, where that takes longer than there is time."""
        seconds = max(_LEAST_WAIT_S, seconds)
        if time.monotonic() + seconds < self.limits.deadline and not self.limits.stop.wait(seconds):
            return
        error.message += f"; Azure asks to come back in {seconds:.3g} s, which is more than the time left"
        error.why, error.needs = Why.TIMED_OUT, LONGER
        raise error

    def _client(self, signed: bool) -> ARMPipelineClient[HttpRequest, HttpResponse]:
        """``signed``: it sends the token along. No policy tries again, follows a redirect or logs."""
        import requests
        from azure.core.pipeline.transport import RequestsTransport
        from azure.mgmt.core import ARMPipelineClient
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        policies = _policies(self.credential if signed else None, self._scope)
        return ARMPipelineClient(self.endpoint, policies=policies, transport=RequestsTransport(session=session))


def _policies(credential: TokenCredential | None, scope: str) -> list[object]:
    """What is done to each request; with ``credential``, its token is sent along."""
    from azure.core.pipeline import policies
    from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

    return [
        policies.RequestIdPolicy(),
        policies.UserAgentPolicy("diagnose"),
        policies.ContentDecodePolicy(),
        *([ARMChallengeAuthenticationPolicy(credential, scope)] if credential else []),
    ]


def _request(method: str, url: str, body: Json | None) -> HttpRequest:
    from azure.core.rest import HttpRequest

    return HttpRequest(method, url, headers={"Accept": "application/json"}, json=body)


# --- answers ---


def _object(answer: _Answer) -> Json:
    """The decoded body, which has to be an object; also where it is JSON within a JSON string."""
    if not answer.body.strip():
        return {}
    try:
        value = json.loads(answer.body)
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError):
        raise refusal(answer.status, answer.body, answer.headers) from None
    if not isinstance(value, dict):
        raise AzureError("Unreadable", "the answer is no object", answer.status)
    return value


def _refused(answer: _Answer) -> AzureError:
    if 300 <= answer.status < 400:
        place = safe(header(answer.headers, "Location").split("?")[0])
        return AzureError("", f"redirected to {place}, which is not followed", answer.status, why=Why.UNREACHABLE)
    return refusal(answer.status, answer.body, answer.headers)
