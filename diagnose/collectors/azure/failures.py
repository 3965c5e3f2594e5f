"""Why no answer came: what SDK and operating system say, in one line of ours without query or token."""

from __future__ import annotations

import re

from diagnose.collectors.azure.errors import LONGER, AzureError, refusal, safe
from diagnose.model import Why

_ADDRESS = "check VPN, DNS and firewall: does `az account list-locations` answer?"
_TRUST = "set REQUESTS_CA_BUNDLE to a file with the authority that signs on your network, and Azure's own"
_PROXY = "correct HTTPS_PROXY, or add Azure's hosts to NO_PROXY"

_KINDS = (
    ("ProxyFailed", r"ProxyError|Unable to connect to proxy|Tunnel connection failed", _PROXY),
    (
        "NameNotResolved",
        r"NameResolutionError|Failed to resolve|getaddrinfo failed|Name or service not known",
        _ADDRESS,
    ),
    ("UntrustedCertificate", r"CERTIFICATE_VERIFY_FAILED|CA certificate bundle|SSLError|\[SSL|SSLEOFError", _TRUST),
    ("NoConnection", r"Failed to establish a new connection|Connection refused|Network is unreachable", _ADDRESS),
    ("ConnectionCut", r"Connection aborted|RemoteDisconnected|Connection reset|Connection broken|IncompleteRead", ""),
)
"""By what the text of the error holds, the first that fits. The text is what all versions of the libraries have in
common: the classes change, and the reason sits in another attribute of each."""
_WORDS = {
    "ProxyFailed": "the proxy to {host} does not let us through",
    "NameNotResolved": "the name {host} does not resolve",
    "UntrustedCertificate": "the certificate of {host} is not trusted",
    "NoConnection": "no connection to {host}",
    "ConnectionCut": "{host} cut the connection",
}
_REASON = re.compile(
    r"certificate verify failed: ([^(\]'\"]+)|(Tunnel connection failed: [^'\")]+)"
    r"|(Could not find a suitable TLS CA certificate bundle)|\[Errno -?\d+\] ([^)\]'\"]+)"
)


def of_call(error: Exception, url: str, allowed_s: float) -> AzureError:
    """``error``, of azure-core or of the operating system, which ended a call to ``url`` that had ``allowed_s``."""
    from azure.core import exceptions as sdk

    host = _host(url)
    match error:
        case sdk.HttpResponseError(response=response) if response is not None:
            return refusal(error.status_code or 0, response.text(), dict(getattr(response, "headers", {})))
        case sdk.ServiceRequestTimeoutError() | sdk.ServiceResponseTimeoutError() | TimeoutError():
            text = f"no answer from {host} within {allowed_s:.3g} s"
            return AzureError("NoAnswer", text, why=Why.TIMED_OUT, needs=f"{_ADDRESS} Or {LONGER}")
    kind = type(error).__name__
    return of_text(str(error), url) or AzureError("NoAnswer", f"{host} can not be asked: {kind}", why=Why.UNREACHABLE)


def of_text(text: str, url: str) -> AzureError | None:
    """What ``text`` of an error says of the connection to ``url``; None when it is about something else."""
    for code, pattern, needs in _KINDS:
        if re.search(pattern, text, re.IGNORECASE):
            reason = _REASON.search(text)
            said = next(filter(None, reason.groups()), "").strip().lower() if reason else ""
            message = ": ".join(filter(None, (_WORDS[code].format(host=_host(url)), said)))
            why = Why.FAILED if code == "ConnectionCut" else Why.UNREACHABLE
            return AzureError(code, safe(message), why=why, needs=needs or "try again")
    return None


def _host(url: str) -> str:
    """Host and port, without user name and password."""
    return url.partition("//")[2].partition("/")[0].rpartition("@")[2]
