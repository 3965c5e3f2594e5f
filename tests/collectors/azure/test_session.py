"""The real azure-identity signs in: with variables, identities and an ``az`` that are there, and with those that are not."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from azure_server import (
    OTHER_TENANT,
    SUB,
    TENANT,
    VAULT_PATH,
    AzureServer,
    fake_az,
    register_cloud,
    service_principal,
    token,
)
from made_objects import seconds

from diagnose.collectors import Limits
from diagnose.collectors.azure import cloud
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.session import signed_in
from diagnose.model import Why

APPLICATION = "11111111-0000-0000-0000-0000000000c1"
_PRINCIPAL = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")


@pytest.fixture
def programs(azure: AzureServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only folder on PATH, with nothing in it; nobody is signed in, and no machine gives its identity."""
    for name in _PRINCIPAL:
        monkeypatch.delenv(name)
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    return folder


def sign_in(limits: Limits | None = None, tenant: str = "") -> Arm:
    """With a request that needs it."""
    arm = signed_in(SUB, limits or seconds(20), tenant=tenant)
    arm.get(VAULT_PATH, "2023-07-01")
    arm.close()
    return arm


def refused(limits: Limits | None = None) -> AzureError:
    """The error with which signing in ends."""
    with pytest.raises(AzureError) as caught:
        signed_in(SUB, limits or seconds(20))
    assert caught.value.sign_in
    assert caught.value.status is None
    return caught.value


def kind(azure: AzureServer) -> str:
    """Which of the server's tokens the last request came with."""
    import base64
    import json

    part = azure.requests[-1].token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=="))["kind"])


def answers_token(folder: Path, given: str) -> None:
    """An ``az`` of somebody who is signed in; it notes what it was called with."""
    fake_az(folder, f'echo "$@" >> {folder}/calls\necho \'{{"accessToken": "{given}", "expires_on": 4102444800}}\'')


def fails(folder: Path, text: str) -> None:
    """An ``az`` that writes ``text`` to stderr and fails."""
    (folder / "text").write_text(f"{text}\n")
    fake_az(folder, f'while read -r line; do echo "$line" >&2; done < {folder}/text\nexit 1')


# --- what signs in ---


def test_a_client_secret_of_the_environment_signs_in(azure: AzureServer) -> None:
    assert sign_in().tenant == TENANT
    assert kind(azure) == "entra"


def test_the_azure_cli_signs_in(azure: AzureServer, programs: Path) -> None:
    answers_token(programs, token("cli"))
    assert sign_in().tenant == TENANT
    assert kind(azure) == "cli"


def test_the_azure_cli_is_asked_once_for_many_requests(azure: AzureServer, programs: Path) -> None:
    answers_token(programs, token("cli"))
    arm = signed_in(SUB, seconds(20))
    for _ in range(3):
        arm.get(VAULT_PATH, "2023-07-01")
    arm.credential.get_token("https://management.azure.com/.default")
    arm.close()
    assert len((programs / "calls").read_text().splitlines()) == 1


def test_the_azure_cli_is_asked_for_the_tenant_of_the_subscription(azure: AzureServer, programs: Path) -> None:
    answers_token(programs, token("cli", OTHER_TENANT))
    assert sign_in(tenant=OTHER_TENANT).tenant == OTHER_TENANT
    assert f"--tenant {OTHER_TENANT}" in (programs / "calls").read_text()


