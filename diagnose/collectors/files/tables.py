"""Tables of ``kubectl get`` and ``docker ps``: pods, workloads, services, autoscalers, claims, nodes, containers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from diagnose.collectors.files.events import KINDS, events_of_table, is_event_header
from diagnose.collectors.files.grid import Row, columns_of, rows
from diagnose.collectors.files.names import Origin, subject_of
from diagnose.collectors.files.times import age_s
from diagnose.model import Item, Subject
from diagnose.streams import Autoscaler, Claim, Container, Node, Pod, Service, Workload

_RESTARTS = re.compile(r"(?P<count>\d+)(?: \((?P<ago>\S+) ago\))?")
_OF = re.compile(r"(\d+)/(\d+)")
_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
_PHASE_OF_STATUS = {
    **dict.fromkeys(("ContainerCreating", "PodInitializing", "SchedulingGated"), "Pending"),
    **dict.fromkeys(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"), "Pending"),
    **dict.fromkeys(("CreateContainerConfigError", "CreateContainerError"), "Pending"),
    **dict.fromkeys(("CrashLoopBackOff", "RunContainerError", "NotReady"), "Running"),
    **dict.fromkeys(("Evicted", "UnexpectedAdmissionError", "NodeAffinity", "OutOfcpu", "OutOfmemory"), "Failed"),
    "Completed": "Succeeded",
}
_ENDED = (
    "Error",
    "OOMKilled",
    "Completed",
    "ContainerCannotRun",
    "StartError",
    "DeadlineExceeded",
    "ContainerStatusUnknown",
)
_WITHOUT_CONTAINERS = (
    "Pending",
    "SchedulingGated",
    "Evicted",
    "Terminating",
    "Unknown",
    "NodeLost",
    "Failed",
    "Succeeded",
)
_SETTLED_S = 600
"""After ten minutes up the kubelet forgets a container's back-off."""
_DOCKER_ENDED = re.compile(r"(?:Exited|Restarting) \((\d+)\)")
_DOCKER_STATES = {
    "Up": "running",
    "Exited": "terminated",
    "Restarting": "waiting",
    "Created": "created",
    "Dead": "terminated",
    "Removal": "terminated",
}


def is_header(line: str) -> bool:
    """``line`` is the header of a table that kubectl or docker prints."""
    columns = columns_of(line)
    if columns[:1] == ("NAMESPACE",):
        columns = columns[1:]
    return is_event_header(line) or bool(columns and columns[0] in ("NAME", "CONTAINERID") and _reader(columns))


def facts_of_table(lines: Sequence[str], origin: Origin) -> list[Item]:
    """The facts of the table whose header is ``lines[0]``. Ages only: no fact has a time."""
    if is_event_header(lines[0]):
        return list(events_of_table(lines, origin))
    reader = _reader(columns_of(lines[0]))
    return [fact for row in rows(lines, origin.line) if reader for fact in reader(row, origin)]


def stream_of_table(header: str) -> str | None:
    """The stream a table belongs to, also when it has no rows."""
    if is_event_header(header):
        return "events"
    reader = _reader(columns_of(header))
    return _STREAMS.get(reader) if reader else None


def _reader(columns: Sequence[str]) -> _Reader | None:
    return next((reader for wanted, reader in _READERS if set(wanted) <= set(columns)), None)


def _nothing(_row: Row, _origin: Origin) -> Iterator[Item]:
    """Known tables that hold nothing for a rule."""
    return iter(())


def _subject(kind: str, row: Row, origin: Origin) -> Subject:
    return subject_of(kind, _name(row), row["NAMESPACE"] or origin.subject.namespace)


def _name(row: Row) -> str:
    """``kubectl get all`` puts the kind in front: ``deployment.apps/churn``."""
    return row["NAME"].rpartition("/")[2]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _pod(row: Row, origin: Origin) -> Iterator[Item]:
    if not row.aligned:
        return
    subject = _subject("Pod", row, origin)
    status, age = row["STATUS"], age_s(row["AGE"])
    ready = _OF.fullmatch(row["READY"])
    all_ready = ready is not None and ready[1] == ready[2] != "0"
    reason = "" if status in _PHASES else status
    yield Pod(
        source=origin.source,
        subject=subject,
        line=row.line,
        name=_name(row),
        phase="Pending" if status.startswith("Init:") else status if not reason else _PHASE_OF_STATUS.get(status, ""),
        reason=reason if reason in ("Evicted", "NodeLost", "UnexpectedAdmissionError", "NodeAffinity") else "",
        node="" if row["NODE"] == "<none>" else row["NODE"],
        ready=all_ready and status == "Running",
        deleting=status == "Terminating",
        age_s=age,
    )
    if status not in _WITHOUT_CONTAINERS:
        yield _stand_in(row, origin, subject, all_ready, age)


