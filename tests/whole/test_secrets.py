"""Secrets planted everywhere the program reads: none comes out anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from replay import DENIED, Replay

from diagnose.cli import program

JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256"}', b'{"sub":"planted-subject-1"}', b"s" * 60)
)
KEY = base64.b64encode(b"planted storage account key, 64 bytes long, of one account only!").decode()
PLANTED = {
    "storage key": (f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};", KEY),
    "SAS": ("https://a.blob.core.windows.net/c?sv=2022&se=2026&sig=Pl4ntedS1gn4ture%2Bx%3D", "Pl4ntedS1gn4ture"),
    "bearer": ("Authorization: Bearer pl4nted.be4rer.t0ken-0123456789", "pl4nted.be4rer"),
    "JWT": (f"got {JWT}", JWT),
    "client secret in env": ("AZURE_CLIENT_SECRET=Pl4nted~Client.Secret-1", "Pl4nted~Client"),
    "client secret in JSON": ('{"client_secret": "Pl4nted~Json.Secret-2"}', "Pl4nted~Json"),
    "instrumentation key": ("InstrumentationKey=11111111-2222-3333-4444-555555555551", "555555555551"),
    "connection string": ("APPLICATIONINSIGHTS_CONNECTION_STRING=InstrumentationKey=11111111-2222-3333-4444-555555555552;IngestionEndpoint=https://x/", "555555555552"),
    "PEM": ("-----BEGIN PRIVATE KEY-----\\nUGxhbnRlZFBlbUtleUJ5dGVz\\n-----END PRIVATE KEY-----", "UGxhbnRlZFBlbUtleUJ5dGVz"),
    "docker auths": ('{"auths": {"x.azurecr.io": {"auth": "cGxhbnRlZDpkb2NrZXJhdXRo"}}}', "cGxhbnRlZDpkb2NrZXJhdXRo"),
    "basic-auth URL": ("https://planted-user:Pl4ntedUrlPass@host/x", "Pl4ntedUrlPass"),
    "basic": ("Authorization: Basic cGxhbnRlZDpiYXNpY2F1dGg=", "cGxhbnRlZDpiYXNpY2F1dGg"),
    "password": ("password=Pl4ntedPassw0rd", "Pl4ntedPassw0rd"),
    "database password": ("Server=tcp:x;User ID=u;Password=Pl4ntedDbPass1;", "Pl4ntedDbPass1"),
    "docker login": ("docker login x.azurecr.io -u u -p Pl4ntedLogin9", "Pl4ntedLogin9"),
    "endpoint key": ('{"primaryKey": "Pl4ntedPrimaryKey0123456789abcdef"}', "Pl4ntedPrimaryKey"),
    "access token": ('"accessToken": "pl4nted-access-token-0123456789"', "pl4nted-access-token"),
    "refresh token": ('"refresh_token": "0.pl4nted-refresh-token-012345"', "pl4nted-refresh-token"),
    "shared access key": ("Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=Pl4ntedBusKey0123456789abcdefghijklmnopq=", "Pl4ntedBusKey"),
    "GitHub": ("ghp_pl4nted0123456789abcdefghijklmnopqrs", "pl4nted0123456789abc"),
    "AWS": ("AWS_SECRET_ACCESS_KEY=Pl4nted/AwsSecret0123456789abcdefghijklm", "Pl4nted/AwsSecret"),
    "Slack": ("xoxb-123456789012-pl4ntedSlackToken0123456", "pl4ntedSlackToken"),
    "Hugging Face": ("HF_TOKEN=hf_plntdHuggingFaceTokenAbcdefghijkl", "plntdHuggingFace"),
    "OpenAI": ("OPENAI_API_KEY=sk-proj-pl4ntedOpenAi0123456789abcdefghijklmnopqrstuvwx", "pl4ntedOpenAi"),
    "Databricks": ("DATABRICKS_TOKEN=dapi0123456789abcdef0123456789abcdef", "dapi0123456789abcdef"),
    "wandb": ("WANDB_API_KEY=pl4nted0123456789abcdef0123456789abcdef01", "pl4nted0123456789abcdef"),
    "subscription key": ("Ocp-Apim-Subscription-Key: pl4ntedapim0123456789abcdef", "pl4ntedapim"),
    "cookie": ("Set-Cookie: session=pl4ntedcookie0123456789; Path=/", "pl4ntedcookie"),
}  # fmt: skip
"""A line with a secret in it, and the part of it that must never be seen."""


def planted() -> Replay:
    """The service with a failing init(), whose log, events, messages and environment are full of secrets."""
    replay = Replay.of("getmodelpath")
    lines = [line for line, _ in PLANTED.values()]
    for key, log in replay.logs.items():
        marked = b"ModelNotFoundException: ModelNotFoundException:"
        noise = "".join(f"2026-11-22T12:03:41.095759000Z {line}\n" for line in lines).encode()
        before, mark, after = log.partition(marked)
        replay.logs[key] = (
            noise
            + before
            + mark
            + b" "
            + " ".join(lines).encode()
            + after.replace(b"DEBUG.", b"DEBUG. " + " ".join(lines).encode())
            + noise
        )
    base = "/api/v1/namespaces/aml-getmodelpath"
    (pod,) = replay.documents[f"{base}/pods"]["items"]
    pod["spec"]["containers"][0]["env"] = [{"name": f"PLANTED_{n}", "value": line} for n, line in enumerate(lines)]
    pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] += " ".join(lines)
    pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"] = "\n".join(lines)
    pod["metadata"]["annotations"] = {"planted": " ".join(lines)}
    for event, line in zip(replay.documents[f"{base}/events"]["items"] * 4, lines, strict=False):
        event["message"] += f" {line}"
    return replay


def leaks(text: str) -> list[str]:
    return [kind for kind, (_, secret) in PLANTED.items() if secret in text or json.dumps(secret)[1:-1] in text]


def test_there_are_enough_kinds() -> None:
    assert len(PLANTED) >= 25
    assert all(secret in line for line, secret in PLANTED.values())


@pytest.mark.parametrize("name", ["terminal", "json", "html"])
def test_no_planted_secret_comes_out(
    name: str, replayed: Callable[..., Replay], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    replayed(planted(), "aml-getmodelpath")
    result = CliRunner().invoke(program, ["getmodelpath", "--verbose", "--format", name])
    assert result.exit_code == 1, result.stderr
    assert "[redacted:" in result.stdout
    assert leaks(result.stdout) == []
    assert leaks(result.stderr) == []


def test_no_planted_secret_comes_out_of_saved_files(tmp_path: Path) -> None:
    (tmp_path / "pod.log").write_bytes(next(iter(planted().logs.values())))
    (tmp_path / "error.txt").write_text(
        "WebserviceException: Message: " + " ".join(line for line, _ in PLANTED.values())
    )
    for name in ("terminal", "json", "html"):
        result = CliRunner().invoke(program, ["analyze", str(tmp_path), "--verbose", "--format", name])
        assert leaks(result.stdout) == []


def test_no_planted_secret_comes_out_of_an_error(
    replayed: Callable[..., Replay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://planted-user:Pl4ntedUrlPass@127.0.0.1:1")
    replay = planted()
    replay.faults["pods"] = DENIED
    replayed(replay, "aml-getmodelpath")
    for service in ("getmodelpath", "password=Pl4ntedPassw0rd"):
        result = CliRunner().invoke(program, [service])
        assert leaks(result.output) == []


def test_what_a_log_says_is_harmless_on_page_and_screen(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script> \x1b]0;owned\x07\x1b[2J [bold]x[/bold]"
    text = f'E azmlinfsrv - User\'s init function failed {evil}\nTraceback (most recent call last):\n  File "{evil}", line 1, in init\n    x\nValueError: {evil}\nReason: Worker failed to boot.\n'
    (tmp_path / "pod.log").write_text(text)
    page = CliRunner().invoke(program, ["analyze", str(tmp_path), "--format", "html"]).stdout
    screen = CliRunner().invoke(program, ["analyze", str(tmp_path), "--verbose"]).stdout
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in screen + page
    assert "[bold]x[/bold]" in screen
