"""What azure-identity writes when nobody could be signed in, and what is left of it. The texts are the library's own."""

from __future__ import annotations

import pytest

from diagnose.collectors.azure.chain import refused
from diagnose.model import Why

AUTHORITY = "https://login.microsoftonline.com"
ENVIRONMENT = (
    "EnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are not fully "
    "configured.\nVisit https://aka.ms/azsdk/python/identity/environmentcredential/troubleshoot to troubleshoot this issue."
)
CLI = "AzureCliCredential: Please run 'az login' to set up an account"


def told(*members: str) -> str:
    """The whole text for these credentials."""
    return (
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n\t"
        + "\n\t".join(members)
        + "\nTo mitigate this issue, please refer to the troubleshooting guidelines here at "
        "https://aka.ms/azsdk/python/identity/defaultazurecredential/troubleshoot."
    )


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (ENVIRONMENT, "environment variables (not set)"),
        (CLI, "Azure CLI (not signed in)"),
        ("AzureCliCredential: Azure CLI not found on path", "Azure CLI (not installed)"),
        ("AzurePowerShellCredential: PowerShell is not installed", "Azure PowerShell (not installed)"),
        (
            'AzurePowerShellCredential: Please run "Connect-AzAccount" to set up account',
            "Azure PowerShell (not signed in)",
        ),
        (
            "ManagedIdentityCredential: ManagedIdentityCredential authentication unavailable.",
            "managed identity (none here)",
        ),
        (
            "ManagedIdentityCredential: ManagedIdentityCredential authentication unavailable. No identity has been assigned "
            "to this resource. Error: Identity not found",
            "managed identity (none here)",
        ),
        (
            "WorkloadIdentityCredential: WorkloadIdentityCredential authentication unavailable. The workload options are not "
            "fully configured. See the troubleshooting guide for more information: https://aka.ms/azsdk/python/identity/"
            "workloadidentitycredential/troubleshoot. Missing required arguments: 'tenant_id', 'client_id'.",
            "workload identity (not set)",
        ),
    ],
)
def test_a_credential_that_lacks_what_it_needs_is_no_failure(member: str, words: str) -> None:
    error = refused(told(member), AUTHORITY)
    assert error.message == f"nobody is signed in: {words}"
    assert error.code == "CredentialUnavailable"


def test_the_one_that_failed_comes_first_wherever_it_stands() -> None:
    secret = "EnvironmentCredential: Authentication failed: AADSTS7000215: Invalid client secret provided."
    error = refused(told(CLI, secret), AUTHORITY)
    assert error.message == (
        "environment variables: AADSTS7000215: Invalid client secret provided.; also tried: Azure CLI (not signed in)"
    )
    assert (error.code, error.why, error.sign_in) == ("AADSTS7000215", Why.DENIED, True)
    assert "AZURE_CLIENT_SECRET" in error.needs


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("AADSTS700016", "AZURE_CLIENT_ID"),
        ("AADSTS90002", "AZURE_TENANT_ID"),
        ("AADSTS700213", "federated credential"),
        ("AADSTS53003", "conditional access"),
        ("AADSTS50173", "az login"),
    ],
)
def test_a_number_of_entra_id_has_its_own_way_out(code: str, word: str) -> None:
    assert word in refused(told(f"AzureCliCredential: ERROR: {code}: Something."), AUTHORITY).needs


def test_a_name_that_does_not_resolve_is_not_a_denial() -> None:
    member = (
        "EnvironmentCredential: Authentication failed: HTTPSConnection(host='login.microsoftonline.com', port=443): Failed "
        "to resolve 'login.microsoftonline.com' ([Errno -2] Name or service not known)"
    )
    error = refused(told(member), AUTHORITY)
    assert (error.code, error.why, error.sign_in) == ("NameNotResolved", Why.UNREACHABLE, True)
    assert error.message == (
        "environment variables: the name login.microsoftonline.com does not resolve: name or service not known"
    )


def test_a_token_in_the_text_is_not_shown() -> None:
    error = refused(
        told("AzureCliCredential: Unexpected output: 'eyJhbGciOiJub25lIn0.eyJ0aWQiOiJhIn0.c2ln'"), AUTHORITY
    )
    assert "eyJ" not in error.message


def test_a_text_of_no_chain_is_told_as_it_is() -> None:
    error = refused("The token cache is locked.", AUTHORITY)
    assert error.message == "sign-in: The token cache is locked."
    assert error.sign_in
