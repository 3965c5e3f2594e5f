"""The texts of a rule that are translated, for Babel: as the engine holds them, not as the file folds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from diagnose.engine.rule import Rule
from diagnose.engine.schema import compile_file
from diagnose.errors import RuleError


def extract(
    file: IO[bytes], keywords: object, comment_tags: object, options: Mapping[str, object]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Babel's extraction method for rule files: each text with the rule and its part as comment.

    Raises RuleError for a file that is no rule.
    """
    compiled, mistakes = compile_file(Path(file.name), file.name, alone=False)
    if compiled is None:
        raise RuleError(mistakes)
    for part, text in texts(compiled.rule):
        yield 1, None, text, [f"{compiled.rule.id}, {part}"]


def texts(rule: Rule) -> Iterator[tuple[str, str]]:
    """What people read of ``rule``, each with what it is: ``title``, ``explain``, ``fix 1``, ``fix 1 verify``.

    Commands are the same in every language.
    """
    parts = [("title", rule.title), ("explain", rule.explain)]
    for number, fix in enumerate(rule.fixes, start=1):
        parts += [(f"fix {number}", fix.text), (f"fix {number} verify", fix.verify)]
    yield from ((part, text) for part, text in parts if text)
