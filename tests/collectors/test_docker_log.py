from __future__ import annotations

import struct
import tracemalloc
from datetime import UTC, datetime

import pytest

from diagnose.collectors.docker_engine import EngineError
from diagnose.collectors.docker_log import Tail, Text, runs, unframed
from diagnose.model import Chunk, Why


def frame(text: str, stream: int = 1) -> bytes:
    return struct.pack(">BxxxL", stream, len(text)) + text.encode()


def test_lines_of_both_streams_stay_in_the_order_in_which_they_came():
    pieces = [frame("1 out\n"), frame("2 err\n", 2), frame("3 out\n")]
    assert b"".join(unframed(pieces)) == b"1 out\n2 err\n3 out\n"


def test_frames_may_be_torn_anywhere():
    whole = frame("first\n") + frame("second\n", 2)
    for at in range(len(whole)):
        assert b"".join(unframed([whole[:at], whole[at:]])) == b"first\nsecond\n"


def test_a_line_in_several_frames_has_its_time_stamp_once_whatever_comes_between():
    stamp, other = "2026-11-23T15:25:10.826702424Z ", "2026-11-23T15:25:10.826789603Z "
    pieces = [frame(f"{stamp}aaa"), frame(f"{other}error\n", 2), frame(f"{stamp}bbb"), frame(f"{stamp}c\n")]
    assert b"".join(unframed(pieces)).decode() == f"{other}error\n{stamp}aaabbbc\n"


def test_a_last_line_without_line_end_does_not_run_into_the_next_run():
    one, two = "2026-11-23T15:25:10.826702424Z ", "2026-11-23T15:25:12.000000000Z "
    pieces = [frame(f"{one}dying"), frame(f"{two}born\n"), frame(f"{two}dying again")]
    assert b"".join(unframed(pieces)).decode() == f"{one}dying\n{two}born\n{two}dying again\n"


def test_an_error_of_the_engine_in_the_stream_is_an_error_after_what_came_before():
    lines = unframed([frame("fine\n"), frame("Error grabbing logs: invalid character\n", 3)])
    assert next(lines) == b"fine\n"
    with pytest.raises(EngineError, match="invalid character") as caught:
        next(lines)
    assert caught.value.why is Why.TRUNCATED


def test_what_is_no_frame_is_refused_instead_of_filling_the_memory():
    with pytest.raises(EngineError, match="not understood"):
        list(unframed([b"plain text where frames are expected"]))


def test_the_tail_is_whole_lines_with_their_true_numbers():
    tail = Tail(100)
    for number in range(1, 1001):
        tail.add(f"line {number}\n".encode())
    first_line, content = tail.end()
    lines = content.decode().split("\n")
    assert lines[0] == f"line {first_line}"
    assert lines[-1] == "line 1000"
    assert 80 <= len(content) <= 100


def test_a_text_that_fits_is_kept_whole():
    tail = Tail(12)
    tail.add(b"one\ntwo\n")
    assert tail.end() == (1, b"one\ntwo")


def test_an_empty_log_has_no_lines():
    assert Tail(10).end() == (1, b"")


def test_a_log_of_100_mb_is_never_held_whole():
    block = b"x" * 99 + b"\n"
    block *= 1000
    tail = Tail(1_000_000)
    tracemalloc.start()
    for number in range(1000):
        tail.add(block[:-1] + bytes([number % 10 + 48]) + b"\n")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    first_line, content = tail.end()
    assert tail.seen > 100_000_000
    assert peak < 5_000_000
    assert first_line == 1_000_000 - content.count(b"\n")


TWO_RUNS = b"""\
2026-11-23T15:25:11.317408588Z begin
2026-11-23T15:25:11.420169057Z fail
2026-11-23T15:25:11.784076924Z begin again
2026-11-23T15:25:11.887417147Z fail again"""


def test_a_log_is_parted_where_the_present_run_began():
    began = datetime(2026, 11, 23, 15, 25, 11, 457378, UTC)
    before, since = runs(Text(7, TWO_RUNS, 0), began)
    assert [(chunk.first_line, chunk.text.count("\n") + 1) for chunk in (*before, *since)] == [(7, 2), (9, 2)]
    assert since[0].text.startswith("2026-11-23T15:25:11.784076924Z begin again\n")
    assert before[0].text.endswith("fail")


def test_a_run_that_wrote_nothing_yet_has_no_text():
    before, since = runs(Text(1, TWO_RUNS, 0), datetime(2026, 11, 23, 15, 30, tzinfo=UTC))
    assert since == ()
    assert before[0].text.count("\n") == 3


def test_lines_without_a_time_stamp_stay_with_the_line_before():
    content = b"2026-11-23T15:25:11.000000000Z old\n    zzz: no time stamp\n2026-11-23T15:25:12.000000000Z new"
    before, since = runs(Text(1, content, 0), datetime(2026, 11, 23, 15, 25, 11, 500000, UTC))
    assert before[0].text.endswith("no time stamp")
    assert since == (Chunk(3, "2026-11-23T15:25:12.000000000Z new"),)


def test_bytes_that_are_no_utf_8_do_no_harm():
    _, since = runs(Text(1, b"2026-11-23T15:25:12.000000000Z caf\xe9", 0), datetime(2026, 1, 1, tzinfo=UTC))
    assert since[0].text.endswith("caf\ufffd")
