"""What a reader of saved evidence brings: items, logs, gaps, and streams that are there but empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from diagnose.collectors.files.names import Origin
from diagnose.model import Item, Line, Log, Missing, Why
from diagnose.streams import STREAMS, Container, Event, Pod


@dataclass(frozen=True, slots=True)
class Empty:
    """A stream that was saved, though it may hold nothing."""

    stream: str


Fact = Item | Log | Missing | Empty

_STREAM_OF_ITEM = {
    stream.item: name for name, stream in STREAMS.items() if stream.item is not Line and not stream.derived
}
_SAVE_WITH: Mapping[str, str] = {
    "logs.container": "`kubectl logs POD -c CONTAINER --previous`, or `docker logs CONTAINER`",
    "logs.build": "the image build log of the workspace, or the output of `docker build`",
    "logs.router": "`kubectl logs -n azureml -l azuremlappname=azureml-fe`",
    "logs.deployment": "the error text of the SDK or of `az`",
    "logs.docker": "the output of the docker command that failed",
    "containers": "`kubectl get pods -o json`, or `docker inspect CONTAINER`",
    "pods": "`kubectl get pods -o json`",
    "conditions": "`kubectl get pods,deployments -o json`",
    "events": "`kubectl get events -o json`",
    "workloads": "`kubectl get deployments,replicasets,statefulsets -o json`",
    "services": "`kubectl get services,endpoints -o json`",
    "autoscalers": "`kubectl get hpa -o json`",
    "claims": "`kubectl get pvc -o json`",
    "quotas": "`kubectl get resourcequotas -o json`",
    "limits": "`kubectl get limitranges -o json`",
    "nodes": "`kubectl get nodes -o json`",
    "engine": "`docker info --format json`",
    "images": "`docker image inspect IMAGE`",
    "responses": "`curl -i` of the scoring URL",
    "workspaces": "`az ml workspace show -n WORKSPACE -g GROUP -o json`",
    "workspace_problems": "`az ml workspace diagnose -n WORKSPACE -g GROUP -o json`",
    "vaults": "`az keyvault show -n VAULT -o json`",
    "access_policies": "`az keyvault show -n VAULT -o json`",
    "vault_writes": "`az monitor activity-log list --resource-id VAULT_ID --offset 89d -o json`",
    "identities": "`az ml workspace show -n WORKSPACE -g GROUP -o json`",
    "role_assignments": "`az role assignment list --scope RESOURCE_ID --include-inherited -o json`",
    "access": "workspace, vault and `az role assignment list --scope VAULT_ID --include-inherited -o json`",
    "web_services": "the service's `service.serialize()` of SDK v1 as JSON",
    "endpoints": "`az ml online-endpoint show -n ENDPOINT -g GROUP -w WORKSPACE -o json`",
    "online_deployments": "`az ml online-deployment show -e ENDPOINT -n DEPLOYMENT -g GROUP -w WORKSPACE -o json`",
    "operations": "`az deployment operation group list -g GROUP -n DEPLOYMENT -o json`",
    "builds": "`az acr task list-runs -r REGISTRY -o json`",
    "groups": "`az container show -g GROUP -n NAME -o json`",
    "registries": "`az acr show -n REGISTRY -o json`",
    "clusters": "`az aks show -g GROUP -n CLUSTER -o json`",
    "computes": "`az ml compute show -n COMPUTE -g GROUP -w WORKSPACE -o json`",
    "http.minutes": "`az monitor metrics list --resource ENDPOINT_ID --metric RequestsPerMinute -o json`",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text whose facts are drawn once the clock of all the evidence is known."""

    origin: Origin
    draw: Callable[[Origin], Iterable[Fact]]
    newest: datetime | None = None

    def facts(self, now: datetime | None) -> Iterable[Fact]:
        """Its facts, with ages counted from ``now``."""
        return self.draw(replace(self.origin, now=now))


def sorted_items(facts: Iterable[Fact]) -> dict[str, tuple[Item, ...]]:
    """Items by stream, each fact once; streams that are there and empty hold ``()``."""
    items: dict[str, list[Item]] = {}
    for fact in facts:
        if isinstance(fact, Empty) and not STREAMS[fact.stream].is_text:
            items.setdefault(fact.stream, [])
        elif isinstance(fact, Item):
            items.setdefault(_STREAM_OF_ITEM[type(fact)], []).append(fact)
    items.update({stream: _once(found) for stream, found in items.items()})
    return {stream: tuple(found) for stream, found in items.items()}


def sorted_logs(facts: Iterable[Fact]) -> dict[str, tuple[Log, ...]]:
    """Logs by stream."""
    logs: dict[str, list[Log]] = {}
    for fact in facts:
        if isinstance(fact, Log):
            logs.setdefault(fact.stream, []).append(fact)
    return {stream: tuple(found) for stream, found in logs.items()}


def not_supplied(present: Iterable[str]) -> list[Missing]:
    """One gap for each stream of which nothing was saved, with the command that would have saved it."""
    return [
        Missing(stream=name, why=Why.NOT_SUPPLIED, what=stream.title, needs=_SAVE_WITH[name])
        for name, stream in STREAMS.items()
        if name in _SAVE_WITH and name not in set(present)
    ]


def _once(items: Sequence[Item]) -> list[Item]:
    """Without what another file says better: the same event, or a table's line about a pod known in detail."""
    detailed = {item.subject.pod for item in items if isinstance(item, Container) and item.subject.container}
    best: dict[tuple[str, ...], Item] = {}
    for item in items:
        key = _identity(item)
        if key and (key not in best or _wealth(item) > _wealth(best[key])):
            best[key] = item
    return [
        item
        for item in items
        if not (isinstance(item, Container) and item.subject.container is None and item.subject.pod in detailed)
        and not ((key := _identity(item)) and best[key].source != item.source)
    ]


def _identity(item: Item) -> tuple[str, ...] | None:
    """What two files tell of is one and the same when this is equal."""
    match item:
        case Event():
            return (item.kind, item.name, item.reason, item.message, item.type)
        case Pod():
            return ("Pod", item.name)
    return None


def _wealth(item: Item) -> tuple[int, ...]:
    """The one that knows more is kept."""
    if isinstance(item, Event):
        return (item.time is not None, item.age_s is not None, item.count)
    return (sum(1 for name in item.__dataclass_fields__ if getattr(item, name) not in (None, "", (), False)),)
