"""Build logs behind links: read from a real Blob service, and what answers in its place."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from azure_server import ANSWERS, AzureServer
from azurite import OTHER_KEY, Azurite, token_for

from diagnose.collectors import Limits
from diagnose.collectors.azure.blob_errors import BlobError
from diagnose.collectors.azure.blobs import HEAD, read_blob
from diagnose.lines import numbered
from diagnose.model import Chunk, Log, Why

NAME = "ImageLogs/11111111-0000-0000-0000-000000000001/build.log"
TEXT = "Step 1/2 : FROM base\nStep 2/2 : RUN pip install joblib\nCondaEnvException: Pip failed\n"
LINE = "0123456789" * 10
ROW = f"{LINE}\n"
SLACK = 128 * 1024


def refused(url: str, **options: str) -> BlobError:
    with pytest.raises(BlobError) as caught:
        read_blob(url, Limits(call_s=5), renew="ask for a new link: az acr task logs", **options)
    return caught.value


def lines(chunks: tuple[Chunk, ...]) -> dict[int, str]:
    return dict(numbered(Log(stream="logs.build", source="build.log", chunks=chunks)))


# --- a real Blob service ---


def test_a_log_is_read_whole_through_its_link(azurite: Azurite) -> None:
    blob = read_blob(azurite.put(NAME, TEXT.encode()), Limits())
    assert blob.chunks == (Chunk(1, TEXT.rstrip("\n")),)
    assert (blob.cut, blob.received) == ("", len(TEXT))


@pytest.mark.parametrize("ampersand", ["&amp;", "\\u0026"])
def test_a_link_out_of_html_or_json_works(azurite: Azurite, ampersand: str) -> None:
    url = azurite.put(NAME, TEXT.encode()).replace("&", ampersand)
    assert read_blob(url, Limits()).chunks[0].text == TEXT.rstrip("\n")


def test_a_log_that_is_empty_was_read(azurite: Azurite) -> None:
    blob = read_blob(azurite.put(NAME, b""), Limits())
    assert (blob.chunks, blob.cut, blob.received) == ((), "", 0)


def test_of_a_huge_log_only_its_ends_come_over_the_network(azurite: Azurite) -> None:
    count = 20_000_000 // len(ROW)
    url = azurite.put(NAME, f"the first line\n{ROW * count}the last line\n".encode())
    limits = Limits(log_bytes=1024 * 1024)
    blob = read_blob(url, limits)
    assert blob.received < limits.log_bytes + HEAD + SLACK
    beginning, end = blob.chunks
    assert (beginning.first_line, beginning.text.partition("\n")[0]) == (1, "the first line")
    assert end.text.rpartition("\n")[2] == "the last line"
    assert set(lines(blob.chunks).values()) == {"the first line", LINE, "the last line"}
    assert end.first_line == beginning.text.count("\n") + 2
    assert blob.cut == (
        "of 20.0 MB only the beginning and the end were read, 18.9 MB between were not; "
        "lines after the gap are numbered as if there were none"
    )


def test_a_log_that_just_fits_is_read_whole(azurite: Azurite) -> None:
    limits = Limits(log_bytes=100_000)
    text = "x" * 1023 + "\n"
    fits = read_blob(azurite.put("fits", (text * 161)[: HEAD + limits.log_bytes].encode()), limits)
    above = read_blob(azurite.put("above", (text * 162)[: HEAD + limits.log_bytes + 1].encode()), limits)
    assert (len(fits.chunks), fits.cut) == (1, "")
    assert (len(above.chunks), "between were not" in above.cut) == (2, True)


def test_a_huge_log_of_one_single_line_keeps_its_ends(azurite: Azurite) -> None:
    url = azurite.put(NAME, b"A" * 300_000 + b"Z" * 300_000)
    beginning, end = read_blob(url, Limits(log_bytes=100_000)).chunks
    assert beginning.text == "A" * HEAD
    assert end.text == "Z" * len(end.text)
    assert len(end.text) >= 100_000


def test_bytes_that_are_no_text_are_replaced_one_by_one(azurite: Azurite) -> None:
    url = azurite.put(NAME, b"error: \xff\xfe caf\xe9\nsecond line\n")
    assert read_blob(url, Limits()).chunks == (Chunk(1, "error: �� caf�\nsecond line"),)


@pytest.mark.parametrize("headers", [{}, {"x-ms-blob-content-encoding": "gzip"}])
def test_a_compressed_log_is_unpacked(azurite: Azurite, headers: dict[str, str]) -> None:
    url = azurite.put(NAME, gzip.compress(TEXT.encode()), **headers)
    assert read_blob(url, Limits()).chunks == (Chunk(1, TEXT.rstrip("\n")),)


def test_lines_of_a_huge_compressed_log_keep_their_numbers(azurite: Azurite) -> None:
    text = "".join(f"line {number}\n" for number in range(1, 400_001))
    parts = gzip.compress(text[:1_000_000].encode()) + gzip.compress(text[1_000_000:].encode())
    blob = read_blob(azurite.put(NAME, parts), Limits(log_bytes=50_000))
    found = lines(blob.chunks)
    assert found == {number: f"line {number}" for number in found}
    assert (1 in found, 400_000 in found, 200_000 in found) == (True, True, False)
    assert "between beginning and end were left out" in blob.cut


def test_a_compressed_log_that_is_damaged_is_read_as_far_as_it_is_sound(azurite: Azurite) -> None:
    packed = gzip.compress("".join(f"line {number * number}\n" for number in range(1, 50_001)).encode())
    text = read_blob(azurite.put(NAME, packed[:50_000] + bytes(1000)), Limits()).chunks[0].text
    assert text.startswith("line 1\nline 4\nline 9\n")


def test_an_expired_link_is_not_even_asked() -> None:
    url = "http://127.0.0.1:1/account/azureml/build.log?se=2019-09-02T10%3A00%3A00Z&sp=r&sig=c2VjcmV0"
    error = refused(url)
    assert (error.code, error.state, error.status) == ("LinkExpired", "expired", None)
    assert error.needs == "ask for a new link: az acr task logs"
    assert "2019-09-02 10:00 UTC" in error.message
    early = refused(url.replace("se=2019", "st=2099"))
    assert (early.code, early.state) == ("LinkNotYetValid", "refused")


def test_a_link_that_expired_just_now_is_refused_by_the_service_itself(azurite: Azurite) -> None:
    azurite.put(NAME, TEXT.encode())
    error = refused(azurite.link(NAME, expires=timedelta(minutes=-1)))
    assert (error.code, error.status, error.state) == ("AuthorizationFailure", 403, "expired")


def test_each_way_a_link_can_be_wrong(azurite: Azurite) -> None:
    good = azurite.put(NAME, TEXT.encode())
    wrong = {
        "before": azurite.link(NAME, starts=timedelta(minutes=5)),
        "cut off": good.partition("&")[0],
        "the signature is not accepted": azurite.link(NAME, key=OTHER_KEY),
        "does not allow to read": azurite.link(NAME, permissions="w"),
        "has no signature": azurite.address(NAME),
        "https only": azurite.link(NAME, protocol="https"),
    }
    for told, url in wrong.items():
        error = refused(url)
        assert told in error.message, url
        assert (error.state, error.why, error.status) == ("refused", Why.DENIED, 403), told


def test_a_deleted_log_and_one_that_never_was_are_not_found(azurite: Azurite) -> None:
    url = azurite.put(NAME, TEXT.encode())
    azurite.delete(NAME)
    for missing in (url, azurite.link("ImageLogs/none/build.log")):
        error = refused(missing)
        assert (error.state, error.why, error.code) == ("not found", Why.NOT_FOUND, "BlobNotFound")


def test_no_refusal_shows_a_signature(azurite: Azurite) -> None:
    url = azurite.link(NAME, key=OTHER_KEY)
    signature = url.partition("sig=")[2]
    with pytest.raises(BlobError) as caught:
        read_blob(url, Limits())
    assert signature
    assert signature not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_log_over_tls_as_in_real_life(azurite_tls: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    azurite_tls.put(NAME, TEXT.encode())
    url = azurite_tls.link(NAME, protocol="https")
    error = refused(url)
    assert (error.why, "is its certificate trusted?" in error.message) == (Why.UNREACHABLE, True)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azurite_tls.ca))
    assert read_blob(url, Limits()).chunks[0].text == TEXT.rstrip("\n")


def test_a_log_without_a_link_is_read_with_a_sign_in(azurite_tls: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    azurite_tls.put(NAME, ROW.encode() * 5000)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azurite_tls.ca))
    blob = read_blob(azurite_tls.address(NAME), Limits(log_bytes=50_000), token=token_for("https://storage.azure.com"))
    assert [set(chunk.text.split("\n")) for chunk in blob.chunks] == [{LINE}, {LINE}]


def test_a_sign_in_for_something_else_is_refused(azurite_tls: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    azurite_tls.put(NAME, TEXT.encode())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azurite_tls.ca))
    token = token_for("https://management.azure.com")
    error = refused(azurite_tls.address(NAME), token=token)
    assert (error.state, error.why) == ("refused", Why.DENIED)
    assert token not in repr(error)


# --- what answers in its place ---


@pytest.fixture
def server() -> Iterator[AzureServer]:
    """Answers as a test wants."""
    with contextlib.closing(AzureServer()) as started:
        yield started


PATH = "/account/azureml/build.log"


def test_a_sign_in_is_never_sent_without_tls(server: AzureServer) -> None:
    assert refused(f"{server.url}{PATH}", token="c2VjcmV0").code == "BlobAddress"
    assert server.requests == []


def test_azurite_lets_in_whom_azure_would_not(server: AzureServer) -> None:
    answer = json.loads(Path(ANSWERS, "blob_errors", "sas_other_ip_only.json").read_text())
    server.answer("GET", PATH, answer["status"], answer["body"], answer["headers"])
    blob = read_blob(f"{server.url}{PATH}?sip=203.0.113.1&sig=x", Limits())
    assert lines(blob.chunks)[15] == "CondaEnvException: Pip failed"


@pytest.mark.parametrize("file", sorted(Path(ANSWERS, "blob_errors").glob("azure_*.json")), ids=lambda file: file.stem)
def test_a_refusal_of_azure_comes_through_whole(server: AzureServer, file: Path) -> None:
    answer = json.loads(file.read_text())
    server.answer("GET", PATH, answer["status"], answer["body"], answer["headers"])
    error = refused(f"{server.url}{PATH}?sv=2018-03-28&sig=c2VjcmV0")
    assert (error.status, error.code) == (answer["status"], answer["headers"]["x-ms-error-code"])


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", {"Content-Type": "text/html; charset=utf-8"}),
        ("\n<html><body>blocked by policy</body></html>", {"Content-Type": "application/octet-stream"}),
    ],
)
def test_a_web_page_is_not_taken_for_the_log(server: AzureServer, body: str, headers: dict[str, str]) -> None:
    server.answer("GET", PATH, 200, body, headers)
    error = refused(f"{server.url}{PATH}?sig=x")
    assert (error.code, error.state, error.why) == ("HTML", "unreadable", Why.FAILED)


def test_a_redirect_is_not_followed(server: AzureServer) -> None:
    with contextlib.closing(AzureServer()) as other:
        server.answer("GET", PATH, 302, b"", {"Location": f"{other.url}{PATH}?sig=x"})
        error = refused(f"{server.url}{PATH}?sig=x")
        assert (error.code, error.state, error.status) == ("Redirect", "unreadable", 302)
        assert other.requests == []


def test_a_part_is_found_in_an_answer_that_is_whole(server: AzureServer) -> None:
    """Some proxies take no heed of Range."""
    server.answer("GET", PATH, 200, f"first\n{ROW * 10_000}last\n")
    blob = read_blob(f"{server.url}{PATH}?sig=x", Limits(log_bytes=100_000))
    assert [set(chunk.text.split("\n")) for chunk in blob.chunks] == [{"first", LINE}, {LINE, "last"}]


def test_of_a_log_that_breaks_off_is_kept_what_came(server: AzureServer) -> None:
    server.answer("GET", PATH, 200, ROW * 1000)
    server.cut(PATH, 50_000)
    blob = read_blob(f"{server.url}{PATH}?sig=x", Limits())
    assert set(lines(blob.chunks).values()) == {LINE}
    assert len(blob.chunks[0].text) > 49_000
    assert "the end was not read to its last line: 127.0.0.1 cut the connection" in blob.cut.replace(
        "localhost", "127.0.0.1"
    )


class _Dripping(BaseHTTPRequestHandler):
    """A log that never arrives whole, though parts of it do."""

    content = "".join(f"line {number}\n" for number in range(1, 60_001)).encode()

    def do_GET(self) -> None:
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(part[1]), int(part[2])) if part else (0, len(self.content) - 1)
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(self.content[first : last + 1] if part else self.content[:100_000])
        if not part:
            self.rfile.read(1)  # until the client leaves

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_of_a_log_that_is_too_slow_the_end_is_asked_for_alone() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Dripping) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        blob = read_blob(f"http://127.0.0.1:{server.server_port}{PATH}?sig=x", Limits(call_s=0.5))
        server.shutdown()
    beginning, end = blob.chunks
    assert beginning.text.startswith("line 1\nline 2\n")
    assert end.text.endswith("line 59999\nline 60000")
    assert "only the beginning and the end were read" in blob.cut


def test_a_server_that_hangs_costs_no_more_than_its_time(server: AzureServer) -> None:
    server.slow(PATH, 30)
    began = time.monotonic()
    with pytest.raises(BlobError) as caught:
        read_blob(f"{server.url}{PATH}?sig=x", Limits(call_s=0.2))
    assert (caught.value.why, caught.value.needs) == (Why.TIMED_OUT, "allow more time with --timeout")
    assert time.monotonic() - began < 10


def test_nobody_there_is_said_without_the_link() -> None:
    error = refused("http://127.0.0.1:1/account/azureml/build.log?sig=c2VjcmV0")
    assert (error.why, error.message, error.status) == (Why.UNREACHABLE, "no connection to 127.0.0.1", None)


def test_a_proxy_of_the_environment_is_used_for_azure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    error = refused("https://stmlops.blob.core.windows.net/azureml/build.log?sig=c2VjcmV0")
    assert error.message == "the proxy to stmlops.blob.core.windows.net does not answer"
