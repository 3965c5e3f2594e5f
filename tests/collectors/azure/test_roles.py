"""Roles: what those of Azure allow, and how an unknown one is judged."""

from __future__ import annotations

import pytest
from azure_server import body_of

from diagnose.collectors.azure.roles import PULL_IMAGES, READ_BLOBS, READ_SECRETS, WELL_KNOWN, role_of

GET_SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"


def role(**permissions: list[str]):
    return role_of({"properties": {"roleName": "Custom", "permissions": [permissions]}})


def test_contributor_as_recorded_pulls_images_and_reads_no_secret():
    [definition] = body_of("authorization/role_definitions_list")["value"]
    told = role_of(definition)
    assert (told.name, told.allows) == ("Contributor", (PULL_IMAGES,))
    assert WELL_KNOWN[definition["name"]] == told


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ({"dataActions": [GET_SECRET]}, (READ_SECRETS,)),
        ({"dataActions": ["Microsoft.KeyVault/vaults/secrets/*"]}, (READ_SECRETS,)),
        ({"dataActions": ["microsoft.keyvault/VAULTS/*"], "notDataActions": [GET_SECRET.lower()]}, ()),
        ({"dataActions": ["Microsoft.KeyVault/vaults/secrets/readMetadata/action"]}, ()),
        ({"actions": ["*"]}, (PULL_IMAGES,)),
        ({"actions": ["*/read"]}, (PULL_IMAGES,)),
        ({"actions": ["*"], "notActions": ["Microsoft.ContainerRegistry/*"]}, ()),
        ({"dataActions": ["Microsoft.ContainerRegistry/registries/repositories/content/read"]}, (PULL_IMAGES,)),
        ({"dataActions": ["Microsoft.Storage/*/blobs/read"]}, (READ_BLOBS,)),
        ({"actions": [GET_SECRET]}, ()),
        ({}, ()),
    ],
)
def test_a_role_allows_what_its_actions_cover(permissions, allowed):
    assert role(**permissions).allows == allowed


def test_no_role_of_management_reads_secrets():
    readers = [known.name for known in WELL_KNOWN.values() if READ_SECRETS in known.allows]
    assert readers == ["Key Vault Administrator", "Key Vault Secrets Officer", "Key Vault Secrets User"]


def test_what_a_caller_may_do_at_a_group_is_judged_alike():
    permissions = body_of("authorization/permissions_list_for_resource_group")["value"]
    assert role_of({"properties": {"permissions": permissions}}).allows == (PULL_IMAGES,)
