"""The same facts in every format, and the same bytes for the same report."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from diagnose.model import Report
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import FORMATS, Options
from diagnose.render.pipelines import explained

KINDS = ["failing", "degraded", "healthy", "unknown", "unexplained"]
FOLDED = "command of a symptom"
SHOWN_WHOLE = ("html", "markdown", "junit", "sarif", "json")


def _words(name: str, report: Report) -> str:
    """What a reader finds in a format, without its markup and in single spaces."""
    text = FORMATS[name].render(report, Options())
    match name:
        case "html":
            text = html.unescape(re.sub(r"<[^>]*>", "", text))
        case "markdown":
            text = text.replace("`", "")
        case "junit":
            suites = fromstring(text)
            text = " ".join([*suites.itertext(), *(value for part in suites.iter() for value in part.attrib.values())])
        case "json" | "sarif":
            text = " ".join(_texts(json.loads(text)))
    return " ".join(text.split())


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)]


def _facts(report: Report) -> dict[str, str]:
    """What every format has to say, by what it is."""
    facts = {"verdict": report.verdict.value}
    folded = explained(report)
    for count, finding in enumerate(report.findings):
        facts[f"title {count}"] = finding.title
        facts[f"rule {count}"] = finding.rule
        kind = FOLDED if id(finding) in folded else "command"
        for place, fix in enumerate(finding.fixes):
            facts[f"{kind} {count}.{place}"] = " ".join(fix.command.split())
    for count, gap in enumerate(report.not_checked):
        facts[f"gap {count}"] = gap.what
        if gap.why != "not supplied":
            facts[f"needs {count}"] = gap.needs
    return facts


def _missing(name: str, report: Report) -> list[str]:
    words = _words(name, report)
    return [
        what
        for what, text in _facts(report).items()
        if text not in words
        and not (what == "verdict" and text in words.lower())
        and not (name == "html" and what.startswith(FOLDED))  # the page says to mend the cause, and nothing else
    ]


@pytest.mark.parametrize("name", SHOWN_WHOLE)
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_what_the_report_says(name: str, kind: str, reports: Mapping[str, Report]) -> None:
    assert _missing(name, reports[kind]) == []


@pytest.mark.parametrize("name", SHOWN_WHOLE)
@pytest.mark.parametrize("case", demo_cases())
def test_every_format_says_what_a_demo_says(name: str, case: str) -> None:
    assert _missing(name, demo(case, Settings())) == []


@pytest.mark.parametrize("name", FORMATS)
def test_what_has_no_order_changes_no_byte(name: str, failing: Report) -> None:
    shuffled = replace(
        failing,
        findings=tuple(
            replace(finding, subjects=finding.subjects[::-1], explains=finding.explains[::-1])
            for finding in failing.findings
        ),
        not_checked=tuple(replace(gap, rules=gap.rules[::-1]) for gap in failing.not_checked),
        timeline=failing.timeline[::-1],
        collected=failing.collected[::-1],
        redactions=dict(reversed(list(failing.redactions.items()))),
        versions=dict(reversed(list(failing.versions.items()))),
    )
    for options in (Options(), Options(verbose=True)):
        assert FORMATS[name].render(shuffled, options) == FORMATS[name].render(failing, options)


def test_two_runs_write_the_same_bytes() -> None:
    formats = [part for name in FORMATS for part in ("--format", name)]
    runs = [
        subprocess.run(
            [sys.executable, "-m", "diagnose", "demo", *formats],
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=False,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].returncode == 1
    assert runs[0].stdout == runs[1].stdout
