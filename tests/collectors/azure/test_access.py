"""Whether identities may do what their owners need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from azure_server import body_of

from diagnose.azure_items import Access, Identity, RoleAssignment
from diagnose.collectors.azure.access import access_of
from diagnose.collectors.azure.identities import roles_of
from diagnose.collectors.azure.roles import PULL_IMAGES, READ_BLOBS, READ_SECRETS
from diagnose.collectors.azure.vault import policies_of, vault_of
from diagnose.model import Why

NOW = datetime(2026, 11, 22, tzinfo=UTC)
VAULT, REGISTRY, STORAGE = "vault kv-mlops", "registry myregistry", "storage stmlops"
CUSTOM = "22222222-0000-0000-0000-000000000001"
RBAC = vault_of(body_of("keyvault/vault_get_rbac"), [], NOW)
BY_POLICY = vault_of(body_of("keyvault/vault_get_access_policies"), [], NOW)
POLICIES = policies_of(body_of("keyvault/vault_get_access_policies"), {})
LISTED = POLICIES[0].principal


def identity(kind: str, principal: str = "p1", owner: str = "o") -> Identity:
    return Identity(source="test", owner_kind=kind, owner=owner, principal=principal)


def role(name: str, *allows: str, principal: str = "p1", kind: str = "ServicePrincipal") -> RoleAssignment:
    return RoleAssignment(source="test", principal=principal, principal_type=kind, role=name, allows=allows)


def answers(*found: Access) -> list[tuple[str, bool, str]]:
    return [(one.resource_kind, one.granted, one.via) for one in found]


def test_a_workspace_named_in_a_policy_may_read():
    [found], missing = access_of([identity("workspace", LISTED)], {}, vault=BY_POLICY, policies=POLICIES)
    assert answers(found) == [("vault", True, "access policy")]
    assert (found.resource, missing) == ("kv-mlops", ())


@pytest.mark.parametrize(
    "policies",
    [
        (),
        (replace(POLICIES[0], principal="p1", reads_secrets=False),),
        (replace(POLICIES[0], principal="p1", application="app"),),
        (replace(POLICIES[0], principal="p1", vault="kv-other"),),
        POLICIES,
    ],
)
def test_a_workspace_without_a_policy_that_does_may_not(policies):
    [found], missing = access_of([identity("workspace")], {}, vault=BY_POLICY, policies=policies)
    assert answers(found) == [("vault", False, "")]
    assert (found.needs, missing) == ("an access policy with get and list of secrets", ())


def test_a_role_does_not_count_where_policies_decide():
    roles = {VAULT: [role("Key Vault Administrator", READ_SECRETS)]}
    [found], _ = access_of([identity("workspace")], roles, vault=BY_POLICY, policies=())
    assert not found.granted


def test_a_policy_does_not_count_where_roles_decide():
    [found], _ = access_of([identity("workspace", LISTED)], {VAULT: []}, vault=RBAC, policies=POLICIES)
    assert (found.granted, found.needs) == (False, "Key Vault Secrets User")


def test_a_contributor_reads_no_secret_and_a_secrets_user_does():
    contributor, user = roles_of(body_of("authorization/role_assignments_list_for_scope"), VAULT, NOW)
    workspace = [identity("workspace", contributor.principal)]
    [without], _ = access_of(workspace, {VAULT: [contributor]}, vault=RBAC)
    [with_it], _ = access_of(workspace, {VAULT: [contributor, user]}, vault=RBAC)
    assert answers(without, with_it) == [("vault", False, ""), ("vault", True, "Key Vault Secrets User")]


@pytest.mark.parametrize("roles", [{}, {VAULT: None}])
def test_unread_roles_decide_nothing(roles):
    assert access_of([identity("workspace")], roles, vault=RBAC) == ((), ())


def test_a_kubelet_pulls_and_an_endpoint_pulls_and_reads_the_model():
    roles = {REGISTRY: [role("AcrPull", PULL_IMAGES)], STORAGE: [role("Storage Blob Data Reader", READ_BLOBS)]}
    owners = [identity("kubelet"), identity("endpoint"), identity("endpoint", "p2", "bare")]
    found, missing = access_of(owners, roles, registry="myregistry", storage="stmlops")
    assert [(one.owner_kind, one.owner, one.resource_kind, one.granted) for one in found] == [
        ("kubelet", "o", "registry", True),
        ("endpoint", "o", "registry", True),
        ("endpoint", "o", "storage", True),
        ("endpoint", "bare", "registry", False),
        ("endpoint", "bare", "storage", False),
    ]
    assert [one.needs for one in found[-2:]] == ["AcrPull", "Storage Blob Data Reader"]
    assert missing == ()


def test_of_several_identities_of_an_endpoint_one_is_enough():
    roles = {REGISTRY: [role("AcrPull", PULL_IMAGES, principal="p2")]}
    owners = [identity("endpoint", "p1"), identity("endpoint", "p2")]
    found, _ = access_of(owners, roles, registry="myregistry")
    assert answers(*found) == [("registry", True, "AcrPull")]


def test_a_workspace_works_with_its_first_identity_alone():
    owners = [identity("workspace", "p1"), identity("workspace", LISTED)]
    [found], _ = access_of(owners, {}, vault=BY_POLICY, policies=POLICIES)
    assert (found.principal, found.granted) == ("p1", False)


def test_a_role_that_could_not_be_read_leaves_it_open():
    found, [gap] = access_of([identity("kubelet")], {REGISTRY: [role(CUSTOM)]}, registry="myregistry")
    assert found == ()
    assert (gap.stream, gap.why) == ("access", Why.NOT_SUPPORTED)
    assert CUSTOM in gap.what
    assert gap.needs == "Reader on the subscription, for role definitions"


def test_a_group_that_may_leaves_it_open_who_is_in_it():
    roles = {REGISTRY: [role("AcrPull", PULL_IMAGES, principal="g1", kind="Group")]}
    found, [gap] = access_of([identity("kubelet")], roles, registry="myregistry")
    assert found == ()
    assert "group g1 has AcrPull" in gap.what


def test_a_group_that_may_not_changes_nothing():
    roles = {REGISTRY: [role("AcrDelete", principal="g1", kind="Group")]}
    [found], missing = access_of([identity("kubelet")], roles, registry="myregistry")
    assert (found.granted, missing) == (False, ())


def test_a_vault_that_is_gone_gives_no_answer():
    assert access_of([identity("workspace")], {}, vault=replace(BY_POLICY, gone=True)) == ((), ())


def test_clusters_and_owners_without_a_principal_need_nothing_here():
    roles = {REGISTRY: []}
    assert access_of([identity("cluster"), identity("kubelet", "")], roles, registry="myregistry") == ((), ())
