"""What is compared of containers, workloads and what surrounds them, in Kubernetes and Docker."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diagnose.compare.traits import Kind, Trait
from diagnose.model import Item
from diagnose.streams import Pod, Workload

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NAMELESS_VOLUME = re.compile(r"^[0-9a-f]{64} -> ")


def _digest(image_id: str) -> str:
    found = _DIGEST.search(image_id)
    return found[0] if found else image_id


def _mount(mount: str) -> str:
    return _NAMELESS_VOLUME.sub("a volume without a name -> ", mount)


def _on_top(item: Item) -> bool:
    """A ReplicaSet comes with every revision, and is told by its owner."""
    return not isinstance(item, Workload) or item.kind != "ReplicaSet" or item.subject.workload == item.name


def of_newest_revision(items: Sequence[Item], pods: Sequence[Item]) -> list[Item]:
    """Without those of pods that an older revision made, where the newest has any: these are on their way out."""
    known = [pod for pod in pods if isinstance(pod, Pod)]
    old = {(pod.subject.namespace, pod.name) for pod in known if pod.current is False}
    new = {(pod.subject.namespace, pod.subject.workload) for pod in known if pod.current}
    return [
        item
        for item in items
        if (item.subject.namespace, item.subject.pod) not in old
        or (item.subject.namespace, item.subject.workload) not in new
    ]


KINDS = (
    Kind(
        stream="containers",
        called="container {0.name}".format,
        area="container",
        names=("kind", "name"),
        within="workload",
        summary="image {0.image}".format,
        renamed=True,
        traits=(
            Trait(name="image", label="image", area="image"),
            Trait(name="image_id", label="image digest", area="image", shown=_digest),
            Trait(name="environment", label="environment variables", area="environment", each=True),
            Trait(name="memory_limit_mib", label="memory limit", area="resources", unit="MiB", none="none"),
            Trait(name="memory_request_mib", label="memory request", area="resources", unit="MiB", none="none"),
            Trait(name="cpu_limit", label="CPU limit", area="resources", unit="cores", none="none"),
            Trait(name="cpu_request", label="CPU request", area="resources", unit="cores", none="none"),
            Trait(name="readiness_probe", label="readiness probe", area="probes", none="none"),
            Trait(name="liveness_probe", label="liveness probe", area="probes", none="none"),
            Trait(name="startup_probe", label="start-up probe", area="probes", none="none"),
            Trait(name="command", label="command", none="that of the image"),
            Trait(name="ports", label="declared ports", each=True),
            Trait(name="published", label="published ports", each=True),
            Trait(name="mounts", label="mounts", each=True, shown=_mount),
            Trait(name="restart_policy", label="restart policy"),
            Trait(name="state", label="state", area="state"),
            Trait(name="reason", label="reason of the state", area="state", none="none"),
            Trait(name="restarts", label="restarts", area="state", total=True),
        ),
    ),
    Kind(
        stream="server",
        called="model server in {0.subject.container}".format,
        area="container",
        names=(),
        within="container",
        traits=(
            Trait(name="version", label="version"),
            Trait(name="entry_script", label="entry script"),
            Trait(name="model_dir", label="model folder"),
            Trait(name="listening", label="listens on"),
            Trait(name="worker_timeout_s", label="worker timeout", unit="s"),
        ),
    ),
    Kind(
        stream="workloads",
        called="{0.kind} {0.name}".format,
        area="replicas",
        names=("kind", "name"),
        chosen=_on_top,
        traits=(
            Trait(name="desired", label="wanted replicas"),
            Trait(name="ready", label="ready replicas", area="state"),
            Trait(name="revision", label="revision"),
            Trait(name="paused", label="rollout paused"),
            Trait(name="images", label="images", area="image", each=True),
        ),
    ),
    Kind(
        stream="autoscalers",
        called="autoscaler {0.name}".format,
        area="replicas",
        summary="{0.min_replicas} to {0.max_replicas}".format,
        traits=(
            Trait(name="target", label="target"),
            Trait(name="min_replicas", label="least replicas"),
            Trait(name="max_replicas", label="most replicas"),
        ),
    ),
    Kind(
        stream="services",
        called="service {0.name}".format,
        area="network",
        summary="{0.selector}".format,
        traits=(
            Trait(name="type", label="type"),
            Trait(name="selector", label="selector", each=True),
            Trait(name="labels_of_pods", label="labels of the pods", each=True),
            Trait(name="ports", label="ports", each=True),
            Trait(name="endpoints_ready", label="ready endpoints", area="state"),
        ),
    ),
    Kind(
        stream="quotas",
        called="quota {0.name}, {0.resource}".format,
        area="limits",
        names=("name", "resource"),
        summary="{0.hard}".format,
        traits=(Trait(name="hard", label="at most"), Trait(name="used", label="used", area="state")),
    ),
    Kind(
        stream="limits",
        called="limit range {0.name}, {0.resource} of a {0.type}".format,
        area="limits",
        names=("name", "type", "resource"),
        summary="{0.minimum} to {0.maximum}".format,
        traits=(
            Trait(name="minimum", label="at least", none="nothing"),
            Trait(name="maximum", label="at most", none="any"),
        ),
    ),
    Kind(
        stream="claims",
        called="volume claim {0.name}".format,
        area="limits",
        summary="{0.requested}".format,
        traits=(
            Trait(name="storage_class", label="storage class", none="none"),
            Trait(name="requested", label="size"),
            Trait(name="phase", label="state", area="state"),
        ),
    ),
)
