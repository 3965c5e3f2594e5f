"""Looking things up by subject gives what comparing each with each would."""

from __future__ import annotations

from itertools import product

from diagnose.engine.places import ByPlace
from diagnose.model import Subject

SUBJECTS = [
    Subject("kubernetes", namespace, workload, pod, container)
    for namespace, workload, pod, container in product(
        (None, "a", "b"), (None, "w", "v"), (None, "p", "q"), (None, "c")
    )
]


def test_what_is_looked_up_is_what_joins_in_the_order_given() -> None:
    placed = ByPlace((subject, number) for number, subject in enumerate(SUBJECTS))
    for wanted in SUBJECTS:
        assert placed.joining(wanted) == [number for number, own in enumerate(SUBJECTS) if own.joins(wanted)], wanted
