"""Deployments of an online endpoint: their settings, the steps of an instance, and the logs of both its containers.

Needs the role Reader on the workspace; for logs AzureML Data Scientist, as ``getLogs`` is an action.

The state of a managed deployment's container is told only as far as the log of its instance tells it:
UserContainerStart ``Succeeded`` is a container that runs and passed its readiness probe, ``Failed`` one that does not
come up. Anything else (``InProgress``, ``Waiting``, no log) is no state, and gives no item. On Kubernetes the cluster
tells the state, and better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from diagnose.azure_items import OnlineDeployment
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import (
    TAIL,
    kept_of,
    log_of,
    number,
    part,
    seconds,
    text,
    versioned,
    whole,
    within,
)
from diagnose.collectors.azure.crew import Crew, together
from diagnose.collectors.azure.errors import LONGER, AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.instance_logs import InstanceLog, parted
from diagnose.collectors.azure.online_operations import collect_operation
from diagnose.collectors.azure.workspaces import API, Links
from diagnose.collectors.files.errors import status_events
from diagnose.collectors.files.names import Origin
from diagnose.model import Missing, Subject, Why
from diagnose.streams import Container, Event

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

SERVER, INITIALIZER = "inference-server", "storage-initializer"
_TYPES = {SERVER: "InferenceServer", INITIALIZER: "StorageInitializer"}
_NOTHING_YET = (404, 409)
"""What is answered for the log of a container that does not exist, or not yet."""
_STABLE_S = 600.0
"""Seconds after which a container that was restarted counts as stable again."""


def kind_of(endpoint: Json) -> str:
    """Only an endpoint on Kubernetes names a compute; the value of its ``kind`` is documented nowhere."""
    return "kubernetes" if text(part(endpoint, "properties").get("compute")) else "managed"


def options_of(body: Json) -> str:
    """Options of ``az ml`` that name the workspace something belongs to."""
    arm_id = body.get("id")
    return f"-g {within(arm_id, 'resourceGroups')} -w {within(arm_id, 'workspaces')}"


def deployment_of(body: Json, endpoint: Json, log: str) -> OnlineDeployment:
    """The deployment as an item. ``log``: what ``getLogs`` gave, empty without; its instance status is told here."""
    properties = part(body, "properties")
    scale, requests = part(properties, "scaleSettings"), part(properties, "requestSettings")
    name, state = text(body.get("name")), text(properties.get("provisioningState"))
    traffic = {one.lower(): share for one, share in part(endpoint, "properties", "traffic").items()}
    instance = parted(log)
    return OnlineDeployment(
        source=f"az ml online-deployment show -e {text(endpoint.get('name'))} -n {name} {options_of(body)}",
        subject=Subject("endpoint", workload=name),
        name=name,
        endpoint=text(endpoint.get("name")),
        kind=_kind_of_deployment(body, endpoint),
        provisioning_state=state,
        traffic_percent=whole(traffic.get(name.lower())) or 0,
        instance_type=text(properties.get("instanceType")),
        instances=whole(part(body, "sku").get("capacity")),
        model=versioned(properties.get("model")),
        environment=versioned(properties.get("environmentId")),
        scale_type=text(scale.get("scaleType")),
        min_instances=whole(scale.get("minInstances")),
        max_instances=whole(scale.get("maxInstances")),
        target_utilization_percent=whole(scale.get("targetUtilizationPercentage")),
        concurrent_requests=whole(requests.get("maxConcurrentRequestsPerInstance")),
        request_timeout_s=seconds(requests.get("requestTimeout")),
        queue_wait_s=seconds(requests.get("maxQueueWait")),
        egress_public_network_access=text(properties.get("egressPublicNetworkAccess")),
        liveness_allows_s=_allowance_s(part(properties, "livenessProbe")),
        system_setup=instance.steps.get("SystemSetup", ""),
        image_pull=instance.steps.get("UserContainerImagePull", ""),
        model_download=instance.steps.get("ModelDownload", ""),
        container_start=instance.steps.get("UserContainerStart", ""),
        failed_step=instance.failed_step(state),
    )


def _kind_of_deployment(body: Json, endpoint: Json) -> str:
    """As it says itself; the endpoint's where it does not."""
    told = text(part(body, "properties").get("endpointComputeType")).lower()
    return told if told in ("managed", "kubernetes") else kind_of(endpoint)


def _allowance_s(probe: Mapping[str, object]) -> float | None:
    """Seconds until a container that never answers is killed."""
    period, failures = seconds(probe.get("period")), number(probe.get("failureThreshold"))
    if period is None or failures is None:
        return None
    return (seconds(probe.get("initialDelay")) or 0.0) + period * failures


def events_of(instance: InstanceLog, deployment: str, source: str, now: datetime | None) -> list[Event]:
    """The ``Container events`` of a log, as events of the deployment."""
    subject = Subject("endpoint", workload=deployment, container=SERVER)
    return [
        replace(
            event,
            name=deployment,
            age_s=max(0.0, (now - event.time).total_seconds()) if now and event.time else None,
        )
        for event in status_events(instance.header, Origin(source, subject))
    ]


