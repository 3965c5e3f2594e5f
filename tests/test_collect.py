"""``diagnose collect``: what is saved of a live service gives the report that the live service gave."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from planted import PLANTED, leaks
from program import Ended, diagnose
from replay import DENIED, LAB, Replay

from diagnose.cli import program
from diagnose.packing import contents

Start = Callable[..., Replay]

ENDINGS = (".json", ".json.gz", ".tar.gz")


def run(*arguments: str | Path) -> Result:
    """The program within this process, with Kubernetes alone in reach."""
    return CliRunner().invoke(program, [str(one) for one in arguments], env={"DOCKER_HOST": "unix:///nonexistent.sock"})


def collected(service: str, path: Path, *options: str) -> Ended:
    """The program as a user starts it, on the replayed cluster."""
    return diagnose("collect", service, "--on", "kubernetes", "-o", path, *options, KUBECONFIG=os.environ["KUBECONFIG"])


def report_of(result: Result) -> dict[str, Any]:
    """The JSON report without what another run takes another time for."""
    report: dict[str, Any] = json.loads(result.stdout)
    for one in report["collected"]:
        del one["seconds"]
    return report


@pytest.mark.parametrize("service", sorted(path.name for path in LAB.iterdir()))
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_report_from_a_saved_service_is_the_one_from_the_live_one(
    service: str, ending: str, replayed: Start, tmp_path: Path
) -> None:
    replayed(service, f"aml-{service}")
    path = tmp_path / f"bundle{ending}"
    live = run(service, "--on", "kubernetes", "--format", "json")
    assert run("collect", service, "--on", "kubernetes", "-o", path).exit_code == 0
    saved = run("analyze", path, "--format", "json")
    assert report_of(saved) == report_of(live)
    assert saved.exit_code == live.exit_code


def test_it_says_what_it_saved_and_what_it_could_not_read(replayed: Start, tmp_path: Path) -> None:
    replayed("rollout", "aml-rollout", faults={"events": DENIED})
    ended = collected("rollout", tmp_path / "bundle.tar.gz")
    first, *others = ended.err.splitlines()
    assert (ended.code, ended.out) == (0, "")
    assert first.startswith(f"wrote {tmp_path / 'bundle.tar.gz'}: ")
    assert "of rollout (context lab, namespace aml-rollout)" in first
    assert any(line.startswith("not read: ") and "denied; it needs " in line for line in others)


def test_what_could_not_be_read_is_still_said_when_the_file_is_judged(replayed: Start, tmp_path: Path) -> None:
    replayed("healthy", "aml-healthy", faults={"pods/log": DENIED})
    assert collected("healthy", tmp_path / "b.json").code == 0
    judged = diagnose("analyze", tmp_path / "b.json", "--format", "json")
    assert (judged.code, judged.report["verdict"]) == (3, "unknown")
    assert any(gap["why"] == "denied" for gap in judged.report["not_checked"])


def test_quiet_says_nothing(replayed: Start, tmp_path: Path) -> None:
    replayed("healthy", "aml-healthy")
    ended = collected("healthy", tmp_path / "b.json", "-q")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_no_planted_secret_is_saved(replayed: Start, tmp_path: Path) -> None:
    lines = [line for line, _ in PLANTED.values()]
    replay = Replay.of("getmodelpath")
    for key in replay.logs:
        replay.logs[key] += "".join(f"\n{line}" for line in lines).encode()
    for event, line in zip(
        replay.documents["/api/v1/namespaces/aml-getmodelpath/events"]["items"], lines, strict=False
    ):
        event["message"] += f" {line}"
    replayed(replay, "aml-getmodelpath")
    ended = collected("getmodelpath", tmp_path / "b.tar.gz")
    text = contents(str(tmp_path / "b.tar.gz")).decode()
    assert (leaks(text), leaks(ended.err)) == ([], [])
    assert text.count("[redacted:") > len(PLANTED)
    assert "replaced by placeholders: " in ended.err


def test_the_narrowing_options_are_those_of_a_diagnosis(replayed: Start, tmp_path: Path) -> None:
    replayed("healthy")
    path = tmp_path / "b.json"
    found = collected("healthy", path, "-n", "aml-healthy", "--context", "lab", "--timeout", "20", "--since", "1h")
    assert (found.code, path.exists()) == (0, True)
    elsewhere = collected("healthy", tmp_path / "c.json", "-n", "nowhere")
    assert (elsewhere.code, (tmp_path / "c.json").exists()) == (3, False)
    assert "no service 'healthy'" in elsewhere.err


def test_a_service_that_is_not_found_leaves_an_older_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text("older")
    ended = diagnose("collect", "churn", "-o", path)
    assert (ended.code, path.read_text()) == (3, "older")


@pytest.mark.parametrize("path", ["bundle.zip", "nowhere/bundle.json"])
def test_a_file_that_cannot_be_written_is_told_in_one_line_before_anything_is_asked(
    path: str, replayed: Start, tmp_path: Path
) -> None:
    replay = replayed("healthy", "aml-healthy")
    ended = collected("healthy", tmp_path / path)
    assert (ended.code, len(ended.err.splitlines()), replay.calls) == (2, 1, [])
    assert f"{tmp_path / path}: " in ended.err


def test_without_a_file_it_says_that_it_needs_one() -> None:
    ended = diagnose("collect", "churn")
    assert (ended.code, "-o" in ended.err) == (2, True)


def test_a_collected_file_is_read_alone(replayed: Start, tmp_path: Path) -> None:
    replayed("healthy", "aml-healthy")
    path = tmp_path / "b.tar.gz"
    collected("healthy", path)
    (tmp_path / "some.log").write_text("hello\n")
    ended = diagnose("analyze", tmp_path / "some.log", path)
    assert (ended.code, len(ended.err.splitlines()), "diagnose compare" in ended.err) == (2, 1, True)


@pytest.mark.parametrize("cut", [50, 200, -20])
def test_a_collected_file_that_was_cut_off_costs_one_line(cut: int, replayed: Start, tmp_path: Path) -> None:
    replayed("healthy", "aml-healthy")
    path = tmp_path / "b.json.gz"
    collected("healthy", path)
    path.write_bytes(path.read_bytes()[:cut])
    ended = diagnose("analyze", path)
    assert (ended.code, len(ended.err.splitlines()), str(path) in ended.err) == (2, 1, True)


def test_a_compressed_log_is_not_taken_for_a_collected_file(tmp_path: Path) -> None:
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(b'{"message": "hello"}\n'))
    ended = diagnose("analyze", tmp_path / "log.json.gz")
    assert (ended.code, len(ended.err.splitlines()), "unpack it" in ended.err) == (2, 1, True)
