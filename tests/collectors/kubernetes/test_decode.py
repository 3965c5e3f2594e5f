"""Answers, sound and otherwise."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from diagnose.collectors.kubernetes import decode
from diagnose.collectors.kubernetes.schema import Event, Pod


def test_a_list_is_read_with_the_place_where_it_goes_on() -> None:
    found = decode.page(b'{"metadata": {"continue": "x"}, "items": [{"metadata": {"name": "a"}}]}', Pod)
    assert ([one.metadata.name for one in found.items], found.token, found.spoilt) == (["a"], "x", 0)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<html>", "HTML"),
        (b"  <!DOCTYPE html>", "HTML"),
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"{}", "without a list"),
        (b"[]", "without a list"),
        (b'"items"', "without a list"),
        (b'{"kind": "Status", "status": "Failure"}', "without a list"),
        (b'{"items": {"a": 1}}', "no list"),
    ],
)
def test_what_is_no_list_never_passes_for_an_empty_one(body: bytes, text: str) -> None:
    with pytest.raises(decode.NotAListError, match=text):
        decode.page(body, Pod)


def test_one_bad_object_costs_only_itself() -> None:
    items = [{"metadata": {"name": "a"}}, {"metadata": {"name": ["b"]}}, None, {"metadata": None, "status": None}]
    found = decode.page(json.dumps({"metadata": None, "items": items}).encode(), Pod)
    assert ([one.metadata.name for one in found.items], found.spoilt) == (["a", ""], 1)


def test_bytes_that_are_no_text_are_replaced() -> None:
    (found,) = decode.page(b'{"items": [{"message": "caf\xe9", "count": null}]}', Event).items
    assert (found.message, found.count) == ("caf\ufffd", None)


def test_many_threads_may_decode_for_the_first_time_at_once() -> None:
    program = """
import sys, threading
from diagnose.collectors.kubernetes import decode
from diagnose.collectors.kubernetes.kinds import KINDS
sys.setswitchinterval(1e-6)
together = threading.Barrier(len(KINDS))
body = b'{"items": [{"metadata": {"name": "x", "ownerReferences": [{"kind": "y"}]}}]}'
def work(kind):
    together.wait()
    assert decode.page(body, kind.item).items[0].metadata.name == "x"
threads = [threading.Thread(target=work, args=(kind,)) for kind in KINDS]
for thread in threads:
    thread.start()
"""
    for _ in range(10):
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_a_message_is_one_short_line() -> None:
    assert decode.message(b'{"message": "no\\n way"}') == "no way"
    assert decode.message(b"<html>") == ""
    assert len(decode.message(json.dumps({"message": "x" * 9999}).encode())) == 300
