"""A key vault: how it may be read, by whom, and who wrote it last.

Needs the role Reader on the vault (``Microsoft.KeyVault/vaults/read``), which shows no secret; and to tell a deleted
vault from one that never was, Reader on the subscription (``Microsoft.KeyVault/locations/deletedVaults/read``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from diagnose.azure_items import AccessPolicy, Vault, Workspace
from diagnose.collectors import IMPORTS
from diagnose.collectors.azure.answers import flag, name_of, part, parts, text, within
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.policies import (
    allows,
    full_policy,
    policies_block,
    reads_alone,
    restore_command,
    with_policy,
)
from diagnose.collectors.files.times import moment
from diagnose.model import Subject, Why

if TYPE_CHECKING:
    from azure.core.pipeline import PipelineResponse
    from azure.core.rest import HttpResponse
    from azure.mgmt.keyvault import KeyVaultManagementClient

    from diagnose.collectors.azure.arm import Arm, Json

SUBJECT = Subject("azure")
API_VERSION = "2023-02-01"
"""The only one of this decade that azure-mgmt-keyvault 10.3, 11 and 14 all know."""
_GONE = ("ResourceNotFound", "ResourceGroupNotFound", "VaultNotFound")
"""Codes with which 404 says that there is no such vault; others say that there is no such subscription or tenant."""


# --- what the answers say ---


def vault_of(body: Mapping[str, object], workspace_principals: Sequence[str], now: datetime) -> Vault:
    """The vault that ARM describes. ``workspace_principals``: object ids of the workspace's identity, where known."""
    told = part(body, "properties")
    network = part(told, "networkAcls")
    wrote = part(body, "systemData")
    written = moment(text(wrote.get("lastModifiedAt")))
    policies = policies_of(body, {})
    rbac = flag(told.get("enableRbacAuthorization")) is True
    known = {principal.casefold() for principal in workspace_principals if principal}
    listed = [policy for policy in policies if policy.principal.casefold() in known]
    decided = bool(known) and not rbac
    vault = Vault(
        source=source_of(text(body.get("name"))),
        subject=SUBJECT,
        time=written,
        name=text(body.get("name")),
        resource_group=within(body.get("id"), "resourceGroups"),
        location=text(body.get("location")),
        tenant=text(told.get("tenantId")),
        rbac=rbac,
        policies=len(policies),
        workspace_listed=bool(listed) if decided else None,
        workspace_reads_secrets=any(map(reads_alone, listed)) if decided and listed else None,
        authorized_applications=sum(bool(policy.application) for policy in policies),
        default_action=text(network.get("defaultAction")),
        bypass=text(network.get("bypass")),
        addresses=len(parts(network.get("ipRules"))),
        subnets=len(parts(network.get("virtualNetworkRules"))),
        private_endpoints=len(parts(told.get("privateEndpointConnections"))),
        public_network_access=text(told.get("publicNetworkAccess")),
        template_deployment=flag(told.get("enabledForTemplateDeployment")),
        soft_delete=flag(told.get("enableSoftDelete")),
        purge_protection=flag(told.get("enablePurgeProtection")) is True,
        provisioning_state=text(told.get("provisioningState")),
        written_by=text(wrote.get("lastModifiedBy")),
        written_by_type=text(wrote.get("lastModifiedByType")),
        written_s=max(0.0, (now - written).total_seconds()) if written else None,
    )
    if not decided:
        return vault
    subscription = within(body.get("id"), "subscriptions")
    return _with_remedies(vault, policies, next(filter(None, workspace_principals)), subscription)


def _with_remedies(vault: Vault, policies: Sequence[AccessPolicy], principal: str, subscription: str) -> Vault:
    """With the texts that give the workspace's identity its policy back."""
    wanted = with_policy(policies, full_policy(vault.name, principal, vault.tenant))
    return replace(
        vault,
        restore_command=restore_command(wanted[-1], vault.resource_group, subscription),
        policies_block=policies_block(wanted),
    )


def policies_of(body: Mapping[str, object], names: Mapping[str, str]) -> tuple[AccessPolicy, ...]:
    """The access policies of a vault, or of an answer to a change of them.

    ``names``: who a principal is, by object id in small letters. The same in words for the same principal.
    """
    vault = within(body.get("id"), "vaults") or text(body.get("name"))
    entries = parts(part(body, "properties").get("accessPolicies"))
    return tuple(_policy(entry, vault, names) for entry in entries)


def _policy(entry: Mapping[str, object], vault: str, names: Mapping[str, str]) -> AccessPolicy:
    permissions = part(entry, "permissions")
    principal = text(entry.get("objectId"))
    secrets = _texts(permissions.get("secrets"))
    return AccessPolicy(
        source=f"{source_of(vault)} --query properties.accessPolicies",
        subject=SUBJECT,
        vault=vault,
        principal=principal,
        name=names.get(principal.casefold(), ""),
        tenant=text(entry.get("tenantId")),
        application=text(entry.get("applicationId")),
        keys=_texts(permissions.get("keys")),
        secrets=secrets,
        certificates=_texts(permissions.get("certificates")),
        storage=_texts(permissions.get("storage")),
        reads_secrets=allows(secrets, "get", "list"),
    )


