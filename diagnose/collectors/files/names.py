"""Whose text it is, told from the names it carries: of pods, of files, of commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from diagnose.model import Run, Subject

PLACE = "file"
_ANYONE = Subject(PLACE)

_HASH = r"[bcdfghjklmnpqrstvwxz2456789]{6,10}"
"""Of a pod template: Kubernetes leaves out vowels and what looks like them."""
_SUFFIX = r"[bcdfghjklmnpqrstvwxz2456789]{5}"
_POD = re.compile(rf"(?P<workload>[a-z0-9.-]+?)-{_HASH}-{_SUFFIX}")
_REPLICA_SET = re.compile(rf"(?P<workload>[a-z0-9.-]+)-{_HASH}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_PREVIOUS = re.compile(r"(?:^|[._-])(?:previous|prev)(?:[._-]|$)", re.I)
_PARTS = re.compile(r"[_.]+")
_NO_CONTAINER = {
    "log",
    "logs",
    "txt",
    "out",
    "err",
    "json",
    "yaml",
    "current",
    "previous",
    "prev",
    "describe",
    "events",
}
_CONTAINER_ID = re.compile(r"-[0-9a-f]{64}$")
_OWN_NAME = ("Deployment", "StatefulSet", "DaemonSet", "InferenceService", "Job")
_VALUED = {"-n": "namespace", "--namespace": "namespace", "-c": "container", "--container": "container"}
_PIPES = ("|", ">", ">>", "2>", "2>&1", "&&", ";")
_ALSO_VALUED = ("--context", "--tail", "--since", "-l", "--selector", "--kubeconfig", "-o")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a piece of text stands, and whose it is as far as names tell."""

    source: str
    subject: Subject = _ANYONE
    run: Run = "current"
    line: int = 1
    """Number of its first line in ``source``."""
    now: datetime | None = None


def workload_of(kind: str, name: str) -> str | None:
    """The workload at the top that the name of an object tells of; None when it does not tell."""
    if kind in _OWN_NAME:
        return name
    shape = {"Pod": _POD, "ReplicaSet": _REPLICA_SET}.get(kind)
    found = shape.fullmatch(name) if shape else None
    return found["workload"] if found else None


def subject_of(kind: str, name: str, namespace: str | None = None, container: str | None = None) -> Subject:
    """The subject of a fact about the object ``kind``/``name``."""
    pod = name if kind == "Pod" else None
    return Subject(PLACE, namespace or None, workload_of(kind, name), pod, container or None)


def origin_of_file(source: str) -> Origin:
    """What the name of a file, or of the folders it is in, tells: ``POD_CONTAINER.previous.log`` and the like."""
    path = PurePath(source)
    run: Run = "previous" if _PREVIOUS.search(path.name) else "current"
    parts = path.parts[-3:]
    for depth, part in reversed(list(enumerate(parts))):
        if subject := _of_name(part, is_file=depth == len(parts) - 1):
            if subject.container is None:
                subject = subject_of("Pod", subject.pod or "", subject.namespace, _container(parts[depth + 1 :]))
            return Origin(source, subject, run)
    return Origin(source, run=run)


def _of_name(name: str, *, is_file: bool) -> Subject | None:
    """A pod named in ``name``, with the namespace before it and the container after it."""
    words = [word for word in _PARTS.split(name) if word]
    pod = next((n for n, word in enumerate(words) if _POD.fullmatch(word)), None)
    if pod is None:
        return None
    before, after = words[:pod], [_CONTAINER_ID.sub("", word) for word in words[pod + 1 :]]
    if not is_file:
        return subject_of("Pod", words[pod], before[-1] if before else None)
    named = [word for word in after if word not in _NO_CONTAINER and _NAME.fullmatch(word)]
    if len(named) == 2:  # the kubelet's own links: POD_NAMESPACE_CONTAINER-ID
        return subject_of("Pod", words[pod], *named)
    return subject_of("Pod", words[pod], before[-1] if before else None, named[0] if named else None)


def _container(below: tuple[str, ...]) -> str | None:
    """The container that the path below a pod's folder names: ``CONTAINER/0.log`` or ``log.CONTAINER.current.txt``."""
    words = [word for part in below for word in _PARTS.split(part)]
    named = [word for word in words if word not in _NO_CONTAINER and _NAME.fullmatch(word) and not word.isdigit()]
    return named[0] if len(named) == 1 else None


def namespace_in(command: str) -> str | None:
    """The namespace a kubectl command line names."""
    return _options(command)[1].get("namespace")


def origin_of_command(command: str, origin: Origin) -> Origin:
    """The origin of what ``kubectl logs`` printed after its own command line; any other command leaves it as it is."""
    words, options = _options(command)
    if "logs" not in words[:-1] or "docker" in words:
        return origin
    named = words[words.index("logs") + 1 :]
    kind, _, name = named[0].rpartition("/")
    container = options.get("container") or (named[1] if len(named) > 1 else None)
    kind = "Deployment" if kind.startswith("deploy") else "Pod"
    subject = subject_of(kind, name, options.get("namespace"), container)
    return Origin(origin.source, subject, "previous" if "previous" in options else "current", origin.line, origin.now)


def _options(command: str) -> tuple[list[str], dict[str, str]]:
    """The words of a command that are no options, and the options that tell of whom it speaks."""
    words: list[str] = []
    options: dict[str, str] = {}
    given = iter(command.split())
    for word in given:
        if word in _PIPES and len(words) > 1:
            break
        name, has_value, value = word.partition("=")
        if name in ("-p", "--previous"):
            options["previous"] = "true"
        elif name in _VALUED or name in _ALSO_VALUED:
            options[_VALUED.get(name, name)] = value if has_value else next(given, "")
        elif not word.startswith("-"):
            words.append(word)
    return words, options
