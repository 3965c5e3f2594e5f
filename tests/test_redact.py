"""Secrets of every kind disappear from every wording; ordinary evidence stays byte for byte."""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

import pytest

from diagnose.model import Chunk, Log, Missing, Subject, Tally, Target, Why
from diagnose.patterns import PatternSet
from diagnose.redact import Redactor, secret_patterns
from diagnose.streams import Container, Event, Pod

PLACEHOLDER = re.compile(r"\[redacted:[a-z-]+:[0-9]+\]")


def made(length: int, letters: str = string.ascii_letters + string.digits, seed: int = 7) -> str:
    """A key as a generator would make it; no real one."""
    return "".join(random.Random(f"{seed}{length}{letters}").choices(letters, k=length))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


HEX = "0123456789abcdef"
URL_SAFE = string.ascii_letters + string.digits + "_-"
BASE64 = string.ascii_letters + string.digits + "+/"
GUID = "8d1f2c3a-77aa-4b1e-9c55-0a1b2c3d4e5f"
STORAGE_KEY = made(86, BASE64) + "=="
SIGNATURE = made(20, BASE64) + "%2B" + made(20, BASE64) + "%3D"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21sIn0." + made(86, URL_SAFE)
PEM_BODY = [made(64, BASE64, seed=n) for n in range(5)] + [made(22, BASE64) + "=="]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *PEM_BODY, "-----END RSA PRIVATE KEY-----"])
PEM_IN_JSON = json.dumps(PEM)[1:-1]
LOGIN = b64("00000000-0000-0000-0000-000000000000:" + made(40))
DOCKER_CONFIG = b64(json.dumps({"auths": {"scoring.azurecr.io": {"auth": LOGIN}}}))
CLIENT_SECRET = "a1b8Q~" + made(34, URL_SAFE)

PLANTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "storage account key": (
        STORAGE_KEY,
        (
            "DefaultEndpointsProtocol=https;AccountName=st;AccountKey={};EndpointSuffix=core.windows.net",
            "AZURE_STORAGE_CONNECTION_STRING='DefaultEndpointsProtocol=https;AccountName=st;AccountKey={}'",
            "AZURE_STORAGE_KEY={}",
            'account_key = "{}"',
            '{{"keyName": "key1", "value": "{}", "permissions": "FULL"}}',
            "azurestorageaccountkey: {}",
            "az storage blob list --account-key {} --account-name st",
        ),
    ),
    "storage account key with its mark": (
        made(76, BASE64) + "+ASt" + made(5, BASE64) + "g==",
        ("ValueError: bad key {}", "key1\t{}\tFULL", "['{}']"),
    ),
    "SAS signature": (
        SIGNATURE,
        (
            "https://st.blob.core.windows.net/logs/a.txt?sv=2021-08-06&se=2023-01-01T00%3A00%3A00Z&sr=b&sp=r&sig={}",
            '<a href="https://st.blob.core.windows.net/a?sp=r&amp;sig={}&amp;se=2023-01-01">log</a>',
            r"https://st.blob.core.windows.net/a?sp=r\u0026sig={}\u0026se=2023-01-01",
            "GET /a?sig={}&sp=r HTTP/1.1",
            "SharedAccessSignature sr=hub&sig={}&se=1700000000&skn=device",
        ),
    ),
    "SAS signature in an escaped URL": (
        SIGNATURE.replace("%", "%25"),
        ("redirect=https%3A%2F%2Fst.blob.core.windows.net%2Fa%3Fsp%3Dr%26sig%3D{}%26se%3D2023-01-01", "?u=%26sig%3D{}"),
    ),
    "bearer token": (
        made(43, URL_SAFE),
        (
            "Authorization: Bearer {}",
            "{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}",
            "curl -H 'authorization: bearer {}' https://churn.inference.ml.azure.com/score",
            "send: b'POST /score HTTP/1.1\\r\\nAuthorization: Bearer {}\\r\\nHost: x\\r\\n'",
            "[(b'authorization', b'Bearer {}')]",
            "retrying with Bearer {} after 401",
        ),
    ),
    "short bearer token": (
        "abcdefgh",
        ("Authorization: Bearer {}", '"Authorization": "Bearer {}"', "Proxy-Authorization: Bearer {}"),
    ),
    "JWT": (
        JWT,
        ("{}", "token {} expired", 'msg="got {}"', "https://x/?id_token={}&state=1", "%3D{}", "Bearer%20{}"),
    ),
    "JWT in a Kubernetes Secret": (b64(JWT), ("  token: {}", '{{"token": "{}"}}', "found {} there")),
    "client secret": (
        CLIENT_SECRET,
        (
            "AZURE_CLIENT_SECRET={}",
            "{{'client_id': 'a', 'client_secret': '{}'}}",
            "grant_type=client_credentials&client_secret={}&scope=https%3A%2F%2Fml.azure.com",
            '{{"clientSecret":"{}"}}',
            "export ARM_CLIENT_SECRET={}",
            "az login --service-principal -u app -p {} --tenant t",
            "leftover {} without a name",
        ),
    ),
    "client secret without a mark": (
        "tiny-Secret!",
        ("AZURE_CLIENT_SECRET={}", 'client_secret: "{}"', "--client-secret {} --tenant t"),
    ),
    "instrumentation key": (
        GUID,
        (
            "InstrumentationKey={}",
            "APPINSIGHTS_INSTRUMENTATIONKEY={}",
            "AML_APP_INSIGHTS_KEY={}",
            "Application Insights Key: {}",
            '"instrumentationKey": "{}"',
            "APPLICATIONINSIGHTS_CONNECTION_STRING=InstrumentationKey={};IngestionEndpoint=https://weu.in.ai.azure.com/",
            "--appinsights_instrumentation_key {}",
        ),
    ),
    "private key on one line": (
        PEM_IN_JSON.split("-----")[2].strip("\\n"),
        (
            '{{"private_key": "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----\\n", "client_email": "a@b"}}',
            "SSH_KEY=-----BEGIN OPENSSH PRIVATE KEY-----\\n{}\\n-----END OPENSSH PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----\\n{}",
            "'{}\\n-----END RSA PRIVATE KEY-----\\n'",
        ),
    ),
    "private key in base64": (b64(PEM), ("client-key-data: {}", "tls.key: {}", "value '{}'")),
    "docker config": (
        LOGIN,
        (
            '{{"auths": {{"scoring.azurecr.io": {{"auth": "{}"}}}}}}',
            "auth: {}",
            "//registry.example.org/:_auth={}",
            "Authorization: Basic {}",
        ),
    ),
    "docker config in base64": (DOCKER_CONFIG, (".dockerconfigjson: {}", '".dockerconfigjson":"{}"', "data '{}'")),
    "registry header": (
        b64(json.dumps({"username": "u", "password": made(30)})),
        ("X-Registry-Auth: {}", "header={}", "'{}'"),
    ),
    "password in a URL": (
        "p4ss/w@rd",
        (
            "postgresql://bob:{}@db:5432/x",
            "redis://:{}@cache:6380/0",
            "'amqps://bob:{}@mq'",
            "mongodb+srv://bob:{}@m/x",
        ),
    ),
    "token in a package index": (
        made(52, string.ascii_lowercase + string.digits),
        (
            "pip install --extra-index-url https://build:{}@pkgs.dev.azure.com/org/_packaging/feed/simple/ churn",
            "Looking in indexes: https://index.example.org/simple, https://user:{}@pkgs.dev.azure.com/org/simple/",
            "git+https://{}@dev.azure.com/org/_git/churn",
        ),
    ),
    "basic authentication": (
        b64("bob:hunter2"),
        ("Authorization: Basic {}", "'authorization': 'Basic {}'", "sent Basic {} once"),
    ),
    "password": (
        "hunter2",
        (
            "password={}",
            "password: {}",
            "DB_PASSWORD={}",
            "PGPASSWORD={} psql -h db",
            '"password": "{}"',
            "{{'user': 'bob', 'passwd': '{}'}}",
            "Server=tcp:db.database.windows.net;Database=x;User ID=bob;Password={};Encrypt=yes",
            "Driver={{ODBC Driver 18}};Uid=bob;Pwd={};",
            "Driver=x;PWD={{{}}}",
            "mycache.redis.cache.windows.net:6380,password={},ssl=True,abortConnect=False",
            "app --password {} --verbose",
            "app --db-password={}",
            "['app', '--password', '{}']",
            "docker login -u bob -p {} scoring.azurecr.io",
            "['docker', 'login', '-u', 'bob', '-p', '{}']",
            "connect(user='bob', password='{}')",
            "Config(user=bob, password={})",
            'password: !!str "{}"'.replace("!!str ", ""),
            "password%3D{}%26user%3Dbob",
            "&quot;password&quot;: &quot;{}&quot;",
            "<password>{}</password>",
            '{{"name": "DB_PASSWORD", "value": "{}"}}',
            '{{"passwords":[{{"name":"password","value":"{}"}},{{"name":"password2","value":"{}"}}],"username":"scoring"}}',
            "  - name: DB_PASSWORD\n    value: {}",
            '      "name": "password",\n      "value": "{}"',
            "sshpass -p {} ssh bob@vm",
            "curl -u bob:{} https://x",
            "kubectl create secret generic x --from-literal=password={}",
        ),
    ),
    "password with signs in it": (
        "a;b&c,d e",
        ('password="{}"', "'password': '{}'", '"Env": ["PATH=/bin", "DB_PASSWORD={}"]', '"password": "{}", "x": 1'),
    ),
    "registry password": (made(32, BASE64), ('"registryPassword": "{}"', "--registry-password {}", "ACR_PASSWORD={}")),
    "endpoint key": (
        made(32),
        (
            '{{"primaryKey": "{}", "secondaryKey": null}}',
            "secondaryKey: {}",
            "EndpointKey={}",
            "SCORING_KEY={}",
            "endpoint_key='{}'",
        ),
    ),
    "endpoint key with its mark": (made(52) + "JQQJ99" + made(26), ("{}", "primary {} ok", "key='{}'")),
    "access token": (
        made(40, URL_SAFE),
        (
            '{{"accessToken": "{}", "expires_on": 1893456000}}',
            '{{"access_token":"{}","token_type":"Bearer"}}',
            "refresh_token={}&grant_type=refresh_token",
            "'id_token': '{}'",
            "ACR_REFRESH_TOKEN={}",
        ),
    ),
    "shared access key": (
        made(43, BASE64) + "=",
        (
            "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={}",
            "HostName=hub.azure-devices.net;DeviceId=edge;SharedAccessKey={}",
            "EventHubConnectionString='Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey={};EntityPath=b'",
            "Endpoint=https://c.azconfig.io;Id=abc;Secret={}",
        ),
    ),
    "cosmos key": (
        STORAGE_KEY,
        (
            "AccountEndpoint=https://c.documents.azure.com:443/;AccountKey={};",
            "COSMOS_ACCOUNT_KEY={}",
            "AccountKey%3D{}%3B",
        ),
    ),
    "GitHub token": (
        "ghp_" + made(36),
        ("GITHUB_TOKEN={}", "https://{}@github.com/o/r.git", "remote: bad credentials {}", "token={}"),
    ),
    "GitHub fine-grained token": ("github_pat_" + made(22) + "_" + made(59), ("{}", "GH_TOKEN: {}", "'{}'")),
    "AWS access key": (
        "AKIA" + made(16, string.ascii_uppercase + string.digits),
        ("AWS_ACCESS_KEY_ID={}", "Credential={}/2023", '"{}"'),
    ),
    "AWS secret access key": (
        made(40, BASE64),
        ("AWS_SECRET_ACCESS_KEY={}", "aws_secret_access_key = {}", '"SecretAccessKey": "{}"'),
    ),
    "Slack token": ("xoxb-" + made(12, string.digits) + "-" + made(24), ("SLACK={}", "token: {}", "'{}'")),
    "Hugging Face token": (
        "hf_" + made(34, string.ascii_letters),
        ("HF_TOKEN={}", "huggingface-cli login --token {}", "Bearer {}"),
    ),
    "OpenAI key": (
        "sk-proj-" + made(48, URL_SAFE),
        ("OPENAI_API_KEY={}", "Incorrect API key provided: {}.", "api_key='{}'"),
    ),
    "Databricks token": (
        "dapi" + made(32, HEX) + "-2",
        ("DATABRICKS_TOKEN={}", "with {} denied", "https://token:{}@adb.azuredatabricks.net"),
    ),
    "kubeconfig token": (
        made(64, string.ascii_lowercase + string.digits),
        ("    token: {}", "--token={}", "kubectl --token {} get pods"),
    ),
    "experiment tracker key": (made(40, HEX), ("WANDB_API_KEY={}", "wandb: api_key: {}", "MLFLOW_TRACKING_TOKEN={}")),
    "api key header": (
        made(32, HEX),
        (
            "x-api-key: {}",
            "Ocp-Apim-Subscription-Key: {}",
            "api-key: {}",
            "{{'api-key': '{}'}}",
            "('x-api-key', '{}')",
            "x-functions-key: {}",
            "https://x.azurewebsites.net/api/f?code={}",
            "?subscription-key={}&q=1",
        ),
    ),
    "session cookie": (
        made(32, HEX),
        (
            "Set-Cookie: session={}; Path=/; HttpOnly",
            "Cookie: lang=en; session={}",
            "'Set-Cookie': 'ARRAffinity={};Path=/;HttpOnly;Domain=x'",
            "<RequestsCookieJar[<Cookie session={} for x/>]>",
        ),
    ),
    "environment variable": (
        "Xy7-kq",
        (
            "MY_SECRET={}",
            "export APP_TOKEN={}",
            "DJANGO_SECRET_KEY={}",
            "'SIGNING_TOKEN={}'",
            "environ({{'API_TOKEN': '{}'}})",
        ),
    ),
    "client assertion": (
        "part.one.two",
        ("client_assertion={}&client_id=a", '"client_assertion": "{}"', "client_assertion: {}"),
    ),
    "GitLab token": ("glpat-" + made(20), ("{}", "clone with {} failed", "'{}'")),
    "Slack webhook": (
        "T" + made(8) + "/B" + made(8) + "/" + made(24),
        ("https://hooks.slack.com/services/{}", "POST hooks.slack.com/services/{} 404"),
    ),
    "other authorization": (
        made(43, BASE64) + "=",
        ("Authorization: SharedKey st:{}", "authorization: token {}", "Authorization: {}", '{{"Authorization": "{}"}}'),
    ),
    "short basic authentication": (
        "abc",
        ("Authorization: Basic {}", "'authorization': 'Basic {}'", "Proxy-Authorization: Basic {}"),
    ),
    "variable that ends with KEY": (
        "Zq8-77uX",
        ("THEIR_OWN_KEY={}", "export COSMOS_DB_KEY={}", '"SOME_KEY": "{}"', "A_CREDENTIAL={}"),
    ),
    "variable that ends with PASS": ("Zq8-77uX", ("DB_PASS={}", "smtp_pass={}", "'REDIS_PASS': '{}'")),
    "token of a registry": (made(36, HEX), ('"identitytoken": "{}"', "registrytoken={}", "DOCKER_AUTH_CONFIG={}")),
    "private key without marks": (made(64, BASE64), ('"privateKey": "{}"', "private_key={}", "WG_PRIVATE_KEY={}")),
    "password of netrc": ("hunter2", ("machine pkgs.dev.azure.com login build password {}",)),
    "password that .NET wrote": (r"ab\u002Bcd", ('"Password": "{}"', "Password={};Encrypt=yes", "AccountKey={}")),
    "Google API key": ("AIza" + made(35, URL_SAFE), ("key={}", "?key={}&q=1", "'{}'")),
}
WORDINGS = [(kind, secret, wording) for kind, (secret, wordings) in PLANTED.items() for wording in wordings]

