"""The end of a certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from diagnose.collectors.kubernetes.certificates import end_of

TLS = Path(__file__).parent / "tls"


def test_both_ways_of_writing_a_time_are_read() -> None:
    assert end_of(TLS / "expired-client.pem") == datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
    assert end_of(TLS / "server.pem") == datetime(2126, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_has_no_end(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.pem"
    file.write_text(text)
    assert end_of(file) is None
    assert end_of(tmp_path / "gone.pem") is None
