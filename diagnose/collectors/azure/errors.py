"""What Azure's answers say when they refuse: one shape for its many kinds of error bodies."""

from __future__ import annotations

from dataclasses import dataclass

from diagnose.model import Why


@dataclass
class AzureError(Exception):
    """A call that brought no answer, or a refusal. Its text never holds a token or a signature."""

    code: str
    message: str
    status: int | None = None
    """HTTP status; None when no answer came."""
    why: Why = Why.FAILED
    needs: str = ""
    """What would make it work, where the error itself tells: sign in again, another tenant, more time."""
    sign_in: bool = False
    """The sign-in failed, or the token was refused: no further call will do better."""

    def __str__(self) -> str:
        answer = " ".join(filter(None, (f"HTTP {self.status}" if self.status else "", self.code)))
        return ": ".join(filter(None, (answer, self.message)))
