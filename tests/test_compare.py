"""``diagnose compare``: from two files to what is new, fixed and changed, on what a real cluster answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from evidence import log, rule_text, written
from program import diagnose
from replay import DENIED, LAB, Replay
from sides import collected, gap, side, told

from diagnose import bundle, cli, packing
from diagnose.azure_items import Operation, VaultWrite
from diagnose.cli import program
from diagnose.compare import compare
from diagnose.compare.model import Side, Status
from diagnose.model import Evidence, Role, Subject, Target, Verdict
from diagnose.render import Options
from diagnose.render.comparison import FORMATS
from diagnose.streams import Container

Start = Callable[..., Replay]
Saved = Callable[[str], Path]

SERVICES = sorted(path.name for path in LAB.iterdir())
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(*arguments: str | Path) -> tuple[int, str]:
    """The program within this process."""
    result = CliRunner().invoke(
        program, [str(one) for one in arguments], env={"DOCKER_HOST": "unix:///nonexistent.sock"}
    )
    return result.exit_code, result.stdout


def compared(before: Path, after: Path, *options: str) -> tuple[int, dict[str, Any]]:
    code, out = run("compare", before, after, "--format", "json", *options)
    return code, json.loads(out)


def rules(document: dict[str, Any], *statuses: str) -> set[str]:
    """Ids of the findings of these statuses."""
    return {one["rule"] for one in document["findings"] if one["status"] in statuses}


def changes(document: dict[str, Any], *areas: str) -> dict[str, tuple[str, str]]:
    """What changed, in these areas or in all."""
    return {
        one["what"]: (one["before"] or one["removed"], one["after"] or one["added"])
        for one in document["changes"]
        if not areas or one["area"] in areas
    }


@pytest.fixture
def saved(replayed: Start, tmp_path: Path) -> Saved:
    """The file that ``diagnose collect`` makes of a recorded service."""

    def save(service: str) -> Path:
        replayed(service, f"aml-{service}")
        path = tmp_path / f"{service}.tar.gz"
        assert run("collect", service, "--on", "kubernetes", "-o", path)[0] == 0
        return path

    return save


def report_of(path: Path) -> Path:
    """The JSON report on a collected file."""
    report = path.with_name(f"{path.name}.report.json")
    report.write_text(run("analyze", path, "--format", "json")[1])
    return report


def edited(path: Path, name: str, *edits: tuple[str, str]) -> Path:
    """The same evidence with other words in it."""
    text = packing.contents(str(path)).decode()
    for pattern, new in edits:
        text, count = re.subn(pattern, new, text)
        assert count > 0, pattern
    copy = path.with_name(name)
    copy.write_text(text)
    return copy


# --- recorded services ---


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_and_itself_differ_in_nothing(service: str, saved: Saved) -> None:
    path = saved(service)
    code, document = compared(path, path)
    assert (code, document["changes"], rules(document, "new", "fixed", "not known")) == (0, [], set())
    assert document["before"]["verdict"] == document["after"]["verdict"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_report_and_the_evidence_it_was_made_of_tell_of_the_same_findings(service: str, saved: Saved) -> None:
    path = saved(service)
    report = report_of(path)
    for before, after in ((report, path), (path, report), (report, report)):
        code, document = compared(before, after)
        assert (code, rules(document, "new", "fixed", "not known")) == (0, set())
        assert document["changes"] == []
        assert "a report holds findings but no evidence" in document["not_compared"][0]["why"]


@pytest.mark.parametrize("service", ["getmodelpath", "rollout", "noendpoints", "oomkilled"])
def test_new_pods_of_the_same_failure_are_the_same_failure(service: str, saved: Saved) -> None:
    path = saved(service)
    renewed = edited(
        path, "renewed.json", (rf"{service}-[a-z0-9]{{8,10}}-([a-z0-9]{{5}})", rf"{service}-bbbb7777cc-\1")
    )
    for before, after in ((path, renewed), (report_of(path), renewed), (report_of(path), report_of(renewed))):
        code, document = compared(before, after)
        assert (code, rules(document, "new", "fixed", "not known"), document["changes"]) == (0, set(), [])


def test_a_rollout_that_got_stuck_is_new_and_so_is_its_image(saved: Saved) -> None:
    code, document = compared(saved("healthy"), saved("rollout"))
    assert (code, document["before"]["verdict"], document["after"]["verdict"]) == (1, "healthy", "degraded")
    assert "init.get-model-path-not-found" in rules(document, "new")
    assert rules(document, "fixed", "not known") == set()
    told = changes(document)
    assert told["image"] == ("myregistry.azurecr.io/healthy:1", "myregistry.azurecr.io/getmodelpath:1")
    assert [one[:14] for one in told["image digest"]] == ["sha256:23592e5", "sha256:fdb9d4f"]
    assert told["revision"] == ("1", "2")
    assert told["restarts"] == ("0", "5")
    assert document["not_compared"] == []


def test_a_rollout_that_was_taken_back_is_fixed(saved: Saved) -> None:
    code, document = compared(saved("rollout"), saved("healthy"))
    assert (code, rules(document, "new")) == (0, set())
    assert {"init.get-model-path-not-found", "start.crash-loop-back-off"} <= rules(document, "fixed")
    folded = {one["rule"]: one["explained_by"] for one in document["findings"]}
    assert folded["start.crash-loop-back-off"] == "init.get-model-path-not-found"


def test_another_failure_is_new_and_the_first_one_fixed(saved: Saved) -> None:
    code, document = compared(saved("oomkilled"), saved("missingsecret"))
    assert (code, "start.secret-missing" in rules(document, "new")) == (1, True)
    assert "start.oom-killed" in rules(document, "fixed", "not known")


@pytest.mark.parametrize(
    ("edit", "area", "told"),
    [
        ((r'"memory_limit_mib": 512.0', '"memory_limit_mib": 256.0'), "resources", {"memory limit": ("512 MiB", "256 MiB")}),
        ((r'"environment": \[\]', '"environment": ["MODEL_DIR"]'), "environment", {"environment variables": ([], ["MODEL_DIR"])}),
        ((r"failures 3", "failures 9"), "probes", None),
        ((r'"desired": 2,', '"desired": 5,'), "replicas", {"wanted replicas": ("2", "5")}),
        ((r"23592e5533fa", "00002e5533fa"), "image", None),
    ],
)  # fmt: skip
def test_a_changed_setting_of_a_recorded_service_is_told(
    edit: tuple[str, str], area: str, told: dict[str, object] | None, saved: Saved
) -> None:
    path = saved("healthy")
    _, document = compared(path, edited(path, "edited.json", edit))
    assert {one["area"] for one in document["changes"]} == {area}
    assert told is None or changes(document) == told


def test_evidence_that_was_refused_afterwards_fixes_nothing(replayed: Start, saved: Saved, tmp_path: Path) -> None:
    before, after = saved("getmodelpath"), tmp_path / "after.json"
    replayed("getmodelpath", "aml-getmodelpath", faults={"pods/log": DENIED})
    run("collect", "getmodelpath", "--on", "kubernetes", "-o", after)
    _, document = compared(before, after)
    assert "init.get-model-path-not-found" in rules(document, "not known")
    assert "init.get-model-path-not-found" not in rules(document, "fixed")
    (one,) = [one for one in document["findings"] if one["rule"] == "init.get-model-path-not-found"]
    assert "denied; it needs" in one["note"]


# --- the exit code ---


def ended(before: Side, after: Side, threshold: str = "error") -> int:
    return compare(before, after).exit_code(threshold)


@pytest.mark.parametrize(
    ("severity", "threshold", "code"),
    [
        ("error", "error", 1),
        ("critical", "error", 1),
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("error", "critical", 0),
    ],
)
def test_what_is_new_counts_from_the_threshold_on(severity: Any, threshold: str, code: int) -> None:
    assert ended(side(), side(told("a.b", severity=severity)), threshold) == code


@pytest.mark.parametrize("role", [Role.ADVICE, Role.LATENT])
def test_what_does_no_harm_does_not_count(role: Role) -> None:
    assert ended(side(), side(told("a.b", role=role))) == 0


def test_what_is_still_there_does_not_count() -> None:
    assert ended(side(told("a.b")), side(told("a.b"))) == 0


def test_a_service_that_broke_without_a_finding_that_says_why_counts() -> None:
    well, ill, worse = (side(verdict=verdict) for verdict in (Verdict.HEALTHY, Verdict.DEGRADED, Verdict.FAILING))
    unknown = side(verdict=Verdict.UNKNOWN)
    assert [ended(*pair) for pair in ((well, ill), (ill, worse), (unknown, worse))] == [1, 1, 1]
    assert [ended(*pair) for pair in ((worse, ill), (worse, worse), (worse, well), (unknown, well))] == [0, 0, 0, 0]
    assert ended(well, worse, "critical") == 0


def test_nothing_is_said_of_what_could_not_be_judged() -> None:
    unknown = side(verdict=Verdict.UNKNOWN)
    assert [ended(unknown, unknown), ended(side(verdict=Verdict.HEALTHY), unknown)] == [3, 3]
    assert ended(unknown, side(told("a.b"), verdict=Verdict.UNKNOWN)) == 1


# --- what else is told ---


def between(*items: VaultWrite | Operation, before: datetime | None = NOON) -> list[str]:
    evidence = collected({"vault_writes": [i for i in items if isinstance(i, VaultWrite)], "operations": [i for i in items if isinstance(i, Operation)]})  # fmt: skip
    told = compare(side(time=before), side(evidence=evidence, time=NOON.replace(hour=14)))
    return [moment.what for moment in told.between]


def test_writes_and_deployments_since_the_first_look_are_told_in_order() -> None:
    write = VaultWrite(
        source="az",
        vault="kv",
        operation="vaults/write",
        caller="a@b.c",
        status="Succeeded",
        time=NOON.replace(hour=13),
    )
    early = VaultWrite(source="az", vault="kv", operation="vaults/write", time=NOON.replace(hour=11))
    build = Operation(
        source="az", kind="image", step="BuildImage", name="churn", status="Failed", time=NOON.replace(minute=30)
    )
    assert between(write, early, build) == ["BuildImage of churn: Failed", "vaults/write of kv by a@b.c: Succeeded"]
    assert between(write, before=None) == []


def test_two_services_are_compared_as_if_they_were_one_and_that_is_said() -> None:
    place = told("a.b").places[0]
    other = told("a.b", type(place)("prod", "other"))
    answer = compare(side(told("a.b")), side(other, service="other", namespace="prod"))
    assert [one.status for one in answer.findings] == [Status.STILL]
    assert "BEFORE is of churn, AFTER of other" in answer.notes[0]


def test_what_they_lack_is_compared_in_the_same_names() -> None:
    lack = gap("router of churn in ns", "a.b"), gap("router of other in prod", "a.b")
    before = side(told("a.b"), not_checked=lack[:1])
    answer = compare(before, side(service="other", namespace="prod", not_checked=lack[1:]))
    assert [one.status for one in answer.findings] == [Status.FIXED]


def test_a_comparison_the_wrong_way_round_is_noticed() -> None:
    assert "the other way round" in compare(side(time=NOON), side(time=NOON.replace(hour=11))).notes[0]
    assert compare(side(time=NOON), side(time=NOON.replace(hour=13))).notes == ()


def test_reports_of_different_rules_are_said_to_be() -> None:
    old, new = ({"diagnose": version, "rules": "9"} for version in ("0.1.0", "0.2.0"))
    (note,) = compare(side(versions=old), side(versions=new)).notes
    assert "0.1.0" in note
    assert "0.2.0" in note
    assert compare(side(versions=old), side(versions=old)).notes == ()


# --- the command ---


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A service before and after its image was changed, as two small files."""
    subject = Subject("docker", None, "churn", None, "churn")
    paths = tmp_path / "before.json", tmp_path / "after.json.gz"
    for path, tag in zip(paths, ("1", "2"), strict=True):
        item = Container(
            source="docker inspect churn", subject=subject, name="churn", image=f"churn:{tag}", state="running"
        )
        evidence = Evidence(target=Target(service="churn", kind="docker"), items={"containers": (item,)}, now=NOON)
        path.write_bytes(packing.packed(bundle.saved(evidence), path.name))
    return paths


