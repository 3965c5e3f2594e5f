"""Reads saved evidence: files, folders and standard input, whose kinds are told from what they say."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO

from diagnose.collectors import Limits
from diagnose.collectors.files.azure_objects import facts_of_answers
from diagnose.collectors.files.contents import Contents, contents_of
from diagnose.collectors.files.facts import Empty, Fact, not_supplied, sorted_items, sorted_logs
from diagnose.collectors.files.large import Sieve, contents_of_large
from diagnose.collectors.files.names import origin_of_file
from diagnose.collectors.files.objects import collection_of_objects
from diagnose.collectors.files.read import STDIN, Found, Reader, UnreadableError, find
from diagnose.errors import InputError
from diagnose.model import Collected, Collection, Item, Missing, Why
from diagnose.streams import Event

__all__ = ["Sieve", "collect_files"]

COLLECTOR = "files"


def collect_files(
    paths: Sequence[str], limits: Limits, stdin: BinaryIO | None = None, sieve: Sieve | None = None
) -> Collection:
    """Everything the files below ``paths`` tell; ``-`` is standard input.

    ``sieve`` is called for logs above 8 MB; without it their ends are kept. What could not be read is a Missing, and so
    is each stream of which nothing was saved. Raises InputError for a path that is not there, and when there is not one
    text that could be read.
    """
    began = time.monotonic()
    found, missing = find(paths)
    reader = Reader(limits, stdin)
    contents: list[Contents] = []
    for number, file in enumerate(found):
        if limits.stop.is_set() or time.monotonic() > limits.deadline:
            missing.append(_not_reached(found[number:]))
            break
        try:
            contents.append(_read(file, reader, sieve))
        except UnreadableError as error:
            missing.append(error.missing)
    collection = _collection(contents, missing)
    if not collection.items and not collection.logs:
        raise InputError(_nothing_read(paths, found, collection.missing))
    present = {*collection.items, *collection.logs}
    count = sum(map(len, (*collection.items.values(), *collection.logs.values())))
    return replace(
        collection,
        missing=(*collection.missing, *not_supplied(present)),
        collected=(Collected(COLLECTOR, count, reader.bytes_read, time.monotonic() - began),),
    )


def _read(file: Found, reader: Reader, sieve: Sieve | None) -> Contents:
    """The contents of one file. Raises UnreadableError."""
    text = reader.read(file)
    origin = replace(origin_of_file(str(file.path)), source=file.source)
    if not text.is_whole:
        return contents_of_large(text, origin, reader, sieve)
    whole = text.chunks[0].text
    if not whole.strip():
        raise UnreadableError(
            Missing(stream="logs.container", why=Why.FAILED, what=f"{_named(file.source)}, which is empty")
        )
    return contents_of(whole, origin)


def _collection(contents: Sequence[Contents], missing: Iterable[Missing]) -> Collection:
    """All facts, on one clock: a comment that says when it was saved, or the newest time found anywhere."""
    captured = [one.captured_at for one in contents if one.captured_at]
    times = [one.newest for one in contents] + [piece.newest for one in contents for piece in one.pieces]
    now = max(captured or [time for time in times if time], default=None)
    facts: list[Fact] = [fact for one in contents for piece in one.pieces for fact in piece.facts(now)]
    answers = [saved for one in contents for saved in one.answers]
    if answers:
        empty = {fact.stream for fact in facts if isinstance(fact, Empty)}
        logs = [log for one in contents for log in one.instance_logs]
        facts += facts_of_answers(answers, logs, empty, now)
    objects = [saved for one in contents for saved in one.objects]
    cluster = collection_of_objects(objects, now) if objects else Collection()
    items = sorted_items([*(item for found in cluster.items.values() for item in found), *facts])
    items = {**dict.fromkeys(cluster.items, ()), **items}
    return Collection(
        items={stream: tuple(_with_age(item, now) for item in found) for stream, found in items.items()},
        logs=sorted_logs(facts),
        missing=(*missing, *cluster.missing, *(fact for fact in facts if isinstance(fact, Missing))),
        now=now,
    )


def _with_age(item: Item, now: datetime | None) -> Item:
    """An event of which only the time is known gets its age."""
    if not isinstance(item, Event) or item.age_s is not None or item.time is None or now is None:
        return item
    return replace(item, age_s=max(0.0, (now - item.time).total_seconds()))


def _not_reached(files: Sequence[Found]) -> Missing:
    what = f"{len(files)} files, of which {files[0].source} is the first"
    return Missing(stream="logs.container", why=Why.TIMED_OUT, what=what, needs="a longer --timeout")


def _nothing_read(paths: Sequence[str], found: Sequence[Found], missing: Sequence[Missing]) -> str:
    """One line: what, where, and what to do."""
    where = ", ".join(map(_named, paths))
    if not missing:
        empty = "there is nothing in it that tells of a service" if found else "there are no files to read"
        return f"{where}: {empty}; name logs, events, `kubectl` output or error texts"
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    first = missing[0]
    needs = f"; {first.needs}" if first.needs else ""
    return f"nothing to read in {where}: {first.what}{more}{needs}"


def _named(path: str) -> str:
    return "standard input" if path == STDIN else path
