"""A pod as ``kubectl describe`` prints it: the pod, its containers, its conditions and its events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from diagnose.collectors.files.names import Origin, subject_of, workload_of
from diagnose.collectors.files.outline import Field
from diagnose.collectors.files.times import moment
from diagnose.collectors.kubernetes.quantities import cores, mebibytes
from diagnose.model import Item, Subject
from diagnose.streams import Condition, Container, Event, Pod

_PROBE = re.compile(r"(?P<what>.+?) delay=(\d+)s timeout=(\d+)s period=(\d+)s #success=\d+ #failure=(\d+)")
_HTTP_PROBE = re.compile(r"http-get (https?)://[^:/]*:(\S+)")
_PORT = re.compile(r"(\d+)/")
_MOUNT = re.compile(r"(\S+) from ")
_SETTLED_S = 600
"""After ten minutes up the kubelet forgets a container's back-off."""
_RESTLESS = ("BackOff", "Killing", "Started", "Unhealthy", "Failed")
"""Events of a container that was not up all the time; the API server keeps events for an hour."""


def is_pod(outline: Field) -> bool:
    """The outline is a pod's: only pods say which node they are on and which containers run."""
    return outline.child("Containers") is not None and any(outline.child(key) for key in ("Node", "Status", "IP"))


def facts_of_pod(outline: Field, events: Sequence[Event], origin: Origin) -> list[Item]:
    """The pod, its containers and its conditions; ``events`` are those printed below it."""
    name = outline.get("Name")
    subject = _subject(outline, name, origin)
    now = _printed_at(outline, events, origin.now)
    pod = _pod(outline, subject, events, origin, now)
    conditions = list(_conditions(outline, subject, origin))
    quiet = not any(event.reason in _RESTLESS for event in events)
    unreported = "waiting" if pod.phase == "Pending" else "unknown"
    containers = [
        _container(child, kind, subject, origin, now, unreported=unreported, quiet=quiet)
        for section, kind in (("Init Containers", "init"), ("Containers", "app"))
        if (parent := outline.child(section))
        for child in parent.children
    ]
    return [pod, *containers, *conditions]


def _subject(outline: Field, name: str, origin: Origin) -> Subject:
    """The owner as printed where it tells the workload, the pod's name otherwise."""
    subject = subject_of("Pod", name, outline.get("Namespace") or origin.subject.namespace)
    kind, _, owner = outline.get("Controlled By").partition("/")
    return replace(subject, workload=workload_of(kind, owner) or subject.workload)


def _printed_at(outline: Field, events: Sequence[Event], now: datetime | None) -> datetime | None:
    """When kubectl printed it: the age of the event that a node was found, counted from the pod's start."""
    started = moment(outline.get("Start Time"))
    scheduled = next((event.age_s for event in events if event.reason == "Scheduled" and event.age_s is not None), None)
    printed = started + timedelta(seconds=scheduled) if started and scheduled is not None else None
    return max((one for one in (printed, now) if one), default=None)


def _pod(outline: Field, subject: Subject, events: Sequence[Event], origin: Origin, now: datetime | None) -> Pod:
    labels = dict(label.split("=", 1) for label in outline.values("Labels") if "=" in label)
    status = {condition.type: condition.status for condition in _conditions(outline, subject, origin)}
    scheduled = _truth(status.get("PodScheduled"))
    started = moment(outline.get("Start Time"))
    refusals = [event.message for event in events if event.reason == "FailedScheduling"]
    phase, _, lasts = outline.get("Status").partition(" ")
    return Pod(
        source=origin.source,
        subject=subject,
        line=outline.line,
        time=started,
        name=outline.get("Name"),
        phase="" if phase == "Terminating" else phase,
        reason=outline.get("Reason"),
        message=outline.get("Message"),
        node=outline.get("Node").split("/")[0],
        ready=status.get("Ready") == "True",
        scheduled=scheduled,
        unschedulable_message=refusals[-1] if refusals and scheduled is False else "",
        initialized=_truth(status.get("Initialized")),
        deleting=phase == "Terminating" or bool(lasts),
        age_s=(now - started).total_seconds() if now and started else None,
        owner=outline.get("Controlled By"),
        revision=labels.get("pod-template-hash") or labels.get("controller-revision-hash", ""),
        qos=outline.get("QoS Class"),
        service_account=outline.get("Service Account"),
        node_selector=",".join(outline.values("Node-Selectors")),
        azureml_deployment=labels.get("ml.azure.com/deployment-name", ""),
    )


