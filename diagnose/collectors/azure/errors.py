"""What Azure's answers say when they refuse: one shape for its many kinds of error bodies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from diagnose.model import Why

SIGN_IN = "sign in again: `az login`"
LONGER = "allow more time with --timeout"

_MOST = 2000
"""Characters kept of a message."""
_DEEPEST = 5
"""Errors within errors that are followed."""
_WHY = {
    401: Why.DENIED,
    403: Why.DENIED,
    404: Why.NOT_FOUND,
    407: Why.UNREACHABLE,
    408: Why.TIMED_OUT,
    410: Why.NOT_FOUND,
    429: Why.TIMED_OUT,
    504: Why.TIMED_OUT,
}
_TOKEN_REFUSED = frozenset(
    (
        "AuthenticationFailed",
        "AuthenticationFailedInvalidHeader",
        "AuthenticationFailedMissingToken",
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationInfo",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenTenant",
    )
)
"""Codes with which Azure Resource Manager, with status 401, says that it does not take this token for anything."""
_SAYS_NO_MORE = frozenset(
    (
        "BadRequest",
        "Conflict",
        "DeploymentFailed",
        "Failed",
        "Forbidden",
        "InternalServerError",
        "NotFound",
        "Unauthorized",
    )
)
"""Codes that only put the status into words; one within tells more."""
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TENANT_WANTED = re.compile(
    rf"must match (?:the tenant|one of the tenants) '?https://[\w.]+/({_GUID})"
    rf"|authorization_uri=\"https://[\w.-]+/({_GUID})"
)
_FORBIDDEN = re.compile(r"perform action '([^']+)' (?:over|on|at) scope '([^']+)'")
_WHO = re.compile(r"[Tt]he client '([^']+)'")
_WORDS = r"[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+"
_CODE_IN_FRONT = re.compile(rf"(?:\(None\)\s*)?(?:\(({_WORDS})\)|({_WORDS}|AADSTS[0-9]+)\s*:)\s+(.+)", re.DOTALL)
"""``(None) ResourceNotReady: User container ...``, as Azure ML writes a failure of which the code field is empty."""
_TITLE = re.compile(r"<(title|h1|h2)[^>]*>\s*(.*?)\s*</\1>", re.IGNORECASE | re.DOTALL)
_SECRETS = (
    (re.compile(r"(https?://[^\s\"'<>?]+)\?[^\s\"'<>]*\bsig=[^\s\"'<>]*", re.IGNORECASE), r"\1"),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?"), "(token)"),
    (re.compile(r"\b(https?://)[^\s/@\"']+@"), r"\1"),
)


@dataclass
class AzureError(Exception):
    """A call that brought no answer, or a refusal. Its text never holds a token or a signature."""

    code: str
    """Azure's own, or one of ours for what never reached it: ``CredentialUnavailable``, ``NoAnswer``,
    ``NameNotResolved``, ``NoConnection``, ``ConnectionCut``, ``UntrustedCertificate``, ``ProxyFailed``,
    ``ForeignHost``, ``Unreadable``, ``TooLarge``, ``InvalidName``."""
    message: str
    status: int | None = None
    """HTTP status; None when no answer came."""
    why: Why = Why.FAILED
    needs: str = ""
    """What would make it work, where the error itself tells: sign in again, another tenant, more time."""
    sign_in: bool = False
    """The sign-in failed, or the token was refused: no further call will do better."""

    def __str__(self) -> str:
        answer = " ".join(filter(None, (f"HTTP {self.status}" if self.status else "", self.code)))
        return ": ".join(filter(None, (answer, self.message)))


@dataclass(frozen=True, slots=True)
class Told:
    """What one error object says."""

    code: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.code, self.message)))


def refusal(status: int, body: bytes | object, headers: Mapping[str, str]) -> AzureError:
    """The error that an answer with this status is. ``body``: as it came, or decoded already.

    ``code`` is the outermost that says more than the status does; ``message`` holds what the errors within say, too.
    """
    text, value = _decoded(body)
    told = list(_unique(_told(value)))
    if not told:
        return _no_error_object(status, text, headers)
    codes = [part.code for part in told if part.code]
    code = next((code for code in codes if code not in _SAYS_NO_MORE), codes[0] if codes else "")
    message = safe("; ".join([told[0].message or told[0].code, *map(str, told[1:])]))
    error = AzureError(code, message, status, why=_WHY.get(status, Why.FAILED))
    error.sign_in = status == 401 and (code in _TOKEN_REFUSED or "error=" in _challenge(headers))
    error.needs = _needs(error, headers)
    return error


def safe(message: str) -> str:
    """One line, at most 2,000 characters, without tokens, queries of signed addresses, and user names in addresses."""
    for secret, instead in _SECRETS:
        message = secret.sub(instead, message)
    line = " ".join(message.split())
    return line if len(line) <= _MOST else f"{line[:_MOST]} ..."


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds after which Azure wants to be asked again; None where it does not say."""
    for name, unit_s in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        with suppress(ValueError):
            return max(0.0, float(header(headers, name)) * unit_s)
    try:
        moment = parsedate_to_datetime(header(headers, "Retry-After"))
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment.tzinfo else None


