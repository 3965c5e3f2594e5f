"""What happened when: the moments that the evidence knows the time of, each of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from diagnose.azure_items import ImageBuild, Operation, RequestMinute, VaultWrite
from diagnose.model import Evidence, Item, Moment
from diagnose.streams import Container, Event, Traceback

_MOMENTS = 60
_TOLD = 200
"""Characters told of one moment."""
_STREAMS = ("events", "tracebacks", "containers", "operations", "builds", "vault_writes")
_REASONS = {
    "deployment": (
        *("ScalingReplicaSet", "DeploymentRollback", "SuccessfulCreate", "FailedCreate", "SuccessfulDelete"),
        *("SuccessfulRescale", "FailedGetScale", "FailedComputeMetricsReplicas"),
    ),
    "schedule": ("Scheduled", "FailedScheduling", "Preempted", "NotTriggerScaleUp", "TriggeredScaleUp", "NodeNotReady"),
    "pull": (
        *("Pulling", "Pulled", "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InspectFailed"),
        *("InvalidImageName", "pull"),
    ),
    "start": (
        *("Created", "Started", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedSync", "start"),
        *("SuccessfulAttachVolume", "SuccessfulMountVolume", "create", "restart", "stop", "Stopping"),
    ),
    "probe": ("Unhealthy", "ProbeWarning", "ProbeError", "health_status"),
    "crash": ("BackOff", "Killing", "OOMKilling", "SystemOOM", "Evicted", "Terminated", "die", "oom", "kill"),
}
"""Reasons of events, of Kubernetes, Docker and Azure Container Instances, by the kind of moment they are."""
_KINDS = {reason: kind for kind, reasons in _REASONS.items() for reason in reasons}
_PHASES = {"import": "init", "init": "init", "run": "request", "server": "start"}
_STEPS = {"BuildImage": "build", "BuildEnvironment": "build"}
_MINUTE = timedelta(minutes=1)


def timeline(evidence: Evidence) -> tuple[tuple[Moment, ...], int]:
    """The newest moments, oldest first, and how many there are before them."""
    moments = [
        Moment(item.time, _told(item), str(item.subject), _kind(item))
        for stream in _STREAMS
        for item in evidence.items.get(stream, ())
        if item.time is not None and _told(item)
    ]
    moments += _requests(evidence.items.get("http.minutes", ()))
    ordered = sorted(set(moments), key=lambda moment: (moment.time, moment.what, moment.subject))
    return tuple(ordered[-_MOMENTS:]), len(ordered[:-_MOMENTS])


def _told(item: Item) -> str:
    match item:
        case Event():
            return f"{item.reason}: {item.message}"[:_TOLD]
        case Traceback():
            return f"{item.exception} in {item.phase}"[:_TOLD]
        case VaultWrite():
            return item.text()[:_TOLD]
        case Operation():
            return f"{item.step or item.kind} of {item.resource or item.name}: {item.status} {item.message}"[:_TOLD]
        case ImageBuild() if item.status:
            return f"image build {item.name}: {item.status} {item.error}"[:_TOLD].rstrip()
        case Container() if item.state == "running":
            return f"container {item.name} started"
        case Container() if item.end_reason:
            return f"container {item.name} ended: {item.end_reason}, exit code {item.exit_code}"
        case _:
            return ""


def _kind(item: Item) -> str:
    match item:
        case Event(reason="Failed" | "BackOff") if "pull" in item.message.lower():
            return "pull"
        case Event(reason="Failed"):
            return "start"
        case Event():
            return _KINDS.get(item.reason, "")
        case Traceback():
            return _PHASES.get(item.phase, "")
        case VaultWrite():
            return "policy"
        case Operation():
            return "build" if item.kind == "image" else _STEPS.get(item.step, "deployment")
        case ImageBuild():
            return "build"
        case Container():
            return "start" if item.state == "running" or item.exit_code == 0 else "crash"
        case _:
            return ""


def _requests(items: Iterable[Item]) -> list[Moment]:
    """Minutes with failed requests; those that follow on each other are one moment, at its first minute."""
    failing = [item for item in items if isinstance(item, RequestMinute) and item.time is not None and _failed(item)]
    stretches: list[list[RequestMinute]] = []
    for minute in sorted(failing, key=lambda minute: (str(minute.subject), minute.time)):
        if stretches and _follows(minute, stretches[-1][-1]):
            stretches[-1].append(minute)
        else:
            stretches.append([minute])
    return [
        Moment(minutes[0].time, _failures(minutes), str(minutes[0].subject), "request")
        for minutes in stretches
        if minutes[0].time is not None
    ]


def _follows(minute: RequestMinute, before: RequestMinute) -> bool:
    if minute.time is None or before.time is None or minute.subject != before.subject:
        return False
    return minute.time - before.time <= _MINUTE


def _failed(minute: RequestMinute) -> float:
    """Requests that the service, not the client, is to blame for."""
    return minute.model_errors + minute.throttled + minute.server_errors


def _failures(minutes: Sequence[RequestMinute]) -> str:
    failed, every = sum(map(_failed, minutes)), sum(minute.requests for minute in minutes)
    within = f" within {len(minutes)} minutes" if len(minutes) > 1 else ""
    codes = {
        "424": sum(minute.model_errors for minute in minutes),
        "429": sum(minute.throttled for minute in minutes),
        "5xx": sum(minute.server_errors for minute in minutes),
    }
    told = ", ".join(f"{code}: {count:,.0f}" for code, count in codes.items() if count)
    return f"{failed:,.0f} of {every:,.0f} requests failed{within} ({told})"
