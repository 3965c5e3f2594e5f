"""What was packed comes out again; what somebody else packed costs one line at most."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from diagnose import packing
from diagnose.errors import InputError
from diagnose.packing import beginning, contents, packed

DATA = b'{"schema": "diagnose/evidence/1"}\n' * 100
NAMES = ("bundle.json", "bundle.json.gz", "bundle.tar.gz", "bundle.tgz")


def archive(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive as somebody else may make it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def kept(folder: Path, data: bytes) -> str:
    path = folder / "some.file"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_comes_out_again(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    packing.write(path, DATA)
    assert contents(str(path)) == DATA
    assert beginning(str(path), 30) == DATA[:30]


@pytest.mark.parametrize("name", NAMES)
def test_nobody_else_may_read_it_even_where_another_file_was_before(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"old and longer than what comes now" * 1000)
    path.chmod(0o644)
    packing.write(path, DATA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert contents(str(path)) == DATA


@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_packed_into_the_same_bytes(name: str) -> None:
    assert packed(DATA, name) == packed(DATA, f"another-{name}")


def test_an_archive_is_one_that_tar_unpacks() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(DATA, "x.tar.gz"))) as tar:
        (only,) = tar.getmembers()
        file = tar.extractfile(only)
        assert file is not None
        assert (only.name, only.mode, file.read()) == ("evidence.json", 0o600, DATA)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_archive_somebody_packed_again_is_read(form: int, tmp_path: Path) -> None:
    folder = member("./", tarfile.DIRTYPE)
    data = archive((folder, b""), (member(f"{'long/' * 40}ünlike.json"), DATA), form=form)
    assert contents(kept(tmp_path, data)) == DATA
    assert contents(kept(tmp_path, gzip.compress(data))) == DATA


def test_the_name_in_an_archive_leads_nowhere(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    path = kept(inside, archive((member("../../escaped.json"), DATA)))
    assert contents(path) == DATA
    assert [one.name for one in tmp_path.rglob("*")] == ["inside", "some.file"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (archive((member("a"), DATA), (member("b"), DATA)), "more than one file"),
        (archive((member("a", tarfile.DIRTYPE), b"")), "no file"),
        (archive((member("a", tarfile.SYMTYPE, "/etc/passwd"), b"")), "links or devices"),
        (archive((member("a", tarfile.LNKTYPE, "b"), b"")), "links or devices"),
        (archive((member("a", tarfile.CHRTYPE), b"")), "links or devices"),
        (archive((member("a"), DATA))[:1024], "ends too early"),
        (archive((member("a"), DATA)).replace(b"a\0", b"b\0", 1), "broken tar"),
        (gzip.compress(DATA)[:-20], "broken gzip"),
        (b"\x1f\x8bnothing of the kind", "broken gzip"),
        (gzip.compress(DATA)[:-8] + b"\0" * 8, "broken gzip"),
    ],
)
def test_what_cannot_be_unpacked_costs_one_line_that_says_what_to_do(data: bytes, told: str, tmp_path: Path) -> None:
    path = kept(tmp_path, data)
    with pytest.raises(InputError, match=told) as caught:
        contents(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "name" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_size_that_no_number_can_be_is_a_broken_archive(tmp_path: Path) -> None:
    whole = archive((member("a"), DATA))
    for size in (b"-0000000001\0", b"\x80" + b"\0" * 10 + b"\1", b"77777777777\0"):
        header = whole[:124] + size + whole[136:148] + b" " * 8 + whole[156:512]
        checked = header[:148] + f"{sum(header):06o}\0 ".encode() + header[156:]
        with pytest.raises(InputError, match=r"broken tar|too early"):
            contents(kept(tmp_path, checked + whole[512:]))


def test_what_unpacks_to_more_than_may_be_held_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(InputError, match="holds more than 1 MB"):
        contents(kept(tmp_path, bomb), 1_000_000)
    with pytest.raises(InputError, match="holds more than 1 MB"):
        contents(kept(tmp_path, b"x" * 1_000_001), 1_000_000)


def test_more_than_can_be_read_again_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST", 1000)
    with pytest.raises(InputError, match="collect less with --since"):
        packing.write(tmp_path / "x.json", b"x" * 1001)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["nowhere/at/all.json", ".", "nul\0.json"])
def test_what_cannot_be_read_costs_one_line(path: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        contents(path)
    assert beginning(path) == b""


@pytest.mark.parametrize("name", ["x.zip", "x", "x.yaml", ".", "nowhere/x.json"])
def test_where_nothing_can_be_saved_is_said_before_anything_is_collected(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give"):
        packing.check_target(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_said_at_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        packing.check_target(tmp_path / "x.json")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_there_may_be_written_again(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"old")
    packing.check_target(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"old"
