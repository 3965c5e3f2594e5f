"""Whether and how the program gets at Azure: when it asks at all, who it is there, and what it says when refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from azure_server import SUB, WORKSPACE_PATH, AzureServer, fake_az, forget_azure, register_cloud, token
from azure_world import VAULT_PATH, WHERE, managed_endpoint
from program import Ended, diagnose


def asked(*arguments: str, **environment: str) -> Ended:
    return diagnose("mysvc", *WHERE, "--format", "json", *arguments, **environment)


def rules(ended: Ended) -> dict[str, str]:
    """Role by rule."""
    return {finding["rule"]: finding["role"] for finding in ended.report["findings"]}


def nobody_signed_in(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither variables nor a program that knows a login; the server is still what Azure is."""
    ca = azure.ca
    forget_azure(monkeypatch)
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(azure.config))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    # Only the Azure CLI is tried: the address of the identity endpoint would be waited for.
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")


# --- when it asks ---


def test_without_any_sign_of_azure_no_call_is_made(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_TENANT_ID")
    monkeypatch.delenv("AZURE_CLIENT_ID")
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    ended = diagnose("mysvc")
    assert ended.code == 3
    assert azure.requests == []
    assert "--subscription" in ended.err
    assert "config.json" in ended.err


def test_who_is_only_signed_in_does_not_wait_for_azure_where_the_service_is_elsewhere(
    azure: AzureServer, replayed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayed("healthy", "aml-healthy")  # type: ignore[operator]
    ended = diagnose("healthy", "--format", "json", KUBECONFIG=os.environ["KUBECONFIG"])
    assert ended.report["verdict"] == "healthy"
    assert azure.requests == []


def test_a_config_json_is_reason_enough(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_endpoint(azure)
    known = {"subscription_id": SUB, "resource_group": "rg-mlops", "workspace_name": "ws-mlops"}
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text(json.dumps(known), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ended = diagnose("mysvc", "--format", "json")
    assert ended.report["target"]["workspace"] == "ws-mlops"
    assert ended.report["verdict"] == "healthy"


# --- who it is ---


def test_the_azure_cli_signs_in(azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_endpoint(azure)
    nobody_signed_in(azure, monkeypatch)
    answer = json.dumps({"accessToken": token("cli"), "expires_on": 4102444800})
    fake_az(tmp_path, f"echo '{answer}'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ended = asked()
    assert ended.report["verdict"] == "healthy"
    assert {request.token for request in azure.requests if request.token} == {token_of(answer)}


def token_of(answer: str) -> str:
    return str(json.loads(answer)["accessToken"])


def test_a_managed_identity_signs_in(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    managed_endpoint(azure)
    nobody_signed_in(azure, monkeypatch)
    monkeypatch.delenv("AZURE_TOKEN_CREDENTIALS")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{azure.identity.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up-header")
    ended = asked()
    assert ended.report["verdict"] == "healthy"
    assert "made-up-header" not in ended.out


# --- when it is refused ---


def test_nobody_signed_in_is_a_finding_and_nothing_was_looked_at(
    azure: AzureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_signed_in(azure, monkeypatch)
    fake_az(tmp_path, "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    ended = asked()
    assert (ended.code, ended.report["verdict"]) == (3, "unknown")
    assert rules(ended) == {"auth.credential-unavailable": "advice"}
    assert ended.report["target"]["kind"] == "nowhere"
    assert any("az login" in gap["needs"] for gap in ended.report["not_checked"])
    assert "Traceback" not in ended.err


def test_a_client_secret_that_expired_is_named(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "expired")
    ended = asked()
    assert (ended.code, ended.report["verdict"]) == (3, "unknown")
    assert rules(ended) == {"auth.client-secret-expired": "advice"}


@pytest.mark.parametrize(
    ("fixture", "rule", "remedy"),
    [
        ("arm_errors/401_expired_token", "auth.credential-unavailable", "az login"),
        ("arm_errors/401_wrong_tenant", "auth.wrong-tenant", "az login --tenant 00000000-0000-0000-0000-0000000000bb"),
        ("arm_errors/403_authorization_failed", "auth.authorization-failed", "Reader"),
    ],
)
def test_a_refused_token_is_told_with_what_helps(azure: AzureServer, fixture: str, rule: str, remedy: str) -> None:
    azure.use(fixture, at=WORKSPACE_PATH)
    ended = asked()
    assert (ended.code, ended.report["verdict"]) == (3, "unknown")
    assert set(rules(ended)) == {rule}
    assert any(remedy in gap["needs"] for gap in ended.report["not_checked"])


def test_what_may_not_be_read_of_the_vault_is_not_checked_and_the_role_is_named(azure: AzureServer) -> None:
    managed_endpoint(azure)
    for path in (VAULT_PATH, VAULT_PATH.replace("KeyVault", "Keyvault")):
        azure.use("arm_errors/403_authorization_failed", at=path)
    ended = asked()
    assert ended.report["verdict"] == "healthy"
    (gap,) = [gap for gap in ended.report["not_checked"] if gap["what"].startswith("vault kv-mlops")]
    assert gap["why"] == "denied"
    assert "Reader on vault kv-mlops" in gap["needs"]
    assert set(rules(ended).values()) <= {"advice"}


def test_who_is_throttled_waits_and_has_all_in_the_end(azure: AzureServer) -> None:
    managed_endpoint(azure)
    azure.fail_first(WORKSPACE_PATH, "arm_errors/429_throttled", headers={"Retry-After": "1"})
    assert asked().report["verdict"] == "healthy"


def test_slow_azure_costs_its_own_answer_only(azure: AzureServer) -> None:
    managed_endpoint(azure)
    azure.slow(VAULT_PATH.replace("KeyVault", "Keyvault"), 60)
    azure.slow(VAULT_PATH, 60)
    ended = asked("--timeout", "6")
    assert ended.report["verdict"] == "healthy"
    assert any("vault" in gap["what"] and gap["why"] == "timed out" for gap in ended.report["not_checked"])


def test_no_azure_in_reach_ends_in_time_and_says_so(azure: AzureServer) -> None:
    register_cloud(azure.config, "https://localhost:9")
    ended = asked("--timeout", "6")
    assert ended.code == 3
    assert ended.report["verdict"] == "unknown"
    assert any(gap["why"] == "unreachable" for gap in ended.report["not_checked"])