AROUND: dict[str, Callable[[str], str]] = {
    "alone": lambda line: line,
    "in a log": lambda line: "\n".join(f"2026-11-22T11:59:35.056676829Z {part}" for part in line.split("\n")),
    "behind a logger": lambda line: f"2023-03-15 06:40:12,428 I [40] azmlinfsrv - {line}",
    "between other lines": lambda line: f"Booting worker with pid: 41\n{line}\nInitializing logger\n",
    "as JSON": lambda line: json.dumps({"log": line, "stream": "stderr"}),
    "as repr": lambda line: repr([line]),
    "in colour": lambda line: f"\x1b[32m{line}\x1b[0m",
    "with Windows line ends": lambda line: f"{line}\r\nnext\r\n",
}


DATABASE = PatternSet(secret_patterns()).dump()


def redacted(text: str) -> str:
    return Redactor(DATABASE).text(text)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("kind", "secret", "wording"), WORDINGS)
def test_a_planted_secret_is_gone(kind: str, secret: str, wording: str, around: str) -> None:
    given = AROUND[around](wording.format(*[secret] * 2) if "{{" in wording else wording.replace("{}", secret))
    got = redacted(given)
    assert not leaked(secret, got)
    assert PLACEHOLDER.search(got)
    assert got.count("\n") == given.count("\n")
    assert redacted(got) == got


