"""Real services in containers of a real Docker Engine: each fails, or works, in one known way.

The containers run the real model server. Their image is built once from ``python:3.11-slim``, or from the image that
DIAGNOSE_TEST_BASE_IMAGE names, and found again by a hash of what it is made from.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import hashlib
import io
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pytest

SCRIPTS = Path(__file__).parent / "services"
BASE_IMAGE = os.environ.get("DIAGNOSE_TEST_BASE_IMAGE", "python:3.11-slim")
APP = "/var/azureml-app"
PORT = 5001

_PACKAGES = ("azureml-inference-server-http==1.5.*", "azureml-core==1.61.*")
_DOCKERFILE = f"""\
FROM {BASE_IMAGE}
COPY wheels /wheels
RUN python3 -m pip install --no-index --find-links /wheels --break-system-packages --root-user-action=ignore \\
    {" ".join(_PACKAGES)}
"""
_ASK_PYTHON = "import platform, sys; print('%d.%d' % sys.version_info[:2], platform.machine())"
_SERVER = ("azmlinfsrv", "--entry_script", f"{APP}/score.py", "--port", str(PORT))
_WAIT_S = 90

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a container has come to, as the engine tells it."""

    state: Mapping[str, Any]
    """``State`` of ``docker inspect``."""
    restarts: int
    log: str

    @property
    def status(self) -> str:
        return str(self.state["Status"])


@dataclass(frozen=True, slots=True)
class Service:
    """A service that was started and has come to the state its case is about."""

    case: str
    name: str
    """What ``diagnose`` is called with; no other run uses it."""
    container: str
    """Name of its container."""
    identity: str
    """Id of its container."""
    url: str = ""
    """``http://127.0.0.1:PORT`` where the case publishes its port."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One known way to work or to fail, and how to tell that it has come to it."""

    reached: Callable[[Seen], bool]
    command: tuple[str, ...] = _SERVER
    options: Mapping[str, object] = field(default_factory=dict)
    """For ``containers.create`` of the docker client."""
    starts: bool = True
    """False where the engine refuses to start the container."""
    scored: bool = False
    """One request goes to /score before the service is handed out."""
    v2: bool = False
    """Labelled as a v2 local endpoint; v1 otherwise."""
    port_taken: bool = False
    """Another container has the host port that this one publishes."""


def _ready(seen: Seen) -> bool:
    return "ready for serving traffic" in seen.log


def _failed_to_boot(seen: Seen) -> bool:
    return seen.status == "exited" and "Worker failed to boot" in seen.log


def _refused(seen: Seen) -> bool:
    return seen.status == "created" and bool(seen.state["Error"])


_PUBLISHED = {"ports": {f"{PORT}/tcp": ("127.0.0.1", None)}}
_LITTLE_MEMORY = {"mem_limit": "256m", "memswap_limit": "256m"}

CASES: Mapping[str, Case] = {
    "healthy": Case(reached=_ready, options=_PUBLISHED, scored=True),
    "get-model-path": Case(reached=_failed_to_boot),
    "missing-import": Case(reached=_failed_to_boot),
    "init-exception": Case(reached=_failed_to_boot, v2=True),
    "no-run": Case(reached=_failed_to_boot),
    "wrong-entry-script": Case(
        reached=_failed_to_boot, command=("azmlinfsrv", "--entry_script", f"{APP}/scoring.py", "--port", str(PORT))
    ),
    # The worker is killed and started again for ever; the main process stays up, and so does the container.
    "worker-memory": Case(reached=lambda seen: seen.log.count("was sent SIGKILL!") >= 2, options=_LITTLE_MEMORY),
    # WORKER_PRELOAD makes the main process run init().
    "oom-main": Case(
        reached=lambda seen: seen.status == "exited",
        options={**_LITTLE_MEMORY, "environment": {"WORKER_PRELOAD": "true"}},
    ),
    "wrong-command": Case(reached=_refused, command=("model-server", "--port", str(PORT)), starts=False),
    "port-allocated": Case(reached=_refused, starts=False, port_taken=True),
    "result-not-json": Case(reached=_ready, options=_PUBLISHED, scored=True),
    "crash-loop": Case(
        reached=lambda seen: seen.restarts >= 2 and seen.log.count("Worker failed to boot") >= 2,
        options={"restart_policy": {"Name": "always"}},
    ),
    "slow-init": Case(reached=lambda seen: "reading the model" in seen.log),
}


