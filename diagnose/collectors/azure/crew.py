"""The tasks of one collection, side by side: one may start the next, and none holds up the run or its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import TypeVar

from diagnose.collectors import Limits
from diagnose.collectors.azure.gathering import Gathering
from diagnose.model import Missing, Why

_T = TypeVar("_T")
_LONGER = "allow more with --timeout"
_POLL_S = 0.1
"""How soon Ctrl-C is noticed."""


@dataclass(frozen=True, slots=True)
class _Task:
    streams: tuple[str, ...]
    what: str


@dataclass
class Crew:
    """Runs tasks that put what they read into ``gathering``."""

    gathering: Gathering
    limits: Limits
    _under_way: list[_Task] = field(default_factory=list)
    _changed: Condition = field(default_factory=Condition)

    def start(self, streams: Sequence[str], what: str, work: Callable[[], object]) -> None:
        """Begin ``work`` on its own thread. ``streams`` lack ``what``, in words, if it breaks or takes too long."""
        task = _Task(tuple(streams), what)
        with self._changed:
            self._under_way.append(task)
        Thread(target=self._run, args=(task, work), name="azure", daemon=True).start()

    def finish(self) -> None:
        """Wait until all is done, the deadline has come, or the user interrupts; then say what was not done."""
        with self._changed:
            while self._under_way and not self.limits.stop.is_set():
                left_s = self.limits.deadline - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(min(left_s, _POLL_S))
            late = list(self._under_way)
        for task in late:
            self._lost(task, Why.TIMED_OUT, "not done in time", _LONGER)

    def _run(self, task: _Task, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a collector that breaks costs its own answer, not the run
            self._lost(task, Why.FAILED, f"the collector broke: {type(error).__name__}", "please report this")
        with self._changed:
            self._under_way.remove(task)
            self._changed.notify_all()

    def _lost(self, task: _Task, why: Why, told: str, needs: str) -> None:
        for stream in task.streams:
            what = f"{task.what}: {told}"
            self.gathering.miss(Missing(stream=stream, why=why, what=what, needs=needs, subject=self.gathering.subject))


def together(limits: Limits, works: Sequence[Callable[[], _T]]) -> list[_T | Exception]:
    """What each of ``works`` returned or raised, side by side; TimeoutError for what was not done by the deadline."""
    results: list[_T | Exception] = [TimeoutError() for _ in works]

    def run(number: int, work: Callable[[], _T]) -> None:
        try:
            results[number] = work()
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            results[number] = error

    threads = [Thread(target=run, args=one, name="azure", daemon=True) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive() and time.monotonic() < limits.deadline and not limits.stop.is_set():
            thread.join(_POLL_S)
    return list(results)
