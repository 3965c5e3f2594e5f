"""Saved evidence of all kinds, mixed in one folder, and what is said where it cannot be read."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from diagnose.collectors import Limits
from diagnose.collectors.files import collect_files, read
from diagnose.errors import InputError
from diagnose.model import Chunk, Log, Why
from diagnose.streams import STREAMS

SERVER = """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded logging config
2024-02-01 09:00:11,009 E [12] gunicorn.error - Reason: Worker failed to boot.
"""
BUILD = "Step 1/15 : FROM mcr.microsoft.com/azureml/base:1\n ---> 0a1b2c3d\n"
ERROR = "(ResourceNotReady) User container has crashed or terminated.\nCode: ResourceNotReady\n"
ANSWER = 'HTTP/1.1 500 X\nContent-Type: application/json\n\n{"message": "Scoring timeout after 2000 ms"}\n'
EVENTS = """\
LAST SEEN   TYPE      REASON    OBJECT                      MESSAGE
31s         Warning   BackOff   pod/churn-6f7c9d7b5-zk2ql   Back-off restarting failed container
"""
PODS = """\
NAME                    READY   STATUS             RESTARTS   AGE
churn-6f7c9d7b5-zk2ql   0/1     CrashLoopBackOff   5          12m
"""
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "churn-6f7c9d7b5-zk2ql",
        "namespace": "aml-churn",
        "creationTimestamp": "2024-02-01T08:00:00Z",
    },
    "spec": {"containers": [{"name": "scorer", "image": "churn:1"}]},
    "status": {
        "phase": "Running",
        "containerStatuses": [
            {"name": "scorer", "restartCount": 5, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ],
    },
}


def supplied(collection):
    return {*collection.items, *collection.logs}


def gaps(collection):
    return [missing for missing in collection.missing if missing.why is not Why.NOT_SUPPLIED]


def test_one_folder_mixes_all_kinds(collect):
    collection = collect(SERVER, BUILD, ERROR, ANSWER, EVENTS, json.dumps(POD))
    assert {stream: len(logs) for stream, logs in collection.logs.items()} == {
        "logs.container": 1,
        "logs.build": 1,
        "logs.deployment": 1,
    }
    assert {stream: len(items) for stream, items in collection.items.items()} == {
        "responses": 1,
        "events": 1,
        "pods": 1,
        "containers": 1,
        "conditions": 0,
    }
    assert gaps(collection) == []
    assert collection.logs["logs.container"][0].source == "artifact-1.txt"
    assert collection.collected[0].items == 7


def test_every_stream_of_which_nothing_was_saved_says_what_would_have_saved_it(collect):
    collection = collect(SERVER)
    assert {missing.stream for missing in collection.missing} == {
        name for name, stream in STREAMS.items() if not stream.derived and name not in ("logs.container", "refusals")
    }
    assert all(missing.why is Why.NOT_SUPPLIED and missing.needs for missing in collection.missing)
    assert next(m.needs for m in collection.missing if m.stream == "events") == "`kubectl get events -o json`"


def test_an_empty_table_is_collected_and_empty(collect):
    collection = collect(EVENTS.split("\n")[0] + "\n", SERVER)
    assert collection.items["events"] == ()


def test_an_empty_answer_after_its_command_is_collected_and_empty(collect):
    collection = collect("$ kubectl get events -n aml-churn\nNo resources found in aml-churn namespace.\n", SERVER)
    assert collection.items["events"] == ()


def test_the_clock_is_the_newest_time_found_anywhere(collect):
    collection = collect(SERVER, json.dumps(POD))
    assert collection.now == datetime(2024, 2, 1, 9, 0, 11, 9000, tzinfo=UTC)
    assert collection.items["pods"][0].age_s == 3611.009


def test_a_comment_about_the_capture_outranks_it(collect):
    document = "# captured_at: 2024-02-01T10:00:00Z\napiVersion: v1\nkind: Pod\nmetadata:\n  name: churn\n"
    assert collect(SERVER, document).now == datetime(2024, 2, 1, 10, tzinfo=UTC)


def test_without_any_time_there_is_no_clock(collect):
    assert collect(EVENTS).now is None


def test_what_a_table_says_of_a_pod_yields_to_what_its_object_says(collect):
    collection = collect(PODS, json.dumps(POD))
    assert [(pod.source, pod.subject.namespace) for pod in collection.items["pods"]] == [
        ("artifact-2.txt", "aml-churn")
    ]
    assert [container.name for container in collection.items["containers"]] == ["scorer"]


def test_the_same_event_saved_twice_is_one(collect):
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "churn.1", "namespace": "aml-churn"},
        "involvedObject": {"kind": "Pod", "name": "churn-6f7c9d7b5-zk2ql"},
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "type": "Warning",
        "lastTimestamp": "2024-02-01T09:00:00Z",
    }
    (kept,) = collect(EVENTS, json.dumps(event)).items["events"]
    assert kept.time == datetime(2024, 2, 1, 9, tzinfo=UTC)


def test_one_file_with_a_session_of_commands(collect):
    session = f"""\
