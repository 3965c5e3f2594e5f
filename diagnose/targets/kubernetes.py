"""Finds a service in a Kubernetes cluster: in the namespace given, else the context's, else wherever it may look."""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.calls import Calls
from diagnose.collectors.kubernetes.client import CallError, Cluster
from diagnose.collectors.kubernetes.collect import collect
from diagnose.collectors.kubernetes.kinds import BY_RESOURCE, PLACE, Kind
from diagnose.collectors.kubernetes.kubeconfig import connect, connect_with
from diagnose.collectors.kubernetes.lists import Listing, Outcome, Query, needs
from diagnose.collectors.kubernetes.namespace import ROUTERS, SEARCHED, Lists, router_list
from diagnose.collectors.kubernetes.scope import Scope, belonging, names, resolve, unwell
from diagnose.collectors.kubernetes.view import View
from diagnose.errors import CollectorError
from diagnose.model import Target
from diagnose.targets import Candidate, Found, Unsearched, Wanted

_NAMESPACES = Query(Kind("Namespace", "namespaces", schema.Namespace, (), ("api/v1",), in_namespace=False))
_OPTIONAL = "inferenceservices"
"""Few clusters have them, and few roles may list them."""
_MOST_NAMED = 5


class KubernetesFinder:
    """Looks in the cluster of the context wanted, or of the current one."""

    places: tuple[str, ...] = (PLACE,)

    def expected(self, wanted: Wanted) -> bool:
        """Always: asking costs next to nothing where there is none."""
        return True

    def find(self, wanted: Wanted, limits: Limits) -> Found:
        """Where the service is. Never raises for a cluster that does not answer, and answers by the deadline."""
        calls = Calls()
        try:
            cluster = connect(wanted.context, limits, calls)
        except CollectorError as error:
            return _unreachable(error)
        return _Search(cluster, calls, wanted.service, limits).run(wanted.namespace)


def find_with(kubeconfig: bytes, service: str, namespace: str | None, limits: Limits) -> Found:
    """The same in the cluster of a kubeconfig that lies in no file; never raises either."""
    calls = Calls()
    try:
        cluster = connect_with(kubeconfig, limits, calls)
    except CollectorError as error:
        return _unreachable(error)
    return _Search(cluster, calls, service, limits).run(namespace)


def _unreachable(error: CollectorError) -> Found:
    unsearched = Unsearched(place=PLACE, why=str(error), remedy=error.needs)
    return Found(place=PLACE, reachable=False, unsearched=(unsearched,))


def _half(limits: Limits) -> Limits:
    """For lists that everything waits for: when one hangs, half of the time is still there for logs."""
    now = time.monotonic()
    return replace(limits, deadline=now + (limits.deadline - now) / 2)


