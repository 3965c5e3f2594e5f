"""A text that is no table, no object and no answer: the logs it becomes, and the facts that are quoted in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from diagnose.collectors.files.errors import quoted_facts, readable_log, status_events, unescaped_logs
from diagnose.collectors.files.facts import Empty, Fact
from diagnose.collectors.files.http import quoted_answers
from diagnose.collectors.files.kinds import signs, streams_of
from diagnose.collectors.files.names import Origin, subject_of
from diagnose.model import Chunk, Log, Missing, Why
from diagnose.streams import Container, Engine

STREAM_OF_RESOURCE = {
    **dict.fromkeys(("po", "pod", "pods"), "pods"),
    **dict.fromkeys(("ev", "event", "events"), "events"),
    **dict.fromkeys(("deploy", "deployment", "deployments", "rs", "replicasets", "sts", "statefulsets"), "workloads"),
    **dict.fromkeys(("svc", "service", "services", "ep", "endpoints"), "services"),
    **dict.fromkeys(("hpa", "horizontalpodautoscalers"), "autoscalers"),
    **dict.fromkeys(("pvc", "persistentvolumeclaims"), "claims"),
    **dict.fromkeys(("quota", "resourcequota", "resourcequotas"), "quotas"),
    **dict.fromkeys(("no", "node", "nodes"), "nodes"),
}
"""By the names kubectl knows resources by."""
_FORBIDDEN = re.compile(
    r"Error from server \(Forbidden\): [^\n]* cannot (list|get) resource "
    r'"([a-z]+)"[^\n]*?(?:in the namespace "([^"]+)")?$',
    re.M,
)
_WAITING = re.compile(r'container "(?P<container>[^"]+)" in pod "(?P<pod>[^"]+)" is waiting to start: (?P<reason>.+)')
_REASONS = {"trying and failing to pull image": "ImagePullBackOff", "image can't be pulled": "ImagePullBackOff"}
_LOST = "unable to retrieve container logs for "
"""The kubelet answers this instead of a log that was removed."""
_ROUTER = "azureml-fe"
_TRACE = "Traceback (most recent call last)"
_ENGINE = {
    "version": re.compile(r"^ *Server Version: (.+)$", re.M),
    "os_type": re.compile(r"^ *OSType: (\w+)$", re.M),
    "architecture": re.compile(r"^ *Architecture: (\S+)$", re.M),
}
_ENGINE_MEMORY = re.compile(r"^ *Total Memory: ([\d.]+)(GiB|MiB)$", re.M)
_ENGINE_CPUS = re.compile(r"^ *CPUs: (\d+)$", re.M)
_ENGINE_RUNTIMES = re.compile(r"^ *Runtimes: (.+)$", re.M)


def facts_of_text(chunks: Sequence[Chunk], origin: Origin) -> Iterator[Fact]:
    """Logs in every stream the text belongs to, what they quote, and readable forms of what is escaped in them."""
    whole = "\n".join(chunk.text for chunk in chunks)
    if whole.startswith(_LOST):
        needs = "look on the node, or where the cluster collects its logs"
        yield Missing(stream="logs.container", why=Why.NOT_FOUND, what=f"{origin.source}: {whole.strip()}", needs=needs)
        return
    for stream, part in divided(chunks):
        yield Log(
            stream=routed(stream, origin),
            source=origin.source,
            subject=origin.subject,
            run=origin.run,
            chunks=tuple(part),
        )
        yield from _readable(part, stream, origin)
    yield from quoted(whole, origin)


def quoted(text: str, origin: Origin) -> Iterator[Fact]:
    """Events, states and answers that a log or an error text carries."""
    if "Container events:" in text or "Kind: Pod, Name: " in text:
        yield Empty("events")
        yield from status_events(text, origin)
    if "RestartCount" in text or "InvolvedObject" in text or "firstTimestamp" in text:
        yield from quoted_facts(text, origin)
    if "Response Code: " in text or "status code: " in text or " Error: " in text:
        yield from quoted_answers(text, origin)
    if "Error from server (Forbidden): " in text:
        yield from _refused(text)
    if " is waiting to start: " in text:
        yield from _waiting(text, origin)
    if "Server Version: " in text and "OSType: " in text:
        yield _engine(text, origin)


def _refused(text: str) -> Iterator[Missing]:
    """What kubectl was not allowed to list is not known, which is not the same as none."""
    for verb, resource, namespace in dict.fromkeys(_FORBIDDEN.findall(text)):
        stream = STREAM_OF_RESOURCE.get(resource)
        if stream:
            where = f" in namespace {namespace}" if namespace else ""
            yield Missing(
                stream=stream,
                why=Why.DENIED,
                what=f"{resource}{where}",
                needs=f"the verb `{verb}` on `{resource}`{where}",
            )


def _waiting(text: str, origin: Origin) -> Iterator[Container]:
    """A container that has no log yet, and why."""
    for found in _WAITING.finditer(text):
        reason = found["reason"] if found["reason"].isalpha() else ""
        yield Container(
            source=origin.source,
            subject=subject_of("Pod", found["pod"], origin.subject.namespace, found["container"]),
            line=origin.line + text.count("\n", 0, found.start()),
            name=found["container"],
            state="waiting",
            reason=_REASONS.get(found["reason"], reason),
            message=found["reason"],
            ready=False,
        )


def divided(chunks: Sequence[Chunk]) -> Iterator[tuple[str, Sequence[Chunk]]]:
    """The streams of a text, each with its part of it.

    An error of an SDK that is followed, or preceded, by the log of the server is cut between the two.
    """
    whole = "\n".join(chunk.text for chunk in chunks)
    streams = streams_of(whole)
    cut = _boundary(chunks[0].text) if len(chunks) == 1 and set(streams) == _BOTH else None
    if cut is None:
        yield from ((stream, chunks) for stream in streams)
        return
    index, first, second = cut
    text, line = chunks[0].text, chunks[0].first_line
    offset = _offset(text, index)
    yield first, (Chunk(line, text[: offset - 1]),)
    yield second, (Chunk(line + index, text[offset:]),)


_BOTH = {"logs.container", "logs.deployment"}


def _boundary(text: str) -> tuple[int, str, str] | None:
    """Index of the line at which an SDK's error ends and a server's log begins, or the reverse; None when they mix."""
    marks = [(number, sign) for number, line in enumerate(text.split("\n")) if (sign := _sign(line))]
    changes = [n for n in range(1, len(marks)) if marks[n][1] != marks[n - 1][1]]
    if len(changes) != 1:
        return None
    before, after = marks[0][1], marks[-1][1]
    lines = text.split("\n")
    low, high = marks[changes[0] - 1][0] + 1, marks[changes[0]][0]
    blank = next((n for n in range(high - 1, low - 1, -1) if not lines[n].strip()), None)
    return (blank + 1 if blank is not None else low if after == "logs.container" else high), before, after


def _sign(line: str) -> str:
    found = signs(line) if line.strip() else frozenset()
    if "server" in found:
        return "logs.container"
    return "logs.deployment" if found & {"caller", "error"} else ""


def _offset(text: str, line: int) -> int:
    position = 0
    for _ in range(line):
        position = text.index("\n", position) + 1
    return position


def routed(stream: str, origin: Origin) -> str:
    """Logs of the inference router are told by the name of its pod only."""
    router = (origin.subject.workload or "").startswith(_ROUTER) or _ROUTER in origin.source
    return "logs.router" if stream == "logs.container" and router else stream


def _readable(chunks: Iterable[Chunk], stream: str, origin: Origin) -> Iterator[Log]:
    """Of error texts every line with escaped line ends; of logs those that hide a traceback."""
    for chunk in chunks:
        if "\\n" not in chunk.text:
            continue
        at = Origin(origin.source, origin.subject, origin.run, chunk.first_line, origin.now)
        if stream in ("logs.deployment", "logs.docker"):
            yield from unescaped_logs(chunk.text, stream, at)
        elif f"{_TRACE}:\\n" in chunk.text or f"{_TRACE}:\\\\n" in chunk.text:
            yield from unescaped_logs(chunk.text, stream, at, only=_TRACE)


def pretty_log(text: str, stream: str, origin: Origin) -> Log:
    """A one-line document as a person would print it."""
    return readable_log(text, stream, origin, "pretty-printed")


def _engine(text: str, origin: Origin) -> Engine:
    values = {name: found[1].strip() for name, pattern in _ENGINE.items() if (found := pattern.search(text))}
    memory, cpus, runtimes = _ENGINE_MEMORY.search(text), _ENGINE_CPUS.search(text), _ENGINE_RUNTIMES.search(text)
    return Engine(
        source=origin.source,
        subject=origin.subject,
        line=origin.line + text.count("\n", 0, text.index("Server Version: ")),
        version=values.get("version", ""),
        os_type=values.get("os_type", ""),
        architecture=values.get("architecture", ""),
        memory_mib=float(memory[1]) * (1024 if memory[2] == "GiB" else 1) if memory else None,
        cpus=int(cpus[1]) if cpus else None,
        gpu_runtime="nvidia" in runtimes[1] if runtimes else False,
    )
