"""Finds and collects a service as the program does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from made_objects import seconds
from replay import Start, replayed

from diagnose.collectors import Limits
from diagnose.model import Collection
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder

__all__ = ["replayed"]

Collected = Callable[..., Collection]


@pytest.fixture
def collected(replayed: Start) -> Collected:
    """What is collected of a service: ``collected("rollout")`` for a recording, or a Replay with the service's name."""

    def collect(what: object, service: str = "", namespace: str = "", limits: Limits | None = None) -> Collection:
        limits = limits or seconds(20)
        name = service or str(what)
        replayed(what)
        wanted = Wanted(service=name, namespace=namespace or f"aml-{name}")
        found = KubernetesFinder().find(wanted, limits)
        assert len(found.candidates) == 1, found
        return found.candidates[0].collect(limits)

    return collect
