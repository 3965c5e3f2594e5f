from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hostile_text import saying

from diagnose.model import Citation, Report, Target
from diagnose.render import FORMATS, Options

KINDS = ["failing", "degraded", "healthy", "unknown", "unexplained", "hostile"]
HOSTILE = (
    "::error::x",
    "x\n::set-output name=a::b",
    "x\r::add-mask::b",
    "x\r\n::stop-commands::b",
    "x%0A::warning::b",
    "x,file=/etc/passwd,line=1::y",
    "x::y",
    "##[error]x",
    "##[add-mask]x",
    "##vso[task.complete result=Succeeded;]x",
    "x;]##vso[task.setvariable variable=a]b",
    "x%5D##vso[task.setvariable variable=a]b",
    "#\x00#vso[task.complete]x",
    "#\x1b[0m#vso[task.complete]x",
    "##VSO[task.complete]x",
    "###vso[task.complete]x",
    "x\n##vso[task.complete]x",
    "100 % of %0D%25",
    "\u2028::error::x",
)


@dataclass(frozen=True)
class Command:
    """A command as the pipeline understands it."""

    name: str
    properties: Mapping[str, str]
    message: str


def _of_github(line: str) -> Command:
    """As the runner reads a line of output."""
    found = re.match(r"\s*::(?P<name>[\w-]+)(?: (?P<properties>.*?))?::(?P<message>.*)", line, re.DOTALL)
    assert found is not None, line
    pairs = [pair.split("=", 1) for pair in (found["properties"] or "").split(",") if pair]
    return Command(
        found["name"], {name: _undone(value) for name, value in pairs}, _undone(found["message"], of_data=True)
    )


def _undone(value: str, *, of_data: bool = False) -> str:
    codes = {"%0D": "\r", "%0A": "\n"} | ({} if of_data else {"%3A": ":", "%2C": ","})
    for escaped, char in codes.items():
        value = value.replace(escaped, char)
    return value.replace("%25", "%")


def _of_azure(line: str) -> Command | None:
    """As the agent reads a line of output, in which it looks for its prefix anywhere."""
    start = line.lower().find("##vso[")
    if start < 0:
        return None
    end = line.index("]", start)
    name, _, rest = line[start + len("##vso[") : end].partition(" ")
    pairs = [pair.split("=", 1) for pair in rest.split(";") if pair]
    undone = {"%0D": "\r", "%0A": "\n", "%5D": "]", "%3B": ";"}
    properties = {key: re.sub("|".join(undone), lambda found: undone[found[0]], value) for key, value in pairs}
    properties = {key: value.replace("%AZP25", "%") for key, value in properties.items()}
    message = line[end + 1 :].replace("%0A", "\n").replace("%AZP25", "%")
    return Command(name, properties, message)


def _github(report: Report) -> list[Command]:
    return [_of_github(line) for line in FORMATS["github"].render(report, Options()).splitlines()]


def _azure(report: Report) -> list[str]:
    return FORMATS["azure-devops"].render(report, Options()).splitlines()


def _of_files(report: Report, source: str) -> Report:
    finding = replace(report.findings[0], evidence=(Citation(source, "x = 1", 7),))
    return replace(report, target=Target(service="s", kind="files"), findings=(finding,))


def _filed(report: Report) -> Report:
    """With all evidence in files, whose names come from outside too."""
    return replace(report, target=replace(report.target, kind="files"))


def test_github_is_told_the_verdict_then_each_finding_then_what_was_not_checked(failing: Report) -> None:
    commands = _github(failing)
    assert [(one.name, one.properties["title"]) for one in commands] == [
        ("error", "churn-model: failing, stopped at init"),
        ("error", "init() cannot find the registered model my-best-model"),
        ("notice", "The container has no memory limit"),
        ("notice", "The container crashes again and again"),
        ("notice", "What could not be checked"),
        ("notice", "What could not be checked"),
    ]
    assert commands[3].message.startswith("Explained by init.get-model-path-not-found.\nIt was started 7 times")


