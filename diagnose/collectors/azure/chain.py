"""Why nobody could be signed in: what azure-identity tells of each credential, in one line with a way out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from diagnose.collectors.azure import failures
from diagnose.collectors.azure.errors import SIGN_IN, AzureError, safe
from diagnose.model import Why

UNAVAILABLE = "CredentialUnavailable"

_MEMBER = re.compile(
    r"\n\t(\w+Credential): (.*?)(?=\n\t\w+Credential: |\nTo mitigate this issue[^\n]*\Z|\Z)", re.DOTALL
)
_NAMES = {
    "EnvironmentCredential": "environment variables",
    "WorkloadIdentityCredential": "workload identity",
    "ManagedIdentityCredential": "managed identity",
    "AzureCliCredential": "Azure CLI",
    "AzurePowerShellCredential": "Azure PowerShell",
    "AzureDeveloperCliCredential": "Azure Developer CLI",
}
_ABSENT = (
    (
        re.compile(r"not found on path|could not be found|is not installed|not recognized", re.IGNORECASE),
        "not installed",
    ),
    (re.compile(r"not fully configured|isn't fully configured|no value", re.IGNORECASE), "not set"),
    (re.compile(r"az login|azd auth login|Connect-AzAccount|not logged in", re.IGNORECASE), "not signed in"),
    (re.compile(r"no response from|No identity has been assigned|Credential authentication unavailable"), "none here"),
)
"""What a credential says that lacks what it would need to even try, in our words; the first that fits."""
_COMMAND = re.compile(r"az login --claims-challenge \S+(?: --tenant \S+)?(?: --scope \S+)?")
_AADSTS = re.compile(r"\bAADSTS\d+")
_NOISE = re.compile(
    r"\s*Trace ID:.*|To mitigate this issue,.*|Interactive authentication is needed\..*|\bTo re-authenticate,.*",
    re.DOTALL,
)
_PREFIX = re.compile(r"^(?:Authentication failed:|ERROR:|\w+Credential authentication unavailable\.?)\s*")

_HELP = (
    (
        "AADSTS7000222",
        "a new client secret: `az ad app credential reset --id $AZURE_CLIENT_ID`, then AZURE_CLIENT_SECRET",
    ),
    ("AADSTS7000215", "correct AZURE_CLIENT_SECRET: it has to be the secret's value, not its id"),
    ("AADSTS700016", "correct AZURE_CLIENT_ID and AZURE_TENANT_ID: the application is not in that tenant"),
    ("AADSTS90002", "correct AZURE_TENANT_ID: there is no such tenant"),
    ("AADSTS900023", "correct AZURE_TENANT_ID: there is no such tenant"),
    ("AADSTS70021", "a federated credential of the application for this issuer and subject (the service account)"),
    ("AADSTS5000224", "sign in to the right cloud: `az cloud set`, or AZURE_AUTHORITY_HOST"),
    ("AADSTS53", "sign in as conditional access demands (device, place), or ask the tenant's administrators"),
)
"""By the beginning of the code."""
_HELP_FOR = {
    "EnvironmentCredential": "correct AZURE_TENANT_ID, AZURE_CLIENT_ID and its secret, or unset them and `az login`",
    "WorkloadIdentityCredential": "check AZURE_FEDERATED_TOKEN_FILE and the pod's label azure.workload.identity/use",
    "ManagedIdentityCredential": "check this machine's managed identity, or unset IDENTITY_ENDPOINT and `az login`",
}
_HELP_FOR_NOBODY = f"{SIGN_IN}; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"


@dataclass(frozen=True, slots=True)
class Member:
    """A credential that was tried."""

    name: str
    """Of its class."""
    said: str

    @property
    def absent(self) -> str:
        """What it lacked, in few words; empty when it tried and failed."""
        if _AADSTS.search(self.said):
            return ""
        return next((words for pattern, words in _ABSENT if pattern.search(self.said)), "")

    def __str__(self) -> str:
        told = _PREFIX.sub("", _NOISE.sub("", _PREFIX.sub("", self.said.strip()))).strip()
        return f"{_NAMES.get(self.name, self.name)}: {told}"


def refused(text: str, authority: str) -> AzureError:
    """The error that ``text`` of a chain is: first the credential that tried and failed, then the others' names."""
    members = [Member(name, said) for name, said in _MEMBER.findall(text)]
    if not members:
        return _of_member(Member("sign-in", text), authority)
    failed = next((member for member in members if not member.absent), None)
    others = sorted(f"{_NAMES.get(member.name, member.name)} ({member.absent})" for member in members if member.absent)
    if failed is None:
        message = safe(f"nobody is signed in: {', '.join(others)}")
        return AzureError(UNAVAILABLE, message, why=Why.DENIED, needs=_HELP_FOR_NOBODY, sign_in=True)
    error = _of_member(failed, authority)
    if others:
        error.message += f"; also tried: {', '.join(others)}"
    return error


def _of_member(failed: Member, authority: str) -> AzureError:
    unreachable = failures.of_text(failed.said, authority)
    if unreachable:
        unreachable.message = f"{_NAMES.get(failed.name, failed.name)}: {unreachable.message}"
        unreachable.sign_in = True
        return unreachable
    code = _AADSTS.search(failed.said)
    command = _COMMAND.search(failed.said)
    needs = f"`{command[0]}`" if command else ""
    needs = needs or next((words for start, words in _HELP if code and code[0].startswith(start)), "")
    needs = needs or _HELP_FOR.get(failed.name, SIGN_IN)
    return AzureError(code[0] if code else UNAVAILABLE, safe(str(failed)), why=Why.DENIED, needs=needs, sign_in=True)
