"""The search for a service in Azure: an online endpoint, a web service of SDK v1, or a container group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from diagnose.collectors import Limits
from diagnose.collectors.azure import endpoints, groups, web_services, workspaces
from diagnose.collectors.azure.answers import text, within
from diagnose.collectors.azure.arm import Arm, Json
from diagnose.collectors.azure.collect import ClusterSide, Sighting, collect
from diagnose.collectors.azure.crew import together
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.place import Place
from diagnose.collectors.azure.session import signed_in
from diagnose.collectors.azure.workspaces import Links
from diagnose.model import Collection, Missing, Subject, Target, Why
from diagnose.targets import Candidate, Found, Unsearched, Wanted
from diagnose.targets.kubernetes import find_with

PLACE = "azure"
_MOST_WORKSPACES = 20
_READER = "Reader on the workspace, for example with the role AzureML Data Scientist"
_SERVICES = ("web_services", "endpoints")
_WELL = ("Succeeded", "Healthy")
_T = TypeVar("_T")


def found(wanted: Wanted, place: Place, limits: Limits) -> Found:
    """Where the service is, in the subscription of ``place``. Never raises for an Azure that does not answer."""
    try:
        arm = signed_in(place.subscription, limits, tenant=place.tenant)
        spaces = _workspaces(arm, place)
    except AzureError as error:
        return _refused(wanted, place, error)
    return _Search(arm, place, wanted, limits).run(spaces)


def _refused(wanted: Wanted, place: Place, error: AzureError) -> Found:
    """Nothing could be looked at. Where Azure is meant for certain, that is the answer: a report that says why."""
    gap = Unsearched(place=PLACE, why=str(error), remedy=error.needs or _READER)
    if place.strength != "named" or not place.workspace:
        return Found(place=PLACE, reachable=False, unsearched=(gap,))

    def nothing(_limits: Limits) -> Collection:
        gathering = Gathering(Subject("azure"))
        gathering.refused(_SERVICES, f"service {wanted.service} in workspace {place.workspace}", _READER, error)
        return gathering.collection(0)

    target = _target(wanted.service, "nowhere", place.subscription, place.resource_group, place.workspace)
    nowhere = Candidate(target=target, unwell=False, collect=nothing, unseen=True)
    return Found(place=PLACE, reachable=False, unsearched=(gap,), candidates=(nowhere,))


def _target(service: str, kind: str, subscription: str, group: str, workspace: str = "", what: str = "") -> Target:
    parts = (what, f"workspace {workspace}" if workspace else "", f"resource group {group}" if group else "")
    return Target(
        service=service,
        kind=kind,
        where=", ".join(filter(None, parts)),
        subscription=subscription,
        resource_group=group,
        workspace=workspace,
    )


def _workspaces(arm: Arm, place: Place) -> list[Links]:
    """The workspaces to look in. Raises AzureError where they cannot be read."""
    if place.workspace and place.resource_group:
        named = Links(place.subscription, place.resource_group, place.workspace)
        return [workspaces.links_of(arm.get(named.path, workspaces.API))]
    known = [workspaces.links_of(one) for one in workspaces.list_workspaces(arm, place.resource_group or None)]
    wanted = place.workspace.casefold()
    return [one for one in known if not wanted or one.name.casefold() == wanted][:_MOST_WORKSPACES]


@dataclass
class _Search:
    """One search, and what it has seen so far."""

    arm: Arm
    place: Place
    wanted: Wanted
    limits: Limits
    names: set[str] = field(default_factory=set)
    unsearched: list[Unsearched] = field(default_factory=list)

    def run(self, spaces: Sequence[Links]) -> Found:
        searches: list[Callable[[], list[Sighting]]] = []
        for links in spaces:
            searches += [partial(self._endpoints, links)] if self.wanted.on != "aci" else []
            searches += [partial(self._services, links)] if self.wanted.on != "endpoint" else []
        searches += [self._groups] if self.wanted.on != "endpoint" else []
        if self.place.workspace and not spaces:
            self._note(f"workspace {self.place.workspace}", "there is no such workspace", "check --workspace")
        sightings: list[Sighting] = []
        for answer in together(self.limits, searches):
            if isinstance(answer, list):
                sightings += answer
            else:
                self._note("", f"the search broke: {type(answer).__name__}", "allow more with --timeout")
        if not sightings:
            self._learn_names(spaces)
        return Found(
            place=PLACE,
            reachable=True,
            candidates=tuple(map(self._candidate, _distinct(sightings))),
            names=tuple(sorted(self.names)),
            unsearched=tuple(self.unsearched),
        )

    def _endpoints(self, links: Links) -> list[Sighting]:
        """The online endpoint of the name."""
        what = f"online endpoints of workspace {links.name}"
        body = self._asked(what, lambda: endpoints.read_endpoint(self.arm, links, self.wanted.service))
        if body is None:
            return []
        item = endpoints.endpoint_of(body, None)
        unwell = item.provisioning_state not in _WELL or not item.traffic_percent
        return [Sighting("endpoint", item.name, links.resource_group, unwell, links, in_cluster=bool(item.compute))]

    def _services(self, links: Links) -> list[Sighting]:
        """The web service of the name."""
        what = f"web services of workspace {links.name}"
        body = self._asked(what, lambda: web_services.read_service(self.arm, links, self.wanted.service))
        if body is None:
            return []
        item = web_services.service_of(body, None)
        on_cluster = item.compute_type == "AKS"
        if self.wanted.on == "aci" and on_cluster:
            return []
        group, unwell = links.resource_group, item.state not in _WELL
        return [
            Sighting("web service", item.name, group, unwell, links, in_cluster=on_cluster, namespace=item.namespace)
        ]

    def _groups(self) -> list[Sighting]:
        """The container group of the name."""
        group = self.place.resource_group or None
        listed = self._asked("container groups", lambda: groups.list_groups(self.arm, group)) or []
        wanted = self.wanted.service.casefold()
        self.names |= {text(one.get("name")) for one in listed}
        return [
            Sighting(
                "group",
                text(one.get("name")),
                within(one.get("id"), "resourceGroups"),
                False,
                group_id=text(one.get("id")),
            )
            for one in listed
            if text(one.get("name")).casefold() == wanted
        ]

    def _learn_names(self, spaces: Sequence[Links]) -> None:
        """What there is, for somebody who mistyped a name."""
        lists: list[Callable[[], None]] = []
        for links in spaces:
            every = partial(endpoints.list_endpoints, self.arm, links)
            lists.append(partial(self._name, f"names of online endpoints of workspace {links.name}", every))
            every = partial(web_services.list_services, self.arm, links)
            lists.append(partial(self._name, f"names of web services of workspace {links.name}", every))
        together(self.limits, lists)

    def _name(self, what: str, listed: Callable[[], list[Json]]) -> None:
        self.names |= {text(one.get("name")) for one in self._asked(what, listed) or ()}

    def _asked(self, what: str, call: Callable[[], _T]) -> _T | None:
        """The answer; None when it was refused, which is then noted."""
        try:
            return call()
        except AzureError as error:
            self._note(what, str(error), error.needs or _READER)
            return None

    def _note(self, what: str, why: str, remedy: str) -> None:
        gap = Unsearched(place=f"{PLACE}: {what}" if what else PLACE, why=why, remedy=remedy)
        if gap not in self.unsearched:
            self.unsearched.append(gap)

    def _candidate(self, sighting: Sighting) -> Candidate:
        links = sighting.links
        target = _target(
            sighting.name,
            sighting.place,
            self.arm.subscription,
            sighting.resource_group,
            links.name if links else "",
            f"{sighting.kind if sighting.kind != 'group' else 'container group'} {sighting.name}",
        )
        seen = _Seen(self.arm, sighting, target)
        join = seen.join if sighting.in_cluster else None
        return Candidate(target=target, unwell=sighting.unwell, collect=seen.collect, join=join)


def _distinct(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Without the container group that is a web service's own: the service leads there."""
    own = {s.name.casefold() for s in sightings if s.kind == "web service" and not s.in_cluster}
    return [s for s in sightings if s.kind != "group" or s.name.casefold() not in own]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A service in Azure, with or without the cluster's own account of it."""

    arm: Arm
    sighting: Sighting
    target: Target
    cluster: Candidate | None = None

    def collect(self, limits: Limits) -> Collection:
        """Azure's side, and for what runs on a cluster the pods."""
        return collect(self.arm, self.sighting, partial(self._pods, limits), limits)

    def join(self, other: Candidate) -> Candidate | None:
        """Both sides, when ``other`` is the same service in a cluster, as far as the namespace tells."""
        namespace = self.sighting.namespace
        if other.target.kind != "kubernetes" or (namespace and other.target.namespace != namespace):
            return None
        target = replace(
            self.target,
            where=f"{self.target.where}; {other.target.where}",
            namespace=other.target.namespace,
            notes=(*self.target.notes, *other.target.notes),
        )
        both = replace(self, cluster=other, target=target)
        unwell = self.sighting.unwell or other.unwell
        return Candidate(target=target, unwell=unwell, collect=both.collect, server=other.server)

    def _pods(self, limits: Limits, side: ClusterSide) -> Collection | None:
        """Through the kubeconfig at hand where it is that cluster's, else through the one that Azure gives out."""
        if self.cluster is not None and _same_cluster(self.cluster, side):
            return self.cluster.collect(limits)
        kubeconfig = side.kubeconfig()
        if kubeconfig is None:
            return None
        found = find_with(kubeconfig, self.sighting.name, side.namespace or None, limits)
        if found.candidates:
            return found.candidates[0].collect(limits)
        return _without_pods(self.sighting, side, found)


def _same_cluster(candidate: Candidate, side: ClusterSide) -> bool:
    """Nothing that is known of the two says otherwise."""
    same_namespace = not side.namespace or candidate.target.namespace == side.namespace
    return same_namespace and (not side.hosts or not candidate.server or candidate.server.casefold() in side.hosts)


def _without_pods(sighting: Sighting, side: ClusterSide, found: Found) -> Collection:
    """Why nothing of the service could be had from the cluster; that it has nothing there is an answer too."""
    what = f"pods of {sighting.name} in namespace {side.namespace or 'of the context'} of its cluster"
    gaps = [
        Missing(stream="pods", why=Why.UNREACHABLE, what=f"{what}: {g.why}", needs=g.remedy) for g in found.unsearched
    ]
    if found.reachable and not gaps:
        gaps = [Missing(stream="pods", why=Why.NOT_FOUND, what=what, needs="look at whether it was ever deployed")]
    return Collection(missing=tuple(gaps))
