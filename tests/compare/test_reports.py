"""A JSON report is read back as what it was; one that is something else costs one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence import book, evidence, log, rule_text

from diagnose.compare import reports
from diagnose.compare.model import Side
from diagnose.engine.report import report
from diagnose.errors import InputError
from diagnose.model import Report
from diagnose.render import FORMATS, Options

RULE = rule_text("init.own", "match: {seen: {in: logs.container, where: {line: {contains: broken}}}}")


def made(tmp_path: Path) -> tuple[Report, bytes]:
    """A report, and its JSON."""
    told = report(book(tmp_path, RULE), evidence(log("all is well\nall is broken\n")), {"diagnose": "1", "rules": "1"})
    return told, FORMATS["json"].render(told, Options()).encode()


def document(tmp_path: Path) -> dict[str, Any]:
    return json.loads(made(tmp_path)[1])  # type: ignore[no-any-return]


def read(body: object) -> Side:
    return reports.loaded(json.dumps(body).encode(), "r.json")


def test_what_is_read_back_is_what_was_made(tmp_path: Path) -> None:
    told, text = made(tmp_path)
    direct = reports.side_of(told, "r.json", evidence(), frozenset({"init.own"}))
    again = reports.loaded(text, "r.json")
    assert again.findings[0].rule == "init.own"
    cited = direct.findings[0].citation
    assert cited is not None
    short = replace(cited, before=(), after=(), marked="")
    first = replace(direct.findings[0], citation=short)
    assert again == replace(direct, findings=(first, *direct.findings[1:]), known_rules=None, evidence=None)
    assert (again.form, direct.form) == ("report", "evidence")


def test_the_schema_is_that_of_the_report(tmp_path: Path) -> None:
    assert reports.schema_of(made(tmp_path)[1]) == reports.SCHEMA


@pytest.mark.parametrize("data", [b"", b"[]", b"nonsense", b'{"schema": 1}', b"\xff\xfe", b"[" * 200_000, b"{}"])
def test_what_says_nothing_of_itself_has_no_schema(data: bytes) -> None:
    assert reports.schema_of(data) == ""


def test_what_a_newer_program_adds_is_passed_over(tmp_path: Path) -> None:
    body = document(tmp_path)
    body["findings"][0]["confidence"] = {"very": "high"}
    assert read(body | {"later": [1, 2]}) == read(document(tmp_path))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "splendid"),
        (("verdict",), None),
        (("service",), ["a"]),
        (("stage",), "init"),
        (("findings",), {"a": 1}),
        (("findings", 0, "role"), "culprit"),
        (("findings", 0, "severity"), "awful"),
        (("findings", 0, "rule"), 5),
        (("findings", 0, "subjects"), [None]),
        (("findings", 0, "evidence"), ["a line"]),
        (("not_checked",), [{"what": "x"}]),
        (("versions",), {"diagnose": 1}),
    ],
)
def test_a_field_of_another_kind_is_named_in_one_line(path: tuple[Any, ...], value: object, tmp_path: Path) -> None:
    body = part = document(tmp_path)
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(InputError, match=r"^r\.json: is no JSON report of diagnose: ") as caught:
        read(body)
    assert str(path[0]) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["service", "verdict", "stage", "findings", "not_checked"])
def test_a_field_that_is_lacking_is_named(field: str, tmp_path: Path) -> None:
    body = document(tmp_path)
    del body[field]
    with pytest.raises(InputError, match=field):
        read(body)


def test_more_findings_than_any_report_has_are_refused(tmp_path: Path) -> None:
    body = document(tmp_path)
    with pytest.raises(InputError, match="length <= 10000"):
        read(body | {"findings": body["findings"] * 10_001})


@pytest.mark.parametrize("data", [b'{"findings": ' + b"[" * 200_000, b"\xff", b'{"service": "\xff"}'])
def test_what_is_no_json_costs_one_line(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^r\.json: "):
        reports.loaded(data, "r.json")
