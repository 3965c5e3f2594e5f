from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

import pytest
from jsonschema import Draft202012Validator
from program import diagnose

from diagnose.model import Citation, Collected, Finding, Fix, Moment, NotChecked, Report, Target
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import FORMATS, Options
from diagnose.render.schema import json_schema


def _closed(value: object) -> object:
    """A schema in which nothing may stand that it does not name."""
    if isinstance(value, dict):
        inner = {name: _closed(one) for name, one in value.items()}
        return {"additionalProperties": False, **inner} if "properties" in value else inner
    return [_closed(one) for one in value] if isinstance(value, list) else value


CLOSED = Draft202012Validator(_closed(json_schema()))


def _mistakes(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in CLOSED.iter_errors(json.loads(text))]


def test_it_is_a_schema_of_its_draft() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("kind", ["failing", "degraded", "healthy", "unknown", "unexplained", "hostile"])
def test_every_report_follows_it(kind: str, reports: Mapping[str, Report]) -> None:
    assert _mistakes(FORMATS["json"].render(reports[kind], Options())) == []


@pytest.mark.parametrize("case", demo_cases())
def test_every_demo_follows_it(case: str) -> None:
    assert _mistakes(FORMATS["json"].render(demo(case, Settings()), Options())) == []


@pytest.mark.parametrize("path", [(), ("target",), ("findings", 0), ("findings", 0, "evidence", 0), ("timeline", 0)])
def test_a_field_that_it_does_not_name_is_a_mistake(path: tuple[str | int, ...], failing: Report) -> None:
    document = json.loads(FORMATS["json"].render(failing, Options()))
    part = document
    for step in path:
        part = part[step]
    part["new_field"] = ""
    assert len(_mistakes(json.dumps(document))) == 1


@pytest.mark.parametrize("name", ["schema", "verdict", "findings", "not_checked"])
def test_a_field_that_is_missing_is_a_mistake(name: str, failing: Report) -> None:
    document = json.loads(FORMATS["json"].render(failing, Options()))
    del document[name]
    assert len(_mistakes(json.dumps(document))) == 1


def test_a_verdict_there_is_not_is_a_mistake(failing: Report) -> None:
    text = FORMATS["json"].render(failing, Options()).replace('"verdict": "failing"', '"verdict": "fine"')
    assert len(_mistakes(text)) == 1


@pytest.mark.parametrize(
    ("part", "name", "left_out"),
    [
        (Report, "ReportDocument", {"reached", "failed"}),  # together in "stage"
        (Target, "TargetDocument", {"service", "objects"}),  # the report names the service; objects are the collector's
        (Finding, "FindingDocument", set()),
        (Citation, "CitationDocument", set()),
        (Fix, "FixDocument", set()),
        (NotChecked, "NotCheckedDocument", set()),
        (Moment, "MomentDocument", set()),
        (Collected, "CollectedDocument", set()),
    ],
)
def test_what_the_program_knows_is_in_it(part: type, name: str, left_out: set[str]) -> None:
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, dict)
    known = {field.name for field in fields(part)} - left_out
    assert known - set(definitions[name]["properties"]) == set()


def test_the_command_line_prints_it() -> None:
    ended = diagnose("rules", "schema", "--report")
    assert (ended.code, json.loads(ended.out)) == (0, json_schema())
