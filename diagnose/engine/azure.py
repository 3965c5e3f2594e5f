"""What Azure's own states say of a service: web services of SDK v1, online endpoints, container groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnose.azure_items import (
    Access,
    AccessPolicy,
    Cluster,
    Compute,
    ContainerGroup,
    Endpoint,
    Identity,
    ImageBuild,
    OnlineDeployment,
    Operation,
    Registry,
    RequestMinute,
    RoleAssignment,
    Vault,
    VaultWrite,
    WebService,
    Workspace,
    WorkspaceProblem,
)
from diagnose.model import Evidence, Item, Subject

_SERVICE = {"Healthy": True, "Transitioning": None}
_GROUP = {"Running": True, "Succeeded": True, "Pending": None, "Repairing": None, "": None}
_PROVISIONED = {"Succeeded": True, "Failed": False, "Canceled": False}
_SETTINGS = (
    *(Access, AccessPolicy, Cluster, Compute, Identity, Registry, RoleAssignment),
    *(Vault, VaultWrite, Workspace, WorkspaceProblem),
)
_ENDED_BADLY = ("Failed", "Error", "Timeout", "TimedOut")


@dataclass(frozen=True, slots=True)
class State:
    """What one of Azure's objects says of itself."""

    told: str
    works: bool | None
    """None while it is on its way, or does not say."""
    subject: Subject | None = None
    """Whose containers cannot work while this does not."""


def states(evidence: Evidence) -> list[State]:
    """Of all objects that serve, or should."""
    return [
        *(state for item in evidence.items.get("web_services", ()) for state in _of_service(item)),
        *(state for item in evidence.items.get("endpoints", ()) for state in _of_endpoint(item)),
        *(state for item in evidence.items.get("online_deployments", ()) for state in _of_deployment(item)),
        *(state for item in evidence.items.get("groups", ()) for state in _of_group(item)),
        *(state for item in evidence.items.get("clusters", ()) for state in _of_cluster(item)),
    ]


def _of_service(item: Item) -> Iterator[State]:
    if isinstance(item, WebService):
        yield State(f"web service {item.name} is {item.state}", _SERVICE.get(item.state, False))


def _of_endpoint(item: Item) -> Iterator[State]:
    if not isinstance(item, Endpoint):
        return
    works = _PROVISIONED.get(item.provisioning_state)
    told = f"endpoint {item.name} is {item.provisioning_state}, {item.traffic_percent} % of its traffic goes somewhere"
    yield State(told, works and item.traffic_percent > 0 if item.deployments is not None else works)


def _of_deployment(item: Item) -> Iterator[State]:
    if isinstance(item, OnlineDeployment):
        works = _PROVISIONED.get(item.provisioning_state)
        yield State(f"deployment {item.name} is {item.provisioning_state}", works, item.subject)


def _of_group(item: Item) -> Iterator[State]:
    if isinstance(item, ContainerGroup):
        yield State(f"container group {item.name} is {item.state or 'of unknown state'}", _GROUP.get(item.state, False))


def _of_cluster(item: Item) -> Iterator[State]:
    """Only one that is not there says something of the service on it: Azure keeps the state it saw last."""
    if isinstance(item, Cluster) and (item.gone or item.power_state == "Stopped"):
        yield State(f"cluster {item.name} is {'gone' if item.gone else 'stopped'}", False)


def serves(evidence: Evidence) -> bool:
    """Azure says that something of it answers: for a part of the traffic at least."""
    working = {
        item.name
        for item in evidence.items.get("online_deployments", ())
        if isinstance(item, OnlineDeployment) and item.provisioning_state == "Succeeded" and item.traffic_percent
    }
    services = [item for item in evidence.items.get("web_services", ()) if isinstance(item, WebService)]
    groups = [item for item in evidence.items.get("groups", ()) if isinstance(item, ContainerGroup)]
    return (
        bool(working)
        or any(service.state == "Healthy" or service.available_replicas for service in services)
        or any(group.state == "Running" for group in groups)
    )


def is_setting(item: Item) -> bool:
    """How something is set up, of which a service that works is the proof that it does no harm now.

    A failed template deployment belongs here too: what it did to others of the group is not this service's.
    """
    return isinstance(item, _SETTINGS) or (isinstance(item, Operation) and item.kind == "template")


def is_broken(item: Item) -> bool:
    """It says itself that it does not work, or is an operation or a build that failed: what runs beside that is what
    was there before."""
    if isinstance(item, Operation | ImageBuild):
        return item.status in _ENDED_BADLY and not is_setting(item)
    of_item = (*_of_service(item), *_of_endpoint(item), *_of_deployment(item), *_of_group(item), *_of_cluster(item))
    return any(state.works is False for state in of_item)


def stages_passed(evidence: Evidence) -> list[str]:
    """Stages of which Azure's states are the proof."""
    passed = []
    for stream in ("web_services", "endpoints", "online_deployments", "groups", "builds", "http.minutes"):
        passed += [stage for item in evidence.items.get(stream, ()) for stage in _passed(item)]
    return passed


def _passed(item: Item) -> Iterator[str]:
    match item:
        case WebService():
            yield "probe" if item.state == "Healthy" else "register"
        case OnlineDeployment():
            yield from _passed_by_deployment(item)
        case ContainerGroup():
            yield "deploy"
        case ImageBuild() if item.in_registry or item.status == "Succeeded":
            yield "push"
        case RequestMinute() if item.ok:
            yield "score"


def _passed_by_deployment(item: OnlineDeployment) -> Iterator[str]:
    yield "probe" if item.provisioning_state == "Succeeded" else "register"
    steps = (
        ("system_setup", "deploy"),
        ("image_pull", "pull"),
        ("model_download", "pull"),
        ("container_start", "start"),
    )
    yield from (stage for step, stage in steps if getattr(item, step) == "Succeeded")
