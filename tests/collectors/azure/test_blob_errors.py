"""Refusals of Azure Storage and of Azurite, in words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure_server import ANSWERS

from diagnose.collectors.azure.blob_errors import BlobError, refusal
from diagnose.collectors.azure.blob_links import Link, link_of
from diagnose.model import Why

LOG = "https://stmlops.blob.core.windows.net/azureml/ImageLogs/1111/build.log"
NOW = datetime(2026, 11, 22, 12, 33, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)
RENEW = "ask for a new link: az acr task logs -r myregistry --run-id cb7"


def link(*, starts: timedelta = -HOUR, expires: timedelta = HOUR, permissions: str = "r") -> Link:
    """A link with a signature, whose times count from NOW."""
    start, expiry = (f"{NOW + delta:%Y-%m-%dT%H:%M:%SZ}" for delta in (starts, expires))
    return link_of(f"{LOG}?sv=2018-03-28&st={start}&se={expiry}&sr=b&sp={permissions}&sig=c2VjcmV0")


def recorded(case: str) -> dict[str, Any]:
    """An answer of Azurite, or one of Azure (``azure_...``)."""
    return json.loads((ANSWERS / "blob_errors" / f"{case}.json").read_text())


def refused(case: str, asked: Link, *, with_token: bool = False) -> BlobError:
    answer = recorded(case)
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    return refusal(
        asked, answer["status"], headers, answer["body"].encode(), renew=RENEW, with_token=with_token, now=NOW
    )


@pytest.mark.parametrize(
    ("case", "asked", "state", "why", "told"),
    [
        ("sas_expired", link(expires=-HOUR), "expired", Why.DENIED, "the link expired 2026-11-22 11:33 UTC"),
        ("sas_not_yet_valid", link(starts=HOUR, expires=2 * HOUR), "refused", Why.DENIED, "not valid before 2026-11-22 13:33"),
        ("sas_bad_signature", link(), "refused", Why.DENIED, "the signature is not accepted"),
        ("sas_wrong_key", link(), "refused", Why.DENIED, "the account's key was renewed"),
        ("html_escaped_ampersands", link(), "refused", Why.DENIED, "the signature is not accepted"),
        ("sas_cut_off_at_ampersand", link_of(f"{LOG}?sv=2018-03-28"), "refused", Why.DENIED, "the link was cut off"),
        ("no_sas_private_container", link_of(LOG), "refused", Why.DENIED, "the link has no signature"),
        ("sas_without_read_permission", link(permissions="w"), "refused", Why.DENIED, "does not allow to read"),
        ("sas_https_only_over_http", link(), "refused", Why.DENIED, "the link is for https only"),
        ("blob_not_found", link(), "not found", Why.NOT_FOUND, "deleted, or never written"),
        ("container_not_found", link(), "refused", Why.DENIED, "the signature is not accepted"),
        ("azure_sas_bad_signature", link(), "refused", Why.DENIED, "the signature is not accepted"),
        ("azure_public_access_not_permitted", link_of(LOG), "refused", Why.DENIED, "the link has no signature"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong_with_the_link(case: str, asked: Link, state: str, why: Why, told: str):
    error = refused(case, asked)
    assert (error.state, error.why, error.status) == (state, why, recorded(case)["status"])
    assert told in error.message
    assert LOG in error.message
    assert error.code == recorded(case)["headers"]["x-ms-error-code"]


def test_azure_tells_expired_from_early_by_its_own_clock():
    early = refused("azure_sas_outside_time_frame", link())
    assert (early.state, early.message) == ("refused", f"the link is not valid before 2019-06-13 16:18 UTC ({LOG})")
    body = recorded("azure_sas_outside_time_frame")["body"].replace(
        "Current [Thu, 13 Jun 2019 09:22:53 GMT]", "Current [Sat, 15 Jun 2019 09:22:53 GMT]"
    )
    late = refusal(link(), 403, {}, body.encode(), renew=RENEW, with_token=False, now=NOW)
    assert (late.state, late.message) == ("expired", f"the link expired 2019-06-14 16:23 UTC ({LOG})")


def test_azure_names_a_wrong_signature_even_where_the_link_has_also_expired():
    error = refused("azure_sas_bad_signature", link(expires=-HOUR))
    assert (error.state, error.why) == ("refused", Why.DENIED)


def test_the_string_that_was_signed_is_not_repeated():
    assert "String to sign" in recorded("azure_sas_bad_signature")["body"]
    error = refused("azure_sas_bad_signature", link())
    assert "mystorageaccount" not in f"{error!r}"
    assert "c2VjcmV0" not in f"{error!r}"


@pytest.mark.parametrize("case", ["sas_expired", "sas_bad_signature", "sas_without_read_permission"])
def test_whoever_needs_a_new_link_is_told_how_to_get_one(case: str):
    assert refused(case, link(expires=-HOUR)).needs == RENEW


def xml(code: str, message: str) -> bytes:
    """As Azure documents it: https://learn.microsoft.com/rest/api/storageservices/sas-error-codes."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'.encode()
    )


