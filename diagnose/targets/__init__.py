"""From a service name to the places where it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from diagnose.collectors import Limits
from diagnose.model import Collection, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asked for."""

    service: str
    namespace: str | None = None
    context: str | None = None
    """Kubernetes context; None for the current one."""
    subscription: str | None = None
    """Azure subscription; None for what environment, config.json or the Azure CLI name."""
    resource_group: str | None = None
    workspace: str | None = None
    on: str | None = None
    """Only this place: ``docker``, ``kubernetes``, ``aci``, ``endpoint`` or ``azure``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A place where the service was found. ``collect`` may reuse what the search already read."""

    target: Target
    unwell: bool
    """The search already saw that something is wrong here: of several places, this is the one meant."""
    collect: Callable[[Limits], Collection]
    server: str = ""
    """Kubernetes: host of the API server."""
    join: Callable[[Candidate], Candidate | None] | None = None
    """For what runs on a cluster: one candidate made of this and of the cluster's own account, when it is the same
    service; None when it is not."""
    unseen: bool = False
    """Nobody could look whether the service is here; taken only where it is found nowhere else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsearched:
    """A place, or a part of one, that could not be searched."""

    place: str
    """``docker``, ``kubernetes``, ``azure``, or narrower: ``kubernetes: namespaces other than default``."""
    why: str
    remedy: str
    """How to make it reachable, as one instruction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one place answered."""

    place: str
    reachable: bool
    """It answered at all."""
    candidates: tuple[Candidate, ...] = ()
    names: tuple[str, ...] = ()
    """Names of services that are there, for "did you mean"."""
    unsearched: tuple[Unsearched, ...] = ()


class Finder(Protocol):
    """Looks for a service in one kind of place. Never raises for a place that does not answer: that is a Found too."""

    places: tuple[str, ...]
    """Values of ``Wanted.on`` that mean this finder; the first names it."""

    def expected(self, wanted: Wanted) -> bool:
        """The user gave reason to look there. Where not, it is asked last, and only for a service found nowhere."""
        ...

    def find(self, wanted: Wanted, limits: Limits) -> Found: ...


def finders() -> tuple[Finder, ...]:
    """All of them; a new kind of place is one line here."""
    from diagnose.targets.azure import AzureFinder
    from diagnose.targets.docker import DockerFinder
    from diagnose.targets.kubernetes import KubernetesFinder

    return (DockerFinder(), KubernetesFinder(), AzureFinder())
