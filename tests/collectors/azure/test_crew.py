"""Tasks side by side: what breaks or hangs costs its own answer."""

from __future__ import annotations

import time
from threading import Event

from diagnose.collectors import Limits
from diagnose.collectors.azure.crew import Crew, together
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Subject, Why


def crew(seconds: float = 5) -> Crew:
    return Crew(Gathering(Subject("azure")), Limits(deadline=time.monotonic() + seconds))


def test_a_task_may_start_the_next() -> None:
    done: list[str] = []
    one = crew()

    def first() -> None:
        done.append("first")
        one.start(("vaults",), "second", lambda: done.append("second"))

    one.start(("vaults",), "first", first)
    one.finish()
    assert done == ["first", "second"]


def test_what_breaks_is_said_and_the_others_go_on() -> None:
    done: list[str] = []
    one = crew()

    def breaks() -> None:
        raise KeyError("x")

    one.start(("vaults", "access"), "the vault", breaks)
    one.start(("registries",), "the registry", lambda: done.append("registry"))
    one.finish()
    missing = one.gathering.collection(0).missing
    assert done == ["registry"]
    assert [(gap.stream, gap.why) for gap in missing] == [("vaults", Why.FAILED), ("access", Why.FAILED)]
    assert "KeyError" in missing[0].what


def test_what_hangs_is_left_behind_at_the_deadline() -> None:
    hangs = Event()
    one = crew(0.2)
    one.start(("vaults",), "the vault", lambda: hangs.wait(60))
    one.finish()
    (gap,) = one.gathering.collection(0).missing
    hangs.set()
    assert (gap.stream, gap.why) == ("vaults", Why.TIMED_OUT)
    assert "--timeout" in gap.needs


def test_ctrl_c_ends_the_waiting() -> None:
    hangs = Event()
    one = crew(60)
    one.start(("vaults",), "the vault", lambda: hangs.wait(60))
    one.limits.stop.set()
    one.finish()
    hangs.set()
    assert len(one.gathering.collection(0).missing) == 1


def test_together_hands_over_answers_errors_and_what_is_late() -> None:
    hangs = Event()

    def breaks() -> str:
        raise ValueError("no")

    def late() -> str:
        hangs.wait(60)
        return "late"

    limits = Limits(deadline=time.monotonic() + 0.3)
    answer, error, missed = together(limits, [lambda: "yes", breaks, late])
    hangs.set()
    assert answer == "yes"
    assert isinstance(error, ValueError)
    assert isinstance(missed, TimeoutError)
