"""Things by the subject they concern, so that finding what joins a pod does not take longer the more pods there are."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Generic, TypeVar

from diagnose.model import Subject

T = TypeVar("T")


class ByPlace(Generic[T]):
    """Things with their subjects; looked up by pod, else by workload, where these are known."""

    def __init__(self, things: Iterable[tuple[Subject, T]]) -> None:
        self._entries = [(number, subject, thing) for number, (subject, thing) in enumerate(things)]
        self._by_pod: dict[tuple[str | None, str | None], list[tuple[int, Subject, T]]] = {}
        self._by_workload: dict[tuple[str | None, str | None], list[tuple[int, Subject, T]]] = {}
        for entry in self._entries:
            self._by_pod.setdefault(_pod(entry[1]), []).append(entry)
            self._by_workload.setdefault(_workload(entry[1]), []).append(entry)

    def joining(self, subject: Subject) -> list[T]:
        """What may concern ``subject``, in the order given."""
        for index, key in ((self._by_pod, _pod(subject)), (self._by_workload, _workload(subject))):
            if key != _ANY:
                near = sorted([*index.get(key, ()), *index.get(_ANY, ())], key=itemgetter(0))
                return [thing for _, own, thing in near if own.joins(subject)]
        return [thing for _, own, thing in self._entries if own.joins(subject)]


_ANY = (None, None)
"""Key of what does not know its pod, or its workload: it may join any."""


def _pod(subject: Subject) -> tuple[str | None, str | None]:
    return (subject.namespace, subject.pod) if subject.namespace and subject.pod else _ANY


def _workload(subject: Subject) -> tuple[str | None, str | None]:
    return (subject.namespace, subject.workload) if subject.namespace and subject.workload else _ANY
