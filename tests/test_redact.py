"""Secrets of every kind disappear from every wording; ordinary evidence stays byte for byte."""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

import pytest

from diagnose.model import Chunk, Item, Log, Missing, Subject, Tally, Target, Why
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
    "short bearer token": ("abcdefgh", ("Authorization: Bearer {}", '"Authorization": "Bearer {}"', "Proxy-Authorization: Bearer {}")),
    "JWT": (
        JWT,
        ("{}", "token {} expired", "msg=\"got {}\"", "https://x/?id_token={}&state=1", "%3D{}", "Bearer%20{}"),
    ),
    "JWT in a Kubernetes Secret": (b64(JWT), ("  token: {}", '{{"token": "{}"}}', "token:{}")),
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
    "client secret without a mark": ("tiny-Secret!", ("AZURE_CLIENT_SECRET={}", 'client_secret: "{}"', "--client-secret {} --tenant t")),
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
        ('{{"auths": {{"scoring.azurecr.io": {{"auth": "{}"}}}}}}', "auth: {}", "//registry.npmjs.org/:_auth={}", "Authorization: Basic {}"),
    ),
    "docker config in base64": (DOCKER_CONFIG, (".dockerconfigjson: {}", '".dockerconfigjson":"{}"', "data '{}'")),
    "registry header": (b64(json.dumps({"username": "u", "password": made(30)})), ("X-Registry-Auth: {}", "header={}", "'{}'")),
    "password in a URL": (
        "p4ss/w@rd",
        ("postgresql://bob:{}@db:5432/x", "redis://:{}@cache:6380/0", "'amqps://bob:{}@mq'", "mongodb+srv://bob:{}@m/x"),
    ),
    "token in a package index": (
        made(52, string.ascii_lowercase + string.digits),
        (
            "pip install --extra-index-url https://build:{}@pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/ churn",
            "Looking in indexes: https://pypi.org/simple, https://user:{}@pkgs.dev.azure.com/org/simple/",
            "git+https://{}@dev.azure.com/org/_git/churn",
        ),
    ),
    "basic authentication": (b64("bob:hunter2"), ("Authorization: Basic {}", "'authorization': 'Basic {}'", "sent Basic {} once")),
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
        ('{{"primaryKey": "{}", "secondaryKey": null}}', "secondaryKey: {}", "EndpointKey={}", "SCORING_KEY={}", "endpoint_key='{}'"),
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
    "cosmos key": (STORAGE_KEY, ("AccountEndpoint=https://c.documents.azure.com:443/;AccountKey={};", "COSMOS_ACCOUNT_KEY={}", "AccountKey%3D{}%3B")),
    "GitHub token": ("ghp_" + made(36), ("GITHUB_TOKEN={}", "https://{}@github.com/o/r.git", "remote: bad credentials {}", "token={}")),
    "GitHub fine-grained token": ("github_pat_" + made(22) + "_" + made(59), ("{}", "GH_TOKEN: {}", "'{}'")),
    "AWS access key": ("AKIA" + made(16, string.ascii_uppercase + string.digits), ("AWS_ACCESS_KEY_ID={}", "Credential={}/2023", '"{}"')),
    "AWS secret access key": (made(40, BASE64), ("AWS_SECRET_ACCESS_KEY={}", "aws_secret_access_key = {}", '"SecretAccessKey": "{}"')),
    "Slack token": ("xoxb-" + made(12, string.digits) + "-" + made(24), ("SLACK={}", "token: {}", "'{}'")),
    "Hugging Face token": ("hf_" + made(34, string.ascii_letters), ("HF_TOKEN={}", "huggingface-cli login --token {}", "Bearer {}")),
    "OpenAI key": ("sk-proj-" + made(48, URL_SAFE), ("OPENAI_API_KEY={}", "Incorrect API key provided: {}.", "api_key='{}'")),
    "Databricks token": ("dapi" + made(32, HEX) + "-2", ("DATABRICKS_TOKEN={}", "token = {}", "https://token:{}@adb.azuredatabricks.net")),
    "kubeconfig token": (made(64, string.ascii_lowercase + string.digits), ("    token: {}", "--token={}", "kubectl --token {} get pods")),
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
        ("MY_SECRET={}", "export APP_TOKEN={}", "DJANGO_SECRET_KEY={}", "'SIGNING_TOKEN={}'", "environ({{'API_TOKEN': '{}'}})"),
    ),
    "client assertion": ("part.one.two", ("client_assertion={}&client_id=a", '"client_assertion": "{}"', "client_assertion: {}")),
    "Google API key": ("AIza" + made(35, URL_SAFE), ("key={}", "?key={}&q=1", "'{}'")),
}  # fmt: skip
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


def redacted(text: str) -> str:
    return Redactor().text(text)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize(("kind", "secret", "wording"), WORDINGS)
def test_a_planted_secret_is_gone(kind: str, secret: str, wording: str, around: str) -> None:
    given = AROUND[around](wording.replace("{}", secret) if "{{" not in wording else wording.format(*[secret] * 2))
    got = redacted(given)
    assert secret not in got
    assert PLACEHOLDER.search(got)
    assert got.count("\n") == given.count("\n")
    assert redacted(got) == got
