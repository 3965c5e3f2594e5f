"""Kubernetes quantities as numbers: ``500m`` is 0.5, ``64Mi`` is 67108864."""

from __future__ import annotations

from collections.abc import Mapping

_DECIMAL = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}
_SUFFIXES = _DECIMAL | _BINARY
_MIB = 2.0**20


def number(quantity: str | int | float | None) -> float | None:
    """The value, or None when there is none or it makes no sense."""
    if quantity is None or isinstance(quantity, int | float):
        return quantity
    text = quantity.strip()
    suffix = next((s for s in (text[-2:], text[-1:]) if s in _SUFFIXES), "")
    try:
        return float(text.removesuffix(suffix)) * _SUFFIXES.get(suffix, 1.0)
    except ValueError:
        return None


def cores(amounts: Mapping[str, str | int | float]) -> float | None:
    """The ``cpu`` among ``amounts``."""
    value = number(amounts.get("cpu"))
    return None if value is None else round(value, 6)


def mebibytes(amounts: Mapping[str, str | int | float]) -> float | None:
    """The ``memory`` among ``amounts``, in MiB."""
    value = number(amounts.get("memory"))
    return None if value is None else round(value / _MIB, 3)
