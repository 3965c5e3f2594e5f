"""Quotas, limit ranges, claims, autoscalers and nodes."""

from __future__ import annotations

import pytest
from made_objects import Data, meta, seen

from diagnose.collectors.kubernetes import capacity


@pytest.mark.parametrize(
    ("used", "hard", "ratio"),
    [("100m", "100m", 1.0), ("1", "4", 0.25), ("64Mi", "1Gi", 0.0625), ("0", "0", 1.0), ("x", "4", None)],
)
def test_a_quota_is_used_to_a_share(used: str, hard: str, ratio: float | None) -> None:
    quota = {"metadata": meta("team"), "status": {"hard": {"cpu": hard}, "used": {"cpu": used}}}
    (item,) = capacity.quotas(seen(resourcequotas=[quota]))
    assert (item.resource, item.used, item.hard, item.ratio_used) == ("cpu", used, hard, ratio)


def test_a_quota_without_a_status_shows_what_it_will_allow() -> None:
    (item,) = capacity.quotas(seen(resourcequotas=[{"metadata": meta("team"), "spec": {"hard": {"pods": 4}}}]))
    assert (item.hard, item.used, item.ratio_used) == ("4", "", None)


def test_a_limit_range_has_an_item_for_each_resource() -> None:
    limit = {"type": "Container", "max": {"memory": "1Gi", "cpu": "2"}, "min": {"cpu": "10m"}}
    items = capacity.limits(seen(limitranges=[{"metadata": meta("small"), "spec": {"limits": [limit]}}]))
    assert [(one.type, one.resource, one.minimum, one.maximum) for one in items] == [
        ("Container", "cpu", "10m", "2"),
        ("Container", "memory", "", "1Gi"),
    ]


def test_a_claim_says_what_it_waits_for() -> None:
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "8Gi"}}}
    claim = {"metadata": meta("data"), "spec": spec, "status": {"phase": "Pending"}}
    (item,) = capacity.claims(seen(persistentvolumeclaims=[claim]))
    assert (item.phase, item.storage_class, item.requested) == ("Pending", "fast", "8Gi")


@pytest.mark.parametrize(("desired", "at_max"), [(3, True), (2, False), (None, False)])
def test_an_autoscaler_may_be_at_its_end(desired: int | None, at_max: bool) -> None:
    target = {"kind": "Deployment", "name": "web"}
    scaler = {
        "metadata": meta("web"),
        "spec": {"scaleTargetRef": target, "maxReplicas": 3},
        "status": {"desiredReplicas": desired},
    }
    (item,) = capacity.autoscalers(seen(horizontalpodautoscalers=[scaler]))
    assert (item.at_max, item.min_replicas, item.target) == (at_max, 1, "Deployment/web")


def node(**parts: Data) -> Data:
    return {"metadata": {"name": "gpu-1", "labels": parts.pop("labels", {})}, **parts}


def test_a_node_tells_its_pressures_taints_and_gpus() -> None:
    conditions = [{"type": "Ready", "status": "Unknown"}, {"type": "DiskPressure", "status": "True"}]
    allocatable = {"cpu": "3860m", "memory": "12880476Ki", "nvidia.com/gpu": "2"}
    taint = {"key": "sku", "value": "gpu", "effect": "NoSchedule"}
    (item,) = capacity.nodes(
        seen(
            nodes=[
                node(
                    labels={"node.kubernetes.io/instance-type": "Standard_NC6"},
                    spec={"unschedulable": True, "taints": [taint]},
                    status={"conditions": conditions, "allocatable": allocatable},
                )
            ]
        )
    )
    assert (item.ready, item.unschedulable, item.disk_pressure, item.memory_pressure) == ("Unknown", True, True, False)
    assert (item.cpu_allocatable, item.memory_allocatable_mib, item.gpus) == (3.86, 12578.59, 2)
    assert (item.taints, item.instance_type) == (("sku=gpu:NoSchedule",), "Standard_NC6")
    assert (str(item.subject), item.source) == ("kubernetes", "kubectl get node gpu-1 -o yaml")
