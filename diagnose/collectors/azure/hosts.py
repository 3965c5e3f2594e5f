"""Which addresses are asked, and which of them are given the token."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from diagnose.collectors.azure.errors import AzureError, safe

_HTTPS = 443
_TAKES_TOKEN = (
    ".api.azureml.ms",
    ".api.ml.azure.cn",
    ".api.ml.azure.us",
    ".experiments.azureml.net",
    ".modelmanagement.azureml.net",
)
"""Hosts of Azure Machine Learning's own services. Others below the same domains run code of users - compute instances
are ``*.instances.azureml.ms``, scoring is ``*.inference.ml.azure.us`` - and must never see a token."""
_READABLE = (*_TAKES_TOKEN, ".azureml.ms", ".azureml.net")


def checked(url: str) -> str:
    """``url``, when it is an https address. Raises AzureError when it is not."""
    _origin(url)
    return url


def allowed(url: str, endpoint: str, *, signed: bool) -> str:
    """``url``, when it is on the host of ``endpoint`` or of Azure Machine Learning. Raises AzureError when it is not.

    ``signed``: the token is sent along.
    """
    host, port = _origin(url)
    known = port == _HTTPS and f".{host}".endswith(_TAKES_TOKEN if signed else _READABLE)
    if not known and (host, port) != _origin(endpoint):
        raise _foreign(url)
    return url


def same(url: str, link: str) -> str:
    """``link``, which an answer of ``url`` names and which may lack its host. Raises AzureError for another host."""
    try:
        whole = urljoin(url, link)
    except ValueError:
        raise _foreign(link) from None
    if _origin(whole) != _origin(url):
        raise _foreign(whole)
    return whole


def _origin(url: str) -> tuple[str, int]:
    """Host and port of an https address. Raises AzureError for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        raise _foreign(url) from None
    if parts.scheme != "https" or not parts.hostname or set(parts.netloc) & set("@\\ "):
        raise _foreign(url)
    return parts.hostname, port


def _foreign(url: str) -> AzureError:
    place = safe(url.split("?")[0][:200])
    return AzureError("ForeignHost", f"{place} is none of Azure's own addresses: it is not asked, nor given a token")
