"""Web services of SDK v1, on ACI and AKS, as the workspace's model management tells of them.

No generated SDK knows this API; it answers at a host that the workspace's discovery names, to the same token as Azure
Resource Manager. Needs the role Reader on the workspace, for logs AzureML Data Scientist. The service's keys and tokens
are never asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from diagnose.azure_items import Operation, WebService
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import (
    TAIL,
    flag,
    kept_of,
    log_of,
    number,
    part,
    text,
    told_by,
    whole,
)
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import Links
from diagnose.collectors.files.errors import pretty, quoted_facts
from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.times import moment
from diagnose.model import Item, Missing, Subject, Why
from diagnose.streams import Container, Event

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

_ROUTE = "/modelmanagement/v1.0"
_NO_CONTAINER = (400, 404, 409)
"""What is answered for the log of a container that does not exist, or not yet."""
_OPERATION = re.compile(r"\boperations?(?:[ _]?id)?\W{1,4}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.I)
_STATES = {"NotStarted": "Running", "Cancelled": "Canceled"}
_HOSTS: dict[str, str] = {}
"""By discovery address."""


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """What a web service leads to."""

    name: str
    compute_type: str
    """``ACI`` or ``AKS``."""
    compute: str = ""
    """Name of the AKS compute; empty on ACI."""
    namespace: str = ""
    image_id: str = ""
    """``mysvc:1``: of the v1 image, where there is one."""
    image_digest: str = ""
    environment: str = ""
    environment_version: str = ""
    fqdn: str = ""
    """Of the container group, on ACI: tells which group is the service's."""
    operations: tuple[str, ...] = ()
    """Ids of the operations that made it, as far as they are told."""
    error: str = ""
    """Its error as a person reads it; empty without one."""
    build_logs: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of image build logs that its operations name. They are signed: never show one."""


def subject_of(body: Json) -> Subject:
    """A container group bears the name of the service; so does the Deployment on a cluster."""
    name = text(body.get("name"))
    if text(body.get("computeType")) == "ACI":
        return Subject("aci", workload=name, container=name)
    return Subject("azure", workload=name)


def service_of(body: Json, now: datetime | None) -> WebService:
    """The service as an item; ``now`` is what its age is counted from."""
    requirements, scaler = part(body, "containerResourceRequirements"), part(body, "autoScaler")
    status, error = part(body, "deploymentStatus"), told_by(body.get("error"))
    updated = moment(text(body.get("updatedTime")))
    return WebService(
        source=source_of(text(body.get("name"))),
        subject=replace(subject_of(body), container=None),
        time=updated,
        name=text(body.get("name")),
        compute_type=text(body.get("computeType")),
        compute=text(body.get("computeName")),
        namespace=text(body.get("namespace")),
        state=text(body.get("state")),
        error_code=error.code,
        error_message=error.message,
        image=text(body.get("imageId")),
        auth_enabled=flag(body.get("authEnabled")),
        scoring_uri=text(body.get("scoringUri")),
        cpu=number(requirements.get("cpu")),
        memory_gb=number(requirements.get("memoryInGB")),
        autoscale=flag(scaler.get("autoscaleEnabled")),
        min_replicas=whole(scaler.get("minReplicas")),
        max_replicas=whole(scaler.get("maxReplicas")),
        target_utilization_percent=whole(scaler.get("targetUtilization")),
        replicas=whole(body.get("numReplicas")),
        desired_replicas=whole(status.get("desiredReplicas")),
        updated_replicas=whole(status.get("updatedReplicas")),
        available_replicas=whole(status.get("availableReplicas")),
        concurrent_requests=whole(body.get("maxConcurrentRequestsPerContainer")),
        queue_wait_ms=whole(body.get("maxQueueWaitMs")),
        scoring_timeout_ms=whole(body.get("scoringTimeoutMs")),
        updated_s=max(0.0, (now - updated).total_seconds()) if now and updated else None,
    )


def source_of(name: str) -> str:
    """How a person looks a service up: only SDK v1 can."""
    return f"Webservice(ws, {name!r}).serialize() of azureml-core"


def operation_of(body: Json, service: str) -> Operation:
    """The answer of ``/operations/ID``; its step is the stage: BuildEnvironment, BuildImage or DeployService."""
    error, state = told_by(body.get("error")), text(body.get("state"))
    return Operation(
        source=f"{source_of(service)}, operation {text(body.get('id'))}",
        subject=Subject("azure", workload=service),
        time=moment(text(body.get("endTime"))) or moment(text(body.get("createdTime"))),
        kind="service",
        name=service,
        step=text(part(body, "operationDetails").get("subOperationType")),
        status=_STATES.get(state, state),
        code=error.code,
        message=error.message,
    )


def graph_of(body: Json) -> ServiceGraph:
    """What the service leads to, without asking any further."""
    request = part(body, "environmentImageRequest")
    environment = part(request, "environmentReference") or part(request, "environment")
    error = body.get("error")
    told = pretty(error) if error else ""
    given = (text(body.get("operationId")), text(part(body, "properties").get("operationId")))
    return ServiceGraph(
        name=text(body.get("name")),
        compute_type=text(body.get("computeType")),
        compute=text(body.get("computeName")),
        namespace=text(body.get("namespace")),
        image_id=text(body.get("imageId")),
        image_digest=text(body.get("imageDigest")),
        environment=text(environment.get("name")),
        environment_version=text(environment.get("version")),
        fqdn=text(body.get("publicFqdn")),
        operations=tuple(dict.fromkeys(one for one in (*given, *_OPERATION.findall(told)) if one)),
        error=told,
    )


def host_of(arm: Arm, links: Links) -> str:
    """``https://eastus2.api.azureml.ms``, as the workspace's discovery tells; asked once. Raises AzureError.

    A discovery that answers, but not with what is expected, stands on the very host it would name.
    """
    if links.discovery_url not in _HOSTS:
        _HOSTS[links.discovery_url] = _discovered(arm, links.discovery_url)
    return _HOSTS[links.discovery_url]


def _discovered(arm: Arm, url: str) -> str:
    own = urlsplit(url)
    try:
        hosts: Mapping[str, object] = arm.elsewhere(url, signed=False)
    except AzureError as error:
        if error.status is None:
            raise
        hosts = {}
    return text(hosts.get("api")).rstrip("/") or f"{own.scheme}://{own.netloc}"


def _get(arm: Arm, links: Links, path: str) -> Json:
    """An answer of the workspace's model management. Raises AzureError."""
    return arm.elsewhere(_address(arm, links, path), signed=True)