def deleted_vault_of(body: Mapping[str, object], now: datetime) -> Vault:
    """A vault among the deleted ones."""
    told = part(body, "properties")
    deleted = moment(text(told.get("deletionDate")))
    name = name_of(told.get("vaultId")) or text(body.get("name"))
    return Vault(
        source=f"az keyvault list-deleted --query \"[?name=='{name}']\"",
        subject=SUBJECT,
        time=deleted,
        name=name,
        resource_group=within(told.get("vaultId"), "resourceGroups"),
        location=text(told.get("location")),
        deleted=True,
        purge_date=text(told.get("scheduledPurgeDate")),
        written_s=max(0.0, (now - deleted).total_seconds()) if deleted else None,
    )


def source_of(vault: str) -> str:
    """The command that shows a vault."""
    return f"az keyvault show -n {vault}"


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


# --- asking ---


def collect_vault(arm: Arm, vault_id: str, workspace: Workspace | None, gathering: Gathering) -> Vault | None:
    """The vault and its access policies, also put into ``gathering``; None when it could not be read.

    A vault that is not there is evidence: ``gone``, or ``deleted``. ``workspace`` tells whose identity has to be among
    the policies, if the vault is its own.
    """
    name = within(vault_id, "vaults")
    body = gathering.attempt(
        ("vaults", "access_policies"), f"vault {name}", f"Reader on vault {name}", lambda: read_vault(arm, vault_id)
    )
    if body is None:
        return None
    owner = workspace if workspace and workspace.vault.casefold() == name.casefold() else None
    vault = _described(arm, body, vault_id, owner, gathering)
    names = {owner.principal.casefold(): f"identity of workspace {owner.name}"} if owner and owner.principal else {}
    gathering.add("vaults", [vault])
    gathering.add("access_policies", policies_of(body, names))
    return vault


def _described(
    arm: Arm, body: Mapping[str, object], vault_id: str, owner: Workspace | None, gathering: Gathering
) -> Vault:
    if body:
        vault = vault_of(body, [owner.principal] if owner else [], gathering.now)
    else:
        vault = _absent(arm, vault_id, owner.location if owner else "", gathering)
    return replace(vault, of_workspace=owner is not None)


def _absent(arm: Arm, vault_id: str, location: str, gathering: Gathering) -> Vault:
    """A vault that is not there: deleted, or unknown."""
    name = within(vault_id, "vaults")
    body = gathering.attempt(
        ("vaults",),
        f"vault {name} among the deleted ones",
        "Reader on the subscription",
        lambda: read_deleted_vault(arm, vault_id, location),
    )
    if body:
        return deleted_vault_of(body, gathering.now)
    group = within(vault_id, "resourceGroups")
    return Vault(source=source_of(name), subject=SUBJECT, name=name, resource_group=group, gone=True)


def read_vault(arm: Arm, vault_id: str) -> Json:
    """What ARM says of the vault; an empty object when there is none. Raises AzureError."""
    group, name = within(vault_id, "resourceGroups"), within(vault_id, "vaults")
    try:
        return _asked(arm, vault_id, lambda client: client.vaults.get(group, name, cls=_raw))
    except AzureError as error:
        if error.why is Why.NOT_FOUND and error.code in _GONE:
            return {}
        raise


def read_deleted_vault(arm: Arm, vault_id: str, location: str = "") -> Json:
    """What ARM says of the vault among the deleted ones; an empty object when it is not there. Raises AzureError."""
    name, subscription = within(vault_id, "vaults"), within(vault_id, "subscriptions")
    if location:
        try:
            return _asked(arm, vault_id, lambda client: client.vaults.get_deleted(name, location, cls=_raw))
        except AzureError as error:
            if error.why is not Why.NOT_FOUND:
                raise
    listed = arm.pages(f"/subscriptions/{subscription}/providers/Microsoft.KeyVault/deletedVaults", API_VERSION)
    return next((one for one in listed if text(one.get("name")).casefold() == name.casefold()), {})


def _asked(arm: Arm, vault_id: str, call: Callable[[KeyVaultManagementClient], object]) -> Json:
    """What the client of azure-mgmt-keyvault received, as JSON: its models differ from version to version."""
    with IMPORTS:
        from azure.mgmt.keyvault import KeyVaultManagementClient

    def answer() -> Json:
        subscription = within(vault_id, "subscriptions")
        with KeyVaultManagementClient(
            arm.credential,
            subscription,
            base_url=arm.endpoint,
            api_version=API_VERSION,
            **arm.options,  # type: ignore[arg-type]
        ) as client:
            try:
                received = call(client)
            except ValueError as error:
                raise AzureError("NotJson", "the answer about the vault is no JSON") from error
        if not isinstance(received, dict):
            raise AzureError("NotJson", "the answer about the vault is no JSON object")
        return received

    return arm.ask(answer)


def _raw(response: PipelineResponse[object, HttpResponse], _model: object, _headers: object) -> object:
    """The body as it came; handed to a client's operation as ``cls``."""
    return response.http_response.json()
