from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

import pytest
from hostile_text import saying
from markdown_it import MarkdownIt
from markdown_it.token import Token

from diagnose.model import Citation, Fix, Report
from diagnose.render import Options
from diagnose.render.markdown import code, fenced, prose, render

GITHUB = 65_536
"""Characters that a comment may have."""

HOSTILE = (
    "@octocat",
    "(@octocat)",
    "@<6e4bd5a5-0000-4000-8000-000000000000>",
    "[~accountid:5b10]",
    "#1",
    "GH-1",
    "CHURN-123",
    "octo/repo#1",
    "!12",
    "AB#12",
    "0a1b2c3d4e5f",
    "[x](https://evil.example)",
    "[x][y]",
    "![x](https://evil.example/a.png)",
    "<img src=x onerror=alert(1)>",
    "<details>",
    "</details>",
    "</summary></details><script>",
    "<https://evil.example>",
    "https://evil.example",
    "http://evil.example/a_b_c",
    "www.evil.example",
    "evil.com",
    "somebody@evil.com",
    "**bold**",
    "__bold__",
    "*x*",
    "~~gone~~",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quote",
    "---",
    "===",
    "***",
    "| a | b |",
    "```",
    "````sh",
    "~~~",
    "`x`",
    "`` x ``` y",
    "` `",
    "\\",
    "\\`x\\`",
    "&lt;b&gt;",
    "&#64;octocat",
    ":tada:",
    "$x$",
    "$$x$$",
    "[^1]",
    "[x]: https://evil.example",
    "<!-- x -->",
    "{code}",
    "/approve",
    "x]",
    "](https://evil.example)",
)


@cache
def _reader() -> MarkdownIt:
    """As Azure DevOps reads: GitHub's Markdown, with bare names of domains made links."""
    return MarkdownIt("gfm-like", {"linkify": True, "html": True})


def _tokens(text: str) -> Iterable[Token]:
    for token in _reader().parse(text):
        yield token
        yield from token.children or ()


def _skeleton(text: str) -> list[tuple[str, str]]:
    """All but the words: what stands between two pieces of markup may be one code span or several."""
    return [
        (token.type, token.tag + (token.content if token.type.startswith("html") else ""))
        for token in _tokens(text)
        if token.type not in ("text", "code_inline", "inline")
    ]


def _words(text: str) -> str:
    """What a reader sees outside code."""
    return "\n".join(token.content for token in _tokens(text) if token.type == "text")


