"""Collects what a Docker Engine knows of the containers of one service: states, logs, events, images."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec

from diagnose.collectors import Limits, docker_log
from diagnose.collectors.decoding import decoder
from diagnose.collectors.docker_answers import EngineEvent, Info, InspectedContainer, InspectedImage
from diagnose.collectors.docker_engine import WORKERS, Engine, EngineError
from diagnose.collectors.docker_items import (
    Death,
    container_item,
    container_name,
    deaths,
    engine_item,
    event_items,
    health_items,
    image_item,
    moment,
)
from diagnose.model import Collected, Collection, Item, Log, Missing, Subject, Target, Why

_ACTIONS = ("create", "start", "die", "oom", "kill", "stop", "health_status", "restart")
_STARTING = timedelta(milliseconds=200)
"""A process may write before the engine notes the time of its start; two runs are further apart than this."""
_HOUR = timedelta(hours=1)
_DRIVER = "start the container with a logging driver that can be read, such as `--log-driver json-file`"
_AGAIN = "run this again: it was removed while it was being read"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Answers:
    """Everything the engine was asked, with a reason in place of what it did not answer."""

    now: datetime
    info: Info | Missing
    containers: tuple[InspectedContainer | Missing, ...]
    events: tuple[EngineEvent, ...] | Missing
    images: Mapping[str, InspectedImage | Missing]
    """By id."""
    texts: Mapping[str, docker_log.Text]
    """By id of the container; one that never started has none."""

    @property
    def inspected(self) -> tuple[InspectedContainer, ...]:
        return tuple(one for one in self.containers if isinstance(one, InspectedContainer))


def collect(engine: Engine, target: Target, limits: Limits) -> Collection:
    """Everything about the containers whose ids are ``target.objects``. Never raises for what the engine does."""
    began = time.monotonic()
    service = Subject(place="docker", workload=target.service)
    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            answers = _ask(engine, target.objects, service, limits, pool)
    finally:
        engine.close()
    items, logs = _items(answers, service), _logs(answers, service, limits)
    count = sum(len(found) for found in (*items.values(), *logs.values()))
    size = sum(text.bytes_read for text in answers.texts.values())
    return Collection(
        items=items,
        logs=logs,
        missing=(*_unanswered(answers), *_unread(answers, service)),
        collected=(Collected("docker", count, size, time.monotonic() - began),),
        now=answers.now,
    )


def _ask(engine: Engine, ids: Sequence[str], service: Subject, limits: Limits, pool: ThreadPoolExecutor) -> _Answers:
    """Two rounds of calls side by side: the second needs what the first answered."""
    info_call = pool.submit(_tried, partial(engine.get, "/info", Info, limits), "engine", "docker info", service)
    containers = tuple(pool.map(partial(_inspect, engine, service, limits), ids))
    info = info_call.result()
    now = (moment(info.system_time) if isinstance(info, Info) else None) or datetime.now(UTC)

    found = [one for one in containers if isinstance(one, InspectedContainer)]
    names = {one.image: one.config.image for one in found}
    started = [one for one in found if moment(one.state.started_at)]
    events_call = pool.submit(_events, engine, service, limits, ids, _since(found, now), now)
    images_call = pool.map(partial(_inspect_image, engine, service, limits), names.items())
    texts_call = pool.map(partial(_read_log, engine, limits, now), started)
    return _Answers(
        now=now,
        info=info,
        containers=containers,
        events=events_call.result(),
        images=dict(zip(names, images_call, strict=True)),
        texts={one.id: text for one, text in zip(started, texts_call, strict=True)},
    )


def _tried(read: Callable[[], Result], stream: str, what: str, subject: Subject) -> Result | Missing:
    """What was read, or why it was not."""
    try:
        return read()
    except EngineError as error:
        return _missing(error, stream, what, subject)


def _missing(error: EngineError, stream: str, what: str, subject: Subject) -> Missing:
    said = f"{what}: {error}" if error.why is Why.FAILED else what
    gone = error.why is Why.NOT_FOUND and stream != "images"  # a container may outlive its image
    needs = error.needs or (_AGAIN if gone else "")
    return Missing(stream=stream, why=error.why, what=said, needs=needs, subject=subject)


def _inspect(engine: Engine, service: Subject, limits: Limits, identity: str) -> InspectedContainer | Missing:
    read = partial(engine.get, f"/containers/{identity}/json", InspectedContainer, limits)
    return _tried(read, "containers", f"container {identity[:12]}", service)


def _inspect_image(
    engine: Engine, service: Subject, limits: Limits, image: tuple[str, str]
) -> InspectedImage | Missing:
    identity, name = image
    return _tried(
        partial(engine.get, f"/images/{identity}/json", InspectedImage, limits), "images", f"image {name}", service
    )


def _since(found: Iterable[InspectedContainer], now: datetime) -> datetime:
    """When the first of them was created: what the engine remembers of it began there."""
    created = (moment(one.created) for one in found)
    return min((time for time in created if time), default=now - _HOUR)


def _events(
    engine: Engine, service: Subject, limits: Limits, ids: Sequence[str], since: datetime, until: datetime
) -> tuple[EngineEvent, ...] | Missing:
    """What the engine still remembers: no more than its last 256 events of all kinds."""
    filters = {"type": ["container"], "container": list(ids), "event": list(_ACTIONS)}
    query = {
        "since": f"{since.timestamp():.6f}",
        "until": f"{until.timestamp():.6f}",  # without it the engine goes on for ever
        "filters": json.dumps(filters),
    }

    def read() -> tuple[EngineEvent, ...]:
        body = engine.read("/events", limits, **query)
        try:
            return tuple(decoder(EngineEvent).decode_lines(body))
        except msgspec.MsgspecError as error:
            raise EngineError("the answer was not understood", why=Why.FAILED) from error

    return _tried(read, "events", "docker events", service)


def _read_log(engine: Engine, limits: Limits, now: datetime, container: InspectedContainer) -> docker_log.Text:
    since = _log_since(container, limits, now)
    return docker_log.read(engine, container.id, tty=container.config.tty, since=since, limits=limits)


def _log_since(container: InspectedContainer, limits: Limits, now: datetime) -> datetime | None:
    """From when on lines are asked for; None when that is all of them."""
    created = moment(container.created)
    since = now - timedelta(seconds=limits.since_s) if limits.since_s is not None else None
    return None if since and created and created >= since else since


def _subject(service: Subject, container: InspectedContainer) -> Subject:
    return replace(service, container=container_name(container))


def _items(answers: _Answers, service: Subject) -> dict[str, tuple[Item, ...]]:
    """By stream; one that was not answered at all is not there."""
    items: dict[str, tuple[Item, ...]] = {}
    now, inspected = answers.now, answers.inspected
    if isinstance(answers.info, Info):
        items["engine"] = (engine_item(answers.info, now),)
    if inspected:
        ends = _ends(answers)
        items["containers"] = tuple(
            container_item(one, _subject(service, one), now, next(reversed(ends.get(one.id, ())), None))
            for one in inspected
        )
    images = tuple(_image_items(answers, service))
    if images:
        items["images"] = images
    health = tuple(item for one in inspected for item in health_items(one.state.health, _subject(service, one), now))
    if not isinstance(answers.events, Missing):
        subjects = {one.id: _subject(service, one) for one in inspected}
        items["events"] = (*event_items(answers.events, subjects, now), *health)
    elif health:
        items["events"] = health
    return items


def _ends(answers: _Answers) -> Mapping[str, tuple[Death, ...]]:
    return {} if isinstance(answers.events, Missing) else deaths(answers.events)


def _image_items(answers: _Answers, service: Subject) -> Iterator[Item]:
    """Each image once; it is one container's fact when no other runs it."""
    for identity, image in answers.images.items():
        users = [one for one in answers.inspected if one.image == identity]
        if isinstance(image, InspectedImage):
            yield image_item(image, users[0].config.image, _subject(service, users[0]) if len(users) == 1 else service)


