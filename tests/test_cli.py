"""The command line: options, exit codes, and one clear line for every bad input."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from evidence import rule_text, written
from program import diagnose

from diagnose import cli
from diagnose.language import LANGUAGES
from diagnose.model import SEVERITIES, Role, Verdict
from diagnose.pipeline import demo_cases
from diagnose.render import FORMATS
from diagnose.targets import finders

FAILING = """\
2026-11-22 12:03:41,093 I [7] azmlinfsrv.user_script - Invoking user's init function
2026-11-22 12:03:41,093 E [7] azmlinfsrv - User's init function failed
2026-11-22 12:03:41,095 E [7] azmlinfsrv - Encountered Exception Traceback (most recent call last):
  File "/var/azureml-app/score.py", line 6, in init
    path = Model.get_model_path('churn')
azureml.exceptions._azureml_exception.ModelNotFoundException: ModelNotFoundException:
\tMessage: Model churn not found in cache at azureml-models or in current working directory /var/azureml-app. For more info, set logging level to DEBUG.
2026-11-22 12:03:42,095 E [1] gunicorn.error - Reason: Worker failed to boot.
"""
WORKING = """\
2026-11-22 12:03:41,093 I [7] gunicorn.error - Booting worker with pid: 7
2026-11-22 12:03:41,093 I [7] azmlinfsrv.user_script - Invoking user's init function
2026-11-22 12:03:42,093 I [7] azmlinfsrv.user_script - Users's init has completed successfully
2026-11-22 12:03:42,095 I [7] azmlinfsrv - Worker with pid 7 ready for serving traffic
127.0.0.1 - - [22/Nov/2026:12:04:00 +0000] "POST /score HTTP/1.1" 200 5 "-" "-"
"""


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    path = tmp_path / "failing.log"
    path.write_text(FAILING)
    return path


@pytest.fixture
def working(tmp_path: Path) -> Path:
    path = tmp_path / "working.log"
    path.write_text(WORKING)
    return path


def one_line(text: str) -> str:
    """The only line of an error, which is no traceback."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert "Traceback" not in text
    return lines[0]


def test_the_lists_written_into_the_command_line_are_those_of_the_program() -> None:
    assert tuple(cli.FORMATS) == tuple(FORMATS)
    assert cli.SEVERITIES == SEVERITIES
    assert cli.LANGUAGES == LANGUAGES
    assert sorted(place for finder in finders() for place in finder.places) == sorted(cli.PLACES)


def test_a_failing_log_ends_with_1_and_names_the_cause(failing: Path) -> None:
    ended = diagnose("analyze", failing, "--format", "json")
    assert (ended.code, ended.first, ended.report["verdict"]) == (1, "init.get-model-path-not-found", "failing")
    (fix, *_) = ended.report["findings"][0]["fixes"]
    assert r"Model.get_model_path(\"churn\")" in fix["command"]
    assert "score.py line 6, in init()" in ended.report["findings"][0]["explain"]


def test_a_working_log_ends_with_0(working: Path) -> None:
    ended = diagnose("analyze", working, "--format", "json")
    assert (ended.code, ended.report["verdict"]) == (0, "healthy")


def test_a_log_that_proves_nothing_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "some.log").write_text("hello\nworld\n")
    ended = diagnose("analyze", tmp_path, "--format", "json")
    assert (ended.code, ended.report["verdict"]) == (3, "unknown")


def test_standard_input_is_read_for_a_dash(failing: Path) -> None:
    ended = diagnose("analyze", "-", "--format", "json", stdin=failing.read_bytes())
    assert ended.first == "init.get-model-path-not-found"


def test_since_says_that_it_does_not_apply_to_files(failing: Path) -> None:
    assert "--since does not apply" in diagnose("analyze", failing, "--since", "10m").out


def test_fail_on_moves_the_threshold(failing: Path) -> None:
    assert diagnose("analyze", failing, "--fail-on", "critical").code == 1
    assert diagnose("analyze", failing, "--fail-on", "info").code == 1


def test_the_terminal_report_has_no_colour_when_piped(failing: Path) -> None:
    ended = diagnose("analyze", failing)
    assert "\x1b" not in ended.out
    assert "churn" in ended.out


