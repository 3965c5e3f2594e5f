"""From kubeconfig, or the pod this runs in, to a connection; every way it can be unusable has its own line."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
import yaml

from diagnose.collectors import IMPORTS, Limits
from diagnose.collectors.kubernetes.calls import Calls, Clock
from diagnose.collectors.kubernetes.client import CONNECTIONS, Cluster
from diagnose.errors import CollectorError

if TYPE_CHECKING:
    from kubernetes.client import Configuration

_GET_ONE = "get one with `az aks get-credentials --resource-group RG --name CLUSTER`, or name yours in KUBECONFIG"
_CORRECT = "correct the file, or name another one in KUBECONFIG"
_BY_HAND = "run `kubectl get pods` once by hand, sign in there, and try again"
_NAMESPACE_OF_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class _Plugin(msgspec.Struct, rename="camel"):
    command: str = ""
    install_hint: str | None = None


class _Provider(msgspec.Struct):
    name: str = ""


class _User(msgspec.Struct, rename="kebab"):
    exec: _Plugin | None = None
    auth_provider: _Provider | None = None


class _NamedUser(msgspec.Struct):
    name: str
    user: _User | None = None


class _Server(msgspec.Struct):
    server: str = ""


class _NamedServer(msgspec.Struct):
    name: str
    cluster: _Server | None = None


class _Context(msgspec.Struct):
    cluster: str = ""
    user: str | None = None
    namespace: str | None = None


class _NamedContext(msgspec.Struct):
    name: str
    context: _Context | None = None


class _Config(msgspec.Struct, rename="kebab"):
    contexts: list[_NamedContext] | None = None
    clusters: list[_NamedServer] | None = None
    users: list[_NamedUser] | None = None
    current_context: str | None = None


def connect(context: str | None, limits: Limits, calls: Calls) -> Cluster:
    """The cluster of ``context``, of the current one, or of the pod this runs in.

    Raises CollectorError, in time even when a sign-in program hangs. Nothing was asked of the server yet.
    """

    return _in_time(lambda: _connect(context), limits, calls)


def connect_with(kubeconfig: bytes, limits: Limits, calls: Calls) -> Cluster:
    """The cluster of a kubeconfig's current context. Raises CollectorError like ``connect``.

    The official client reads files only: the text lies in one that this user alone can read, for as long as that takes.
    """

    def work() -> Cluster:
        with TemporaryDirectory(prefix="diagnose-") as folder:
            file = Path(folder, "kubeconfig")
            file.touch(mode=0o600)
            file.write_bytes(kubeconfig)
            return _from_files([file], None)

    return _in_time(work, limits, calls)


def _in_time(connecting: Callable[[], Cluster], limits: Limits, calls: Calls) -> Cluster:
    def work(clock: Clock) -> Cluster:
        clock.renew()
        return connecting()

    job = calls.start(limits, work)
    try:
        return job.answer()
    except TimeoutError as error:
        raise CollectorError("the sign-in program of the kubeconfig did not answer in time", needs=_BY_HAND) from error


def _connect(context: str | None) -> Cluster:
    named = os.environ.get("KUBECONFIG", "")
    files = [Path(part).expanduser() for part in (named or "~/.kube/config").split(os.pathsep) if part]
    there = [file for file in files if _exists(file)]
    if there:
        return _from_files(there, context)
    if not context and os.environ.get("KUBERNETES_SERVICE_HOST"):
        return _from_pod()
    if named:
        raise CollectorError(f"KUBECONFIG names {named}, which does not exist", needs=_CORRECT)
    raise CollectorError("no kubeconfig: ~/.kube/config does not exist and KUBECONFIG is not set", needs=_GET_ONE)


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError as error:
        raise CollectorError(f"{file} can not be read: {error.strerror}", needs=_CORRECT) from error


def _from_files(files: Sequence[Path], wanted: str | None) -> Cluster:
    with IMPORTS:
        from kubernetes import config
        from kubernetes.client import Configuration

    parts = [_parsed(file) for file in files]
    name = wanted or next((part.current_context for part in parts if part.current_context), None)
    context = _context(parts, name)
    user = next((u.user for p in parts for u in p.users or () if u.name == context.user), None) or _User()
    _check(parts, context, user, str(name), files[0].parent)
    configuration = Configuration()
    load: Callable[..., None] = config.load_kube_config
    with _complaints() as complaints, _loading(files, str(name)):
        load(
            config_file=os.pathsep.join(map(str, files)),
            context=name,
            client_configuration=configuration,
            persist_config=False,
        )
    if complaints:
        program = Path(user.exec.command).name if user.exec else "the sign-in program"
        raise CollectorError(f"{program} could not sign in for context {name}: {complaints[0]}", needs=_BY_HAND)
    return _cluster(configuration, str(name), context.namespace or "default")


def _parsed(file: Path) -> _Config:
    try:
        document = yaml.load(file.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return msgspec.convert(document if document is not None else {}, _Config)
    except OSError as error:
        raise CollectorError(f"{file} can not be read: {error.strerror}", needs=_CORRECT) from error
    except yaml.MarkedYAMLError as error:
        # Only the number of the line: what stands there may be a token.
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CollectorError(f"{file}{line}: not valid YAML", needs=_CORRECT) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CollectorError(f"{file}: not valid YAML", needs=_CORRECT) from error
    except msgspec.ValidationError as error:
        raise CollectorError(f"{file} is no kubeconfig: {error}", needs=_CORRECT) from error


def _context(parts: Sequence[_Config], name: str | None) -> _Context:
    known = {one.name: one.context for part in reversed(parts) for one in part.contexts or ()}
    names = ", ".join(sorted(known)[:10]) or "none"
    if not name:
        needs = f"choose one with --context or `kubectl config use-context NAME`; there are: {names}"
        raise CollectorError("the kubeconfig has no current context", needs=needs)
    context = known.get(name)
    if context is None:
        raise CollectorError(f"the kubeconfig has no context {name}", needs=f"use --context with one of: {names}")
    return context


def _check(parts: Sequence[_Config], context: _Context, user: _User, name: str, folder: Path) -> None:
    """What the client would only log, or take a default for."""
    servers = {one.name: one.cluster for part in reversed(parts) for one in part.clusters or ()}
    server = servers.get(context.cluster)
    if server is None or not server.server:
        text = f"the kubeconfig has no server for context {name} (cluster {context.cluster or 'not named'})"
        raise CollectorError(text, needs=_CORRECT)
    if user.auth_provider and user.auth_provider.name == "azure":
        text = f"context {name} signs in with the auth-provider azure, which no client knows any more"
        raise CollectorError(text, needs="install kubelogin and run `kubelogin convert-kubeconfig -l azurecli`")
    if user.exec and not _installed(user.exec.command, folder):
        hint = " ".join((user.exec.install_hint or "").split())[:200]
        program = Path(user.exec.command).name
        known = {"kubelogin": "`az aks install-cli`", "aws": "the AWS CLI"}.get(program, program)
        text = f"the sign-in program {user.exec.command} of context {name} is not installed"
        raise CollectorError(text, needs=f"install {known}{': ' + hint if hint else ''}")


def _installed(command: str, folder: Path) -> bool:
    if os.path.dirname(command):
        return (folder / command).exists()
    return shutil.which(command) is not None


@contextmanager
def _loading(files: Sequence[Path], name: str) -> Iterator[None]:
    """What the client raises, in one line that says where, and nothing of what stands there."""
    from kubernetes.config import ConfigException
    from oauthlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]

    where = f"context {name} of {', '.join(map(str, files))}"
    try:
        yield
    except OAuth2Error as error:
        raise CollectorError(f"{where}: the OpenID Connect sign-in was refused", needs=_BY_HAND) from error
    except OSError as error:
        raise CollectorError(f"{where}: {error.strerror or type(error).__name__}", needs=_CORRECT) from error
    except (ConfigException, ValueError, LookupError, TypeError, AttributeError) as error:
        # The client's own text quotes whole entries, tokens and all; so does the chain of exceptions.
        raise CollectorError(f"{where} can not be used{_told(str(error))}", needs=_CORRECT) from None


def _told(text: str) -> str:
    """The harmless part of a message of the client."""
    found = re.search(r"Expected key ([\w-]+) in|(File does not exist: [^\n]+)|(Token file exists but empty)", text)
    if found is None:
        return ""
    return f": {found[1]} is missing" if found[1] else f": {found[0][:200]}"


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one short line of what the client says: it may come from a foreign program."""
        if record.module == "kube_config":
            self.texts.append(" ".join(record.getMessage().split())[:200])


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the client logs instead of raising it: a sign-in program that failed. None of it reaches the screen."""
    recorder, root = _Recorder(), logging.getLogger()
    root.addHandler(recorder)
    try:
        yield recorder.texts
    finally:
        root.removeHandler(recorder)


def _from_pod() -> Cluster:
    with IMPORTS:
        from kubernetes import config
        from kubernetes.client import Configuration

    configuration = Configuration()
    load: Callable[..., None] = config.load_incluster_config
    try:
        load(client_configuration=configuration)
        namespace = _NAMESPACE_OF_POD.read_text(encoding="utf-8").strip()
    except (config.ConfigException, OSError) as error:
        text = "this pod has no usable service account: its token or certificate authority is missing"
        raise CollectorError(text, needs="set automountServiceAccountToken: true, or KUBECONFIG") from error
    return _cluster(configuration, "in-cluster", namespace or "default")


def _cluster(configuration: Configuration, context: str, namespace: str) -> Cluster:
    from kubernetes.client import ApiClient

    configuration.retries = False
    configuration.connection_pool_maxsize = CONNECTIONS
    headers = {"Accept": "application/json", "User-Agent": "diagnose"}
    bearer = configuration.auth_settings().get("BearerToken")
    if bearer and bearer["value"]:
        headers[bearer["key"]] = bearer["value"]
    return Cluster(
        pool=ApiClient(configuration).rest_client.pool_manager,
        server=configuration.host.rstrip("/"),
        headers=headers,
        context=context,
        namespace=namespace,
        certificate=configuration.cert_file,
    )
