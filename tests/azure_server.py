"""An Azure on this machine: recorded and derived answers over TLS, for the real SDKs.

``azure`` starts it and sets the environment as it is on the machine of somebody who is signed in; ``arm`` is that
sign-in. What a route answers is the fixture that a test chose with ``use``; without a choice, the first in alphabetical
order that is no error. Unknown paths are answered as Azure Resource Manager does.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest

from diagnose.collectors import Limits
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.session import signed_in

ANSWERS = Path(__file__).parent / "azure_answers"

SUB = "00000000-0000-0000-0000-000000000001"
TENANT = "00000000-0000-0000-0000-0000000000aa"
OTHER_TENANT = "00000000-0000-0000-0000-0000000000bb"
RG = "rg-mlops"
WORKSPACE = "ws-mlops"
PRINCIPAL = "11111111-0000-0000-0000-000000000003"

GROUP = f"/subscriptions/{SUB}/resourceGroups/{RG}"
WORKSPACE_PATH = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
VAULT_PATH = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-mlops"

_AT_HOME = (b"https://management.azure.com", b"https://eastus2.api.azureml.ms")
"""Absolute addresses in answers that have to lead back to this server, or the SDKs would talk to the real Azure."""
_SERVICES = ("api", "catalog", "experimentation", "history", "hyperdrive", "modelmanagement", "pipelines")
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_INHERITED = ("AZURE_", "AZUREML_", "ARM_", "MSI_", "IDENTITY_", "IMDS_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_EXPIRED_SECRET = (
    "AADSTS7000222: The provided client secret keys for app '11111111-0000-0000-0000-0000000000c1' are expired. Visit the "
    "Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate "
    "credentials for added security: https://aka.ms/certCreds. Trace ID: 11111111-0000-0000-0000-0000000000c2 Correlation "
    "ID: 11111111-0000-0000-0000-0000000000c3 Timestamp: 2026-11-22 11:00:00Z"
)


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def json(cls, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        return cls(status, _JSON | dict(headers or {}), json.dumps(value).encode())


@dataclass(frozen=True)
class Fixture:
    """An answer of ``azure_answers``."""

    name: str
    """``keyvault/vault_get_rbac``."""
    method: str
    path: str
    """In small letters, without the query."""
    answer: Answer


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """By name in small letters."""
    body: str

    @property
    def token(self) -> str:
        """The bearer token it was sent with; empty without one."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@cache
def fixtures() -> Mapping[str, Fixture]:
    """All of ``azure_answers`` that say what they answer, by name."""
    found = {}
    for file in sorted(ANSWERS.glob("*/*.meta.json")):
        meta = json.loads(file.read_text(encoding="utf-8"))
        name = file.relative_to(ANSWERS).as_posix().removesuffix(".meta.json")
        body = file.with_name(file.name.replace(".meta.json", ".json")).read_bytes()
        path = urlsplit(meta["path"]).path.lower()
        found[name] = Fixture(name, meta["method"], path, Answer(meta["status"], meta["headers"], body))
    return found


def body_of(name: str) -> object:
    """The decoded body of a fixture, for decoders that need no server."""
    return json.loads(fixtures()[name].answer.body)


def token(kind: str, tenant: str = TENANT, lives_s: float = 3600) -> str:
    """An unsigned JWT. ``kind`` (``entra``, ``identity``, ``cli``) is a claim of it."""
    claims = {"kind": kind, "tid": tenant, "oid": PRINCIPAL, "exp": int(time.time() + lives_s)}
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join([*(part.rstrip(b"=").decode() for part in parts), "x"])


@dataclass(frozen=True)
class _Choices:
    """What tests ordered, all by path in small letters."""

    fixtures: dict[tuple[str, str], str] = field(default_factory=dict)
    """Name of the fixture by method and path."""
    anywhere: dict[str, Answer] = field(default_factory=dict)
    """Answers to any method."""
    ordered: dict[tuple[str, str], Answer] = field(default_factory=dict)
    first: defaultdict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    slow: dict[str, float] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)

    def forget(self, path: str) -> None:
        """What was ordered for ``path`` by method: the latest order counts."""
        for route in [route for route in self.ordered if route[1] == path]:
            del self.ordered[route]

    drip: dict[str, float] = field(default_factory=dict)


