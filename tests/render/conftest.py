"""Reports as the pipeline makes them, one of each kind, and one that is hostile in every field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from diagnose.model import (
    LADDER,
    Citation,
    Collected,
    Finding,
    Fix,
    Moment,
    NotChecked,
    Report,
    Role,
    StageState,
    Subject,
    Target,
    Verdict,
)

EVIL = "<script>alert(1)</script>"
SEQUENCES = "\x1b]8;;http://evil\x07click\x1b]8;;\x07\x1b[2J\x9b31m\x1bPq\x1b\\\x00\b\r\x1b[31mred\x1b[0m"
TURNED = "\u202eexe.cod\u202c\u2066x\u2069"
HOSTILE = f"{EVIL}{SEQUENCES}{TURNED}[bold]loud[/bold][/nothing] \udcff&\"'"


def _at(second: int) -> datetime:
    return datetime(2026, 11, 22, 12, 3, second, tzinfo=UTC)


def _ladder(states: str) -> tuple[tuple[str, StageState], ...]:
    """One letter a stage: ok, X, not reached, ?."""
    meaning = {
        "o": StageState.PASSED,
        "X": StageState.FAILED,
        ".": StageState.NOT_REACHED,
        "?": StageState.UNKNOWN,
    }
    return tuple(zip(LADDER, (meaning[letter] for letter in states), strict=True))


POD = "churn-model-5c6b8885ff-4wwmb"
LOG = f"kubectl logs -n aml-churn {POD} -c inference-server --previous"
CONTAINER = Subject(
    place="kubernetes", namespace="aml-churn", workload="churn-model", pod=POD, container="inference-server"
)
TWIN = Subject(
    place="kubernetes",
    namespace="aml-churn",
    workload="churn-model",
    pod="churn-model-5c6b8885ff-x9k2p",
    container="inference-server",
)
KUBERNETES = Target(
    service="churn-model",
    kind="kubernetes",
    where="context prod, namespace aml-churn",
    namespace="aml-churn",
    objects=("churn-model",),
)
VERSIONS = {"diagnose": "0.1.0", "rules": "64"}

MODEL_NOT_FOUND = Finding(
    rule="init.get-model-path-not-found",
    title="init() cannot find the registered model my-best-model",
    kind="cause",
    role=Role.ROOT_CAUSE,
    stage="init",
    severity="critical",
    subjects=(TWIN, CONTAINER),
    explain=(
        "score.py line 6 asks for the model my-best-model. No folder of that name is below "
        "/var/azureml-app/azureml-models, so the model was either registered under another name or not deployed with "
        "this service."
    ),
    evidence=(
        Citation(
            source=LOG,
            line=58,
            time=_at(41),
            text=(
                "Message: Model my-best-model not found in cache at /var/azureml-app/azureml-models or in current "
                "working directory /var/azureml-app. For more info, set logging level to DEBUG."
            ),
            before=(
                '    raise ModelNotFoundException("Model {} not found in cache at {} or in current working '
                'directory {}. "',
                "azureml.exceptions._azureml_exception.ModelNotFoundException: ModelNotFoundException:",
            ),
            after=("\tInnerException None", "\tErrorResponse "),
            count=7,
        ),
        Citation(
            source=LOG,
            line=47,
            time=_at(41),
            text="    path = Model.get_model_path(model_name='my-best-model')",
            before=('  File "/var/azureml-app/score.py", line 6, in init',),
        ),
        Citation(
            source=f"kubectl get pod -n aml-churn {POD} -o json",
            text="state=waiting, reason=CrashLoopBackOff, restarts=7",
        ),
        Citation(
            source=LOG,
            line=79,
            time=_at(42),
            text="2026-11-22 12:03:41,988 E [1] gunicorn.error - Reason: Worker failed to boot.",
        ),
    ),
    explains=("start.exit-code-3", "start.crash-loop-back-off"),
    fixes=(
        Fix(
            text="Look which models the container holds.",
            command=f"kubectl exec -n aml-churn {POD} -c inference-server -- ls -R /var/azureml-app/azureml-models",
        ),
        Fix(
            text="Deploy the service with the model it asks for, under the name it was registered with.",
            command="az ml model deploy --name churn-model --model my-best-model:1 --overwrite",
            risk="low",
            verify="the log says that the worker is ready for serving traffic.",
        ),
        Fix(
            text="Read the folder from AZUREML_MODEL_DIR in init() instead: it needs no name and no version.",
        ),
    ),
    references=("https://learn.microsoft.com/azure/machine-learning/v1/how-to-troubleshoot-deployment",),
)

CRASH_LOOP = Finding(
    rule="start.crash-loop-back-off",
    title="The container crashes again and again",
    kind="symptom",
    role=Role.SYMPTOM,
    stage="start",
    severity="error",
    subjects=(CONTAINER, TWIN),
    explain="It was started 7 times and ended each time.",
    evidence=(
        Citation(
            source="kubectl get events -n aml-churn",
            text=f"Warning BackOff Pod/{POD} (x31): Back-off restarting failed container",
            time=_at(55),
            count=31,
        ),
    ),
    fixes=(Fix(text="Read why the last run ended.", command=LOG),),
    references=("https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/",),
)

NO_MEMORY_LIMIT = Finding(
    rule="start.no-memory-limit",
    title="The container has no memory limit",
    kind="advice",
    role=Role.ADVICE,
    stage="start",
    severity="info",
    subjects=(CONTAINER,),
    explain="One large request can take the memory of the whole node.",
    evidence=(Citation(source=f"kubectl get pod -n aml-churn {POD} -o json", text="name=inference-server"),),
    fixes=(Fix(text="Set resources.limits.memory in the deployment."),),
)

SLOW_PROBE = Finding(
    rule="probe.timeout-too-short",
    title="The readiness probe waits only one second",
    kind="cause",
    role=Role.CONTRIBUTING,
    stage="probe",
    severity="warning",
    subjects=(CONTAINER,),
    explain="The first answers after a start take longer than that.",
    evidence=(
        Citation(
            source="kubectl get events -n aml-churn",
            text=f"Warning Unhealthy Pod/{POD} (x4): Readiness probe failed: context deadline exceeded",
            time=_at(20),
            count=4,
        ),
    ),
    fixes=(
        Fix(
            text="Allow it five seconds.",
            command=(
                "kubectl patch deployment churn-model -n aml-churn --type json -p "
                '\'[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe/timeoutSeconds","value":5}]\''
            ),
            risk="low",
        ),
    ),
)

OLD_CRASH = Finding(
    rule="start.worker-killed-memory",
    title="A worker was killed, most likely for memory",
    kind="cause",
    role=Role.LATENT,
    stage="start",
    severity="warning",
    subjects=(CONTAINER,),
    explain="It happened once, an hour ago; the container has been ready since.",
    evidence=(Citation(source=LOG, line=912, text="Worker (pid:9) was sent SIGKILL! Perhaps out of memory?"),),
    fixes=(Fix(text="Raise the memory limit before the load returns."),),
)

DENIED = (
    NotChecked(
        what="events in namespace aml-churn",
        why="denied",
        needs="verb list on events in namespace aml-churn (role view)",
        rules=(
            "schedule.insufficient-memory",
            "schedule.insufficient-cpu",
            "pull.image-not-found",
            "start.mount-failed",
        ),
    ),
    NotChecked(
        what="nodes",
        why="denied",
        needs="verb list on nodes (a cluster role)",
        rules=("schedule.node-pressure",),
    ),
    NotChecked(
        what="quotas in namespace aml-churn",
        why="denied",
        needs="verb list on events in namespace aml-churn (role view)",
        rules=("deploy.resource-quota-exceeded",),
    ),
)

COLLECTED = (
    Collected("kubernetes", 41, 182_331, 1.284),
    Collected("docker", 0, 0, 0.021),
)

TIMELINE = (
    Moment(_at(42), "the container ended with exit code 3", f"{POD}/inference-server"),
    Moment(_at(38), "the server started", f"{POD}/inference-server"),
    Moment(_at(41), "init() failed", f"{POD}/inference-server"),
)


def _report(**parts: object) -> Report:
    whole: dict[str, object] = {
        "service": "churn-model",
        "target": KUBERNETES,
        "reached": None,
        "failed": None,
        "ladder": _ladder("???????????"),
        "findings": (),
        "not_checked": (),
        "timeline": (),
        "collected": COLLECTED,
        "redactions": {},
        "cuts": (),
        "versions": VERSIONS,
    }
    return Report(**{**whole, **parts})  # type: ignore[arg-type]


@pytest.fixture
def failing() -> Report:
    """get_model_path without the model, on two replicas, with two symptoms folded under it."""
    return _report(
        target=Target(
            service="churn-model",
            kind="kubernetes",
            where="context prod, namespace aml-churn",
            namespace="aml-churn",
            notes=("Also found in Docker, where it runs: taken is the one that fails (--on docker takes the other).",),
        ),
        verdict=Verdict.FAILING,
        verdict_reason="None of its 2 replicas is ready; each has crashed 7 times.",
        reached="init",
        failed="init",
        ladder=_ladder("???ooooX..."),
        findings=(MODEL_NOT_FOUND, NO_MEMORY_LIMIT, CRASH_LOOP),
        not_checked=DENIED,
        timeline=TIMELINE,
        redactions={"storage account key": 1, "bearer token": 2},
        cuts=(f"{LOG}: the first 12,000 of 14,200 lines (more than 4 MiB)",),
    )


@pytest.fixture
def degraded() -> Report:
    """One of two replicas serves; a second cause, a contribution, and something that is well again."""
    second = Finding(
        rule="serve.hpa-conflict",
        title="Two autoscalers steer the same deployment",
        kind="cause",
        role=Role.ROOT_CAUSE,
        stage="serve",
        severity="error",
        subjects=(Subject(place="kubernetes", namespace="aml-churn", workload="churn-model"),),
        explain="azureml-fe scales it already, and a HorizontalPodAutoscaler undoes what it does.",
        evidence=(Citation(source="kubectl get hpa -n aml-churn", text="name=churn-hpa, target=churn-model"),),
        fixes=(Fix(text="Remove the autoscaler.", command="kubectl delete hpa churn-hpa -n aml-churn", risk="high"),),
    )
    return _report(
        verdict=Verdict.DEGRADED,
        verdict_reason="1 of 2 replicas is ready: the old revision serves, the new one does not start.",
        reached="serve",
        failed="init",
        ladder=_ladder("oooooooX..."),
        findings=(MODEL_NOT_FOUND, second, SLOW_PROBE, OLD_CRASH, CRASH_LOOP),
    )


@pytest.fixture
def healthy() -> Report:
    return _report(
        verdict=Verdict.HEALTHY,
        verdict_reason="Both replicas have been ready for 3 hours, and the last 20 requests were answered with 200.",
        reached="serve",
        ladder=_ladder("ooooooooooo"),
        findings=(OLD_CRASH,),
    )


@pytest.fixture
def unknown() -> Report:
    """A saved file that says little, and a cluster that says nothing."""
    return _report(
        verdict=Verdict.UNKNOWN,
        verdict_reason="Neither the pods nor their logs could be read, so nothing says whether it works.",
        not_checked=(
            NotChecked("container logs", "not supplied", "a saved log beside what was given", ("init.exception",)),
            *DENIED,
            NotChecked("pods in namespace aml-churn", "timed out", "a longer --timeout", ("start.oom-killed",)),
        ),
    )


@pytest.fixture
def unexplained() -> Report:
    """It crashes, and no rule knows why."""
    return _report(
        verdict=Verdict.FAILING,
        verdict_reason="The container has crashed 7 times.",
        reached="start",
        failed="start",
        ladder=_ladder("???oooX...."),
        findings=(CRASH_LOOP,),
    )


@pytest.fixture
def hostile() -> Report:
    """Every text from outside tries to break out of where it is shown."""
    long_line = HOSTILE + "A" * 10_000 + "end of the line"
    finding = Finding(
        rule=HOSTILE,
        title=HOSTILE,
        kind="cause",
        role=Role.ROOT_CAUSE,
        stage=HOSTILE,
        severity="critical",
        subjects=(Subject(place=HOSTILE, namespace=HOSTILE, workload=HOSTILE, pod=HOSTILE, container=HOSTILE),),
        explain=f"{HOSTILE}\n{HOSTILE}",
        evidence=(
            Citation(
                source=HOSTILE, text=long_line, line=1, time=_at(1), before=(long_line, ""), after=(HOSTILE,), count=2
            ),
            Citation(source=HOSTILE, text="\x00"),
        ),
        explains=(HOSTILE, "another"),
        fixes=(Fix(text=HOSTILE, command=f"echo {HOSTILE}\necho second", risk="high", verify=HOSTILE),),
        references=(f"https://example.org/{HOSTILE}", "javascript:alert(1)", "http://plain.example", HOSTILE),
    )
    others = tuple(
        Finding(
            rule=f"{HOSTILE}{role}",
            title=HOSTILE,
            kind="cause",
            role=role,
            stage=HOSTILE,
            severity="error",
            subjects=(),
            explain=HOSTILE,
            evidence=finding.evidence,
            fixes=finding.fixes,
        )
        for role in Role
    )
    return Report(
        service=HOSTILE,
        target=Target(service=HOSTILE, kind=HOSTILE, where=HOSTILE, namespace=HOSTILE, notes=(HOSTILE,)),
        verdict=Verdict.FAILING,
        verdict_reason=HOSTILE,
        reached=HOSTILE,
        failed=HOSTILE,
        ladder=((HOSTILE, StageState.PASSED), (HOSTILE, StageState.FAILED)),
        findings=(finding, *others),
        not_checked=(NotChecked(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,)),),
        timeline=(Moment(_at(1), HOSTILE, HOSTILE),),
        collected=(Collected(HOSTILE, 1, 1, 1.0),),
        redactions={HOSTILE: 1},
        cuts=(HOSTILE,),
        versions={HOSTILE: HOSTILE},
    )


@pytest.fixture
def evil() -> str:
    """What the hostile report holds everywhere: markup, escape sequences, controls, turned text, a lone surrogate."""
    return HOSTILE


@pytest.fixture
def reports(
    failing: Report, degraded: Report, healthy: Report, unknown: Report, unexplained: Report, hostile: Report
) -> Mapping[str, Report]:
    """One of each kind, by name."""
    return {
        "failing": failing,
        "degraded": degraded,
        "healthy": healthy,
        "unknown": unknown,
        "unexplained": unexplained,
        "hostile": hostile,
    }
