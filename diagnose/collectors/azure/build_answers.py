"""What Azure's answers say of builds of an image: runs of a registry, images of SDK v1, environments of both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from diagnose.azure_items import ImageBuild
from diagnose.collectors.azure.answers import part, parts, text, told_by, within
from diagnose.collectors.files.errors import unescape
from diagnose.collectors.files.times import moment
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Json

BUILT = "Succeeded"

_MOST_NAMED = 3
"""Logs that one text may name; a text that names more repeats itself."""
_AZURE = Subject("azure")
_STATES = {
    "Started": "Running",
    "GettingOrProvisioningACR": "Running",
    "NotStarted": "Queued",
    "Cancelled": "Canceled",
    "TimedOut": "Timeout",
}
_PLACE = re.compile(
    r"workspace blob store [\"'“‘]?(?P<account>[a-z0-9]{3,24})[\"'”’]? "
    r"under the path [\"'“‘]?/?(?P<path>[A-Za-z0-9$][^\s\"'”’]*)"
)
_ADDRESS = re.compile(
    r"https://[a-z0-9.-]+\.blob\.[a-z0-9.-]+/[^\s\"'<>]*(?:ImageLogs/|build\.log|rawtext\.log)[^\s\"'<>]*"
)


def build_of_run(run: Json, subject: Subject = _AZURE) -> ImageBuild:
    """A run of a registry, also in its form of 2018, when it was called a build."""
    properties = part(run, "properties")
    name = text(properties.get("runId")) or text(properties.get("buildId")) or text(run.get("name"))
    outputs = [_image(output) for output in parts(properties.get("outputImages"))]
    times = (moment(text(properties.get(key))) for key in ("finishTime", "startTime", "createTime"))
    return ImageBuild(
        source=f"az acr task show-run -r {within(run.get('id'), 'registries')} --run-id {name}",
        subject=subject,
        time=next((time for time in times if time), None),
        origin="registry run",
        name=name,
        image=outputs[0] if outputs else "",
        status=_state(properties.get("status")),
        error=text(properties.get("runErrorMessage")),
    )


def build_of_image(image: Json, subject: Subject = _AZURE) -> ImageBuild:
    """An image of SDK v1."""
    name = text(image.get("id")) or text(image.get("name"))
    error = told_by(image.get("error") or image.get("creationError"))
    return ImageBuild(
        source=f"Image(ws, id={name!r}).creation_state of azureml-core",
        subject=subject,
        time=moment(text(image.get("modifiedTime"))) or moment(text(image.get("createdTime"))),
        origin="image",
        name=name,
        image=text(image.get("imageLocation")),
        status=_state(image.get("creationState")),
        error=": ".join(filter(None, (error.code, error.message))),
    )


def build_of_environment(answer: Json, name: str, version: str, subject: Subject = _AZURE) -> ImageBuild:
    """Whether the image of an environment, of v1 or v2, is in the registry; False: never built, or its build failed."""
    docker = part(answer, "dockerImage")
    address, image = text(part(docker, "registry").get("address")), text(docker.get("name"))
    exists = answer.get("imageExistsInRegistry")
    return ImageBuild(
        source=f"Environment.get(ws, {name!r}, {version!r}).get_image_details(ws) of azureml-core",
        subject=subject,
        origin="environment",
        name=f"{name}:{version}",
        image="/".join(filter(None, (address, image))),
        in_registry=exists if isinstance(exists, bool) else None,
    )


def build_of_status(body: Json, name: str, subject: Subject = _AZURE) -> ImageBuild:
    """What the SDK polls while an environment is built, ``{status, logUrl}``; for answers that were saved.

    Its address comes only with the answer to the request that starts the build, so it is never asked for.
    """
    return ImageBuild(
        source=f"build status of environment {name}",
        subject=subject,
        origin="environment",
        name=name,
        status=_state(body.get("status")),
    )


def repository_of(image: str) -> str:
    """``azureml/azureml_e434`` of an image, however it is written."""
    first, _, rest = image.partition("/")
    path = rest if rest and ("." in first or ":" in first) else image
    return path.partition("@")[0].partition(":")[0]


def runs_worth_reading(runs: Sequence[Json], image: str, *, missing: bool) -> list[Json]:
    """Of the runs of a registry the newest that made ``image``; where the image is ``missing`` the newest after that
    which did not succeed, too.

    A run that failed does not say for which image it ran: where the image is there, its failure is somebody else's.
    """
    newest = sorted(runs, key=_begun, reverse=True)
    wanted = repository_of(image)
    mine = next((index for index, run in enumerate(newest) if wanted and wanted in _repositories(run)), None)
    later = newest if mine is None else newest[:mine]
    unwell = [run for run in later if part(run, "properties").get("status") != BUILT]
    return [*(unwell[:1] if missing else ()), *([] if mine is None else [newest[mine]])]


def logs_named(error: str, blob_host: str = "blob.core.windows.net") -> list[str]:
    """Addresses of the build logs that an error text names, with a signature where the text has one."""
    plain = unescape(error)
    places = [f"https://{found['account']}.{blob_host}/{found['path']}" for found in _PLACE.finditer(plain)]
    found = dict.fromkeys(address.rstrip(".,;)") for address in (*places, *_ADDRESS.findall(plain)))
    return list(found)[:_MOST_NAMED]


def _image(output: Json) -> str:
    place = "/".join(filter(None, (text(output.get("registry")), text(output.get("repository")))))
    return ":".join(filter(None, (place, text(output.get("tag")))))


def _repositories(run: Json) -> Iterator[str]:
    return (text(output.get("repository")) for output in parts(part(run, "properties").get("outputImages")))


def _begun(run: Json) -> datetime:
    return moment(text(part(run, "properties").get("createTime"))) or datetime.min.replace(tzinfo=UTC)


def _state(value: object) -> str:
    return _STATES.get(text(value), text(value))