class AzureServer:
    """Azure Resource Manager, model management, Entra ID and the identity endpoints of virtual machines."""

    def __init__(self, certificate: Path | None = None, ca: Path | None = None) -> None:
        """Without ``certificate`` it speaks plain HTTP, as the identity endpoints of virtual machines do."""
        self.ca = ca
        self.requests: list[Request] = []
        self.answered = 0
        """Requests that were answered, at least in part; slow ones are not yet."""
        self.config: Path = Path()
        """Folder of the Azure CLI's settings that ``AZURE_CONFIG_DIR`` points to; set by the fixture ``azure``."""
        self.identity: AzureServer = self
        """The same over plain HTTP, for ``IDENTITY_ENDPOINT`` and ``AZURE_POD_IDENTITY_AUTHORITY_HOST``."""
        self.tenant = TENANT
        """Of the tokens given out."""
        self._choices = _Choices()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if certificate else 'http'}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    # --- what a test orders ---

    def use(self, *names: str, at: str = "") -> None:
        """These fixtures answer the requests they were recorded for; with ``at``, the request for that path."""
        for name in names:
            fixture = fixtures()[name]
            if at:
                self._choices.anywhere[at.lower()] = fixture.answer
                self._choices.forget(at.lower())
            else:
                self._choices.fixtures[fixture.method, fixture.path] = name

    def answer(
        self, method: str, path: str, status: int = 200, body: object = b"", headers: Mapping[str, str] | None = None
    ) -> None:
        """Any other answer: bytes or a string as they are, everything else as JSON."""
        match body:
            case bytes():
                answer = Answer(status, headers or {}, body)
            case str():
                answer = Answer(status, headers or {}, body.encode())
            case _:
                answer = Answer.json(body, status, headers)
        self._choices.ordered[method.upper(), path.lower()] = answer

    def fail_first(
        self, path: str, name: str, times: int = 1, headers: Mapping[str, str] | None = None, status: int | None = None
    ) -> None:
        """The first requests for ``path`` are answered with this fixture; ``headers`` and ``status`` replace its own."""
        answer = fixtures()[name].answer
        changed = {key.title(): value for key, value in answer.headers.items()} | dict(headers or {})
        self._choices.first[path.lower()] += [replace(answer, headers=changed, status=status or answer.status)] * times

    def slow(self, path: str, seconds: float) -> None:
        """Requests for ``path`` are answered after this long."""
        self._choices.slow[path.lower()] = seconds

    def cut(self, path: str, after: int = -1) -> None:
        """Requests for ``path`` end in a closed connection: after so many bytes of the body, or without any answer."""
        self._choices.cut[path.lower()] = after

    def drip(self, path: str, seconds: float) -> None:
        """The body of answers for ``path`` comes byte by byte, with a pause before each."""
        self._choices.drip[path.lower()] = seconds

    def paths(self, method: str = "GET") -> list[str]:
        """Paths asked for, sign-in aside, in the order in which the requests came."""
        return [request.path for request in self.requests if request.method == method and request.token]

    def close(self) -> None:
        """Stop. Connections to it are refused from now on."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # --- what it answers ---

    def handle(self, request: Request) -> Answer | None:
        """None: close the connection."""
        self.requests.append(request)
        path = request.path.lower()
        if path in self._choices.slow:
            self._closing.wait(self._choices.slow[path])
        if self._choices.cut.get(path, 0) < 0:
            return None
        self.answered += 1
        if self._choices.first.get(path):
            return self._brought_home(self._choices.first[path].pop(0))
        ordered = self._choices.ordered.get((request.method, path)) or self._choices.anywhere.get(path)
        return self._brought_home(ordered or self._entra(request) or self._discovered(path) or self._resource(request))

    def pieces(self, path: str, body: bytes) -> Iterator[bytes]:
        """The body as it is sent; less than the whole where the connection is to be cut."""
        pause_s = self._choices.drip.get(path.lower())
        if pause_s is None:
            yield body[: self._choices.cut.get(path.lower())]
            return
        for index in range(len(body)):
            if self._closing.wait(pause_s):
                return
            yield body[index : index + 1]

    def _entra(self, request: Request) -> Answer | None:
        """Entra ID, and the endpoints that give a managed identity its token."""
        path = request.path.lower()
        tenant = f"{self.url}/{request.path.strip('/').split('/')[0]}"
        if path.endswith("/.well-known/openid-configuration"):
            names = {"token_endpoint": "oauth2/v2.0/token", "authorization_endpoint": "oauth2/v2.0/authorize"}
            return Answer.json({"issuer": f"{tenant}/v2.0"} | {key: f"{tenant}/{end}" for key, end in names.items()})
        if path.endswith("/oauth2/v2.0/token"):
            return self._token_for(dict(parse_qsl(request.body)))
        if path in ("/msi/token", "/metadata/identity/oauth2/token"):
            life = {"expires_on": str(int(time.time()) + 3600), "expires_in": "3600", "token_type": "Bearer"}
            given = token("identity", self.tenant)
            return Answer.json(life | {"access_token": given, "resource": request.query.get("resource", "")})
        return None

    def _token_for(self, form: Mapping[str, str]) -> Answer:
        if form.get("client_secret") == "expired":
            error = {"error": "invalid_client", "error_description": _EXPIRED_SECRET, "error_codes": [7000222]}
            return Answer.json(error, 401)
        life = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}
        return Answer.json(life | {"access_token": token("entra", self.tenant)})

    def _discovered(self, path: str) -> Answer | None:
        """What the ``discoveryUrl`` of a workspace answers: where the services of its region are. Asks for no token."""
        if path != "/discovery" and not path.startswith("/discovery/"):
            return None
        return Answer.json(dict.fromkeys(_SERVICES, self.url))

    def _resource(self, request: Request) -> Answer:
        if not request.token:
            error = {"error": {"code": "AuthenticationFailed", "message": "Authentication failed."}}
            return Answer.json(
                error, 401, {"WWW-Authenticate": 'Bearer authorization_uri="https://login.windows.net/"'}
            )
        name = self._choice(request)
        if name:
            return fixtures()[name].answer
        resource = "/".join(request.path.split("/")[6:9])
        message = (
            f"The Resource '{resource}' under resource group '{RG}' was not found. For more details please go to "
            "https://aka.ms/ARMResourceNotFoundFix"
        )
        error = {"error": {"code": "ResourceNotFound", "message": message}}
        return Answer.json(error, 404, {"x-ms-failure-cause": "gateway"})

    def _choice(self, request: Request) -> str | None:
        """Name of the fixture that answers; None when there is none."""
        route = request.method, request.path.lower()
        names = [name for name, fixture in fixtures().items() if (fixture.method, fixture.path) == route]
        if "$skiptoken" in request.query:
            names = [name for name in names if name.endswith("page2")] or names
        elif route in self._choices.fixtures:
            return self._choices.fixtures[route]
        return min(names, key=lambda name: (fixtures()[name].answer.status >= 400, name), default=None)

    def _brought_home(self, answer: Answer) -> Answer:
        body, headers = answer.body, dict(answer.headers)
        for address in _AT_HOME:
            body = body.replace(address, self.url.encode())
            headers = {name: value.replace(address.decode(), self.url) for name, value in headers.items()}
        return replace(answer, headers=headers, body=body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], azure: AzureServer) -> None:
        self.azure = azure
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that refuse the certificate, or leave before the answer, are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    """With either of the two missing, answers wait 40 ms for an acknowledgement."""
    server: _Server

    def _respond(self) -> None:
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(address.path),
            query={name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(),
        )
        answer = self.server.azure.handle(request)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        sent = 0
        for piece in self.server.azure.pieces(request.path, answer.body):
            self.wfile.write(piece)
            self.wfile.flush()
            sent += len(piece)
        self.close_connection = self.close_connection or sent < len(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815  the names are the base class's

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the tests look at ``requests``."""