$ kubectl get pods -n aml-churn
{PODS}
$ kubectl logs -n aml-churn churn-6f7c9d7b5-zk2ql -c scorer --previous
{SERVER}
$ curl -i http://10.0.0.1/score
{ANSWER}"""
    collection = collect(session)
    (log,) = collection.logs["logs.container"]
    assert (log.run, log.subject.container, log.subject.namespace) == ("previous", "scorer", "aml-churn")
    assert log.chunks[0].first_line == 6
    assert log.chunks[0].text.startswith("2024-02-01 09:00:10,009")
    assert collection.items["pods"][0].subject.namespace == "aml-churn"
    assert collection.items["responses"][0].line == 10


def test_logs_of_a_cluster_dump_know_their_containers(collect):
    text = "".join(
        f"==== START logs for container {name} of pod aml-churn/churn-6f7c9d7b5-zk2ql ====\n{SERVER}"
        f"==== END logs for container {name} of pod aml-churn/churn-6f7c9d7b5-zk2ql ====\n"
        for name in ("scorer", "sidecar")
    )
    logs = collect(text).logs["logs.container"]
    assert [(log.subject.container, log.subject.workload) for log in logs] == [
        ("scorer", "churn"),
        ("sidecar", "churn"),
    ]


def test_the_name_of_a_file_tells_whose_log_it_is(collect):
    (log,) = collect.named({"churn-6f7c9d7b5-zk2ql_scorer.previous.log": SERVER}).logs["logs.container"]
    assert (log.subject.workload, log.subject.container, log.run) == ("churn", "scorer", "previous")


def test_answers_of_get_logs_are_logs_and_events(collect):
    text = (
        "Instance status:\nSystemSetup: Succeeded\n\nContainer events:\nKind: Pod, Name: Pulling, Type: Normal, "
        f"Time: 2024-02-01T08:59:11.009Z, Message: Start pulling\n\nContainer logs:\n{SERVER}"
    )
    for saved in (text, json.dumps(text), json.dumps({"content": text})):
        collection = collect(saved)
        (event,) = collection.items["events"]
        assert (event.reason, event.age_s) == ("Pulling", 60.0)
        (log,) = collection.logs["logs.container"]
        assert "Worker failed to boot" in log.chunks[0].text


def test_the_body_of_an_azure_error_is_an_error_text_as_well(collect):
    answer = 'HTTP/1.1 429 Too Many Requests\n\n{"error":{"code":"TooManyRequests","message":"Too many requests"}}\n'
    collection = collect(answer)
    assert collection.items["responses"][0].status == 429
    assert collection.logs["logs.deployment"][0].chunks[0].first_line == 1


def test_an_answer_of_azure_management_is_only_an_error_text(collect):
    answer = (
        'HTTP/1.1 409 Conflict\nx-ms-correlation-request-id: 0a1b\n\n{"error":{"code":"Conflict","message":"exists"}}\n'
    )
    assert supplied(collect(answer)) == {"logs.deployment"}


def test_a_one_line_error_is_also_given_as_a_person_reads_it(collect):
    raw, readable = collect('{"error":{"code":"X","message":"first\\nsecond"}}').logs["logs.deployment"]
    assert (raw.source, raw.chunks[0].first_line) == ("artifact-1.txt", 1)
    assert readable.source == "artifact-1.txt (pretty-printed)"
    assert "second" in readable.chunks[0].text.split("\n")[4]


def test_a_notebook_is_read_for_what_it_printed(collect):
    output = {"output_type": "error", "traceback": ["\x1b[0;31mWebserviceException\x1b[0m: WebserviceException:"]}
    notebook = json.dumps({"nbformat": 4, "cells": [{"outputs": [output]}]})
    (log,) = collect(notebook).logs["logs.deployment"]
    assert log.source == "artifact-1.txt (output of its cells)"


def test_source_code_in_the_folder_is_left_aside(collect):
    collection = collect(
        SERVER, "import json\nimport joblib\n\n\ndef init():\n    pass\n\n\ndef run(data):\n    return 1\n"
    )
    assert supplied(collection) == {"logs.container"}
    assert "source code" in gaps(collection)[0].what


def test_an_object_that_was_cut_off_is_a_gap_and_no_log(collect):
    collection = collect(SERVER, json.dumps(POD, indent=4)[:120])
    assert supplied(collection) == {"logs.container"}
    (gap,) = gaps(collection)
    assert (gap.stream, gap.why) == ("pods", Why.FAILED)


def test_powershell_writes_utf_16(tmp_path):
    (tmp_path / "log.txt").write_bytes(SERVER.replace("\n", "\r\n").encode("utf-16"))
    collection = collect_files([str(tmp_path)], Limits())
    assert collection.logs["logs.container"][0].chunks[0].text.split("\n")[1].endswith("Worker failed to boot.")


def test_coloured_output_is_told_and_kept_plain(collect):
    (log,) = collect("\x1b[36m2024-02-01\x1b[0m \x1b[32mBooting worker with pid\x1b[0m: 41\n").logs["logs.container"]
    assert log.chunks[0].text == "2024-02-01 Booting worker with pid: 41"


def test_what_cannot_be_read_does_not_keep_the_rest_from_being_read(tmp_path):
    (tmp_path / "app.log").write_text(SERVER)
    (tmp_path / "gone.log").symlink_to(tmp_path / "nowhere")
    (tmp_path / "bundle.tar.gz").write_bytes(b"\x1f\x8b\x08\x00rest")
    (tmp_path / "screen.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "empty.log").write_text("\n")
    collection = collect_files([str(tmp_path)], Limits())
    assert supplied(collection) == {"logs.container"}
    assert [(gap.what.split(",")[0].split(" (")[0], gap.why) for gap in gaps(collection)] == [
        ("bundle.tar.gz", Why.NOT_SUPPORTED),
        ("empty.log", Why.FAILED),
        ("gone.log", Why.FAILED),
        ("screen.png", Why.NOT_SUPPORTED),
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("bundle.tar.gz", b"\x1f\x8b\x08\x00", "which is a gzip archive; unpack it"),
        ("model.bin", b"\x00\x01\x02", "which is no text"),
        ("app.log", b"", "which is empty"),
        ("score.py", b"import json\nimport os\ndef init():\n    pass\n", "source code"),
        ("logs.json", b'{"content": ""}', "wraps an empty text"),
        ("quotes.json", b'""', "wraps an empty text"),
    ],
)
def test_where_nothing_can_be_read_one_line_says_what_and_why(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said) as error:
        collect_files([str(tmp_path / name)], Limits())
    assert name in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="there are no files to read"):
        collect_files([str(tmp_path)], Limits())


def test_a_description_of_something_else_is_refused(collect):
    with pytest.raises(InputError, match="nothing in it that tells of a service"):
        collect("Name:         churn-key\nNamespace:    aml-churn\nLabels:       <none>\nType:  Opaque\n")


def test_braces_of_nobody_are_no_chatter_of_curl(collect):
    assert supplied(collect("{\n{\n")) == {"logs.container", "logs.deployment"}


def test_empty_standard_input_is_refused():
    with pytest.raises(InputError, match="standard input, which is empty"):
        collect_files(["-"], Limits(), io.BytesIO(b""))


def test_standard_input_is_told_like_a_file():
    collection = collect_files(["-"], Limits(), io.BytesIO(SERVER.encode()))
    assert collection.logs["logs.container"][0].source == "-"


def test_after_the_deadline_the_rest_is_a_gap(tmp_path):
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(SERVER)
    with pytest.raises(InputError, match=r"2 files, of which a\.log is the first"):
        collect_files([str(tmp_path)], Limits(deadline=0.0))


@pytest.fixture
def large(tmp_path, monkeypatch):
    """Texts above 4 KB are large ones."""
    monkeypatch.setattr(read, "WHOLE", 4096)
    monkeypatch.setattr(read, "_PROBED", 256)
    monkeypatch.setattr(read, "SAMPLE_HEAD", 1024)
    monkeypatch.setattr(read, "SAMPLE_TAIL", 512)
    return tmp_path / "large.log"


def test_a_large_log_is_sifted(large):
    large.write_text(SERVER * 100)
    asked = []

    def sieve(path: Path, stream: str) -> Log:
        asked.append((path, stream))
        return Log(stream=stream, source="elsewhere", chunks=(Chunk(7, "a piece"),), cut="most of it")

    (log,) = collect_files([str(large)], Limits(), sieve=sieve).logs["logs.container"]
    assert asked == [(large, "logs.container")]
    assert (log.source, log.chunks, log.cut) == (str(large), (Chunk(7, "a piece"),), "most of it")


def test_pieces_of_a_large_file_of_docker_are_made_plain(large):
    record = json.dumps({"log": "Booting worker with pid: 41\n", "stream": "stderr", "time": "2024-02-01T09:00:10.1Z"})
    large.write_text(f"{record}\n" * 100)

    def sieve(path: Path, stream: str) -> Log:
        return Log(stream=stream, source="", chunks=(Chunk(50, f"{record}\n{record}"),))

    (log,) = collect_files([str(large)], Limits(), sieve=sieve).logs["logs.container"]
    line = "2024-02-01T09:00:10.1Z Booting worker with pid: 41"
    assert log.chunks == (Chunk(50, f"{line}\n{line}"),)


def test_a_sieve_that_cannot_read_leaves_a_gap(large):
    large.write_text(SERVER * 100)

    def sieve(path: Path, stream: str) -> Log:
        raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match="Input/output error"):
        collect_files([str(large)], Limits(), sieve=sieve)


def test_without_a_sieve_the_ends_of_a_large_log_are_kept(large):
    large.write_text(SERVER * 100)
    (log,) = collect_files([str(large)], Limits(log_bytes=2048)).logs["logs.container"]
    assert [chunk.first_line for chunk in log.chunks] == [1, 200 - log.chunks[1].text.count("\n")]
    assert "only the beginning and the end were read" in log.cut


def test_large_objects_are_read_whole(large):
    pods = [{**POD, "metadata": {**POD["metadata"], "name": f"churn-6f7c9d7b5-{n:05}"}} for n in range(50)]
    large.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}, indent=1))
    assert len(collect_files([str(large)], Limits()).items["pods"]) == 50


def test_large_event_tables_are_read_whole(large):
    header, row = EVENTS.split("\n")[:2]
    large.write_text("\n".join([header, *(row.replace("zk2ql", f"{n:05}") for n in range(100))]))
    assert len(collect_files([str(large)], Limits()).items["events"]) == 100


def test_a_last_line_longer_than_what_is_looked_at_is_not_lost(large):
    large.write_text(f"{SERVER}{'x' * 6000}\n")
    (log,) = collect_files([str(large)], Limits(log_bytes=2048)).logs["logs.container"]
    assert log.chunks[-1].text.endswith("xxx")


def test_two_streams_of_a_large_text_are_sifted_once(large):
    large.write_text("nothing that speaks\n" * 500)
    asked = []

    def sieve(path: Path, stream: str) -> Log:
        asked.append(stream)
        return Log(stream=stream, source="")

    collection = collect_files([str(large)], Limits(), sieve=sieve)
    assert set(collection.logs) == {"logs.container", "logs.deployment"}
    assert asked == ["logs.container"]
