"""Web services of SDK v1: state, error with what it quotes, operations, logs; and what is never asked for."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

import pytest
from azure_server import RG, WORKSPACE, WORKSPACE_PATH, Answer, AzureServer, Request, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.web_services import (
    ServiceGraph,
    collect_service,
    graph_of,
    list_services,
    operation_of,
    read_service,
    service_of,
)
from diagnose.collectors.azure.workspaces import read_workspace
from diagnose.model import Collection, Subject, Why
from diagnose.streams import Container, Event

ACI = body_of("machinelearning_v1/service_get_aci")
AKS = body_of("machinelearning_v1/service_get_aks")
CRASH = body_of("machinelearning_v1/service_error_aci_crashloop")
INACCESSIBLE = body_of("machinelearning_v1/service_error_aci_image_not_accessible")
NOW = datetime(2026, 11, 1, 11, tzinfo=UTC)

SERVICES = f"/modelmanagement/v1.0{WORKSPACE_PATH}/services"
SERVICE = f"{SERVICES}/mysvc"
LOGS = f"{SERVICE}/logs"
OPERATION_ID = "11111111-0000-0000-0000-000000000002"
OPERATION = f"/modelmanagement/v1.0{WORKSPACE_PATH}/operations/{OPERATION_ID}"
IN_GROUP = Subject("aci", workload="mysvc", container="mysvc")
ON_CLUSTER = Subject("azure", workload="mysvc")


@pytest.fixture
def links(azure, arm):
    azure.use("machinelearning/workspace_get")
    return read_workspace(arm, RG, WORKSPACE, Gathering(Subject("azure")))


def collected(arm, links, limits: Limits | None = None) -> tuple[ServiceGraph | None, Collection]:
    gathering = Gathering(Subject("azure"), now=NOW)
    graph = collect_service(arm, links, "mysvc", gathering, limits or Limits())
    return graph, gathering.collection(0)


def answer_logs(azure: AzureServer, monkeypatch: pytest.MonkeyPatch, log: str | int, init: str | int) -> None:
    """The log of the container, and that of the init container: a text, or a status."""
    plain = azure.handle

    def handle(request: Request) -> Answer | None:
        known = plain(request)
        if not request.path.endswith("/logs"):
            return known
        given = init if request.query["init"] == "True" else log
        if isinstance(given, int):
            return Answer.json({"code": "NotFound", "statusCode": given, "message": "There is no container"}, given)
        return Answer.json({"content": given})

    monkeypatch.setattr(azure, "handle", handle)


# --- decoders ---


def test_a_service_on_aks():
    item = service_of(AKS, NOW)
    assert (item.name, item.compute_type, item.compute) == ("mysvc", "AKS", "aks-mlops")
    assert (item.namespace, item.state) == ("azureml-ws-mlops", "Unhealthy")
    assert (item.error_code, item.error_message) == ("KubernetesDeploymentFailed", "Kubernetes Deployment failed")
    assert (item.image, item.auth_enabled, item.cpu, item.memory_gb) == ("mysvc:1", True, 0.1, 0.5)
    assert (item.desired_replicas, item.updated_replicas, item.available_replicas) == (1, 1, 0)
    assert item.subject == ON_CLUSTER
    assert item.updated_s == 54 * 60.0


def test_the_autoscaler_of_a_service_is_its_own():
    item = service_of(AKS, NOW)
    assert (item.autoscale, item.min_replicas, item.max_replicas) == (True, 1, 10)
    assert (item.target_utilization_percent, item.replicas) == (70, None)
    assert (item.concurrent_requests, item.queue_wait_ms, item.scoring_timeout_ms) == (1, 500, 60000)


def test_a_service_on_aci_has_no_replicas():
    item = service_of(ACI, NOW)
    assert (item.compute_type, item.compute, item.state) == ("ACI", "", "Failed")
    assert item.error_code == "AciDeploymentFailed"
    assert item.error_message.startswith("Aci Deployment failed with exception: Your container application crashed.")
    assert "\n" not in item.error_message
    assert (item.autoscale, item.desired_replicas, item.subject) == (None, None, Subject("aci", workload="mysvc"))
    assert item.scoring_uri == "http://mysvc-x.westeurope.azurecontainer.io/score"


def test_what_a_service_leads_to():
    assert graph_of(AKS) == ServiceGraph(
        name="mysvc",
        compute_type="AKS",
        compute="aks-mlops",
        namespace="azureml-ws-mlops",
        image_id="mysvc:1",
        image_digest=AKS["imageDigest"],
        error=graph_of(AKS).error,
    )
    assert "Your container application crashed." in graph_of(AKS).error


def test_a_service_on_aci_leads_to_its_container_group_by_address():
    assert graph_of(ACI).fqdn == "mysvc-x.westeurope.azurecontainer.io"
    assert (graph_of(ACI).compute, graph_of(ACI).namespace) == ("", "")


@pytest.mark.parametrize("key", ["environmentReference", "environment"])
def test_the_environment_of_a_service(key):
    request = {key: {"name": "myenv", "version": "3", "environmentVariables": {"KEY": "topsecret"}}}
    graph = graph_of(AKS | {"environmentImageRequest": request})
    assert (graph.environment, graph.environment_version) == ("myenv", "3")
    assert "topsecret" not in repr(graph)


def test_operations_are_found_where_they_are_told():
    assert graph_of(AKS | {"operationId": OPERATION_ID}).operations == (OPERATION_ID,)
    told = {
        "code": "X",
        "message": f"Image creation failed, Operation ID: {OPERATION_ID}. See operations/{OPERATION_ID}",
    }
    assert graph_of(AKS | {"error": told}).operations == (OPERATION_ID,)


def test_a_failed_operation_tells_the_stage():
    item = operation_of(body_of("machinelearning_v1/operation_get_failed"), "mysvc")
    assert (item.kind, item.name, item.step, item.status) == ("service", "mysvc", "BuildEnvironment", "Failed")
    assert (item.code, item.message) == ("EnvironmentBuildFailed", "Failed Building the Environment.")
    assert "sig=" not in repr(item)


# --- over the network ---


def test_services_are_listed_through_the_host_that_discovery_names(azure, arm, links):
    azure.answer("GET", SERVICES, 200, {"value": [AKS], "nextLink": f"{azure.url}/modelmanagement/v1.0/more"})
    azure.answer("GET", "/modelmanagement/v1.0/more", 200, {"value": [ACI], "nextLink": None})
    assert [one["computeType"] for one in list_services(arm, links)] == ["AKS", "ACI"]
    discovery = [request for request in azure.requests if request.path == "/discovery"]
    assert [request.token for request in discovery] == [""]


def test_discovery_is_asked_once(azure, arm, links):
    azure.use("machinelearning_v1/service_get_aks")
    for _ in range(3):
        read_service(arm, links, "mysvc")
    assert [request.path for request in azure.requests].count("/discovery") == 1


def test_a_discovery_that_says_nothing_stands_on_the_host_itself(azure, arm, links):
    azure.answer("GET", "/discovery", 404, {})
    azure.use("machinelearning_v1/service_get_aks")
    found = read_service(arm, links, "mysvc")
    assert found is not None
    assert found["name"] == "mysvc"


def test_a_discovery_that_does_not_answer_is_told(azure, arm, links):
    azure.cut("/discovery")
    graph, collection = collected(arm, links)
    assert graph is None
    (gap,) = collection.missing
    assert (gap.stream, collection.items["refusals"][0].code) == ("web_services", "ConnectionCut")
    assert azure.paths() == [WORKSPACE_PATH]


def test_the_token_goes_to_no_host_that_a_discovery_makes_up(azure, arm, links):
    azure.answer("GET", "/discovery", 200, {"api": "https://evil.example"})
    with pytest.raises(AzureError) as raised:
        read_service(arm, links, "mysvc")
    assert raised.value.code == "ForeignHost"


def test_a_service_that_is_not_there(azure, arm, links):
    assert read_service(arm, links, "other") is None
    gathering = Gathering(Subject("azure"))
    assert collect_service(arm, links, "other", gathering, Limits()) is None
    (gap,) = gathering.collection(0).missing
    assert (gap.stream, gap.why) == ("web_services", Why.NOT_FOUND)


@pytest.mark.parametrize(
    ("name", "why", "code"),
    [
        ("machinelearning_v1/mms_401", Why.DENIED, "EmptyOrInvalidToken"),
        ("machinelearning_v1/mms_500", Why.FAILED, "InternalServerError"),
        ("machinelearning_v1/mms_400_compute_not_ready", Why.FAILED, "ComputeResourceNotCreated"),
    ],
)
def test_refusals_of_model_management_are_evidence(azure, arm, links, name, why, code):
    azure.use(name, at=SERVICE)
    graph, collection = collected(arm, links)
    assert graph is None
    (gap,) = collection.missing
    assert (gap.stream, gap.why) == ("web_services", why)
    assert collection.items["refusals"][0].code == code


def test_what_a_refusal_says_in_its_details_is_kept(azure, arm, links):
    azure.use("machinelearning_v1/mms_400_compute_not_ready", at=SERVICE)
    _, collection = collected(arm, links)
    assert "aks-mlops is not in Succeeded state" in collection.items["refusals"][0].message


def test_a_crashed_service_on_aci_with_the_states_its_error_quotes(azure, arm, links):
    azure.use("machinelearning_v1/service_get_aci", "machinelearning_v1/service_logs")
    graph, collection = collected(arm, links)
    assert graph is not None
    assert graph.compute_type == "ACI"
    (container,) = collection.items["containers"]
    assert isinstance(container, Container)
    assert (container.state, container.reason, container.restarts) == ("waiting", "CrashLoopBackOff", 3)
    assert (container.exit_code, container.subject, container.line) == (111, IN_GROUP, None)
    events = [event for event in collection.items["events"] if isinstance(event, Event)]
    assert [(event.reason, event.count, event.name) for event in events] == [
        *(("Pulling", 2, "mysvc"), ("Pulled", 2, "mysvc"), ("Started", 4, "mysvc"), ("Killing", 4, "mysvc")),
    ]
    assert {event.subject for event in events} == {IN_GROUP}
    assert events[0].age_s == (NOW - datetime(2021, 8, 19, 6, 22, 20, tzinfo=UTC)).total_seconds()


def test_the_error_of_a_service_is_a_text_in_lines(azure, arm, links):
    azure.use("machinelearning_v1/service_get_aci", "machinelearning_v1/service_logs")
    _, collection = collected(arm, links)
    (log,) = collection.logs["logs.deployment"]
    lines = log.chunks[0].text.splitlines()
    assert '  "code": "AciDeploymentFailed",' in lines
    assert '"RestartCount": 3' in lines
    assert not [line for line in lines if "\\n" in line]
    assert log.subject == IN_GROUP
    assert log.source == "Webservice(ws, 'mysvc').serialize() of azureml-core"


def test_an_error_that_quotes_nothing_gives_a_text_only(azure, arm, links):
    azure.answer("GET", SERVICE, 200, ACI | {"error": INACCESSIBLE})
    azure.use("machinelearning_v1/service_logs")
    _, collection = collected(arm, links)
    assert "is not accessible" in collection.logs["logs.deployment"][0].chunks[0].text
    assert "containers" not in collection.items
    assert collection.items["web_services"][0].error_message.startswith("ACI Service request failed. Reason: The image")


def test_states_in_the_error_of_a_service_that_is_healthy_again_are_over(azure, arm, links):
    azure.answer("GET", SERVICE, 200, ACI | {"state": "Healthy", "error": CRASH})
    azure.use("machinelearning_v1/service_logs")
    _, collection = collected(arm, links)
    assert "containers" not in collection.items
    assert len(collection.items["events"]) == 4


def test_events_of_pods_that_an_error_quotes_are_of_those_pods(azure, arm, links):
    event = (
        '{"InvolvedObject":"mysvc-6f7c9d7b5-zk2ql","InvolvedKind":"Pod","Type":"Warning","Reason":"BackOff",'
        '"Message":"Back-off restarting failed container","LastTimestamp":"2026-11-01T10:05:00Z"}'
    )
    azure.answer("GET", SERVICE, 200, AKS | {"error": {"code": "KubernetesDeploymentFailed", "message": event}})
    azure.use("machinelearning_v1/service_logs")
    _, collection = collected(arm, links)
    (found,) = collection.items["events"]
    assert (found.reason, found.name) == ("BackOff", "mysvc-6f7c9d7b5-zk2ql")
    assert found.subject == Subject("kubernetes", workload="mysvc", pod="mysvc-6f7c9d7b5-zk2ql")


def test_a_healthy_service_has_no_error_text(azure, arm, links):
    azure.answer("GET", SERVICE, 200, AKS | {"state": "Healthy", "error": None})
    azure.use("machinelearning_v1/service_logs")
    graph, collection = collected(arm, links)
    assert graph is not None
    assert (graph.error, collection.logs["logs.deployment"]) == ("", ())
    assert collection.missing == ()


@pytest.mark.parametrize(("name", "subject"), [("aci", IN_GROUP), ("aks", ON_CLUSTER)])
def test_the_log_of_a_service(azure, arm, links, monkeypatch, name, subject):
    azure.use(f"machinelearning_v1/service_get_{name}")
    content = body_of("machinelearning_v1/service_logs")["content"]
    answer_logs(azure, monkeypatch, content, 404)
    _, collection = collected(arm, links)
    (log,) = collection.logs["logs.container"]
    assert log.chunks[0].text == content
    assert (log.subject, log.source) == (subject, "Webservice(ws, 'mysvc').get_logs() of azureml-core")
    assert collection.missing == ()
    asked = [request.query for request in azure.requests if request.path == LOGS]
    assert asked == [{"tail": "5000", "init": "False"}, {"tail": "5000", "init": "True"}]


def test_the_log_of_an_init_container(azure, arm, links, monkeypatch):
    azure.use("machinelearning_v1/service_get_aci")
    answer_logs(azure, monkeypatch, "Booting worker", "fetching the model")
    _, collection = collected(arm, links)
    log, init = collection.logs["logs.container"]
    assert init.chunks[0].text == "fetching the model"
    assert (init.subject, init.source) == (
        *(Subject("aci", workload="mysvc"), "Webservice(ws, 'mysvc').get_logs(init=True) of azureml-core"),
    )
    assert log.subject == IN_GROUP


def test_a_service_that_never_started_has_no_log_yet(azure, arm, links, monkeypatch):
    azure.use("machinelearning_v1/service_get_aci")
    answer_logs(azure, monkeypatch, 404, 404)
    _, collection = collected(arm, links)
    (gap,) = collection.missing
    assert (gap.stream, gap.why, gap.subject) == ("logs.container", Why.NOT_FOUND, IN_GROUP)
    assert "logs.container" not in collection.logs


def test_logs_that_may_not_be_read_name_the_role(azure, arm, links, monkeypatch):
    azure.use("machinelearning_v1/service_get_aci")
    answer_logs(azure, monkeypatch, 403, 403)
    _, collection = collected(arm, links)
    assert {(gap.why, gap.needs) for gap in collection.missing} == {
        (Why.DENIED, "AzureML Data Scientist on workspace ws-mlops")
    }


def test_of_a_long_log_the_end_is_kept(azure, arm, links, monkeypatch):
    azure.use("machinelearning_v1/service_get_aks")
    answer_logs(azure, monkeypatch, "".join(f"line {number}\n" for number in range(1, 1001)), 404)
    _, collection = collected(arm, links, Limits(log_bytes=50))
    (log,) = collection.logs["logs.container"]
    (chunk,) = log.chunks
    assert chunk.text.splitlines()[0] == f"line {chunk.first_line}"
    assert chunk.text.endswith("line 1000")
    assert "were left out" in log.cut


def test_an_operation_that_is_known_is_followed(azure, arm, links):
    azure.answer("GET", SERVICE, 200, AKS | {"operationId": OPERATION_ID})
    azure.use("machinelearning_v1/operation_get_failed", "machinelearning_v1/service_logs")
    graph, collection = collected(arm, links)
    (operation,) = collection.items["operations"]
    assert (operation.step, operation.code) == ("BuildEnvironment", "EnvironmentBuildFailed")
    texts = [log.chunks[0].text for log in collection.logs["logs.deployment"]]
    assert any("Failed Building the Environment." in text for text in texts)
    assert graph is not None
    assert graph.build_logs == (body_of("machinelearning_v1/operation_get_failed")["operationLog"],)


def test_the_signature_of_a_build_log_shows_nowhere(azure, arm, links):
    azure.answer("GET", SERVICE, 200, AKS | {"operationId": OPERATION_ID})
    azure.use("machinelearning_v1/operation_get_failed", "machinelearning_v1/service_logs")
    graph, collection = collected(arm, links)
    assert "sig=" not in repr(graph) + repr(collection)


def test_an_operation_that_is_gone_is_missing(azure, arm, links):
    azure.answer("GET", SERVICE, 200, AKS | {"operationId": OPERATION_ID})
    azure.use("machinelearning_v1/service_logs")
    azure.answer("GET", OPERATION, 404, {"code": "NotFound", "statusCode": 404, "message": "gone"})
    _, collection = collected(arm, links)
    (gap,) = collection.missing
    assert (gap.stream, gap.why) == ("operations", Why.NOT_FOUND)


def test_keys_and_tokens_are_never_asked_for(azure, arm, links):
    azure.use("machinelearning_v1/service_get_aci", "machinelearning_v1/service_logs")
    azure.answer("GET", SERVICES, 200, {"value": [deepcopy(ACI)]})
    list_services(arm, links)
    collected(arm, links)
    assert set(azure.paths()) == {WORKSPACE_PATH, SERVICES, SERVICE, LOGS}
    assert {request.method for request in azure.requests if request.token} == {"GET"}