@dataclass
class _Search:
    """One search, and what it has seen so far."""

    cluster: Cluster
    calls: Calls
    service: str
    limits: Limits
    names: set[str] = field(default_factory=set)
    unsearched: list[Unsearched] = field(default_factory=list)

    def run(self, namespace: str | None) -> Found:
        here = Lists(self.cluster, self.calls, namespace or self.cluster.namespace)
        here.start(SEARCHED, _half(self.limits))
        here.start(here.queries, self.limits)
        error = _refusal(here)
        if error is not None:
            return _unreachable(error)
        scopes = self._resolved([here])
        self._note_errors(here)
        if not scopes and namespace:
            self._note_absent(namespace)
        elif not scopes:
            scopes = self._everywhere(here)
        return Found(
            place=PLACE,
            reachable=True,
            candidates=tuple(self._candidate(lists, scope) for lists, scope in scopes),
            names=tuple(sorted(self.names)),
            unsearched=tuple(self.unsearched),
        )

    def _resolved(self, places: Iterable[Lists]) -> list[tuple[Lists, Scope]]:
        """The namespaces in which the name means something; mere ``app`` labels only where nothing better is found."""
        found = []
        for lists in places:
            objects = lists.objects(SEARCHED)
            self.names |= names(objects)
            scope = resolve(objects, lists.namespace, self.service)
            if scope is not None:
                found.append((lists, scope))
        strong = [one for one in found if not one[1].weak]
        return strong or found

    def _candidate(self, lists: Lists, scope: Scope) -> Candidate:
        now = self.cluster.traffic.server_time or datetime.now(UTC)
        view = View(belonging(lists.objects(SEARCHED), scope), now)
        target = Target(
            service=self.service,
            kind=PLACE,
            where=f"context {self.cluster.context}, namespace {scope.namespace}",
            namespace=scope.namespace,
            objects=tuple(sorted(owner.name for owner in scope.workloads)),
            notes=(f"taken for the service because of its {scope.meaning}",) if scope.weak else (),
        )
        host = urlsplit(self.cluster.server).hostname or ""
        return Candidate(target=target, unwell=unwell(view), collect=partial(collect, lists, scope), server=host)

    def _everywhere(self, here: Lists) -> list[tuple[Lists, Scope]]:
        """In all namespaces at once; what may not be listed so is listed in each."""
        wide = {name: self._list(Query(BY_RESOURCE[name])) for name in SEARCHED}
        namespaces = self._list(_NAMESPACES)
        outcomes = {name: listing.outcome() for name, listing in wide.items()}
        refused = {name for name, outcome in outcomes.items() if _is_refused(name, outcome)}
        parts = {name: _by_namespace(outcome) for name, outcome in outcomes.items() if name not in refused}
        others = [one.metadata.name for one in namespaces.outcome().items] if refused else []
        every = {namespace for groups in parts.values() for namespace in groups} | {*others}
        places = [Lists(self.cluster, self.calls, name) for name in sorted(every - {here.namespace, ""})]
        for lists in places:
            lists.adopt(here)
            for name, groups in parts.items():
                lists.put(name, replace(outcomes[name], items=tuple(groups.get(lists.namespace, ()))))
            lists.start([name for name in SEARCHED if name in refused], _half(self.limits))
        found = self._resolved(places)
        pods = {lists.namespace: lists.outcome("pods") for lists in (here, *places)}
        for lists, _ in found:
            _put_routers(lists, pods, complete=outcomes["pods"].error is None)
        self._note_wide(here.namespace, outcomes, refused, namespaces.outcome())
        self._note_denied(places, refused)
        return found

    def _list(self, query: Query) -> Listing:
        return Listing(self.cluster, query).start(self.calls, _half(self.limits))

    def _note_errors(self, lists: Lists) -> None:
        outcomes = {name: lists.outcome(name) for name in SEARCHED}
        self._note(f"in namespace {lists.namespace}", lists.queries, outcomes)

    def _note(self, where: str, queries: Mapping[str, Query], outcomes: Mapping[str, Outcome]) -> None:
        """One entry for each reason, however many lists it concerns."""
        reasons: dict[str, list[str]] = {}
        remedies: dict[str, str] = {}
        for name, outcome in outcomes.items():
            if outcome.error is not None and not (name == _OPTIONAL and outcome.error.status in (403, 404)):
                why = str(outcome.error)
                reasons.setdefault(why, []).append(name)
                remedies.setdefault(why, needs(queries[name], outcome.error))
        for why, resources in reasons.items():
            place = f"{PLACE}: {', '.join(resources)} {where}"
            self.unsearched.append(Unsearched(place=place, why=why, remedy=remedies[why]))

    def _note_wide(self, searched: str, outcomes: Mapping[str, Outcome], refused: set[str], spaces: Outcome) -> None:
        queries = {name: Query(BY_RESOURCE[name]) for name in SEARCHED}
        failed = {name: outcome for name, outcome in outcomes.items() if name not in refused}
        self._note("in all namespaces", queries, failed)
        if refused and spaces.error is not None:
            remedy = f"name the namespace with -n, or get the right to list {', '.join(sorted(refused))} everywhere"
            place = f"{PLACE}: namespaces other than {searched}"
            self.unsearched.append(Unsearched(place=place, why=str(spaces.error), remedy=remedy))

    def _note_denied(self, places: Iterable[Lists], refused: set[str]) -> None:
        denied: dict[str, list[str]] = {}
        for lists in places:
            errors = [lists.outcome(name).error for name in sorted(refused - {_OPTIONAL})]
            why = next((str(error) for error in errors if error is not None), "")
            if why:
                denied.setdefault(why, []).append(lists.namespace)
        for why, spaces in denied.items():
            more = f" and {len(spaces) - _MOST_NAMED} more" if len(spaces) > _MOST_NAMED else ""
            place = f"{PLACE}: namespaces {', '.join(spaces[:_MOST_NAMED])}{more}"
            remedy = f"get the right to list {', '.join(sorted(refused))} there (for example the ClusterRole view)"
            self.unsearched.append(Unsearched(place=place, why=why, remedy=remedy))

    def _note_absent(self, namespace: str) -> None:
        """Lists of a namespace that does not exist are empty: say so where it can be told."""
        spaces = self._list(_NAMESPACES).outcome()
        there = [one.metadata.name for one in spaces.items]
        if spaces.error is None and namespace not in there:
            near = difflib.get_close_matches(namespace, there) or there[:10]
            remedy = f"choose another one with -n; there are: {', '.join(near)}"
            place = f"{PLACE}: namespace {namespace}"
            self.unsearched.append(Unsearched(place=place, why="there is no such namespace", remedy=remedy))


def _refusal(lists: Lists) -> CallError | None:
    """The error of a server that answers no list at all, to anybody or to us."""
    errors = [lists.outcome(name).error for name in SEARCHED]
    refusals = [error for error in errors if error is not None and error.refused]
    return refusals[0] if len(refusals) == len(errors) else None


def _is_refused(name: str, outcome: Outcome) -> bool:
    error = outcome.error
    return error is not None and error.status in (403, 404) and not (name == _OPTIONAL and error.status == 404)


def _by_namespace(outcome: Outcome) -> dict[str, list[Any]]:
    """What a list of all namespaces tells of each."""
    groups: dict[str, list[Any]] = {}
    for one in outcome.items:
        groups.setdefault(one.metadata.namespace, []).append(one)
    return groups


def _put_routers(lists: Lists, pods: Mapping[str, Outcome], *, complete: bool) -> None:
    """The pods of azureml-fe are among those that the search has read: no need to list them again."""
    for place in ROUTERS:
        outcome = pods.get(place, Outcome() if complete else None)
        if outcome is not None and outcome.error is None and router_list(place) in lists.queries:
            lists.put(router_list(place), outcome)
