"""Everything that is asked about one namespace, and what each answer, or its lack, means for the evidence."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes.calls import Calls
from diagnose.collectors.kubernetes.client import Cluster
from diagnose.collectors.kubernetes.events import about, merged
from diagnose.collectors.kubernetes.kinds import BY_NAME, BY_RESOURCE, KINDS, PLACE, V1_LABEL, Objects
from diagnose.collectors.kubernetes.lists import Listing, Outcome, Query, missing
from diagnose.collectors.kubernetes.scope import Scope
from diagnose.model import Missing, Subject, Why

SEARCHED = ("pods", "deployments", "statefulsets", "daemonsets", "services", "inferenceservices")
"""Lists that tell what a name means."""

NEW_EVENTS, NODE_EVENTS = "events.k8s.io", "events of nodes"
ROUTER_LABEL = "ml.azure.com/infra-app"
ROUTER = "azureml-fe"
ROUTERS = {"azureml": {ROUTER_LABEL: ROUTER}, "default": {V1_LABEL: ROUTER}}
"""Where azureml-fe runs, and the label of its pods: beside the extension, or with a v1 attachment."""

_TOP = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


def router_list(place: str) -> str:
    """Name of the list of azureml-fe pods in a namespace."""
    return f"{ROUTER} in {place}"


def queries(namespace: str) -> dict[str, Query]:
    """What to list, by the names used here: those of the resources, and a few more."""
    every = {kind.resource: Query(kind, namespace if kind.in_namespace else None) for kind in KINDS}
    events = BY_NAME["Event"]
    every[NEW_EVENTS] = Query(replace(events, apis=("apis/events.k8s.io/v1",)), namespace)
    if namespace != "default":
        every[NODE_EVENTS] = Query(events, "default", {"fieldSelector": "involvedObject.kind=Node"})
    for place, labels in ROUTERS.items():
        if namespace != place:
            selector = ",".join(f"{key}={value}" for key, value in labels.items())
            every[router_list(place)] = Query(BY_NAME["Pod"], place, {"labelSelector": selector})
    return every


class Lists:
    """The lists about one namespace, each read once, at the first time somebody wants it."""

    def __init__(self, cluster: Cluster, calls: Calls, namespace: str) -> None:
        self.cluster = cluster
        self.calls = calls
        self.namespace = namespace
        self.began = time.monotonic()
        self.queries = queries(namespace)
        self._listings: dict[str, Listing] = {}
        self._outcomes: dict[str, Outcome] = {}

    def start(self, names: Iterable[str], limits: Limits) -> None:
        """Begin to read those that were not yet asked for; all at the same time."""
        for name in names:
            if name not in self._outcomes and name not in self._listings:
                self._listings[name] = Listing(self.cluster, self.queries[name]).start(self.calls, limits)

    def put(self, name: str, outcome: Outcome) -> None:
        """A list that was read in another way."""
        self._outcomes[name] = outcome

    def adopt(self, other: Lists) -> None:
        """Share the lists that were begun for another namespace and are the same here, such as that of the nodes."""
        for name, listing in other._listings.items():
            if self.queries.get(name) == listing.query:
                self._listings.setdefault(name, listing)

    def outcome(self, name: str) -> Outcome:
        """What came of a list; waits for it. One that was never started is empty."""
        if name not in self._outcomes and name in self._listings:
            self._outcomes[name] = self._listings[name].outcome()
        return self._outcomes.get(name, Outcome())

    def objects(self, names: Collection[str]) -> Objects:
        """What these lists hold."""
        found: dict[str, tuple[Any, ...] | None] = {}
        for name in names:
            if name in BY_RESOURCE and name != "events":
                outcome = self.outcome(name)
                optional = name in ("endpoints", "endpointslices") and not outcome.known
                found[name] = None if optional else outcome.items
        if "events" in names:
            found["events"] = merged(self._events())
        return Objects(**found)  # type: ignore[arg-type]

    def _events(self) -> Iterator[Any]:
        yield from self.outcome("events").items
        yield from self.outcome(NEW_EVENTS).items
        yield from (one for one in self.outcome(NODE_EVENTS).items if about(one).kind == "Node")

    def present(self, scope: Scope) -> set[str]:
        """Streams that were collected, if only in part."""
        known = {name for name in self.queries if self.outcome(name).known}
        tops = {_TOP[owner.kind] for owner in scope.workloads if owner.kind in _TOP} or set(_TOP.values())
        streams = {stream for name in known & BY_RESOURCE.keys() for stream in BY_RESOURCE[name].streams}
        unknown = {"workloads"} if tops - known else set()
        unknown |= {"services"} if "services" not in known else set()
        unknown |= {"pods", "containers"} if "pods" not in known else set()
        if NEW_EVENTS in known:
            streams.add("events")
        return streams - unknown - {"logs.container"}

    def missing(self, scope: Scope) -> Iterator[Missing]:
        """What the streams lack because of lists that could not be read."""
        for kind in KINDS:
            outcome = self.outcome(kind.resource)
            if not self._made_up_for(kind.resource, scope):
                yield from missing(self.queries[kind.resource], outcome)
        if NODE_EVENTS in self.queries and self.outcome("nodes").known:
            for gap in missing(self.queries[NODE_EVENTS], self.outcome(NODE_EVENTS), ("nodes",)):
                yield replace(gap, what=gap.what.replace("events", NODE_EVENTS, 1), subject=Subject(PLACE))

    def _made_up_for(self, resource: str, scope: Scope) -> bool:
        """Another list tells the same, or nothing of it matters to this service."""
        error = self.outcome(resource).error
        if error is None:
            return False
        match resource:
            case "events":
                return self.outcome(NEW_EVENTS).error is None
            case "endpoints":
                return self.outcome("endpointslices").error is None
            case "endpointslices":
                # Endpoints say the same; when neither is there, one line is enough.
                return True
            case "controllerrevisions":
                return all(owner.kind != "DaemonSet" for owner in scope.workloads)
            case "inferenceservices":
                return error.why in (Why.NOT_FOUND, Why.DENIED)
        return False
