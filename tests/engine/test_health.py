"""What is over and what is not, where requests fail."""

from __future__ import annotations

from pathlib import Path

from evidence import A, book, evidence, judged, log, rule_text

from diagnose.model import Subject
from diagnose.streams import Condition, Container, Event, Response

POD = Subject(A.place, A.namespace, A.workload, A.pod)
SERVES = 'Worker with pid 7 ready for serving traffic\n"POST /score HTTP/1.1" 200 4\n'
RUNS = Container(
    source="kubectl",
    subject=A,
    name="server",
    state="running",
    ready=True,
    stable=True,
    readiness_probe="http-get :5001/",
)
FAILS_IN_RUN = """\
Encountered Exception: Traceback (most recent call last):
  File "/var/azureml-app/main.py", line 55, in run
    return_obj = driver_module.run(**arguments)
  File "score.py", line 20, in run
    return model.predict(data)
RuntimeError: CUDA out of memory
"POST /score HTTP/1.1" 500 4
"""


def test_a_failure_that_a_client_saved_is_not_outweighed_by_the_servers_own_200(tmp_path: Path) -> None:
    rule = rule_text("score.http-502", "match: {seen: {in: responses, where: {status: 502}}}")
    known = evidence(log(SERVES * 30), items={"responses": (Response(source="curl.txt", status=502),)})
    (finding,) = judged(book(tmp_path, rule), known).findings
    assert finding.role == "root_cause"


def test_a_rule_of_an_earlier_stage_that_hits_in_run_is_judged_by_the_requests(tmp_path: Path) -> None:
    rule = rule_text("init.gpu-out-of-memory", "match: {seen: {in: tracebacks, where: {message: {contains: CUDA}}}}")
    known = evidence(log(SERVES + FAILS_IN_RUN), items={"containers": (RUNS,)})
    (finding,) = judged(book(tmp_path, rule), known).findings
    assert finding.role == "root_cause"


def test_it_is_over_when_later_requests_are_answered(tmp_path: Path) -> None:
    rule = rule_text("init.gpu-out-of-memory", "match: {seen: {in: tracebacks, where: {message: {contains: CUDA}}}}")
    known = evidence(log(FAILS_IN_RUN + SERVES * 30), items={"containers": (RUNS,)})
    (finding,) = judged(book(tmp_path, rule), known).findings
    assert finding.role == "latent"


def pod_condition(kind: str, status: str) -> Condition:
    return Condition(source="kubectl", subject=POD, kind="Pod", name="churn-a", type=kind, status=status)


def test_a_container_last_heard_of_as_ready_does_not_work_in_a_pod_that_lost_its_node(tmp_path: Path) -> None:
    rule = rule_text("schedule.node-not-ready", "match: {told: {in: events, where: {reason: NodeNotReady}}}\nper: pod")
    told = Event(source="kubectl", subject=POD, reason="NodeNotReady", kind="Pod", name="churn-a")
    lost = (pod_condition("Ready", "False"), pod_condition("ContainersReady", "True"))
    known = evidence(items={"containers": (RUNS,), "events": (told,), "conditions": lost})
    (finding,) = judged(book(tmp_path, rule), known).findings
    assert finding.role == "root_cause"


def test_it_is_over_when_the_pod_is_ready_again(tmp_path: Path) -> None:
    rule = rule_text("schedule.node-not-ready", "match: {told: {in: events, where: {reason: NodeNotReady}}}\nper: pod")
    told = Event(source="kubectl", subject=POD, reason="NodeNotReady", kind="Pod", name="churn-a")
    back = (pod_condition("Ready", "True"), pod_condition("ContainersReady", "True"))
    known = evidence(items={"containers": (RUNS,), "events": (told,), "conditions": back})
    (finding,) = judged(book(tmp_path, rule), known).findings
    assert finding.role == "latent"
