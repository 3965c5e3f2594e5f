"""GET requests to one blob: within their time, through the proxy of the environment, and every failure named."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from diagnose.collectors import IMPORTS, Limits
from diagnose.collectors.azure.blob_errors import BlobError, refusal
from diagnose.collectors.azure.blob_links import Link, is_loopback
from diagnose.collectors.azure.errors import LONGER
from diagnose.model import Why

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_PIECE = 64 * 1024
_LARGEST_REFUSAL = 16 * 1024
_VERSION = "2021-08-06"
"""Of the Blob service: with a sign-in one has to be named."""
_NETWORK = "check network, VPN or private link from here to the storage account"
_PAGE = (b"<!doctype html", b"<html")


@dataclass
class BlobCalls:
    """Calls about one blob."""

    link: Link
    limits: Limits
    pool: PoolManager = field(repr=False)
    token: str = field(default="", repr=False)
    renew: str = ""
    """How to come by a new link."""
    received: int = 0

    @contextmanager
    def answer(self, part: str = "") -> Iterator[BaseHTTPResponse]:
        """The response with the blob, or with the ``part`` of it: ``bytes=0-99``. Raises BlobError."""
        with closing(self._send(part)) as response:
            if response.status not in (200, 206):
                raise self._refusal(response)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise _page(self.link)
            yield response

    def pieces(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it arrives. Raises BlobError, also midway and when the call's time is over."""
        from urllib3.exceptions import HTTPError

        allowed_s = self.limits.left_s()
        deadline, is_first = time.monotonic() + allowed_s, True
        try:
            while piece := response.read1(_PIECE, decode_content=False):
                if is_first and piece[:64].lstrip().lower().startswith(_PAGE):
                    raise _page(self.link)
                self.received += len(piece)
                is_first = False
                yield piece
                if time.monotonic() > deadline or self.limits.stop.is_set():
                    raise TimeoutError
        except (HTTPError, OSError) as error:
            raise _failure(error, self.link, allowed_s) from None

    def _send(self, part: str) -> BaseHTTPResponse:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        headers = {"Accept-Encoding": "identity"}
        if part:
            headers["Range"] = part
        if self.token:
            headers |= {"Authorization": f"Bearer {self.token}", "x-ms-version": _VERSION}
        allowed_s = self.limits.left_s()
        try:
            return self.pool.request(
                "GET",
                self.link.url,
                headers=headers,
                timeout=Timeout(total=allowed_s),
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except (HTTPError, OSError) as error:
            raise _failure(error, self.link, allowed_s) from None  # their texts repeat the address

    def _refusal(self, response: BaseHTTPResponse) -> BlobError:
        if 300 <= response.status < 400:
            said = f"{self.link.host} sends us on to another address, which is not followed"
            return BlobError("Redirect", said, status=response.status, why=Why.NOT_SUPPORTED, needs=_NETWORK)
        headers = {name.lower(): value for name, value in response.headers.items()}
        with_token, now = bool(self.token), datetime.now(UTC)
        body = _beginning(response)
        return refusal(self.link, response.status, headers, body, renew=self.renew, with_token=with_token, now=now)


@contextmanager
def connected(link: Link, limits: Limits, token: str, renew: str) -> Iterator[BlobCalls]:
    """Calls over connections that are given back at the end."""
    with _pool(link) as pool:
        yield BlobCalls(link, limits, pool, token, renew)


@contextmanager
def _pool(link: Link) -> Iterator[PoolManager]:
    """Connections as the rest of the program's calls to Azure make them: through the proxy of the environment, trusting
    the authorities of the machine, of ``certifi`` and of REQUESTS_CA_BUNDLE."""
    with IMPORTS:
        import urllib3

    trust = _trust() if link.scheme == "https" else None
    proxy = "" if is_loopback(link.host) or proxy_bypass(link.host) else getproxies().get(link.scheme, "")
    pool = urllib3.ProxyManager(proxy, ssl_context=trust) if proxy else urllib3.PoolManager(ssl_context=trust)
    with pool:
        yield pool


def _trust() -> ssl.SSLContext:
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if bundle and Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    elif bundle and Path(bundle).is_file():
        context.load_verify_locations(cafile=bundle)
    return context


def _beginning(response: BaseHTTPResponse) -> bytes:
    """Of the body of a refusal, or nothing where even that does not come."""
    from urllib3.exceptions import HTTPError

    try:
        return response.read1(_LARGEST_REFUSAL)
    except (HTTPError, OSError):
        return b""


def _page(link: Link) -> BlobError:
    said = f"instead of the log a web page came from {link.host}: of a proxy or a login"
    return BlobError("HTML", said, status=200, why=Why.FAILED, needs=_NETWORK)


def _failure(error: Exception, link: Link, allowed_s: float) -> BlobError:
    """``error`` of the HTTP library in our words."""
    from urllib3 import exceptions as http

    match error:
        case http.NameResolutionError():
            why, told = Why.UNREACHABLE, f"the name {link.host} does not resolve"
        case http.ProxyError():
            why, told = Why.UNREACHABLE, f"the proxy to {link.host} does not answer"
        case http.NewConnectionError():
            why, told = Why.UNREACHABLE, f"no connection to {link.host}"
        case http.TimeoutError() | TimeoutError():
            why, told = Why.TIMED_OUT, f"no answer from {link.host} within {allowed_s:.3g} s"
        case http.SSLError():
            why, told = Why.UNREACHABLE, f"TLS with {link.host} failed: is its certificate trusted?"
        case http.ProtocolError():
            why, told = Why.FAILED, f"{link.host} cut the connection"
        case _:
            why, told = Why.UNREACHABLE, f"{link.host} can not be asked: {type(error).__name__}"
    return BlobError("", told, why=why, needs=LONGER if why is Why.TIMED_OUT else _NETWORK)
