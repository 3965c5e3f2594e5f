"""The HTML report in a real browser: it shows the answer at once, asks for nothing from outside, and shuts nobody out.

Chromium is the system's own. axe-core is found where DIAGNOSE_AXE says (axe.min.js, or the folder it was installed in),
or in ``node_modules``; ``npm install axe-core@4`` brings it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from program import diagnose
from pypdf import PdfReader
from replay import DENIED, LAB, Replay, kubeconfig, serving

from diagnose import pipeline
from diagnose.model import Citation, Moment, Report
from diagnose.pipeline import Settings, demo, demo_cases
from diagnose.render import Options
from diagnose.render.html import render, render_many
from diagnose.targets import Wanted

pytestmark = pytest.mark.chromium

WIDTH, HEIGHT = 1280, 800
REFUSED = ("pods/log", "events", "services", "endpoints", "endpointslices")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`{{7*7}}</style></title>&lt;b&gt;"
MILLIMETRE = 72 / 25.4
T = TypeVar("T")


def missing(what: str, remedy: str = "") -> Any:
    """The part is not here: on a machine that must have it, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"no {what}")
    pytest.skip(f"no {what}{remedy}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with this module: while it is up, nothing else can run a loop of asyncio in this thread."""
    path = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path or missing("Chromium"), args=["--no-sandbox", "--headless=new", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    given = Path(os.environ.get("DIAGNOSE_AXE", "node_modules"))
    places = (given, given / "axe-core/axe.min.js", given / "node_modules/axe-core/axe.min.js")
    found = next((path for path in places if path.is_file()), None)
    return (found or missing("axe-core", ": npm install axe-core@4, or say in DIAGNOSE_AXE where it is")).read_text(
        encoding="utf-8"
    )


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Report]:
    """One of each verdict, of recorded services; one of which nothing is known; and one that is hostile."""
    failing = demo("get-model-path", Settings())
    with (
        serving(Replay.of("healthy", faults=dict.fromkeys(REFUSED, DENIED))) as replay,
        pytest.MonkeyPatch.context() as at,
    ):
        at.setenv("KUBECONFIG", str(kubeconfig(tmp_path_factory.mktemp("cluster"), replay.url)))
        at.setenv("NO_PROXY", "127.0.0.1")
        unknown = pipeline.diagnose(Wanted(service="healthy", on="kubernetes"), Settings(), lambda _: None)
    return {
        "failing": failing,
        "degraded": demo("stuck-rollout", Settings()),
        "healthy": pipeline.analyze([str(LAB / "healthy")], Settings()),
        "unknown": unknown,
        "unexplained": replace(failing, findings=failing.findings[-1:]),
        "hostile": evil(failing),
    }


KINDS = ("failing", "degraded", "healthy", "unknown", "unexplained", "hostile", "many")


@pytest.fixture(scope="module")
def texts(reports: Mapping[str, Report]) -> Mapping[str, str]:
    """The pages, and one of all of them."""
    pages = {name: render(report, Options()) for name, report in reports.items()}
    return {**pages, "many": render_many(list(reports.values()), Options())}


def evil(value: T) -> T:
    """Every text in it tries to break out of where it is shown; what the program chooses itself stays."""
    chosen = ("verdict", "role", "severity", "kind", "risk", "state", "number")
    if isinstance(value, tuple):
        return tuple(map(evil, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        free = [one.name for one in fields(value) if one.name not in chosen and one.name != "ladder"]
        return replace(value, **{name: evil(getattr(value, name)) for name in free})
    return f"{EVIL} {value}" if type(value) is str else value  # type: ignore[return-value]


@dataclass
class Tab:
    """A page in the browser, and what it did."""

    page: Page
    path: Path
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """On the console, by errors nobody caught, and in dialogs."""


Show = Callable[..., Tab]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    """Opens a page: ``show(text)``; what is said to Playwright's context goes by name."""
    contexts: list[BrowserContext] = []

    def shown(text: str, *, width: int = WIDTH, height: int = HEIGHT, **options: Any) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        context.set_default_timeout(5_000)
        contexts.append(context)
        tab = Tab(context.new_page(), tmp_path / f"report-{len(contexts)}.html")
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("console", lambda message: tab.said.append(message.text))
        tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.page.on("dialog", lambda dialog: (tab.said.append(dialog.message), dialog.dismiss()))
        tab.path.write_text(text, encoding="utf-8")
        tab.page.goto(tab.path.as_uri())
        return tab

    yield shown
    for context in contexts:
        context.close()


def whole(place: Locator) -> bool:
    """All of it can be seen without scrolling."""
    box = place.first.bounding_box()
    return box is not None and box["height"] > 0 and box["y"] >= 0 and box["y"] + box["height"] <= HEIGHT


@pytest.mark.parametrize("case", demo_cases())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_screen_holds_the_answer(show: Show, case: str, scheme: str) -> None:
    report = demo(case, Settings())
    page = show(render(report, Options()), color_scheme=scheme).page
    cause, fix = report.findings[0], report.findings[0].fixes[0]
    button = page.locator(".fixes .steps > li").first.get_by_role("button", name="Copy the command")
    for place in (
        page.get_by_role("heading", name=report.service, exact=True),
        page.locator("p.verdict", has_text=report.verdict.value),
        page.locator("li.failed", has_text=f"{report.failed} failed here"),
        page.get_by_role("heading", name=cause.title),
        page.locator(".hit", has_text=" ".join(cause.evidence[0].text.split())[:60]),
        page.get_by_text(fix.text),
        *((page.locator(".fixes .command"), button) if fix.command else ()),
    ):
        assert whole(place), place
    assert button.count() == bool(fix.command)
    assert page.evaluate("scrollY") == 0


def test_the_first_screen_of_an_unknown_service_says_what_was_missing_and_what_it_needs(
    show: Show, texts: Mapping[str, str]
) -> None:
    page = show(texts["unknown"]).page
    for place in (
        page.locator("p.verdict", has_text="unknown"),
        page.get_by_text("To get an answer"),
        page.get_by_text("list events in namespace aml-healthy"),
    ):
        assert whole(place), place


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [320, 390, WIDTH])
def test_the_page_fits_its_window_loads_nothing_and_complains_of_nothing(
    show: Show, texts: Mapping[str, str], kind: str, width: int
) -> None:
    tab = show(texts[kind], width=width)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    tab.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    for button in tab.page.get_by_role("button").all()[:3]:
        button.click()
    assert (tab.requests, tab.said) == ([tab.path.as_uri()], [])


def landing(page: Page, anchor: str) -> bool:
    """What ``anchor`` names can be seen, be it folded or not."""
    page.evaluate("(anchor) => { location.hash = ''; scrollTo(0, 0); location.hash = anchor; }", anchor)
    return bool(
        page.evaluate(
            """(anchor) => {
                const target = document.getElementById(anchor);
                if (!target || !target.checkVisibility()) return false;
                const box = target.getBoundingClientRect();
                return box.top < innerHeight && box.bottom > 0 && box.width > 0;
            }""",
            anchor,
        )
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_link_lands(show: Show, texts: Mapping[str, str], kind: str) -> None:
    page = show(texts[kind]).page
    links = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map((one) => one.hash.slice(1))")
    assert len(links) >= 3
    assert [link for link in links if not landing(page, link)] == []


def test_a_link_is_followed_by_a_click(show: Show, texts: Mapping[str, str]) -> None:
    page = show(texts["failing"]).page
    page.get_by_role("navigation").get_by_role("link", name="Timeline").click()
    assert page.evaluate("scrollY") > 0
    assert whole(page.get_by_role("heading", name="Timeline"))


def test_the_first_command_is_copied(show: Show, reports: Mapping[str, Report], texts: Mapping[str, str]) -> None:
    page = show(texts["failing"], permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_role("button", name="Copy the command").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.get_by_role("status").inner_text() == "Copied"
    assert page.evaluate("navigator.clipboard.readText()") == reports["failing"].findings[0].fixes[0].command


def test_a_command_is_copied_where_there_is_no_clipboard_to_ask_for(
    show: Show, reports: Mapping[str, Report], texts: Mapping[str, str]
) -> None:
    tab = show(texts["failing"])
    tab.page.evaluate("delete Navigator.prototype.clipboard")
    tab.page.get_by_role("button", name="Copy the command").first.click()
    tab.page.get_by_role("button", name="Copied").wait_for()
    other = tab.page.context.new_page()
    other.set_content("<textarea autofocus></textarea>")
    other.locator("textarea").press("Control+V")
    assert other.locator("textarea").input_value() == reports["failing"].findings[0].fixes[0].command


def test_a_command_of_several_lines_keeps_them(show: Show, reports: Mapping[str, Report]) -> None:
    cause = reports["failing"].findings[0]
    command = "cat <<'EOF'\n  a & <b>\n\nEOF"
    changed = replace(cause, fixes=(replace(cause.fixes[0], command=command),))
    page = show(
        render(replace(reports["failing"], findings=(changed,)), Options()),
        permissions=["clipboard-read", "clipboard-write"],
    ).page
    page.get_by_role("button", name="Copy the command").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command


@pytest.mark.parametrize("kind", KINDS)
def test_no_script_is_needed_to_read(show: Show, texts: Mapping[str, str], kind: str) -> None:
    plain = show(texts[kind], java_script_enabled=False).page
    usual = show(texts[kind]).page
    assert plain.get_by_role("button", name="Copy").count() == 0
    read = ["".join(page.locator("body").inner_text().split()) for page in (plain, usual)]
    assert read[0] == read[1].replace("Copythecommand", "")
    folded = plain.locator("details:not([open]) > summary")
    for _ in folded.all():
        folded.first.click()
    assert plain.locator("details:not([open])").count() == 0


def test_a_ticket_system_that_forbids_scripts_shows_all_but_the_buttons(show: Show, texts: Mapping[str, str]) -> None:
    tab = show("<!doctype html><title>elsewhere</title>")
    address = "https://tickets.example/report.html"
    strict = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    tab.page.route(
        address, lambda route: route.fulfill(body=texts["failing"], content_type="text/html", headers=strict)
    )
    tab.page.goto(address)
    assert tab.page.get_by_role("button").count() == 0
    assert whole(tab.page.get_by_role("heading", name="init() cannot find the registered model"))
    assert tab.page.locator(".card").first.evaluate("(one) => getComputedStyle(one).borderTopStyle") == "solid"


def test_hostile_names_and_lines_stay_text(show: Show, texts: Mapping[str, str]) -> None:
    tab = show(texts["hostile"])
    tab.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert tab.page.locator("script").count() == 1
    assert tab.page.locator("img, iframe, b").count() == 0
    assert tab.page.locator("h1").inner_text() == f"{EVIL} getmodelpath"
    assert tab.page.locator(".line.hit code").first.inner_text().startswith(EVIL)
    assert (
        tab.page.locator(".command code").first.text_content()
        == f"{EVIL} " + demo("get-model-path", Settings()).findings[0].fixes[0].command
    )
    assert tab.said == []


VIOLATIONS = """async () => {
    document.querySelectorAll('details').forEach((one) => { one.open = true; });
    const found = await axe.run(document, { resultTypes: ['violations'] });
    return found.violations.map((one) => `${one.impact}: ${one.id}: ${one.nodes[0].html.slice(0, 200)}`);
}"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, WIDTH])
def test_nobody_is_shut_out(show: Show, texts: Mapping[str, str], axe: str, kind: str, scheme: str, width: int) -> None:
    page = show(texts[kind], width=width, color_scheme=scheme).page
    page.evaluate(axe)
    assert page.evaluate(VIOLATIONS) == []


def test_what_is_shut_out_would_be_noticed(show: Show, texts: Mapping[str, str], axe: str) -> None:
    pale = re.sub("--quiet: #[0-9a-f]{6}", "--quiet: #bbbbbb", texts["failing"])
    page = show(re.sub("style-src &#39;[^&]+&#39;", "style-src 'unsafe-inline'", pale)).page
    page.evaluate(axe)
    assert [one for one in page.evaluate(VIOLATIONS) if one.startswith("serious: color-contrast")]


def test_the_keyboard_gets_to_the_answer_and_shows_where_it_is(show: Show, texts: Mapping[str, str]) -> None:
    page = show(texts["failing"]).page
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the answer")
    assert whole(skip)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "(() => { const style = getComputedStyle(document.activeElement); return [style.outlineStyle, style.outlineWidth]; })()"
    )
    assert focused == ["solid", "3px"]
    for _ in range(60):
        if page.evaluate("document.activeElement.matches('button.copy')"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent").startswith(("Copied", "Selected"))


def test_nothing_moves_where_that_is_not_wanted(browser: Browser, show: Show, texts: Mapping[str, str]) -> None:
    still = show(texts["failing"]).page
    assert still.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert "animation" not in texts["failing"]
    assert "transition" not in texts["failing"]


def test_the_ladder_is_read_out_as_a_list_of_stages_with_their_states(show: Show, texts: Mapping[str, str]) -> None:
    page = show(texts["failing"]).page
    rungs = page.get_by_role("region", name="How far it came").get_by_role("listitem").all_inner_texts()
    assert [" ".join(rung.split()) for rung in rungs][6:9] == ["start passed", "init failed here", "probe not reached"]


def test_on_a_phone_the_ladder_is_told_in_a_sentence(show: Show, texts: Mapping[str, str]) -> None:
    page = show(texts["failing"], width=390).page
    assert page.get_by_text("failed here: init; not reached: probe, score, serve").is_visible()
    assert not show(texts["failing"]).page.get_by_text("failed here: init;").is_visible()


def numbered(report: Report) -> Report:
    """With so much in it that it takes many pages, and a number in every line."""
    cause = report.findings[0]
    cited = tuple(
        Citation(
            f"app.log #{n}a",
            f"#{n}b " + "the matched line " * (n * 3),
            line=n * 10,
            before=(f"#{n}c before", f"#{n}d before " * 9),
            after=(f"#{n}e after",),
            marked=f"#{n}b the matched line",
        )
        for n in range(100, 140)
    )
    moments = tuple(
        Moment(one.time, f"#{n}m {one.what}", one.subject, one.kind) for n, one in enumerate(report.timeline, 500)
    )
    others = tuple(replace(one, explain=f"#{n}x {one.explain}") for n, one in enumerate(report.findings[1:], 600))
    return replace(report, findings=(replace(cause, evidence=cited), *others), timeline=moments)


def printed(page: Page, **options: Any) -> list[list[tuple[float, float, str]]]:
    """Of each sheet: where its texts begin, in points from the left and from the bottom."""
    sheets = []
    for sheet in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True, **options))).pages:
        assert [round(float(side)) for side in sheet.mediabox[2:]] == [595, 842]
        texts: list[tuple[float, float, str]] = []

        def visit(text: str, cm: list[float], tm: list[float], *_: object, texts: Any = texts) -> None:
            if text.strip():
                across = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
                texts.append((across, tm[4] * cm[1] + tm[5] * cm[3] + cm[5], text))

        sheet.extract_text(visitor_text=visit)
        sheets.append(texts)
    return sheets


def test_it_prints_without_a_cut_line(show: Show, reports: Mapping[str, Report]) -> None:
    text = render(numbered(reports["failing"]), Options(verbose=True))
    sheets = printed(show(text, color_scheme="dark").page)
    assert len(sheets) > 10
    for texts in sheets:
        assert all(across >= 12 * MILLIMETRE - 1 for across, _, _ in texts)
        assert all(13 * MILLIMETRE - 1 <= up <= (297 - 13) * MILLIMETRE for _, up, _ in texts)
    printed_text = " ".join(text for texts in sheets for _, _, text in texts)
    numbers = sorted(re.findall(r"#\d{3}[a-z]", printed_text))
    marked = set(re.findall(r"#\d{3}[a-z]", text.partition("</style>")[2]))
    assert len(marked) > 200
    once = [number for number in marked if number[-1] in "acemx"]
    assert {number: numbers.count(number) for number in once if numbers.count(number) != 1} == {}
    assert marked - set(numbers) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_on_paper_nothing_is_wider_than_the_sheet(show: Show, texts: Mapping[str, str], kind: str) -> None:
    page = show(texts[kind], width=round(186 / 25.4 * 96)).page
    page.emulate_media(media="print")
    wide = page.evaluate(
        """[...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()
            && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.apart')).map((one) => one.outerHTML.slice(0, 90))"""
    )
    assert wide == []


def test_what_is_folded_on_the_screen_is_printed(show: Show, texts: Mapping[str, str]) -> None:
    page = show(texts["failing"]).page
    assert not page.get_by_text("Back-off restarting failed").first.is_visible()
    text = "".join(text for texts in printed(page) for _, _, text in texts)
    assert "Back-off restarting failed" in " ".join(text.split())


def test_the_program_writes_the_page_that_is_tested_here(show: Show, tmp_path: Path, texts: Mapping[str, str]) -> None:
    page = tmp_path / "written.html"
    diagnose("demo", "--format", "html", "-o", page)
    assert page.read_text(encoding="utf-8") == texts["failing"]