def leaked(secret: str, text: str) -> bool:
    """True when ``text`` holds the secret, or a piece of eight of its letters."""
    return secret in text or any(secret[at : at + 8] in text for at in range(len(secret) - 7))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("SharedAccessKey=abcd1234", "shared-access-key"),
        ("AccountKey=abcd1234", "account-key"),
        ("AWS_SECRET_ACCESS_KEY=abcd1234", "aws-key"),
        ('"refreshToken": "abcd1234"', "access-token"),
        ('"identitytoken": "abcd1234"', "docker-auth"),
        ('"Authorization": "abcd1234"', "authorization"),
        ("WG_PRIVATE_KEY=abcd1234", "private-key"),
        ("ITS_OWN_KEY=abcd1234", "variable"),
        ("Authorization: Bearer abcd1234", "bearer-token"),
        ("Authorization: Basic abcd1234", "basic-auth"),
        (f"Authorization: Bearer {JWT}", "jwt"),
        ("Cookie: a=b", "cookie"),
    ],
)
def test_the_kind_says_what_it_was(line: str, kind: str) -> None:
    assert PLACEHOLDER.findall(redacted(line)) == [f"[redacted:{kind}:1]"]


ORDINARY = """\
location = eastus
database = sqlite
key: value
password:
password: ""
Password:
token_count=5
max_tokens=100
token: 5
pad_token: <pad>, eos_token='</s>', mask_token="[MASK]", unk_token: [UNK]
secret "scoring-keys" not found
MountVolume.SetUp failed for volume "keys" : secret "scoring-keys" not found
MountVolume.SetUp failed for volume "keys" : references non-existent secret key: tls.crt
Error: couldn't find key api-key in Secret ns/scoring
Error: couldn't find key SECURE_DATA in Secret default/scorer-secret
secretName: scoring-keys
"secret":{"secretName":"default-token-78bvk","defaultMode":420}
{"name":"KEY","valueFrom":{"secretKeyRef":{"key":"primary","name":"scoring-keys"}}}
"f:secretKeyRef":{"f:key":{},"f:name":{}}
      DB_PASSWORD:  <set to the key 'password' in secret 'scoring-keys'>  Optional: false
      AZURE_CLIENT_SECRET:  <set to the key 'secret' in secret 'aad'>
imagePullSecrets:
imagePullSecrets: [{name: regcred}]
imagePullSecret: regcred-2
"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}
automountServiceAccountToken: false
api-key:  32 bytes
password:  8 bytes
KeyError: 'data'
KeyError: 'password'
NameError: name 'token' is not defined
TypeError: connect() got an unexpected keyword argument 'password'
password authentication failed for user "bob"
FATAL:  password authentication failed for user "bob" (SQLSTATE 28P01)
Authorization is disabled, continuing with no authorization keys.
Application Insights Key: None
Extra keys = ['AZUREML_ENTRY_SCRIPT', 'HOSTNAME']
AZUREML_MODEL_DIR=/var/azureml-app/azureml-models/churn/3
AZURE_FEDERATED_TOKEN_FILE=/var/run/secrets/azure/tokens/azure-identity-token
GOOGLE_APPLICATION_CREDENTIALS=/var/secrets/google/key.json
PWD=/var/azureml-server
OLDPWD=/
GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568
PYTHON_SHA256=2bd4d6a1e4a5b1d5b2a3fbd5b3a1c0c1f2b4b8a4a8b0e5d9d4a9f0c4d2e1f3a5
scoring.azurecr.io/churn@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
docker-pullable://scoring.azurecr.io/churn@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
commit 8835a26f0d9b1c2e3a4b5c6d7e8f9a0b1c2d3e4f
RequestID: 2d7ae956-d580-e8d1-8691-537bb5819f6b Returned Status Code: 200
churn-5c6b8885ff-4wwmb
sk-learn-scoring-deployment-7d5d7c99cb-zsv4t
sk-model-7d5d7c99cb-zsv4t-and-more-of-it
task-force disk-pressure hf_transformers xoxo
partitionKey: 0f8fad5b-d9cb-469f-a165-70867728950e
primary_key=True
sort key: created_at
cache key: model-v1
keyword arguments: {'key': 'value'}
WWW-Authenticate: Bearer authorization_uri="https://login.microsoftonline.com/t", error="invalid_token"
Www-Authenticate: Bearer realm="https://scoring.azurecr.io/oauth2/token",service="scoring.azurecr.io"
Bearer token authentication is not permitted for non-TLS protected (non-https) URLs
Basic authentication is off; basic functionality works
azure.BearerAuthorizer#WithAuthorization: Failed to refresh the Token for request
failed to acquire token: FromAssertion(): http call(https://login.microsoftonline.com/t/oauth2/v2.0/token)
Failed to acquire token: AADSTS7000222: The provided client secret keys for app 'x' are expired.
AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client secret value.
AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.
failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized
expired secret: ClientAuthenticationError carries AADSTS7000222
AZURE_TOKEN_CREDENTIALS=AzureCliCredential
    "$skiptoken": "cHlrdmY5ODcwZTRl12345"
?api-version=2019-09-01&$skiptoken=cHlrdmY5ODcwZTRl
    token = credential.get_token("https://management.azure.com/.default")
    client = SecretClient(vault_url=url, credential=credential)
    password = os.environ["DB_PASSWORD"]
    password=self.password, token=token, api_key=api_key)
    api_key = config.api_key
def connect(user: str, password: str, token: Optional[str] = None) -> Connection:
Namespace(password=None, token=None, secret='', api_key=<object object at 0x7f>)
password=******** token=*** secret=<redacted> key=[FILTERED]
username=stcontosomodels,password=***,vers=3.0 //stcontosomodels.file.core.windows.net/models
--docker-password=<pw> --docker-username=<id>
password=${DB_PASSWORD} token=$TOKEN secret={{ .Values.secret }} password=%(password)s password={password}
password: required
"password": ["This field is required."]
Use --password-stdin instead of --password to hide it
usage: app [--password PASSWORD] [--token TOKEN]
bash: pwd: command not found
SharedAccessKeyName=RootManageSharedAccessKey
127.0.0.1 - - [14/Sep/2021:11:58:05 +0000] "GET /?key=1 HTTP/1.0" 200 29 "-" "kube-probe/1.20"
Worker (pid:41) was sent SIGKILL! sig=9 signature=inspect.signature(run)
https://user@host:8443/path postgresql://db:5432/x http://localhost:8080/@scope/pkg@1.0 git@github.com:o/r.git
abfss://azureml-blobstore-0f8fad5b-d9cb-469f-a165-70867728950e@st.dfs.core.windows.net/models
-----BEGIN CERTIFICATE-----
MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK7TTYUvGqAQhzIo6eEMyzpVUgT8ZkBd
-----END PUBLIC KEY-----
ValueError: expected -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY----- in the file
Could not find -----BEGIN RSA PRIVATE KEY----- in file
Done
certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURkekNDQWwrZ0F3SUJBZ0lFQWdBQXVUQU5CZ2s=
Cookie policy: none
Cookies: 3
"""


