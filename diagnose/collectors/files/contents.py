"""What one text holds, cut into pieces of known kind: the page on which all kinds of saved evidence meet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from diagnose.collectors.files import documents
from diagnose.collectors.files.azure_answers import SavedAnswer, SavedLog
from diagnose.collectors.files.azure_objects import newest_in_answers, saved_answers, stream_of_empty_list
from diagnose.collectors.files.documents import Document, document_of
from diagnose.collectors.files.errors import pretty, unescaped_logs
from diagnose.collectors.files.events import bare_events
from diagnose.collectors.files.facts import Empty, Fact, Piece
from diagnose.collectors.files.http import answer, is_chatter
from diagnose.collectors.files.kinds import is_source_code, signs, streams_of
from diagnose.collectors.files.logs import STREAM_OF_RESOURCE, facts_of_text, pretty_log, quoted
from diagnose.collectors.files.names import Origin, namespace_in, origin_of_command, subject_of
from diagnose.collectors.files.objects import Saved, fact_of_engine, facts_of_inspection
from diagnose.collectors.files.records import plain
from diagnose.collectors.files.split import Kind, Part, split
from diagnose.collectors.files.tables import facts_of_table, stream_of_table
from diagnose.collectors.files.times import captured_at, newest_anywhere, newest_in_objects, newest_in_text
from diagnose.model import Chunk, Log, Missing, Subject, Why

_RESOURCE = re.compile(r"\b(?:get|describe)\s+(?:-\S+\s+)*(?P<name>[a-z]+)")
_MARK = re.compile(r"==== START logs for container (?P<container>\S+) of pod (?:(?P<namespace>\S+)/)?(?P<pod>\S+) ====")
_INSTANCE = "Instance status:"


@dataclass(slots=True)
class Contents:
    """What a text holds."""

    pieces: list[Piece] = field(default_factory=list)
    objects: list[Saved] = field(default_factory=list)
    """Kubernetes objects: understood together with those of all other files."""
    answers: list[SavedAnswer] = field(default_factory=list)
    """Answers of Azure: likewise."""
    instance_logs: list[SavedLog] = field(default_factory=list)
    """Logs that tell of a deployment of an online endpoint: likewise."""
    captured_at: datetime | None = None
    newest: datetime | None = None
    """The newest time among the documents."""


def contents_of(text: str, origin: Origin) -> Contents:
    """The contents of a whole text."""
    contents = Contents(captured_at=captured_at(text))
    if records := plain(text):
        contents.pieces.append(Piece(origin, partial(facts_of_text, records), newest_in_text(records[-1].text)))
        return contents
    parsed = documents.parsed_json(text)
    if parsed is not None:
        _take_documents(contents, parsed, text, origin)
        return contents
    if is_source_code(text):
        contents.pieces.append(Piece(origin, _source_code))
        return contents
    if text.lstrip().startswith(_INSTANCE):
        contents.instance_logs.append(SavedLog(text, origin.source))
    _Cutter(contents, origin).take(split(text))
    return contents


def _take_documents(contents: Contents, parsed: Sequence[object], text: str, origin: Origin) -> None:
    """``text`` is what the documents were read from."""
    newest = newest_in_objects(text)
    contents.newest = max((one for one in (contents.newest, newest) if one), default=None)
    for document in map(documents.listed, parsed):
        _take_document(contents, document, text, origin, alone=len(parsed) == 1)


def _take_document(contents: Contents, document: object, text: str, origin: Origin, *, alone: bool) -> None:
    kind = document_of(document)
    if kind is Document.KUBERNETES:
        values = document if isinstance(document, list) else [document]
        contents.objects += [Saved(value, origin.source) for value in values if isinstance(value, dict)]
    elif kind is Document.AZURE:
        contents.answers += saved_answers(document, origin.source)
        newest = newest_in_answers(document)
        contents.newest = max((one for one in (contents.newest, newest) if one), default=None)
    elif document == []:
        contents.pieces.append(Piece(origin, _empty_list))
    elif kind is Document.TEXT:
        _take_text(contents, documents.text_in(document), origin, "unescaped")
    elif kind is Document.NOTEBOOK:
        _take_text(contents, documents.printed_by_notebook(document), origin, "output of its cells")
    elif kind is Document.OTHER:
        contents.pieces.append(Piece(origin, partial(_error_document, document, text, alone)))
    else:
        contents.pieces.append(Piece(origin, partial(_DOCUMENTS[kind], document, text)))


def _take_text(contents: Contents, text: str, origin: Origin, how: str) -> None:
    """A text that was wrapped into a document; its line numbers are its own."""
    if not text.strip():
        contents.pieces.append(Piece(origin, _blank))
        return
    inner = contents_of(text, replace(origin, source=f"{origin.source} ({how})"))
    contents.pieces += inner.pieces
    contents.objects += inner.objects
    contents.answers += inner.answers
    contents.instance_logs += inner.instance_logs
    contents.newest = max((one for one in (contents.newest, inner.newest) if one), default=None)


def _error_document(document: object, text: str, alone: bool, origin: Origin) -> Iterator[Fact]:
    """Any other JSON: the body of an error, the status of a deployment. As it is, and readable where it is not."""
    readable = pretty(document)
    found = streams_of(text if alone else readable)
    stream = "logs.deployment" if len(found) > 1 else found[0]
    if alone:
        yield Log(
            stream=stream, source=origin.source, subject=origin.subject, chunks=(Chunk(origin.line, text.rstrip("\n")),)
        )
    if not alone or "\n" not in text.strip():
        yield pretty_log(readable, stream, origin)
    else:
        yield from unescaped_logs(text, stream, origin)
    yield from quoted(text if alone else readable, origin)


def _objects_of(document: object) -> list[dict[str, object]]:
    values = document if isinstance(document, list) else [document]
    return [value for value in values if isinstance(value, dict)]


def _inspected(document: object, text: str, origin: Origin) -> Iterator[Fact]:
    now = origin.now or newest_in_objects(text) or datetime.now(UTC)
    for value in _objects_of(document):
        yield from facts_of_inspection(value, now, origin)


def _engine(document: object, _text: str, origin: Origin) -> Iterator[Fact]:
    for value in _objects_of(document):
        yield from fact_of_engine(value, origin)


_DOCUMENTS: dict[Document, Callable[[object, str, Origin], Iterator[Fact]]] = {
    Document.INSPECTED: _inspected,
    Document.ENGINE: _engine,
}


def _blank(origin: Origin) -> Iterator[Fact]:
    what = f"{origin.source}, which wraps an empty text"
    yield Missing(stream="logs.container", why=Why.FAILED, what=what, needs="save it again once something was logged")


def _empty_list(origin: Origin) -> Iterator[Fact]:
    stream = stream_of_empty_list(origin.source)
    if stream:
        yield Empty(stream)
        return
    what, needs = f"{origin.source}, an empty list", "name the file after what it lists: role-assignments.json"
    yield Missing(stream="logs.deployment", why=Why.NOT_SUPPORTED, what=what, needs=needs)


def _source_code(origin: Origin) -> Iterator[Fact]:
    yield Missing(
        stream="logs.deployment",
        why=Why.NOT_SUPPORTED,
        what=f"{origin.source}, which is source code and not what a run printed",
        needs="`diagnose check FOLDER` reads source code",
    )


class _Cutter:
    """Turns the parts of a text into pieces; a command line among them tells whose the next part is."""

    def __init__(self, contents: Contents, origin: Origin) -> None:
        self._contents = contents
        self._origin = origin
        self._text_origin = origin
        self._command = ""
        self._texts: dict[Origin, list[Chunk]] = {}

    def take(self, parts: Sequence[Part]) -> None:
        with_answers = any(part.kind is Kind.ANSWER for part in parts)
        for part in parts:
            match part.kind:
                case Kind.COMMAND:
                    self._command = part.text
                    self._text_origin = origin_of_command(part.text, self._origin)
                case Kind.CONTAINER_MARK:
                    self._text_origin = self._marked(part.text)
                case Kind.TEXT if with_answers and is_chatter(part.text.split("\n")):
                    pass
                case Kind.TEXT:
                    self._texts.setdefault(self._text_origin, []).append(_chunk(part))
                case Kind.OBJECT | Kind.YAML:
                    self._take_objects(part)
                case Kind.NOTHING:
                    self._take_nothing()
                case _:
                    self._add(part, partial(_FACTS[part.kind], part.lines))
        for origin, chunks in self._texts.items():
            newest = max((time for chunk in chunks if (time := newest_in_text(chunk.text))), default=None)
            self._contents.pieces.append(Piece(origin, partial(facts_of_text, chunks), newest))

    def _add(self, part: Part, draw: Callable[[Origin], Iterable[Fact]]) -> None:
        newest = newest_anywhere(part.text) if part.kind is Kind.DESCRIPTION else None
        subject = self._origin.subject
        if namespace := namespace_in(self._command):
            subject = Subject(subject.place, namespace)
        self._contents.pieces.append(Piece(replace(self._origin, line=part.line, subject=subject), draw, newest))

    def _marked(self, mark: str) -> Origin:
        found = _MARK.fullmatch(mark)
        if found is None:
            return self._origin
        subject = subject_of("Pod", found["pod"], found["namespace"], found["container"])
        return replace(self._origin, subject=subject)

    def _take_objects(self, part: Part) -> None:
        parse = documents.parsed_json if part.kind is Kind.OBJECT else documents.parsed_yaml
        parsed = parse(part.text)
        if parsed is None:
            self._add(part, _broken)
        else:
            _take_documents(self._contents, parsed, part.text, replace(self._origin, line=part.line))

    def _take_nothing(self) -> None:
        found = _RESOURCE.search(self._command)
        if found and found["name"] in STREAM_OF_RESOURCE:
            empty = Empty(STREAM_OF_RESOURCE[found["name"]])
            self._contents.pieces.append(Piece(self._origin, lambda _origin: (empty,)))


def _chunk(part: Part) -> Chunk:
    """Empty lines at the end are no evidence, and would move nothing."""
    return Chunk(part.line, part.text.rstrip("\n"))


def _broken(origin: Origin) -> Iterator[Fact]:
    yield Missing(
        stream="pods",
        why=Why.FAILED,
        what=f"the Kubernetes object that begins in {origin.source} at line {origin.line}: it is cut off or damaged",
        needs="save it again: `kubectl get ... -o json > FILE`",
    )


def _table(lines: Sequence[str], origin: Origin) -> Iterator[Fact]:
    if lines[0].strip() == "Events:":
        lines, origin = lines[1:], replace(origin, line=origin.line + 1)
    stream = stream_of_table(lines[0])
    if stream:
        yield Empty(stream)
    yield from facts_of_table(lines, origin)


def _quota(lines: Sequence[str], origin: Origin) -> Iterable[Fact]:
    from diagnose.collectors.files.describe import facts_of_quota

    return facts_of_quota(lines, origin)


def _description(lines: Sequence[str], origin: Origin) -> Iterator[Fact]:
    from diagnose.collectors.files.describe import facts_of_description

    facts, known = facts_of_description(lines, origin)
    yield from map(Empty, sorted(known))
    yield from facts


def _answer(lines: Sequence[str], origin: Origin) -> Iterator[Fact]:
    """An answer of the service; one of Azure's management is an error text, one with an error of Azure is both."""
    found = answer(lines, origin)
    if found is None:
        return
    response, of_management = found
    if not of_management:
        yield response
    text = "\n".join(lines)
    if of_management or signs(response.body) & {"caller", "error"}:
        stream = "logs.deployment"
        yield Log(stream=stream, source=origin.source, subject=origin.subject, chunks=(Chunk(origin.line, text),))
        yield from unescaped_logs(text, stream, origin)
        yield from quoted(text, origin)


_FACTS: dict[Kind, Callable[[Sequence[str], Origin], Iterable[Fact]]] = {
    Kind.TABLE: _table,
    Kind.DESCRIPTION: _description,
    Kind.QUOTA: _quota,
    Kind.EVENTS: bare_events,
    Kind.ANSWER: _answer,
}