def _stand_in(row: Row, origin: Origin, subject: Subject, all_ready: bool, age: float | None) -> Container:
    """What the table tells of the pod's containers together: it names none, so neither does the subject."""
    of_init = row["STATUS"].startswith("Init:")
    status = row["STATUS"].removeprefix("Init:")
    found = _RESTARTS.match(row["RESTARTS"])
    restarts = int(found["count"]) if found else 0
    running_s = age if not restarts else age_s(found["ago"] or "") if found else None
    state = _state(status)
    return Container(
        source=origin.source,
        subject=subject,
        line=row.line,
        name=_name(row),
        kind="init" if of_init else "app",
        state=state,
        reason="" if status == "Running" or _OF.fullmatch(status) else status,
        ready=all_ready,
        restarts=restarts,
        running_s=running_s if state == "running" else None,
        stable=state == "running" and all_ready and (not restarts or (running_s or 0) >= _SETTLED_S),
        end_reason=status if status in _ENDED else "",
        oom_killed=status == "OOMKilled",
    )


def _state(status: str) -> str:
    if status in ("Running", "NotReady") or _OF.fullmatch(status):
        return "running"
    if status in _ENDED or status.startswith(("ExitCode:", "Signal:")):
        return "terminated"
    return "waiting"


def _workload(
    kind: str, row: Row, origin: Origin, *, desired: int, replicas: int, ready: int, available: int, updated: int = 0
) -> Workload:
    prefix = row["NAME"].rpartition("/")[0].split(".")[0]
    kind = KINDS.get(prefix, kind)
    return Workload(
        source=origin.source,
        subject=_subject(kind, row, origin),
        line=row.line,
        kind=kind,
        name=_name(row),
        desired=desired,
        replicas=replicas,
        ready=ready,
        available=available,
        updated=updated,
        short=max(0, desired - available),
    )


def _deployment(row: Row, origin: Origin) -> Iterator[Item]:
    found = _OF.fullmatch(row["READY"])
    desired = int(found[2]) if found else _number(row["DESIRED"])
    available, updated = _number(row["AVAILABLE"]), _number(row["UP-TO-DATE"])
    ready = int(found[1]) if found else available
    replicas = max(_number(row["CURRENT"]), updated, ready, available)
    yield _workload(
        "Deployment", row, origin, desired=desired, replicas=replicas, ready=ready, available=available, updated=updated
    )


def _daemon_set(row: Row, origin: Origin) -> Iterator[Item]:
    yield _workload(
        "DaemonSet",
        row,
        origin,
        desired=_number(row["DESIRED"]),
        replicas=_number(row["CURRENT"]),
        ready=_number(row["READY"]),
        available=_number(row["AVAILABLE"]),
        updated=_number(row["UP-TO-DATE"]),
    )


def _replica_set(row: Row, origin: Origin) -> Iterator[Item]:
    desired, current, ready = (_number(row[name]) for name in ("DESIRED", "CURRENT", "READY"))
    if desired or current:  # the others are old revisions, kept for a rollback
        yield _workload(
            "ReplicaSet", row, origin, desired=desired, replicas=current, ready=ready, available=ready, updated=current
        )


def _stateful_set(row: Row, origin: Origin) -> Iterator[Item]:
    found = _OF.fullmatch(row["READY"])
    if found:
        ready, desired = int(found[1]), int(found[2])
        yield _workload("StatefulSet", row, origin, desired=desired, replicas=ready, ready=ready, available=ready)


def _service(row: Row, origin: Origin) -> Iterator[Item]:
    yield Service(
        source=origin.source,
        subject=_subject("Service", row, origin),
        line=row.line,
        name=_name(row),
        type=row["TYPE"],
        selector="" if row["SELECTOR"] == "<none>" else row["SELECTOR"],
        load_balancer_pending=row["TYPE"] == "LoadBalancer" and row["EXTERNAL-IP"] in ("<pending>", "<none>"),
    )