def wait_until(reached: Callable[[], Value | None], what: str, seconds: float = _WAIT_S) -> Value:
    """The first answer that is true; fails the test when there is none in time, saying what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = reached()
        if value:
            return value
        time.sleep(0.1)
    pytest.fail(f"{what}: not seen within {seconds:g} s")


class DockerServices:
    """Starts a case when it is first asked for, and keeps it until the end of the test session."""

    def __init__(self, client: Any, image: str, stack: ExitStack) -> None:
        self.client = client
        """The docker client."""
        self.image = image
        """The image with the model server."""
        self._stack = stack
        self._started: dict[str, Service] = {}

    def __getitem__(self, case: str) -> Service:
        """The service of this case, shared by all tests: they must not change it."""
        if case not in self._started:
            self._started[case] = self._stack.enter_context(self.running(case))
        return self._started[case]

    @contextmanager
    def running(self, case: str, **options: object) -> Iterator[Service]:
        """A service of this case for one test alone; ``options`` go to ``containers.create`` of the docker client."""
        how = CASES[case]
        name = f"{case}-{uuid.uuid4().hex[:8]}"  # a test may start one of its own beside the shared one
        labels = _v2_labels(name) if how.v2 else _v1_labels(name)
        options = {"working_dir": APP, **how.options, **options}
        with ExitStack() as stack:
            if how.port_taken:
                options["ports"] = {f"{PORT}/tcp": ("127.0.0.1", stack.enter_context(self._taken_port()))}
            container = stack.enter_context(
                self.container(name, list(how.command), labels=labels, start=False, **options)
            )
            _copy_script(container, SCRIPTS / case)
            _start(container, refused=not how.starts)
            wait_until(lambda: how.reached(_seen(container)), f"{case} in {name}")
            service = Service(case, name, container.name, container.id, _url(container), labels)
            if how.scored:
                score(service)
                wait_until(lambda: '"POST /score' in _seen(container).log, f"the request in the log of {name}")
            yield service

    @contextmanager
    def container(self, name: str, command: str | list[str], *, start: bool = True, **options: object) -> Iterator[Any]:
        """Any container of the test image, removed at the end; its name begins with ``name`` and is no one else's."""
        import docker

        container = self.client.containers.create(self.image, command, name=f"{name}-{uuid.uuid4().hex[:8]}", **options)
        try:
            if start:
                container.start()
            yield container
        finally:
            with contextlib.suppress(docker.errors.NotFound):  # a test may have removed it
                container.remove(force=True, v=True)

    @contextmanager
    def _taken_port(self) -> Iterator[int]:
        with self.container("other", ["sleep", "600"], ports=_PUBLISHED["ports"]) as other:
            yield int(_url(other).rpartition(":")[2])