def _truth(status: str | None) -> bool | None:
    return None if status is None else status == "True"


def _conditions(outline: Field, subject: Subject, origin: Origin) -> Iterator[Condition]:
    section = outline.child("Conditions")
    for number, row in enumerate(section.rest[1:] if section else (), 2):
        name, status = (*row.split(), "", "")[:2]
        if status in ("True", "False", "Unknown"):
            yield Condition(
                source=origin.source,
                subject=subject,
                line=section.line + number if section else None,
                kind="Pod",
                name=subject.pod or "",
                type=name,
                status=status,
            )


def _container(
    block: Field, kind: str, pod: Subject, origin: Origin, now: datetime | None, *, unreported: str, quiet: bool
) -> Container:
    """``unreported`` is the state of a container of which nobody reports one."""
    state, last = block.child("State"), block.child("Last State")
    ended = state if state and state.value == "Terminated" else last if last and last.value == "Terminated" else None
    running = state is not None and state.value == "Running"
    started = moment(state.get("Started")) if state and running else None
    running_s = (now - started).total_seconds() if now and started and now > started else None
    finished = moment(ended.get("Finished")) if ended else None
    restarts = int(block.get("Restart Count") or 0)
    ready = {"True": True, "False": False}.get(block.get("Ready"))
    settled = not restarts or (running_s or 0) >= _SETTLED_S or quiet
    end_reason = ended.get("Reason") if ended else ""
    requests, limits = _amounts(block, "Requests"), _amounts(block, "Limits")
    return Container(
        source=origin.source,
        subject=replace(pod, container=block.key),
        line=block.line,
        time=started or finished,
        name=block.key,
        kind=kind,
        image=block.get("Image"),
        image_id=block.get("Image ID"),
        state=state.value.lower() if state else unreported,
        reason=state.get("Reason") if state else "",
        message=state.get("Message") if state else "",
        ready=ready,
        restarts=restarts,
        running_s=running_s,
        stable=running and ready is True and settled,
        exit_code=_number(ended.get("Exit Code")) if ended else None,
        end_reason=end_reason,
        end_message=ended.get("Message") if ended else "",
        ended_s=(now - finished).total_seconds() if now and finished and now > finished else None,
        oom_killed=end_reason == "OOMKilled",
        memory_limit_mib=mebibytes(limits),
        memory_request_mib=mebibytes(requests),
        cpu_limit=cores(limits),
        cpu_request=cores(requests),
        ports=tuple(int(port) for port in _PORT.findall(block.get("Port") or block.get("Ports"))),
        environment=_names(block.child("Environment")),
        mounts=tuple(_MOUNT.findall("\n".join(block.values("Mounts")))),
        command=(*block.values("Command"), *block.values("Args")),
        readiness_probe=_probe(block.get("Readiness")),
        liveness_probe=_probe(block.get("Liveness")),
        startup_probe=_probe(block.get("Startup")),
        liveness_allows_s=_allowed_s(block.get("Liveness"), block.get("Startup")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdigit() else None


def _amounts(block: Field, key: str) -> dict[str, str]:
    section = block.child(key)
    return {child.key: child.value for child in section.children} if section else {}


def _names(section: Field | None) -> tuple[str, ...]:
    """Names only: what stands behind them may be secret."""
    return tuple(child.key for child in section.children) if section else ()


def _probe(text: str) -> str:
    """``http-get :5001/ delay 5s period 5s timeout 2s failures 3``, from kubectl's own words."""
    found = _PROBE.fullmatch(text)
    if found is None:
        return text
    what = _HTTP_PROBE.sub(r"\1-get :\2", found["what"]).replace("exec [", "exec ").rstrip("]")
    return f"{what} delay {found[2]}s period {found[4]}s timeout {found[3]}s failures {found[5]}"


def _allowed_s(liveness: str, startup: str) -> float | None:
    """Seconds until a container that never answers is killed; a startup probe, where there is one, comes first."""
    found = _PROBE.fullmatch(startup or liveness)
    return float(int(found[2]) + int(found[4]) * int(found[5])) if found else None
