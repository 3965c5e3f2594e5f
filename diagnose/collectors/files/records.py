"""Container logs in the wrappings of container engines, made plain: ``TIMESTAMP text``, one record a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diagnose.model import Chunk

_CRI = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) [FP](?::\S*)? ?")
_DOCKER = re.compile(r'\{"log": ?".*"stream": ?"(?:stdout|stderr)".*\}[ \r]*(?:\n|$)')
_TAGS = {f"{stream} {tag}": tag for stream in ("stdout", "stderr") for tag in "FP"}
_TAG_LENGTH = 8


def is_docker_file(text: str) -> bool:
    """The first line is a record of Docker's json-file driver."""
    return _DOCKER.match(text) is not None


def is_cri_file(text: str) -> bool:
    """The first line is a record of containerd or CRI-O."""
    return _CRI.match(text) is not None


def plain(text: str) -> tuple[Chunk, ...] | None:
    """The log without its wrapping, lines numbered as in the file; None when it has none."""
    if is_cri_file(text):
        return _chunks(_cri_lines(text))
    return _chunks(_docker_lines(text)) if is_docker_file(text) else None


def _docker_lines(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each record; the engine cuts a record longer than 16 KB into several."""
    import msgspec

    record_of = msgspec.json.Decoder(dict[str, object]).decode
    first, when, pieces = 1, "", list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            record = record_of(line) if line else {}
        except msgspec.MsgspecError:
            record = {}
        said = record.get("log")
        if not isinstance(said, str):
            if line.strip():
                yield number, line
            continue
        if not pieces:
            first, when = number, str(record.get("time", ""))
        if not said.endswith("\n"):
            pieces.append(said)
            continue
        yield first, f"{when} {''.join(pieces)}{said[:-1]}"
        pieces = []
    if pieces:
        yield first, f"{when} {''.join(pieces)}"


def _cri_lines(text: str) -> Iterator[tuple[int, str]]:
    """The same; a record that is only a part of a line has the tag ``P``."""
    first, when, pieces = 1, "", list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        time, _, rest = line.partition(" ")
        tag = _TAGS.get(rest[:_TAG_LENGTH])
        if tag is None:
            yield number, line
            continue
        if not pieces:
            first, when = number, time.replace("+00:00", "Z")
        said = rest[_TAG_LENGTH + 1 :]
        if tag == "P":
            pieces.append(said)
            continue
        yield first, f"{when} {''.join(pieces)}{said}"
        pieces = []
    if pieces:
        yield first, f"{when} {''.join(pieces)}"


def _chunks(lines: Iterable[tuple[int, str]]) -> tuple[Chunk, ...]:
    """A chunk for each run of lines whose numbers follow one another."""
    runs: list[tuple[int, list[str]]] = []
    expected = 0
    for number, line in lines:
        if number != expected:
            runs.append((number, []))
        runs[-1][1].append(line)
        expected = number + 1 + line.count("\n")
    return tuple(Chunk(first, "\n".join(kept)) for first, kept in runs)
