"""Several services in one run: an index, the most urgent first, and each report as it would be alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from program import Ended, diagnose
from replay import Replay

Start = Callable[..., Replay]
FORMATS = ("terminal", "json", "html", "markdown", "junit", "sarif", "github", "azure-devops")


@pytest.fixture
def ask(replayed: Start) -> Callable[..., Ended]:
    replayed("rollout", "aml-rollout")
    return lambda *arguments: diagnose("rollout", *arguments, KUBECONFIG=os.environ["KUBECONFIG"])


def test_the_most_urgent_is_first_and_one_that_is_nowhere_is_unknown(ask: Callable[..., Ended]) -> None:
    ended = ask("nowhere", "--format", "json")
    document = json.loads(ended.out)
    assert document["schema"] == "diagnose/reports/1"
    assert [(one["service"], one["verdict"]) for one in document["reports"]] == [
        ("rollout", "degraded"),
        ("nowhere", "unknown"),
    ]
    assert "no service 'nowhere'" in document["reports"][1]["not_checked"][0]["what"]
    assert ended.code == 1


def test_each_report_is_the_one_it_would_be_alone(ask: Callable[..., Ended]) -> None:
    def told(report: dict[str, object]) -> object:
        return [report[key] for key in ("verdict", "stage", "findings", "not_checked", "timeline")]

    alone, several = json.loads(ask("--format", "json").out), json.loads(ask("nowhere", "--format", "json").out)
    assert told(several["reports"][0]) == told(alone)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_all_of_them(ask: Callable[..., Ended], name: str) -> None:
    ended = ask("nowhere", "--format", name)
    assert ended.code == 1, ended.err
    assert "rollout" in ended.out
    assert "nowhere" in ended.out


def test_the_pipelines_files_are_one_document(ask: Callable[..., Ended], tmp_path: Path) -> None:
    root = ElementTree.fromstring(ask("nowhere", "--format", "junit").out.encode())
    assert [suite.attrib["name"] for suite in root] == ["diagnose rollout", "diagnose nowhere"]
    assert int(root.attrib["tests"]) == sum(int(suite.attrib["tests"]) for suite in root)
    assert len(json.loads(ask("nowhere", "--format", "sarif").out)["runs"]) == 2


def test_the_terminal_begins_with_what_there_is(ask: Callable[..., Ended]) -> None:
    lines = ask("nowhere").out.splitlines()
    assert lines[0] == "2 services"
    assert lines[1].startswith("  rollout  DEGRADED")
    assert lines[2].startswith("  nowhere  UNKNOWN")
