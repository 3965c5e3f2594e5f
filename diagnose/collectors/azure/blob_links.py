"""Links to blobs: what a URL with a shared access signature says by itself, before anything is asked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from diagnose.collectors.azure.blob_errors import BlobError
from diagnose.model import Why

_HOSTS = (
    ".blob.core.windows.net",
    ".blob.storage.azure.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
)
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_AMPERSAND = re.compile(r"&amp;|\\u0026", re.IGNORECASE)
_SKEW = timedelta(minutes=15)
"""How far two clocks may differ: within it the storage account is asked, whose clock is the one that counts."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where a blob is, and what its signature allows. The signature itself is not shown by ``repr``."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str = field(default="", repr=False)
    starts: datetime | None = None
    """``st``: the signature is not valid before."""
    expires: datetime | None = None
    """``se``, or ``ske`` of the key that signed it, whichever is earlier."""
    permissions: str | None = None
    """``sp``; None where a stored policy or a missing signature leaves it open."""
    signed: bool = False

    @property
    def source(self) -> str:
        """The URL as it may be shown: without its query."""
        port = f":{self.port}" if self.port else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def url(self) -> str:
        """The URL to ask, made of the parts that were checked."""
        return f"{self.source}?{self.query}" if self.query else self.source

    @property
    def account(self) -> str:
        """Name of the storage account."""
        return self.path.strip("/").partition("/")[0] if is_loopback(self.host) else self.host.partition(".")[0]

    def certainly_expired(self, now: datetime) -> bool:
        """No clock can be so wrong that it is still valid."""
        return self.expires is not None and self.expires + _SKEW < now

    def certainly_early(self, now: datetime) -> bool:
        """No clock can be so wrong that it is valid already."""
        return self.starts is not None and self.starts - _SKEW > now


def link_of(url: str) -> Link:
    """``url`` taken apart, whose ampersands may be escaped as HTML and JSON do.

    Raises BlobError for what is no https URL of an Azure storage account; plain http, and any port, only of this
    machine: that is Azurite, the emulator.
    """
    plain = url.strip().strip("\"'<>")
    while _AMPERSAND.search(plain):
        plain = _AMPERSAND.sub("&", plain)
    try:
        parts = urlsplit(plain)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise _refused("the address of the blob is not understood") from None  # its text repeats the address
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or re.search(r"[\s\\]", parts.netloc):
        raise _refused("the address of the blob is not understood")
    here = is_loopback(host)
    if not here and not (_NAME.fullmatch(host) and host.endswith(_HOSTS)):
        raise _refused(f"{host} is no storage account of Azure: nothing was asked of it")
    if not here and (parts.scheme != "https" or port not in (None, 443)):
        raise _refused(f"the link to {host} is not plain https: nothing was sent")
    query = parse_qs(parts.query)
    times = [time for name in ("se", "ske") if (time := _time(query.get(name, [""])[0]))]
    return Link(
        scheme=parts.scheme,
        host=host,
        port=port,
        path=parts.path,
        query=parts.query,
        starts=_time(query.get("st", [""])[0]),
        expires=min(times, default=None),
        permissions=query["sp"][0] if "sp" in query else None,
        signed="sig" in query,
    )


def is_loopback(host: str) -> bool:
    """It is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _time(text: str) -> datetime | None:
    """A time of a signature: a date alone, to the minute, to the second or finer, in UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _refused(message: str) -> BlobError:
    return BlobError("BlobAddress", message, why=Why.NOT_SUPPORTED, needs="the link as Azure gave it")
