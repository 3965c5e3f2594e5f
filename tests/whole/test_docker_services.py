"""The whole program against a real Docker Engine that runs the real model server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from docker_services import DockerServices, Service, score, wait_until

from diagnose.cli import program

pytestmark = pytest.mark.docker

CASES = {
    "get-model-path": "init.get-model-path-not-found",
    "missing-import": "init.import-error",
    "init-exception": "init.exception",
    "no-run": "init.no-run-function",
    "wrong-entry-script": "init.entry-script-not-found",
    "worker-memory": "start.worker-killed-memory",
    "oom-main": "start.oom-killed",
    "wrong-command": "start.command-not-found",
    "port-allocated": "local.port-in-use",
    "result-not-json": "score.result-not-serializable",
}


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nonexistent/kubeconfig")


def ask(service: Service, *options: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(program, [service.name, "--format", "json", *options])
    assert result.stdout, result.stderr
    return result.exit_code, json.loads(result.stdout)


def first(report: dict[str, Any]) -> str | None:
    return next((finding["rule"] for finding in report["findings"] if finding["role"] == "root_cause"), None)


@pytest.mark.parametrize("case", CASES)
def test_each_broken_container_is_answered_with_its_root_cause(case: str, docker_services: DockerServices) -> None:
    service = docker_services[case]
    if case == "result-not-json":
        score(service)
    code, report = ask(service)
    assert (first(report), report["verdict"], code) == (CASES[case], "failing", 1)


def test_a_container_that_works_is_healthy(docker_services: DockerServices) -> None:
    service = docker_services["healthy"]
    wait_until(lambda: score(service) == 200, "the healthy service answers")
    code, report = ask(service)
    assert (report["verdict"], code) == ("healthy", 0)
    assert [f["rule"] for f in report["findings"] if f["role"] in ("root_cause", "contributing", "symptom")] == []


def test_the_fix_is_filled_with_the_names_of_this_container(docker_services: DockerServices) -> None:
    service = docker_services["get-model-path"]
    _, report = ask(service)
    command = report["findings"][0]["fixes"][0]["command"]
    assert service.container in command
    assert "my-best-model" in command


def test_a_name_nearly_right_is_met_with_the_right_one(docker_services: DockerServices) -> None:
    service = docker_services["healthy"]
    result = CliRunner().invoke(program, [service.name[:-1] + "_", "--on", "docker"])
    assert (result.exit_code, f"did you mean {service.name}" in result.stderr) == (3, True)


def test_the_page_and_the_screen_say_the_same(docker_services: DockerServices, tmp_path: Path) -> None:
    service = docker_services["missing-import"]
    result = CliRunner().invoke(program, [service.name, "-o", str(tmp_path / "r.html")])
    page = (tmp_path / "r.html").read_text()
    assert "joblib" in result.stdout
    assert "joblib" in page
    assert "FAILING" in result.stdout
