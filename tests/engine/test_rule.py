"""Three-valued conditions and filled texts."""

from __future__ import annotations

import itertools

import pytest

from diagnose.engine.rule import filled, kleene


@pytest.mark.parametrize(("left", "right"), list(itertools.product((True, False, None), repeat=2)))
def test_unknown_counts_only_where_it_decides(left: bool | None, right: bool | None) -> None:
    values = {"a": left, "b": right}
    both, either = kleene(("a", "b", "and"), values), kleene(("a", "b", "or"), values)
    assert both is (False if False in (left, right) else None if None in (left, right) else True)
    assert either is (True if True in (left, right) else None if None in (left, right) else False)
    assert kleene(("a", "not"), values) is (None if left is None else not left)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{seen.model} in {pod}", "churn in churn-a"),
        ("{seen.dir|the folder}", "the folder"),
        ("{seen.dir|}", ""),
        ("{seen.dir}", "<dir>"),
        ("{seen.dir|seen.model|a model}", "churn"),
        ("{seen.dir|other.dir|the folder}", "the folder"),
        ("-o jsonpath='{.status}' {pod}", "-o jsonpath='{.status}' churn-a"),
    ],
)
def test_placeholders_are_filled_or_stand_as_gaps(text: str, expected: str) -> None:
    known = {("seen", "model"): "churn", ("pod", None): "churn-a"}
    assert filled(text, lambda name, field: known.get((name, field))) == expected
