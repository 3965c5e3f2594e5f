"""Secrets planted everywhere the program reads: none comes out anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from planted import PLANTED, leaks
from replay import DENIED, Replay

from diagnose.cli import program


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
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in screen + page
    assert "[bold]x[/bold]" in screen