def _address(arm: Arm, links: Links, path: str) -> str:
    return f"{host_of(arm, links)}{_ROUTE}{quote(links.path)}{path}"


def list_services(arm: Arm, links: Links) -> list[Json]:
    """All web services of the workspace. Raises AzureError."""
    return arm.pages_elsewhere(_address(arm, links, "/services?expand=true"), signed=True)


def read_service(arm: Arm, links: Links, name: str) -> Json | None:
    """The service; None when there is none of that name. Raises AzureError."""
    try:
        return _get(arm, links, f"/services/{quote(name)}?expand=true")
    except AzureError as error:
        if error.status == 404:
            return None
        raise


def collect_service(arm: Arm, links: Links, name: str, gathering: Gathering, limits: Limits) -> ServiceGraph | None:
    """The service with its error, its failed operations and its logs; None when it could not be read."""
    needs = f"Reader on workspace {links.name}"
    what = f"web service {name} of workspace {links.name}"
    read = gathering.attempt(("web_services",), what, needs, lambda: [read_service(arm, links, name)])
    if not read:
        return None
    (body,) = read
    if body is None:
        needs = "check the name: `Webservice.list(ws)` of azureml-core"
        gap = Missing(stream="web_services", why=Why.NOT_FOUND, what=what, needs=needs, subject=gathering.subject)
        gathering.miss(gap)
        return None
    gathering.add("web_services", [service_of(body, gathering.now)])
    graph = graph_of(body)
    gathering.add_logs("logs.deployment")
    _put_error(body, graph, gathering)
    for init in (False, True):
        _collect_log(arm, links, body, gathering, limits, init=init)
    logs = [_collect_operation(arm, links, graph, one, gathering) for one in graph.operations]
    return replace(graph, build_logs=tuple(log for log in logs if log))


