"""The README stays true: its screens are those of the program, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from program import diagnose

from diagnose.cli import program

README = Path(__file__).parents[1] / "README.md"


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert found is not None
    return found[1]


def options_help() -> str:
    """The part of the help that all reporting commands share."""
    lines = CliRunner().invoke(program, ["analyze", "--help"], terminal_width=80).stdout.split("Options:\n")[1]
    return "\n".join(line.rstrip() for line in lines.splitlines() if "--help" not in line).rstrip() + "\n"


def test_the_demo_is_shown_as_it_is() -> None:
    assert block("demo") == diagnose("demo", COLUMNS="80").out.strip("\n") + "\n"


def test_the_options_are_shown_as_they_are() -> None:
    assert block("options") == options_help()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`diagnose (\w+)", README.read_text(encoding="utf-8")))))
def test_every_command_named_exists(command: str) -> None:
    assert command in program.commands or command == "SERVICE"


def test_the_make_targets_named_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"make (\w+)", README.read_text(encoding="utf-8"))) - {"d"}
    assert all(f"\n{target}:" in makefile for target in targets)
