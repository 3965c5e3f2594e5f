"""Files, folders and standard input as texts: what is there, what can be read, and how it is encoded."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from diagnose.collectors import Limits
from diagnose.collectors.files.kinds import SAMPLE_HEAD, SAMPLE_TAIL, without_colours
from diagnose.errors import InputError
from diagnose.model import Chunk, Missing, Why

STDIN = "-"
WHOLE = 8 * 1024 * 1024
"""Bytes up to which a text is held whole."""
_ALTOGETHER = 256 * 1024 * 1024
"""Bytes of whole texts that are held at a time; further files are read like large ones."""
_DOCUMENT = 512 * 1024 * 1024
"""Bytes up to which a file of Kubernetes objects is read: a document cannot be understood in part."""
MOST_FILES = 2000
_MOST_DEPTH = 32
_BLOCK = 1024 * 1024
_IGNORED = ("__pycache__", "node_modules")
_MAGIC = (
    *((b"\x1f\x8b", "a gzip archive"), (b"PK\x03\x04", "a zip archive"), (b"BZh", "a bzip2 archive")),
    *((b"\xfd7zXZ", "an xz archive"), (b"7z\xbc\xaf", "a 7-zip archive"), (b"\x28\xb5\x2f\xfd", "a zstd archive")),
    *((b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"), (b"%PDF", "a PDF")),
)
_ARCHIVE = "unpack it and name the folder; a bundle of `diagnose collect` is read when it is named alone"
_BYTE_ORDER_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))
_PROBED = 8 * 1024
_HARMLESS = "logs.deployment"
"""The stream that lacks something where no log can be lost: of a picture, a link, a device."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read."""

    path: Path
    source: str
    """The path as the user gave it; below the only folder given, the path in it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was read: whole, or its beginning and its end."""

    source: str
    chunks: tuple[Chunk, ...]
    size: int
    path: Path | None = None
    """The file, where not all of it was read and a sieve can read the rest."""
    cut: str = ""

    @property
    def is_whole(self) -> bool:
        """Nothing of it was left out."""
        return self.path is None and not self.cut

    @property
    def sample(self) -> str:
        """What tells the kind."""
        return "\n".join(chunk.text for chunk in self.chunks)


class UnreadableError(Exception):
    """A file that cannot be read as text; ``missing`` says why and what to do."""

    def __init__(self, missing: Missing) -> None:
        self.missing = missing
        super().__init__(missing.what)


def find(paths: Sequence[str]) -> tuple[list[Found], list[Missing]]:
    """The files below ``paths``, in the order of their names, and what was passed over.

    Raises InputError for a path that is not there.
    """
    found: list[Found] = []
    missing: list[Missing] = []
    given = list(dict.fromkeys(paths))
    for name in given:
        path = Path(name)
        if name == STDIN or not _is_folder(name):
            found.append(Found(path, name))
            continue
        below, passed_over = _walk(path)
        found += below if len(given) == 1 else [Found(one.path, str(one.path)) for one in below]
        missing += passed_over
    if len(found) > MOST_FILES:
        what = f"all files but the first {MOST_FILES:,}"
        missing.append(_missing(what, Why.TRUNCATED, "name the folders or files that matter"))
    return found[:MOST_FILES], missing


def _is_folder(name: str) -> bool:
    """Raises InputError for a path that is not there, or that cannot be looked at."""
    try:
        return stat.S_ISDIR(os.stat(name).st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{name}: there is no such file or folder; check the path") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({error}); make it readable, or name another path") from error


def _walk(top: Path) -> tuple[list[Found], list[Missing]]:
    """Files below a folder; hidden ones are left out, links are followed once."""
    found: list[Found] = []
    missing: list[Missing] = []
    seen = {os.path.realpath(top)}
    folders: deque[tuple[Path, int]] = deque([(top, 0)])
    while folders and len(found) <= MOST_FILES:
        folder, depth = folders.popleft()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            missing.append(failed(str(folder), error))
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or entry.name in _IGNORED:
                continue
            if not os.path.isdir(path):
                found.append(Found(path, str(path.relative_to(top))))
            elif (real := os.path.realpath(path)) in seen or depth >= _MOST_DEPTH:
                what = f"{path}, a link to a folder that is read already"
                missing.append(_missing(what, Why.NOT_SUPPORTED, "", stream=_HARMLESS))
            else:
                seen.add(real)
                folders.append((path, depth + 1))
    return found, missing


