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
from program import diagnose

from diagnose.model import LADDER, Citation, Fix, Moment, NotChecked, Report, Role, StageState, Target, Verdict
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import Options
from diagnose.render.html import render, render_many

CSS = files("diagnose.reports").joinpath("report.css").read_text(encoding="utf-8")
SCRIPT = files("diagnose.reports").joinpath("report.js").read_text(encoding="utf-8")
VOID = {"meta", "br", "hr", "img", "link", "input"}
KB = 1_000


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

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

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
        unseen = ("style", "script")
        return " ".join("".join(" ".join(parts) for tag, parts in self.texts.items() if tag not in unseen).split())

    def all(self, name: str) -> list[str]:
        """Values of one attribute, wherever it is given."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def _page(report: Report, options: Options | None = None) -> Page:
    return Page(render(report, options or Options()))


def _flat(text: str) -> str:
    """The text without its elements, in the order of the page."""
    return " ".join(re.sub("<(style|script)>.*?</\\1>|<[^>]+>", " ", text, flags=re.S).split())


@pytest.fixture(params=["failing", "degraded", "healthy", "unknown", "unexplained", "hostile", "many"])
def page(request: pytest.FixtureRequest, reports: Mapping[str, Report]) -> Page:
    if request.param == "many":
        return Page(render_many(list(reports.values()), Options()))
    return _page(reports[request.param])


def test_every_element_is_closed(page: Page) -> None:
    assert page.open == []


def test_nothing_is_loaded_and_nothing_runs_but_the_one_script(page: Page) -> None:
    assert not {"link", "img", "iframe", "object", "embed", "form", "base", "use", "image"} & set(page.names)
    assert page.names.count("script") == 1
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        assert tag == "a" or "href" not in attributes
    assert not re.search(r"url\(|@import|//", CSS)
    assert not re.search(r"fetch|XMLHttp|WebSocket|import\(|eval|innerHTML|https?:", SCRIPT)


def test_only_https_addresses_are_links(failing: Report, hostile: Report) -> None:
    outside = [attributes for _, attributes in _page(failing).tags if attributes.get("href", "#")[0] != "#"]
    assert outside == [{"href": failing.findings[0].references[0], "rel": "noopener noreferrer"}]
    assert {address[0] for address in _page(hostile).all("href")} == {"#"}
    assert "javascript:alert(1)" in _page(hostile).text


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def test_the_policy_allows_the_one_style_and_the_one_script(page: Page) -> None:
    [style], script = page.texts["style"], "".join(page.texts["script"])
    [policy] = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert (style, script) == (CSS, SCRIPT)


def test_a_hostile_report_is_only_text(hostile: Report) -> None:
    text = render(hostile, Options(verbose=True))
    assert text.count("<script") == 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert "<script>alert(1)</script>click" in Page(text).text
    assert "http://evil" not in text


def test_headings_and_landmarks_are_in_order(page: Page) -> None:
    levels = [int(name[1]) for name in page.names if re.fullmatch("h[1-6]", name)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [name for name in page.names if name in ("header", "main", "footer")] == ["header", "main", "footer"]


def test_ids_are_there_once_and_whatever_names_one_finds_it(page: Page) -> None:
    ids = page.all("id")
    assert len(set(ids)) == len(ids)
    named = [*page.all("aria-labelledby"), *page.all("data-copies")]
    linked = [address[1:] for address in page.all("href") if address.startswith("#")]
    assert {*named, *linked} <= set(ids)
    assert len(linked) >= 3


def test_it_says_what_the_screen_says(failing: Report) -> None:
    text = _flat(render(failing, Options()))
    for said in (
        "stopped at init",
        "None of its 2 replicas is ready; each has crashed 7 times.",
        "Found in Kubernetes: context prod, namespace aml-churn",
        "init() cannot find the registered model my-best-model",
        "container inference-server of pods churn-model-5c6b8885ff-4wwmb, churn-model-5c6b8885ff-x9k2p",
        "inference-server --previous, line 58",
        "2026-11-22 12:03:41 UTC ×7",
        "az ml model deploy --name churn-model --model my-best-model:1 --overwrite",
        "Risk: low.",
        "To verify: the log says that the worker is ready for serving traffic.",
        "This explains The container crashes again and again start.crash-loop-back-off",
        "It needs: verb list on events in namespace aml-churn (role view)",
        "the container ended with exit code 3",
        "kubernetes 41 178.1 KiB 1.3 s",
        "bearer token 2 storage account key 1",
        "diagnose 0.1.0 rules 64",
    ):
        assert said in text, said


def test_the_answer_stands_in_the_order_of_a_first_screen(failing: Report) -> None:
    text = _flat(render(failing, Options()))
    told = (
        "stopped at init",
        "failed here",
        "Cause init() cannot find the registered",
        "E1",
        "not found in cache at",
        "Look which models the container holds.",
        "This explains",
        "Also found Advice",
        "What could not be checked",
        "All moments as a table",
        "What this rests on",
    )
    body = text[text.index("Skip to the answer") :]
    places = [body.index(words) for words in told]
    assert places == sorted(places)


def test_the_matched_part_is_marked_in_its_line_between_its_context(failing: Report) -> None:
    cited = replace(failing.findings[0].evidence[0], marked="Model my-best-model not found in cache")
    finding = replace(failing.findings[0], evidence=(cited,))
    text = render(replace(failing, findings=(finding,)), Options())
    lines = re.findall(r'<div class="line( hit)?"><span class="number">(\d*)</span>', text)
    assert lines == [("", "56"), ("", "57"), (" hit", "58"), ("", "59"), ("", "60")]
    assert "Message: <mark>Model my-best-model not found in cache</mark> at /var" in text


def test_each_stage_says_its_state_in_words_and_by_a_shape_of_its_own(failing: Report) -> None:
    states = tuple(StageState)
    ladder = tuple(zip(LADDER, (states[place % len(states)] for place in range(len(LADDER))), strict=True))
    text = render(replace(failing, ladder=ladder), Options())
    rungs = re.findall(
        r"<li class=\"\w+\"><svg.*?>(.*?)</svg>\s*<span class=\"stage\">(\w+)</span> <span class=\"level\">([\w ]+)<",
        text,
        re.S,
    )
    assert [stage for _, stage, _ in rungs] == list(LADDER)
    assert [state for _, _, state in rungs[:4]] == ["passed", "failed here", "not reached", "not known"]
    assert len({shape for shape, _, _ in rungs}) == len(states)


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_is_told_in_words_by_a_sign_and_by_a_tone(verdict: Verdict, failing: Report) -> None:
    signs = {}
    for one in Verdict:
        text = render(replace(failing, verdict=one), Options())
        [found] = re.findall(r'<p class="verdict"><svg.*?>(.*?)</svg>\s*(\w+)</p>', text, re.S)
        signs[found[1]] = found[0]
        assert f'<article class="report {one}"' in text
    assert len(set(signs.values())) == len(Verdict)
    assert verdict.value in signs


def test_what_could_not_be_seen_stands_before_the_rest_when_it_is_the_answer(unknown: Report, failing: Report) -> None:
    blind = _flat(render(replace(unknown, findings=failing.findings[1:2]), Options()))
    body = blind[blind.index("How far it came") :]
    assert body.index("What could not be seen") < body.index("To get an answer") < body.index("Also found")
    seeing = _flat(render(failing, Options()))
    seeing = seeing[seeing.index("How far it came") :]
    assert seeing.index("Also found") < seeing.index("What could not be checked")


def test_evidence_cited_twice_is_shown_once_and_linked_twice(failing: Report) -> None:
    again = replace(failing.findings[1], evidence=failing.findings[0].evidence[:1])
    page = _page(replace(failing, findings=(failing.findings[0], again)))
    assert page.names.count("figure") == 4
    assert page.all("href").count("#e1") == 2


def test_symptoms_are_folded_with_their_evidence(failing: Report) -> None:
    text = render(failing, Options())
    folded = text[text.index('id="explained"') : text.index('id="further"')]
    assert "<summary>" in folded
    assert "Back-off restarting failed container" in folded
    assert "start.exit-code-3" in folded


def test_long_lines_are_cut_and_it_is_said(hostile: Report) -> None:
    text = _page(hostile).text
    assert re.search(r"\.\.\. [\d,]+ characters left out \.\.\.", text)
    assert "1 piece of evidence shown in part" in text
    whole = _page(hostile, Options(verbose=True)).text
    assert "left out" not in whole
    assert "A" * 10_000 in whole


def test_many_citations_are_counted_unless_all_is_asked_for(failing: Report) -> None:
    cited = tuple(Citation("app.log", f"line {number}", line=number) for number in range(12))
    report = replace(failing, findings=(replace(failing.findings[0], evidence=cited),))
    assert "and 4 more" in _page(report).text
    assert "4 further pieces of evidence not shown" in _page(report).text
    assert _page(report, Options(verbose=True)).names.count("figure") == 12


def test_moments_before_those_at_hand_are_counted(failing: Report) -> None:
    assert "252 earlier moments not on the time line" in _page(replace(failing, earlier=252)).text


def test_a_command_keeps_its_lines(failing: Report) -> None:
    finding = replace(failing.findings[0], fixes=(Fix("Try it.", "cat <<EOF\n  a & b\nEOF\n"),))
    text = render(replace(failing, findings=(finding,)), Options())
    assert '<pre><code id="fix1">cat &lt;&lt;EOF\n  a &amp; b\nEOF</code></pre>' in text


def test_the_picture_of_the_time_line_names_its_kinds_and_the_table_lists_all(failing: Report) -> None:
    kinds = ("deployment", "crash", "policy", "")
    moments = tuple(
        replace(m, kind=kind) for m, kind in zip((*failing.timeline, failing.timeline[0]), kinds, strict=True)
    )
    text = render(replace(failing, timeline=moments), Options())
    lanes = re.findall(r'<text class="kind"[^>]*>([^<]+)<', text)
    assert lanes == ["Deployment", "Crashes", "Policy writes", "Other"]
    assert len(re.findall('<tr><td><time datetime="2026-11-22T12:03:', text)) == 4


def test_every_demo_is_well_below_the_usual_size() -> None:
    sizes = {case: len(render(demo(case, Settings()), Options()).encode()) for case in demo_cases()}
    assert len(sizes) >= 5
    assert {case: size for case, size in sizes.items() if size > 300 * KB} == {}


def _largest(report: Report) -> Report:
    """A thousand findings with all the evidence that the engine cites: long lines, full of what has to be escaped."""
    roles, wide = tuple(Role), '{"key": "<value>", "other": \'&\'} ' * 60
    findings = tuple(
        replace(
            report.findings[0],
            rule=f"start.rule-{number}",
            role=roles[number % len(roles)],
            explains=tuple(f"start.rule-{other}" for other in range(number + 1, number + 4)),
            evidence=tuple(
                Citation(f"app-{number}.log", f"{wide} {number}-{n}", line=n, before=(wide, wide), after=(wide, wide))
                for n in range(8)
            ),
        )
        for number in range(1_000)
    )
    gaps = tuple(NotChecked(f"events in namespace {n}", "denied", f"list events in {n}", ("a.b",)) for n in range(500))
    moments = tuple(
        Moment(failing.time, f"moment {n}", "pod", "start") for n in range(60) for failing in report.timeline
    )
    return replace(report, findings=findings, not_checked=gaps, timeline=moments)


@pytest.mark.parametrize("verbose", [False, True])
def test_the_largest_report_stays_below_three_megabytes_and_says_what_it_left_out(
    failing: Report, verbose: bool
) -> None:
    text = render(_largest(failing), Options(verbose=verbose))
    assert 300 * KB < len(text.encode()) < 3_000 * KB
    assert "Shortened here" in text
    assert re.search(r"[\d,]+ findings told in one line", text)
    assert Page(text).open == []


def test_a_report_is_the_same_to_the_byte_every_time() -> None:
    runs = [diagnose("demo", "--format", "html", PYTHONHASHSEED=seed).out for seed in ("1", "2")]
    assert runs[0] == runs[1]
    assert runs[0].startswith("<!doctype html>")


def test_a_title_says_service_and_verdict(failing: Report, healthy: Report) -> None:
    assert _page(failing).texts["title"][0] == "churn-model: failing, stopped at init"
    assert _page(healthy).texts["title"][0] == "churn-model: healthy, no failure found"


def _named(report: Report, service: str) -> Report:
    return replace(report, service=service, target=Target(service=service, kind="kubernetes", where=f"ns {service}"))


@pytest.fixture
def many(reports: Mapping[str, Report]) -> list[Report]:
    chosen = {
        name: _named(reports[name], name) for name in ("healthy", "unknown", "failing", "degraded", "unexplained")
    }
    return [*chosen.values(), _named(reports["failing"], "another")]


def test_of_many_services_the_most_urgent_are_listed_first(many: list[Report]) -> None:
    text = render_many(many, Options())
    index = text[text.index('id="index"') : text.index('<article class="report')]
    assert re.findall(r'<a class="name" href="#s\d-report">(\w+)</a>', index) == [
        "another", "failing", "degraded", "unexplained", "unknown", "healthy",
    ]  # fmt: skip
    assert "6 services: 3 failing, 1 degraded, 1 unknown, 1 healthy" in _flat(text)


def test_a_cause_behind_many_services_is_said_once_in_the_index(many: list[Report]) -> None:
    text = render_many(many, Options())
    index = text[text.index('id="index"') : text.index('<article class="report')]
    assert index.count("init() cannot find the registered model my-best-model") == 1
    assert "The same cause in 3 services" in index
    assert [
        group in index for group in ("The cause was not found", "Not enough could be seen", "Nothing is wrong")
    ] == [True] * 3


def test_each_of_many_reports_follows_in_full(many: list[Report]) -> None:
    text = render_many(many, Options())
    assert text.count('<article class="report ') == len(many)
    assert text.count("Look which models the container holds.") == 3


def test_many_large_reports_fit_into_three_megabytes_and_what_is_left_out_is_said(failing: Report) -> None:
    text = render_many([_named(_largest(failing), f"service-{number:03}") for number in range(4)], Options())
    assert len(text.encode()) < 3_000 * KB
    assert text.count('<article class="report ') == 4
    small = render_many([_named(failing, f"service-{number:03}") for number in range(400)], Options())
    assert len(small.encode()) < 3_000 * KB
    shown = small.count('<article class="report ')
    assert f"{400 - shown} reports are left out to keep this file small." in small
    assert len(re.findall(r'href="#s\d+-report"', small)) == shown
    assert small.count('<li class="failing">') == 400


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


LIGHT, DARK = (_colours(part) for part in CSS.split("* { box-sizing")[0].split("@media"))
PRINT = _colours(CSS[CSS.index("@media print") :])
PAIRS = (
    *((text, ground) for text in ("text", "quiet") for ground in ("page", "card", "code")),
    ("text", "hit"),
    ("text", "mark"),
    ("link", "card"),
    ("link", "code"),
    ("warn", "card"),
    ("card", "bad"),
    *((tone, ground) for tone in ("good", "bad", "warn", "open") for ground in ("card", f"{tone}-soft")),
)


@pytest.mark.parametrize("scheme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: dict[str, str], text: str, ground: str) -> None:
    assert _contrast(scheme, text, ground) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
@pytest.mark.parametrize("shape", ["edge", "good", "bad", "open", "link", "warn"])
def test_shapes_and_frames_stand_out_from_their_ground(scheme: dict[str, str], shape: str) -> None:
    assert _contrast(scheme, shape, "card") >= 3


def _contrast(scheme: dict[str, str], one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(scheme[one]), _luminance(scheme[other])))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_schemes_name_the_same_colours() -> None:
    assert LIGHT.keys() == DARK.keys() == PRINT.keys()