def container_of(instance: InstanceLog, events: Sequence[Event], deployment: str, source: str) -> Container | None:
    """The state of the deployment's container, where the instance status allows to tell one; see the module."""
    status = instance.steps.get("UserContainerStart", "")
    starts = [event for event in events if event.reason == "Started"]
    common = Container(
        source=source,
        subject=Subject("endpoint", workload=deployment, container=SERVER),
        name=SERVER,
        restarts=max(0, len(starts) - 1),
    )
    if status == "Succeeded":
        running_s = min((event.age_s for event in starts if event.age_s is not None), default=None)
        stable = not common.restarts or (running_s or 0.0) >= _STABLE_S
        return replace(common, state="running", ready=True, running_s=running_s, stable=stable)
    if status == "Failed":
        last = next((event for event in reversed(events) if event.type == "Warning"), None)
        why = (last.reason, last.message) if last else ("", "")
        return replace(common, state="waiting", ready=False, reason=why[0], message=why[1])
    return None


@dataclass(frozen=True, slots=True)
class Reading:
    """Of the deployments of one endpoint."""

    arm: Arm
    links: Links
    endpoint: Json
    gathering: Gathering
    limits: Limits

    def log_source(self, deployment: str, container: str) -> str:
        """The command that prints the log of a deployment."""
        which = "" if container == SERVER else f" --container {container}"
        named = f"-e {text(self.endpoint.get('name'))} -n {deployment}"
        return f"az ml online-deployment get-logs {named} {self.links.options} -l {TAIL}{which}"

    def log_path(self, deployment: str) -> str:
        """Where the log of a deployment is asked for."""
        endpoint = f"{self.links.path}/onlineEndpoints/{text(self.endpoint.get('name'))}"
        return f"{endpoint}/deployments/{deployment}/getLogs"


def collect_deployments(reading: Reading, listed: Sequence[Json]) -> tuple[OnlineDeployment, ...]:
    """All of them side by side, in the order in which Azure lists them; without those that took too long."""
    gathering, found = reading.gathering, dict[int, OnlineDeployment]()
    crew = Crew(gathering, reading.limits)
    gathering.add("online_deployments")
    gathering.add("events")

    def collect(index: int, body: Json) -> None:
        found[index] = _collect_deployment(reading, body)

    needs = f"Reader on workspace {reading.links.name}"
    for index, body in enumerate(listed):
        what = f"deployment {text(body.get('name'))}"
        crew.start(("online_deployments", "logs.container"), what, partial(collect, index, body))
        operation = partial(collect_operation, reading.arm, "deployment", body, needs, gathering)
        crew.start(("operations",), f"the last operation on {what}", operation)
    crew.finish()
    return tuple(found[index] for index in sorted(found))


def _collect_deployment(reading: Reading, body: Json) -> OnlineDeployment:
    name, gathering = text(body.get("name")), reading.gathering
    server, initializer = together(
        reading.limits, [partial(_asked_log, reading, name, container) for container in (SERVER, INITIALIZER)]
    )
    content = _put_log(reading, body, SERVER, server)
    downloaded = parted(content).steps.get("ModelDownload") == "Succeeded"
    logs = (content, _put_log(reading, body, INITIALIZER, initializer, over=downloaded))
    told = next((log for log in logs if parted(log).steps), content)
    item = deployment_of(body, reading.endpoint, told)
    gathering.add("online_deployments", [item])
    source = reading.log_source(name, SERVER)
    events = list(dict.fromkeys(e for log in logs for e in events_of(parted(log), name, source, gathering.now)))
    gathering.add("events", events)
    if item.kind == "managed" and (container := container_of(parted(told), events, name, source)):
        gathering.add("containers", [container])
    return item


def _asked_log(reading: Reading, deployment: str, container: str) -> str:
    """The log of one container as Azure gives it. Raises AzureError."""
    wanted: Json = {"containerType": _TYPES[container], "tail": TAIL}
    return text(reading.arm.post(reading.log_path(deployment), API, wanted).get("content"))


def _put_log(reading: Reading, body: Json, container: str, answer: str | Exception, *, over: bool = False) -> str:
    """What the container wrote into the gathering, or why that is not known; returns the log as Azure gave it.

    ``over``: its work is known to be done; that it has no log then says nothing against the deployment.
    """
    name, gathering = text(body.get("name")), reading.gathering
    subject = Subject("endpoint", workload=name, container=container)
    if isinstance(answer, Exception):
        _miss_log(reading, f"log of {container} of deployment {name}", subject, answer, over)
        return ""
    instance = parted(answer)
    kept, first_line, cut = kept_of(instance.content, reading.limits, gathering.now, instance.first_line)
    cuts = "; ".join(filter(None, (cut, _one_of(body))))
    source = reading.log_source(name, container)
    log = log_of(kept, "logs.container", source, subject, first_line=first_line, cut=cuts)
    gathering.add_logs("logs.container", [log])
    return answer


def _miss_log(reading: Reading, what: str, subject: Subject, error: Exception, over: bool) -> None:
    if isinstance(error, AzureError) and error.status not in _NOTHING_YET:
        needs = f"AzureML Data Scientist on workspace {reading.links.name}"
        reading.gathering.refused(("logs.container",), what, needs, error)
        return
    if isinstance(error, AzureError):
        why = Why.NOT_SUPPLIED if over else Why.NOT_FOUND
        told, needs = f"{what}: {error}", "" if over else "look again once an instance of the deployment was set up"
    elif isinstance(error, TimeoutError):
        why, told, needs = Why.TIMED_OUT, f"{what}: not done in time", LONGER
    else:
        raise error
    reading.gathering.miss(Missing(stream="logs.container", why=why, what=told, needs=needs, subject=subject))


def _one_of(body: Json) -> str:
    instances = whole(part(body, "sku").get("capacity")) or 0
    return f"of one of {instances} instances: Azure gives no other" if instances > 1 else ""