@pytest.mark.parametrize("line", ORDINARY.splitlines())
@pytest.mark.parametrize("around", ["alone", "in a log", "behind a logger", "in colour"])
def test_ordinary_evidence_stays_byte_for_byte(line: str, around: str) -> None:
    given = AROUND[around](line)
    assert redacted(given) == given


def test_ordinary_evidence_stays_as_a_whole_text() -> None:
    redactor = Redactor(DATABASE)
    assert redactor.text(ORDINARY) is ORDINARY
    assert redactor.counts == {}


def test_an_image_in_base64_stays() -> None:
    image = base64.b64encode(random.Random(1).randbytes(200_000)).decode()
    given = f'{{"data": "data:image/png;base64,{image}"}}'
    assert redacted(given) == given


def test_only_the_secret_goes_and_what_stands_around_it_stays() -> None:
    given = f"DefaultEndpointsProtocol=https;AccountName=st;AccountKey={STORAGE_KEY};EndpointSuffix=core.windows.net"
    assert redacted(given) == given.replace(STORAGE_KEY, "[redacted:account-key:1]")
    given = f"https://st.blob.core.windows.net/a?sv=2021-08-06&sig={SIGNATURE}&se=2023-01-01T00%3A00%3A00Z&sp=r"
    assert redacted(given) == given.replace(SIGNATURE, "[redacted:sas-signature:1]")
    given = "cache:6380,password=hunter2,ssl=True,abortConnect=False"
    assert redacted(given) == given.replace("hunter2", "[redacted:password:1]")


