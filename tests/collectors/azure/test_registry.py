"""Container registries, as Azure Resource Manager of several years describes them."""

from __future__ import annotations

from typing import Any

import pytest
from azure_server import GROUP, AzureServer, body_of

from diagnose.azure_items import Refusal, Registry
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.registry import collect_registry, registry_of
from diagnose.model import Subject, Why

REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry"


def body(name: str) -> dict[str, Any]:
    found = body_of(f"containerregistry/{name}")
    assert isinstance(found, dict)
    return found


@pytest.fixture
def gathering() -> Gathering:
    return Gathering(Subject("azure", workload="mysvc"))


def test_a_registry_that_anybody_may_reach():
    assert registry_of(body("registry_get_ok")) == Registry(
        source="az acr show -n myregistry",
        subject=Subject("azure"),
        name="myregistry",
        login_server="myregistry.azurecr.io",
        sku="Premium",
        admin_user=False,
        public_network_access="Enabled",
        default_action="Allow",
        bypass="AzureServices",
        provisioning_state="Succeeded",
    )


def test_a_registry_behind_its_firewall():
    registry = registry_of(body("registry_get_network_denied"))
    assert (registry.public_network_access, registry.default_action) == ("Disabled", "Deny")


def test_a_registry_that_is_being_made():
    assert registry_of(body("registry_put_2025")).provisioning_state == "Creating"


def test_what_2019_did_not_know_is_left_open():
    registry = registry_of(body("registry_get_2019"))
    assert (registry.admin_user, registry.default_action) == (True, "Allow")
    assert (registry.public_network_access, registry.bypass) == ("", "")


def test_private_endpoints_are_counted():
    answer = body("registry_get_ok")
    answer["properties"]["privateEndpointConnections"] = [{"name": "one"}, {"name": "two"}]
    assert registry_of(answer).private_endpoints == 2


def test_an_answer_without_properties_is_a_registry_of_which_nothing_is_known():
    registry = registry_of({"name": "myregistry", "properties": None})
    assert (registry.name, registry.admin_user, registry.default_action) == ("myregistry", None, "")


def test_the_registry_is_collected(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("containerregistry/registry_get_network_denied")
    registry = collect_registry(arm, REGISTRY, gathering)
    collection = gathering.collection(arm.received)
    assert registry is not None
    assert collection.items == {"registries": (registry,)}
    assert (registry.default_action, collection.missing) == ("Deny", ())
    assert azure.paths() == [REGISTRY]


def test_a_registry_that_azure_does_not_know_is_evidence(arm: Arm, gathering: Gathering) -> None:
    registry = collect_registry(arm, REGISTRY.replace("myregistry", "deleted"), gathering)
    assert registry is not None
    assert (registry.name, registry.gone) == ("deleted", True)
    assert gathering.collection(0).missing == ()


def test_a_subscription_that_is_not_there_says_nothing_of_the_registry(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    error = {"error": {"code": "SubscriptionNotFound", "message": "The subscription could not be found."}}
    azure.answer("GET", REGISTRY, 404, error)
    assert collect_registry(arm, REGISTRY, gathering) is None
    assert [missing.why for missing in gathering.collection(0).missing] == [Why.NOT_FOUND]


def test_whoever_may_not_look_is_told_the_role(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("arm_errors/403_authorization_failed", at=REGISTRY)
    assert collect_registry(arm, REGISTRY, gathering) is None
    (missing,) = gathering.collection(0).missing
    assert (missing.stream, missing.why) == ("registries", Why.DENIED)
    assert missing.needs


@pytest.mark.parametrize(
    ("fixture", "code", "told"),
    [
        ("error_400_with_status", "ClassicSkuDeprecated", "Classic SKU is now deprecated"),
        ("error_409_json_in_json_string", "Unauthorized", "Failed to create webhook for repository"),
    ],
)
def test_how_registries_refuse(
    azure: AzureServer, arm: Arm, gathering: Gathering, fixture: str, code: str, told: str
) -> None:
    """Recorded of a PUT, which is never sent: here they stand for any refusal."""
    azure.use(f"containerregistry/{fixture}", at=REGISTRY)
    assert collect_registry(arm, REGISTRY, gathering) is None
    (refusal,) = gathering.collection(0).items["refusals"]
    assert isinstance(refusal, Refusal)
    assert (refusal.code, told in refusal.message) == (code, True)