def _endpoints(row: Row, origin: Origin) -> Iterator[Item]:
    addresses = row["ENDPOINTS"]
    more = re.search(r"\+ (\d+) more", addresses)
    count = 0 if addresses == "<none>" else addresses.count(":") + (int(more[1]) if more else 0)
    yield Service(
        source=origin.source,
        subject=_subject("Service", row, origin),
        line=row.line,
        name=_name(row),
        endpoints_ready=count,
    )


def _autoscaler(row: Row, origin: Origin) -> Iterator[Item]:
    kind, _, target = row["REFERENCE"].partition("/")
    current, most = _number(row["REPLICAS"]), _number(row["MAXPODS"])
    namespace = row["NAMESPACE"] or origin.subject.namespace
    yield Autoscaler(
        source=origin.source,
        subject=subject_of(kind, target, namespace),
        line=row.line,
        name=_name(row),
        target=row["REFERENCE"],
        min_replicas=_number(row["MINPODS"]),
        max_replicas=most,
        current=current,
        desired=current,
        at_max=current >= most > 0,
    )


def _claim(row: Row, origin: Origin) -> Iterator[Item]:
    yield Claim(
        source=origin.source,
        subject=_subject("PersistentVolumeClaim", row, origin),
        line=row.line,
        name=_name(row),
        phase=row["STATUS"],
        storage_class=row["STORAGECLASS"],
    )


def _node(row: Row, origin: Origin) -> Iterator[Item]:
    states = row["STATUS"].split(",")
    yield Node(
        source=origin.source,
        subject=Subject(origin.subject.place),
        line=row.line,
        name=_name(row),
        ready="True" if "Ready" in states else "False",
        unschedulable="SchedulingDisabled" in states,
    )


def _docker_container(row: Row, origin: Origin) -> Iterator[Item]:
    status = row["STATUS"]
    state = _DOCKER_STATES.get(status.split(" ")[0], "unknown")
    ended = _DOCKER_ENDED.match(status)
    ready = "(healthy)" in status if "health" in status else None
    yield Container(
        source=origin.source,
        subject=Subject(origin.subject.place, container=row["NAMES"]),
        line=row.line,
        name=row["NAMES"],
        image=row["IMAGE"],
        state=state,
        ready=ready,
        exit_code=int(ended[1]) if ended else None,
        published=tuple(re.findall(r"(\d+->\d+)", row["PORTS"].replace("/tcp", ""))),
        stable=state == "running" and ready is not False,
    )


_Reader = Callable[[Row, Origin], Iterator[Item]]
_READERS: tuple[tuple[tuple[str, ...], _Reader], ...] = (
    (("CONTAINERID", "IMAGE", "STATUS", "NAMES"), _docker_container),
    (("NAME", "READY", "STATUS", "RESTARTS"), _pod),
    (("NAME", "REFERENCE", "MINPODS", "MAXPODS", "REPLICAS"), _autoscaler),
    (("NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODESELECTOR"), _daemon_set),
    (("NAME", "UP-TO-DATE", "AVAILABLE"), _deployment),
    (("NAME", "DESIRED", "CURRENT", "READY", "AGE"), _replica_set),
    (("NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP"), _service),
    (("NAME", "ENDPOINTS", "AGE"), _endpoints),
    (("NAME", "STATUS", "VOLUME", "STORAGECLASS"), _claim),
    (("NAME", "STATUS", "ROLES", "VERSION"), _node),
    (("NAME", "CPU(CORES)"), _nothing),
    (("NAME", "READY", "AGE"), _stateful_set),
    (("NAME", "AGE"), _nothing),
)
"""By the columns that tell one table from the others; the first that fits is taken."""

_STREAMS: dict[_Reader, str] = {
    _docker_container: "containers",
    _pod: "pods",
    _autoscaler: "autoscalers",
    _daemon_set: "workloads",
    _deployment: "workloads",
    _replica_set: "workloads",
    _stateful_set: "workloads",
    _service: "services",
    _endpoints: "services",
    _claim: "claims",
    _node: "nodes",
}
