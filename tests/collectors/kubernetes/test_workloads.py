"""What workloads want and have."""

from __future__ import annotations

import pytest
from made_objects import Data, seen, workload

from diagnose.collectors.kubernetes.workloads import workloads


@pytest.mark.parametrize(
    ("replicas", "status", "short"),
    [
        (2, {"availableReplicas": 2}, 0),
        (2, {"availableReplicas": 1}, 1),
        (2, {}, 2),
        (None, {}, 1),
        (0, {}, 0),
        (1, {"availableReplicas": 3}, 0),
    ],
)
def test_short_is_what_is_not_available_of_what_is_wanted(replicas: int | None, status: Data, short: int) -> None:
    data = workload("web", status=status)
    data["spec"]["replicas"] = replicas
    (item,) = workloads(seen(deployments=[data]))
    assert item.short == short


def test_an_old_statefulset_that_does_not_tell_counts_by_what_is_ready() -> None:
    (item,) = workloads(seen(statefulsets=[workload("db", replicas=2, status={"readyReplicas": 1})]))
    assert (item.kind, item.available, item.short) == ("StatefulSet", 1, 1)


def test_a_paused_deployment_says_so() -> None:
    data = workload("web", {"isazuremlapp": "true"})
    data["spec"]["paused"] = True
    (item,) = workloads(seen(deployments=[data]))
    assert (item.paused, item.azureml) == (True, True)
