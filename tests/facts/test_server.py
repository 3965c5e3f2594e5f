"""What a model server's log tells of its own life."""

from __future__ import annotations

import pytest
from evidence import log

from diagnose.facts.server import server_runs

BOOT = "2026-11-22 12:00:01,000 I [7] gunicorn.error - Booting worker with pid: 7\n"
INIT = "2026-11-22 12:00:02,000 I [7] azmlinfsrv.user_script - Invoking user's init function\n"
DONE = "2026-11-22 12:00:32,500 I [7] azmlinfsrv.user_script - Users's init has completed successfully\n"
READY = "2026-11-22 12:00:33,000 I [7] azmlinfsrv - Worker with pid 7 ready for serving traffic\n"
FAILED = "2026-11-22 12:00:03,000 E [1] gunicorn.error - Reason: Worker failed to boot.\n"
KILLED = "2026-11-22 12:00:09,000 E [1] gunicorn.error - Worker (pid:7) was sent SIGKILL! Perhaps out of memory?\n"
TERM = "2026-11-22 12:00:59,000 I [1] gunicorn.error - Handling signal: term\n"
GOOD = '10.0.0.1 - - [22/Nov/2026:12:01:00 +0000] "POST /score HTTP/1.1" 200 5 "-" "-"\n'
BAD = '10.0.0.1 - - [22/Nov/2026:12:01:00 +0000] "POST /score HTTP/1.1" 500 5 "-" "-"\n'
PROBE = '10.0.0.1 - - [22/Nov/2026:12:01:00 +0000] "GET / HTTP/1.1" 200 7 "-" "kube-probe/1.29"\n'


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (BOOT + INIT + DONE + READY, "ready"),
        (BOOT + INIT + DONE, "ready"),
        (BOOT + INIT, "initialising"),
        (BOOT + INIT + FAILED, "failed"),
        (BOOT + INIT + FAILED + BOOT + INIT, "initialising"),
        (BOOT + INIT + KILLED + BOOT + INIT + KILLED + BOOT, "initialising"),
        (BOOT + INIT + TERM, "initialising"),
        (BOOT + INIT + DONE + READY + TERM, "stopped"),
        (BOOT + GOOD, "ready"),
        (PROBE, "ready"),
    ],
)
def test_how_the_log_ends(text: str, ends: str) -> None:
    (run,) = server_runs(log(text))
    assert run.ends == ends


def test_a_log_without_a_server_says_nothing() -> None:
    assert server_runs(log("Downloading the model\ndone\n")) == []


def test_requests_are_counted_by_answer_and_health_requests_apart() -> None:
    (run,) = server_runs(log(READY + GOOD + GOOD + BAD + PROBE))
    assert (run.served, run.failed, run.failed_last, run.probed) == (2, 1, True, 1)


def test_boots_kills_and_timeouts_are_counted() -> None:
    timeout = "2026-11-22 12:00:09,000 C [1] gunicorn.error - WORKER TIMEOUT (pid:7)\n"
    (run,) = server_runs(log(BOOT + INIT + KILLED + BOOT + INIT + timeout + BOOT))
    assert (run.boots, run.init_invoked, run.init_completed, run.killed, run.timeouts) == (3, 2, 0, 1, 1)


def test_the_time_init_takes_is_measured_to_its_completion() -> None:
    (run,) = server_runs(log(BOOT + INIT + DONE))
    assert run.init_s == 30.5


def test_the_time_of_an_init_that_never_ends_is_measured_to_the_end_of_the_log() -> None:
    (run,) = server_runs(log(BOOT + INIT + TERM))
    assert run.init_s == 57.0


def test_what_the_server_prints_of_itself_is_read() -> None:
    text = """\
        Azure ML Inferencing HTTP server v1.5.1
        Entry Script Name: /var/azureml-app/score.py
        Model Directory: None
        Worker Timeout (seconds): 60
        2026-11-22 12:00:01,000 I [1] gunicorn.error - Listening at: http://0.0.0.0:5001 (1)
        2026-11-22 12:00:01,000 I [7] gunicorn.error - Booting worker with pid: 7
        2026-11-22 12:00:01,000 I [7] azmlinfsrv - Model Directory Contents:
        2026-11-22 12:00:01,000 I [7] azmlinfsrv - 1/
        2026-11-22 12:00:01,000 I [7] azmlinfsrv -     model.onnx
        2026-11-22 12:00:01,000 I [7] gunicorn.error - Worker exiting (pid: 7)
    """
    (run,) = server_runs(log(text))
    assert (run.version, run.entry_script, run.model_dir, run.worker_timeout_s, run.listening) == (
        "1.5.1", "/var/azureml-app/score.py", "", 60.0, "0.0.0.0:5001",
    )  # fmt: skip
    assert run.model_dir_contents == ("1/", "    model.onnx")


def test_the_run_of_the_log_is_kept() -> None:
    (run,) = server_runs(log(BOOT, run="previous"))
    assert run.run == "previous"