def _put_error(body: Json, graph: ServiceGraph, gathering: Gathering) -> None:
    """The error as a text, and the states and events of pods and containers that it quotes.

    A service that is healthy again may still show its last error: states quoted in that are over.
    """
    if not graph.error:
        return
    source, subject = source_of(graph.name), subject_of(body)
    gathering.add_logs("logs.deployment", [log_of(graph.error, "logs.deployment", source, subject)])
    facts = quoted_facts(graph.error, Origin(source, subject, now=gathering.now))
    if text(body.get("state")) == "Healthy":
        facts = [fact for fact in facts if not isinstance(fact, Container)]
    for fact in facts:
        stream = "containers" if isinstance(fact, Container) else "events"
        gathering.add(stream, [_placed(fact, subject, gathering.now)])


def _placed(fact: Item, subject: Subject, now: datetime) -> Item:
    """A quoted fact as one of a live service: with its place and age, and no line of a file."""
    if isinstance(fact, Event):
        age_s = max(0.0, (now - fact.time).total_seconds()) if fact.time else None
        fact = replace(fact, name=fact.name or subject.container or subject.workload or "", age_s=age_s)
    at = replace(fact.subject, place="kubernetes") if fact.subject.pod else subject
    return replace(fact, subject=at, line=None)


def _collect_log(arm: Arm, links: Links, body: Json, gathering: Gathering, limits: Limits, *, init: bool) -> None:
    """The log of the service's container, or of its init container; most services have none of these."""
    name, subject = text(body.get("name")), subject_of(body)
    what = f"log of the {'init container of ' if init else ''}web service {name}"
    needs = f"AzureML Data Scientist on workspace {links.name}"
    try:
        answer = _get(arm, links, f"/services/{quote(name)}/logs?tail={TAIL}&init={init}")
    except AzureError as error:
        if error.status not in _NO_CONTAINER:
            gathering.refused(("logs.container",), what, needs, error)
        elif not init:
            _miss_log(f"{what}: {error}", subject, gathering)
        return
    content = text(answer.get("content"))
    if init and not content.strip():
        return
    kept, first_line, cut = kept_of(content, limits, gathering.now)
    source = f"Webservice(ws, {name!r}).get_logs({'init=True' if init else ''}) of azureml-core"
    whose = replace(subject, container=None) if init else subject
    log = log_of(kept, "logs.container", source, whose, first_line=first_line, cut=cut)
    gathering.add_logs("logs.container", [log])


def _miss_log(what: str, subject: Subject, gathering: Gathering) -> None:
    needs = "look again once a container of the service was started"
    gathering.miss(Missing(stream="logs.container", why=Why.NOT_FOUND, what=what, needs=needs, subject=subject))


def _collect_operation(arm: Arm, links: Links, graph: ServiceGraph, operation: str, gathering: Gathering) -> str:
    """The operation, with its error as a text; returns the signed address of the build log it names, or nothing."""
    what, needs = f"operation {operation} of web service {graph.name}", f"Reader on workspace {links.name}"
    body = gathering.attempt(("operations",), what, needs, lambda: _get(arm, links, f"/operations/{quote(operation)}"))
    if body is None:
        return ""
    item = operation_of(body, graph.name)
    gathering.add("operations", [item])
    if body.get("error"):
        log = log_of(pretty(body["error"]), "logs.deployment", item.source, item.subject)
        gathering.add_logs("logs.deployment", [log])
    return text(body.get("operationLog"))
