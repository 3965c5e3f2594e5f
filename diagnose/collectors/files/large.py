"""Texts too large to hold: told by their ends, sifted if they are logs, and read to the end if they are documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from diagnose.collectors.files.contents import Contents, contents_of
from diagnose.collectors.files.facts import Fact, Piece
from diagnose.collectors.files.kinds import streams_of
from diagnose.collectors.files.logs import quoted, routed
from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.read import Reader, Text, UnreadableError, failed
from diagnose.collectors.files.records import plain
from diagnose.collectors.files.split import Kind, split
from diagnose.collectors.files.times import newest_in_log
from diagnose.model import Chunk, Log


class Sieve(Protocol):
    """Keeps of a log that is too large to hold the pieces that matter."""

    def __call__(self, path: Path, stream: str) -> Log:
        """The log at ``path``, which is UTF-8, as a log of ``stream``. Raises OSError when it cannot be read."""
        ...


def contents_of_large(text: Text, origin: Origin, reader: Reader, sieve: Sieve | None) -> Contents:
    """The contents of a text of which only the ends were read. Raises UnreadableError for a document beyond bounds."""
    if _is_document(text.chunks[0].text):
        return contents_of(reader.whole(text).chunks[0].text, origin)
    streams = streams_of(text.sample)
    if text.path is None or sieve is None:
        kept = reader.ends(text)
        log = Log(stream=streams[0], source=origin.source, chunks=kept.chunks, cut=kept.cut)
    else:
        log = _sifted(sieve, text.path, streams[0], text.source)
    chunks = _plain(text, log)
    logs = [
        replace(
            log,
            stream=routed(stream, origin),
            source=origin.source,
            subject=origin.subject,
            run=origin.run,
            chunks=chunks,
        )
        for stream in streams
    ]
    newest = newest_in_log(chunks[-1].text) if chunks else None
    return Contents(pieces=[Piece(origin, partial(_facts, logs, text), newest)])


def _sifted(sieve: Sieve, path: Path, stream: str, source: str) -> Log:
    try:
        return sieve(path, stream)
    except OSError as error:
        raise UnreadableError(failed(source, error)) from error


def _facts(logs: list[Log], text: Text, origin: Origin) -> Iterator[Fact]:
    yield from logs
    yield from quoted(text.chunks[0].text, origin)


def _is_document(head: str) -> bool:
    """It begins as tables, descriptions and objects do: logs of megabytes do not."""
    start = head.lstrip()
    if start.startswith(("{", "[")):
        return '"apiVersion"' in start[:4096] and '"kind"' in start
    parts = split("\n".join(head.split("\n")[:80]))
    return bool(parts) and parts[0].kind in (Kind.TABLE, Kind.DESCRIPTION, Kind.YAML)


def _plain(text: Text, log: Log) -> tuple[Chunk, ...]:
    """The pieces without the wrapping of a container engine, where the log has one."""
    if plain(text.chunks[0].text) is None:
        return log.chunks
    pieces = ((chunk, plain(chunk.text)) for chunk in log.chunks)
    return tuple(
        Chunk(chunk.first_line + inner.first_line - 1, inner.text)
        for chunk, found in pieces
        for inner in found or (chunk,)
    )
