"""Whose pod is whose: from a pod up to the workload that made it, and which of its revisions is the newest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.kinds import Objects

HASH_LABEL = "pod-template-hash"
REVISION_LABEL = "controller-revision-hash"
_DEPLOYMENT_REVISION = "deployment.kubernetes.io/revision"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_HASH = re.compile("[bcdfghjklmnpqrstvwxz2456789]{1,10}")
_SUFFIX = re.compile("[bcdfghjklmnpqrstvwxz2456789]{5}")
"""The letters and digits that Kubernetes names things with: no vowels, so that no words come out."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The workload at the top of a chain of owners; a pod that nothing made is its own."""

    kind: str
    name: str


def controller(meta: schema.Meta) -> schema.Owner | None:
    """The owner that made the object."""
    owners = meta.owner_references
    return next((one for one in owners if one.controller), owners[0] if owners else None)


def revision_number(workload: schema.Workload) -> str:
    """The revision a Deployment gave itself or its ReplicaSet; empty for others."""
    return workload.metadata.annotations.get(_DEPLOYMENT_REVISION, "")


class Owners:
    """Answers for the objects it was made with. What they do not tell is guessed from names the controllers give."""

    def __init__(self, objects: Objects) -> None:
        self._replicasets = {(one.metadata.namespace, one.metadata.name): one for one in objects.replicasets}
        self._pods = {(one.metadata.namespace, one.metadata.name): one for one in objects.pods}
        self._workloads = {(one.metadata.namespace, kind, one.metadata.name) for kind, one in objects.workloads()}
        self._newest = _newest_revisions(objects)

    def of_pod(self, pod: schema.Pod) -> Owner:
        """The workload at the top."""
        owner = controller(pod.metadata)
        if owner is None or owner.kind == "Node":
            return Owner("Pod", pod.metadata.name)
        if owner.kind != "ReplicaSet":
            return Owner(owner.kind, owner.name)
        known = self._replicasets.get((pod.metadata.namespace, owner.name))
        if known is not None:
            return self.of_replicaset(known)
        suffix = "-" + pod.metadata.labels.get(HASH_LABEL, "")
        if len(suffix) > 1 and owner.name.endswith(suffix):
            return Owner("Deployment", owner.name.removesuffix(suffix))
        return Owner("ReplicaSet", owner.name)

    def of_replicaset(self, replicaset: schema.Workload) -> Owner:
        """Its Deployment, or what else made it, or itself."""
        owner = controller(replicaset.metadata)
        return Owner(owner.kind, owner.name) if owner else Owner("ReplicaSet", replicaset.metadata.name)

    def of_name(self, namespace: str, kind: str, name: str) -> Owner | None:
        """The workload of an object of which only the name is left: an event may outlive its pod."""
        if kind == "Pod" and (pod := self._pods.get((namespace, name))):
            return self.of_pod(pod)
        if kind == "ReplicaSet" and (replicaset := self._replicasets.get((namespace, name))):
            return self.of_replicaset(replicaset)
        if kind in ("Pod", "ReplicaSet"):
            return self._by_prefix(namespace, kind, name)
        return self._workload(namespace, kind, name)

    def _by_prefix(self, namespace: str, kind: str, name: str) -> Owner | None:
        """By the way controllers name what they make: ``web-5c6b8885ff-4wwmb``, ``db-0``, ``agent-x7k2p``."""
        prefix, _, suffix = name.rpartition("-")
        if kind == "ReplicaSet":
            return self._workload(namespace, "Deployment", prefix) if _HASH.fullmatch(suffix) else None
        if suffix.isdecimal() and (found := self._workload(namespace, "StatefulSet", prefix)):
            return found
        if not _SUFFIX.fullmatch(suffix):
            return None
        if replicaset := self._replicasets.get((namespace, prefix)):
            return self.of_replicaset(replicaset)
        return self._by_prefix(namespace, "ReplicaSet", prefix) or self._workload(namespace, "DaemonSet", prefix)

    def _workload(self, namespace: str, kind: str, name: str) -> Owner | None:
        return Owner(kind, name) if (namespace, kind, name) in self._workloads else None

    def is_current(self, pod: schema.Pod) -> bool | None:
        """The pod belongs to the newest revision of its workload; None when that is not known."""
        top = self.of_pod(pod)
        if top.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
            return True
        newest = self._newest.get((pod.metadata.namespace, top.kind, top.name))
        return None if not newest else newest == _revision_name(pod, top.kind)


def _revision_name(pod: schema.Pod, kind: str) -> str:
    owner = controller(pod.metadata)
    name = owner.name if owner else ""
    return name if kind == "Deployment" else pod.metadata.labels.get(REVISION_LABEL, "").removeprefix(f"{name}-")


def _newest_revisions(objects: Objects) -> dict[tuple[str, str, str], str]:
    """By namespace, kind and name of the workload: the ReplicaSet of a Deployment, the revision hash of others."""
    newest: dict[tuple[str, str, str], str] = {}
    for replicaset in sorted(objects.replicasets, key=_age_of_revision):
        owner = controller(replicaset.metadata)
        if owner is not None:
            newest[(replicaset.metadata.namespace, owner.kind, owner.name)] = replicaset.metadata.name
    for revision in sorted(objects.controllerrevisions, key=lambda one: one.revision):
        owner = controller(revision.metadata)
        if owner is not None:
            hashed = revision.metadata.labels.get(REVISION_LABEL) or revision.metadata.name
            newest[(revision.metadata.namespace, owner.kind, owner.name)] = hashed.removeprefix(f"{owner.name}-")
    for one in objects.statefulsets:
        hashed = one.status.update_revision.removeprefix(f"{one.metadata.name}-")
        if hashed:
            newest[(one.metadata.namespace, "StatefulSet", one.metadata.name)] = hashed
    return newest


def _age_of_revision(replicaset: schema.Workload) -> tuple[int, datetime]:
    number = revision_number(replicaset)
    return (int(number) if number.isdecimal() else 0, replicaset.metadata.creation_timestamp or _LONG_AGO)
