"""``kubectl describe`` of pods, workloads, services, autoscalers, claims, quotas and nodes, several in one text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from diagnose.collectors.files.events import events_of_table, is_event_header
from diagnose.collectors.files.grid import rows
from diagnose.collectors.files.names import Origin, subject_of
from diagnose.collectors.files.outline import Field, outline
from diagnose.collectors.files.pods import facts_of_pod, is_pod
from diagnose.collectors.files.times import moment
from diagnose.collectors.kubernetes.quantities import cores, mebibytes, number
from diagnose.model import Item, Subject
from diagnose.streams import (
    Autoscaler,
    Claim,
    Condition,
    Event,
    LimitRange,
    Node,
    Quota,
    Service,
    Workload,
)

_REPLICAS = re.compile(r"(\d+) (desired|updated|total|available|unavailable|current|ready)")
_RUNNING = re.compile(r"(\d+) (?:current|Running) / (\d+) desired")
_ADDRESS = re.compile(r"[\w.:\[\]-]+:\d+")
_MORE = re.compile(r"\+ (\d+) more")
_GPUS = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915")
_TAINT = re.compile(r"\S+:(?:NoSchedule|PreferNoSchedule|NoExecute)")


def facts_of_description(lines: Sequence[str], origin: Origin) -> tuple[list[Item], frozenset[str]]:
    """The facts of one described object, and the streams it tells of, also where it says there is nothing."""
    split = _events_at(lines)
    top = outline(lines[:split], origin.line)
    kind = _kind(top)
    name, namespace = top.get("Name"), top.get("Namespace") or origin.subject.namespace
    about, _, target = top.get("Reference").partition("/")
    subject = subject_of(about, target, namespace) if target else subject_of(kind, name, namespace)
    at = Origin(origin.source, subject, origin.run, origin.line, origin.now)
    events = _events(lines, split, at, kind, name)
    known = {"events"} if split < len(lines) else set[str]()
    if kind == "Pod":
        facts = facts_of_pod(top, events, at)
        return [*facts, *events], frozenset({"pods", "containers", "conditions"} | known)
    reader = _READERS.get(kind)
    facts = list(reader(top, at)) if reader else []
    conditions = list(_conditions(lines, top, at, kind)) if kind != "Node" else []
    known |= {_STREAMS[kind]} if kind in _STREAMS else set()
    return [*facts, *conditions, *events], frozenset(known | ({"conditions"} if conditions else set()))


def _events_at(lines: Sequence[str]) -> int:
    """Index of the line ``Events:``, after which nothing else comes; a message in it may look like anything."""
    return next((n for n, line in enumerate(lines) if line.startswith("Events:")), len(lines))


def _events(lines: Sequence[str], split: int, origin: Origin, kind: str, name: str) -> list[Event]:
    header = next((n for n in range(split, min(split + 3, len(lines))) if is_event_header(lines[n])), None)
    if header is None:
        return []
    below = Origin(origin.source, origin.subject, origin.run, origin.line + header, origin.now)
    return events_of_table(lines[header:], below, kind, name)


def _kind(top: Field) -> str:
    """kubectl does not print the kind of its own objects: it is told by keys that only one kind has."""
    if kind := top.get("Kind"):
        return kind
    if is_pod(top):
        return "Pod"
    keys = {child.key for child in top.children}
    return next((kind for kind, telling in _TELLING if telling & keys), "")


_TELLING: tuple[tuple[str, frozenset[str]], ...] = (
    ("Deployment", frozenset({"StrategyType"})),
    ("StatefulSet", frozenset({"Update Strategy", "Volume Claims"})),
    ("DaemonSet", frozenset({"Desired Number of Nodes Scheduled"})),
    ("Job", frozenset({"Parallelism", "Pods Statuses"})),
    ("ReplicaSet", frozenset({"Pods Status"})),
    ("HorizontalPodAutoscaler", frozenset({"Min replicas", "Max replicas"})),
    ("PersistentVolumeClaim", frozenset({"StorageClass"})),
    ("Node", frozenset({"Allocatable", "Non-terminated Pods", "Unschedulable", "System Info"})),
    ("Service", frozenset({"Session Affinity", "TargetPort", "Endpoints"})),
)


def _replica_set(top: Field, origin: Origin) -> Iterator[Item]:
    found = _RUNNING.search(top.get("Replicas"))
    current, desired = (int(found[1]), int(found[2])) if found else (0, 0)
    yield _workload(top, origin, "ReplicaSet", {"desired": desired, "total": current})


def _workload_of_counts(kind: str) -> Callable[[Field, Origin], Iterator[Item]]:
    def read(top: Field, origin: Origin) -> Iterator[Item]:
        counts = {word: int(count) for count, word in _REPLICAS.findall(top.get("Replicas"))}
        yield _workload(top, origin, kind, counts)

    return read


def _daemon_set(top: Field, origin: Origin) -> Iterator[Item]:
    keys = {
        "desired": "Desired Number of Nodes Scheduled",
        "total": "Current Number of Nodes Scheduled",
        "updated": "Number of Nodes Scheduled with Up-to-date Pods",
        "available": "Number of Nodes Scheduled with Available Pods",
    }
    yield _workload(top, origin, "DaemonSet", {word: int(top.get(key) or 0) for word, key in keys.items()})


def _workload(top: Field, origin: Origin, kind: str, counts: Mapping[str, int]) -> Workload:
    """Where the number of available pods is not printed, those that run stand for it."""
    status = re.search(r"(\d+) Running", top.get("Pods Status"))
    available = counts.get("available", int(status[1]) if status else 0)
    template = top.child("Pod Template")
    containers = template.child("Containers") if template else None
    desired = counts.get("desired", 0)
    revisions = [note for note in top.values("Annotations") if note.startswith("deployment.kubernetes.io/revision:")]
    return Workload(
        source=origin.source,
        subject=origin.subject,
        line=top.line,
        time=moment(top.get("CreationTimestamp")),
        kind=kind,
        name=top.get("Name"),
        desired=desired,
        replicas=counts.get("total", 0),
        ready=available,
        available=available,
        updated=counts.get("updated", 0),
        short=max(0, desired - available),
        revision=revisions[0].rpartition(" ")[2] if revisions else "",
        images=tuple(one.get("Image") for one in containers.children) if containers else (),
        azureml="isazuremlapp=true" in top.values("Labels"),
    )


def _conditions(lines: Sequence[str], top: Field, origin: Origin, kind: str) -> Iterator[Condition]:
    """The table below ``Conditions:``."""
    section = top.child("Conditions")
    if section is None:
        return
    header = section.line - origin.line + 1
    stop = next((n for n in range(header, len(lines)) if not lines[n].startswith(" ")), len(lines))
    for row in rows(lines[header:stop], origin.line + header) if header < stop else ():
        if row["STATUS"] in ("True", "False", "Unknown"):
            yield Condition(
                source=origin.source,
                subject=origin.subject,
                line=row.line,
                time=moment(row["LASTTRANSITIONTIME"]),
                kind=kind,
                name=top.get("Name"),
                type=row["TYPE"],
                status=row["STATUS"],
                reason=row["REASON"],
                message=row["MESSAGE"],
            )


def _service(top: Field, origin: Origin) -> Iterator[Item]:
    addresses = top.child("Endpoints")
    more = _MORE.search(addresses.value) if addresses else None
    count = len(_ADDRESS.findall(addresses.value)) + (int(more[1]) if more else 0) if addresses else None
    ports = [child.value for child in top.children if child.key == "Port"]
    targets = [child.value.split("/")[0] for child in top.children if child.key == "TargetPort"]
    pending = top.get("Type") == "LoadBalancer" and top.child("LoadBalancer Ingress") is None
    yield Service(
        source=origin.source,
        subject=origin.subject,
        line=top.line,
        name=top.get("Name"),
        type=top.get("Type"),
        selector=",".join(top.values("Selector")),
        endpoints_ready=count,
        ports=tuple(f"{port.split()[-1].split('/')[0]}->{to}" for port, to in zip(ports, targets, strict=False)),
        load_balancer_pending=pending,
    )


def _autoscaler(top: Field, origin: Origin) -> Iterator[Item]:
    key = next((child.key for child in top.children if child.key.endswith(" pods")), "")
    found = _RUNNING.search(top.get(key))
    current, desired = (int(found[1]), int(found[2])) if found else (0, 0)
    most = int(top.get("Max replicas") or 0)
    yield Autoscaler(
        source=origin.source,
        subject=origin.subject,
        line=top.line,
        name=top.get("Name"),
        target=top.get("Reference"),
        min_replicas=int(top.get("Min replicas") or 1),
        max_replicas=most,
        current=current,
        desired=desired,
        at_max=desired >= most > 0,
    )


def _claim(top: Field, origin: Origin) -> Iterator[Item]:
    yield Claim(
        source=origin.source,
        subject=origin.subject,
        line=top.line,
        name=top.get("Name"),
        phase=top.get("Status"),
        storage_class=top.get("StorageClass"),
        requested=top.get("Capacity"),
    )


def _node(top: Field, origin: Origin) -> Iterator[Item]:
    status = {row.split()[0]: row.split()[1] for row in _rows_of(top, "Conditions") if len(row.split()) > 1}
    allocatable = top.child("Allocatable") or top.child("Capacity")
    amounts = {child.key: child.value for child in allocatable.children} if allocatable else {}
    labels = dict(label.split("=", 1) for label in top.values("Labels") if "=" in label)
    yield Node(
        source=origin.source,
        subject=Subject(origin.subject.place),
        line=top.line,
        name=top.get("Name"),
        ready=status.get("Ready", ""),
        unschedulable=top.get("Unschedulable") == "true",
        taints=tuple(taint for value in top.values("Taints") for taint in _TAINT.findall(value)),
        cpu_allocatable=cores(amounts),
        memory_allocatable_mib=mebibytes(amounts),
        gpus=sum(int(number(amounts.get(name)) or 0) for name in _GPUS),
        architecture=top.get("System Info", "Architecture") or labels.get("kubernetes.io/arch", ""),
        memory_pressure=status.get("MemoryPressure") == "True",
        disk_pressure=status.get("DiskPressure") == "True",
        pid_pressure=status.get("PIDPressure") == "True",
        instance_type=labels.get("node.kubernetes.io/instance-type")
        or labels.get("beta.kubernetes.io/instance-type", ""),
    )


def _rows_of(top: Field, key: str) -> list[str]:
    section = top.child(key)
    return section.rest if section else []


def facts_of_quota(lines: Sequence[str], origin: Origin) -> list[Item]:
    """``kubectl describe`` of a ResourceQuota or LimitRange: a name, a namespace and a table."""
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines[:3])}
    name = values.get("Name", "")
    subject = Subject(origin.subject.place, values.get("Namespace") or origin.subject.namespace)
    header = next((n for n, line in enumerate(lines) if line.startswith(("Resource ", "Type "))), len(lines) - 1)
    facts: list[Item] = []
    for row in rows(lines[header:], origin.line + header):
        if row["HARD"]:
            used, hard = number(row["USED"]), number(row["HARD"])
            ratio = None if used is None or hard is None else round(used / hard, 4) if hard else 1.0
            facts.append(
                Quota(
                    source=origin.source,
                    subject=subject,
                    line=row.line,
                    name=name,
                    resource=row["RESOURCE"],
                    hard=row["HARD"],
                    used=row["USED"],
                    ratio_used=ratio,
                )
            )
        elif row["MIN"]:
            facts.append(
                LimitRange(
                    source=origin.source,
                    subject=subject,
                    line=row.line,
                    name=name,
                    type=row["TYPE"],
                    resource=row["RESOURCE"],
                    minimum=row["MIN"].strip("-"),
                    maximum=row["MAX"].strip("-"),
                )
            )
    return facts


_READERS: Mapping[str, Callable[[Field, Origin], Iterator[Item]]] = {
    "Deployment": _workload_of_counts("Deployment"),
    "StatefulSet": _workload_of_counts("StatefulSet"),
    "ReplicaSet": _replica_set,
    "DaemonSet": _daemon_set,
    "Service": _service,
    "HorizontalPodAutoscaler": _autoscaler,
    "PersistentVolumeClaim": _claim,
    "Node": _node,
}
_STREAMS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"), "workloads"),
    "Service": "services",
    "HorizontalPodAutoscaler": "autoscalers",
    "PersistentVolumeClaim": "claims",
    "Node": "nodes",
}
