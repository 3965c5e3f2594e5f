"""Work that may hang where no time-out reaches: a name server, another program, a lock of somebody else's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_LOOK_S = 0.1
"""How often somebody who waits looks whether the user still wants it."""


def within(seconds: float, stop: threading.Event, work: Callable[[], _T]) -> _T:
    """What ``work`` returns or raises. Raises TimeoutError after ``seconds``, or when ``stop`` is set.

    Then the work is left behind, on a thread that does not keep the program from ending.
    """
    answers: list[_T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001  it is raised again where the answer is wanted
            errors.append(error)
        ended.set()

    threading.Thread(target=run, name="azure", daemon=True).start()
    until = time.monotonic() + seconds
    while not ended.wait(min(_LOOK_S, max(0.0, until - time.monotonic()))):
        if stop.is_set() or time.monotonic() >= until:
            raise TimeoutError
    for error in errors:
        raise error
    return answers[0]
