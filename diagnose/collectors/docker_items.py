"""From the answers of a Docker Engine to the items of evidence: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from diagnose import streams
from diagnose.collectors.docker_answers import (
    Binding,
    EngineEvent,
    Health,
    HealthCheck,
    HostConfig,
    Info,
    InspectedContainer,
    InspectedImage,
    Mount,
    RestartPolicy,
    State,
)
from diagnose.model import Subject

SETTLED_S = 600
"""A container that has been up for this long is stable whatever its restarts, as with the kubelet."""

_STATES = {
    "created": "created",
    "running": "running",
    "restarting": "waiting",
    "paused": "waiting",
    "exited": "terminated",
    "dead": "terminated",
    "removing": "terminated",
}
_OUTPUT = 1024
_MIB = 1024 * 1024
_NEVER = 1
"""Year of the time that Go writes for "not yet"."""
_DETAILS = {"die": "exitCode", "kill": "signal"}
"""Attribute of an event that tells what happened; the others repeat every label."""


@dataclass(frozen=True, slots=True)
class Death:
    """An end of a container, as the engine's events tell it."""

    time: datetime
    exit_code: int | None


def moment(text: str) -> datetime | None:
    """A time the engine wrote, in UTC; None for "not yet" and for what is no time."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.year == _NEVER else time.astimezone(UTC)


def container_name(answer: InspectedContainer) -> str:
    return answer.name.removeprefix("/")


def engine_item(info: Info, now: datetime) -> streams.Engine:
    return streams.Engine(
        source="docker info",
        subject=Subject(place="docker"),
        time=now,
        version=info.server_version,
        os_type=info.os_type,
        architecture=info.architecture,
        memory_mib=info.mem_total / _MIB or None,
        cpus=info.cpus or None,
        gpu_runtime="nvidia" in (info.runtimes or {}),
    )


def container_item(
    answer: InspectedContainer, subject: Subject, now: datetime, last: Death | None
) -> streams.Container:
    """State of a container; ``last`` is its latest end, which the engine forgets once it runs again."""
    state, host, config = answer.state, answer.host_config, answer.config
    running_s = _seconds(now, state.started_at) if state.status == "running" else None
    ready = _ready(state)
    settled = not answer.restart_count or (running_s or 0) >= SETTLED_S
    name = container_name(answer)
    end_reason = _end_reason(state, last)
    return streams.Container(
        source=f"docker inspect {name}",
        subject=subject,
        time=_changed(answer),
        name=name,
        image=config.image,
        image_id=answer.image,
        state=_STATES.get(state.status, "unknown"),
        reason=_reason(state, end_reason),
        ready=ready,
        restarts=answer.restart_count,
        running_s=running_s,
        stable=state.status == "running" and ready is not False and settled,
        exit_code=_exit_code(state, last),
        end_reason=end_reason,
        ended_s=_seconds(now, state.finished_at),
        oom_killed=state.oom_killed,
        error=state.error,
        memory_limit_mib=host.memory / _MIB or None,
        memory_request_mib=(host.memory_reservation or 0) / _MIB or None,
        cpu_limit=_cpu_limit(host),
        ports=_ports(answer),
        published=_published(answer),
        environment=tuple(variable.partition("=")[0] for variable in config.env or ()),
        mounts=tuple(_mount(mount) for mount in answer.mounts or ()),
        command=tuple(part for part in (answer.path, *(answer.args or ())) if part),
        readiness_probe=_probe(config.healthcheck),
        restart_policy=_restart_policy(host.restart_policy),
    )


def _seconds(now: datetime, text: str) -> float | None:
    time = moment(text)
    return max(0.0, (now - time).total_seconds()) if time else None


def _changed(answer: InspectedContainer) -> datetime | None:
    """When the container came into its present state."""
    state = answer.state
    if state.status == "created":
        return moment(answer.created)
    return moment(state.started_at if state.status in ("running", "paused") else state.finished_at)


def _ready(state: State) -> bool | None:
    if state.health is None or state.health.status in ("", "none"):
        return None
    return state.status == "running" and state.health.status == "healthy"


def _reason(state: State, end_reason: str) -> str:
    match state.status:
        case "running":
            return ""
        case "restarting" | "paused" | "dead" | "removing":
            return state.status.capitalize()
    return end_reason


def _end_reason(state: State, last: Death | None) -> str:
    code = _exit_code(state, last)
    if state.error and state.status in ("created", "exited"):
        return "ContainerCannotRun"
    if code is None or state.status == "created":
        return ""
    if state.oom_killed:
        return "OOMKilled"
    return "Error" if code else "Completed"


def _exit_code(state: State, last: Death | None) -> int | None:
    """Of the latest end. The engine writes 0 for a container that runs, and for one that never started."""
    if state.exit_code or state.status not in ("created", "running", "paused"):
        return state.exit_code
    return last.exit_code if last and state.status != "created" else None


def _cpu_limit(host: HostConfig) -> float | None:
    if host.nano_cpus:
        return host.nano_cpus / 1e9
    return host.cpu_quota / (host.cpu_period or 100_000) if host.cpu_quota and host.cpu_quota > 0 else None


def _bindings(answer: InspectedContainer) -> dict[str, Sequence[Binding]]:
    """By container port: what was asked for, or what came of it once the container runs."""
    wanted = answer.host_config.port_bindings or {}
    given = answer.network_settings.ports or {}
    return {port: given.get(port) or wanted.get(port) or () for port in {**wanted, **given}}


def _ports(answer: InspectedContainer) -> tuple[int, ...]:
    declared = {*(answer.config.exposed_ports or {}), *_bindings(answer)}
    numbers = (port.partition("/")[0] for port in declared)
    return tuple(sorted({int(number) for number in numbers if number.isdigit()}))


def _published(answer: InspectedContainer) -> tuple[str, ...]:
    pairs = (
        f"{binding.host_port or 'any'}:{port.partition('/')[0]}"
        for port, bindings in _bindings(answer).items()
        for binding in bindings
    )
    return tuple(dict.fromkeys(pairs))


def _mount(mount: Mount) -> str:
    source = mount.name if mount.type == "volume" else mount.source
    return f"{source or mount.type} -> {mount.destination}{'' if mount.rw else ' (ro)'}"


def _probe(check: HealthCheck | None) -> str:
    """A health check in words; what is not set has the engine's defaults."""
    if check is None or not check.test or check.test[0] == "NONE":
        return ""
    interval_s, timeout_s = ((duration or 30e9) / 1e9 for duration in (check.interval, check.timeout))
    return (
        f"exec {' '.join(check.test[1:])} delay {check.start_period / 1e9:g}s period {interval_s:g}s "
        f"timeout {timeout_s:g}s failures {check.retries or 3}"
    )


