"""What the Azure CLI prints, in the words of Azure Resource Manager, so that one decoder understands both.

Most commands lay the properties of a resource flat, some respell a name; ``az ml`` prints its own entities, with
underscores in names, and with values in the words of its YAML files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from diagnose.collectors.azure.answers import number, part, parts, text
from diagnose.collectors.files.azure_answers import Answer, Json

Body = dict[str, object]
_UNDERSCORE = re.compile(r"_([a-z0-9])")
_WORD = re.compile(r"(?:^|_)([a-z])")
_RESPELLED = {"authorizedIpRanges": "authorizedIPRanges", "privateFqdn": "privateFQDN"}
_AUTH_MODES = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
_FLAT = (Answer.REGISTRY, Answer.RUN, Answer.CLUSTER, Answer.ROLE, Answer.ROLE_DEFINITION)


def in_arm_words(kind: Answer, document: Json) -> Body:
    """The answer as Azure Resource Manager would give it."""
    if kind in _ML and any("_" in key for key in document):
        return _ML[kind](document)
    if kind is Answer.PROBLEMS:
        return {"value": _problems(part(document, "value") or document)}
    if kind in _FLAT and not isinstance(document.get("properties"), Mapping):
        return {**document, "properties": _respelled(document)}
    if kind is Answer.VAULT and "schema" in document:
        return dict(part(document, "vault"))
    return dict(document)


def _respelled(value: object) -> object:
    if isinstance(value, Mapping):
        return {_RESPELLED.get(key, key): _respelled(inner) for key, inner in value.items()}
    return value


def _problems(results: Json) -> Body:
    return {_camel(area): found for area, found in results.items()}


# --- entities of az ml ---


def _resource(told: Json, **properties: object) -> Body:
    """Names of ``told`` as properties, with those that the entity words in another way."""
    return {
        **{key: told[key] for key in ("id", "name", "location") if key in told},
        "identity": _identity(part(told, "identity")),
        "properties": {
            **{_camel(key): value for key, value in told.items()},
            "publicNetworkAccess": _pascal(told.get("public_network_access")),
            **properties,
        },
    }


def _workspace(told: Json) -> Body:
    network = {"isolationMode": _pascal(part(told, "managed_network").get("isolation_mode"))}
    return _resource(told, managedNetwork=network)


def _endpoint(told: Json) -> Body:
    mode = text(told.get("auth_mode"))
    compute = text(told.get("compute")).removeprefix("azureml:")
    properties = part(told, "properties")
    return _resource(told, authMode=_AUTH_MODES.get(mode, mode), compute=compute or None, properties=properties)


def _deployment(told: Json) -> Body:
    scale, requests = part(told, "scale_settings"), part(told, "request_settings")
    probe = part(told, "liveness_probe")
    body = _resource(
        told,
        endpointComputeType=_pascal(told.get("type")),
        environmentId=told.get("environment"),
        egressPublicNetworkAccess=_pascal(told.get("egress_public_network_access")),
        scaleSettings={**_camels(scale), "scaleType": _pascal(scale.get("type"))},
        requestSettings={
            **_camels(requests),
            "requestTimeout": _duration(requests.get("request_timeout_ms"), 0.001),
            "maxQueueWait": _duration(requests.get("max_queue_wait_ms"), 0.001),
        },
        livenessProbe={
            **_camels(probe),
            "period": _duration(probe.get("period")),
            "initialDelay": _duration(probe.get("initial_delay")),
        },
        properties=part(told, "properties"),
    )
    return {**body, "sku": {"capacity": told.get("instance_count")}}


def _compute(told: Json) -> Body:
    inner = {**part(told, "properties"), "namespace": told.get("namespace")}
    return _resource(told, computeType=_pascal(told.get("type")), properties=inner)


_ML: Mapping[Answer, Callable[[Json], Body]] = {
    Answer.WORKSPACE: _workspace,
    Answer.ENDPOINT: _endpoint,
    Answer.DEPLOYMENT: _deployment,
    Answer.COMPUTE: _compute,
}


def _identity(told: Json) -> Body:
    """``user_assigned_identities`` is an object by id, or, as older versions print it, a list with ``resource_id``."""
    given = told.get("user_assigned_identities")
    entries: Json = {text(one.get("resource_id")): one for one in parts(given)} or part(given)
    return {
        "type": ",".join(_pascal(kind.strip()) for kind in text(told.get("type")).split(",")),
        "principalId": told.get("principal_id"),
        "userAssignedIdentities": {arm_id: _camels(part(one)) for arm_id, one in entries.items()},
    }


def _camels(told: Json) -> Body:
    return {_camel(key): value for key, value in told.items()}


def _camel(name: str) -> str:
    """``key_vault`` as ``keyVault``."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name)


def _pascal(value: object) -> str:
    """``system_assigned`` as ``SystemAssigned``."""
    return _WORD.sub(lambda found: found[1].upper(), text(value))


def _duration(value: object, unit_s: float = 1.0) -> str:
    """A number of seconds, or of another unit, as ISO 8601 has it; empty for anything else."""
    amount = number(value)
    return f"PT{amount * unit_s:.3f}S" if amount is not None else ""
