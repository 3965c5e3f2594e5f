"""Tells from what a text says which streams of logs it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping

SAMPLE_HEAD = 256 * 1024
SAMPLE_TAIL = 64 * 1024
"""What is looked at of a longer text."""

_SIGNS: Mapping[str, tuple[str, ...]] = {
    "server": (
        *("azmlinfsrv - ", "azmlinfsrv.", "Azure ML Inferencing HTTP server", "Invoking user's init function"),
        *(
            "Booting worker with pid",
            "Starting gunicorn ",
            "gunicorn.error",
            "gunicorn/run",
            "nginx/run",
            "rsyslog/run",
        ),
        *(
            "Worker exiting (pid",
            "Worker failed to boot",
            "Worker with pid",
            "WORKER TIMEOUT (pid",
            "Handling signal: term",
        ),
        *("Users's init has completed", "Scoring Timer is set to", "Scoring timeout setting", "Initializing logger"),
        *('"GET / HTTP/1', '"POST /score HTTP/1', "kube-probe/", "Setting up HTTP server with sslEnabled"),
        *("Started server process [", "Uvicorn running on", "Application startup complete", "seldon_core.microservice"),
        *(
            "tritonserver",
            "Started HTTPService at",
            "org.pytorch.serve",
            "[mlserver",
            "mlserver.cli",
            "Running TensorFlow",
        ),
        *('File "/var/azureml-app/', 'File "/var/azureml-server/', "azureml_inference_server_http/server/"),
        *("exec user process caused", "exec /usr/bin/", "OCI runtime exec failed", "conda-unpack: error"),
        *("SystemSetup: ", "UserContainerImagePull: "),
    ),
    "build": (
        *("Sending build context to Docker daemon", "load build definition from", "returned a non-zero code"),
        *(
            "did not complete successfully: exit code",
            "failed to solve",
            "Executing step ID: ",
            "acb_step_",
            "Image Build",
        ),
        *(
            "Removing intermediate container",
            "Successfully tagged ",
            "failed to register layer",
            "Setting up Docker config",
        ),
        *("Launching container with name: ", "[internal] load ", "exporting to image", "resolve image config for"),
        *("The push refers to repository", "failed to push", "##[command]docker build", "Dockerfile parse error"),
    ),
    "package": (
        *("Installing collected packages:", "Successfully installed ", "Pip subprocess", "Solving environment:"),
        *("Collecting package metadata", "ResolvePackageNotFound", "PackagesNotFoundError", "UnsatisfiableError"),
        *("CondaEnvException", "Could not solve for environment specs", "No matching distribution found for"),
        *("Could not install packages due to", "ResolutionImpossible", "Failed building wheel for", "CondaHTTPError"),
        *("pip's dependency resolver", "Could not find a version that satisfies", "InvalidArchiveError", "libmamba"),
    ),
    "caller": (
        *("Azure-cli-ml Version", "Service deployment polling reached", "Image creation polling reached"),
        *(
            "K8SDeployment with",
            "Creating/updating online deployment",
            "Local deployment (",
            "cli.azure.cli",
            "cli.knack",
        ),
        *("az_command_data_logger", "(ResourceNotReady)", "Received bad response from", "The deployment request "),
        *("At least one resource deployment operation failed", "AML Kubernetes Compute job failed", "<ipython-input-"),
        *("The request failed with status code:", "Error from server ("),
    ),
    "error": (
        *("WebserviceException:", "ErrorResponse", "InnerException ", "WebserviceNotFound", "Operation ID: "),
        *("UserErrorException:", "ModelPathNotFoundException", "AzureMLException", "azure.ai.ml", "MlException"),
        *("ERROR CODE: ", "RESPONSE 4", "RESPONSE 5", "DOCKER_COMMAND_ERROR", "##[error]"),
        *(
            "HttpResponseError",
            "azure.core.exceptions",
            "azureml.exceptions",
            "azureml._common",
            "Microsoft.Rest.Azure",
        ),
    ),
    "docker": (
        *(
            "Error response from daemon",
            "Cannot connect to the Docker daemon",
            "error during connect: ",
            "docker API at ",
        ),
        *("Error while fetching server API version", "docker.errors.", "Docker daemon socket", "docker.sock"),
        *("The push refers to repository", "Storage Driver: ", "Docker daemon. Is Docker running", "http+docker://"),
        *(
            "Failed to create Docker client",
            "Is the docker daemon running",
            "image does not exist locally with the tag",
        ),
        *(
            "could not select device driver",
            "Conflict. The container name",
            "requested access to the resource is denied",
        ),
        *("unauthorized: authentication required", "Docker Desktop", "Unable to find image '"),
    ),
}
_SHAPES: Mapping[str, tuple[re.Pattern[str], ...]] = {
    "build": (
        re.compile(r"^(?:\S+: )?#\d+ (?:\d+\.\d+ |\[|DONE|ERROR|CACHED|sha256:)", re.M),
        re.compile(r"Step \d+/\d+ : "),
    ),
    "error": (
        re.compile(r'"code"\s*:\s*"[A-Z]\w+"[\s\S]{0,400}?"message"\s*:'),
        re.compile(r'Code="[A-Z]\w+" Message="'),
        re.compile(r"^(?:\w*Error: |ERROR: )?\([A-Z]\w+\) ", re.M),
        re.compile(r"^(?:ERROR: )?Code: [A-Z]\w+\nMessage: |^Status: [45]\d\d \(", re.M),
    ),
    "docker": (re.compile(r"^docker: ", re.M),),
    "records": (
        re.compile(r"^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d", re.M),
        re.compile(
            r"^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.]+:|^[IWEF]\d{4} \d\d:\d\d|^(?:time|level)=\"?\w", re.M
        ),
        re.compile(r'^\{"(?:time|ts|level|timestamp|@timestamp|severity|msg|message|asctime)":', re.M),
        re.compile(r"^\S+ - \S+ \[\d\d/\w{3}/\d{4}:|^\d\d:\d\d:\d\d[.,]\d+ ", re.M),
    ),
    "trace": (re.compile(r"Traceback \(most recent call last\)"),),
}
_SOURCE_LINE = re.compile(
    r"^(?:import \w[\w., ]*|from [\w.]+ import .+|def \w+\(.*\).*:|class \w+.*:)\s*(?:#.*)?$", re.M
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def without_colours(text: str) -> str:
    """``text`` without terminal colour and cursor codes, which would stand between the words of a message."""
    return _COLOUR.sub("", text) if "\x1b[" in text else text


def sample(text: str) -> str:
    """The ends of a long text, by which it is told."""
    if len(text) <= SAMPLE_HEAD + SAMPLE_TAIL:
        return text
    return f"{text[:SAMPLE_HEAD]}\n{text[-SAMPLE_TAIL:]}"


def is_source_code(text: str) -> bool:
    """The text is a Python file: it defines and imports, and reports nothing."""
    lines = _SOURCE_LINE.findall(text[:SAMPLE_HEAD])
    return len(lines) >= 3 and any(line.startswith("def ") for line in lines) and not signs(text) - {"docker", "error"}


def signs(text: str) -> frozenset[str]:
    """What speaks in a text: any of ``server build package caller error docker records trace``."""
    looked_at = sample(text)
    words = {sign for sign, needles in _SIGNS.items() if any(needle in looked_at for needle in needles)}
    shapes = {
        sign
        for sign, patterns in _SHAPES.items()
        if sign not in words and any(pattern.search(looked_at) for pattern in patterns)
    }
    return frozenset(words | shapes)


def streams_of(text: str) -> tuple[str, ...]:
    """The streams of logs a text belongs to, by the strongest signs in it.

    A server's own words outrank packages it installs, errors of SDKs it uses and traces: a container prints them all.
    Where nothing speaks the text belongs to ``logs.container`` and to ``logs.deployment``, so that no rule misses it.
    """
    found = signs(text)
    if "server" in found:
        streams = ["logs.container"]
        streams += ["logs.build"] if "build" in found else []
        return (*streams, "logs.deployment") if "caller" in found else tuple(streams)
    streams = ["logs.build"] if found & {"build", "package"} else []
    streams += ["logs.docker"] if "docker" in found else []
    if "caller" in found or (found & {"error", "trace"} and not found & {"build", "package", "records"}):
        streams.append("logs.deployment")
    if streams:
        return tuple(streams)
    return ("logs.container",) if "records" in found else ("logs.container", "logs.deployment")
