"""Many regular expressions over a text in one pass, in linear time whatever the expressions are.

Hyperscan finds the lines (all expressions at once), RE2 confirms each and takes the captures. Both work on bytes, so
invalid UTF-8 does no harm. Neither knows look-around or back references, and none of their expressions can hang.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import hyperscan
import re2

_NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression for one line of text."""

    expression: str
    ignore_case: bool = False
    once: bool = False
    """A scan need only find the first line: for expressions that may match every other line."""


class PatternError(ValueError):
    """An expression that one of the two engines does not accept; the text says what is wrong with it."""


def _expression(pattern: Pattern) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = not pattern.ignore_case
    options.log_errors = False
    try:
        return re2.compile(pattern.expression.encode(), options)
    except re2.error as error:
        raise PatternError(error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)) from error


def literal(text: str, *, ignore_case: bool = False) -> Pattern:
    """The pattern that matches ``text`` as it stands."""
    escaped = (f"\\{letter}" if letter in r"\.+*?()|[]{}^$" else letter for letter in text)
    return Pattern("".join(escaped), ignore_case)


def search(pattern: Pattern, text: str) -> Mapping[str, str] | None:
    """Named captures of the first match in ``text`` (empty when there are none), or None without a match."""
    found = _compiled(pattern).search(text.encode("utf-8", "surrogateescape"))
    if found is None:
        return None
    return {name.decode(): (value or b"").decode("utf-8", "replace") for name, value in found.groupdict().items()}


def matched(pattern: Pattern, text: str) -> str:
    """The first piece of ``text`` that matches; empty without one."""
    found = _compiled(pattern).search(text.encode("utf-8", "surrogateescape"))
    return (found.group(0) or b"").decode("utf-8", "surrogateescape") if found else ""


_CACHE: dict[Pattern, Any] = {}


def _compiled(pattern: Pattern) -> Any:
    """Compiled once a process: a scan meets the same few patterns again and again."""
    if pattern not in _CACHE:
        _CACHE[pattern] = _expression(pattern)
    return _CACHE[pattern]


def captures(pattern: Pattern) -> frozenset[str]:
    """Names of the captures. Raises PatternError when RE2 refuses the expression, or it matches the empty text."""
    compiled = _compiled(pattern)
    if compiled.search(b"") is not None:
        raise PatternError("matches an empty text, so it would match every text")
    return frozenset(name.decode() for name in compiled.groupindex)


def check_for_scan(pattern: Pattern) -> None:
    """Raises PatternError when the expression can not run over logs together with all others."""
    try:
        hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK).compile(
            expressions=[pattern.expression.encode()], flags=[_flags(pattern)]
        )
    except hyperscan.error as error:
        raise PatternError(str(error)) from error


def _flags(pattern: Pattern) -> int:
    flags: int = hyperscan.HS_FLAG_MULTILINE
    if pattern.ignore_case:
        flags |= hyperscan.HS_FLAG_CASELESS
    return flags | (hyperscan.HS_FLAG_SINGLEMATCH if pattern.once else 0)


class PatternSet:
    """A compiled set; ids in results are positions in ``patterns``. Safe to use from several threads."""

    def __init__(self, patterns: Sequence[Pattern], database: bytes = b"") -> None:
        """``database`` is what ``dump`` gave for the same patterns; a misfit raises PatternError at use."""
        self.patterns = tuple(patterns)
        self._dump = database
        self._threads = threading.local()

    @cached_property
    def _database(self) -> Any:
        if self._dump:
            try:
                return hyperscan.loadb(self._dump, mode=hyperscan.HS_MODE_BLOCK)
            except (hyperscan.error, ValueError) as error:
                raise PatternError(f"saved pattern database does not fit: {error}") from error
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                expressions=[pattern.expression.encode() for pattern in self.patterns],
                ids=list(range(len(self.patterns))),
                flags=[_flags(pattern) for pattern in self.patterns],
            )
        except hyperscan.error as error:
            raise PatternError(str(error)) from error
        return database

    def dump(self) -> bytes:
        """The compiled database, for a cache: compiling 200 patterns takes 0.2 s, loading them 2 ms."""
        return self._dump or bytes(hyperscan.dumpb(self._database))

    def lines(
        self, data: bytes | bytearray, start: int = 0, end: int | None = None
    ) -> dict[int, list[tuple[int, int]]]:
        """The lines (start and end offset in ``data``, no newline) each pattern matches from ``start`` to ``end``."""
        stop = len(data) if end is None else end
        if not self.patterns or start >= stop:
            return {}
        candidates: dict[int, list[tuple[int, int]]] = {}

        def note(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            # A pattern that ends in white space may take the newline too: its line is the one before.
            at = start + to - (data[start + to - 1] == _NEWLINE)
            known = candidates.get(number)
            if known is None:
                known = candidates[number] = []
            elif at <= known[-1][1]:
                return
            newline = data.find(b"\n", at, stop)
            known.append((max(start, data.rfind(b"\n", start, at) + 1), newline if newline >= 0 else stop))

        with memoryview(data) as view:
            self._database.scan(view[start:stop], note, scratch=self._scratch())
        confirmed = {
            number: [span for span in spans if _compiled(self.patterns[number]).search(bytes(data[slice(*span)]))]
            for number, spans in candidates.items()
        }
        return {number: spans for number, spans in confirmed.items() if spans}

    def _scratch(self) -> Any:
        if not hasattr(self._threads, "scratch"):
            self._threads.scratch = hyperscan.Scratch(self._database)
        return self._threads.scratch
