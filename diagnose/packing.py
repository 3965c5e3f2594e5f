"""How saved evidence lies in a file: plain, compressed by gzip, or as the only file of a tar archive."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path

from diagnose.errors import InputError

LARGEST = 256 * 1024 * 1024
"""Bytes that a file may hold, unpacked: beyond them it is refused, and never held in memory."""

_MEMBER = "evidence.json"
_BLOCK = 512
_GZIP = b"\x1f\x8b"
_REGULAR = (b"0", b"\0")
_EXTENDED = (b"x", b"g", b"L", b"K")
"""Headers that only tell names and times of what follows."""
_FOLDER = b"5"
_HOW = "name the file that `diagnose collect` wrote"
_ENDINGS = (".tar.gz", ".tgz", ".json.gz", ".json")


def check_target(path: Path) -> None:
    """Raises InputError when nothing can be saved at ``path``: better before a long collection than after it."""
    if not path.name.endswith(_ENDINGS):
        raise InputError(f"{path}: its ending tells no way to save evidence; give .json, .json.gz or .tar.gz")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(f"{path}: cannot be written; give another file with -o")


def write(path: Path, data: bytes) -> None:
    """``data``, packed as the ending says, in a file that nobody else can read. Raises InputError."""
    if len(data) > LARGEST:
        most = LARGEST // 1_000_000
        raise InputError(
            f"{path}: there is more evidence than the {most} MB a bundle may hold; collect less with --since"
        )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.chmod(path, 0o600)
            file.write(packed(data, path.name))
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; give another file with -o") from error


def packed(data: bytes, name: str) -> bytes:
    """``data`` as the ending of ``name`` says: ``.tar.gz`` and ``.tgz``, ``.gz``, else as it is. No time goes in."""
    if name.endswith((".tar.gz", ".tgz")):
        return gzip.compress(_archive(data), 6, mtime=0)
    return gzip.compress(data, 6, mtime=0) if name.endswith(".gz") else data


def contents(path: str, most: int = LARGEST) -> bytes:
    """What the file at ``path`` holds, unpacked; the content tells how, not the name.

    Raises InputError for what cannot be read or unpacked, and for what holds more than ``most`` bytes.
    """
    data = _unpacked(path, most + 1)
    if len(data) > most:
        raise InputError(f"{path}: holds more than {most // 1_000_000} MB; collect less with --since, or unpack it")
    return _only_file(data, path) if _is_archive(data) else data


def beginning(path: str, count: int = 4096) -> bytes:
    """Up to ``count`` bytes with which the file begins once it is unpacked; none where it cannot be read."""
    try:
        data = _unpacked(path, _BLOCK + count)
    except InputError:
        return b""
    return data[_BLOCK if _is_archive(data) else 0 :][:count]


def _unpacked(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as file:
            begins = file.read(len(_GZIP)) if file.seekable() else b""
            if begins != _GZIP:
                return begins + file.read(most - len(begins))
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as compressed:
                return compressed.read(most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is broken gzip ({error}); {_HOW}") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: cannot be read: {why or error}; {_HOW}") from error


def _archive(data: bytes) -> bytes:
    import tarfile

    member = tarfile.TarInfo(_MEMBER)
    member.size, member.mode = len(data), 0o600
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def _is_archive(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _only_file(archive: bytes, path: str) -> bytes:
    """The one file in a tar archive. Its name is not looked at, and nothing is ever written to a disk.

    The headers are read here, not by ``tarfile``: in archives from strangers those have sent it round in circles
    (CVE-2025-8194) and below any depth of recursion.
    """
    found: list[bytes] = []
    at = 0
    while archive[at : at + _BLOCK].strip(b"\0"):
        header = archive[at : at + _BLOCK]
        size, kind = _size(header, path), header[156:157]
        begin, at = at + _BLOCK, at + _BLOCK + -(-size // _BLOCK) * _BLOCK
        if len(archive) < begin + size:
            raise InputError(f"{path}: is a tar archive that ends too early; {_HOW}")
        if kind in _REGULAR:
            found.append(archive[begin : begin + size])
        elif kind not in (*_EXTENDED, _FOLDER):
            raise InputError(f"{path}: is a tar archive with links or devices in it; {_HOW}")
        if len(found) > 1:
            break
    if len(found) != 1:
        many = "more than one file" if found else "no file"
        raise InputError(f"{path}: is a tar archive with {many} in it; unpack it and name what it holds")
    return found[0]


def _size(header: bytes, path: str) -> int:
    """Bytes of what follows a header whose checksum is right."""
    try:
        told = int(header[148:156].strip(b"\0 "), 8)
        size = int(header[124:136].strip(b"\0 ") or b"0", 8)
    except ValueError:
        told = size = -1
    if size < 0 or len(header) < _BLOCK or told != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]):
        raise InputError(f"{path}: is a broken tar archive; {_HOW}")
    return size
