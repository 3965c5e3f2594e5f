"""Ages and times as programs print them."""

from datetime import UTC, datetime

import pytest

from diagnose.collectors.files.times import (
    age_s,
    captured_at,
    moment,
    newest_anywhere,
    newest_in_log,
    newest_in_objects,
    newest_in_text,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("9m4s", 544), ("118s", 118), ("27h", 97200), ("2d3h", 183600), ("5y342d", 187228800), ("<unknown>", None)],
)
def test_ages_of_kubectl(text, seconds):
    assert age_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-04T14:09:05.000000Z",
        "2024-03-04T15:09:05+01:00",
        "2024-03-04 14:09:05",
        "Mon, 04 Mar 2024 14:09:05 +0000",
        "Mon, 04 Mar 2024 14:09:05 GMT",
        "20240304-14:09:05.000000",
        "2024/03/04 14:09:05",
    ],
)
def test_one_moment_in_many_spellings(text):
    assert moment(text) == datetime(2024, 3, 4, 14, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2022-01-02T10:1500Z", "12:30"])
def test_what_states_no_time_has_none(text):
    assert moment(text) is None


def test_a_comment_says_when_evidence_was_saved():
    assert captured_at("# captured_at: 2024-05-14T10:00:00Z\napiVersion: v1\n") == datetime(2024, 5, 14, 10, tzinfo=UTC)
    assert captured_at("echo captured_at: 2024-05-14T10:00:00Z") is None


def test_the_newest_time_of_objects_is_none_that_lies_ahead():
    text = """{"metadata": {"creationTimestamp": "2024-05-14T09:00:00Z", "deletionTimestamp": "2030-01-01T00:00:00Z"},
      "status": {"startedAt": "2024-05-14T09:00:07Z"}, "spec": {"expirationTime": "2031-01-01T00:00:00Z"}}"""
    assert newest_in_objects(text) == datetime(2024, 5, 14, 9, 0, 7, tzinfo=UTC)


def test_the_newest_time_of_a_description_is_in_its_states():
    text = "Start Time:  Sun, 22 Nov 2026 11:59:19 +0000\n  Finished:  Sun, 22 Nov 2026 12:03:42 +0000\n"
    assert newest_anywhere(text) == datetime(2026, 11, 22, 12, 3, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "2024-02-01 09:00:25,000 I [212] azmlinfsrv - Worker with pid 212 ready for serving traffic",
        "[2024-02-01 09:00:25 +0000] [1] [INFO] Starting gunicorn 20.0.4",
        "2024/02/01 09:00:25 Incoming request: GET /",
        '127.0.0.1 - - [01/Feb/2024:09:00:25 +0000] "GET / HTTP/1.0" 200 7 "-" "kube-probe/1.20"',
    ],
)
def test_logs_end_at_the_time_of_their_last_record(line):
    text = (
        f"2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded\n{line}\n  certificate valid until 2031-01-01 00:00:00\n"
    )
    assert newest_in_log(text) == datetime(2024, 2, 1, 9, 0, 25, tzinfo=UTC)


def test_an_error_text_has_the_time_of_the_events_it_quotes():
    text = 'Error: {\\"Reason\\":\\"BackOff\\",\\"LastTimestamp\\":\\"2022-04-15T11:41:29Z\\"}'
    assert newest_in_text(text) == datetime(2022, 4, 15, 11, 41, 29, tzinfo=UTC)