@pytest.mark.parametrize("line", ["DB_PASSWORD={}", "export DB_PASSWORD={}", "2026-11-22T11:59:35Z DB_PASSWORD={}"])
def test_a_variable_on_a_line_of_its_own_goes_to_its_end(line: str) -> None:
    assert redacted(line.format("a;b&c,d='e")) == line.format("[redacted:password:1]")


def test_the_same_secret_has_the_same_placeholder_in_every_wording_and_text() -> None:
    redactor = Redactor(DATABASE)
    first = redactor.text('DB_PASSWORD=hunter2\nlogin failed with password "hunter3", {"password": "hunter3"}')
    second = redactor.text("connect(password='hunter2', passwd=hunter3)")
    assert first.startswith("DB_PASSWORD=[redacted:password:1]\n")
    assert first.endswith('{"password": "[redacted:password:2]"}')
    assert second == "connect(password='[redacted:password:1]', passwd=[redacted:password:2])"


def test_a_secret_twice_on_a_line_is_replaced_twice() -> None:
    redactor = Redactor(DATABASE)
    got = redactor.text(
        f"AccountKey={STORAGE_KEY};Retry='AccountKey={STORAGE_KEY}'; curl -H 'Authorization: Bearer {JWT}' {JWT}"
    )
    assert got == (
        "AccountKey=[redacted:account-key:1];Retry='AccountKey=[redacted:account-key:1]';"
        " curl -H 'Authorization: Bearer [redacted:jwt:1]' [redacted:jwt:1]"
    )
    assert redactor.counts == {"account-key": 2, "jwt": 2}


def test_equal_secrets_of_two_kinds_are_numbered_by_kind() -> None:
    got = redacted("password=first\npassword=both\nAZURE_CLIENT_SECRET=both")
    assert (
        got
        == "password=[redacted:password:1]\npassword=[redacted:password:2]\nAZURE_CLIENT_SECRET=[redacted:client-secret:1]"
    )


def test_a_private_key_keeps_its_lines_and_counts_once() -> None:
    redactor = Redactor(DATABASE)
    got = redactor.text(f"before\n{PEM}\nafter").splitlines()
    assert got[:2] == ["before", "-----BEGIN RSA PRIVATE KEY-----"]
    assert got[2:8] == ["[redacted:private-key:1]"] * 6
    assert got[8:] == ["-----END RSA PRIVATE KEY-----", "after"]
    assert redactor.counts == {"private-key": 1}


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "    ",
        "2026-11-22T11:59:35.056676829Z ",
        "app_1  | ",
        "2023-03-15 06:40:12,428 I [40] root - ",
        '"',
        "\x1b[31m",
    ],
)
@pytest.mark.parametrize("part", ["whole", "end cut off", "begin cut off", "cut after the first line"])
def test_a_private_key_is_found_behind_whatever_stands_before_its_lines(prefix: str, part: str) -> None:
    lines = {
        "whole": PEM.splitlines(),
        "end cut off": PEM.splitlines()[:-1],
        "begin cut off": PEM.splitlines()[2:],
        "cut after the first line": PEM.splitlines()[:2],
    }[part]
    given = "\n".join([*(prefix + line for line in lines), "2026-11-22 Booting worker with pid: 41"])
    got = redacted(given)
    assert not any(leaked(line, got) for line in PEM_BODY)
    assert got.endswith("\n2026-11-22 Booting worker with pid: 41")
    assert got.count("\n") == given.count("\n")
    assert redacted(got) == got


def test_a_private_key_is_the_same_on_one_line_and_on_several() -> None:
    got = redacted(f'{PEM}\n{{"key": "{PEM_IN_JSON}"}}')
    assert set(PLACEHOLDER.findall(got)) == {"[redacted:private-key:1]"}


