"""Error texts within saved answers of Azure, readable, and the events and states they quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from diagnose.collectors.azure.answers import text, within
from diagnose.collectors.azure.web_services import subject_of
from diagnose.collectors.files.azure_answers import Answer, Answers, SavedAnswer
from diagnose.collectors.files.errors import pretty, readable_log, unescape
from diagnose.collectors.files.facts import Fact
from diagnose.collectors.files.kinds import streams_of
from diagnose.collectors.files.logs import quoted
from diagnose.collectors.files.names import Origin
from diagnose.model import Subject
from diagnose.streams import Container, Event

_ERRORS = frozenset(
    (
        *("error", "errors", "creationerror", "provisioningerror", "provisioningerrors", "statusmessage"),
        *("runerrormessage", "notebookpreparationerror"),
    )
)
"""Fields that hold an error, in small letters."""
_DEEPEST = 12
_WHOLE = (Answer.IMAGE, Answer.RUN, Answer.SERVICE_OPERATION, Answer.ONLINE_OPERATION)
"""Told whole when they failed: their states and addresses belong to the error, and they hold no keys or names."""
_STATES = ("state", "status", "creationState")
_QUIET = (Answer.KEYS, Answer.BUILD_LOG_LINK, Answer.METRICS, Answer.PROBLEMS)
"""What holds no error, or is told of in another way."""


def error_facts(answers: Answers) -> Iterator[Fact]:
    """The errors of all answers as logs of ``logs.deployment``, and the facts they quote.

    Of most answers nothing else becomes a text: they may hold keys, or names of people.
    """
    groups = {text(one.body.get("name")).lower() for one in answers.of(Answer.GROUP)}
    for answer in answers.saved:
        origin = Origin(answer.source, _subject(answer), now=answers.now)
        errors = [] if answer.kind in _QUIET else list(dict.fromkeys(_errors_in(answer.document, 0)))
        if answer.kind is Answer.GROUP_OPERATION or (answer.kind in _WHOLE and (errors or _failed(answer))):
            yield from _told(pretty(answer.document), origin, "pretty-printed", over=False)
            continue
        for said in errors:
            yield from _told(said, origin, "its error", over=_is_over(answer, groups))


def _failed(answer: SavedAnswer) -> bool:
    return "Failed" in [answer.document.get(name) for name in _STATES]


def _errors_in(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    for inner in value if isinstance(value, list) else ():
        yield from _errors_in(inner, depth + 1)
    for key, inner in value.items() if isinstance(value, Mapping) else ():
        if str(key).replace("_", "").lower() in _ERRORS and inner:
            yield unescape(inner) if isinstance(inner, str) else pretty(inner)
        else:
            yield from _errors_in(inner, depth + 1)


def _told(said: str, origin: Origin, how: str, *, over: bool) -> Iterator[Fact]:
    """A text that holds the output of a build belongs to that stream, too."""
    log = readable_log(said, "logs.deployment", origin, how)
    yield log
    if "logs.build" in streams_of(said):
        yield replace(log, stream="logs.build")
    for fact in quoted(said, Origin(log.source, origin.subject, now=origin.now)):
        if not (over and isinstance(fact, Container | Event)):
            yield fact


def _is_over(answer: SavedAnswer, groups: set[str]) -> bool:
    """What a service quotes was true when it failed: it may be well again, or its group tells what is."""
    if answer.kind is not Answer.SERVICE:
        return False
    return answer.body.get("state") == "Healthy" or text(answer.body.get("name")).lower() in groups


def _subject(answer: SavedAnswer) -> Subject:
    name = text(answer.body.get("name"))
    match answer.kind:
        case Answer.SERVICE:
            return subject_of(answer.body)
        case Answer.DEPLOYMENT:
            return Subject("endpoint", workload=name)
        case Answer.ENDPOINT | Answer.ONLINE_OPERATION:
            return Subject("endpoint")
        case Answer.GROUP | Answer.GROUP_OPERATION:
            return Subject("aci", workload=within(answer.body.get("id"), "containerGroups") or name or None)
    return Subject("azure")
