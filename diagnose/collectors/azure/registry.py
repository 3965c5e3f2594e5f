"""The container registry: who may sign in how, and which networks it lets in.

Needs the role Reader on the registry. Whether an image is in it is not looked up here: its own API wants a token
exchange and AcrPull, which is another right than the one to look at resources, and which a firewall that keeps the
service out keeps us out of, too. The workspace knows it: see ``imageExistsInRegistry`` in ``builds``, whose absence
leaves ``ImageBuild.in_registry`` at None, "not known".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnose.azure_items import Registry
from diagnose.collectors.azure.answers import flag, name_of, part, parts, text
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

API = "2023-07-01"
_SUBJECT = Subject("azure")
_GONE = ("ResourceNotFound", "ResourceGroupNotFound")
"""404 of the registry itself; that of a subscription says nothing of it."""


def registry_of(body: Json) -> Registry:
    """The registry as an item. Answers of 2019 lack what was invented later: those fields stay empty."""
    name, properties = text(body.get("name")), part(body, "properties")
    return Registry(
        source=_source(name),
        subject=_SUBJECT,
        name=name,
        login_server=text(properties.get("loginServer")),
        sku=text(part(body, "sku").get("name")),
        admin_user=flag(properties.get("adminUserEnabled")),
        public_network_access=text(properties.get("publicNetworkAccess")),
        default_action=text(part(properties, "networkRuleSet").get("defaultAction")),
        bypass=text(properties.get("networkRuleBypassOptions")),
        private_endpoints=len(parts(properties.get("privateEndpointConnections"))),
        provisioning_state=text(properties.get("provisioningState")),
    )


def collect_registry(arm: Arm, registry_id: str, gathering: Gathering) -> Registry | None:
    """The registry with this ARM id, also put into ``registries``; one that Azure does not know is ``gone``.

    None when it could not be read, which the gathering then says.
    """
    name = name_of(registry_id)
    needs = f"Reader on container registry {name}"
    registry = gathering.attempt(
        ("registries",), f"container registry {name}", needs, lambda: _read(arm, registry_id, name)
    )
    if registry is not None:
        gathering.add("registries", [registry])
    return registry


def _read(arm: Arm, registry_id: str, name: str) -> Registry:
    """Raises AzureError."""
    try:
        return registry_of(arm.get(registry_id.rstrip("/"), API))
    except AzureError as error:
        if error.status == 404 and error.code in _GONE:
            return Registry(source=_source(name), subject=_SUBJECT, name=name, gone=True)
        raise


def _source(name: str) -> str:
    return f"az acr show -n {name}"
