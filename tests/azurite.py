"""A real Blob service: Azurite, Microsoft's emulator, with the containers, blobs and links that a test makes.

It is found as ``azurite-blob`` where DIAGNOSE_AZURITE says (the program, or a folder with it or its node_modules), on
PATH, or in ``node_modules``; ``npm install azurite@3.35.0`` brings it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import urllib3
from azure_server import TENANT

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that every Azurite has: it is in its documentation."""
OTHER_KEY = base64.b64encode(bytes(64)).decode()

_VERSION = "2021-08-06"
_WAIT_S = 60
_OPTIONS = (
    "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Azurite:
    """A running one. Every test has a container to itself."""

    port: int
    container: str
    ca: Path | None = None
    """Its certificate's authority; None where it speaks plain HTTP."""

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:10000/devstoreaccount1``, as ``primaryEndpoints.blob`` of a storage account."""
        return f"{'https' if self.ca else 'http'}://127.0.0.1:{self.port}/{ACCOUNT}"

    def address(self, blob: str) -> str:
        """Of a blob, without a signature."""
        return f"{self.endpoint}/{self.container}/{blob}"

    def put(self, blob: str, content: bytes, **headers: str) -> str:
        """Upload a blob; a link that allows to read it for an hour."""
        self._signed("PUT", f"/{self.container}/{blob}", content, {"x-ms-blob-type": "BlockBlob", **headers})
        return self.link(blob)

    def delete(self, blob: str) -> None:
        """Delete a blob."""
        self._signed("DELETE", f"/{self.container}/{blob}")

    def create(self) -> None:
        """Create the container."""
        self._signed("PUT", f"/{self.container}", restype="container")

    def link(
        self,
        blob: str,
        *,
        starts: timedelta | None = None,
        expires: timedelta = timedelta(hours=1),
        permissions: str = "r",
        protocol: str = "",
        key: str = KEY,
    ) -> str:
        """A link with a signature of ``key``; ``starts`` and ``expires`` count from now."""
        now = datetime.now(UTC)
        start = _time(now + starts) if starts is not None else ""
        expiry = _time(now + expires)
        resource = f"/blob/{ACCOUNT}/{self.container}/{blob}"
        to_sign = (permissions, start, expiry, resource, "", "", protocol, _VERSION, "b", *[""] * 7)
        given = {"sv": _VERSION, "st": start, "se": expiry, "sr": "b", "sp": permissions, "spr": protocol}
        query = {name: value for name, value in given.items() if value} | {"sig": _signature("\n".join(to_sign), key)}
        return f"{self.address(blob)}?{urlencode(query, quote_via=quote, safe='')}"

    def _signed(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, **query: str
    ) -> None:
        """A request with the account's key: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
        sent = {
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            "x-ms-version": _VERSION,
            **(headers or {}),
        }
        named = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent) if name.startswith("x-ms-"))
        asked = "".join(f"\n{name}:{query[name]}" for name in sorted(query))
        length, kind = str(len(content)) if content else "", sent.get("Content-Type", "")
        to_sign = f"{method}\n\n\n{length}\n\n{kind}\n\n\n\n\n\n\n{named}/{ACCOUNT}/{ACCOUNT}{path}{asked}"
        sent["Authorization"] = f"SharedKey {ACCOUNT}:{_signature(to_sign, KEY)}"
        address = f"{self.endpoint}{path}" + "".join(f"?{name}={value}" for name, value in query.items())
        with urllib3.PoolManager(ca_certs=str(self.ca) if self.ca else None) as pool:
            answer = pool.request(method, address, body=content or None, headers=sent, retries=False)
        assert answer.status in (201, 202), f"{method} {path}: {answer.status} {answer.data[:500]!r}"


def token_for(audience: str) -> str:
    """A token with what Azurite looks at; ``https://storage.azure.com`` is the audience it takes."""
    now = int(time.time())
    times = {"iat": now - 60, "nbf": now - 60, "exp": now + 3600}
    claims = {"aud": audience, "iss": f"https://sts.windows.net/{TENANT}/", "ver": "1.0", **times}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims))
    return ".".join([*(part.decode() for part in parts), "c2VjcmV0"])


def _signature(text: str, key: str) -> str:
    return base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _program() -> str | None:
    """``azurite-blob``; None when it is not here."""
    given = os.environ.get("DIAGNOSE_AZURITE", "")
    if given and Path(given).is_file():
        return given
    folders = [given, f"{given}/node_modules/.bin"] if given else []
    return shutil.which("azurite-blob", path=os.pathsep.join([*folders, os.environ["PATH"], "node_modules/.bin"]))


@contextmanager
def _running(*options: str) -> Iterator[int]:
    """Its port, once it answers."""
    program = _program()
    if program is None and os.environ.get("CI"):
        pytest.fail("no Azurite")
    if program is None:
        pytest.skip("no Azurite: npm install azurite@3.35.0, or say in DIAGNOSE_AZURITE where it is")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [program, *_OPTIONS, "--blobPort", str(port), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    process.kill()
    pytest.fail(f"Azurite did not start: {process.communicate()[0][-2000:]}")


@pytest.fixture(scope="session")
def azurite_port() -> Iterator[int]:
    """Of one that speaks plain HTTP."""
    with _running() as port:
        yield port


@pytest.fixture(scope="session")
def azurite_tls_port(azure_certificates: tuple[Path, Path]) -> Iterator[int]:
    """Of one that speaks TLS and takes sign-ins of Entra ID; it looks at all of a token but its signature."""
    _, certificate = azure_certificates
    with _running("--cert", str(certificate), "--key", str(certificate), "--oauth", "basic") as port:
        yield port


@pytest.fixture
def azurite(azurite_port: int) -> Azurite:
    """Azurite, with an empty container."""
    service = Azurite(azurite_port, f"test-{uuid.uuid4().hex[:8]}")
    service.create()
    return service


@pytest.fixture
def azurite_tls(azurite_tls_port: int, azure_certificates: tuple[Path, Path]) -> Azurite:
    """The same over TLS; its authority has to be trusted, by REQUESTS_CA_BUNDLE for example."""
    service = Azurite(azurite_tls_port, f"test-{uuid.uuid4().hex[:8]}", azure_certificates[0])
    service.create()
    return service
