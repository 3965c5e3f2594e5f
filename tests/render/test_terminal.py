from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from diagnose.model import Report, StageState, Verdict
from diagnose.render import Options
from diagnose.render.terminal import render

SCREENS = Path(__file__).parent / "screens"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _may_be_wide(line: str) -> bool:
    """A command or an address: both are there to be copied."""
    return line.startswith("  $ ") or " " not in line.strip()


@pytest.mark.parametrize("name", ["failing", "degraded", "healthy", "unknown", "unexplained"])
def test_the_whole_screen(name: str, reports: Mapping[str, Report]) -> None:
    assert render(reports[name], Options()) == (SCREENS / f"{name}.txt").read_text(encoding="utf-8")


def test_the_whole_screen_with_all_that_is_known(failing: Report) -> None:
    expected = (SCREENS / "failing-verbose.txt").read_text(encoding="utf-8")
    assert render(failing, Options(verbose=True)) == expected


def test_the_headline_comes_first(failing: Report) -> None:
    assert render(failing, Options()).startswith("churn-model  FAILING  stopped at init\n")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "failing",
            [
                "churn-model  FAILING  stopped at init",
                "Cause: init() cannot find the registered model my-best-model",
                "  Look which models the container holds.",
                "  $ kubectl exec -n aml-churn churn-model-5c6b8885ff-4wwmb -c inference-server -- ls -R "
                "/var/azureml-app/azureml-models",
            ],
        ),
        ("healthy", ["churn-model  HEALTHY  no failure found"]),
        (
            "unknown",
            [
                "churn-model  UNKNOWN  could not see enough to tell",
                "Neither the pods nor their logs could be read, so nothing says whether it works.",
            ],
        ),
    ],
)
def test_quiet_is_the_answer_alone(name: str, lines: list[str], reports: Mapping[str, Report]) -> None:
    assert render(reports[name], Options(quiet=True, verbose=True)).splitlines() == lines


def test_the_states_of_the_ladder_differ_without_colour(failing: Report) -> None:
    ladder = tuple(zip(("pull", "start", "init", "probe"), StageState, strict=True))
    screen = render(replace(failing, ladder=ladder), Options())
    assert "  ok pull  X start  . init  ? probe\n" in screen
    assert "(ok passed, X failed here, . not reached, ? not known)" in screen


@pytest.mark.parametrize("width", range(60, 201, 4))
def test_no_line_is_wider_than_the_screen(width: int, reports: Mapping[str, Report]) -> None:
    for report in reports.values():
        for line in render(report, Options(width=width)).splitlines():
            assert cell_len(line) <= width or _may_be_wide(line), line


@pytest.mark.parametrize("width", [0, 1, 20, 59, 100_000])
def test_no_width_is_refused(width: int, reports: Mapping[str, Report]) -> None:
    for report in reports.values():
        assert render(report, Options(width=width, verbose=True))


def test_wide_characters_count_as_two_columns(failing: Report) -> None:
    screen = render(replace(failing, verdict_reason="模型" * 100), Options())
    assert all(cell_len(line) <= 80 for line in screen.splitlines() if "模" in line)


def test_commands_stand_whole_on_a_line_of_their_own(failing: Report) -> None:
    lines = render(failing, Options(width=60)).splitlines()
    commands = [fix.command for fix in failing.findings[0].fixes if fix.command]
    assert [line for line in lines if line.startswith("  $ ")] == [f"  $ {command}" for command in commands]


def test_a_command_of_several_lines_keeps_them(failing: Report) -> None:
    fix = replace(failing.findings[0].fixes[0], command="cat <<EOF\n  text\nEOF\n")
    report = replace(failing, findings=(replace(failing.findings[0], fixes=(fix,)),))
    assert "  $ cat <<EOF\n      text\n    EOF\n" in render(report, Options())


def test_a_long_line_is_shown_by_its_ends_and_says_how_much_is_gone(hostile: Report) -> None:
    screen = render(hostile, Options())
    [shown] = [line for line in screen.splitlines() if "characters left out" in line][:1]
    assert re.fullmatch(r" {6}\.\.\. 9,\d\d\d characters left out \.\.\. A+end of the line", shown)
    assert cell_len(shown) == 80


def test_verbose_shows_long_lines_whole(hostile: Report) -> None:
    screen = render(hostile, Options(verbose=True))
    assert screen.count("A") >= 10_000
    assert "left out" not in screen


def test_without_colour_there_is_no_control_character(reports: Mapping[str, Report]) -> None:
    for report in reports.values():
        assert not CONTROL.search(render(report, Options(verbose=True)))


def test_with_colour_the_same_is_said_and_nothing_steers_the_terminal(reports: Mapping[str, Report]) -> None:
    for report in reports.values():
        coloured = render(report, Options(colour=True, verbose=True))
        assert COLOUR.search(coloured)
        assert COLOUR.sub("", coloured) == render(report, Options(verbose=True))


def test_only_the_options_decide_on_colour_and_width(failing: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [render(failing, Options(colour=colour)) for colour in (True, False)]
    for name, value in {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "20", "LINES": "5"}.items():
        monkeypatch.setenv(name, value)
    assert [render(failing, Options(colour=colour)) for colour in (True, False)] == both


def test_markup_of_evidence_is_shown_and_not_obeyed(hostile: Report) -> None:
    assert "[bold]loud[/bold][/nothing]" in render(hostile, Options(colour=True))


def test_what_could_not_be_checked_is_always_told(failing: Report, healthy: Report) -> None:
    for report in (failing, replace(healthy, not_checked=failing.not_checked)):
        screen = render(report, Options())
        assert "What could not be checked\n  denied: events in namespace aml-churn; quotas in namespace" in screen
        assert "It needs: verb list on events in namespace aml-churn (role view)" in screen


def test_unknown_never_looks_well(unknown: Report) -> None:
    screen = render(replace(unknown, not_checked=()), Options())
    assert "run diagnose where the service can be reached" in screen
    assert "HEALTHY" not in screen


def test_a_failure_without_any_finding_says_so(unexplained: Report) -> None:
    screen = render(replace(unexplained, findings=()), Options())
    assert "The cause was not found. No rule accounts for what was seen.\n" in screen


def test_an_unexplained_symptom_is_not_called_the_cause(unexplained: Report) -> None:
    screen = render(unexplained, Options())
    assert "The cause was not found. This was seen: The container crashes again and again\n" in screen
    assert "Cause:" not in screen
    assert "What to do" not in screen


def test_a_ladder_of_which_nothing_is_known_is_one_sentence(failing: Report) -> None:
    ladder = tuple((stage, StageState.UNKNOWN) for stage, _ in failing.ladder)
    screen = render(replace(failing, ladder=ladder, verdict=Verdict.UNKNOWN), Options())
    assert "Nothing that was read shows how far the deployment came.\n" in screen
    assert "? register" not in screen
