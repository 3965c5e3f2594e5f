"""Probes in words, and how long they let a container start."""

from __future__ import annotations

from diagnose.collectors.kubernetes import schema


def in_words(probe: schema.Probe | None) -> str:
    """``http-get :5001/ delay 5s period 5s timeout 1s failures 3``; empty without a probe."""
    if probe is None:
        return ""
    return (
        f"{_what(probe)} delay {probe.initial_delay_seconds}s period {probe.period_seconds}s "
        f"timeout {probe.timeout_seconds}s failures {probe.failure_threshold}"
    )


def _what(probe: schema.Probe) -> str:
    if probe.http_get:
        return f"{probe.http_get.scheme.lower()}-get :{probe.http_get.port}{probe.http_get.path or '/'}"
    if probe.tcp_socket:
        return f"tcp-socket :{probe.tcp_socket.port}"
    if probe.grpc:
        return f"grpc :{probe.grpc.port}"
    return f"exec {' '.join(probe.exec.command) if probe.exec else ''}".strip()


def allowance_s(container: schema.Container) -> float | None:
    """Seconds until a container that never answers is killed; a startup probe, where there is one, comes first."""
    probe = container.startup_probe or container.liveness_probe
    if probe is None:
        return None
    return float(probe.initial_delay_seconds + probe.period_seconds * probe.failure_threshold)
