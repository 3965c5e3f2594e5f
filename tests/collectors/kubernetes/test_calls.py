"""Jobs that end, hang and fail."""

from __future__ import annotations

import threading
import time

import pytest
from made_objects import seconds

from diagnose.collectors.kubernetes.calls import WORKERS, Calls, Clock


def test_a_job_gives_its_answer_or_its_error() -> None:
    calls = Calls()
    good = calls.start(seconds(5), lambda clock: 42)
    bad = calls.start(seconds(5), lambda clock: 1 // 0)
    assert good.answer() == 42
    with pytest.raises(ZeroDivisionError):
        bad.answer()


def test_more_jobs_than_workers_all_run() -> None:
    calls = Calls()
    jobs = [calls.start(seconds(5), lambda clock, number=number: number) for number in range(5 * WORKERS)]
    assert [job.answer() for job in jobs] == list(range(5 * WORKERS))


def test_as_many_jobs_run_at_once_as_there_are_workers_and_no_more() -> None:
    calls, together, running, most = Calls(), threading.Barrier(WORKERS), [0], [0]
    lock = threading.Lock()

    def work(clock: Clock) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait(10)
        with lock:
            running[0] -= 1

    for job in [calls.start(seconds(20), work) for _ in range(3 * WORKERS)]:
        job.answer()
    assert most[0] == WORKERS


def test_jobs_that_hang_do_not_keep_the_others_from_running() -> None:
    calls, release = Calls(), threading.Event()

    def hang(clock: Clock) -> None:
        clock.renew()
        release.wait()

    hanging = [calls.start(seconds(5, call_s=0.1), hang) for _ in range(WORKERS)]
    behind = [calls.start(seconds(5), lambda clock: "done") for _ in range(3)]
    for job in hanging:
        with pytest.raises(TimeoutError):
            job.answer()
    assert [job.answer() for job in behind] == ["done"] * 3
    release.set()


def test_a_job_whose_time_is_over_before_it_begins_never_does() -> None:
    ran = []
    job = Calls().start(seconds(-1), lambda clock: ran.append(1))
    with pytest.raises(TimeoutError):
        job.answer()
    assert ran == []


def test_a_call_may_begin_anew_while_it_is_waited_for() -> None:
    def two_calls(clock: Clock) -> str:
        for _ in range(3):
            clock.renew()
            time.sleep(0.15)
        return "both"

    assert Calls().start(seconds(5, call_s=0.2), two_calls).answer() == "both"


def test_a_pause_that_would_outlast_the_run_is_not_begun() -> None:
    clock = Clock(seconds(1))
    assert clock.pause(0.01)
    assert not clock.pause(60)


def test_an_interruption_ends_waiting_and_pausing() -> None:
    limits, release = seconds(3600, call_s=600), threading.Event()
    job = Calls().start(limits, lambda clock: release.wait())
    limits.stop.set()
    with pytest.raises(TimeoutError):
        job.answer()
    assert Clock(limits).over()
    assert not Clock(limits).pause(5)
    release.set()


def test_pauses_together_take_no_longer_than_a_call_that_hangs() -> None:
    clock = Clock(seconds(3600, call_s=0.1))
    assert clock.pause(0.01)
    assert not clock.pause(9.995)
