"""What links to blobs say by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from diagnose.collectors.azure.blob_errors import BlobError
from diagnose.collectors.azure.blob_links import link_of
from diagnose.model import Why

LOG = "https://stmlops.blob.core.windows.net/azureml/ImageLogs/1111/build.log"
SIGNED = f"{LOG}?sv=2018-03-28&st=2019-09-01T10%3A00%3A00Z&se=2019-09-02T10%3A00%3A00Z&sr=b&sp=r&sig=c2VjcmV0%3D"


def test_a_link_tells_its_account_and_its_times():
    link = link_of(SIGNED)
    assert (link.account, link.source, link.signed) == ("stmlops", LOG, True)
    assert (link.starts, link.expires) == (datetime(2019, 9, 1, 10, tzinfo=UTC), datetime(2019, 9, 2, 10, tzinfo=UTC))


def test_the_signature_is_asked_with_but_never_shown():
    link = link_of(SIGNED)
    assert link.url == SIGNED
    assert "c2VjcmV0" not in f"{link!r} {link.source}"


@pytest.mark.parametrize("ampersand", ["&amp;", "&amp;amp;", "&AMP;", "\\u0026"])
def test_ampersands_escaped_for_html_or_json_mean_the_same(ampersand: str):
    assert link_of(SIGNED.replace("&", ampersand)) == link_of(SIGNED)


def test_quotes_and_brackets_around_a_pasted_link_are_not_part_of_it():
    assert link_of(f' "{SIGNED}" ') == link_of(f"<{SIGNED}>") == link_of(SIGNED)


@pytest.mark.parametrize(
    ("expiry", "expected"),
    [
        ("2020-05-15", datetime(2020, 5, 15, tzinfo=UTC)),
        ("2020-05-15T14%3A12Z", datetime(2020, 5, 15, 14, 12, tzinfo=UTC)),
        ("2020-05-15T14:12:22Z", datetime(2020, 5, 15, 14, 12, 22, tzinfo=UTC)),
        ("2020-05-15T14:12:22.1234567Z", datetime(2020, 5, 15, 14, 12, 22, 123456, tzinfo=UTC)),
        ("2020-05-15T16:12:22%2B02:00", datetime(2020, 5, 15, 14, 12, 22, tzinfo=UTC)),
        ("tomorrow", None),
    ],
)
def test_every_form_of_time_that_a_signature_may_have(expiry: str, expected: datetime | None):
    assert link_of(f"{LOG}?se={expiry}&sig=x").expires == expected


def test_a_link_ends_with_the_key_that_signed_it():
    link = link_of(f"{LOG}?se=2020-05-20T00:00:00Z&ske=2020-05-16T00:00:00Z&sig=x")
    assert link.expires == datetime(2020, 5, 16, tzinfo=UTC)


def test_only_a_time_no_clock_can_be_wrong_about_is_certain():
    link = link_of(SIGNED)
    assert link.expires is not None
    assert link.starts is not None
    a_little, enough = timedelta(minutes=14), timedelta(minutes=16)
    assert not link.certainly_expired(link.expires + a_little)
    assert link.certainly_expired(link.expires + enough)
    assert not link.certainly_early(link.starts - a_little)
    assert link.certainly_early(link.starts - enough)


@pytest.mark.parametrize(
    "host",
    [
        "eusmanaged1.blob.core.windows.net",
        "stmlops.z12.blob.storage.azure.net",
        "stmlops.blob.core.chinacloudapi.cn",
        "stmlops.blob.core.usgovcloudapi.net",
        "stmlops.privatelink.blob.core.windows.net",
    ],
)
def test_storage_accounts_of_every_cloud(host: str):
    assert link_of(f"https://{host}/logs/rawtext.log?sig=x").host == host


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:10000/devstoreaccount1/c/b", "http://[::1]:1/a/c/b", "http://localhost/a/c/b"]
)
def test_the_emulator_of_this_machine_may_speak_plain_http(url: str):
    assert link_of(f"{url}?sig=x").source == url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/azureml/build.log?sig=c2VjcmV0",
        "https://blob.core.windows.net.example.com/build.log?sig=c2VjcmV0",
        "https://evilblob.core.windows.net/build.log?sig=c2VjcmV0",
        "https://stmlops.blob.core.windows.net@example.com/build.log?sig=c2VjcmV0",
        "https://example.com\\@stmlops.blob.core.windows.net/build.log?sig=c2VjcmV0",
        "http://stmlops.blob.core.windows.net/azureml/build.log?sig=c2VjcmV0",
        "https://stmlops.blob.core.windows.net:8443/azureml/build.log?sig=c2VjcmV0",
        "http://10.0.0.1/azureml/build.log?sig=c2VjcmV0",
        "ftp://stmlops.blob.core.windows.net/build.log?sig=c2VjcmV0",
        "https://stmlops.blob.core.windows.net:port/build.log?sig=c2VjcmV0",
        "build.log?sig=c2VjcmV0",
        "",
    ],
)
def test_nothing_else_is_asked(url: str):
    with pytest.raises(BlobError) as caught:
        link_of(url)
    assert caught.value.why is Why.NOT_SUPPORTED
    assert "c2VjcmV0" not in f"{caught.value!r} {caught.value}"
