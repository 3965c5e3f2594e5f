"""Finds a service among the containers of the Docker Engine that is in reach."""

from __future__ import annotations

from functools import partial

from diagnose.collectors import Limits
from diagnose.collectors.docker import collect
from diagnose.collectors.docker_answers import ListedContainer
from diagnose.collectors.docker_engine import Engine, EngineError, connect
from diagnose.model import Target
from diagnose.targets import Candidate, Found, Unsearched, Wanted

PLACE = "docker"
_SERVICE = "amlServiceName"
"""Label of a v1 local service, set by azureml-core's LocalWebservice; its other labels are pickles."""
_ENDPOINT = "endpoint"
_LOCAL_ENDPOINT = "azureml-local-endpoint"
"""Labels of a v2 local endpoint, set by azure-ai-ml; each of its deployments is a container."""


class DockerFinder:
    """Finds containers by the labels that Azure ML's tools set, then by their name."""

    places: tuple[str, ...] = (PLACE,)

    def expected(self, wanted: Wanted) -> bool:
        """Always: asking costs next to nothing where there is none."""
        return True

    def find(self, wanted: Wanted, limits: Limits) -> Found:
        """One candidate with all containers of the service; namespace and context say nothing to Docker."""
        try:
            engine = connect(limits)
            containers = _listed(engine, limits)
        except EngineError as error:
            remedy = error.needs or "look at what `docker ps --all` says"
            unsearched = Unsearched(place=PLACE, why=str(error), remedy=remedy)
            return Found(place=PLACE, reachable=False, unsearched=(unsearched,))
        chosen = _chosen(containers, wanted.service)
        return Found(
            place=PLACE,
            reachable=True,
            candidates=(_candidate(engine, wanted.service, chosen),) if chosen else (),
            names=tuple(sorted({name for container in containers for name in _names(container)})),
        )


def _listed(engine: Engine, limits: Limits) -> list[ListedContainer]:
    """All containers, also those that do not run. Raises EngineError."""
    try:
        return engine.get("/containers/json", list[ListedContainer], limits, all=1)
    finally:
        engine.close()


def _chosen(containers: list[ListedContainer], service: str) -> list[ListedContainer]:
    labelled = [container for container in containers if service in _labels(container)]
    return labelled or [container for container in containers if service in _container_names(container)]


def _labels(container: ListedContainer) -> tuple[str, ...]:
    """Names of services the container is labelled with."""
    labels = container.labels or {}
    found = [labels.get(_SERVICE, "")]
    if _LOCAL_ENDPOINT in labels:
        found.append(labels.get(_ENDPOINT, ""))
    return tuple(name for name in found if name)


def _container_names(container: ListedContainer) -> tuple[str, ...]:
    """Without those that other containers know it by: ``/other/alias``."""
    return tuple(name[1:] for name in container.names or () if name.count("/") == 1)


def _names(container: ListedContainer) -> tuple[str, ...]:
    return _labels(container) + _container_names(container)


def _candidate(engine: Engine, service: str, containers: list[ListedContainer]) -> Candidate:
    ordered = sorted(containers, key=_container_names)
    target = Target(
        service=service, kind="docker", where=engine.place, objects=tuple(container.id for container in ordered)
    )
    return Candidate(target=target, unwell=any(map(_unwell, ordered)), collect=partial(collect, engine, target))


def _unwell(container: ListedContainer) -> bool:
    """Not running, whatever the reason, or running with a health check that fails."""
    return container.state != "running" or "(unhealthy)" in container.status
