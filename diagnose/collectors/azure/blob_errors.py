"""Why a blob could not be read, in words: the refusals of Azure Storage, and those of Azurite, which differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from diagnose.collectors.azure.errors import AzureError
from diagnose.model import Why

if TYPE_CHECKING:
    from diagnose.collectors.azure.blob_links import Link

_ELEMENT = re.compile(r"<(Code|Message|AuthenticationErrorDetail)>(.*?)</\1>", re.DOTALL)
_WINDOW = re.compile(r"Start \[(?P<start>[^]]*)\] - Expiry \[(?P<expiry>[^]]*)\] - Current \[(?P<current>[^]]*)\]")
_NEW_LINK = "ask for a new link"


@dataclass
class BlobError(AzureError):
    """A blob that was not read. Its text is ours: Azure's own repeats the string that was signed."""

    state: str = "unreadable"
    """As ``ImageBuild.log`` has it: ``expired``, ``refused``, ``not found`` or ``unreadable``."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Of a code. ``{account}`` stands for the storage account, ``{renew}`` for the way to a new link."""

    message: str
    needs: str = "{renew}"
    why: Why = Why.DENIED
    state: str = "refused"


_ROLE = "role Storage Blob Data Reader on storage account {account}"
_NETWORK = (
    "run this from a network that the firewall of storage account {account} lets in, or let this one in: "
    "az storage account network-rule add --account-name {account} --ip-address ADDRESS"
)
_NO_SIGNATURE = _Meaning("the link has no signature, and the blob is not public", "the whole link: {renew}")
_AGAIN = "build the image again: a log that is gone does not come back"
_GONE = _Meaning("the blob is not there: deleted, or never written", _AGAIN, Why.NOT_FOUND, "not found")
_OTHER_USE = _Meaning("the link was made for something else than to read a blob")

_MEANINGS: Mapping[str, _Meaning] = {
    "AuthorizationFailure": _Meaning("storage account {account} lets nobody in from this network", _NETWORK),
    "AuthorizationPermissionMismatch": _Meaning("the link does not allow to read"),
    "AuthorizationProtocolMismatch": _Meaning("the link is for https only"),
    "AuthorizationSourceIPMismatch": _Meaning("the link is for another client address", "use it there, or {renew}"),
    "AuthorizationServiceMismatch": _OTHER_USE,
    "AuthorizationResourceTypeMismatch": _OTHER_USE,
    "KeyBasedAuthenticationNotPermitted": _Meaning("storage account {account} takes no links, only sign-ins", _ROLE),
    "AccountIsDisabled": _Meaning("storage account {account} is disabled", "enable the storage account"),
    "PublicAccessNotPermitted": _NO_SIGNATURE,
    "NoAuthenticationInformation": _NO_SIGNATURE,
    "BlobNotFound": _GONE,
    "ContainerNotFound": _GONE,
    "ContainerBeingDeleted": _GONE,
    "ResourceNotFound": _GONE,
    "BlobArchived": _Meaning("the blob is archived", "bring it back to a tier that can be read", Why.NOT_SUPPORTED),
}
_BY_STATUS: Mapping[int, _Meaning] = {
    401: _Meaning("access was refused"),
    403: _Meaning("access was refused"),
    404: _GONE,
    429: _Meaning("storage account {account} is busy", "try again", Why.TIMED_OUT, "unreadable"),
    503: _Meaning("storage account {account} is busy", "try again", Why.TIMED_OUT, "unreadable"),
}
_OTHERWISE = _Meaning("storage account {account} answered with an error", "try again", Why.FAILED, "unreadable")

_EXPIRED = _Meaning("the link expired {when}", state="expired")
_EARLY = _Meaning("the link is not valid before {when}", "wait until then, or {renew}; are the clocks right?")
_CUT_OFF = _Meaning("the link was cut off: it has no signature", "the whole link, in quotes in a shell: {renew}")
_BAD_SIGNATURE = _Meaning("the signature is not accepted: the link was changed, or the account's key was renewed")

_WITH_TOKEN: Mapping[str, _Meaning] = {
    "AuthorizationPermissionMismatch": _Meaning("the signed-in account may not read blobs", _ROLE),
    "AuthenticationFailed": _Meaning("the sign-in was refused", "sign in again: az login"),
    "InvalidAuthenticationInfo": _Meaning("the sign-in was refused", "sign in again: az login"),
}
"""What a code means where no link but a sign-in was used."""


def expired(link: Link, renew: str) -> BlobError:
    """What the link itself says: it was not asked."""
    return _error(_EXPIRED, "LinkExpired", None, link, renew, link.expires)


def not_yet_valid(link: Link, renew: str) -> BlobError:
    """Likewise."""
    return _error(_EARLY, "LinkNotYetValid", None, link, renew, link.starts)


def refusal(
    link: Link, status: int, headers: Mapping[str, str], body: bytes, *, renew: str, with_token: bool, now: datetime
) -> BlobError:
    """An answer that is an error, of Azure or of Azurite; ``headers`` by small letters."""
    said = {found[1]: found[2].strip() for found in _ELEMENT.finditer(body.decode("utf-8", "replace"))}
    code = said.get("Code") or headers.get("x-ms-error-code", "") or f"HTTP {status}"
    meaning, when = _MEANINGS.get(code) or _BY_STATUS.get(status, _OTHERWISE), None
    if with_token:
        meaning = _WITH_TOKEN.get(code, meaning)
    elif "failed to authenticate" in said.get("Message", ""):
        meaning, when = _of_signature(link, said.get("AuthenticationErrorDetail", ""), now)
    elif code == "ResourceNotFound" and not link.signed:
        meaning = _NO_SIGNATURE
    return _error(meaning, code, status, link, renew, when)


def _of_signature(link: Link, detail: str, now: datetime) -> tuple[_Meaning, datetime | None]:
    """Azure gives expired, early and wrong signatures one code and tells them apart in a detail; Azurite has none."""
    if window := _WINDOW.search(detail):
        start, expiry, current = map(_http_date, window.groups())
        if start and current and current < start:
            return _EARLY, start
        return _EXPIRED, expiry or link.expires
    if not link.signed:
        return _CUT_OFF if link.query else _NO_SIGNATURE, None
    if "Signature did not match" in detail:
        return _BAD_SIGNATURE, None
    if link.expires and link.expires <= now:
        return _EXPIRED, link.expires
    if link.starts and link.starts > now:
        return _EARLY, link.starts
    return _BAD_SIGNATURE, None


def _http_date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def _error(
    meaning: _Meaning, code: str, status: int | None, link: Link, renew: str, when: datetime | None = None
) -> BlobError:
    words = {
        "account": link.account,
        "renew": renew or _NEW_LINK,
        "when": f"{when:%Y-%m-%d %H:%M} UTC" if when else "at an unknown time",
    }
    return BlobError(
        code=code,
        message=f"{meaning.message.format(**words)} ({link.source})",
        status=status,
        why=meaning.why,
        needs=meaning.needs.format(**words),
        state=meaning.state,
    )
