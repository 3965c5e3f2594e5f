"""The real azure-core and azure-mgmt-keyvault over TLS against recorded answers, and all that can go wrong on the way."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure_server import GROUP, RG, SUB, TENANT, VAULT_PATH, WORKSPACE_PATH, AzureServer, register_cloud
from made_objects import seconds

from diagnose.collectors import Limits
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.cloud import PUBLIC
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.session import signed_in
from diagnose.model import Why

API = "2023-07-01"
VAULTS = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
DEPLOYMENT = f"{WORKSPACE_PATH}/onlineEndpoints/mysvc/deployments/blue"
V1_SERVICE = f"/modelmanagement/v1.0{WORKSPACE_PATH}/services/mysvc"


def refused(call: Callable[[], object]) -> AzureError:
    """The error that ``call`` ends with."""
    with pytest.raises(AzureError) as caught:
        call()
    return caught.value


@contextlib.contextmanager
def vault_client(arm: Arm) -> Iterator[KeyVaultManagementClient]:
    """As a collector builds it."""
    with KeyVaultManagementClient(arm.credential, arm.subscription, base_url=arm.endpoint, **arm.options) as client:
        yield client


# --- what is asked, and what comes back ---


def test_a_resource_is_read_with_token_and_api_version(arm: Arm, azure: AzureServer) -> None:
    azure.use("keyvault/vault_get_rbac")
    assert arm.get(VAULT_PATH, API)["name"] == "kv-mlops"
    (request,) = azure.requests
    assert (request.method, request.path, request.query) == ("GET", VAULT_PATH, {"api-version": API})
    assert request.token
    assert (arm.subscription, arm.tenant) == (SUB, TENANT)


def test_query_and_names_arrive_as_they_were_given(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", f"{GROUP}/odd name?#%41é", body={"name": "odd"})
    assert arm.get(f"{GROUP}/odd name?#%41é", API, **{"$filter": "a eq 'b&c'"}) == {"name": "odd"}
    assert azure.requests[-1].query == {"api-version": API, "$filter": "a eq 'b&c'"}


def test_bytes_that_came_are_counted(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULT_PATH, body=b'{"name": "kv"}')
    arm.get(VAULT_PATH, API)
    arm.get(VAULT_PATH, API)
    assert arm.received == 2 * len(b'{"name": "kv"}')


def test_all_pages_are_read(arm: Arm, azure: AzureServer) -> None:
    found = arm.pages(VAULTS, API)
    assert [vault["name"] for vault in found] == ["kv-mlops"]
    assert ["$skiptoken" in request.query for request in azure.requests] == [False, True]


def test_a_link_without_a_host_is_on_the_same(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULTS, body={"value": [{"name": "a"}], "nextLink": f"{VAULTS}/page2?x=1"})
    azure.answer("GET", f"{VAULTS}/page2", body={"value": [{"name": "b"}], "nextLink": ""})
    assert [vault["name"] for vault in arm.pages(VAULTS, API)] == ["a", "b"]


def test_an_answer_without_a_list_is_no_empty_list(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULTS, body={"name": "something else"})
    assert refused(lambda: arm.pages(VAULTS, API)).code == "Unreadable"


def test_json_in_a_json_string_is_decoded(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULT_PATH, body=json.dumps(json.dumps({"name": "kv"})).encode())
    assert arm.get(VAULT_PATH, API) == {"name": "kv"}


def test_logs_are_read_with_a_post(arm: Arm, azure: AzureServer) -> None:
    answer = arm.post(f"{DEPLOYMENT}/getLogs", "2024-04-01", {"containerType": "InferenceServer", "tail": 100})
    assert str(answer["content"]).startswith("Instance status:")
    assert json.loads(azure.requests[-1].body) == {"containerType": "InferenceServer", "tail": 100}


def test_a_check_that_takes_time_is_waited_for(arm: Arm, azure: AzureServer) -> None:
    later = f"{GROUP}/operations/1"
    headers = {"Location": f"{azure.url}{later}?api-version=1", "Retry-After": "0.1"}
    azure.answer("POST", f"{WORKSPACE_PATH}/diagnose", 202, b"", headers)
    azure.answer("GET", later, body={"value": {"keyVaultResults": []}})
    assert arm.post(f"{WORKSPACE_PATH}/diagnose", "2024-04-01") == {"value": {"keyVaultResults": []}}
    assert [request.method for request in azure.requests] == ["POST", "GET"]


def test_a_check_that_takes_too_long_is_given_up(arm: Arm, azure: AzureServer) -> None:
    headers = {"Location": f"{azure.url}{VAULT_PATH}", "Retry-After": "600"}
    azure.answer("POST", f"{WORKSPACE_PATH}/diagnose", 202, b"", headers)
    error = refused(lambda: arm.post(f"{WORKSPACE_PATH}/diagnose", "2024-04-01"))
    assert error.why is Why.TIMED_OUT
    assert "600 s" in error.message


@pytest.mark.parametrize(
    "action", ["listKeys", "regenerateKeys", "restart", "start", "delete", "listKeys/getLogs/..", ""]
)
def test_any_other_post_is_refused_before_it_is_sent(arm: Arm, azure: AzureServer, action: str) -> None:
    with pytest.raises(ValueError, match="not known to only read"):
        arm.post(f"{DEPLOYMENT}/{action}", API)
    assert azure.requests == []


@pytest.mark.parametrize(
    "path",
    ["relative", "//evil.example/x", "/providers/x", f"{GROUP}/../x", f"{GROUP}//x", "https://evil.example/", ""],
)
def test_what_is_no_path_of_a_resource_is_not_asked(arm: Arm, azure: AzureServer, path: str) -> None:
    assert refused(lambda: arm.get(path, API)).code == "InvalidName"
    assert azure.requests == []


# --- other hosts ---


def test_the_hosts_of_a_workspace_are_found_without_a_token(arm: Arm, azure: AzureServer) -> None:
    workspace = arm.get(WORKSPACE_PATH, "2022-05-01")
    url = workspace["properties"]["discoveryUrl"]
    assert url == f"{azure.url}/discovery"
    services = arm.elsewhere(url, signed=False)
    assert not azure.requests[-1].token
    assert arm.elsewhere(f"{services['modelmanagement']}{V1_SERVICE}?expand=true", signed=True)["name"] == "mysvc"
    assert azure.requests[-1].token
    assert azure.requests[-1].query == {"expand": "true"}


def test_the_pages_of_another_host_stay_on_it(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", "/modelmanagement/list", body={"value": [{"name": "a"}], "nextLink": "/modelmanagement/more"})
    azure.answer("GET", "/modelmanagement/more", body={"value": [{"name": "b"}]})
    found = arm.pages_elsewhere(f"{azure.url}/modelmanagement/list", signed=True)
    assert [service["name"] for service in found] == ["a", "b"]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/next",
        "http://management.azure.com/next",
        "https://management.azure.com.evil.example/next",
        "https://localhost/next",
        "https://{host}@evil.example/next",
        "https://evil.example\\@{host}/next",
        "https://me@{host}/next",
        "https://{host}:99999/next",
        "https://[::1/next",
        "//evil.example/next",
        "http://{host}/next",
        "file:///etc/passwd",
    ],
)
def test_a_foreign_next_link_is_refused_and_never_sees_the_token(arm: Arm, azure: AzureServer, link: str) -> None:
    foreign = link.format(host=azure.url.removeprefix("https://"))
    azure.answer("GET", VAULTS, body={"value": [], "nextLink": foreign})
    assert refused(lambda: arm.pages(VAULTS, API)).code == "ForeignHost"
    assert len(azure.requests) == 1


def test_a_foreign_location_is_refused(arm: Arm, azure: AzureServer) -> None:
    azure.answer("POST", f"{WORKSPACE_PATH}/diagnose", 202, b"", {"Location": "https://evil.example/?sig=abc"})
    error = refused(lambda: arm.post(f"{WORKSPACE_PATH}/diagnose", API))
    assert error.code == "ForeignHost"
    assert "sig" not in str(error)


@pytest.mark.parametrize(
    "url",
    [
        "https://vm.eastus.instances.azureml.ms/api",
        "https://mysvc.eastus2.inference.ml.azure.com/score",
        "https://mysvc.region.inference.ml.azure.us/score",
        "https://evil.example/.api.azureml.ms",
        "https://evilapi.azureml.ms/x",
        "http://eastus2.api.azureml.ms/x",
        "https://eastus2.api.azureml.ms:8443/x",
        "ftp://eastus2.api.azureml.ms/x",
    ],
)
def test_no_code_of_users_is_sent_the_token(arm: Arm, url: str) -> None:
    assert refused(lambda: arm.elsewhere(url, signed=True)).code == "ForeignHost"


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://eastus2.api.azureml.ms/discovery", True),
        ("https://a1b2.workspace.eastus2.api.azureml.ms/discovery", True),
        ("https://eastus.experiments.azureml.net/discovery", True),
        ("https://westeurope.modelmanagement.azureml.net:443/api", True),
        ("https://usgovvirginia.api.ml.azure.us/discovery", True),
        ("https://chinaeast2.api.ml.azure.cn/discovery", True),
        ("https://anything.azureml.net/x", False),
    ],
)
def test_the_services_of_azure_machine_learning_are_asked(
    arm: Arm, monkeypatch: pytest.MonkeyPatch, url: str, signed: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # so that nothing leaves this machine
    assert refused(lambda: arm.elsewhere(url, signed=signed)).code == "ProxyFailed"


def test_a_redirect_is_not_followed(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULT_PATH, 302, b"", {"Location": "https://login.example/?next=1"})
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.status, error.why) == (302, Why.UNREACHABLE)
    assert error.message == "redirected to https://login.example/, which is not followed"
    assert len(azure.requests) == 1


def test_an_endpoint_without_tls_is_not_asked(azure: AzureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    register_cloud(azure.config, azure.url)
    settings = azure.config / "clouds.config"
    settings.write_text(settings.read_text().replace(f"manager = {azure.url}", f"manager = {azure.identity.url}"))
    assert refused(lambda: signed_in(SUB, Limits())).code == "ForeignHost"
    assert azure.identity.requests == []


# --- refusals ---


def test_a_refusal_is_told_as_azure_told_it(arm: Arm, azure: AzureServer) -> None:
    azure.use("arm_errors/403_authorization_failed")
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.status, error.code, error.why) == (403, "AuthorizationFailed", Why.DENIED)
    assert "Microsoft.KeyVault/vaults/read" in error.needs


@pytest.mark.parametrize("name", ["401_expired_token", "401_wrong_tenant"])
def test_a_refused_token_is_a_failed_sign_in(arm: Arm, azure: AzureServer, name: str) -> None:
    azure.use(f"arm_errors/{name}")
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert error.sign_in
    assert "az login" in error.needs
    assert len(azure.paths()) == 1


def test_what_is_not_there_is_not_found(arm: Arm) -> None:
    error = refused(lambda: arm.get(f"{VAULTS}/other", API))
    assert (error.code, error.why) == ("ResourceNotFound", Why.NOT_FOUND)


@pytest.mark.parametrize("body", [b"<html><title>Sign in to the network</title></html>", b"not json", b"[1]", b'{"a":'])
def test_an_answer_that_can_not_be_read_is_an_error(arm: Arm, azure: AzureServer, body: bytes) -> None:
    azure.answer("GET", VAULT_PATH, 200, body)
    assert refused(lambda: arm.get(VAULT_PATH, API)).status == 200


def test_no_answer_is_larger_than_what_is_kept_in_memory(
    arm: Arm, azure: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diagnose.collectors.azure.arm._LARGEST", 1000)
    azure.answer("GET", VAULT_PATH, body={"name": "x" * 2000})
    assert refused(lambda: arm.get(VAULT_PATH, API)).why is Why.TRUNCATED


# --- waiting ---


@pytest.mark.parametrize("status", ["429", "503"])
def test_azure_is_asked_again_after_the_time_it_wants(arm: Arm, azure: AzureServer, status: str) -> None:
    azure.use("keyvault/vault_get_rbac")
    azure.fail_first(
        VAULT_PATH, "arm_errors/429_throttled", times=2, headers={"Retry-After": "0.1"}, status=int(status)
    )
    began = time.monotonic()
    assert arm.get(VAULT_PATH, API)["name"] == "kv-mlops"
    assert time.monotonic() - began >= 0.2
    assert len(azure.requests) == 3


def test_throttling_beyond_the_deadline_says_how_long_azure_wants(arm: Arm, azure: AzureServer) -> None:
    azure.use("arm_errors/429_throttled")
    error = refused(lambda: arm.under(seconds(5)).get(VAULT_PATH, API))
    assert (error.status, error.code, error.why) == (429, "SubscriptionRequestsThrottled", Why.TIMED_OUT)
    assert "come back in 10 s" in error.message
    assert "--timeout" in error.needs
    assert len(azure.requests) == 1


def test_a_failure_of_azure_without_a_time_to_wait_is_told_at_once(arm: Arm, azure: AzureServer) -> None:
    azure.answer("GET", VAULT_PATH, 503, {"error": {"code": "ServerTimeout", "message": "Busy."}})
    assert refused(lambda: arm.get(VAULT_PATH, API)).code == "ServerTimeout"
    assert len(azure.requests) == 1


def test_a_slow_answer_costs_the_time_of_one_call(arm: Arm, azure: AzureServer) -> None:
    azure.slow(VAULT_PATH, 30)
    error = refused(lambda: arm.under(seconds(20, call_s=0.3)).get(VAULT_PATH, API))
    assert (error.code, error.why) == ("NoAnswer", Why.TIMED_OUT)
    assert error.message == f"no answer from {azure.url.removeprefix('https://')} within 0.3 s"


def test_an_answer_that_drips_costs_the_time_of_one_call(arm: Arm, azure: AzureServer) -> None:
    azure.use("keyvault/vault_get_rbac")
    azure.drip(VAULT_PATH, 0.05)
    assert refused(lambda: arm.under(seconds(20, call_s=0.3)).get(VAULT_PATH, API)).code == "NoAnswer"


def test_an_interrupt_ends_a_call_that_hangs(arm: Arm, azure: AzureServer) -> None:
    azure.slow(VAULT_PATH, 3)
    before = azure.answered
    limits = seconds(30, call_s=30)
    threading.Timer(0.2, limits.stop.set).start()
    assert refused(lambda: arm.under(limits).get(VAULT_PATH, API)).why is Why.TIMED_OUT
    assert azure.answered == before


def test_an_interrupt_ends_the_wait_for_a_throttled_answer(arm: Arm, azure: AzureServer) -> None:
    azure.use("arm_errors/429_throttled")
    limits = seconds(30)
    threading.Timer(0.2, limits.stop.set).start()
    assert refused(lambda: arm.under(limits).get(VAULT_PATH, API)).status == 429


def test_a_sign_in_serves_several_limits_and_counts_for_all(arm: Arm, azure: AzureServer) -> None:
    azure.use("keyvault/vault_get_rbac")
    other = arm.under(seconds(5))
    other.get(VAULT_PATH, API)
    assert arm.received == other.received > 0
    assert other.limits is not arm.limits


# --- connections ---


def test_a_server_that_is_down_is_unreachable(arm: Arm, azure: AzureServer) -> None:
    azure.close()
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.code, error.why, error.status) == ("NoConnection", Why.UNREACHABLE, None)
    assert error.message.endswith(": connection refused")


def test_an_unknown_authority_is_told_with_the_way_to_trust_it(
    arm: Arm, azure: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.code, error.why) == ("UntrustedCertificate", Why.UNREACHABLE)
    assert "unable to get local issuer certificate" in error.message
    assert "REQUESTS_CA_BUNDLE" in error.needs


def test_a_bundle_of_authorities_that_is_not_there_is_told(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert error.code == "UntrustedCertificate"
    assert "could not find a suitable tls ca certificate bundle" in error.message


def test_a_proxy_that_is_down_is_told_apart_from_azure(arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@127.0.0.1:9")
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.code, error.why) == ("ProxyFailed", Why.UNREACHABLE)
    assert "secret" not in str(error)
    assert "api-version" not in str(error)
    assert "HTTPS_PROXY" in error.needs


def test_a_name_that_does_not_resolve_is_told(arm: Arm) -> None:
    nowhere = Arm(SUB, arm.credential, seconds(20), replace(PUBLIC, endpoint="https://azure.invalid"))
    error = refused(lambda: nowhere.get(VAULT_PATH, API, code="secret"))
    nowhere.close()
    assert (error.code, error.why) == ("NameNotResolved", Why.UNREACHABLE)
    assert error.message.startswith("the name azure.invalid does not resolve")
    assert "secret" not in str(error)


@pytest.mark.parametrize("after", [-1, 5])
def test_a_connection_that_is_cut_is_no_answer(arm: Arm, azure: AzureServer, after: int) -> None:
    azure.use("keyvault/vault_get_rbac")
    azure.cut(VAULT_PATH, after)
    error = refused(lambda: arm.get(VAULT_PATH, API))
    assert (error.code, error.why) == ("ConnectionCut", Why.FAILED)


def test_many_calls_side_by_side_say_nothing_on_the_screen(
    arm: Arm, azure: AzureServer, capfd: pytest.CaptureFixture[str]
) -> None:
    azure.use("keyvault/vault_get_rbac")
    names: list[object] = []
    threads = [threading.Thread(target=lambda: names.append(arm.get(VAULT_PATH, API)["name"])) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["kv-mlops"] * 40
    assert capfd.readouterr() == ("", "")


# --- clients of azure-mgmt packages ---


def test_the_client_for_key_vaults_uses_the_same_sign_in(arm: Arm, azure: AzureServer) -> None:
    azure.use("keyvault/vault_get_rbac")
    with vault_client(arm) as client:
        vault = arm.ask(lambda: client.vaults.get(RG, "kv-mlops"))
    assert vault.properties.enable_rbac_authorization is True
    assert {bool(request.token) for request in azure.requests} == {True}


def test_its_refusals_are_the_same(arm: Arm, azure: AzureServer) -> None:
    azure.use("arm_errors/403_authorization_failed")
    with vault_client(arm) as client:
        error = refused(lambda: arm.ask(lambda: client.vaults.get(RG, "kv-mlops")))
    assert (error.status, error.code) == (403, "AuthorizationFailed")
    assert "Microsoft.KeyVault/vaults/read" in error.needs


def test_its_missing_answers_are_the_same(arm: Arm, azure: AzureServer) -> None:
    azure.slow(VAULT_PATH, 30)
    hurried = arm.under(seconds(20, call_s=0.3))
    with vault_client(hurried) as client:
        assert refused(lambda: hurried.ask(lambda: client.vaults.get(RG, "kv-mlops"))).why is Why.TIMED_OUT
    azure.close()
    with vault_client(arm) as client:
        assert refused(lambda: arm.ask(lambda: client.vaults.get(RG, "kv-mlops"))).code == "NoConnection"


def test_it_neither_tries_again_nor_registers_a_provider(arm: Arm, azure: AzureServer) -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.KeyVault'."
    azure.answer("GET", VAULT_PATH, 409, {"error": {"code": "MissingSubscriptionRegistration", "message": message}})
    with vault_client(arm) as client:
        error = refused(lambda: arm.ask(lambda: client.vaults.get(RG, "kv-mlops")))
    assert error.code == "MissingSubscriptionRegistration"
    assert [request.method for request in azure.requests] == ["GET"]
