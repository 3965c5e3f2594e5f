"""Container logs in the wrappings of container engines, made plain: ``TIMESTAMP text``, one record a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from diagnose.model import Chunk

_CRI = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?P<zone>Z|[+-]\d\d:\d\d) (?:stdout|stderr) (?P<tag>[FP])(?::\S*)? ?"
)
_PLAIN_FILE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)(?:Z|\+00:00) (?:stdout|stderr) F ?", re.M)


def is_docker_file(text: str) -> bool:
    """The first line is a record of Docker's json-file driver."""
    line = text[: text.find("\n") if "\n" in text else len(text)].strip()
    return line.startswith('{"log":') and '"stream":' in line and _docker_record(line) is not None


def is_cri_file(text: str) -> bool:
    """The first line is a record of containerd or CRI-O."""
    return _CRI.match(text) is not None


def plain(text: str) -> tuple[Chunk, ...] | None:
    """The log without its wrapping, lines numbered as in the file; None when it has none."""
    if is_cri_file(text):
        return _chunks(_cri_lines(text)) if " P " in text else (Chunk(1, _PLAIN_FILE.sub(r"\1Z ", text)),)
    return _chunks(_docker_lines(text)) if is_docker_file(text) else None


def _docker_record(line: str) -> tuple[str, str] | None:
    """Time and text."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("log"), str):
        return None
    return str(record.get("time", "")), record["log"]


def _docker_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each record; the engine cuts a record longer than 16 KB into several."""
    first, when, pieces = 1, "", list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        record = _docker_record(line)
        if record is None:
            if line.strip():
                yield number, line
            continue
        first, when = (number, record[0]) if not pieces else (first, when)
        pieces.append(record[1])
        if record[1].endswith("\n"):
            yield first, f"{when} {''.join(pieces)[:-1]}".lstrip()
            pieces = []
    if pieces:
        yield first, f"{when} {''.join(pieces)}".lstrip()


def _cri_lines(text: str) -> Iterator[tuple[int, str]]:
    first, when, pieces = 1, "", list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        found = _CRI.match(line)
        if found is None:
            yield number, line
            continue
        first, when = (number, found["time"] + found["zone"].replace("+00:00", "Z")) if not pieces else (first, when)
        pieces.append(line[found.end() :])
        if found["tag"] == "F":
            yield first, f"{when} {''.join(pieces)}"
            pieces = []
    if pieces:
        yield first, f"{when} {''.join(pieces)}"


def _chunks(lines: Iterator[tuple[int, str]]) -> tuple[Chunk, ...]:
    """A chunk for each run of lines whose numbers follow one another."""
    chunks: list[tuple[int, list[str]]] = []
    for number, line in lines:
        flat = line.split("\n")
        if chunks and number == chunks[-1][0] + len(chunks[-1][1]):
            chunks[-1][1].extend(flat)
        else:
            chunks.append((number, flat))
    return tuple(Chunk(first, "\n".join(kept)) for first, kept in chunks)