def test_the_managed_identity_of_an_application_signs_in(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.identity.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up")
    sign_in()
    assert kind(azure) == "identity"
    assert azure.identity.requests[-1].headers["x-identity-header"] == "made-up"


def test_the_managed_identity_of_a_machine_signs_in(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.identity.url)
    sign_in()
    assert kind(azure) == "identity"
    assert azure.identity.requests[-1].path == "/metadata/identity/oauth2/token"


def test_the_workload_identity_of_a_pod_signs_in(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of.the.pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", APPLICATION)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    sign_in()
    assert kind(azure) == "entra"
    assert any("client_assertion=of.the.pod" in request.body for request in azure.requests)


# --- what does not ---


def test_nobody_signed_in_is_told_in_one_line(programs: Path) -> None:
    fails(programs, "ERROR: Please run 'az login' to setup account.")
    error = refused()
    assert (error.code, error.why) == ("CredentialUnavailable", Why.DENIED)
    assert error.message.startswith(
        "nobody is signed in: Azure CLI (not signed in), Azure Developer CLI (not installed)"
    )
    assert "environment variables (not set)" in error.message
    assert "\n" not in error.message
    assert "az login" in error.needs


def test_no_azure_cli_is_told(programs: Path) -> None:
    assert "Azure CLI (not installed)" in refused().message


def test_a_sign_in_that_expired_comes_first_with_its_code(programs: Path) -> None:
    fails(
        programs,
        "ERROR: AADSTS70043: The refresh token has expired or is invalid due to sign-in frequency checks by conditional "
        "access. The token was issued on 2026-11-20T08:00:00.000Z. Trace ID: 1234 Correlation ID: 5678\n"
        "Interactive authentication is needed. Please run:\naz logout\naz login",
    )
    error = refused()
    assert (error.code, error.why) == ("AADSTS70043", Why.DENIED)
    assert error.message.startswith("Azure CLI: AADSTS70043: The refresh token has expired or is invalid")
    assert "; also tried: Azure Developer CLI (not installed)" in error.message
    assert "Trace ID" not in error.message
    assert error.needs == "sign in again: `az login`"


def test_an_expired_client_secret_says_how_to_renew_it(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    service_principal(monkeypatch, secret="expired")
    error = refused()
    assert error.code == "AADSTS7000222"
    assert error.message.startswith("environment variables: AADSTS7000222: The provided client secret keys for app")
    assert "az ad app credential reset" in error.needs


def test_a_tenant_that_is_no_tenant_is_told(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", "no tenant at all!")
    error = refused()
    assert error.code == "CredentialUnavailable"
    assert "tenant" in error.message
    assert "AZURE_*" in error.needs


def test_a_token_file_that_is_not_there_is_told(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", APPLICATION)
    error = refused()
    assert error.message.startswith("workload identity: [Errno 2] No such file or directory")
    assert "AZURE_FEDERATED_TOKEN_FILE" in error.needs


def test_an_az_that_answers_nonsense_is_told(programs: Path) -> None:
    fake_az(programs, "echo hello")
    error = refused()
    assert error.message.startswith("Azure CLI: Unexpected output from Azure CLI: 'hello '")
    assert "aka.ms" not in error.message


def test_a_network_without_entra_id_is_no_denial(azure: AzureServer) -> None:
    azure.close()
    error = refused()
    assert (error.code, error.why) == ("NoConnection", Why.UNREACHABLE)
    assert error.message.startswith(f"environment variables: no connection to {azure.url.removeprefix('https://')}")


def test_an_entra_id_behind_an_unknown_authority_is_told(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    error = refused()
    assert (error.code, error.why) == ("UntrustedCertificate", Why.UNREACHABLE)
    assert "REQUESTS_CA_BUNDLE" in error.needs


def test_an_identity_endpoint_that_is_down_is_told(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.identity.close()
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.identity.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up")
    error = refused()
    assert error.why is Why.UNREACHABLE
    assert error.message.startswith("managed identity: no connection to")


def test_an_identity_endpoint_that_hangs_costs_no_more_than_the_deadline(
    azure: AzureServer, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure.identity.slow("/msi/token", 30)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.identity.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up")
    error = refused(seconds(0.5))
    assert (error.code, error.why) == ("NoAnswer", Why.TIMED_OUT)
    assert "AZURE_TOKEN_CREDENTIALS" in error.needs
    assert azure.identity.answered == 0


def test_an_interrupt_ends_a_sign_in_that_hangs(azure: AzureServer) -> None:
    azure.slow(f"/{TENANT}/oauth2/v2.0/token", 30)
    limits = seconds(30)
    threading.Timer(0.2, limits.stop.set).start()
    assert refused(limits).why is Why.TIMED_OUT


def test_a_demand_for_more_claims_is_passed_on_as_a_command(azure: AzureServer, programs: Path) -> None:
    answers_token(programs, token("cli"))
    challenge = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    body = {"error": {"code": "InteractionRequired", "message": "Multi-factor authentication is needed."}}
    azure.answer("GET", VAULT_PATH, 401, body, {"WWW-Authenticate": challenge})
    with pytest.raises(AzureError) as caught:
        sign_in()
    assert caught.value.sign_in
    assert caught.value.needs.startswith("`az login --claims-challenge ")


def test_nothing_of_all_that_reaches_the_screen(
    programs: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in the program itself, where nobody takes warnings
    refused()
    assert capfd.readouterr() == ("", "")


# --- which Azure ---


def test_the_public_cloud_is_meant_by_default(azure: AzureServer) -> None:
    (azure.config / "config").unlink()
    assert cloud.current() == cloud.PUBLIC
    assert cloud.current().known


@pytest.mark.parametrize("known", cloud.KNOWN)
def test_the_azure_cli_says_which_cloud_is_meant(azure: AzureServer, known: cloud.Cloud) -> None:
    (azure.config / "config").write_text(f"[cloud]\nname = {known.name}\n")
    assert cloud.current() == known


@pytest.mark.parametrize("written", ["https://login.chinacloudapi.cn/", "login.chinacloudapi.cn"])
def test_the_environment_says_it_louder(azure: AzureServer, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", written)
    assert cloud.current() == cloud.CHINA


def test_a_registered_cloud_has_its_own_endpoint(azure: AzureServer) -> None:
    register_cloud(azure.config, "https://local.example")
    found = cloud.current()
    assert (found.authority, found.endpoint) == ("https://local.example", "https://local.example")
    assert found.scope == "https://management.azure.com/.default"
    assert not found.known


def test_another_authority_of_the_same_cloud_is_kept(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (azure.config / "config").unlink()
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://login.internal.example")
    found = cloud.current()
    assert (found.authority, found.endpoint) == ("https://login.internal.example", cloud.PUBLIC.endpoint)
    assert not found.known


@pytest.mark.parametrize("content", [b"[cloud", b"\xff\xfe\x00", b"[cloud]\nname = Unregistered\n", b""])
def test_settings_that_say_nothing_leave_the_public_cloud(azure: AzureServer, content: bytes) -> None:
    (azure.config / "config").write_bytes(content)
    assert cloud.current() == cloud.PUBLIC
