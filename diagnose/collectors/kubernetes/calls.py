"""Jobs on daemon threads, each with its own deadline: one that hangs holds up neither the run nor its end."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from diagnose.collectors import Limits

WORKERS = 64
"""Jobs under way at once. 50 logs at 50 ms a call take one round; with 128 the cost of threads is more than is won."""

_MOST_PAUSED_S = 10.0
"""A server that keeps asking to come back later costs no more than one that hangs."""

_GRACE_S = 0.1
"""A job notices the end of its time by itself; whoever waits gives it this long to say so."""

T = TypeVar("T")


class Clock:
    """The time a job has. It makes one call after the other, and each has its own deadline."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.until = limits.deadline
        self._may_pause_s = max(_MOST_PAUSED_S, limits.call_s)

    def renew(self) -> float:
        """Begin a call: the seconds it may take."""
        allowed_s = self.limits.left_s()
        self.until = time.monotonic() + allowed_s
        return allowed_s

    def over(self) -> bool:
        """The present call has taken its time, or the user wants no more."""
        return time.monotonic() >= self.until or self.limits.stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait before another call; False, at once, where that would take too long."""
        end = time.monotonic() + seconds
        if end >= self.limits.deadline or seconds > self._may_pause_s:
            return False
        self._may_pause_s -= seconds
        self.until = end
        return not self.limits.stop.wait(seconds)


class Job(Generic[T]):
    """Work that was handed to ``Calls``."""

    def __init__(self, calls: Calls, clock: Clock, work: Callable[[Clock], T]) -> None:
        self._calls = calls
        self._clock = clock
        self._work = work
        self._ended = threading.Event()
        self._answer: T | None = None
        self._error: BaseException | None = None
        self._left_behind = False

    def run(self) -> None:
        """Do it, on the thread of a worker."""
        limits = self._clock.limits
        if time.monotonic() >= limits.deadline or limits.stop.is_set():
            return
        try:
            self._answer = self._work(self._clock)
        except BaseException as error:  # noqa: BLE001  it is raised again where the answer is wanted
            self._error = error
        self._ended.set()

    def wait(self) -> bool:
        """True once it ended; False when its time is over or the user interrupts: then it is waited for no more."""
        while not self._left_behind:
            left_s = self._clock.until + _GRACE_S - time.monotonic()
            if self._ended.wait(min(max(0.0, left_s), _GRACE_S)):
                return True
            if time.monotonic() >= self._clock.until + _GRACE_S or self._clock.limits.stop.is_set():
                self._left_behind = True
                self._calls.replace_worker()
        return self._ended.is_set()

    def answer(self) -> T:
        """What the work returned or raised. Raises TimeoutError when its time is over."""
        if not self.wait():
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._answer  # type: ignore[return-value]  # None only where the work returns None


class Calls:
    """Up to WORKERS jobs at a time; further ones wait their turn. Threads end when there is nothing to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places = WORKERS
        self._busy = 0
        self._queue: deque[Callable[[], None]] = deque()

    def start(self, limits: Limits, work: Callable[[Clock], T]) -> Job[T]:
        """Begin ``work`` as soon as there is a place for it."""
        job = Job(self, Clock(limits), work)
        with self._lock:
            self._queue.append(job.run)
        self._fill()
        return job

    def replace_worker(self) -> None:
        """Give the place of a job that hangs to the next one."""
        with self._lock:
            self._places += 1
        self._fill()

    def _fill(self) -> None:
        with self._lock:
            if not self._queue or self._busy >= self._places:
                return
            self._busy += 1
        threading.Thread(target=self._serve, name="kubernetes", daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._busy -= 1
                    return
                run = self._queue.popleft()
            run()
