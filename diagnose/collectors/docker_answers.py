"""What a Docker Engine answers, reduced to the fields that are used; it writes null for an empty list or map.

A field that every engine sends has no default: an answer without it is not an engine's.
"""

from __future__ import annotations

import msgspec


class ListedContainer(msgspec.Struct, rename="pascal"):
    """An entry of ``GET /containers/json``."""

    id: str
    names: list[str] | None = None
    labels: dict[str, str] | None = None
    """Labels of v1 services hold base64 pickles: their values are compared, never decoded."""
    state: str = ""
    status: str = ""


class HealthProbe(msgspec.Struct, rename="pascal"):
    """One run of a health check."""

    end: str = ""
    exit_code: int = 0
    output: str = ""


class Health(msgspec.Struct, rename="pascal"):
    status: str = ""
    log: list[HealthProbe] | None = None


class State(msgspec.Struct, rename="pascal"):
    status: str
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")
    health: Health | None = None


class HealthCheck(msgspec.Struct, rename="pascal"):
    """Durations are in nanoseconds; 0 means the engine's default."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    retries: int = 0
    start_period: int = 0


class Config(msgspec.Struct, rename="pascal"):
    image: str = ""
    env: list[str] | None = None
    tty: bool = False
    exposed_ports: dict[str, object] | None = None
    healthcheck: HealthCheck | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    user: str = ""


class Binding(msgspec.Struct, rename="pascal"):
    host_port: str = ""


class RestartPolicy(msgspec.Struct, rename="pascal"):
    name: str = ""
    maximum_retry_count: int = 0


class HostConfig(msgspec.Struct, rename="pascal"):
    memory: int = 0
    memory_reservation: int | None = 0
    nano_cpus: int | None = 0
    cpu_quota: int | None = 0
    cpu_period: int | None = 0
    restart_policy: RestartPolicy | None = None
    port_bindings: dict[str, list[Binding] | None] | None = None


class NetworkSettings(msgspec.Struct, rename="pascal"):
    ports: dict[str, list[Binding] | None] | None = None


class Mount(msgspec.Struct, rename="pascal"):
    type: str = ""
    name: str = ""
    source: str = ""
    destination: str = ""
    rw: bool = msgspec.field(default=True, name="RW")


class InspectedContainer(msgspec.Struct, rename="pascal"):
    """``GET /containers/ID/json``."""

    id: str
    name: str
    state: State
    created: str = ""
    path: str = ""
    args: list[str] | None = None
    image: str = ""
    """The image's id."""
    restart_count: int = 0
    config: Config = msgspec.field(default_factory=Config)
    host_config: HostConfig = msgspec.field(default_factory=HostConfig)
    network_settings: NetworkSettings = msgspec.field(default_factory=NetworkSettings)
    mounts: list[Mount] | None = None


class InspectedImage(msgspec.Struct, rename="pascal"):
    """``GET /images/ID/json``."""

    id: str
    architecture: str = ""
    os: str = ""
    size: int = 0
    config: Config | None = None


class Info(msgspec.Struct, rename="pascal"):
    """``GET /info``."""

    server_version: str
    architecture: str = ""
    mem_total: int = 0
    system_time: str = ""
    runtimes: dict[str, object] | None = None
    os_type: str = msgspec.field(default="", name="OSType")
    cpus: int = msgspec.field(default=0, name="NCPU")


class Actor(msgspec.Struct):
    id: str = msgspec.field(default="", name="ID")
    attributes: dict[str, str] | None = msgspec.field(default=None, name="Attributes")
    """Among them every label of the container."""


class EngineEvent(msgspec.Struct):
    """One line of ``GET /events``."""

    action: str = msgspec.field(name="Action")
    time_ns: int = msgspec.field(name="timeNano")
    actor: Actor = msgspec.field(default_factory=Actor, name="Actor")
