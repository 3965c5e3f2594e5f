"""Files, folders and standard input: what is there, what can be read, and how it is encoded."""

import io
import os
from pathlib import Path

import pytest

from diagnose.collectors import Limits
from diagnose.collectors.files import read
from diagnose.collectors.files.read import Reader, UnreadableError, check, decoded, find
from diagnose.errors import InputError
from diagnose.model import Why


def reader(stdin=None, **limits):
    return Reader(Limits(**limits), stdin)


def found_in(path):
    return next(found for found in find([str(path)])[0])


def test_folders_are_walked_in_the_order_of_names_and_hidden_files_left_out(tmp_path):
    for name in ("b.log", "a.log", "pods/c.log", ".git/config", ".DS_Store", "__pycache__/x.pyc"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found, missing = find([str(tmp_path)])
    assert [one.source for one in found] == ["a.log", "b.log", str(Path("pods/c.log"))]
    assert missing == []


def test_files_of_several_folders_keep_the_folder_in_their_name(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.log").write_text("x")
    found, _ = find([str(tmp_path / "one"), str(tmp_path / "two")])
    assert [one.source for one in found] == [str(tmp_path / "one/app.log"), str(tmp_path / "two/app.log")]


def test_a_hidden_file_that_is_named_is_read(tmp_path):
    (tmp_path / ".log").write_text("x")
    assert found_in(tmp_path / ".log").source == str(tmp_path / ".log")


@pytest.mark.parametrize("name", ["nothing.log", "file.log/below"])
def test_a_path_that_is_not_there_is_refused(tmp_path, name):
    (tmp_path / "file.log").write_text("x")
    with pytest.raises(InputError, match=r"there is no such file or folder; check the path"):
        find([str(tmp_path / name)])


def test_links_that_lead_back_are_followed_once(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/app.log").write_text("x")
    (tmp_path / "logs/again").symlink_to(tmp_path)
    found, missing = find([str(tmp_path)])
    assert [one.source for one in found] == [str(Path("logs/app.log"))]
    assert "link to a folder that is read already" in missing[0].what


def test_no_more_than_2000_files_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(read, "MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.log").write_text("x")
    found, missing = find([str(tmp_path)])
    assert len(found) == 3
    assert (missing[0].why, missing[0].what) == (Why.TRUNCATED, "all files but the first 3")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="no regular file"):
        reader().read(found_in(tmp_path / "pipe"))


def test_a_link_to_nothing_is_a_gap(tmp_path):
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnreadableError, match="No such file") as error:
        reader().read(found_in(tmp_path))
    assert error.value.missing.why is Why.FAILED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_gap(tmp_path):
    (tmp_path / "app.log").write_text("x")
    (tmp_path / "app.log").chmod(0)
    with pytest.raises(UnreadableError, match="Permission denied"):
        reader().read(found_in(tmp_path / "app.log"))


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "no text"),
        (bytes(range(1, 32)) * 20, "no text"),
    ],
)
def test_what_is_no_text_is_named(head, what):
    with pytest.raises(UnreadableError, match=what) as error:
        check(head, "file")
    assert error.value.missing.why is Why.NOT_SUPPORTED


@pytest.mark.parametrize(
    "data",
    [
        b"",
        "Größe \x1b[31mrot\x1b[0m".encode(),
        b"caf\xe9 in latin-1",
        "text".encode("utf-16"),
        b"progress 10%\r20%\r",
        "日本語のログ".encode(),
    ],
)
def test_text_of_all_encodings_is_text(data):
    check(data, "file")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Fehler: größer".encode(), "Fehler: größer"),
        ("\ufeffApp".encode(), "App"),
        ("Zeile 1\r\nZeile 2\r\n".encode("utf-16"), "Zeile 1\nZeile 2\n"),
        ("\ufeffApp".encode("utf-16-be"), "App"),
        (b"caf\xe9", "caf\ufffd"),
        (b"\x1b[0;31mTypeError\x1b[0m: x", "TypeError: x"),
    ],
)
def test_bytes_become_text(data, text):
    assert decoded(data) == text


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A log of 20,000 numbered lines, and limits that make it a large one."""
    monkeypatch.setattr(read, "WHOLE", 100_000)
    monkeypatch.setattr(read, "_PROBED", 256)
    monkeypatch.setattr(read, "SAMPLE_HEAD", 10_000)
    monkeypatch.setattr(read, "SAMPLE_TAIL", 5_000)
    path = tmp_path / "large.log"
    path.write_text("".join(f"line {number}\n" for number in range(1, 20_001)))
    return path


def numbered(chunk):
    return [int(line.split()[1]) for line in chunk.text.split("\n")]


def test_of_a_large_file_the_ends_are_read_to_tell_what_it_is(large):
    text = reader().read(found_in(large))
    assert text.path == large
    assert text.size == large.stat().st_size
    assert text.sample.startswith("line 1\n")
    assert text.sample.rstrip().endswith("line 20000")


def test_the_kept_end_of_a_large_file_has_true_line_numbers(large):
    log = reader(log_bytes=30_000)
    head, tail = log.ends(log.read(found_in(large))).chunks
    for chunk in (head, tail):
        lines = numbered(chunk)
        assert lines == list(range(chunk.first_line, chunk.first_line + len(lines)))
    assert numbered(tail)[-1] == 20_000
    assert 25_000 < len(tail.text) <= 30_000


def test_what_was_left_out_of_a_large_file_is_said(large):
    log = reader()
    assert "only the beginning and the end were read" in log.ends(log.read(found_in(large))).cut


def test_a_large_document_is_read_to_its_end(large):
    log = reader()
    (whole,) = log.whole(log.read(found_in(large))).chunks
    assert len(whole.text) == large.stat().st_size


def test_a_document_beyond_all_bounds_is_a_gap(large, monkeypatch):
    monkeypatch.setattr(read, "_DOCUMENT", 150_000)
    log = reader()
    with pytest.raises(UnreadableError, match="MB") as error:
        log.whole(log.read(found_in(large)))
    assert error.value.missing.why is Why.TRUNCATED


def test_many_whole_texts_are_not_held_at_a_time(large, monkeypatch):
    monkeypatch.setattr(read, "_ALTOGETHER", 15)
    small = large.parent / "small.log"
    small.write_text("twelve bytes")
    log = reader()
    assert log.read(found_in(small)).path is None
    assert log.read(found_in(small)).path == small


def test_a_line_of_megabytes_is_kept_in_pieces(large):
    large.write_text("x" * 300_000)
    log = reader(log_bytes=30_000)
    chunks = log.ends(log.read(found_in(large))).chunks
    assert sum(len(chunk.text) for chunk in chunks) <= 40_000


def test_standard_input_is_read_whole():
    text = reader(io.BytesIO(b"Booting worker\n")).read(found_in("-"))
    assert (text.source, text.chunks[0].text) == ("-", "Booting worker\n")


def test_of_large_standard_input_the_ends_are_kept_with_their_numbers(large):
    with large.open("rb") as stream:
        text = reader(stream, log_bytes=30_000).read(found_in("-"))
    head, tail = text.chunks
    for chunk in (head, tail):
        lines = numbered(chunk)
        assert lines == list(range(chunk.first_line, chunk.first_line + len(lines)))
    assert numbered(tail)[-1] == 20_000
    assert "standard input" in text.cut


def test_standard_input_that_is_not_there():
    with pytest.raises(InputError, match="standard input: there is none"):
        reader().read(found_in("-"))
