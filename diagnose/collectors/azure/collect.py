"""From a service seen in Azure to its evidence: what it leads to, and the parts of its workspace, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Literal

from diagnose.azure_items import AccessPolicy, ContainerGroup, Identity, RoleAssignment, Vault
from diagnose.collectors import Limits
from diagnose.collectors.azure import builds, clusters, computes, endpoints, groups, metrics, web_services, workspaces
from diagnose.collectors.azure.access import access_of
from diagnose.collectors.azure.answers import name_of, part, text, within
from diagnose.collectors.azure.arm import Arm, Json
from diagnose.collectors.azure.computes import ComputeGraph
from diagnose.collectors.azure.crew import Crew
from diagnose.collectors.azure.gathering import Gathering, merged
from diagnose.collectors.azure.identities import collect_roles, identities_of, identities_of_cluster
from diagnose.collectors.azure.registry import collect_registry
from diagnose.collectors.azure.templates import collect_history, collect_templates
from diagnose.collectors.azure.vault import collect_vault
from diagnose.collectors.azure.web_services import ServiceGraph
from diagnose.collectors.azure.workspaces import Links
from diagnose.model import Collection, Missing, Subject, Why

Kind = Literal["endpoint", "web service", "group"]
Pods = Callable[["ClusterSide"], Collection | None]
"""Collects the pods of the service from the cluster; None when there is no way in."""

_OWN_CHECK_S = 45.0
"""The workspace's own check takes about 30 s (recorded: 202 and a Location to ask again): less left is time wasted."""
_IN_CLUSTER = ("pods", "containers", "events", "workloads", "services", "logs.container")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A service that the search saw in Azure."""

    kind: Kind
    name: str
    resource_group: str
    unwell: bool
    """Its own state says so."""
    links: Links | None = None
    """Its workspace; None for a container group that belongs to none."""
    group_id: str = ""
    """ARM id of the container group."""
    in_cluster: bool = False
    """It runs on Kubernetes: the cluster has more to say."""
    namespace: str = ""
    """Of its pods, where the search already knows it."""

    @property
    def place(self) -> str:
        """Kind of the target: ``endpoint``, ``aci``, or ``azure`` for what runs on a cluster."""
        if self.in_cluster:
            return "azure"
        return "endpoint" if self.kind == "endpoint" else "aci"


@dataclass(frozen=True, slots=True)
class ClusterSide:
    """Where the pods of a service are, as Azure tells."""

    namespace: str = ""
    hosts: tuple[str, ...] = ()
    """Names of the API server; empty when they could not be read."""
    kubeconfig: Callable[[], bytes | None] = lambda: None


def collect(arm: Arm, sighting: Sighting, pods: Pods, limits: Limits) -> Collection:
    """All that Azure tells of the service, by the deadline; what could not be read is in ``missing``."""
    gathering = Gathering(Subject(sighting.place))
    crew = Crew(gathering, limits)
    run = _Run(arm.under(limits), sighting, pods, limits, gathering, crew)
    run.start()
    crew.finish()
    run.conclude()
    return merged([gathering.collection(arm.received), *run.clusters])


@dataclass
class _Run:
    """One collection, and what its tasks found out for each other."""

    arm: Arm
    sighting: Sighting
    pods: Pods
    limits: Limits
    gathering: Gathering
    crew: Crew
    clusters: list[Collection] = field(default_factory=list)
    vault: Vault | None = None
    policies: tuple[AccessPolicy, ...] = ()
    roles: dict[str, Sequence[RoleAssignment] | None] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    checked: bool = False
    """Something was seen to be wrong, and the workspace is asked what it thinks."""
    lock: Lock = field(default_factory=Lock)

    def start(self) -> None:
        """Begin with the service itself; the parts of its workspace are read beside it."""
        links = self.sighting.links
        if self.sighting.kind == "group":
            self._start_group(self.sighting.group_id)
        elif links is not None and self.sighting.kind == "endpoint":
            self.crew.start(("endpoints", "online_deployments"), "the endpoint", partial(self._endpoint, links))
        elif links is not None:
            self.crew.start(("web_services", "logs.container"), "the web service", partial(self._service, links))
        if links is not None:
            self._start_workspace(links)

    def conclude(self) -> None:
        """What follows from several answers: who needs what, and has it."""
        self.gathering.add("identities", self.identities)
        if self.sighting.kind == "web service" and self.gathering.items("groups", ContainerGroup):
            # What the service quotes of its container group was true when it failed; the group itself tells what is.
            quoted = web_services.source_of(self.sighting.name).partition(".")[0]
            self.gathering.forget(("containers", "events", "logs.container"), quoted)
        links = self.sighting.links
        if links is None:
            return
        found, missing = access_of(
            self.identities,
            self.roles,
            vault=self.vault,
            policies=self.policies,
            registry=name_of(links.registry_id),
            storage=name_of(links.storage_id),
        )
        self.gathering.add("access", found)
        for gap in missing:
            self.gathering.miss(gap)

    # --- the workspace ---

    def _start_workspace(self, links: Links) -> None:
        self.gathering.add("workspaces", [workspaces.workspace_of(links.body)])
        self._know(identities_of(links.body, "workspace"))
        if links.vault_id:
            self.crew.start(("vaults", "access_policies"), "the vault", partial(self._vault, links))
        if links.registry_id:
            read = partial(collect_registry, self.arm, links.registry_id, self.gathering)
            self.crew.start(("registries",), "the registry", read)
        for kind, scope in (("vault", links.vault_id), ("registry", links.registry_id), ("storage", links.storage_id)):
            if scope:
                on = f"{kind} {name_of(scope)}"
                self.crew.start(("role_assignments", "access"), f"roles on {on}", partial(self._roles, scope, on))
        if self.sighting.unwell:
            self._found_unwell(links)

    def _found_unwell(self, links: Links) -> None:
        """Something is wrong: let the workspace check itself, once."""
        with self.lock:
            if self.checked:
                return
            self.checked = True
        streams, what = ("workspace_problems",), f"the check of workspace {links.name} by itself"
        if self.limits.deadline - time.monotonic() >= _OWN_CHECK_S:
            self.crew.start(streams, what, partial(workspaces.collect_problems, self.arm, links, self.gathering))
            return
        needs = "it takes about 30 seconds: allow it with --timeout 60"
        subject = self.gathering.subject
        self.gathering.miss(Missing(stream=streams[0], why=Why.NOT_SUPPLIED, what=what, needs=needs, subject=subject))

    def _vault(self, links: Links) -> None:
        item = workspaces.workspace_of(links.body)
        self.vault = collect_vault(self.arm, links.vault_id, item, self.gathering)
        self.policies = self.gathering.items("access_policies", AccessPolicy)
        collect_history(self.arm, links.vault_id, self.vault, self.gathering)
        group = within(links.vault_id, "resourceGroups")
        if group.casefold() != links.resource_group.casefold():
            collect_templates(self.arm, links.resource_group, None, self.gathering)

    def _roles(self, scope: str, on: str) -> None:
        found = collect_roles(self.arm, scope, on, self.gathering)
        with self.lock:
            self.roles[on] = found

    def _know(self, identities: Sequence[Identity]) -> None:
        with self.lock:
            self.identities += identities

    # --- the service ---

    def _endpoint(self, links: Links) -> None:
        name, gathering = self.sighting.name, self.gathering
        graph = endpoints.collect_endpoint(self.arm, links, name, gathering, self.limits)
        if graph is None:
            return
        if any(deployment.provisioning_state == "Failed" for deployment in graph.deployments):
            self._found_unwell(links)
        body: Json = {"name": name, "identity": graph.identity}
        self._know(identities_of(body, "endpoint"))
        asked = partial(metrics.collect_minutes, self.arm, graph.endpoint_id, gathering, self.limits)
        self.crew.start(("http.minutes",), "the endpoint's requests", asked)
        for environment in graph.environments:
            self._start_environment(links, name_of(within(environment, "environments")), name_of(environment))
        if graph.compute:
            self.crew.start(_IN_CLUSTER, "the cluster's side", partial(self._compute, links, graph.compute))
        self._named_logs(" ".join(gathering.texts("logs.deployment")))

    def _service(self, links: Links) -> None:
        graph = web_services.collect_service(self.arm, links, self.sighting.name, self.gathering, self.limits)
        if graph is None:
            return
        if graph.compute_type == "ACI":
            work = partial(self._group_of_service, links, graph)
            self.crew.start(("groups", "containers", "logs.container"), "the container group", work)
        elif graph.compute:
            side = partial(self._compute, links, graph.compute, graph.namespace)
            self.crew.start(_IN_CLUSTER, "the cluster's side", side)
        if graph.image_id:
            image = partial(builds.collect_image, self.arm, links, graph.image_id, self.gathering, self.limits)
            self.crew.start(("builds", "logs.build"), f"image {graph.image_id}", image)
        if graph.environment:
            self._start_environment(links, graph.environment, graph.environment_version)
        for url in graph.build_logs:
            builds.collect_linked_log(url, self.gathering, self.limits)
        self._named_logs(graph.error)

    def _group_of_service(self, links: Links, graph: ServiceGraph) -> None:
        """The container group behind a web service bears its name, or its address only."""
        what = f"container group of web service {graph.name} in resource group {links.resource_group}"
        streams, needs = ("groups",), f"Reader on resource group {links.resource_group}"
        listed = self.gathering.attempt(
            streams, what, needs, lambda: groups.list_groups(self.arm, links.resource_group)
        )
        if listed is None:
            return
        found = groups.groups_of_service(listed, graph.name, graph.fqdn)
        for one in found[:1]:
            groups.collect_group(self.arm, text(one.get("id")), self.gathering, self.limits)
        if not found:
            gap = Missing(stream="groups", why=Why.NOT_FOUND, what=what, subject=self.gathering.subject)
            self.gathering.miss(gap)

    def _start_group(self, group_id: str) -> None:
        work = partial(groups.collect_group, self.arm, group_id, self.gathering, self.limits)
        self.crew.start(("groups", "containers", "logs.container"), "the container group", work)

    def _start_environment(self, links: Links, name: str, version: str) -> None:
        what = f"the image of environment {name}:{version}"
        self.crew.start(("builds", "logs.build"), what, partial(self._environment, links, name, version))

    def _environment(self, links: Links, name: str, version: str) -> None:
        build = builds.collect_environment(self.arm, links, name, version, self.gathering)
        missing = build is not None and build.in_registry is False
        if links.registry_id and (missing or self.checked):
            image = build.image if build else ""
            builds.collect_runs(self.arm, links.registry_id, self.gathering, self.limits, image=image, missing=missing)

    def _named_logs(self, error: str) -> None:
        builds.collect_named_logs(self.arm, error, self.gathering, self.limits)

    # --- the cluster ---

    def _compute(self, links: Links, compute: str, namespace: str = "") -> None:
        graph = computes.read_compute(self.arm, links, compute, self.gathering)
        side = self._cluster(graph, namespace) if graph else ClusterSide(namespace or self.sighting.namespace)
        found = self.pods(side)
        if found is not None:
            self.clusters.append(found)

    def _cluster(self, graph: ComputeGraph, namespace: str) -> ClusterSide:
        if not graph.cluster_id:
            return ClusterSide(graph.namespace or namespace)
        body = clusters.collect_cluster(self.arm, graph.cluster_id, self.gathering)
        if body is not None:
            self._know(identities_of_cluster(body))
        kubeconfig = partial(clusters.kubeconfig_of, self.arm, graph.cluster_id, self.gathering)
        # The namespace of a v1 service is its own; that of a v2 compute is the one its endpoints are put into.
        return ClusterSide(namespace or graph.namespace, _hosts(body or {}), kubeconfig)


def _hosts(cluster: Mapping[str, object]) -> tuple[str, ...]:
    properties = part(cluster, "properties")
    names = (text(properties.get(key)) for key in ("fqdn", "privateFQDN", "azurePortalFQDN"))
    return tuple(name.casefold() for name in names if name)
