"""What Azure's answers say of builds."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from azure_server import body_of

from diagnose.azure_items import ImageBuild
from diagnose.collectors.azure.build_answers import (
    build_of_environment,
    build_of_image,
    build_of_run,
    build_of_status,
    logs_named,
    repository_of,
    runs_worth_reading,
)
from diagnose.model import Subject

SERVICE = Subject("azure", workload="mysvc")
IMAGE = "myregistry.azurecr.io/azureml/azureml_e434aed78f9426216c7e0e89c0851446"


def body(name: str) -> dict[str, Any]:
    found = body_of(name)
    assert isinstance(found, dict)
    return found


def run(name: str, day: int, status: str = "Succeeded", repository: str = "") -> dict[str, object]:
    """A run of a registry, begun on that day of a month."""
    outputs = [{"registry": "myregistry.azurecr.io", "repository": repository, "tag": "1"}] if repository else None
    properties = {"runId": name, "status": status, "createTime": f"2026-11-{day:02}T08:00:00Z", "outputImages": outputs}
    return {"properties": properties}


def test_a_failed_run_of_a_registry():
    assert build_of_run(body("containerregistry/run_get_failed"), SERVICE) == ImageBuild(
        source="az acr task show-run -r myregistry --run-id cb7",
        subject=SERVICE,
        time=datetime(2018, 1, 25, 6, 13, 51, 618000, tzinfo=UTC),
        origin="registry run",
        name="cb7",
        status="Failed",
        error="failed during run, err: exit status 1",
    )


def test_a_run_that_made_an_image_names_it():
    (listed,) = body("containerregistry/runs_list")["value"]
    build = build_of_run(listed)
    assert (build.image, build.status) == ("myregistry.azurecr.io/myimage:latest", "Succeeded")
    assert build.in_registry is None  # it was pushed then; whether it is there now is another question


def test_the_form_of_2018_is_understood():
    (listed,) = body("containerregistry/builds_list_2018")["value"]
    build = build_of_run(listed)
    assert (build.name, build.status) == ("aa1", "Running")
    assert build.time == datetime(2020, 5, 15, 13, 2, 20, 562331, tzinfo=UTC)


def test_a_failed_image_of_sdk_v1():
    (image,) = body("machinelearning_v1/images_list")["value"]
    build = build_of_image(image, SERVICE)
    assert (build.origin, build.name, build.status) == ("image", "myimg:1", "Failed")
    assert (build.image, build.error) == ("myregistry.azurecr.io/myimg:1", "ImageBuildFailed: (invented)")
    assert "sig=" not in repr(build)


def test_an_environment_whose_image_was_never_built():
    build = build_of_environment(body("machinelearning_v1/environment_image_details"), "myenv", "3", SERVICE)
    assert (build.origin, build.name, build.image, build.in_registry) == ("environment", "myenv:3", IMAGE, False)


def test_an_environment_whose_image_is_there():
    answer = body("machinelearning_v1/environment_image_details") | {"imageExistsInRegistry": True}
    assert build_of_environment(answer, "myenv", "3").in_registry is True


def test_an_environment_of_which_that_is_not_said():
    assert build_of_environment({"dockerImage": None}, "myenv", "3").in_registry is None


def test_the_password_of_the_registry_is_not_taken_over():
    answer = body("machinelearning_v1/environment_image_details")
    answer["dockerImage"]["registry"] |= {"username": "myregistry", "password": "9m3+Secret/Password"}
    build = build_of_environment(answer, "myenv", "3")
    assert "9m3+Secret/Password" not in json.dumps(dataclasses.asdict(build), default=str)


def test_the_build_status_of_an_environment():
    build = build_of_status(body("machinelearning_v1/environment_build_status"), "myenv:3")
    assert (build.origin, build.name, build.status) == ("environment", "myenv:3", "Failed")
    assert build_of_status({"status": "GettingOrProvisioningACR"}, "myenv:3").status == "Running"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (IMAGE, "azureml/azureml_e434aed78f9426216c7e0e89c0851446"),
        (f"{IMAGE}:20261120", "azureml/azureml_e434aed78f9426216c7e0e89c0851446"),
        (f"{IMAGE}@sha256:f108f392", "azureml/azureml_e434aed78f9426216c7e0e89c0851446"),
        ("localhost:5000/churn:1", "churn"),
        ("azureml/churn:1", "azureml/churn"),
        ("churn", "churn"),
        ("", ""),
    ],
)
def test_the_repository_of_an_image_however_it_is_written(image: str, repository: str):
    assert repository_of(image) == repository


def chosen(runs: list[dict[str, object]], image: str, *, missing: bool) -> list[str]:
    return [build_of_run(one).name for one in runs_worth_reading(runs, image, missing=missing)]


def test_the_newest_run_that_made_the_image_is_the_one():
    runs = [run("old", 1, repository="churn"), run("new", 2, repository="churn"), run("other", 3, repository="fraud")]
    assert chosen(runs, "myregistry.azurecr.io/churn:1", missing=False) == ["new"]


def test_a_failed_run_is_somebody_elses_while_the_image_is_there():
    runs = [run("made", 1, repository="churn"), run("failed", 2, "Failed")]
    assert chosen(runs, "churn:1", missing=False) == ["made"]


def test_a_missing_image_is_explained_by_the_newest_run_that_did_not_succeed():
    runs = [run("older", 1, "Failed"), run("newer", 3, "Timeout"), run("other", 4, repository="fraud")]
    assert chosen(runs, "churn:1", missing=True) == ["newer"]


def test_a_failure_before_the_image_was_made_is_over():
    runs = [run("failed", 1, "Failed"), run("made", 2, repository="churn")]
    assert chosen(runs, "churn:1", missing=True) == ["made"]


def test_without_the_name_of_the_image_only_failures_are_looked_at():
    runs = [run("made", 1, repository="churn"), run("failed", 2, "Failed")]
    assert chosen(runs, "", missing=True) == ["failed"]
    assert chosen(runs, "", missing=False) == []


PLACE = "https://stmlops.blob.core.windows.net/azureml/ImageLogs/1111/build.log"


@pytest.mark.parametrize(
    "error",
    [
        'The build log is available in the workspace blob store "stmlops" under the path "/azureml/ImageLogs/1111/build.log".',
        "The build log is available in the workspace blob store 'stmlops' under the path '/azureml/ImageLogs/1111/build.log'.",
        '{"message": "... in the workspace blob store \\"stmlops\\" under the path \\"/azureml/ImageLogs/1111/build.log\\""}',
        "in the workspace blob store “stmlops” under the path “/azureml/ImageLogs/1111/build.log”",
        f"Image build failed. Build log: {PLACE}.",
    ],
)
def test_the_log_that_an_error_text_names_however_it_is_quoted(error: str):
    assert logs_named(error) == [PLACE]


def test_a_link_in_an_error_text_keeps_its_signature():
    assert logs_named(f'{{"buildLog": "{PLACE}?sv=2018-03-28&sig=x"}}') == [f"{PLACE}?sv=2018-03-28&sig=x"]


def test_storage_of_another_cloud():
    error = 'workspace blob store "stmlops" under the path "/azureml/ImageLogs/1111/build.log"'
    assert logs_named(error, "blob.core.chinacloudapi.cn") == [PLACE.replace("windows.net", "chinacloudapi.cn")]


def test_an_error_that_names_no_log_or_another_blob():
    assert logs_named("see https://stmlops.blob.core.windows.net/azureml/LocalUpload/score.py") == []
    assert logs_named("") == []