def test_a_message_holds_the_evidence_and_each_fix(failing: Report) -> None:
    message = _github(failing)[1].message
    assert "\n  > Message: Model my-best-model not found in cache" in message
    assert all(fix.text in message and fix.command in message for fix in failing.findings[0].fixes)


def test_what_could_not_be_seen_is_a_warning_when_that_is_the_answer(unknown: Report) -> None:
    commands = _github(unknown)
    assert [one.name for one in commands] == ["warning"] * len(commands)
    assert len(commands) > 2


def test_a_healthy_service_alarms_nobody(healthy: Report) -> None:
    assert {one.name for one in _github(healthy)} == {"notice"}
    assert not [line for line in _azure(healthy) if _of_azure(line)]


def test_evidence_in_a_file_is_annotated_there(failing: Report) -> None:
    report = _of_files(failing, "src/a, b:c.py")
    github = _github(report)[1]
    azure = _of_azure(_azure(report)[1])
    assert azure is not None
    assert (github.properties["file"], github.properties["line"]) == ("src/a, b:c.py", "7")
    assert (azure.properties["sourcepath"], azure.properties["linenumber"]) == ("src/a, b:c.py", "7")


def test_evidence_of_a_running_service_names_no_file(failing: Report) -> None:
    assert not [one for one in _github(failing) if "file" in one.properties]
    assert "sourcepath=" not in FORMATS["azure-devops"].render(failing, Options())


def test_azure_devops_is_told_errors_and_warnings_and_the_rest_is_text(degraded: Report) -> None:
    lines = _azure(degraded)
    commands = [_of_azure(line) for line in lines]
    assert [command.properties["type"] if command else "" for command in commands] == [
        "error",
        "error",
        "error",
        "warning",
        "",
        "",
    ]
    assert commands[1] is not None
    assert commands[1].properties["code"] == "init.get-model-path-not-found"
    assert lines[4].startswith("A worker was killed, most likely for memory: It happened once")


def test_neither_ends_the_step(reports: Mapping[str, Report]) -> None:
    assert not [kind for kind in KINDS if "task.complete" in FORMATS["azure-devops"].render(reports[kind], Options())]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["failing", "degraded", "unknown"])
def test_no_text_is_a_command_for_github(text: str, kind: str, reports: Mapping[str, Report]) -> None:
    benign, hostile = (_github(_filed(saying(reports[kind], words))) for words in ("word", text))
    assert [one.name for one in hostile] == [one.name for one in benign]
    assert [sorted(one.properties) for one in hostile] == [sorted(one.properties) for one in benign]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["failing", "degraded", "unknown"])
def test_no_text_is_a_command_for_azure_devops(text: str, kind: str, reports: Mapping[str, Report]) -> None:
    benign, hostile = (_azure(_filed(saying(reports[kind], words))) for words in ("word", text))
    assert len(hostile) == len(benign)
    for line, model in zip(hostile, benign, strict=True):
        command, expected = _of_azure(line), _of_azure(model)
        assert (command and (command.name, [*command.properties])) == (
            expected and (expected.name, [*expected.properties])
        )
        assert not re.search(r"##\w*\[", line.removeprefix("##vso["))


@pytest.mark.parametrize("text", ["100 % of %0D%25", "a, b: c; d] e::f"])
def test_what_was_escaped_reads_back_as_it_was(text: str, failing: Report) -> None:
    report = saying(failing, text)
    azure = _of_azure(_azure(report)[1])
    assert azure is not None
    assert _github(report)[1].properties["title"] == text
    assert azure.message.split("\n")[0] == text


@pytest.mark.parametrize("name", ["github", "azure-devops"])
def test_a_message_is_cut_between_lines_and_says_so(name: str, failing: Report) -> None:
    finding = replace(failing.findings[0], explain="\n".join(f"line {number} of many words" for number in range(500)))
    text = FORMATS[name].render(replace(failing, findings=(finding,)), Options())
    line = next(line for line in text.splitlines() if "line 0 of many words" in line)
    message = _of_github(line).message if name == "github" else line.replace("%0A", "\n")
    assert len(message) < 4_200
    assert re.search(r"\nline \d+ of many words\n\.\.\. \d+ lines left out \.\.\.$", message)