def test_lines_of_others_between_those_of_a_private_key_stay() -> None:
    lines = PEM.splitlines()
    lines.insert(3, "2026-11-22 I [40] azmlinfsrv - POST /score 200 15.261ms 4")
    got = redacted("\n".join(lines)).splitlines()
    assert got[3] == lines[3]
    assert got[4] == "[redacted:private-key:1]"


def test_an_encrypted_private_key_keeps_its_headers() -> None:
    head = ["-----BEGIN RSA PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,AB12", ""]
    got = redacted("\n".join([*head, *PEM_BODY]))
    assert got.splitlines() == [*head, *["[redacted:private-key:1]"] * len(PEM_BODY)]


@pytest.mark.parametrize(
    "coloured",
    [
        "\x1b[1mpassword\x1b[0m=\x1b[31mhunter2\x1b[0m next",
        "password=hun\x1b[1mter2 next",
        "\x1b[2K\x1b[1Gpassword: \x1b[38;5;12mhunter2\x1b[m next",
        '{"log": "\\u001b[32mpassword\\u001b[0m=hunter2 next"}',
    ],
)
def test_colour_hides_no_secret(coloured: str) -> None:
    got = redacted(coloured)
    assert "hunter2" not in got
    assert "ter2" not in got
    assert "[redacted:password:1]" in got
    assert " next" in got


def test_colour_around_a_secret_stays() -> None:
    assert redacted("\x1b[1mpassword\x1b[0m=\x1b[31mhunter2\x1b[0m") == (
        "\x1b[1mpassword\x1b[0m=\x1b[31m[redacted:password:1]\x1b[0m"
    )


@pytest.mark.parametrize(
    "odd", ["\udcff\udc80", "\ud800", chr(0xD83D) + chr(0xDE00), "\x00", "пароль", "\u2028", "\x85"]
)
def test_odd_characters_survive(odd: str) -> None:
    assert redacted(f"{odd} password=hunter2 {odd}\n{odd}") == f"{odd} password=[redacted:password:1] {odd}\n{odd}"
    assert redacted(odd) == odd


def test_the_placeholder_of_a_password_with_odd_characters_is_whole() -> None:
    assert redacted("password='пароль\udcff!' x") == "password='[redacted:password:1]' x"


def test_a_text_without_secrets_is_returned_as_it_is() -> None:
    text = "Booting worker with pid: 41\n" * 100
    assert Redactor(DATABASE).text(text) is text


@dataclass(frozen=True)
class Box:
    inside: object
    names: tuple[str, ...] = ()
    count: int = 0
    kinds: dict[str, str] = field(default_factory=dict)


class Colour(StrEnum):
    PASSWORD = "password=hunter2"


def test_items_are_redacted_wherever_their_text_is() -> None:
    event = Event(
        source="kubectl get events", reason="Failed", message=f"pull https://bob:hunter2@reg failed, {JWT}", count=3
    )
    got = Redactor(DATABASE).value((event,))
    assert got[0].message == "pull https://bob:[redacted:url-password:1]@reg failed, [redacted:jwt:1]"
    assert (got[0].source, got[0].count, got[0].subject) == (event.source, 3, event.subject)
    assert type(got[0]) is Event


def test_the_argument_of_an_option_is_redacted() -> None:
    container = Container(
        source="docker inspect", name="app", command=("serve", "--password", "a;b c", "--port", "5001")
    )
    got = Redactor(DATABASE).value(container)
    assert got.command == ("serve", "--password", "[redacted:password:1]", "--port", "5001")


def test_logs_targets_and_reasons_are_redacted() -> None:
    redactor = Redactor(DATABASE)
    log = Log(
        stream="logs.container",
        source="docker logs churn",
        chunks=(Chunk(1, "fine"), Chunk(9, "password=hunter2\n")),
        tallies={"x": Tally(1, 2, 3)},
    )
    got = redactor.value(log)
    assert got.chunks == (Chunk(1, "fine"), Chunk(9, "password=[redacted:password:1]\n"))
    assert got.chunks[0] is log.chunks[0]
    assert got.tallies is log.tallies
    assert redactor.value(Missing(stream="events", why=Why.DENIED, what="https://u:hunter2@host/")).what == (
        "https://u:[redacted:url-password:1]@host/"
    )
    assert redactor.value(Target(service="churn", kind="files", notes=("token=abc12345",))).notes == (
        "token=[redacted:token:1]",
    )


def test_the_key_of_a_mapping_names_its_value() -> None:
    given = {
        "AZURE_CLIENT_SECRET": "a;b c",
        "Authorization": "Bearer " + made(30),
        "Cookie": "session=abc",
        "location": "eastus",
        "headers": {"x-api-key": "abc"},
        "PASSWORD": 5,
    }
    assert Redactor(DATABASE).value(given) == {
        "AZURE_CLIENT_SECRET": "[redacted:client-secret:1]",
        "Authorization": "Bearer [redacted:bearer-token:1]",
        "Cookie": "[redacted:cookie:1]",
        "location": "eastus",
        "headers": {"x-api-key": "[redacted:api-key:1]"},
        "PASSWORD": 5,
    }