def score(service: Service, data: str = '{"data": [[1, 2], [3, 4]]}') -> int:
    """Send one request to /score; the HTTP status it was answered with."""
    request = urllib.request.Request(
        f"{service.url}/score", data.encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


class _Trap:
    """What the labels of a v1 service hold is a pickle. Loading this one ends the program that does."""

    def __reduce__(self) -> tuple[Callable[[int], NoReturn], tuple[int]]:
        return os._exit, (86,)


def _v1_labels(name: str) -> dict[str, str]:
    trap = base64.b64encode(pickle.dumps(_Trap())).decode()
    pickles = ("amlDeploymentConfig", "amlImageConfig", "amlInferenceConfig", "amlModelsLocal", "amlOverrideConfig")
    return {"amlServiceName": name, "amlIsService": "True", **dict.fromkeys(pickles, trap)}


def _v2_labels(name: str) -> dict[str, str]:
    return {"azureml-local-endpoint": "", "endpoint": name, "deployment": "blue", "azureml-port": str(PORT)}


def _copy_script(container: Any, folder: Path) -> None:
    """Copied, not mounted: the engine may be on another machine. Cases without a script get an empty folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        directory = tarfile.TarInfo(APP.strip("/"))
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(directory)
        for file in sorted(folder.glob("*.py")):
            archive.add(file, f"{APP.strip('/')}/{file.name}")
    container.put_archive("/", buffer.getvalue())


def _start(container: Any, *, refused: bool) -> None:
    import docker

    try:
        container.start()
    except docker.errors.APIError:
        if not refused:
            raise
        return
    assert not refused, "the engine started a container that it was expected to refuse"


def _seen(container: Any) -> Seen:
    container.reload()
    log = container.logs().decode("utf-8", "replace") if container.attrs["State"]["Status"] != "created" else ""
    return Seen(container.attrs["State"], container.attrs["RestartCount"], log)


def _url(container: Any) -> str:
    container.reload()
    bindings = container.attrs["NetworkSettings"]["Ports"].get(f"{PORT}/tcp")
    return f"http://127.0.0.1:{bindings[0]['HostPort']}" if bindings else ""


def _unavailable(reason: str) -> NoReturn:
    """Tests without their engine are skipped at a desk, but never in CI, where nobody would notice."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def docker_client() -> Iterator[Any]:
    """The docker client; without an engine the test is skipped, or fails where CI is set."""
    client = _client()
    if isinstance(client, str):
        _unavailable(f"no Docker Engine: {client}")
    yield client
    client.close()


def _client() -> Any:
    """The docker client, or why there is none. It leaves the socket open that it could not connect."""
    import docker

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return docker.from_env(timeout=120)
        except docker.errors.DockerException as error:
            reason = str(error)
        gc.collect()
    return reason


@pytest.fixture(scope="session")
def docker_services(docker_client: Any) -> Iterator[DockerServices]:
    """The cases by name: ``docker_services["healthy"].name`` is a service to diagnose."""
    image = _image(docker_client)
    with ExitStack() as stack:
        yield DockerServices(docker_client, image, stack)


def _image(client: Any) -> str:
    """Tag of the image with the model server, built unless it is there already."""
    import docker

    try:
        base = _base_image(client)
        recipe = f"{base.id}\n{_DOCKERFILE}"
        tag = f"diagnose-test-server:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
        if not client.images.list(tag):
            _build(client, tag)
    except (docker.errors.DockerException, docker.errors.BuildError, subprocess.CalledProcessError) as error:
        details = getattr(error, "stderr", "") or ""
        _unavailable(
            f"no test image from {BASE_IMAGE} (DIAGNOSE_TEST_BASE_IMAGE names another): {error} {details[-2000:]}"
        )
    return tag


def _base_image(client: Any) -> Any:
    import docker

    try:
        return client.images.get(BASE_IMAGE)
    except docker.errors.ImageNotFound:
        repository, _, tag = BASE_IMAGE.partition(":")
        return client.images.pull(repository, tag or "latest")


def _build(client: Any, tag: str) -> None:
    python, machine = client.containers.run(BASE_IMAGE, ["python3", "-c", _ASK_PYTHON], remove=True).decode().split()
    wheels = _wheels(python, machine)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(_DOCKERFILE)
        shutil.copytree(wheels, Path(folder, "wheels"))
        client.images.build(path=folder, tag=tag, rm=True, forcerm=True)


def _wheels(python: str, machine: str) -> Path:
    """Folder with the packages as wheels, downloaded here: inside a build there may be no network."""
    wanted = hashlib.sha256(" ".join((*_PACKAGES, python, machine)).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "diagnose-tests"
    folder = cache / f"wheels-{wanted}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as unfinished:
        platforms = (f"manylinux_2_{minor}_{machine}" for minor in (28, 17))
        choices = [f"--platform={platform}" for platform in (*platforms, f"linux_{machine}")]
        options = ("--quiet", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}", *choices)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, f"--dest={unfinished}/wheels", *_PACKAGES],
            check=True,
            capture_output=True,
            text=True,
        )
        with contextlib.suppress(FileExistsError):  # another run was faster
            Path(unfinished, "wheels").rename(folder)
    return folder
