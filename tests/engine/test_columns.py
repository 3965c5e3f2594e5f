"""Choosing items by the values of their fields."""

from __future__ import annotations

from typing import Any

from diagnose.engine.columns import Columns
from diagnose.engine.rule import Matcher
from diagnose.model import Item
from diagnose.patterns import Pattern
from diagnose.streams import Container


def containers(**values: Any) -> Columns:
    """One container for each value of the one field."""
    ((field, several),) = values.items()
    return Columns(
        {"containers": tuple(Container(source="x", name=str(n), **{field: v}) for n, v in enumerate(several))}
    )


def names(columns: Columns, *where: Matcher, stream: str = "containers") -> list[str]:
    return [item.name for item, _ in columns.chosen(stream, where) if isinstance(item, Container)]


def test_items_come_in_their_order() -> None:
    columns = containers(reason=["a", "b", "a", "c", "a"])
    assert names(columns, Matcher("reason", "equals", ("a",))) == ["0", "2", "4"]
    assert names(columns, Matcher("reason", "equals", ("c", "b"))) == ["1", "3"]
    assert names(columns, Matcher("reason", "equals", ("a",), negate=True)) == ["1", "3"]


def test_all_tests_have_to_hold_in_whatever_order() -> None:
    items: tuple[Item, ...] = tuple(
        Container(source="x", name=str(n), reason="a" if n % 2 else "b", restarts=n, image=f"image-{n}")
        for n in range(10)
    )
    where = [
        Matcher("image", "regex", pattern=Pattern(r"image-(?P<number>\d+)")),
        Matcher("restarts", "above", (4,)),
        Matcher("reason", "equals", ("a",)),
    ]
    for several in (where, where[::-1]):
        found = list(Columns({"containers": items}).chosen("containers", several))
        assert [captures for _, captures in found] == [{"number": "5"}, {"number": "7"}, {"number": "9"}]


def test_true_is_not_one() -> None:
    columns = containers(exit_code=[1, True, 0, False, None])
    assert names(columns, Matcher("exit_code", "equals", (1,))) == ["0"]
    assert names(columns, Matcher("exit_code", "equals", (True,))) == ["1"]
    assert names(columns, Matcher("exit_code", "equals", (None,))) == ["4"]


def test_a_list_of_values_matches_by_any_of_them() -> None:
    columns = containers(environment=[("A", "B"), ("C",), ()])
    assert names(columns, Matcher("environment", "equals", ("B",))) == ["0"]
    assert names(columns, Matcher("environment", "exists", (True,))) == ["0", "1"]


def test_without_tests_all_are_chosen_and_without_items_none() -> None:
    assert names(containers(reason=["a", "b"])) == ["0", "1"]
    assert names(Columns({}), Matcher("reason", "equals", ("a",))) == []
