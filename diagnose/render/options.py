"""How a report is to be laid out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user asked for; each format takes what concerns it."""

    colour: bool = False
    width: int = 80
    """Columns of the terminal."""
    verbose: bool = False
    """All that is known."""
    quiet: bool = False
    """Only the answer; wins over ``verbose``."""
    fail_on: str = "error"
    """The severity from which on the run fails: what a pipeline shows as failed agrees with the exit code."""