# --- certificates ---


def make_certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate authority of two days, and key with certificate of ``localhost``: their files, in that order."""
    import ipaddress
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.now(UTC)

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
        def named(common: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])

        builder = x509.CertificateBuilder().subject_name(named(name)).issuer_name(named(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = "authority of the tests"
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = certificate(ca_name, ca_key, ca_name).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    ca = ca.add_extension(usage, True)
    ca = ca.add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = certificate("localhost", key, ca_name).add_extension(x509.SubjectAlternativeName(names), False)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)

    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_file, server_file = folder / "ca.pem", folder / "server.pem"
    ca_file.write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    server_file.write_bytes(secret + server.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    return ca_file, server_file


# --- the machine of somebody who is signed in ---


def forget_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own Azure, and no proxy, reaches a test."""
    for name in list(os.environ):
        if name.startswith(_INHERITED) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)


def register_cloud(folder: Path, url: str) -> None:
    """As ``az cloud register`` and ``az cloud set`` do it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text("[cloud]\nname = LocalCloud\n", encoding="utf-8")
    endpoints = f"endpoint_resource_manager = {url}\nendpoint_active_directory = {url}\n"
    resource = "endpoint_active_directory_resource_id = https://management.azure.com\n"
    (folder / "clouds.config").write_text(f"[LocalCloud]\n{endpoints}{resource}", encoding="utf-8")


def fake_az(folder: Path, script: str) -> None:
    """A program ``az`` in ``folder``: these lines of shell."""
    program = folder / "az"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def service_principal(monkeypatch: pytest.MonkeyPatch, secret: str = "made-up") -> None:
    """The variables that sign an application in."""
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", "11111111-0000-0000-0000-0000000000c1")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", secret)


@pytest.fixture(autouse=True)
def no_azure(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the Azure that the developer is signed in to."""
    forget_azure(monkeypatch)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path_factory.getbasetemp() / "no-azure"))


@pytest.fixture(scope="session")
def azure_certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Authority, and key with certificate."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def azure(
    no_azure: None,
    azure_certificates: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[AzureServer]:
    """A server, and an environment in which everything that signs in to Azure and asks it, asks this one."""
    ca, certificate = azure_certificates
    forget_azure(monkeypatch)
    with contextlib.closing(AzureServer(certificate, ca)) as server, contextlib.closing(AzureServer()) as plain:
        server.identity = plain
        server.config = tmp_path_factory.mktemp("azure-cli")
        register_cloud(server.config, server.url)
        monkeypatch.setenv("AZURE_CONFIG_DIR", str(server.config))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
        service_principal(monkeypatch)
        yield server


@pytest.fixture
def arm(azure: AzureServer) -> Iterator[Arm]:
    """Signed in to it; ``azure.requests`` begins empty."""
    with contextlib.closing(signed_in(SUB, Limits())) as session:
        azure.requests.clear()
        yield session