def header(headers: Mapping[str, str], name: str) -> str:
    """Its value; empty where it is not there."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


# --- the error objects in a body ---


def _decoded(body: bytes | object) -> tuple[str, object]:
    """The body as text where it is no JSON, else as decoded, also where it is JSON within a JSON string."""
    if isinstance(body, bytes):
        body = body.decode("utf-8-sig", "replace")
    if not isinstance(body, str):
        return "", body
    for _ in range(_DEEPEST):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return str(body), None
        if not isinstance(body, str):
            break
    return ("", body) if not isinstance(body, str) else (body, None)


def _told(value: object, depth: int = 0) -> Iterator[Told]:
    """The errors an object holds, outermost first."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for part in value:
            yield from _told(part, depth + 1)
    if not isinstance(value, dict):
        return
    found = {str(key).lower(): part for key, part in value.items()}
    error = found.get("error")
    if isinstance(error, dict | list):
        yield from _told(error, depth + 1)
        return
    if isinstance(error, str):
        yield _of_text(error, str(found.get("error_description") or found.get("message") or ""))
        return
    yield from _of_object(found, depth)


def _of_object(found: Mapping[str, object], depth: int) -> Iterator[Told]:
    """``{code, message, details}``."""
    code, message = found.get("code"), found.get("message")
    if isinstance(message, dict):  # OData: {"lang": "en-us", "value": ...}
        message = message.get("value")
    told = _of_text(code if isinstance(code, str) else "", message if isinstance(message, str) else "")
    _, within = _decoded(told.message)
    inner = list(_told(within, depth + 1)) if isinstance(within, dict) else []
    if inner:
        told = Told(told.code, "")
    if told.code or told.message:
        yield told
    yield from inner
    for key in ("details", "innererror"):
        yield from _told(found.get(key), depth + 1)


def _of_text(code: str, message: str) -> Told:
    """A code and a message; the code in front of the message counts where there is no other, and for Entra ID."""
    front = _CODE_IN_FRONT.match(message)
    if front and (code in ("", "None") or message.startswith("AADSTS")):
        return Told(front[1] or front[2], front[3].strip())
    return Told("" if code == "None" else code, message.strip())


def _unique(told: Iterator[Told]) -> Iterator[Told]:
    """Without what was said before: inner errors often repeat the outer one."""
    seen: list[str] = []
    for part in told:
        if (part.message or part.code) not in seen:
            seen.append(part.message or part.code)
            yield part


def _no_error_object(status: int, text: str, headers: Mapping[str, str]) -> AzureError:
    """An answer without one: a page of a proxy, plain text, or nothing."""
    why = _WHY.get(status, Why.FAILED)
    if text.lstrip()[:1] == "<":
        title = _TITLE.search(text)
        page = f"a page instead of an answer: {title[2]}" if title else "a page instead of an answer"
        needs = "correct HTTPS_PROXY, or add Azure's hosts to NO_PROXY, if a proxy is between"
        return AzureError("Unreadable", safe(page), status, why=Why.UNREACHABLE, needs=needs)
    told = _of_text("", text)
    error = AzureError(told.code, safe(told.message) or "an answer without a body", status, why=why)
    error.sign_in = status == 401 and "error=" in _challenge(headers)
    error.needs = _needs(error, headers)
    return error


# --- what would help ---


def _needs(error: AzureError, headers: Mapping[str, str]) -> str:
    if error.sign_in:
        tenant = _TENANT_WANTED.search(f"{error.message} {_challenge(headers)}")
        wrong = "Tenant" in error.code or "wrong issuer" in error.message or "wrong issuer" in _challenge(headers)
        return (
            f"sign in to the right tenant: `az login --tenant {tenant[1] or tenant[2]}`"
            if tenant and wrong
            else SIGN_IN
        )
    forbidden = _FORBIDDEN.search(error.message)
    if forbidden:
        who = _WHO.search(error.message)
        return f"a role that allows {forbidden[1]} on {forbidden[2]}" + (f" for {who[1]}" if who else "")
    if error.status == 401:
        return SIGN_IN
    if error.status == 429:
        return LONGER
    if error.code in ("SubscriptionNotFound", "InvalidSubscriptionId"):
        return "name a subscription that `az account list` shows, with --subscription"
    return ""


def _challenge(headers: Mapping[str, str]) -> str:
    return header(headers, "WWW-Authenticate")
