"""Each envelope that Azure wraps an error in gives the same shape; the messages are those of the recorded answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from azure_server import OTHER_TENANT, PRINCIPAL, SUB, VAULT_PATH, body_of, fixtures

from diagnose.collectors.azure.errors import AzureError, refusal, retry_after_s, safe
from diagnose.model import Why


def error_of(name: str) -> AzureError:
    """As it is when the server gives this answer."""
    answer = fixtures()[name].answer
    return refusal(answer.status, answer.body, answer.headers)


@pytest.mark.parametrize(
    ("name", "status", "code", "why"),
    [
        ("arm_errors/401_expired_token", 401, "ExpiredAuthenticationToken", Why.DENIED),
        ("arm_errors/401_invalid_token", 401, "InvalidAuthenticationToken", Why.DENIED),
        ("arm_errors/401_wrong_tenant", 401, "InvalidAuthenticationTokenTenant", Why.DENIED),
        ("arm_errors/403_authorization_failed", 403, "AuthorizationFailed", Why.DENIED),
        ("arm_errors/404_not_found_pretty_printed", 404, "NotFound", Why.NOT_FOUND),
        ("arm_errors/404_resource_not_found", 404, "ResourceNotFound", Why.NOT_FOUND),
        ("arm_errors/409_operation_not_allowed", 409, "OperationNotAllowed", Why.FAILED),
        ("arm_errors/409_vault_soft_deleted", 409, "ConflictError", Why.FAILED),
        ("arm_errors/429_throttled", 429, "SubscriptionRequestsThrottled", Why.TIMED_OUT),
        ("containerregistry/error_400_with_status", 400, "ClassicSkuDeprecated", Why.FAILED),
        ("containerregistry/error_409_json_in_json_string", 409, "Unauthorized", Why.FAILED),
        ("monitor/error_409_bare_code", 409, "Conflict", Why.FAILED),
        ("machinelearning_v1/mms_400_compute_not_ready", 400, "ComputeResourceNotCreated", Why.FAILED),
        ("machinelearning_v1/mms_401", 401, "EmptyOrInvalidToken", Why.DENIED),
        ("machinelearning_v1/mms_500", 500, "InternalServerError", Why.FAILED),
        ("resources/deployment_cancel_409", 409, "DeploymentCannotBeCancelled", Why.FAILED),
        ("resources/deployment_validation_400", 400, "InvalidTemplateDeployment", Why.FAILED),
    ],
)
def test_every_envelope_gives_status_code_and_reason(name: str, status: int, code: str, why: Why) -> None:
    error = error_of(name)
    assert (error.status, error.code, error.why) == (status, code, why)
    assert error.message


def test_the_message_holds_what_the_errors_within_say() -> None:
    assert error_of("machinelearning_v1/mms_400_compute_not_ready").message == (
        "The request is invalid; ComputeResourceNotCreated: Compute resource with Id: aks-mlops is not in Succeeded state. "
        "Compute provisioning state: Failed"
    )
    assert (
        "InvalidDomainNameLabel: The domain name label GEN-UNIQUE"
        in error_of("resources/deployment_validation_400").message
    )


def test_what_an_inner_error_only_repeats_is_said_once() -> None:
    body = {"error": {"code": "Gone", "message": "It left.", "details": [{"code": "Gone", "message": "It left."}]}}
    assert refusal(410, body, {}).message == "It left."


def test_an_error_that_is_json_within_a_message_is_found() -> None:
    properties = body_of("resources/deployment_get_failed")["properties"]
    error = refusal(200, properties, {})
    assert error.code == "ConflictError"
    assert "A vault with the same name already exists in deleted state." in error.message
    assert "\n" not in error.message
    assert "{" not in error.message


def test_an_error_that_is_a_json_string_within_json_is_found() -> None:
    error = error_of("containerregistry/error_409_json_in_json_string")
    assert error.message.startswith("Failed to create webhook for repository")
    assert error.message.endswith("'repo' scope.")


@pytest.mark.parametrize("name", ["deployment_operations_list", "deployment_operations_list_failed"])
def test_the_status_message_of_a_template_operation_is_an_error_like_the_others(name: str) -> None:
    operations = body_of(f"resources/{name}")["value"]
    errors = [refusal(409, operation["properties"].get("statusMessage"), {}) for operation in operations]
    assert [error.code for error in errors] == (["ConflictError"] if name.endswith("failed") else ["", ""])


def test_a_code_in_front_of_the_message_counts_where_there_is_no_other() -> None:
    error = refusal(200, body_of("machinelearning/operation_status_failed"), {})
    assert (error.code, error.message) == (
        "ResourceNotReady",
        "User container has crashed or terminated: Liveness probe failed: HTTP probe failed with statuscode: 502.",
    )
    assert refusal(400, "(None) ResourceNotReady: User container has crashed", {}).code == "ResourceNotReady"
    assert refusal(404, "(ResourceNotFound) The Resource was not found.", {}).code == "ResourceNotFound"
    assert refusal(400, "Please note: nothing to see", {}).code == ""


def test_an_answer_of_entra_id_has_its_number_for_a_code() -> None:
    body = {
        "error": "invalid_client",
        "error_description": "AADSTS7000222: The provided client secret keys are expired.",
    }
    error = refusal(401, body, {})
    assert (error.code, error.message) == ("AADSTS7000222", "The provided client secret keys are expired.")


def test_an_expired_token_asks_to_sign_in_again() -> None:
    for name in ("arm_errors/401_expired_token", "arm_errors/401_invalid_token"):
        error = error_of(name)
        assert error.sign_in
        assert error.needs == "sign in again: `az login`"


def test_a_token_of_another_tenant_names_the_right_one() -> None:
    error = error_of("arm_errors/401_wrong_tenant")
    assert error.sign_in
    assert error.needs == f"sign in to the right tenant: `az login --tenant {OTHER_TENANT}`"


def test_the_right_tenant_may_stand_in_the_challenge_alone() -> None:
    headers = fixtures()["arm_errors/401_wrong_tenant"].answer.headers
    error = refusal(401, b"", headers)
    assert error.sign_in
    assert error.needs.endswith(f"`az login --tenant {OTHER_TENANT}`")


def test_a_token_that_only_the_old_service_refuses_is_no_failed_sign_in() -> None:
    error = error_of("machinelearning_v1/mms_401")
    assert not error.sign_in
    assert error.needs == "sign in again: `az login`"


def test_an_expired_signature_of_a_blob_is_no_failed_sign_in() -> None:
    assert not refusal(403, {"error": {"code": "AuthenticationFailed", "message": "Signature not valid."}}, {}).sign_in


def test_a_denial_says_which_action_is_needed_where_and_for_whom() -> None:
    error = error_of("arm_errors/403_authorization_failed")
    assert not error.sign_in
    assert error.needs == f"a role that allows Microsoft.KeyVault/vaults/read on {VAULT_PATH} for {PRINCIPAL}"


def test_an_unknown_subscription_says_how_to_find_the_right_one() -> None:
    body = {"error": {"code": "SubscriptionNotFound", "message": f"The subscription '{SUB}' could not be found."}}
    error = refusal(404, body, {})
    assert error.why is Why.NOT_FOUND
    assert "az account list" in error.needs


def test_a_page_of_a_proxy_is_told_apart_from_azure() -> None:
    page = b"<!DOCTYPE html><html><head><title>Access\n denied</title></head><body>Call the help desk</body></html>"
    error = refusal(403, page, {"Content-Type": "text/html"})
    assert (error.code, error.why) == ("Unreadable", Why.UNREACHABLE)
    assert error.message == "a page instead of an answer: Access denied"
    assert "NO_PROXY" in error.needs


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'""', b"{'single': 'quotes'}", b"\xff\xfe", "", None, 7])
def test_a_body_that_says_nothing_still_gives_an_error(body: object) -> None:
    error = refusal(502, body, {})
    assert (error.status, error.why, error.sign_in) == (502, Why.FAILED, False)
    assert str(error).startswith("HTTP 502: ")


@pytest.mark.parametrize(
    "body",
    [
        {"error": None},
        {"error": []},
        {"error": {"code": 17, "message": None}},
        {"error": {"code": "Odd", "details": "not a list"}},
        {"error": {"code": "Odd", "message": {"lang": "en-us", "value": "Strange."}}},
        {"Code": "Odd", "Message": "Strange."},
        [{"error": {"code": "Odd", "message": "Strange."}}],
        {"error": {"code": "Odd", "message": "[" * 5000}},
    ],
)
def test_odd_error_objects_do_not_break_it(body: object) -> None:
    error = refusal(400, json.dumps(body).encode(), {})
    assert error.status == 400
    assert error.code in ("", "Odd")


def test_errors_within_errors_without_end_are_followed_only_so_far() -> None:
    body: dict[str, object] = {"code": "Deep0", "message": "0"}
    for depth in range(1, 2000):
        body = {"code": f"Deep{depth}", "message": str(depth), "details": [body]}
    assert refusal(400, body, {}).message.startswith("1999; Deep1998: 1998")


def test_a_message_never_holds_a_signature_a_token_or_a_user_name() -> None:
    message = (
        "GET https://st.blob.core.windows.net/azureml/build.log?sv=2018-03-28&sig=abc%2Bdef&se=2026 with Bearer "
        "eyJhbGciOiJub25lIn0.eyJ0aWQiOiJhIn0.c2lnbmF0dXJl over https://me:pass@proxy:8080/ failed, see "
        "https://go.microsoft.com/fwlink/?linkid=2149745"
    )
    assert safe(message) == (
        "GET https://st.blob.core.windows.net/azureml/build.log with Bearer (token) over https://proxy:8080/ failed, see "
        "https://go.microsoft.com/fwlink/?linkid=2149745"
    )


def test_a_long_message_is_cut() -> None:
    assert len(refusal(400, {"code": "Long", "message": "word " * 10_000}, {}).message) < 2100


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "10"}, 10.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


def test_when_to_come_back_may_be_a_date() -> None:
    assert retry_after_s({"Retry-After": format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)}) == 0.0
    later = retry_after_s({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert later is not None
    assert 3500 < later <= 3600
