"""The errors a user can meet: each says what failed, on which object, and what to do."""

from __future__ import annotations


class DiagnoseError(Exception):
    """One clear line for the user; ``exit_code`` is what the command ends with."""

    exit_code = 3


class InputError(DiagnoseError):
    """A path, option or file given by the user that can not be used."""

    exit_code = 2


class RuleError(DiagnoseError):
    """One or more mistakes in rule files; ``mistakes`` holds ``file:line: what is wrong, what to write``."""

    exit_code = 2

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class CollectorError(DiagnoseError):
    """A source that could not be read. ``needs`` names the role, verb or option that would make it readable."""

    def __init__(self, message: str, *, needs: str = "") -> None:
        self.needs = needs
        super().__init__(message)
