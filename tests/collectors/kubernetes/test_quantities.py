"""Numbers as Kubernetes writes them."""

from __future__ import annotations

import pytest

from diagnose.collectors.kubernetes.quantities import cores, mebibytes, number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2.0),
        ("500m", 0.5),
        ("1.5", 1.5),
        ("64Mi", 67108864.0),
        ("1G", 1e9),
        ("128974848", 128974848.0),
        ("129e6", 129e6),
        ("100k", 1e5),
        (3, 3),
        ("", None),
        ("lots", None),
        (None, None),
    ],
)
def test_a_quantity_is_a_number_or_nothing(text: str | int | None, value: float | None) -> None:
    assert number(text) == value


def test_cpu_and_memory_have_their_units() -> None:
    assert (cores({"cpu": "250m"}), mebibytes({"memory": "1Gi"})) == (0.25, 1024.0)
    assert (cores({}), mebibytes({})) == (None, None)