def test_the_comment_of_a_failing_service_is_read_from_top_to_bottom(failing: Report) -> None:
    text = render(failing, Options())
    parts = [
        "## churn-model: FAILING, stopped at init\n",
        "None of its 2 replicas is ready; each has crashed 7 times.\n",
        "not known: register, build, push · passed: deploy, schedule, pull, start · **failed here: init** · not reached: ",
        "Found in Kubernetes: context prod, namespace aml-churn\n",
        "### Cause: init() cannot find the registered model my-best-model\n",
        "`score.py` line 6 asks for the model my-best-model.",
        "Rule: `init.get-model-path-not-found`, critical, stage init\n",
        "-c inference-server --previous`, line 58, 2026-11-22 12:03:41 UTC, ×7\n",
        "\n> 58 | Message: Model my-best-model not found in cache at",
        "### What to do\n",
        "**1.** Look which models the container holds.\n",
        "```sh\nkubectl exec -n aml-churn churn-model-5c6b8885ff-4wwmb -c inference-server -- ls -R",
        "Risk: **low**. To verify: the log says that the worker is ready for serving traffic.\n",
        "Read more: https://learn.microsoft.com/azure/machine-learning/v1/how-to-troubleshoot-deployment\n",
        "**This explains:** The container crashes again and again (`start.crash-loop-back-off`)",
        "<details>\n<summary>1 symptom</summary>\n",
        "Rule: `start.crash-loop-back-off`, error, stage start\n",
        "</details>\n",
        "### Also found\n",
        "**Advice: The container has no memory limit**\n",
        "### What could not be checked\n",
        "- **denied:** events in namespace aml-churn; quotas in namespace aml-churn. It needs: verb list on events in ",
        "Not read: kubectl logs ",
        "3 secrets were replaced by placeholders: bearer token (2), storage account key (1).\n",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_what_could_not_be_seen_comes_first_when_that_is_the_answer(unknown: Report) -> None:
    text = render(unknown, Options())
    assert "## churn-model: UNKNOWN, could not see enough to tell\n" in text
    assert "Nothing that was read shows how far the deployment came.\n" in text
    assert "- **denied:** events in namespace aml-churn" in text
    assert "To get an answer, provide what is needed here" in text


def test_a_failure_without_a_cause_says_where_to_look(unexplained: Report) -> None:
    text = render(unexplained, Options())
    assert "### The cause was not found. This was seen: The container crashes again and again\n" in text
    assert "### Where to look next\n" in text


def test_quiet_leaves_the_verdict_the_cause_and_the_first_fix(failing: Report) -> None:
    text = render(failing, Options(quiet=True))
    assert text.startswith("## churn-model: FAILING, stopped at init\n\n**Cause:** init() cannot find")
    assert text.count("```sh") == 1
    assert len(text) < 500


def test_verbose_adds_the_time_line_and_all_evidence(failing: Report) -> None:
    text = render(failing, Options(verbose=True))
    assert "<summary>Timeline</summary>" in text
    assert "- 2026-11-22 12:03:38 UTC: the server started" in text
    assert "- kubernetes: 41 items, 178.1 KiB, in 1.3 s" in text


def test_the_width_of_the_terminal_does_not_matter(failing: Report) -> None:
    assert render(failing, Options(width=60)) == render(failing, Options(width=200))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", ["failing", "degraded", "unknown"])
def test_text_from_outside_changes_nothing_but_words(text: str, kind: str, reports: Mapping[str, Report]) -> None:
    for options in (Options(), Options(verbose=True), Options(quiet=True)):
        plain_one = render(saying(reports[kind], "word"), options)
        assert _skeleton(render(saying(reports[kind], text), options)) == _skeleton(plain_one)


@pytest.mark.parametrize("text", HOSTILE)
def test_nobody_is_mentioned_and_nothing_referred_to(text: str, failing: Report) -> None:
    findings = tuple(replace(finding, references=()) for finding in failing.findings)
    words = _words(render(saying(replace(failing, findings=findings), f"see {text} there"), Options()))
    assert not re.search(r"[@#<>&~$]|://|www\.|GH-|CHURN-|0a1b2c|evil|:tada|/approve", words)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_still_there_to_read(text: str) -> None:
    rendered = _reader().parse(prose(f"see {text} there"))
    assert "".join(token.content for token in rendered[1].children or ()) == f"see {text} there"


@pytest.mark.parametrize("text", ["a\n\n# heading", "a\r\n- item", "a\n/approve", "a\u2028> quote"])
def test_a_line_end_starts_nothing(text: str, failing: Report) -> None:
    shown = render(saying(replace(failing, timeline=()), text), Options(verbose=True))
    outside_of_commands = re.sub(r"```sh\n.*?\n```", "", shown, flags=re.S)
    assert not re.search(r"^(# heading|- item|/approve|> quote)", outside_of_commands, re.M)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("init() cannot find churn-model (x31): it ends.", "init() cannot find churn-model (x31): it ends."),
        ("read/write and 4.1 GiB, e.g. 12,000 lines", "read/write and 4.1 GiB, e.g. 12,000 lines"),
        ("see score.py, please", "see `score.py`, please"),
        ("in /var/azureml-app/models.", "in `/var/azureml-app/models`."),
        ("call Model.get_path(name='x').", "call `Model.get_path(name='x')`."),
        ("it says key=value", "it says `key=value`"),
        ("a `b", "a `` `b ``"),
        ("1. first 2. second", "`1.` first 2. second"),
        ("--verbose shows it", "`--verbose` shows it"),
        ("", ""),
    ],
)
def test_words_stay_readable(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_a_code_span_takes_any_backticks() -> None:
    assert code("a ``` b") == "````a ``` b````"
    assert code("`") == "`` ` ``"
    assert code("\x00") == ""


def test_a_fence_is_longer_than_any_within() -> None:
    assert fenced("a\n````\nb", "text") == "`````text\na\n````\nb\n`````"


def test_a_command_stands_as_it_is_or_not_at_all(healthy: Report) -> None:
    heredoc = "cat <<EOF\n  ```\nEOF"
    endless = "rm -r /tmp/x && " + "true && " * 1_000 + "true"
    finding = replace(healthy.findings[0], fixes=(Fix("Write it.", heredoc), Fix("Run it.", endless)))
    text = render(replace(healthy, findings=(finding,)), Options())
    assert f"````sh\n{heredoc}\n````" in text
    assert "rm -r" not in text
    assert f"*The command has {len(endless):,} characters and is left out.*" in text


def test_only_a_plain_address_is_a_link_and_pages_that_would_be_told_are_not(failing: Report) -> None:
    told = "https://github.com/microsoft/azureml-inference-server/issues/1"
    odd = "https://evil.example/<b>"
    finding = replace(failing.findings[0], references=("https://fine.example/a?b=c", told, odd))
    text = render(replace(failing, findings=(finding,)), Options())
    links = [str(token.attrGet("href")) for token in _tokens(text) if token.type == "link_open"]
    assert links == ["https://fine.example/a?b=c"]
    assert f"`{told}`" in text


def _large(report: Report, text: str) -> Report:
    evidence = tuple(
        Citation(source=f"{text} {line}", text=f"{text} {line}", line=line, before=(text,), after=(text,))
        for line in range(3, 13)
    )
    findings = tuple(
        replace(finding, evidence=evidence, rule=f"{finding.rule}-{count}", explain=text)
        for count in range(200)
        for finding in report.findings
    )
    return replace(
        report,
        findings=findings,
        not_checked=report.not_checked * 200,
        cuts=(text,) * 200,
        ladder=tuple((text[:100], state) for _, state in report.ladder),
        target=replace(report.target, notes=(text,) * 200),
    )


@pytest.mark.parametrize("text", ["word " * 400, "@ " * 5_000, "`" * 3_000, "` " * 5_000, "\U0001f600. " * 5_000])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_comment_always_fits_and_says_what_was_cut(text: str, verbose: bool, degraded: Report) -> None:
    shown = render(_large(degraded, text), Options(verbose=verbose))
    assert len(shown.encode("utf-16-le")) / 2 < GITHUB
    assert "*Shortened to fit into a comment: the HTML and the JSON report hold all of it.*" in shown
    assert re.search(r"^\*and \d[\d,]* more findings\*$", shown, re.M)
    assert re.search(r"^\*and \d more pieces of evidence\*$", shown, re.M)
    assert _skeleton(shown)[-1] == ("paragraph_close", "p")


def test_a_usual_comment_is_not_cut(failing: Report) -> None:
    assert "Shortened" not in render(failing, Options())