def _logs(answers: _Answers, service: Subject, limits: Limits) -> dict[str, tuple[Log, ...]]:
    """The logs, unless not one could be read; a container that never started has none, and that is an answer too."""
    ends = _ends(answers)
    readable = [one for one in answers.inspected if _readable(answers.texts.get(one.id))]
    if not readable:
        return {}
    logs = [
        log
        for one in readable
        if one.id in answers.texts
        for log in _runs(
            one, answers.texts[one.id], ends.get(one.id, ()), service, _log_since(one, limits, answers.now)
        )
    ]
    return {"logs.container": tuple(logs)}


def _readable(text: docker_log.Text | None) -> bool:
    return text is None or text.failure is None or bool(text.content)


def _runs(
    container: InspectedContainer,
    text: docker_log.Text,
    ends: Sequence[Death],
    service: Subject,
    since: datetime | None,
) -> Iterator[Log]:
    """The one log the engine keeps over all runs of a container: what came before the present run, and what since."""
    name = container_name(container)
    source, cut = f"docker logs --timestamps {name}", text.cut
    if since:
        source = f"docker logs --timestamps --since {since:%Y-%m-%dT%H:%M:%SZ} {name}"
        cut = "; ".join(part for part in (f"lines before {since:%Y-%m-%d %H:%M:%S} were not asked for", cut) if part)
    current = Log(stream="logs.container", source=source, subject=_subject(service, container), cut=cut)
    before, after = docker_log.runs(text, _run_began(container, ends))
    if before:
        yield replace(current, run="previous", chunks=before)
        current = replace(current, cut="")
    yield replace(current, chunks=after)


def _run_began(container: InspectedContainer, ends: Sequence[Death]) -> datetime:
    """A moment between the end of the run before and the first line of the present one."""
    started = moment(container.state.started_at) or datetime.min.replace(tzinfo=UTC)
    return max((death.time for death in ends if death.time < started), default=started - _STARTING)


def _unanswered(answers: _Answers) -> Iterator[Missing]:
    for answer in (answers.info, *answers.containers, answers.events, *answers.images.values()):
        if isinstance(answer, Missing):
            yield answer
    for lost in answers.containers:
        if isinstance(lost, Missing):
            yield replace(lost, stream="logs.container", what=f"log of {lost.what}")


def _unread(answers: _Answers, service: Subject) -> Iterator[Missing]:
    """Logs that were not read, or not to their end."""
    for one in answers.inspected:
        text = answers.texts.get(one.id)
        if text is None or text.failure is None:
            continue
        what = f"log of container {container_name(one)}"
        missing = _missing(text.failure, "logs.container", what, _subject(service, one))
        if missing.why is Why.NOT_SUPPORTED:
            missing = replace(missing, needs=_DRIVER)
        if text.content:
            missing = replace(missing, why=Why.TRUNCATED, what=f"end of the {what}")
        yield missing
