"""When a certificate ends, read from its DER encoding (X.690, RFC 5280): the standard library has no public way."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

_VERSION = 0xA0
_UTC_TIME = 0x17


def end_of(path: Path) -> datetime | None:
    """``notAfter`` of the first certificate in a PEM file; None when it can not be read."""
    try:
        text = path.read_text(encoding="ascii", errors="ignore")
        begin = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----", begin) + len("-----END CERTIFICATE-----")
        return _not_after(ssl.PEM_cert_to_DER_cert(text[begin:end]))
    except (OSError, ValueError, IndexError):
        return None


def _not_after(der: bytes) -> datetime:
    certificate = _content(der, 0)[1]
    at = _content(der, certificate)[1]
    if der[at] == _VERSION:
        at = _content(der, at)[2]
    for _serial_algorithm_issuer in range(3):
        at = _content(der, at)[2]
    not_before = _content(der, at)[1]
    tag, begin, end = _content(der, _content(der, not_before)[2])
    text = der[begin:end].decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _content(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag of the element at ``at``, and where its content begins and ends."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + size], "big"), begin + size
    return der[at], begin, begin + length
