"""The only code, with targets, that talks to the outside: each collector brings evidence home, read-only."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

IMPORTS = threading.Lock()
"""Held while a client is imported. docker and kubernetes share packages, and two threads that import them at a time
may each wait for a half that the other has, and both end with an ImportError."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much a collection may take."""

    deadline: float = field(default_factory=lambda: time.monotonic() + 30)
    """``time.monotonic()`` at which the whole run ends: a partial answer is still an answer."""
    call_s: float = 10.0
    """Seconds one call to a source may take, so that a source that hangs costs its own deadline and not the run's."""
    since_s: float | None = None
    """Only log lines younger than this many seconds; None for all."""
    log_bytes: int = 4 * 1024 * 1024
    """Bytes kept of one log: its end, which is the one around a failure."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the user interrupts: hand over what is there."""

    def left_s(self) -> float:
        """Seconds one more call may take now; not above ``call_s``, and never below 0.05."""
        if self.stop.is_set():
            return 0.05
        return max(0.05, min(self.call_s, self.deadline - time.monotonic()))
