"""Reads of the builds of the service's image: whether they failed, whether the image is there, and their logs.

Needs Reader on the registry and on the workspace; for the log of a run also
``Microsoft.ContainerRegistry/registries/runs/listLogSasUrl/action``, as role Container Registry Tasks Contributor has
it; for environments AzureML Data Scientist; for a log in the workspace's storage Storage Blob Data Reader.

The answer about an environment's image holds the password of the registry: nothing of it but the fields of the item is
kept. No build is started: that answer comes to a GET, and the POST to the same path, which would build, is never sent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from diagnose.azure_items import ImageBuild
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import log_of, name_of, parts, text
from diagnose.collectors.azure.blob_errors import BlobError
from diagnose.collectors.azure.blob_links import link_of
from diagnose.collectors.azure.blobs import read_blob
from diagnose.collectors.azure.build_answers import (
    BUILT,
    build_of_environment,
    build_of_image,
    build_of_run,
    logs_named,
    runs_worth_reading,
)
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.web_services import host_of
from diagnose.collectors.azure.workspaces import Links
from diagnose.collectors.files.errors import pretty
from diagnose.model import Log, Missing, Why

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

RUNS_API = "2019-06-01-preview"
"""Runs exist in a few versions only; this one the Azure CLI uses."""
STORAGE_SCOPE = "https://storage.azure.com/.default"

_MOST_RUNS = 25
_MOST_IMAGES = 10
_NEW_LINK = "ask for a new link: print(service.image.image_build_log_uri), and open it at once"
_BLOB_HOST = "blob.core.windows.net"
_BLOB_HOSTS = {
    "management.chinacloudapi.cn": "blob.core.chinacloudapi.cn",
    "management.usgovcloudapi.net": "blob.core.usgovcloudapi.net",
}
_READER = "Storage Blob Data Reader on the storage account of the workspace"
_STATES = {Why.DENIED: "refused", Why.NOT_FOUND: "not found"}


def collect_runs(
    arm: Arm, registry_id: str, gathering: Gathering, limits: Limits, *, image: str, missing: bool
) -> list[ImageBuild]:
    """Runs of the registry that concern the service, in ``builds``, with the log of what did not succeed.

    ``image``: of the service, as far as known; ``missing``: it is not in the registry, or building it is what failed.
    """
    registry_id, registry = registry_id.rstrip("/"), name_of(registry_id)
    needs = f"Reader on container registry {registry}"
    query = {"$top": str(_MOST_RUNS)}
    answer = gathering.attempt(
        ("builds",), f"runs of registry {registry}", needs, lambda: arm.get(f"{registry_id}/runs", RUNS_API, **query)
    )
    if answer is None:
        return []
    runs = runs_worth_reading(parts(answer.get("value")), image, missing=missing)
    builds = [_with_log_of_run(arm, registry_id, run, gathering, limits) for run in runs]
    gathering.add("builds", builds)
    return builds


def _with_log_of_run(arm: Arm, registry_id: str, run: Json, gathering: Gathering, limits: Limits) -> ImageBuild:
    build, registry = build_of_run(run, gathering.subject), name_of(registry_id)
    if build.status == BUILT:
        return build
    command = f"az acr task logs -r {registry} --run-id {build.name}"
    try:
        answer = arm.post(f"{registry_id}/runs/{build.name}/listLogSasUrl", RUNS_API)
    except AzureError as error:
        needs = (
            "Microsoft.ContainerRegistry/registries/runs/listLogSasUrl/action, which role Container Registry Tasks "
            f"Contributor on registry {registry} has"
        )
        gathering.refused(("logs.build",), f"log of registry run {build.name}", needs, error)
        return replace(build, log=_state_of(error))
    url, renew = text(answer.get("logLink")), f"ask for a new link: {command}"
    return read_log(build, url, gathering, limits, renew=renew, source=command)


def collect_image(arm: Arm, links: Links, image_id: str, gathering: Gathering, limits: Limits) -> ImageBuild | None:
    """The v1 image ``name:version``, or the newest ``name``, in ``builds``, with its log unless the build succeeded.

    None when it could not be read, which the gathering then says, or is not there.
    """
    name, _, version = image_id.partition(":")
    count = str(_MOST_IMAGES if version else 1)
    query = urlencode({"name": name, "orderBy": "CreatedAtDesc", "count": count, "expand": "true"})
    what, needs = f"image {image_id} of workspace {links.name}", f"Reader on workspace {links.name}"
    path = f"/modelmanagement/v1.0{links.path}/images?{query}"
    answer = gathering.attempt(("builds",), what, needs, lambda: _ask(arm, links, path))
    if answer is None:
        return None
    found = parts(answer.get("value"))
    image = next((one for one in found if not version or one.get("id") == image_id), None)
    build = _with_log_of_image(image, gathering, limits) if image else None
    gathering.add("builds", [build] if build else [])
    return build


def _with_log_of_image(image: Json, gathering: Gathering, limits: Limits) -> ImageBuild:
    """Its error goes into ``logs.deployment``, as error texts do."""
    build = build_of_image(image, gathering.subject)
    if error := image.get("error") or image.get("creationError"):
        log = log_of(pretty(error), "logs.deployment", build.source, build.subject)
        gathering.add_logs("logs.deployment", [log])
    if build.status == BUILT:
        return build
    name = build.name.partition(":")[0]
    renew = f"ask for a new link: print(ws.images[{name!r}].image_build_log_uri), and open it at once"
    return read_log(build, text(image.get("imageBuildLogUri")), gathering, limits, renew=renew)


def collect_environment(arm: Arm, links: Links, name: str, version: str, gathering: Gathering) -> ImageBuild | None:
    """Whether the image of the environment is in the registry, in ``builds``; None when that could not be read."""
    path = f"/environment/v1.0{links.path}/environments/{quote(name)}/versions/{quote(version)}/image"
    build = gathering.attempt(
        ("builds",),
        f"image of environment {name}:{version}",
        f"AzureML Data Scientist on workspace {links.name}",
        lambda: build_of_environment(_ask(arm, links, path), name, version, gathering.subject),
    )
    if build:
        gathering.add("builds", [build])
    return build


def collect_linked_log(url: str, gathering: Gathering, limits: Limits, *, renew: str = _NEW_LINK) -> ImageBuild:
    """The build log behind a link that an operation of SDK v1 names (``operationLog``), with an item in ``builds``."""
    build = ImageBuild(source=_shown(url), subject=gathering.subject, origin="image", name=_image_id(url))
    build = read_log(build, url, gathering, limits, renew=renew)
    gathering.add("builds", [build])
    return build


def collect_named_logs(
    arm: Arm, error: str, gathering: Gathering, limits: Limits, *, blob_endpoint: str = ""
) -> list[ImageBuild]:
    """The logs of failed builds that an error text names: by their signature, else with the signed-in account.

    ``blob_endpoint``: ``primaryEndpoints.blob`` of the workspace's storage account, needed where that is not made of
    its name in the usual way.
    """
    host = _BLOB_HOSTS.get(urlsplit(arm.endpoint).netloc, _BLOB_HOST)
    builds = [_named_log(arm, url, gathering, limits, blob_endpoint) for url in logs_named(error, host)]
    if builds:
        gathering.add("builds", builds)
    return builds


def _named_log(arm: Arm, url: str, gathering: Gathering, limits: Limits, blob_endpoint: str) -> ImageBuild:
    has_signature = "?" in url
    if blob_endpoint and not has_signature:
        url = f"{blob_endpoint.rstrip('/')}{urlsplit(url).path}"
    source = _shown(url)
    build = ImageBuild(
        source=source, subject=gathering.subject, origin="environment", name=_image_id(url), status="Failed"
    )
    token = ""
    if not has_signature and not gathering.logged("logs.build", source):
        try:
            token = arm.ask(lambda: arm.credential.get_token(STORAGE_SCOPE).token)
        except AzureError as error:
            gathering.refused(("logs.build",), f"build log {source}", _READER, error)
            return replace(build, log=_state_of(error))
    return read_log(build, url, gathering, limits, renew="ask for a new link: build the image again", token=token)


def read_log(
    build: ImageBuild, url: str, gathering: Gathering, limits: Limits, *, renew: str, source: str = "", token: str = ""
) -> ImageBuild:
    """``build`` with what became of its log, which is put into ``logs.build``; ``source``: where a person finds it."""
    if not url:
        what, needs = (
            f"log of the build {build.name}: Azure names none",
            "build the image again, which writes a new one",
        )
        gathering.miss(
            Missing(stream="logs.build", why=Why.NOT_FOUND, what=what, needs=needs, subject=gathering.subject)
        )
        return replace(build, log="none")
    source = source or _shown(url)
    if gathering.logged("logs.build", source):
        return replace(build, log="read")
    try:
        blob = read_blob(url, limits, token=token, renew=renew)
    except BlobError as error:
        gathering.refused(("logs.build",), f"build log of {build.name}", renew, error)
        return replace(build, log=error.state)
    gathering.count(blob.received)
    log = Log(stream="logs.build", source=source, subject=build.subject, chunks=blob.chunks, cut=blob.cut)
    gathering.add_logs("logs.build", [log])
    return replace(build, log="read" if blob.chunks else "empty")


def _ask(arm: Arm, links: Links, path: str) -> Json:
    """Raises AzureError."""
    return arm.elsewhere(f"{host_of(arm, links)}{path}", signed=True)


def _state_of(error: AzureError) -> str:
    """What became of a log that was not even asked for."""
    return _STATES.get(error.why, "unreadable")


def _shown(url: str) -> str:
    """The address without its signature, whatever it is."""
    try:
        return link_of(url).source
    except BlobError:
        return url.partition("?")[0]


def _image_id(url: str) -> str:
    """``1111...`` of ``.../ImageLogs/1111.../build.log``."""
    folders = urlsplit(url).path.rstrip("/").split("/")
    return folders[-2] if len(folders) > 1 else folders[-1]
