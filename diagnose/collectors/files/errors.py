"""Error texts of SDKs, CLIs and Azure: what hides in their strings, made readable, and the events they quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from diagnose.collectors.files.names import Origin, subject_of
from diagnose.collectors.files.times import moment
from diagnose.model import Chunk, Item, Log
from diagnose.streams import Container, Event

_ESCAPE = re.compile(r"\\([\"\\/nrt'])")
_MEANING = {"n": "\n", "r": "", "t": "\t"}
_KEY = re.compile(r"\s*[\"']?\w+[\"']?: ?")
_DEPTH = 4
"""JSON in a string of JSON in a string: seen three deep."""
_UNESCAPED_LINES = 40
"""Lines of one text that are unescaped."""
_POD_EVENT = re.compile(
    r'\{"InvolvedObject":"(?P<name>[^"]*)","InvolvedKind":"(?P<kind>[^"]*)","Type":"(?P<type>[^"]*)",'
    r'"Reason":"(?P<reason>[^"]*)","Message":"(?P<message>(?s:.){0,4000}?)","LastTimestamp":(?:null|"(?P<time>[^"]*)")\}'
)
_GROUP_EVENT = re.compile(
    r'\{"count":(?P<count>\d+),"firstTimestamp":"[^"]*","lastTimestamp":"(?P<time>[^"]*)","name":"(?P<reason>[^"]*)",'
    r'"message":"(?P<message>(?s:.){0,4000}?)","type":"(?P<type>\w+)"\}'
)
_STATE = re.compile(r'"(?P<which>Current|Previous)State": ?(?P<state>\{[^{}]*\})')
_RESTARTS = re.compile(r'"RestartCount": ?(\d+)')
_INSTANCE = re.compile(r"container instance: ([\w-]+)")
_STATUS_EVENT = re.compile(
    r"^Kind: (?P<kind>\w+), Name: (?P<reason>[\w-]+), Type: (?P<type>\w+), Time: (?P<time>[^,]+), "
    r"Message: (?P<message>.*)$",
    re.M,
)


def unescape(text: str) -> str:
    """``text`` with escaped line ends, tabs and quotes as what they stand for, however deep."""
    for _ in range(_DEPTH):
        plain = _ESCAPE.sub(lambda found: _MEANING.get(found[1], found[1]), text)
        if plain == text:
            break
        text = plain
    return text


def unescaped_logs(text: str, stream: str, origin: Origin, only: str = "") -> Iterator[Log]:
    """A further text for each line with escaped line ends: they hide tracebacks and events from patterns for lines.

    Left out where ``text`` says the same in real lines elsewhere, as SDK errors do. ``only``: lines that hold this.
    """
    if "\\n" not in text:
        return
    lines = text.split("\n")
    known = {_said(line) for line in lines}
    escaped = [(number, line) for number, line in enumerate(lines, origin.line) if "\\n" in line and only in line]
    for number, line in escaped[:_UNESCAPED_LINES]:
        plain = unescape(line)
        if {_said(part) for part in plain.split("\n")} - known - {""}:
            yield readable_log(plain, stream, origin, f"line {number}, unescaped")


def _said(line: str) -> str:
    """What a line says, without the key and the marks that JSON puts around it."""
    return _KEY.sub("", line).strip(" \t\"'{}[],")


def readable_log(text: str, stream: str, origin: Origin, how: str) -> Log:
    """A text made from one that is hard to read. Its line numbers are its own: its source says ``how`` it was made."""
    source = f"{origin.source} ({how})"
    return Log(stream=stream, source=source, subject=origin.subject, run=origin.run, chunks=(Chunk(1, text),))


def pretty(document: object) -> str:
    """JSON as a person reads it: one field a line, strings unescaped. What is nested absurdly deep is left out."""
    try:
        return unescape(json.dumps(document, indent=2, ensure_ascii=False))
    except RecursionError:
        return ""


def quoted_facts(text: str, origin: Origin) -> list[Item]:
    """Events and container states that the message of a deployment error carries as JSON."""
    if '{"' not in text and '{\\"' not in text:
        return []
    plain = unescape(text)
    events = {
        (event.name, event.reason, event.message, event.time): event for event in _quoted_events(plain, text, origin)
    }
    return [*events.values(), *_quoted_container(plain, origin)]


def _quoted_events(plain: str, text: str, origin: Origin) -> Iterator[Event]:
    for found in (*_POD_EVENT.finditer(plain), *_GROUP_EVENT.finditer(plain)):
        parts = found.groupdict()
        kind, name = parts.get("kind") or "Container", parts.get("name") or ""
        yield Event(
            source=origin.source,
            subject=subject_of(kind, name, origin.subject.namespace) if name else origin.subject,
            line=_line_of(f'"{parts["reason"]}', text, origin),
            time=moment(parts["time"] or ""),
            type=parts["type"],
            reason=parts["reason"],
            message=parts["message"],
            kind=kind,
            name=name,
            count=int(parts.get("count") or 1),
        )


def _line_of(needle: str, text: str, origin: Origin) -> int:
    """Line of the first occurrence in the text as it was saved, escaped or not."""
    offset = max(text.find(needle), text.find(needle.replace('"', '\\"')), 0)
    return origin.line + text.count("\n", 0, offset)


def _quoted_container(plain: str, origin: Origin) -> Iterator[Container]:
    states: dict[str, dict[str, object]] = {}
    for found in _STATE.finditer(plain):
        try:
            states[found["which"]] = json.loads(found["state"])
        except ValueError:
            continue
    if "Current" not in states:
        return
    restarts, instance = _RESTARTS.search(plain), _INSTANCE.search(plain)
    yield container_of_states(
        instance[1] if instance else "container",
        states["Current"],
        states.get("Previous") or {},
        int(restarts[1]) if restarts else 0,
        origin,
    )


def container_of_states(
    name: str, current: dict[str, object], previous: dict[str, object], restarts: int, origin: Origin
) -> Container:
    """A container of Azure Container Instances, from its ``currentState`` and ``previousState``."""
    ended = current if current.get("state") == "Terminated" else previous
    state = str(current.get("state") or "unknown").lower()
    detail = str(current.get("detailStatus") or "")
    started, finished = moment(str(current.get("startTime") or "")), moment(str(ended.get("finishTime") or ""))
    exit_code = ended.get("exitCode")
    end_reason = str(ended.get("detailStatus") or "").partition(":")[0]
    running_s = (origin.now - started).total_seconds() if state == "running" and started and origin.now else None
    return Container(
        source=origin.source,
        subject=origin.subject,
        line=origin.line,
        time=finished or started,
        name=name,
        state=state,
        reason=detail.partition(":")[0],
        message=detail.partition(": ")[2],
        restarts=restarts,
        running_s=running_s,
        stable=state == "running" and (not restarts or (running_s or 0) >= 600),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        end_reason=end_reason,
        oom_killed=end_reason == "OOMKilled",
        ended_s=(origin.now - finished).total_seconds() if finished and origin.now else None,
    )


def status_events(text: str, origin: Origin) -> Iterator[Event]:
    """The ``Container events`` of a managed deployment's logs."""
    for found in _STATUS_EVENT.finditer(text):
        yield Event(
            source=origin.source,
            subject=origin.subject,
            line=origin.line + text.count("\n", 0, found.start()),
            time=moment(found["time"].strip()),
            type=found["type"],
            reason=found["reason"],
            message=found["message"].strip(),
            kind=found["kind"],
        )
