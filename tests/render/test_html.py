from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from diagnose.model import Fix, Report
from diagnose.render import Options
from diagnose.render.html import render

CSS = files("diagnose.reports").joinpath("report.css").read_text(encoding="utf-8")
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """What a browser makes of it: the elements with their attributes, and the text in each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    @property
    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]

    @property
    def text(self) -> str:
        return " ".join("".join(" ".join(parts) for tag, parts in self.texts.items() if tag != "style").split())


def _page(report: Report, options: Options | None = None) -> Page:
    return Page(render(report, options or Options()))


@pytest.fixture(params=["failing", "degraded", "healthy", "unknown", "unexplained", "hostile"])
def page(request: pytest.FixtureRequest, reports: Mapping[str, Report]) -> Page:
    return _page(reports[request.param])


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_nothing_runs_and_nothing_is_loaded(page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"} & set(page.names)
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        assert tag == "a" or "href" not in attributes
    assert not re.search(r"url\(|@import|//", CSS)


def test_only_https_addresses_are_links(failing: Report, hostile: Report) -> None:
    [link] = [attributes for tag, attributes in _page(failing).tags if tag == "a"]
    assert link["href"] == failing.findings[0].references[0]
    assert link["rel"] == "noopener noreferrer"
    assert "a" not in _page(hostile).names
    assert "javascript:alert(1)" in _page(hostile).text


def test_the_policy_allows_the_one_style_and_nothing_else(page: Page) -> None:
    [style] = page.texts["style"]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    [policy] = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert style == CSS


def test_a_hostile_report_is_only_text(hostile: Report) -> None:
    text = render(hostile, Options(verbose=True))
    assert "<script" not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "<script>alert(1)</script>click" in Page(text).text
    assert "http://evil" not in text


def test_headings_and_landmarks_are_in_order(page: Page) -> None:
    levels = [int(name[1]) for name in page.names if re.fullmatch("h[1-6]", name)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [name for name in page.names if name in ("header", "main", "footer")] == ["header", "main", "footer"]


def test_every_label_names_an_element_that_is_there_once(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    labels = [attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes]
    assert labels == ids
    assert len(set(ids)) == len(ids)


def test_it_says_what_the_screen_says(failing: Report) -> None:
    text = _flat(render(failing, Options()))
    for said in (
        "stopped at init",
        "None of its 2 replicas is ready; each has crashed 7 times.",
        "Found in Kubernetes: context prod, namespace aml-churn",
        "init() cannot find the registered model my-best-model",
        "container inference-server of pods churn-model-5c6b8885ff-4wwmb, churn-model-5c6b8885ff-x9k2p",
        "inference-server --previous:58",
        "2026-11-22 12:03:41 UTC ×7",
        "az ml model deploy --name churn-model --model my-best-model:1 --overwrite",
        "Risk: low.",
        "To verify: the log says that the worker is ready for serving traffic.",
        "The container crashes again and again (start.crash-loop-back-off)",
        "It needs: verb list on events in namespace aml-churn (role view)",
        "the container ended with exit code 3",
        "41 items 178.1 KiB 1.3 s",
        "3 secrets were replaced by placeholders",
        "diagnose 0.1.0, rules 64",
    ):
        assert said in text, said


def _flat(text: str) -> str:
    """The text without its elements, in the order of the page."""
    return " ".join(re.sub("<[^>]+>", " ", text).split())


def test_the_matched_line_is_marked_between_its_context(failing: Report) -> None:
    text = render(failing, Options())
    lines = re.findall(r'<div class="line( hit)?"><span class="number">(\d*)</span>', text)
    assert lines[:5] == [("", "56"), ("", "57"), (" hit", "58"), ("", "59"), ("", "60")]
    assert text.count("<mark>") == sum(len(finding.evidence) for finding in failing.findings[:2])


def test_each_stage_says_its_state_in_words(failing: Report) -> None:
    stages = re.findall(
        r'<span class="stage">(\w+)</span> <span class="state">([\w ]+)</span>', render(failing, Options())
    )
    assert stages[2:4] == [("push", "not known"), ("deploy", "passed")]
    assert stages[7:9] == [("init", "failed here"), ("probe", "not reached")]
    assert len(stages) == 11


def test_what_could_not_be_seen_stands_before_the_rest_when_it_is_the_answer(unknown: Report, failing: Report) -> None:
    blind = _flat(render(replace(unknown, findings=failing.findings[1:2]), Options()))
    assert blind.index("What could not be seen") < blind.index("To get an answer") < blind.index("Also found")
    seeing = _flat(render(failing, Options()))
    assert seeing.index("Also found") < seeing.index("What could not be checked")


def test_long_lines_are_cut_unless_all_is_asked_for(hostile: Report) -> None:
    assert "characters left out" in _page(hostile).text
    whole = _page(hostile, Options(verbose=True)).text
    assert "left out" not in whole
    assert "A" * 10_000 in whole


def test_many_citations_are_counted_unless_all_is_asked_for(failing: Report) -> None:
    many = replace(failing.findings[0], evidence=failing.findings[0].evidence * 3)
    report = replace(failing, findings=(many,))
    assert "and 7 more" in _page(report).text
    assert render(report, Options(verbose=True)).count("<figure") == 12


def test_a_command_keeps_its_lines(failing: Report) -> None:
    finding = replace(failing.findings[0], fixes=(Fix("Try it.", "cat <<EOF\n  a & b\nEOF\n"),))
    text = render(replace(failing, findings=(finding,)), Options())
    assert '<pre class="command"><code>cat &lt;&lt;EOF\n  a &amp; b\nEOF</code></pre>' in text


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LIGHT, DARK = (_colours(part) for part in CSS.split("* { box-sizing")[0].split("@media"))
PAIRS = (
    *((text, ground) for text in ("text", "quiet") for ground in ("page", "card", "code")),
    ("text", "mark"),
    ("link", "card"),
    ("warn", "card"),
    ("card", "bad"),
    *((tone, ground) for tone in ("good", "bad", "warn", "open") for ground in ("card", f"{tone}-soft")),
)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: dict[str, str], text: str, ground: str) -> None:
    darker, lighter = sorted((_luminance(scheme[text]), _luminance(scheme[ground])))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
