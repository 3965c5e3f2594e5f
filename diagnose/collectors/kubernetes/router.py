"""The log of azureml-fe, which stands in front of every service of Azure ML in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import logs, schema
from diagnose.collectors.kubernetes.kinds import AZUREML_LABEL, PLACE, V1_LABEL, Objects
from diagnose.collectors.kubernetes.lists import missing
from diagnose.collectors.kubernetes.namespace import ROUTER, ROUTER_LABEL, ROUTERS, Lists, router_list
from diagnose.collectors.kubernetes.scope import Scope
from diagnose.collectors.kubernetes.view import View
from diagnose.collectors.kubernetes.workloads import is_azureml
from diagnose.model import Log, Missing, Subject, Why

STREAM = "logs.router"


def concerns(objects: Objects, scope: Scope) -> bool:
    """The service is one of Azure ML, and not the router itself."""
    if any(owner.name.startswith(ROUTER) for owner in scope.workloads):
        return False
    labelled = (pod.metadata.labels.get(AZUREML_LABEL) == "true" for pod in objects.pods)
    return any(labelled) or any(is_azureml(workload) for _, workload in objects.workloads())


@dataclass(frozen=True, slots=True)
class Router:
    """The logs of one azureml-fe pod, being read, or why there are none."""

    readings: tuple[logs.Reading, ...] = ()
    gaps: tuple[Missing, ...] = ()

    def collected(self) -> tuple[tuple[Log, ...] | None, tuple[Missing, ...]]:
        """The logs, and what is missing; None for the logs when there are none."""
        found, gaps = logs.collected(self.readings)
        gaps += self.gaps
        return found or None, gaps if found or gaps else (_gone(f"log of a running {ROUTER} pod"),)


def start(lists: Lists, limits: Limits) -> Router:
    """Find a pod in the lists that were started for it, and begin to read its log."""
    found = next(_pods(lists), None)
    if found is None:
        return Router(gaps=tuple(_gaps(lists)))
    view = View(Objects(pods=(found,)), datetime.now(UTC))
    wanted = [one for one in logs.of_pod(view, found) if not one[0].previous]
    return Router(logs.start(lists.cluster, lists.calls, wanted, STREAM, limits))


def _pods(lists: Lists) -> Iterator[schema.Pod]:
    """Those of the service's own namespace first, and running ones before others."""
    for name in ("pods", *_names(lists)):
        pods = [pod for pod in lists.outcome(name).items if _is_router(pod)]
        yield from sorted(pods, key=lambda pod: pod.status.phase != "Running")


def _names(lists: Lists) -> list[str]:
    return [name for name in map(router_list, ROUTERS) if name in lists.queries]


def _is_router(pod: schema.Pod) -> bool:
    labels = pod.metadata.labels
    return ROUTER in (labels.get(ROUTER_LABEL), labels.get(V1_LABEL))


def _gaps(lists: Lists) -> Iterator[Missing]:
    """Where it could not be looked for, or else that it is nowhere."""
    errors = [
        gap
        for name in _names(lists)
        for gap in missing(lists.queries[name], lists.outcome(name), (STREAM,))
        if gap.why is not Why.NOT_FOUND
    ]
    for gap in errors:
        subject = Subject(PLACE, gap.subject.namespace, ROUTER)
        yield Missing(stream=STREAM, why=gap.why, what=f"{ROUTER} among {gap.what}", needs=gap.needs, subject=subject)
    if not errors:
        yield _gone(f"{ROUTER} pod in {', '.join(dict.fromkeys([lists.namespace, *ROUTERS]))}")


def _gone(what: str) -> Missing:
    return Missing(stream=STREAM, why=Why.NOT_FOUND, what=what, subject=Subject(PLACE, None, ROUTER))
