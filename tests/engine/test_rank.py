"""Ranking: which finding is the answer, what folds under it, what is over, and the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest
from evidence import A, B, book, denied, evidence, judged, log, rule_text

from diagnose.model import Missing, Role, StageState, Subject, Verdict, Why
from diagnose.streams import Container, Pod, Service, Traceback, Workload


def line_rule(rule_id: str, word: str, **fields: str) -> str:
    return rule_text(
        rule_id, f"match: {{seen: {{in: logs.container, where: {{line: {{contains: '{word}'}}}}}}}}", **fields
    )


def container(subject: Subject = A, **fields: object) -> Container:
    return Container(source="kubectl", subject=subject, name="server", **fields)  # type: ignore[arg-type]


WORKS = {"state": "running", "ready": True, "stable": True, "readiness_probe": "http-get :5001/"}
CRASHES = {"state": "waiting", "reason": "CrashLoopBackOff", "restarts": 5}

SYMPTOM = line_rule("start.crash-loop-back-off", "crash", kind="symptom")
MIDDLE = line_rule("init.exception", "raised", explains="[start.crash-loop-back-off]")
CAUSE = line_rule("init.import-error", "no module", explains="[init.exception]", severity="critical")


def roles(report: object) -> dict[str, str]:
    return {finding.rule: finding.role.value for finding in report.findings}  # type: ignore[attr-defined]


def test_a_chain_of_symptoms_folds_under_its_cause(tmp_path: Path) -> None:
    report = judged(book(tmp_path, SYMPTOM, MIDDLE, CAUSE), evidence(log("no module\nraised\ncrash")))
    assert report.findings[0].rule == "init.import-error"
    assert report.findings[0].explains == ("init.exception", "start.crash-loop-back-off")
    assert roles(report) == {
        "init.import-error": "root_cause",
        "init.exception": "symptom",
        "start.crash-loop-back-off": "symptom",
    }


def test_a_symptom_alone_is_no_answer(tmp_path: Path) -> None:
    report = judged(book(tmp_path, SYMPTOM), evidence(log("crash"), items={"containers": (container(**CRASHES),)}))
    assert roles(report) == {"start.crash-loop-back-off": "symptom"}
    assert (report.verdict, "its cause was not found" in report.verdict_reason) == (Verdict.FAILING, True)


def test_a_cause_in_one_pod_does_not_explain_a_symptom_in_another(tmp_path: Path) -> None:
    report = judged(book(tmp_path, SYMPTOM, MIDDLE), evidence(log("raised", A), log("crash", B)))
    assert report.findings[0].explains == ()


def test_a_symptom_nobody_accounts_for_folds_under_a_grave_cause_of_the_same_subject(tmp_path: Path) -> None:
    stray = line_rule("score.http-503", "503", kind="symptom")
    report = judged(book(tmp_path, stray, MIDDLE), evidence(log("raised\n503")))
    assert (report.findings[0].rule, report.findings[0].explains) == ("init.exception", ("score.http-503",))


def test_replicas_with_the_same_failure_are_one_finding(tmp_path: Path) -> None:
    report = judged(book(tmp_path, MIDDLE), evidence(log("raised", A), log("raised", B)))
    assert [finding.subjects for finding in report.findings] == [(A, B)]


def test_the_graver_of_two_causes_is_the_answer_and_the_other_contributes(tmp_path: Path) -> None:
    slow = line_rule("score.run-slow", "slow", severity="warning")
    report = judged(book(tmp_path, slow, MIDDLE), evidence(log("slow\nraised")))
    assert roles(report) == {"init.exception": "root_cause", "score.run-slow": "contributing"}


def test_a_second_grave_cause_elsewhere_is_an_answer_of_its_own(tmp_path: Path) -> None:
    other = line_rule("start.oom-killed", "oom", severity="critical")
    report = judged(book(tmp_path, other, MIDDLE), evidence(log("oom", A), log("raised", B)))
    assert roles(report) == {"start.oom-killed": "root_cause", "init.exception": "root_cause"}


def test_a_crash_whose_container_has_been_ready_since_is_latent(tmp_path: Path) -> None:
    known = evidence(log("raised", run="previous"), items={"containers": (container(**WORKS),)})
    report = judged(book(tmp_path, MIDDLE), known)
    assert (roles(report), report.verdict) == ({"init.exception": "latent"}, Verdict.HEALTHY)


def test_a_crash_in_a_container_that_runs_between_two_crashes_is_not_over(tmp_path: Path) -> None:
    between = container(state="running", ready=True, restarts=5, running_s=4.0, stable=False)
    known = evidence(log("raised", run="previous"), items={"containers": (between,)})
    assert roles(judged(book(tmp_path, MIDDLE), known)) == {"init.exception": "root_cause"}


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("raised\nWorker with pid 7 ready for serving traffic", Role.LATENT),
        ("Worker with pid 7 ready for serving traffic\nraised", Role.ROOT_CAUSE),
        ("raised\nReason: Worker failed to boot.", Role.ROOT_CAUSE),
    ],
)
def test_in_a_lone_log_what_it_ends_with_decides(tmp_path: Path, text: str, role: Role) -> None:
    report = judged(book(tmp_path, MIDDLE), evidence(log(text, Subject("file")), kind="files"))
    assert report.findings[0].role is role


def test_failed_requests_are_over_only_when_many_were_answered_since(tmp_path: Path) -> None:
    rule = line_rule("score.run-exception", "boom")
    good = '1.1.1.1 - - [x] "POST /score HTTP/1.1" 200 5\n'
    bad = '1.1.1.1 - - [x] "POST /score HTTP/1.1" 500 5\n'
    ready = "Worker with pid 7 ready for serving traffic\n"
    few = judged(book(tmp_path / "a", rule), evidence(log(ready + "boom\n" + bad + good)))
    many = judged(book(tmp_path / "b", rule), evidence(log(ready + "boom\n" + bad + good * 40)))
    assert (few.findings[0].role, few.verdict) == (Role.ROOT_CAUSE, Verdict.DEGRADED)
    assert (many.findings[0].role, many.verdict) == (Role.LATENT, Verdict.HEALTHY)


def test_some_replicas_that_serve_make_it_degraded(tmp_path: Path) -> None:
    known = evidence(log("raised", B), items={"containers": (container(A, **WORKS), container(B, **CRASHES))})
    assert judged(book(tmp_path, MIDDLE), known).verdict is Verdict.DEGRADED


def test_a_workload_that_is_short_of_replicas_is_not_healthy_though_no_rule_matches(tmp_path: Path) -> None:
    short = Workload(source="kubectl", kind="Deployment", name="churn", desired=4, available=2, short=2)
    known = evidence(items={"containers": (container(**WORKS),), "workloads": (short,)})
    assert judged(book(tmp_path, MIDDLE), known).verdict is Verdict.DEGRADED


@pytest.mark.parametrize("stream", ["pods", "containers", "events", "workloads", "services", "logs.container"])
def test_what_could_not_be_read_is_never_called_healthy(tmp_path: Path, stream: str) -> None:
    known = evidence(items={"containers": (container(**WORKS),)}, missing=(denied(stream),))
    report = judged(book(tmp_path, MIDDLE), known)
    assert (report.verdict, report.not_checked[0].needs) == (Verdict.UNKNOWN, "more rights")


def test_nodes_that_may_not_be_read_do_not_make_a_serving_service_unknown(tmp_path: Path) -> None:
    known = evidence(items={"containers": (container(**WORKS),)}, missing=(denied("nodes"),))
    assert judged(book(tmp_path, MIDDLE), known).verdict is Verdict.HEALTHY


def test_no_evidence_at_all_is_unknown(tmp_path: Path) -> None:
    assert judged(book(tmp_path, MIDDLE), evidence()).verdict is Verdict.UNKNOWN


def test_what_was_not_collected_names_the_rules_it_leaves_open(tmp_path: Path) -> None:
    gap = Missing(stream="logs.container", why=Why.TIMED_OUT, what="log of churn-a", needs="--timeout 60")
    (not_checked,) = judged(book(tmp_path, MIDDLE), evidence(missing=(gap,))).not_checked
    assert (not_checked.what, not_checked.why, not_checked.rules) == (
        "log of churn-a",
        "timed out",
        ("init.exception",),
    )


def test_the_ladder_says_where_it_stopped(tmp_path: Path) -> None:
    report = judged(book(tmp_path, MIDDLE), evidence(log("raised")))
    states = dict(report.ladder)
    assert (states["start"], states["init"], states["probe"]) == (
        StageState.PASSED,
        StageState.FAILED,
        StageState.NOT_REACHED,
    )


def test_a_family_stops_where_its_symptom_does(tmp_path: Path) -> None:
    pull = line_rule("pull.err-image-pull", "ErrImagePull", kind="symptom")
    names = line_rule("network.acr-dns-failure", "no such host", explains="[pull.err-image-pull]")
    assert judged(book(tmp_path, pull, names), evidence(log("ErrImagePull\nno such host"))).failed == "pull"


def test_a_service_without_endpoints_does_not_serve_though_its_pods_are_ready(tmp_path: Path) -> None:
    rule = rule_text(
        "serve.service-no-endpoints", "match: {seen: {in: services, where: {endpoints_ready: 0}}}\nper: service"
    )
    empty = Service(source="kubectl", name="churn", selector="app=x", pods_of_workload=1, endpoints_ready=0)
    pod = Pod(source="kubectl", subject=A, name="churn-a", phase="Running", ready=True)
    known = evidence(items={"services": (empty,), "pods": (pod,), "containers": (container(**WORKS),)})
    assert judged(book(tmp_path, rule), known).verdict is Verdict.FAILING


def test_a_traceback_is_cited_with_the_users_own_line(tmp_path: Path) -> None:
    body = "match: {seen: {in: tracebacks, where: {exception: KeyError}}}"
    trace = Traceback(source="a.log", subject=A, line=3, exception="KeyError", message="'data'", file="score.py", file_line=6,
                      function="init", code="x['data']")  # fmt: skip
    known = evidence(items={"tracebacks": (trace,)})
    (citation,) = judged(book(tmp_path, rule_text("init.key", body)), known).findings[0].evidence
    assert (citation.text, citation.line) == ("score.py line 6, in init: KeyError: 'data'", 3)


def test_names_from_a_log_can_not_break_out_of_a_command(tmp_path: Path) -> None:
    body = "match: {seen: {in: logs.container, where: {line: {regex: 'model (?P<model>.+)'}}}}"
    text = rule_text("init.model", body).replace(
        "fixes: [{text: Do it.}]", "fixes: [{text: Do it., command: 'az ml model show -n {seen.model}'}]"
    )
    report = judged(book(tmp_path, text), evidence(log("model x; rm -rf / $(id)")))
    assert report.findings[0].fixes[0].command == "az ml model show -n <model>"


def test_a_name_that_is_not_known_stands_as_a_gap_to_fill(tmp_path: Path) -> None:
    text = line_rule("init.model", "lost").replace(
        "fixes: [{text: Do it.}]", "fixes: [{text: Do it., command: '{logs} x'}]"
    )
    report = judged(book(tmp_path, text), evidence(log("lost", Subject("file")), kind="files"))
    assert report.findings[0].fixes[0].command == "kubectl -n ns logs <pod> -c <container> x"


def test_a_rule_that_breaks_costs_its_own_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diagnose.engine import match as matching

    real = matching._outcome

    def breaking(rule: object, *rest: object) -> object:
        if rule.id == "init.import-error":  # type: ignore[attr-defined]
            raise ZeroDivisionError
        return real(rule, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(matching, "_outcome", breaking)
    known = evidence(log("fine"), items={"containers": (container(**WORKS),)})
    report = judged(book(tmp_path, MIDDLE, CAUSE), known)
    assert (report.verdict, report.not_checked[0].what) == (
        Verdict.UNKNOWN,
        "rule init.import-error broke: ZeroDivisionError",
    )
    assert judged(book(tmp_path, MIDDLE, CAUSE), evidence(log("raised"))).findings[0].rule == "init.exception"