def test_several_formats_go_to_their_files(failing: Path, tmp_path: Path) -> None:
    page, data = tmp_path / "r.html", tmp_path / "r.json"
    ended = diagnose("analyze", failing, "--format", "html", "-o", page, "--format", "json", "-o", data)
    assert ended.out == ""
    assert page.read_text().lstrip().lower().startswith("<!doctype html>")
    assert json.loads(data.read_text())["schema"] == "diagnose/report/1"
    assert ended.err.splitlines() == [f"wrote {page}", f"wrote {data}"]


def test_a_file_alone_goes_by_its_ending_and_the_screen_has_the_report_too(failing: Path, tmp_path: Path) -> None:
    ended = diagnose("analyze", failing, "-o", tmp_path / "r.html")
    assert "<!doctype" not in ended.out.lower()
    assert "init()" in ended.out
    assert (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("analyze", "nowhere.log"), "nowhere.log"),
        (("analyze", "x.log", "--since", "soon"), "90s, 10m, 2h"),
        (("analyze",), "PATH"),
        (("rules", "show", "init.get-model-path-not-fond"), "did you mean init.get-model-path-not-found"),
        (("rules", "list", "--stage", "nowhere"), "no stage"),
        (("rules", "new", "Nonsense"), "is no rule id"),
        (("demo", "nothing"), "no demo 'nothing'"),
        (("analyze", "x", "--rules", "nowhere"), "no such folder"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_to_write(arguments: tuple[str, ...], told: str) -> None:
    ended = diagnose(*arguments)
    assert (ended.code, told in ended.err) == (2, True), ended.err


def test_a_missing_file_costs_one_line() -> None:
    assert "nowhere.log" in one_line(diagnose("analyze", "nowhere.log").err)


def test_an_empty_folder_costs_one_line(tmp_path: Path) -> None:
    ended = diagnose("analyze", tmp_path)
    assert (ended.code, str(tmp_path) in one_line(ended.err)) == (2, True)


def test_a_binary_file_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04\x00\x00" * 100)
    ended = diagnose("analyze", tmp_path / "model.pkl")
    assert (ended.code, "model.pkl" in one_line(ended.err)) == (2, True)


def test_a_compressed_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(FAILING.encode()))
    ended = diagnose("analyze", tmp_path / "log.gz")
    assert (ended.code, "log.gz" in one_line(ended.err)) == (2, True)


def test_bytes_that_are_no_utf8_are_read_all_the_same(failing: Path) -> None:
    failing.write_bytes(b"\xff\xfe\x9c broken \x80\n".replace(b"\xff\xfe", b"\xfc") + FAILING.encode())
    assert diagnose("analyze", failing, "--format", "json").first == "init.get-model-path-not-found"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_costs_one_line(failing: Path) -> None:
    failing.chmod(0)
    assert "failing.log" in one_line(diagnose("analyze", failing).err)


def test_all_mistakes_of_a_users_rules_are_told_with_their_lines(failing: Path, tmp_path: Path) -> None:
    good = rule_text("init.own", "match: {seen: {in: logs.container, where: {line: {contains: churn}}}}")
    written(tmp_path / "own", good.replace("severity: error", "severity: bad").replace("contains", "contians"))
    ended = diagnose("analyze", failing, "--rules", tmp_path / "own")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 2
    assert all("init/own.yaml:" in line for line in ended.err.splitlines())


def test_a_users_rule_is_used(tmp_path: Path, working: Path) -> None:
    own = rule_text(
        "init.own", "match: {seen: {in: logs.container, where: {line: {contains: 'Booting worker'}}}}", kind="advice"
    )
    written(tmp_path / "own", own)
    ended = diagnose("analyze", working, "--rules", tmp_path / "own", "--format", "json")
    assert "init.own" in {finding["rule"] for finding in ended.report["findings"]}


def test_nothing_reachable_ends_with_3_and_says_how_to_reach_each_place() -> None:
    ended = diagnose("churn-model")
    assert ended.code == 3
    assert any("docker" in line for line in ended.err.splitlines())
    assert any("kubernetes" in line for line in ended.err.splitlines())


def test_an_output_file_that_cannot_be_written_costs_one_line(failing: Path) -> None:
    below_a_file = failing / "r.json"
    ended = diagnose("analyze", failing, "--format", "json", "-o", below_a_file)
    assert (ended.code, str(below_a_file) in one_line(ended.err)) == (2, True)


@pytest.mark.parametrize("case", demo_cases())
def test_every_demo_needs_nothing_else(case: str) -> None:
    ended = diagnose("demo", case, "--format", "json")
    assert (ended.code, ended.report["service"] != "") == (1, True)


