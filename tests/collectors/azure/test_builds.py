"""Builds and their logs, asked from Azure Resource Manager, model management and a real Blob service."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure_server import GROUP, RG, SUB, TENANT, WORKSPACE, WORKSPACE_PATH, AzureServer, body_of
from azurite import OTHER_KEY, Azurite, token_for

from diagnose.azure_items import ImageBuild
from diagnose.collectors import Limits
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.build_answers import build_of_status
from diagnose.collectors.azure.builds import (
    STORAGE_SCOPE,
    collect_environment,
    collect_image,
    collect_linked_log,
    collect_named_logs,
    collect_runs,
    read_log,
)
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.workspaces import Links
from diagnose.model import Collection, Missing, Subject, Why

REGISTRY = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/myregistry"
IMAGES = f"/modelmanagement/v1.0{WORKSPACE_PATH}/images"
ENVIRONMENT = f"/environment/v1.0{WORKSPACE_PATH}/environments/myenv/versions/3/image"
NAME = "ImageLogs/11111111-0000-0000-0000-000000000001/build.log"
TEXT = "Step 1/2 : FROM base\nStep 2/2 : RUN pip install joblib\nCondaEnvException: Pip failed"
SERVICE = Subject("azure", workload="mysvc")


@pytest.fixture
def gathering() -> Gathering:
    return Gathering(SERVICE)


@pytest.fixture
def links(azure: AzureServer) -> Links:
    """The workspace of the fixtures, whose services are at the same server."""
    return Links(SUB, RG, WORKSPACE, discovery_url=f"{azure.url}/discovery")


def body(name: str) -> dict[str, Any]:
    found = body_of(name)
    assert isinstance(found, dict)
    return found


def brought(gathering: Gathering) -> Collection:
    return gathering.collection(0)


def log_texts(gathering: Gathering, stream: str = "logs.build") -> list[str]:
    return ["\n".join(chunk.text for chunk in log.chunks) for log in brought(gathering).logs.get(stream, ())]


def the_gap(gathering: Gathering) -> Missing:
    (missing,) = brought(gathering).missing
    return missing


def serve_runs(azure: AzureServer, *runs: dict[str, Any], link: str | None = None) -> None:
    azure.answer("GET", f"{REGISTRY}/runs", 200, {"value": list(runs)})
    if link is not None:
        name = runs[0]["properties"]["runId"]
        azure.answer("POST", f"{REGISTRY}/runs/{name}/listLogSasUrl", 200, {"logLink": link})


# --- runs of a registry ---


def test_the_failed_run_of_a_missing_image_with_its_log(
    azure: AzureServer, arm: Arm, azurite: Azurite, gathering: Gathering
) -> None:
    serve_runs(azure, body("containerregistry/run_get_failed"), link=azurite.put(NAME, TEXT.encode()))
    (build,) = collect_runs(arm, REGISTRY, gathering, Limits(), image="myregistry.azurecr.io/mysvc:1", missing=True)
    assert (build.name, build.status, build.log) == ("cb7", "Failed", "read")
    collection = brought(gathering)
    assert collection.items == {"builds": (build,)}
    (log,) = collection.logs["logs.build"]
    assert (log.source, log.subject) == ("az acr task logs -r myregistry --run-id cb7", SERVICE)
    assert log_texts(gathering) == [TEXT]
    assert collection.missing == ()
    assert collection.collected[0].bytes == len(TEXT)
    assert azure.requests[0].query["$top"] == "25"


def test_nothing_but_reading_is_asked(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    serve_runs(azure, body("containerregistry/run_get_failed"), link="")
    collect_runs(arm, REGISTRY, gathering, Limits(), image="", missing=True)
    assert azure.paths("POST") == [f"{REGISTRY}/runs/cb7/listLogSasUrl"]
    assert azure.paths() == [f"{REGISTRY}/runs"]


def test_the_log_of_a_run_that_succeeded_is_left_alone(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("containerregistry/runs_list")
    (build,) = collect_runs(arm, REGISTRY, gathering, Limits(), image="myregistry.azurecr.io/myimage:7", missing=False)
    assert (build.image, build.log) == ("myregistry.azurecr.io/myimage:latest", "")
    assert azure.paths("POST") == []


def test_runs_of_others_leave_the_stream_read_and_empty(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    serve_runs(azure, body("containerregistry/run_get_failed"))
    assert collect_runs(arm, REGISTRY, gathering, Limits(), image="mysvc:1", missing=False) == []
    assert brought(gathering).items == {"builds": ()}


def test_an_expired_link_of_a_run_is_told_with_the_way_to_a_new_one(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    """The link that was recorded expired in 2015."""
    serve_runs(azure, body("containerregistry/run_get_failed"))
    azure.use("containerregistry/run_log_sas_url", at=f"{REGISTRY}/runs/cb7/listLogSasUrl")
    (build,) = collect_runs(arm, REGISTRY, gathering, Limits(), image="", missing=True)
    assert build.log == "expired"
    missing = the_gap(gathering)
    assert (missing.stream, missing.why, missing.subject) == ("logs.build", Why.DENIED, SERVICE)
    assert missing.needs == "ask for a new link: az acr task logs -r myregistry --run-id cb7"
    assert "the link expired 2015-04-30 02:23 UTC" in missing.what
    assert "sig=" not in repr(brought(gathering))
    assert len(brought(gathering).items["refusals"]) == 1


def test_a_link_of_2018_is_read_the_same_way(gathering: Gathering) -> None:
    link = str(body("containerregistry/build_log_link_2018")["logLink"])
    build = ImageBuild(source="az acr build", subject=SERVICE, origin="registry run", name="aa1")
    assert read_log(build, link, gathering, Limits(), renew="ask again").log == "expired"
    assert the_gap(gathering).needs == "ask again"


def test_a_run_without_a_log(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    serve_runs(azure, body("containerregistry/run_get_failed"), link="")
    (build,) = collect_runs(arm, REGISTRY, gathering, Limits(), image="", missing=True)
    assert build.log == "none"
    assert (the_gap(gathering).stream, the_gap(gathering).why) == ("logs.build", Why.NOT_FOUND)


def test_whoever_may_not_read_logs_is_told_the_action_and_keeps_the_run(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    serve_runs(azure, body("containerregistry/run_get_failed"))
    error = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    azure.answer("POST", f"{REGISTRY}/runs/cb7/listLogSasUrl", 403, error)
    (build,) = collect_runs(arm, REGISTRY, gathering, Limits(), image="", missing=True)
    assert (build.status, build.log) == ("Failed", "refused")
    assert "runs/listLogSasUrl/action" in the_gap(gathering).needs
    assert brought(gathering).items["builds"] == (build,)


def test_a_registry_whose_runs_may_not_be_listed(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    azure.use("arm_errors/403_authorization_failed", at=f"{REGISTRY}/runs")
    assert collect_runs(arm, REGISTRY, gathering, Limits(), image="", missing=True) == []
    assert (the_gap(gathering).stream, the_gap(gathering).why) == ("builds", Why.DENIED)
    assert "builds" not in brought(gathering).items


# --- images of SDK v1 ---


def test_a_failed_v1_image_whose_link_is_too_old(
    azure: AzureServer, arm: Arm, links: Links, gathering: Gathering
) -> None:
    build = collect_image(arm, links, "myimg:1", gathering, Limits())
    assert build is not None
    assert (build.status, build.log) == ("Failed", "expired")
    assert "print(ws.images['myimg'].image_build_log_uri)" in the_gap(gathering).needs
    assert log_texts(gathering, "logs.deployment") == [
        '{\n  "code": "ImageBuildFailed",\n  "statusCode": 400,\n  "message": "(invented)"\n}'
    ]
    asked = next(request for request in azure.requests if request.path == IMAGES)
    assert asked.query == {"name": "myimg", "orderBy": "CreatedAtDesc", "count": "10", "expand": "true"}


def test_a_failed_v1_image_with_its_log(
    azure: AzureServer, arm: Arm, links: Links, azurite: Azurite, gathering: Gathering
) -> None:
    (image,) = body("machinelearning_v1/images_list")["value"]
    link = azurite.put(NAME, TEXT.encode()).replace("&", "&amp;")
    azure.answer("GET", IMAGES, 200, {"value": [image | {"imageBuildLogUri": link}], "nextLink": None})
    build = collect_image(arm, links, "myimg", gathering, Limits())
    assert build is not None
    assert build.log == "read"
    assert log_texts(gathering) == [TEXT]
    assert [log.source for log in brought(gathering).logs["logs.build"]] == [azurite.address(NAME)]
    assert "sig=" not in repr(brought(gathering))


def test_another_version_is_not_taken_for_the_one_asked_for(arm: Arm, links: Links, gathering: Gathering) -> None:
    assert collect_image(arm, links, "myimg:2", gathering, Limits()) is None
    assert brought(gathering).items == {"builds": ()}


def test_a_v1_image_that_was_built_needs_no_log(
    azure: AzureServer, arm: Arm, links: Links, gathering: Gathering
) -> None:
    (image,) = body("machinelearning_v1/images_list")["value"]
    azure.answer("GET", IMAGES, 200, {"value": [image | {"creationState": "Succeeded", "error": None}]})
    build = collect_image(arm, links, "myimg:1", gathering, Limits())
    assert build is not None
    assert (build.status, build.log, brought(gathering).missing) == ("Succeeded", "", ())


def test_a_v1_image_that_cannot_be_asked_for(azure: AzureServer, arm: Arm, links: Links, gathering: Gathering) -> None:
    azure.use("machinelearning_v1/mms_500", at=IMAGES)
    assert collect_image(arm, links, "myimg:1", gathering, Limits()) is None
    assert (the_gap(gathering).stream, the_gap(gathering).why) == ("builds", Why.FAILED)


# --- operations, environments, named logs ---


def test_the_link_of_a_failed_operation(gathering: Gathering) -> None:
    link = str(body("machinelearning_v1/operation_get_failed")["operationLog"])
    before = link.replace("2026-11-21", "2019-11-21")
    build = collect_linked_log(before, gathering, Limits())
    assert (build.log, build.source) == ("expired", link.partition("?")[0])
    assert "image_build_log_uri" in the_gap(gathering).needs
    assert brought(gathering).items["builds"] == (build,)


def test_two_answers_that_name_one_log_bring_it_once(azurite: Azurite, gathering: Gathering) -> None:
    link = azurite.put(NAME, TEXT.encode())
    builds = [collect_linked_log(link, gathering, Limits()) for _ in range(2)]
    assert [build.log for build in builds] == ["read", "read"]
    assert builds[0].name == "11111111-0000-0000-0000-000000000001"
    assert log_texts(gathering) == [TEXT]


def test_a_log_without_a_word_is_empty_and_not_missing(azurite: Azurite, gathering: Gathering) -> None:
    build = collect_linked_log(azurite.put(NAME, b""), gathering, Limits())
    assert (build.log, log_texts(gathering), brought(gathering).missing) == ("empty", [""], ())


def test_what_became_of_a_log_that_was_not_read(azurite: Azurite, gathering: Gathering) -> None:
    azurite.put(NAME, TEXT.encode())
    links = {
        "refused": azurite.link(NAME, key=OTHER_KEY),
        "not found": azurite.link("ImageLogs/none/build.log"),
        "unreadable": "http://127.0.0.1:1/account/azureml/build.log?sig=x",
    }
    assert {state: collect_linked_log(url, gathering, Limits()).log for state, url in links.items()} == {
        state: state for state in links
    }
    assert [missing.why for missing in brought(gathering).missing] == [Why.DENIED, Why.NOT_FOUND, Why.UNREACHABLE]


def test_the_log_of_a_saved_build_status(gathering: Gathering) -> None:
    status = body("machinelearning_v1/environment_build_status")
    build = build_of_status(status, "myenv:3", SERVICE)
    before = str(status["logUrl"]).replace("2026-11-21", "2019-11-21")
    assert read_log(build, before, gathering, Limits(), renew="poll again").log == "expired"


def test_whether_the_image_of_an_environment_is_in_the_registry(
    azure: AzureServer, arm: Arm, links: Links, gathering: Gathering
) -> None:
    build = collect_environment(arm, links, "myenv", "3", gathering)
    assert build is not None
    assert (build.in_registry, brought(gathering).items) == (False, {"builds": (build,)})
    assert [(request.method, request.path) for request in azure.requests if "/environment/" in request.path] == [
        ("GET", ENVIRONMENT)
    ]


def test_the_password_in_that_answer_is_dropped_at_once(
    azure: AzureServer, arm: Arm, links: Links, gathering: Gathering
) -> None:
    answer = body("machinelearning_v1/environment_image_details")
    answer["dockerImage"]["registry"] |= {"username": "myregistry", "password": "9m3+Secret/Password"}
    azure.answer("GET", ENVIRONMENT, 200, json.dumps(answer), {"Content-Type": "application/json"})
    assert collect_environment(arm, links, "myenv", "3", gathering) is not None
    assert "9m3+Secret" not in repr(brought(gathering))


def test_an_environment_that_may_not_be_asked_for(
    azure: AzureServer, arm: Arm, links: Links, gathering: Gathering
) -> None:
    azure.use("machinelearning_v1/mms_401", at=ENVIRONMENT)
    assert collect_environment(arm, links, "myenv", "3", gathering) is None
    assert (the_gap(gathering).stream, the_gap(gathering).why) == ("builds", Why.DENIED)


ERROR = (
    'Image build failed. The build log is available in the workspace blob store "stmlops" under the path '
    '"/{container}/ImageLogs/11111111-0000-0000-0000-000000000001/build.log"'
)


@dataclass(frozen=True)
class SignedIn:
    """A credential that gives tokens for anything."""

    scopes: list[str] = field(default_factory=list)

    def get_token(self, scope: str) -> AccessToken:
        self.scopes.append(scope)
        return AccessToken(token_for(scope.removesuffix("/.default")), int(time.time()) + 3600)


def test_a_log_that_an_error_names_is_read_with_the_sign_in(
    arm: Arm, azurite_tls: Azurite, gathering: Gathering, monkeypatch: pytest.MonkeyPatch
) -> None:
    azurite_tls.put(NAME, TEXT.encode())
    credential = SignedIn()
    monkeypatch.setattr(arm, "credential", credential)
    error = ERROR.format(container=azurite_tls.container)
    (build,) = collect_named_logs(arm, error, gathering, Limits(), blob_endpoint=azurite_tls.endpoint)
    assert (build.name, build.status, build.log) == ("11111111-0000-0000-0000-000000000001", "Failed", "read")
    assert build.source == azurite_tls.address(NAME)
    assert (log_texts(gathering), credential.scopes) == ([TEXT], [STORAGE_SCOPE])


def test_a_sign_in_without_a_token_for_storage_is_told(azure: AzureServer, arm: Arm, gathering: Gathering) -> None:
    error = {"error": "invalid_grant", "error_description": "AADSTS65001: consent is missing", "error_codes": [65001]}
    azure.answer("POST", f"/{TENANT}/oauth2/v2.0/token", 400, error)
    (build,) = collect_named_logs(arm, ERROR.format(container="azureml"), gathering, Limits())
    assert build.log not in ("", "read")
    assert "AADSTS65001" in the_gap(gathering).what


def test_a_log_that_an_error_links_is_read_without_a_sign_in(
    azure: AzureServer, arm: Arm, gathering: Gathering
) -> None:
    link = str(body("machinelearning_v1/images_list")["value"][0]["imageBuildLogUri"])
    (build,) = collect_named_logs(arm, f"Image build failed. Build log: {link}", gathering, Limits())
    assert build.log == "expired"
    assert azure.requests == []


def test_an_error_that_names_no_log_adds_nothing(arm: Arm, gathering: Gathering) -> None:
    assert collect_named_logs(arm, "Scoring failed", gathering, Limits()) == []
    assert brought(gathering).items == {}