def _restart_policy(policy: RestartPolicy | None) -> str:
    if policy is None:
        return ""
    return f"{policy.name}:{policy.maximum_retry_count}" if policy.maximum_retry_count else policy.name


def image_item(answer: InspectedImage, name: str, subject: Subject) -> streams.Image:
    config = answer.config
    return streams.Image(
        source=f"docker image inspect {name}",
        subject=subject,
        name=name,
        id=answer.id,
        architecture=answer.architecture,
        os=answer.os,
        size_mib=answer.size / _MIB or None,
        entrypoint=tuple((config.entrypoint if config else None) or ()),
        command=tuple((config.cmd if config else None) or ()),
        user=config.user if config else "",
        exposed_ports=tuple((config.exposed_ports if config else None) or ()),
    )


def deaths(events: Iterable[EngineEvent]) -> Mapping[str, tuple[Death, ...]]:
    """The ends of each container by its id, in the order of time."""
    found: dict[str, tuple[Death, ...]] = {}
    for event in sorted(events, key=lambda event: event.time_ns):
        if event.action == "die":
            code = (event.actor.attributes or {}).get("exitCode", "")
            death = Death(_at(event), int(code) if code.isdigit() else None)
            found[event.actor.id] = (*found.get(event.actor.id, ()), death)
    return found


def _at(event: EngineEvent) -> datetime:
    return datetime.fromtimestamp(event.time_ns // 1000 / 1e6, UTC)


def event_items(
    events: Iterable[EngineEvent], subjects: Mapping[str, Subject], now: datetime
) -> tuple[streams.Event, ...]:
    """Engine events about these containers (subjects by id); repeated ones as one with their number and latest time."""
    seen: dict[tuple[Subject, str, str], list[datetime]] = {}
    for event in events:
        subject = subjects.get(event.actor.id)
        if subject:
            reason, _, words = event.action.partition(": ")
            detail = _DETAILS.get(reason, "")
            value = (event.actor.attributes or {}).get(detail, "")
            seen.setdefault((subject, reason, f"{detail}={value}" if value else words), []).append(_at(event))
    items = (
        _event("docker events", subject, reason, words, len(times), max(times), now)
        for (subject, reason, words), times in seen.items()
    )
    return tuple(sorted(items, key=lambda item: item.time or now))


def health_items(health: Health | None, subject: Subject, now: datetime) -> tuple[streams.Event, ...]:
    """What the health check printed when it failed; the engine keeps its last five runs."""
    seen: dict[str, list[datetime]] = {}
    for probe in (health.log if health else None) or ():
        if probe.exit_code != 0:
            words = probe.output.strip() or f"health check failed with exit code {probe.exit_code}"
            shown = words.encode()[:_OUTPUT].decode("utf-8", "ignore")
            seen.setdefault(shown, []).append(moment(probe.end) or now)
    return tuple(
        _event(f"docker inspect {subject.container}", subject, "Unhealthy", words, len(times), max(times), now)
        for words, times in seen.items()
    )


def _event(
    source: str, subject: Subject, reason: str, message: str, count: int, time: datetime, now: datetime
) -> streams.Event:
    alarming = reason in ("oom", "Unhealthy") or message == "unhealthy"
    alarming = alarming or (reason == "die" and message != "exitCode=0")
    return streams.Event(
        source=source,
        subject=subject,
        time=time,
        reason=reason,
        message=message,
        type="Warning" if alarming else "Normal",
        kind="Container",
        name=subject.container or "",
        count=count,
        age_s=max(0.0, (now - time).total_seconds()),
    )