class Reader:
    """Reads files one after another within a budget of memory."""

    def __init__(self, limits: Limits, stdin: BinaryIO | None) -> None:
        self._limits = limits
        self._stdin = stdin
        self._left = _ALTOGETHER
        self.bytes_read = 0

    def read(self, found: Found) -> Text:
        """The text of a file. Raises UnreadableError for what is no text or cannot be read."""
        if found.source == STDIN:
            text = self._read_stdin()
        else:
            try:
                text = self._read_file(found)
            except OSError as error:
                raise UnreadableError(failed(found.source, error)) from error
        self.bytes_read += text.size
        self._left -= min(text.size, WHOLE)
        return text

    def _read_file(self, found: Found) -> Text:
        mode = found.path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = f"{found.source}, which is no regular file"
            raise UnreadableError(_missing(what, Why.NOT_SUPPORTED, "save what it gives into a file", stream=_HARMLESS))
        with found.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(_PROBED)
            check(head, found.source)
            if size <= min(WHOLE, self._left) or (_is_wide(head) and size <= _DOCUMENT):
                data = head + file.read()
                return Text(found.source, (Chunk(1, decoded(data)),), len(data))
            head += file.read(SAMPLE_HEAD - len(head))
            file.seek(max(len(head), size - SAMPLE_TAIL))
            return Text(found.source, _ends(head, file.read(), 1), size, found.path)

    def whole(self, text: Text) -> Text:
        """The same, read to the end. Raises UnreadableError for what is too large even for a document."""
        if text.path is None or text.size > _DOCUMENT:
            what = f"{text.source}, which has {text.size / 1e6:,.0f} MB"
            raise UnreadableError(_missing(what, Why.TRUNCATED, "save it in several files", stream="pods"))
        try:
            data = text.path.read_bytes()
        except OSError as error:
            raise UnreadableError(failed(text.source, error)) from error
        return Text(text.source, (Chunk(1, decoded(data)),), text.size)

    def ends(self, text: Text) -> Text:
        """The beginning, and as much of the end as is kept of a log: for logs that nobody sifts."""
        if text.path is None:
            return text
        with text.path.open("rb") as file:
            head = file.read(SAMPLE_HEAD)
            start = max(len(head), text.size - self._limits.log_bytes)
            newlines = 0
            while (left := start - file.tell()) > 0 and (block := file.read(min(_BLOCK, left))):
                newlines += block.count(b"\n")
            return Text(text.source, _ends(head, file.read(), newlines), text.size, cut=_cut(text.source, text.size))

    def _read_stdin(self) -> Text:
        if self._stdin is None:
            raise InputError("standard input: there is none; name a file or a folder")
        data = self._stdin.read(WHOLE + 1)
        check(data[:_PROBED], "standard input")
        if len(data) <= WHOLE:
            return Text(STDIN, (Chunk(1, decoded(data)),), len(data))
        head, tail, newlines, size = data[:SAMPLE_HEAD], data[SAMPLE_HEAD:], 0, len(data)
        while block := self._stdin.read(_BLOCK):
            size += len(block)
            tail += block
            surplus = max(0, len(tail) - self._limits.log_bytes)
            newlines += tail.count(b"\n", 0, surplus)
            tail = tail[surplus:]
        return Text(STDIN, _ends(head, tail, newlines), size, cut=_cut("standard input", size))


def check(head: bytes, source: str) -> None:
    """Raises UnreadableError when a file that begins with ``head`` is no text."""
    for magic, what in _MAGIC:
        if head.startswith(magic):
            needs = _ARCHIVE if what.endswith("archive") else "save the text itself"
            stream = "logs.container" if what.endswith("archive") else _HARMLESS
            raise UnreadableError(_missing(f"{source}, which is {what}", Why.NOT_SUPPORTED, needs, stream=stream))
    if _is_wide(head):
        return
    if b"\0" in head or len(head.translate(None, delete=_CONTROL)) < 0.9 * len(head):
        raise UnreadableError(_missing(f"{source}, which is no text", Why.NOT_SUPPORTED, "name files that hold text"))


def _is_wide(head: bytes) -> bool:
    """UTF-16 or UTF-32: its lines cannot be told by bytes, so it is read whole whatever its size."""
    return head.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS))


def decoded(data: bytes) -> str:
    """Text from bytes: UTF-8, or UTF-16 as PowerShell's ``>`` writes it; line ends as ``\\n``, without colour codes."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8-sig")
    text = data.decode(encoding, "replace")
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    return without_colours(text)


def _ends(head: bytes, tail: bytes, newlines_between: int) -> tuple[Chunk, ...]:
    """Whole lines of the beginning and of the end of a large text, numbered as in the whole."""
    cut = head.rfind(b"\n") + 1 or len(head)
    skip = tail.find(b"\n", 0, len(tail) - 1) + 1
    first = 1 + head.count(b"\n") + newlines_between + tail.count(b"\n", 0, skip)
    start, end = (decoded(part).removesuffix("\n") for part in (head[:cut], tail[skip:]))
    return (Chunk(1, start), Chunk(first, end)) if end else (Chunk(1, start),)


def _cut(source: str, size: int) -> str:
    return f"{source}: of {size / 1e6:,.0f} MB only the beginning and the end were read"


def failed(source: str, error: OSError) -> Missing:
    """A file that the system did not let us read."""
    why = error.strerror or type(error).__name__
    return _missing(f"{source} ({why})", Why.FAILED, "make it readable for you, then run this again")


def _missing(what: str, why: Why, needs: str, stream: str = "logs.container") -> Missing:
    """What a file held is not known; most often it is a log."""
    return Missing(stream=stream, why=why, what=what, needs=needs)
