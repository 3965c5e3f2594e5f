"""Which streams a text belongs to, told from what it says; each kind with what only looks like it."""

import pytest

from diagnose.collectors.files.kinds import is_source_code, sample, streams_of, without_colours

CONTAINER = ("logs.container",)
BUILD = ("logs.build",)
DEPLOYMENT = ("logs.deployment",)
DOCKER = ("logs.docker",)

SERVERS = {
    "azmlinfsrv": """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded logging config from /azureml-envs/x/logging.json

Azure ML Inferencing HTTP server v1.2.2
""",
    "v1": """\
2019-12-09T16:18:02,008938116+00:00 - rsyslog/run
2019-12-09T16:18:02,013768333+00:00 - gunicorn/run
Starting gunicorn 19.9.0
SPARK_HOME not set. Skipping PySpark Initialization.
""",
    "proxy of container instances": """\
2019/02/07 11:13:05 Setting up HTTP server with sslEnabled: false
2019/02/07 11:16:02 RequestID: 0a1b Post http://localhost:5001/score: net/http: request canceled
""",
    "gunicorn": "[2020-08-11 06:51:02 +0000] [1] [INFO] Starting gunicorn 20.0.4\n[ERROR] Error handling request /score\n",
    "access log": '127.0.0.1 - - [14/Sep/2021:11:58:01 +0000] "POST /score HTTP/1.0" 200 22 "-" "python-requests/2.26.0"\n',
    "seldon": "2021-05-20 07:22:14,330 - seldon_core.microservice:main:206 - INFO:  Starting microservice.py:main\n",
    "logging": "INFO:root:Copying contents of s3://models to local\nINFO:root:Successfully copied\n",
    "klog": "I0101 12:00:00.000000       1 server.go:12] starting\nE0101 12:00:01.000000       1 server.go:20] failed\n",
    "json records": '{"time": "2024-02-01T09:00:10Z", "level": "error", "message": "no such model"}\n' * 3,
    "exec format": "standard_init_linux.go:228: exec user process caused: exec format error\n",
    "uncaught in a worker": """\
Traceback (most recent call last):
  File "/var/azureml-app/score.py", line 21, in init
    conn = pyodbc.connect(DSN)
socket.gaierror: [Errno -2] Name or service not known
""",
    "pip before the server starts": """\
Collecting sklearn-pandas==2.2.0
Installing collected packages: sklearn-pandas
ERROR: pip's dependency resolver does not currently take into account all the packages that are installed.
2023-01-24T10:02:58,008938116+00:00 - iot-server/run
2023-01-24 10:03:03,876 I [103] azmlinfsrv - Worker with pid 103 ready for serving traffic
""",
    "exceptions of Azure in the user's code": """\
2024-02-01 09:00:10,009 E [12] azmlinfsrv - Encountered Exception: Traceback (most recent call last):
  File "/x/score.py", line 3, in run
azure.core.exceptions.HttpResponseError: (Forbidden) The user does not have secrets get permission
Code: Forbidden
Message: The user does not have secrets get permission
""",
    "an exception of the SDK in init()": """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded logging config
azureml.exceptions._azureml_exception.WebserviceException: WebserviceException:
	Message: ModelNotFound: Model with name churn not found in provided workspace
	InnerException None
	ErrorResponse
{
    "error": {
        "message": "ModelNotFound: Model with name churn not found in provided workspace"
    }
}
""",
    "quotes kubectl and docker": """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv.user_script - to look inside run: kubectl exec -it POD -- sh
2024-02-01 09:00:10,010 I [12] azmlinfsrv.user_script - or: docker exec; Cannot connect to the Docker daemon otherwise
""",
    "quotes a build": """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv - Worker with pid 212 ready for serving traffic
2024-02-01 09:00:11,009 I [12] azmlinfsrv.user_script - Step 3 of 15: loading weights
""",
}


@pytest.mark.parametrize("name", SERVERS)
def test_logs_of_servers_are_container_logs(name):
    assert streams_of(SERVERS[name]) == CONTAINER


BUILDS = {
    "classic": "Sending build context to Docker daemon  60.93kB\n\nStep 1/15 : FROM mcr.microsoft.com/azureml/base:1\n",
    "BuildKit": """\
#8 [4/6] RUN micromamba create -n score -y -f /tmp/environment.yml
#8 3.871 error    libmamba Could not solve for environment specs
""",
    "with times in front": "2023-10-13T14:22:09: #1 [internal] load build definition from Dockerfile\n2023-10-13T14:22:09: #1 DONE 0.0s\n",
    "registry task": """\
2019/09/25 16:02:15 Executing step ID: acb_step_0. Timeout(sec): 5400, Working directory: '', Network: 'acb_default_network'
2019/09/25 16:02:51 Container failed during run: acb_step_0. No retries remaining.
""",
    "conda": "Collecting package metadata (repodata.json): ...working... done\nSolving environment: ...working... failed\n",
    "pip": "Installing collected packages: triton, torch\nERROR: Could not install packages due to an OSError: [Errno 28] No space\n",
    "installs a server": """\
#12 5.31 Collecting gunicorn==23.0.0
#12 9.02 Successfully installed azureml-inference-server-http-1.5.1 gunicorn-23.0.0
""",
    "last line only": "The command '/bin/sh -c conda env create -f /tmp/conda.yml' returned a non-zero code: 1\n",
}


