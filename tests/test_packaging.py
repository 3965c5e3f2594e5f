"""What is installed is what is in the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

from diagnose.engine.load import rule_files, shipped

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_packages_written_down_are_those_of_the_tree() -> None:
    found = {".".join(init.parent.relative_to(ROOT).parts) for init in (ROOT / "diagnose").rglob("__init__.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found | {"diagnose.rules", "diagnose.reports"}


def test_every_dependency_says_why_it_was_chosen() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line.startswith('  "') and (">=" in line)]
    assert len(named) >= len(PROJECT["project"]["dependencies"])
    assert [line for line in named if "#" not in line] == []


def test_there_is_no_code_among_the_rules_and_the_templates() -> None:
    code = [path for folder in ("rules", "reports") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in code] == ["__init__.py", "__init__.py"]


def test_every_rule_file_is_found() -> None:
    assert len(rule_files()) == len(list(shipped().rglob("*.yaml"))) >= 60