def test_a_key_of_a_mapping_is_redacted_too() -> None:
    assert Redactor(DATABASE).value({"password=hunter2": 1}) == {"password=[redacted:password:1]": 1}


def test_what_holds_no_secret_is_the_same_object() -> None:
    clean = Box(("a", ["b"]), kinds={"location": "eastus"})
    for given in (clean, (clean,), [clean], {"a": clean}, MappingProxyType({"a": 1}), b"password=hunter2", 5, None):
        assert Redactor(DATABASE).value(given) is given
    box, other = Redactor(DATABASE).value((clean, Box("password=hunter2")))
    assert box is clean
    assert other == Box("password=[redacted:password:1]")


def test_other_types_are_returned_as_they_are() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert Redactor(DATABASE).value(Box((Colour.PASSWORD, now, b"password=hunter2"))).inside == (
        Colour.PASSWORD,
        now,
        b"password=hunter2",
    )
    assert Redactor(DATABASE).value(Colour.PASSWORD) is Colour.PASSWORD


def test_a_secret_in_one_of_thousands_of_items_rebuilds_only_that_one() -> None:
    pods = [
        Pod(source="kubectl get pods", name=f"churn-{n}", subject=Subject("kubernetes", "aml")) for n in range(3000)
    ]
    pods[1234] = Pod(source="kubectl get pods", name="churn-1234", message="env: DB_PASSWORD=hunter2")
    given = tuple(pods)
    got = Redactor(DATABASE).value(given)
    assert [n for n, (old, new) in enumerate(zip(given, got, strict=True)) if old is not new] == [1234]
    assert got[1234].message == "env: DB_PASSWORD=[redacted:password:1]"


def test_the_same_text_in_many_items_counts_each_time() -> None:
    redactor = Redactor(DATABASE)
    redactor.value(tuple(Event(source=str(n), reason="x", message="password=hunter2") for n in range(7)))
    assert redactor.counts == {"password": 7}


def test_several_threads_share_the_numbers() -> None:
    redactor = Redactor(DATABASE)
    texts = [f"password=hunter{n % 50}" for n in range(1000)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(redactor.text, texts))
    numbers = {text: {out for given, out in zip(texts, got, strict=True) if given == text} for text in texts}
    assert all(len(placeholders) == 1 for placeholders in numbers.values())
    assert len(set(got)) == 50
    assert redactor.counts == {"password": 1000}


def test_a_compiled_database_finds_the_same() -> None:
    assert redacted(PEM + "\npassword=hunter2") == Redactor().text(PEM + "\npassword=hunter2")


@pytest.mark.parametrize("database", [b"no database", DATABASE[:-100]])
def test_a_database_that_does_not_fit_is_compiled_anew(database: bytes) -> None:
    redactor = Redactor(database)
    assert redactor.text("password=hunter2") == "password=[redacted:password:1]"
    assert redactor.value(("password=hunter2",)) == ("password=[redacted:password:1]",)


def test_secrets_are_not_in_the_redactors_own_words() -> None:
    redactor = Redactor(DATABASE)
    redactor.text("password=hunter2")
    assert "hunter2" not in f"{redactor!r} {redactor.counts!r}"


def many_times(unit: str, size: int) -> str:
    return unit * (size // len(unit))


@pytest.mark.parametrize(
    "text",
    [
        many_times(unit, 60_000)
        for unit in (
            "token:",
            'password="',
            "password='x",
            "password=\\",
            "password=a)",
            "key=g",
            "a://b:c",
            "\x1b[",
            "eyJaaaaaaaa.",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\n",
            "abc\n-----END PRIVATE KEY-----\n",
            "login -p ",
        )
    ]
    + [
        prefix + many_times(unit, 60_000)
        for prefix, unit in (("password=", "\\"), ("password=a", ")"), ("token=1", "a-"))
    ],
    ids=lambda text: repr(text[:20]),
)
def test_text_made_to_be_slow_is_redacted_all_the_same(text: str) -> None:
    got = redacted(f"{text}\npassword=hunter2")
    assert re.search(r"\npassword=\[redacted:password:[0-9]+\]$", got)
    assert got.count("\n") == text.count("\n") + 1


def test_redacting_twice_changes_nothing_in_a_mix_of_everything() -> None:
    lines = [
        wording.format(*[secret] * 2) if "{{" in wording else wording.replace("{}", secret)
        for _, secret, wording in WORDINGS
    ]
    lines += ORDINARY.splitlines()
    generator = random.Random(3)
    for _ in range(5):
        generator.shuffle(lines)
        for glue in ("\n", " ", ", "):
            once = redacted(glue.join(lines[:40]))
            assert redacted(once) == once
