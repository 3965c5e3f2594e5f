"""Logs in the wrappings of container engines."""

import json

from diagnose.collectors.files.records import plain
from diagnose.model import Chunk

TIME = "2024-03-04T14:09:05.015938123Z"


def wrapped(*texts):
    return "\n".join(json.dumps({"log": text, "stream": "stderr", "time": TIME}) for text in texts) + "\n"


def test_records_of_docker_become_lines_with_times():
    assert plain(wrapped("Booting\n", 'Error "x"\n')) == (Chunk(1, f'{TIME} Booting\n{TIME} Error "x"'),)


def test_a_record_that_docker_cut_is_put_together_and_later_lines_keep_their_numbers():
    assert plain(wrapped("one\n", "a", "b\n", "two\n")) == (Chunk(1, f"{TIME} one\n{TIME} ab"), Chunk(4, f"{TIME} two"))


def test_what_is_no_record_stays_as_it_is():
    assert plain(wrapped("one\n") + "cut off {\n") == (Chunk(1, f"{TIME} one\ncut off {{"),)


def test_records_of_containerd():
    text = f"{TIME} stderr F Booting\n2024-03-04T14:09:06.1+00:00 stdout F ready\n"
    assert plain(text) == (Chunk(1, f"{TIME} Booting\n2024-03-04T14:09:06.1Z ready\n"),)


def test_partial_records_of_containerd():
    text = f"{TIME} stdout P one \n{TIME} stdout F line\n{TIME} stdout F two"
    assert plain(text) == (Chunk(1, f"{TIME} one line"), Chunk(3, f"{TIME} two"))


def test_logs_with_times_of_their_own_are_not_wrapped():
    assert plain(f"{TIME} Booting stderr F x\n") is None
    assert plain('{"log": "x", "level": "info"}\n') is None
