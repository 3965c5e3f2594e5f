"""The items of a stream by the values of their fields: a test runs once for each value, not once for each item.

A fleet of pods that fail alike has thousands of items and few different values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from diagnose.engine.rule import Matcher
from diagnose.model import Item
from diagnose.patterns import search

_Column = Mapping[tuple[bool, object], list[int]]
"""Positions of items by the value they have; the bool tells True from 1."""


class Columns:
    """All items of the evidence, prepared for being selected from again and again."""

    def __init__(self, items: Mapping[str, Sequence[Item]]) -> None:
        self._items = items
        self._columns: dict[tuple[str, str], _Column] = {}

    def chosen(self, stream: str, where: Sequence[Matcher]) -> Iterator[tuple[Item, dict[str, str]]]:
        """The items of ``stream`` for which all tests hold, in their order, each with what the tests captured."""
        items = self._items.get(stream, ())
        if not items:
            return
        left: Sequence[int] = range(len(items))
        captured: dict[int, Mapping[int, Mapping[str, str]]] = {}
        for number in sorted(range(len(where)), key=lambda n: len(self._column(stream, where[n].field))):
            captured[number] = self._passed(stream, where[number], left)
            left = sorted(captured[number])
            if not left:
                return
        for position in left:
            captures: dict[str, str] = {}
            for number in range(len(where)):
                captures |= captured[number][position]
            yield items[position], captures

    def _column(self, stream: str, field: str) -> _Column:
        column = self._columns.get((stream, field))
        if column is None:
            found: dict[tuple[bool, object], list[int]] = {}
            for position, item in enumerate(self._items[stream]):
                value = getattr(item, field)
                found.setdefault((isinstance(value, bool), value), []).append(position)
            column = self._columns[stream, field] = found
        return column

    def _passed(self, stream: str, matcher: Matcher, left: Sequence[int]) -> dict[int, Mapping[str, str]]:
        """Of the positions ``left`` those for which the test holds."""
        column, items = self._column(stream, matcher.field), self._items[stream]
        if len(left) <= len(column):
            tested = ((position, _passes(matcher, getattr(items[position], matcher.field))) for position in left)
            return {position: found for position, found in tested if found is not None}
        among = left if isinstance(left, range) else set(left)
        passed: dict[int, Mapping[str, str]] = {}
        for (_, value), positions in column.items():
            found = _passes(matcher, value)
            if found is not None:
                passed |= {position: found for position in positions if position in among}
        return passed


def _passes(matcher: Matcher, value: object) -> Mapping[str, str] | None:
    """Captures of a test that holds (empty for most), None when it does not."""
    found = _TESTS[matcher.test](matcher, value)
    if matcher.negate:
        return {} if found is None else None
    return found


def _equals(matcher: Matcher, value: object) -> Mapping[str, str] | None:
    values = value if isinstance(value, tuple) else (value,)
    return {} if any(_same(one, wanted) for one in values for wanted in matcher.values) else None


def _same(value: object, wanted: object) -> bool:
    """Equal, and no bool taken for a number."""
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _regex(matcher: Matcher, value: object) -> Mapping[str, str] | None:
    texts = value if isinstance(value, tuple) else (value,)
    found = (search(matcher.pattern, str(text)) for text in texts if text is not None and matcher.pattern)
    return next((captures for captures in found if captures is not None), None)


def _exists(matcher: Matcher, value: object) -> Mapping[str, str] | None:
    return {} if (value not in (None, "", ())) is bool(matcher.values[0]) else None


def _compare(holds: Callable[[float, float], bool], matcher: Matcher, value: object) -> Mapping[str, str] | None:
    bound = matcher.values[0]
    if not isinstance(value, (int, float)) or not isinstance(bound, (int, float)):
        return None
    return {} if holds(value, bound) else None


_TESTS: Mapping[str, Callable[[Matcher, object], Mapping[str, str] | None]] = {
    "equals": _equals,
    "regex": _regex,
    "exists": _exists,
    "above": partial(_compare, lambda value, bound: value > bound),
    "below": partial(_compare, lambda value, bound: value < bound),
    "at_least": partial(_compare, lambda value, bound: value >= bound),
    "at_most": partial(_compare, lambda value, bound: value <= bound),
}