def test_the_formats_written_into_the_command_line_are_those_there_are() -> None:
    assert tuple(FORMATS) == cli.COMPARISON_FORMATS


def test_the_terminal_is_the_default_and_has_no_colour_when_piped(pair: tuple[Path, Path]) -> None:
    done = diagnose("compare", *pair)
    assert "container churn, image: churn:1 → churn:2" in done.out
    assert ("\x1b" in done.out, done.err) == (False, "")


def test_several_formats_go_to_their_files(pair: tuple[Path, Path], tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("c.json", "c.md", "c.txt")]
    done = diagnose("compare", *pair, *(word for file in files for word in ("-o", str(file))))
    assert "churn:1 → churn:2" in done.out
    assert json.loads(files[0].read_text())["schema"] == "diagnose/comparison/1"
    assert files[1].read_text().startswith("## churn: ")
    assert files[2].read_text() == done.out


def test_a_format_there_is_not_is_wrong_usage(pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = diagnose("compare", *pair, "-o", tmp_path / "c.sarif")
    assert (done.code, ".json, .md or .txt" in done.err) == (2, True)


def hostile(folder: Path) -> dict[str, Path]:
    """Files that are no evidence and no report."""
    contents = {
        "log.txt": b"hello\n",
        "empty.json": b"",
        "binary.pkl": b"\x80\x04\x00",
        "array.json": b"[1, 2]",
        "other.json": b'{"schema": "somebody/else/1"}',
        "no-verdict.json": b'{"schema": "diagnose/report/1", "service": "x"}',
        "no-items.json": b'{"schema": "diagnose/evidence/1", "target": {}}',
        "bad-items.json": b'{"schema": "diagnose/evidence/1", "target": {"service": "x", "kind": "docker"}, "now": null,'
        b' "items": {"pods": 5}, "logs": {}, "missing": [], "collected": [], "redactions": {}}',
        "bad-counts.json": b'{"schema": "diagnose/evidence/1", "target": {"service": "x", "kind": "docker"}, "now": null,'
        b' "items": {}, "logs": {}, "missing": [], "collected": [], "redactions": {"a": "\\u001b[2J"}}',
        "deep.json": b'{"schema": "diagnose/report/1", "findings": ' + b"[" * 100_000,
        "escapes\x1b[2J.json": b"{}",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in (*contents, "nowhere.json", "")}


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_what_cannot_be_compared_costs_one_line_that_names_it(
    first: bool, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    for name, path in hostile(tmp_path).items():
        arguments = [str(path), str(pair[1])] if first else [str(pair[0]), str(path)]
        result = CliRunner().invoke(program, ["compare", *arguments])
        (line,) = result.stderr.splitlines()
        assert (result.exit_code, result.stdout) == (2, ""), name
        assert line.startswith(f"diagnose: {str(path).replace(chr(27) + '[2J', '')}: "), line


def test_names_from_outside_steer_no_terminal(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mevil\u202e\r\n# heading <script>@all"
    subject = Subject("kubernetes", evil, evil, evil, evil)
    item = Container(source=evil, subject=subject, name=evil, image=evil, environment=(evil,))
    text = log(f"{evil}\n", subject, source=evil)
    target = Target(service=evil, kind="kubernetes", where=evil)
    evidence = Evidence(target=target, items={"containers": (item,)}, logs={"logs.container": (text,)})
    path = tmp_path / "evil.json"
    path.write_bytes(bundle.saved(evidence))
    for name in FORMATS:
        code, out = run("compare", pair[0], path, "--format", name, "-v")
        assert code in (0, 1, 3)
        assert "evil" in out
        assert [letter for letter in "\x1b\x07\r\u202e" if letter in out] == []


def test_a_comparison_of_reports_alone_says_what_it_lacks(saved: Saved) -> None:
    report = report_of(saved("rollout"))
    done = diagnose("compare", report, report)
    assert "BEFORE and AFTER are reports" in done.out
    assert "What was changed in between is not known." in done.out


def test_own_rules_are_used(pair: tuple[Path, Path], tmp_path: Path) -> None:
    own = rule_text("start.own", "match: {seen: {in: containers, where: {image: 'churn:2'}}}")
    written(tmp_path / "own", own)
    code, document = compared(*pair, "--rules", str(tmp_path / "own"))
    assert (code, rules(document, "new")) == (1, {"start.own"})


def test_the_json_document_holds_all_there_is() -> None:
    answer = compare(side(told("a.gone"), time=NOON), side(told("a.comes"), not_checked=(gap("x"),)))
    document = json.loads(FORMATS["json"](answer, Options()))
    assert set(document) == {"schema", "before", "after", "findings", "changes", "between", "not_compared", "notes"}
    assert document["before"]["time"] == "2026-11-22T12:00:00Z"
    assert [(one["rule"], one["before"], one["after"]) for one in document["findings"]] == [
        ("a.comes", None, "root_cause"),
        ("a.gone", "root_cause", None),
    ]
