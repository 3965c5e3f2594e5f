"""Pods and their containers as evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from diagnose import streams
from diagnose.collectors.kubernetes import quantities, schema
from diagnose.collectors.kubernetes.kinds import DEPLOYMENT_LABEL
from diagnose.collectors.kubernetes.owners import HASH_LABEL, REVISION_LABEL, controller
from diagnose.collectors.kubernetes.probes import allowance_s, in_words
from diagnose.collectors.kubernetes.view import View, condition, moment, pairs

STABLE_AFTER_S = 600
"""A run this long makes the kubelet forget its back-off."""


def pods(view: View) -> tuple[streams.Pod, ...]:
    """One item a pod."""
    return tuple(_pod(view, pod) for pod in view.objects.pods)


def _pod(view: View, pod: schema.Pod) -> streams.Pod:
    meta, spec, status = pod.metadata, pod.spec, pod.status
    owner = controller(meta)
    scheduled = condition(status.conditions, "PodScheduled")
    return streams.Pod(
        source=_source(view, pod),
        subject=view.pod_subject(pod),
        time=moment(meta.creation_timestamp),
        name=meta.name,
        phase=status.phase,
        reason=status.reason,
        message=status.message,
        node=spec.node_name,
        ready=is_true(condition(status.conditions, "Ready")) or False,
        scheduled=is_true(scheduled),
        unschedulable_message=scheduled.message if scheduled and scheduled.status == "False" else "",
        initialized=is_true(condition(status.conditions, "Initialized")),
        deleting=meta.deletion_timestamp is not None,
        age_s=view.age_s(meta.creation_timestamp),
        owner=f"{owner.kind}/{owner.name}" if owner else "",
        revision=meta.labels.get(HASH_LABEL) or meta.labels.get(REVISION_LABEL, ""),
        current=view.owners.is_current(pod),
        qos=status.qos_class,
        service_account=spec.service_account_name,
        node_selector=pairs(spec.node_selector),
        azureml_deployment=meta.labels.get(DEPLOYMENT_LABEL, ""),
    )


def is_true(one: schema.Condition | None) -> bool | None:
    """The status as a truth value; None without the condition, or while it is ``Unknown``."""
    return {"True": True, "False": False}.get(one.status) if one else None


def containers(view: View) -> tuple[streams.Container, ...]:
    """One item a container, init containers first."""
    return tuple(item for pod in view.objects.pods for item in containers_of(view, pod))


def containers_of(view: View, pod: schema.Pod) -> Iterator[streams.Container]:
    """The containers of one pod."""
    yield from _group(view, pod, "init", pod.spec.init_containers, pod.status.init_container_statuses)
    yield from _group(view, pod, "app", pod.spec.containers, pod.status.container_statuses)


def _group(
    view: View,
    pod: schema.Pod,
    kind: str,
    wanted: list[schema.Container],
    statuses: list[schema.ContainerStatus],
) -> Iterator[streams.Container]:
    specs = {spec.name: spec for spec in wanted}
    known = {status.name: status for status in statuses}
    for name in dict.fromkeys([*specs, *known]):
        spec = specs.get(name) or schema.Container(name=name, image=known[name].image)
        yield _container(view, pod, kind, spec, known.get(name))


def _container(
    view: View, pod: schema.Pod, kind: str, spec: schema.Container, status: schema.ContainerStatus | None
) -> streams.Container:
    state = status.state if status else schema.State()
    ended = latest_end(status)
    return streams.Container(
        source=_source(view, pod),
        subject=view.pod_subject(pod, spec.name),
        time=_time(state, ended),
        name=spec.name,
        kind=kind,
        image=spec.image,
        image_id=status.image_id if status else "",
        state=_state(state, pod),
        reason=_reason(state),
        message=_message(state),
        ready=status.ready if status else None,
        restarts=status.restart_count if status else 0,
        running_s=view.age_s(state.running.started_at) if state.running else None,
        stable=status is not None and is_stable(view, status),
        exit_code=ended.exit_code if ended else None,
        end_reason=ended.reason if ended else "",
        end_message=ended.message if ended else "",
        ended_s=view.age_s(ended.finished_at) if ended else None,
        oom_killed=bool(ended and ended.reason == "OOMKilled"),
        memory_limit_mib=quantities.mebibytes(spec.resources.limits),
        memory_request_mib=quantities.mebibytes(spec.resources.requests),
        cpu_limit=quantities.cores(spec.resources.limits),
        cpu_request=quantities.cores(spec.resources.requests),
        ports=tuple(port.container_port for port in spec.ports),
        environment=tuple(variable.name for variable in spec.env),
        mounts=tuple(mount.mount_path for mount in spec.volume_mounts),
        command=(*spec.command, *spec.args),
        readiness_probe=in_words(spec.readiness_probe),
        liveness_probe=in_words(spec.liveness_probe),
        startup_probe=in_words(spec.startup_probe),
        liveness_allows_s=allowance_s(spec),
        restart_policy=pod.spec.restart_policy,
    )


def is_well(view: View, pod: schema.Pod) -> bool:
    """It works, and did not crash lately: between two crashes a container runs, and may even be ready."""
    if pod.status.phase == "Succeeded":
        return True
    if pod.metadata.deletion_timestamp is not None or len(pod.status.container_statuses) < len(pod.spec.containers):
        return False
    return all(is_stable(view, status) for status in pod.status.container_statuses)


def is_stable(view: View, status: schema.ContainerStatus) -> bool:
    """Running, ready, and never restarted or up for so long that it counts no more."""
    if not status.state.running or not status.ready:
        return False
    return not status.restart_count or (view.age_s(status.state.running.started_at) or 0.0) >= STABLE_AFTER_S


def latest_end(status: schema.ContainerStatus | None) -> schema.Terminated | None:
    """How the container ended, be it now or before the present run."""
    return (status.state.terminated or status.last_state.terminated) if status else None


def _state(state: schema.State, pod: schema.Pod) -> str:
    if state.waiting:
        return "waiting"
    if state.running:
        return "running"
    if state.terminated:
        return "terminated"
    # Without a node nobody reports states: what is not scheduled waits.
    return "waiting" if pod.status.phase == "Pending" else "unknown"


def _reason(state: schema.State) -> str:
    return state.waiting.reason if state.waiting else state.terminated.reason if state.terminated else ""


def _message(state: schema.State) -> str:
    return state.waiting.message if state.waiting else state.terminated.message if state.terminated else ""


def _time(state: schema.State, ended: schema.Terminated | None) -> datetime | None:
    started = state.running.started_at if state.running else None
    return moment(started, ended.finished_at if ended else None)


def _source(view: View, pod: schema.Pod) -> str:
    return view.source(pod.metadata.namespace, f"get pod {pod.metadata.name} -o yaml")