def test_the_help_names_the_exit_codes() -> None:
    ended = diagnose("--help")
    assert (ended.code, "3 could not" in ended.out) == (0, True)


def test_the_help_needs_neither_renderers_nor_clients() -> None:
    heavy = ("kubernetes", "docker", "rich", "jinja2", "pydantic", "hyperscan", "diagnose.pipeline")
    code = f"import sys, diagnose.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_analyzing_needs_no_client_and_no_schema(failing: Path) -> None:
    diagnose("analyze", failing)
    code = (
        "import sys\nsys.argv[0] = 'diagnose'\nfrom diagnose.cli import program\n"
        f"program(['analyze', {str(failing)!r}, '--format', 'json'], standalone_mode=False)\n"
    )
    probe = "import atexit; atexit.register(lambda: print([n for n in ('kubernetes', 'docker', 'pydantic', 'rich') if n in sys.modules], file=sys.stderr))\n"
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + probe + code], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"


def test_an_error_of_the_programs_own_is_one_line(failing: Path) -> None:
    code = (
        "import diagnose.pipeline as p\np.judged = lambda *_: 1 / 0\n"
        f"import sys\nsys.argv = ['diagnose', 'analyze', {str(failing)!r}]\nfrom diagnose.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "ZeroDivisionError" in one_line(done.stderr)) == (3, True)


def test_a_log_too_large_to_hold_is_read_whole_and_cited_by_its_true_line(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    filler = "2026-11-22 12:00:00,000 I [7] azmlinfsrv - POST /v1/other 200 3.1ms 4\n" * 100_000
    path.write_text(filler + FAILING + filler)
    ended = diagnose("analyze", path, "--format", "json")
    assert (ended.code, ended.first) == (1, "init.get-model-path-not-found")
    assert {cited["line"] for cited in ended.report["findings"][0]["evidence"]} == {100_003, 100_007}
    assert any("14 MB" in cut for cut in ended.report["cuts"])


def test_a_pseudo_terminal_gets_colour_and_no_color_takes_it_away(failing: Path) -> None:
    import pty

    def shown(**environment: str) -> bytes:
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "diagnose", "analyze", str(failing)]
        process = subprocess.Popen(
            command, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm", **environment}
        )
        os.close(slave)
        text = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end was closed
                break
            text += piece
            if not piece:
                break
        process.wait()
        os.close(master)
        return text

    assert b"\x1b[" in shown()
    assert b"\x1b[" not in shown(NO_COLOR="1")


def test_a_broken_state_that_no_rule_explains_ends_with_1() -> None:
    finding = {"role": Role.ADVICE, "severity": "info"}
    for findings in ((), (finding,)):
        report = SimpleNamespace(verdict=Verdict.FAILING, findings=[SimpleNamespace(**one) for one in findings])
        assert cli._exit_code(report, "error") == 1  # type: ignore[arg-type]
        assert cli._exit_code(report, "critical") == 0  # type: ignore[arg-type]


def test_a_finding_is_told_in_spanish() -> None:
    spanish = diagnose("demo", "--lang", "es", "--format", "json").report["findings"][0]
    english = diagnose("demo", "--lang", "en", "--format", "json").report["findings"][0]
    assert (spanish["rule"], english["rule"]) == ("init.get-model-path-not-found",) * 2
    assert spanish["title"] != english["title"]
    assert "modelo" in spanish["title"]
    assert spanish["fixes"][0]["command"] == english["fixes"][0]["command"]


def test_the_language_is_the_locales_unless_told() -> None:
    told = diagnose("demo", "--format", "json", LC_ALL="es_ES.UTF-8").report["findings"][0]["title"]
    assert "modelo" in told


def test_a_log_line_gives_no_order_to_the_agent_of_a_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "pod.log"
    path.write_text(
        "Traceback (most recent call last):\n"
        '  File "/var/azureml-app/score.py", line 2, in <module>\n'
        "    import x\n"
        "ModuleNotFoundError: No module named 'x'  ##vso[task.setvariable variable=a]b\n"
    )
    for name in ("terminal", "json", "markdown"):
        assert "##vso[" not in diagnose("analyze", path, "--verbose", "--format", name, TF_BUILD="True").out
    assert "##vso[" in diagnose("analyze", path, "--verbose").out