@pytest.mark.parametrize(
    ("status", "code", "message", "told", "needs"),
    [
        (403, "AuthorizationFailure", "This request is not authorized to perform this operation.", "from this network", "--ip-address"),
        (403, "AuthorizationSourceIPMismatch", "This request is not authorized to perform this operation using this source IP 203.0.113.9.", "another client address", "use it there"),
        (403, "AuthorizationResourceTypeMismatch", "This request is not authorized to perform this operation using this resource type.", "something else than to read", RENEW),
        (403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account.", "takes no links", "Storage Blob Data Reader"),
        (404, "ContainerNotFound", "The specified container does not exist.", "is not there", "build the image again"),
        (409, "BlobArchived", "This operation is not permitted on an archived blob.", "archived", "tier"),
        (503, "ServerBusy", "The server is busy.", "busy", "try again"),
        (500, "InternalError", "The server encountered an internal error.", "an error", "try again"),
        (418, "", "", "an error", "try again"),
    ],
)  # fmt: skip
def test_what_only_azure_answers(status: int, code: str, message: str, told: str, needs: str):
    error = refusal(link(), status, {}, xml(code, message), renew=RENEW, with_token=False, now=NOW)
    assert told in error.message
    assert needs in error.needs
    assert error.code == (code or "HTTP 418")


def test_a_blob_that_anybody_might_read_is_hidden_behind_404_without_a_signature():
    body = xml("ResourceNotFound", "The specified resource does not exist.")
    bare = refusal(link_of(LOG), 404, {}, body, renew=RENEW, with_token=False, now=NOW)
    signed = refusal(link(), 404, {}, body, renew=RENEW, with_token=False, now=NOW)
    assert (bare.state, signed.state) == ("refused", "not found")


def test_a_signed_in_account_without_the_role_is_told_which():
    error = refused("sas_without_read_permission", link_of(LOG), with_token=True)
    assert error.needs == "role Storage Blob Data Reader on storage account stmlops"
    assert "may not read blobs" in error.message


def test_a_sign_in_that_storage_does_not_take_is_no_matter_of_links():
    error = refused("azure_sas_bad_signature", link_of(LOG), with_token=True)
    assert (error.needs, "the sign-in was refused" in error.message) == ("sign in again: az login", True)


def test_the_code_may_stand_in_a_header_alone():
    error = refusal(link(), 404, {"x-ms-error-code": "BlobNotFound"}, b"", renew=RENEW, with_token=False, now=NOW)
    assert (error.code, error.state) == ("BlobNotFound", "not found")


def test_every_recorded_refusal_is_understood():
    files = sorted(Path(ANSWERS, "blob_errors").glob("*.json"))
    cases = [file.stem for file in files if recorded(file.stem)["status"] >= 400]
    assert len(cases) == 14
    assert {refused(case, link()).state for case in cases} <= {"expired", "refused", "not found"}