@pytest.mark.parametrize("name", BUILDS)
def test_output_of_builds(name):
    assert streams_of(BUILDS[name]) == BUILD


ERRORS = {
    "SDK v1": """\
WebserviceException: WebserviceException:
	Message: Service deployment polling reached non-successful terminal state, current service state: Failed
Operation ID: 25e69c15-2b9d-a9f1-c38e-9856488bf3b3
Error:
{
  "code": "KubernetesDeploymentFailed",
  "message": "Kubernetes Deployment failed"
}
""",
    "CLI v1": "ERROR: {'Azure-cli-ml Version': '1.0.79', 'Error': WebserviceException:\n\tMessage: failed}\n",
    "CLI v2": "(ResourceNotReady) User container has crashed or terminated.\nCode: ResourceNotReady\nMessage: User container has\n",
    "ARM": "ERROR: (QuotaExceeded) Provisioning of resource(s) for container service churn failed.\nCode: QuotaExceeded\n",
    "az logs": "ERROR: cli.azure.cli.core.azclierror: Local deployment (x / blue) is in failed state.\nINFO: cli.__main__: ran\n",
    "body": '{"error": {"code": "ValidationError", "message": "Missing dependent resources"}}\n',
    "Go": 'Error: creating vault: Status=409 Code="ConflictError" Message="A vault with the same name already exists"\n',
    ".NET": "Status: 403 (Forbidden)\nErrorCode: RequestDisallowedByPolicy\n\nContent:\n{}\n",
    "core": "azure.core.exceptions.HttpResponseError: This request is not authorized to perform this operation.\n",
    "kubectl": 'Error from server (NotFound): pods "churn-0" not found\n',
    "notebook": """\
TypeError                                 Traceback (most recent call last)
<ipython-input-33-ca5a737270c0> in <module>()
----> 4 result = json.loads(service.run(input_data = test_samples))
TypeError: the JSON object must be str, bytes or bytearray, not 'list'
""",
    "traceback": """\
Traceback (most recent call last):
  File "train.py", line 58, in <module>
    model = run.register_model(model_name='sklearn_mnist_model')
ValueError: no such file
""",
    "tells of crashed containers": """\
HttpResponseError: (None) ResourceNotReady: User container has crashed or terminated: Liveness probe failed
Code: None
""",
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_sdk_and_cli(name):
    assert streams_of(ERRORS[name]) == DEPLOYMENT


@pytest.mark.parametrize(
    "text",
    [
        "docker: Error response from daemon: driver failed programming external connectivity on endpoint churn.\n",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
        "error during connect: Get http://%2F%2F.%2Fpipe%2Fdocker_engine/v1.40/containers/json: open //./pipe/docker_engine\n",
        "Server Version: 17.06.2-ee-6\nStorage Driver: windowsfilter\nOSType: windows\n",
    ],
)
def test_output_of_docker(text):
    assert streams_of(text) == DOCKER


def test_an_sdk_error_about_docker_is_both():
    text = "ERROR - Failed to create Docker client. Is Docker running/installed?\nWebserviceException: WebserviceException:\n"
    assert set(streams_of(text)) == {"logs.deployment", "logs.docker"}


def test_a_traceback_of_the_docker_client_is_both():
    text = (
        "Traceback (most recent call last):\ndocker.errors.DockerException: Error while fetching server API version\n"
    )
    assert set(streams_of(text)) == {"logs.deployment", "logs.docker"}


def test_a_push_belongs_to_the_build_and_to_docker():
    text = "The push refers to repository [churn.azurecr.io/churn]\nunauthorized: authentication required\n"
    assert set(streams_of(text)) == {"logs.build", "logs.docker"}


@pytest.mark.parametrize(
    "text",
    [
        "The DNS name label 'aci-demo' in container group 'mycontainer' not available. Try using a different label.\n",
        ";; connection timed out; no servers could be reached\ncommand terminated with exit code 1\n",
        "ModuleNotFoundError: No module named 'joblib'\n",
    ],
)
def test_where_nothing_speaks_no_rule_may_miss_the_text(text):
    assert streams_of(text) == ("logs.container", "logs.deployment")


def test_colours_do_not_hide_what_a_text_says():
    text = without_colours("\x1b[0;31mTypeError\x1b[0m: the JSON object \x1b[2Kmust be str")
    assert text == "TypeError: the JSON object must be str"


def test_a_long_text_is_told_by_its_ends():
    text = "x" * 300_000 + "Booting worker with pid" + "y" * 300_000
    assert "Booting" not in sample(text)
    assert streams_of(f"{text}\n{SERVERS['v1']}") == CONTAINER


def test_source_code_is_no_evidence():
    code = "import json\nimport joblib\n\n\ndef init():\n    global model\n\n\ndef run(data):\n    return json.loads(data)\n"
    assert is_source_code(code)
    assert not is_source_code(SERVERS["uncaught in a worker"])
    assert not is_source_code(f"{code}\nTraceback (most recent call last):\n")
