"""Online endpoints: traffic, deployments, the steps of an instance, logs and failed operations."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
from azure_server import RG, WORKSPACE, WORKSPACE_PATH, Answer, AzureServer, Request, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.endpoints import (
    EndpointGraph,
    collect_endpoint,
    endpoint_of,
    list_endpoints,
    read_endpoint,
)
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.instance_logs import STEPS
from diagnose.collectors.azure.workspaces import links_of
from diagnose.model import Collection, Subject, Why

LINKS = links_of(body_of("machinelearning/workspace_get"))
ENDPOINT = body_of("machinelearning/online_endpoint_get")
ON_KUBERNETES = body_of("machinelearning/online_endpoint_get_kubernetes")
DEPLOYMENTS = body_of("machinelearning/online_deployments_list")["value"]
FAILED = body_of("machinelearning/online_deployment_get_failed")
LOG = body_of("machinelearning/online_deployment_get_logs")["content"]
NOW = datetime(2022, 5, 19, 4, tzinfo=UTC)

PATH = f"{WORKSPACE_PATH}/onlineEndpoints/mysvc"
BLUE = f"{PATH}/deployments/blue"
SERVER = Subject("endpoint", workload="blue", container="inference-server")


def failed_at(step: str) -> str:
    """Derived: the log of a deployment that failed at ``step``."""
    at = STEPS.index(step)
    states = [*["Succeeded"] * at, "Failed", *["Waiting"] * (3 - at)]
    lines = [f"{name}: {state}" for name, state in zip(STEPS, states, strict=True)]
    event = "Kind: Pod, Name: LivenessProbeFailed, Type: Warning, Time: 2022-05-19T03:20:00.0Z, Message: Liveness probe failed"
    return "\n".join(
        ["Instance status:", *lines, "", "Container events:", event, "", "Container logs:", "last words", ""]
    )


def collected(arm, limits: Limits | None = None) -> tuple[EndpointGraph | None, Collection]:
    gathering = Gathering(Subject("endpoint"), now=NOW)
    graph = collect_endpoint(arm, LINKS, "mysvc", gathering, limits or Limits())
    return graph, gathering.collection(0)


def answer_logs(azure: AzureServer, monkeypatch: pytest.MonkeyPatch, **by_type: str | int) -> None:
    """``getLogs`` answers by container type: a text, or a status."""
    plain = azure.handle

    def handle(request: Request) -> Answer | None:
        known = plain(request)
        if not request.path.endswith("/getLogs"):
            return known
        given = by_type[json.loads(request.body)["containerType"]]
        if isinstance(given, int):
            return Answer.json({"error": {"code": "NotFound", "message": "no log"}}, given)
        return Answer.json({"content": given})

    monkeypatch.setattr(azure, "handle", handle)


# --- endpoints ---


def test_an_endpoint_and_where_its_traffic_goes():
    item = endpoint_of(ENDPOINT, DEPLOYMENTS)
    assert (item.name, item.kind, item.provisioning_state) == ("mysvc", "managed", "Succeeded")
    assert (item.traffic, item.traffic_percent, item.deployments) == (("blue=100",), 100, 1)
    assert (item.auth_mode, item.public_network_access, item.compute) == ("AMLToken", "Enabled", "")
    assert item.scoring_uri == "https://mysvc.eastus2.inference.ml.azure.com/score"
    assert item.source == f"az ml online-endpoint show -n mysvc -g {RG} -w {WORKSPACE}"


def test_traffic_to_a_deployment_that_does_not_exist_goes_nowhere():
    body = deepcopy(ENDPOINT)
    body["properties"]["traffic"] = {"blue": 10, "green": 90}
    item = endpoint_of(body, DEPLOYMENTS)
    assert (item.traffic, item.traffic_percent) == (("blue=10", "green=90"), 10)
    assert endpoint_of(body, []).traffic_percent == 0


def test_deployments_that_could_not_be_listed_are_not_taken_for_none():
    item = endpoint_of(ENDPOINT, None)
    assert (item.deployments, item.traffic_percent) == (None, 100)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("machinelearning/online_endpoint_put_creating", "Creating"),
        ("machinelearning/online_endpoint_put_updating", "Updating"),
    ],
)
def test_an_endpoint_in_progress_has_no_traffic_yet(name, state):
    item = endpoint_of(body_of(name), [])
    assert item.provisioning_state == state
    assert (item.traffic, item.traffic_percent, item.deployments) == ((), 0, 0)


def test_an_endpoint_without_an_address_yet():
    assert endpoint_of(body_of("machinelearning/online_endpoint_put_creating"), []).scoring_uri == ""


def test_an_endpoint_on_kubernetes_names_its_compute():
    item = endpoint_of(ON_KUBERNETES, DEPLOYMENTS)
    assert (item.kind, item.compute) == ("kubernetes", "aks-mlops")


# --- over the network ---


def test_endpoints_are_listed_and_found(azure, arm):
    azure.use("machinelearning/online_endpoints_list", "machinelearning/online_endpoint_get")
    assert [one["name"] for one in list_endpoints(arm, LINKS)][:1] == ["mysvc"]
    assert read_endpoint(arm, LINKS, "mysvc")["name"] == "mysvc"
    assert read_endpoint(arm, LINKS, "other") is None


def test_a_healthy_endpoint(azure, arm):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    graph, collection = collected(arm)
    assert graph is not None
    assert (graph.kind, graph.compute) == ("managed", "")
    assert graph.endpoint_id == ENDPOINT["id"]
    assert [one.name for one in graph.deployments] == ["blue"]
    assert graph.environments == (DEPLOYMENTS[0]["properties"]["environmentId"],)
    assert graph.identity["principalId"] == "11111111-0000-0000-0000-0000000000d6"
    assert collection.missing == ()
    assert collection.items["endpoints"] == (endpoint_of(ENDPOINT, DEPLOYMENTS),)
    assert collection.items["online_deployments"][0].container_start == "Succeeded"
    (container,) = collection.items["containers"]
    assert (container.subject, container.state) == (SERVER, "running")
    assert "operations" not in collection.items
    assert collection.logs["logs.deployment"] == ()


def test_events_that_both_logs_begin_with_count_once(azure, arm):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    _, collection = collected(arm)
    assert len(collection.items["events"]) == 6


def test_nothing_is_scored_and_no_key_or_token_is_asked_for(azure, arm):
    azure.use("machinelearning/online_endpoint_token", "machinelearning/score_200")
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    collected(arm)
    posts = [request for request in azure.requests if request.method == "POST" and request.token]
    assert {request.path for request in posts} == {f"{BLUE}/getLogs"}
    asked = [json.loads(request.body) for request in posts]
    assert sorted(asked, key=str) == [
        {"containerType": "InferenceServer", "tail": 5000},
        {"containerType": "StorageInitializer", "tail": 5000},
    ]
    assert not [path for path in azure.paths() if path.endswith(("/token", "/listKeys", "/score"))]


def test_both_logs_of_a_deployment(azure, arm, monkeypatch):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    server = LOG + "\nContainer logs:\nBooting worker with pid: 12\n"
    answer_logs(azure, monkeypatch, InferenceServer=server, StorageInitializer="Downloading model\n")
    _, collection = collected(arm)
    logs = {log.subject.container: log for log in collection.logs["logs.container"]}
    assert logs["inference-server"].chunks[0].text == "Booting worker with pid: 12"
    assert server.splitlines()[logs["inference-server"].chunks[0].first_line - 1] == "Booting worker with pid: 12"
    assert logs["inference-server"].source.startswith("az ml online-deployment get-logs -e mysvc -n blue -g rg-mlops")
    assert logs["storage-initializer"].chunks[0].text == "Downloading model"
    assert logs["storage-initializer"].source.endswith("--container storage-initializer")
    assert {log.subject.workload for log in logs.values()} == {"blue"}


@pytest.mark.parametrize("step", STEPS)
def test_a_deployment_that_failed_in_any_of_its_steps(azure, arm, monkeypatch, step):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/operation_status_failed")
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [FAILED]})
    answer_logs(azure, monkeypatch, InferenceServer=failed_at(step), StorageInitializer="")
    _, collection = collected(arm)
    (deployment,) = collection.items["online_deployments"]
    assert (deployment.provisioning_state, deployment.failed_step) == ("Failed", step)
    states = [container.state for container in collection.items.get("containers", ())]
    assert states == (["waiting"] if step == "UserContainerStart" else [])
    assert [event.reason for event in collection.items["events"]] == ["LivenessProbeFailed"]
    assert [log.chunks[0].text for log in collection.logs["logs.container"] if log.chunks] == ["last words"]


def test_what_failed_is_followed_to_its_operation(azure, arm):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/operation_status_failed")
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [FAILED]})
    _, collection = collected(arm)
    (operation,) = collection.items["operations"]
    assert (operation.kind, operation.name, operation.code) == ("deployment", "blue", "ResourceNotReady")
    (log,) = collection.logs["logs.deployment"]
    assert "User container has crashed or terminated: Liveness probe failed" in log.chunks[0].text
    assert log.subject == Subject("endpoint", workload="blue")


def test_an_endpoint_under_way_shows_the_operation_that_goes_on(azure, arm):
    azure.use("machinelearning/online_endpoint_put_creating", at=PATH)
    azure.use("machinelearning/operation_status_updating")
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": []})
    graph, collection = collected(arm)
    assert graph is not None
    assert graph.deployments == ()
    assert [(one.kind, one.status) for one in collection.items["operations"]] == [("endpoint", "Running")]
    assert collection.items["online_deployments"] == ()


def test_an_operation_on_a_foreign_host_is_not_followed(azure, arm):
    azure.use("machinelearning/online_endpoint_get")
    foreign = deepcopy(FAILED)
    foreign["properties"]["properties"]["AzureAsyncOperationUri"] = "https://evil.example/subscriptions/s/operation"
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [foreign]})
    _, collection = collected(arm)
    (gap,) = collection.missing
    assert gap.stream == "operations"
    assert "evil.example" in gap.what
    assert "operations" not in collection.items


@pytest.mark.parametrize("status", [404, 409])
def test_a_log_of_what_does_not_run_yet_is_not_found(azure, arm, monkeypatch, status):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    answer_logs(azure, monkeypatch, InferenceServer=status, StorageInitializer=status)
    _, collection = collected(arm)
    assert {(gap.stream, gap.why) for gap in collection.missing} == {("logs.container", Why.NOT_FOUND)}
    assert {gap.subject.container for gap in collection.missing} == {"inference-server", "storage-initializer"}
    assert "refusals" not in collection.items
    assert "logs.container" not in collection.logs
    assert collection.items["online_deployments"][0].container_start == ""


def test_a_model_that_is_there_needs_no_log_of_its_download(azure, arm, monkeypatch):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    answer_logs(azure, monkeypatch, InferenceServer=LOG, StorageInitializer=404)
    _, collection = collected(arm)
    (gap,) = collection.missing
    assert (gap.why, gap.subject.container) == (Why.NOT_SUPPLIED, "storage-initializer")


def test_logs_that_may_not_be_read_name_the_role(azure, arm, monkeypatch):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    answer_logs(azure, monkeypatch, InferenceServer=403, StorageInitializer=403)
    _, collection = collected(arm)
    assert {gap.why for gap in collection.missing} == {Why.DENIED}
    assert {gap.needs for gap in collection.missing} == {"AzureML Data Scientist on workspace ws-mlops"}
    assert len(collection.items["refusals"]) == 2
    assert collection.items["online_deployments"][0].provisioning_state == "Succeeded"


def test_deployments_that_may_not_be_listed_leave_the_endpoint(azure, arm):
    azure.use("machinelearning/online_endpoint_get")
    azure.use("arm_errors/403_authorization_failed", at=f"{PATH}/deployments")
    graph, collection = collected(arm)
    assert graph is not None
    assert collection.items["endpoints"][0].deployments is None
    assert "online_deployments" not in collection.items
    assert {gap.stream for gap in collection.missing} == {"online_deployments", "logs.container"}


def test_an_endpoint_on_kubernetes_leaves_the_state_of_containers_to_the_cluster(azure, arm):
    azure.use("machinelearning/online_endpoint_get_kubernetes")
    body = deepcopy(DEPLOYMENTS[0])
    body["properties"]["endpointComputeType"] = "Kubernetes"
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [body]})
    graph, collection = collected(arm)
    assert graph is not None
    assert (graph.kind, graph.compute) == ("kubernetes", ON_KUBERNETES["properties"]["compute"])
    assert "containers" not in collection.items
    assert len(collection.logs["logs.container"]) == 2


def test_an_endpoint_that_is_not_there(azure, arm):
    gathering = Gathering(Subject("endpoint"))
    assert collect_endpoint(arm, LINKS, "other", gathering, Limits()) is None
    (gap,) = gathering.collection(0).missing
    assert (gap.stream, gap.why) == ("endpoints", Why.NOT_FOUND)


def test_of_a_long_log_the_end_is_kept(azure, arm, monkeypatch):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    lines = "".join(f"line {number}\n" for number in range(1, 1001))
    answer_logs(azure, monkeypatch, InferenceServer=lines, StorageInitializer="")
    _, collection = collected(arm, Limits(log_bytes=100))
    log = next(log for log in collection.logs["logs.container"] if log.chunks)
    (chunk,) = log.chunks
    assert chunk.text.splitlines()[-1] == "line 1000"
    assert chunk.text.splitlines()[0] == f"line {chunk.first_line}"
    assert "were left out" in log.cut


def test_a_log_of_one_instance_of_several_says_so(azure, arm):
    azure.use("machinelearning/online_endpoint_get")
    body = deepcopy(DEPLOYMENTS[0])
    body["sku"]["capacity"] = 3
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [body]})
    _, collection = collected(arm)
    assert {log.cut for log in collection.logs["logs.container"]} == {"of one of 3 instances: Azure gives no other"}


def test_deployments_are_read_side_by_side_and_listed_in_azures_order(azure, arm):
    azure.use("machinelearning/online_endpoint_get")
    green = deepcopy(DEPLOYMENTS[0]) | {"name": "green"}
    azure.answer("GET", f"{PATH}/deployments", 200, {"value": [green, DEPLOYMENTS[0]]})
    azure.answer("POST", f"{PATH}/deployments/green/getLogs", 200, {"content": ""})
    azure.slow(f"{PATH}/deployments/green/getLogs", timedelta(milliseconds=100).total_seconds())
    graph, collection = collected(arm)
    assert graph is not None
    assert [one.name for one in graph.deployments] == ["green", "blue"]
    assert collection.items["endpoints"][0].deployments == 2


def test_logs_that_hang_cost_their_own_answer(azure, arm):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    azure.slow(f"{BLUE}/getLogs", 30)
    read_endpoint(arm, LINKS, "mysvc")
    limits = Limits(call_s=1.5)
    gathering = Gathering(Subject("endpoint"), now=NOW)
    graph = collect_endpoint(arm.under(limits), LINKS, "mysvc", gathering, limits)
    collection = gathering.collection(0)
    assert graph is not None
    assert [one.name for one in graph.deployments] == ["blue"]
    assert {(gap.stream, gap.why) for gap in collection.missing} == {("logs.container", Why.TIMED_OUT)}
    assert "logs.container" not in collection.logs


def test_logs_that_take_longer_than_the_run_are_missing(azure, arm):
    azure.use("machinelearning/online_endpoint_get", "machinelearning/online_deployments_list")
    azure.slow(f"{BLUE}/getLogs", 30)
    read_endpoint(arm, LINKS, "mysvc")
    limits = Limits(deadline=time.monotonic() + 1.5)
    gathering = Gathering(Subject("endpoint"), now=NOW)
    collect_endpoint(arm.under(limits), LINKS, "mysvc", gathering, limits)
    gaps = [gap for gap in gathering.collection(0).missing if gap.stream == "logs.container"]
    assert gaps
    assert {gap.why for gap in gaps} == {Why.TIMED_OUT}
