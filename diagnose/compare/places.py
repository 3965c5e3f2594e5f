"""Whose a finding is, in a way that survives new pods: its namespace and workload, from a subject or from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from diagnose.compare.model import Place
from diagnose.model import Subject

_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
"""Kubernetes names what it makes without vowels and what looks like them."""
_POD = re.compile(rf"(?P<workload>[a-z0-9.-]+)-{_HASH}{{6,10}}-{_HASH}{{5}}")
_WITHOUT_NAMESPACE = ("docker", "aci", "endpoint", "azure")


def places_of(subjects: Iterable[Subject]) -> tuple[Place, ...]:
    """Of subjects; at least one, which may be that nothing is known."""
    return _distinct(Place(one.namespace, one.workload or _workload_of(one.pod)) for one in subjects)


def places_named(subjects: Iterable[str]) -> tuple[Place, ...]:
    """Of subjects as a JSON report writes them: the parts that are known, joined by slashes."""
    return _distinct(map(_named, subjects))


def _distinct(places: Iterable[Place]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(places)) or (Place(),)


def _named(subject: str) -> Place:
    place, *parts = subject.split("/")
    if place in _WITHOUT_NAMESPACE:
        return Place(None, parts[0] if parts else None)
    if place == "kubernetes":
        namespace, workload, *_ = (*parts, None, None)
        return Place(namespace, _workload_of(workload) or workload)
    workload, before = next(((w, parts[:i]) for i, part in enumerate(parts) if (w := _workload_of(part))), (None, []))
    others = [part for part in before if part != workload]
    return Place(others[0] if others else None, workload)


def _workload_of(pod: str | None) -> str | None:
    """The workload that the name of a pod tells of."""
    found = _POD.fullmatch(pod or "")
    return found["workload"] if found else None
