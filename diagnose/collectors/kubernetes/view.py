"""What every conversion from objects to evidence needs: the objects, the clock, and whose is what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.kinds import PLACE, Objects
from diagnose.collectors.kubernetes.owners import Owners
from diagnose.model import Subject


@dataclass(frozen=True)
class View:
    """Objects at a moment."""

    objects: Objects
    now: datetime
    file: str = ""
    """The file the objects come from; empty when they come from a cluster."""

    @cached_property
    def owners(self) -> Owners:
        """Whose pod is whose among these objects."""
        return Owners(self.objects)

    @cached_property
    def pods_by_namespace(self) -> Mapping[str, list[schema.Pod]]:
        """Pods that can have an endpoint: not the finished ones."""
        found: dict[str, list[schema.Pod]] = {}
        for pod in self.objects.pods:
            if pod.status.phase not in ("Succeeded", "Failed"):
                found.setdefault(pod.metadata.namespace, []).append(pod)
        return found

    def source(self, namespace: str, command: str) -> str:
        """The file, or else the command that prints the same."""
        return self.file or f"kubectl -n {namespace} {command}"

    def age_s(self, time: datetime | None) -> float | None:
        """Seconds since ``time``, never below 0: clocks of nodes differ."""
        return None if time is None else max(0.0, (self.now - utc(time)).total_seconds())

    def subject(self, meta: schema.Meta, workload: str | None = None) -> Subject:
        """A fact about an object in a namespace."""
        return Subject(PLACE, meta.namespace or None, workload)

    def pod_subject(self, pod: schema.Pod, container: str | None = None) -> Subject:
        """A fact about a pod or one of its containers."""
        owner = self.owners.of_pod(pod)
        return Subject(PLACE, pod.metadata.namespace or None, owner.name, pod.metadata.name, container)


def utc(time: datetime) -> datetime:
    """With a zone: files written by other programs may have none, and mean UTC."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def moment(*times: datetime | None) -> datetime | None:
    """The first that is known."""
    return next((utc(time) for time in times if time is not None), None)


def pairs(labels: Mapping[str, str]) -> str:
    """``app=churn,tier=web``, in a fixed order."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Every pair of a selector is among the labels; an empty selector selects nothing."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def condition(conditions: list[schema.Condition], kind: str) -> schema.Condition | None:
    """The condition of that type."""
    return next((one for one in conditions if one.type == kind), None)
