"""Services in saved answers of Azure: web services of SDK v1, online endpoints with deployments, container groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from diagnose.collectors.azure import online_operations, web_services
from diagnose.collectors.azure.answers import part, text, whole, within
from diagnose.collectors.azure.endpoints import endpoint_of
from diagnose.collectors.azure.group_answers import facts_of_operation
from diagnose.collectors.azure.groups import facts_of
from diagnose.collectors.azure.instance_logs import parted
from diagnose.collectors.azure.online_deployments import container_of, deployment_of, events_of
from diagnose.collectors.files.azure_answers import Answer, Answers, Json, SavedAnswer, SavedLog
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.collectors.files.names import Origin
from diagnose.model import Item, Subject

Body = dict[str, object]


def service_facts(answers: Answers) -> Iterator[Fact]:
    """What serves, or should, with the operations that made it."""
    yield from _web_services(answers)
    yield from _endpoints(answers)
    for answer in answers.of(Answer.GROUP):
        yield from _group(answer, answers)
    for answer in answers.of(Answer.GROUP_OPERATION):
        yield from facts_of_operation(answer.document, Origin(answer.source, Subject("aci"), now=answers.now))


def _web_services(answers: Answers) -> Iterator[Fact]:
    services = answers.of(Answer.SERVICE)
    name = text(services[0].body.get("name")) if len(services) == 1 else ""
    for answer in services:
        yield replace(web_services.service_of(answer.body, answers.now), source=answer.source)
    for answer in answers.of(Answer.SERVICE_OPERATION):
        yield replace(web_services.operation_of(answer.body, name), source=answer.source)


def _endpoints(answers: Answers) -> Iterator[Fact]:
    deployments = answers.of(Answer.DEPLOYMENT)
    bodies = {_name(one): one.body for one in answers.of(Answer.ENDPOINT)}
    for answer in answers.of(Answer.ENDPOINT):
        own = [one for one in deployments if _endpoint_of(one) == _name(answer)]
        yield replace(endpoint_of(answer.body, _all_deployments(answer, own, answers)), source=answer.source)
    for answer in deployments:
        endpoint = bodies.get(_endpoint_of(answer)) or {"name": within(answer.body.get("id"), "onlineEndpoints")}
        yield from _deployment(answer, endpoint, _log_of(answer, deployments, answers.logs), answers)
    for answer in answers.of(Answer.ONLINE_OPERATION):
        yield replace(_operation(answer, answers.of(Answer.ENDPOINT, Answer.DEPLOYMENT)), source=answer.source)


def _name(answer: SavedAnswer) -> str:
    return text(answer.body.get("name")).lower()


def _endpoint_of(deployment: SavedAnswer) -> str:
    return within(deployment.body.get("id"), "onlineEndpoints").lower()


def _all_deployments(endpoint: SavedAnswer, own: Sequence[SavedAnswer], answers: Answers) -> list[Body] | None:
    """The deployments of an endpoint; None when there may be others: then nobody can say that traffic goes nowhere."""
    traffic = part(endpoint.body, "properties", "traffic")
    served = {name.lower() for name, share in traffic.items() if whole(share)}
    if own:
        complete = any(one.listed for one in own) or (bool(served) and served <= set(map(_name, own)))
    else:
        complete = "online_deployments" in answers.empty
    return [one.body for one in own] if complete else None


def _deployment(answer: SavedAnswer, endpoint: Body, log: SavedLog | None, answers: Answers) -> Iterator[Item]:
    """The deployment with what its log tells of its instance; the log's own events are told with the log."""
    item = deployment_of(answer.body, endpoint, log.text if log else "")
    yield replace(item, source=answer.source)
    if log and item.kind == "managed":
        instance = parted(log.text)
        events = events_of(instance, item.name, log.source, answers.now)
        container = container_of(instance, events, item.name, log.source)
        yield from (container,) if container else ()


def _log_of(deployment: SavedAnswer, deployments: Sequence[SavedAnswer], logs: Sequence[SavedLog]) -> SavedLog | None:
    """The log whose file bears the deployment's name; any, where there is no other deployment it could be of."""
    name = re.compile(rf"(?<![a-z0-9]){re.escape(_name(deployment))}(?![a-z0-9])")
    named = [log for log in logs if name.search(log.source.lower())]
    return next(iter(named or (logs if len(deployments) == 1 else ())), None)


def _operation(answer: SavedAnswer, resources: Sequence[SavedAnswer]) -> Item:
    """An operation does not name its object; the object names its latest operation."""
    identifier = text(answer.body.get("name")) or text(answer.body.get("id")).rpartition("/")[2]
    kind = "deployment" if identifier.startswith("od") else "endpoint"
    named = (one for one in resources if identifier and f"/{identifier}?" in f"{_latest_operation(one.body)}?")
    name = next((text(one.body.get("name")) for one in named), "")
    return online_operations.operation_of(answer.body, kind, name)


def _latest_operation(body: Json) -> str:
    return text(part(body, "properties", "properties").get("AzureAsyncOperationUri"))


def _group(answer: SavedAnswer, answers: Answers) -> Iterator[Fact]:
    """A list of groups tells neither states nor events: they were not saved with it."""
    group, containers, events = facts_of(answer.body, answers.now)
    yield replace(group, source=answer.source)
    seen = [container for container in containers if container.state != "unknown"]
    if seen or events or group.state:
        yield from (Empty("containers"), Empty("events"))
    yield from (replace(item, source=answer.source) for item in (*seen, *events))
