"""Every way in which a kubeconfig can be unusable has one clear line, and none of them quotes a secret."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from made_objects import seconds

from diagnose.collectors.kubernetes.calls import Calls
from diagnose.collectors.kubernetes.client import Cluster
from diagnose.collectors.kubernetes.kubeconfig import connect
from diagnose.errors import CollectorError

TOKEN = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0"


def config(user: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
    base = {
        "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://example.invalid:6443"}}],
        "users": [{"name": "u", "user": {"token": TOKEN} if user is None else user}],
    }
    return {**base, **parts}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def connected(context: str | None = None, limits: Any = None) -> Cluster:
    return connect(context, limits or seconds(10), Calls())


def refusal(context: str | None = None, limits: Any = None) -> CollectorError:
    with pytest.raises(CollectorError) as caught:
        connected(context, limits)
    shown = f"{caught.value} {caught.value.needs} {caught.value.__cause__}"
    assert TOKEN not in shown
    assert "\n" not in f"{caught.value}{caught.value.needs}"
    assert caught.value.needs
    return caught.value


def test_the_current_context_is_taken_with_its_namespace(file: Path) -> None:
    file.write_text(json.dumps(config()))
    cluster = connected()
    assert (cluster.context, cluster.namespace, cluster.server) == ("prod", "shop", "https://example.invalid:6443")
    assert cluster.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in repr(cluster)


def test_the_context_wanted_is_taken(file: Path) -> None:
    contexts = [{"name": "test", "context": {"cluster": "c", "user": "u"}}, *config()["contexts"]]
    file.write_text(json.dumps(config(contexts=contexts)))
    assert (connected("test").context, connected("test").namespace) == ("test", "default")


def test_of_several_files_the_first_to_name_a_context_wins(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(json.dumps(config()))
    other = tmp_path / "other"
    other.write_text(json.dumps({"current-context": "nowhere", "contexts": []}))
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "gone"), str(file), str(other)]))
    assert connected().context == "prod"


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    assert str(refusal()) == f"KUBECONFIG names {file}, which does not exist"


def test_a_file_that_may_not_be_read_is_named(file: Path) -> None:
    file.mkdir()
    assert str(refusal()) == f"{file} can not be read: Is a directory"


@pytest.mark.parametrize(
    "text", ["contexts: [", f"users:\n- token: '{TOKEN}\n", "\x00", "a: *nowhere", "a: &a [*a]\nb: !!python/none x"]
)
def test_broken_yaml_is_named_without_what_stands_there(file: Path, text: str) -> None:
    file.write_text(text)
    assert "not valid YAML" in str(refusal())


def test_broken_yaml_has_its_line(file: Path) -> None:
    file.write_text("a: 1\nb: [\n")
    assert str(refusal()) == f"{file}, line 3: not valid YAML"


def test_bytes_that_are_no_text_are_no_yaml(file: Path) -> None:
    file.write_bytes(b"contexts: caf\xe9")
    assert "not valid YAML" in str(refusal())


@pytest.mark.parametrize("text", ["[]", "hello", "contexts: 5", "contexts: [{}]", "users: [{name: u, user: 5}]"])
def test_another_file_is_no_kubeconfig(file: Path, text: str) -> None:
    file.write_text(text)
    assert "is no kubeconfig" in str(refusal())


@pytest.mark.parametrize("text", ["", "{}"])
def test_an_empty_file_has_no_context(file: Path, text: str) -> None:
    file.write_text(text)
    assert str(refusal()) == "the kubeconfig has no current context"


def test_an_unknown_context_is_said_with_those_there_are(file: Path) -> None:
    file.write_text(json.dumps(config()))
    error = refusal("prd")
    assert (str(error), error.needs) == ("the kubeconfig has no context prd", "use --context with one of: prod")


def test_an_address_that_can_not_be_is_said(file: Path) -> None:
    file.write_text(json.dumps(config(clusters=[{"name": "c", "cluster": {"server": "https://[::1"}}])))
    assert str(refusal()) == f"context prod of {file} can not be used"


@pytest.mark.parametrize("clusters", [[], [{"name": "c", "cluster": {}}]])
def test_a_context_without_a_server_never_means_localhost(file: Path, clusters: list[Any]) -> None:
    file.write_text(json.dumps(config(clusters=clusters)))
    assert "no server for context prod" in str(refusal())


def test_a_sign_in_program_that_is_not_installed_is_named(file: Path) -> None:
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin", "installHint": "get\n it"}
    file.write_text(json.dumps(config({"exec": plugin})))
    error = refusal()
    assert str(error) == "the sign-in program kubelogin of context prod is not installed"
    assert error.needs == "install `az aks install-cli`: get it"


def program(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "sign-in"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path)}}


def test_a_sign_in_program_that_fails_tells_why(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(json.dumps(config(program(tmp_path, "echo 'AADSTS700082: expired' >&2; exit 1"))))
    assert str(refusal()).startswith("sign-in could not sign in for context prod: exec: process returned 1. AADSTS700")
    assert capsys.readouterr().err == ""


def test_a_sign_in_program_gives_its_token(file: Path, tmp_path: Path) -> None:
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-program"},
    }
    file.write_text(json.dumps(config(program(tmp_path, f"echo '{json.dumps(answer)}'"))))
    assert connected().headers["authorization"] == "Bearer from-program"


def test_a_sign_in_program_that_hangs_is_left_behind(file: Path, tmp_path: Path) -> None:
    file.write_text(json.dumps(config(program(tmp_path, "exec sleep 5"))))
    limits = seconds(5, call_s=0.3)
    assert "did not answer in time" in str(refusal(limits=limits))
    assert time.monotonic() < limits.deadline - 3


def test_the_azure_provider_of_old_is_named(file: Path) -> None:
    file.write_text(json.dumps(config({"auth-provider": {"name": "azure", "config": {}}})))
    assert "kubelogin convert-kubeconfig" in refusal().needs


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate": "/nowhere/cert.pem", "client-key": "/nowhere/key.pem"},
        {"client-certificate-data": "not base64!", "client-key-data": TOKEN},
        {"exec": {"command": "sh"}},
        {"tokenFile": "/nowhere/token"},
    ],
)
def test_credentials_that_make_no_sense_are_one_line(file: Path, user: dict[str, Any]) -> None:
    file.write_text(json.dumps(config(user)))
    assert "prod" in str(refusal())


def test_in_a_pod_without_a_service_account_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert "no usable service account" in str(refusal())
