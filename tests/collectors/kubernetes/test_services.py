"""Services, the pods they select, and what stands behind them."""

from __future__ import annotations

import pytest
from made_objects import NAMESPACE, Data, meta, pod, seen, service, workload

from diagnose.collectors.kubernetes.services import services
from diagnose.streams import Service

WEB = {"app": "web"}


def of(data: Data, **others: list[Data]) -> Service:
    (item,) = services(seen(services=[data], **others))
    return item


def endpoint(name: str, ready: bool | None, address: str = "10.0.0.1") -> Data:
    return {"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}}


def piece(*endpoints: Data, name: str = "web") -> Data:
    return {"metadata": meta(f"{name}-x", {"kubernetes.io/service-name": name}), "endpoints": [*endpoints] or None}


def test_nothing_known_of_endpoints_is_not_the_same_as_none() -> None:
    assert of(service("web", WEB)).endpoints_ready is None
    assert of(service("web", WEB), endpoints=[]).endpoints_ready == 0


def test_addresses_are_counted_ready_and_not() -> None:
    subsets = [{"addresses": [{"ip": "1"}, {"ip": "2"}], "notReadyAddresses": [{"ip": "3"}]}, {"addresses": None}]
    found = of(service("web", WEB), endpoints=[{"metadata": meta("web"), "subsets": subsets}])
    assert (found.endpoints_ready, found.endpoints_not_ready) == (2, 1)


def test_a_pod_with_addresses_of_both_families_counts_once() -> None:
    slices = [piece(endpoint("a", True), endpoint("b", False)), piece(endpoint("a", True, "fd00::1"))]
    found = of(service("web", WEB), endpointslices=slices, endpoints=[])
    assert (found.endpoints_ready, found.endpoints_not_ready) == (1, 1)


def test_ready_null_means_ready() -> None:
    assert of(service("web", WEB), endpointslices=[piece(endpoint("a", None))]).endpoints_ready == 1


def test_slices_of_other_services_do_not_count() -> None:
    found = of(service("web", WEB), endpointslices=[piece(endpoint("a", True), name="other"), piece()])
    assert (found.endpoints_ready, found.endpoints_not_ready) == (0, 0)


@pytest.mark.parametrize(
    ("target", "declared", "unserved"),
    [
        (5001, [{"containerPort": 5001}], ""),
        (8080, [{"containerPort": 5001}], "8080"),
        ("http", [{"containerPort": 5001, "name": "http"}], ""),
        ("https", [{"containerPort": 5001, "name": "http"}], "https"),
        (8080, [], ""),
    ],
)
def test_a_target_port_that_nobody_declares_is_named(target: int | str, declared: list[Data], unserved: str) -> None:
    found = of(service("web", WEB, target), pods=[pod(labels=WEB, container={"ports": declared})])
    assert (found.ports, found.port_unserved) == ((f"80->{target}",), unserved)


def test_a_port_without_a_target_leads_to_the_same_number() -> None:
    assert of(service("web", WEB, ports=[{"port": 80}])).ports == ("80->80",)


def test_finished_pods_have_no_endpoints() -> None:
    found = of(service("web", WEB), pods=[pod("a", WEB), pod("b", WEB, phase="Failed")])
    assert found.pods_selected == 1


def test_labels_are_those_of_the_template_without_hashes() -> None:
    pods = [pod("web-1-x", {**WEB, "pod-template-hash": "1"}, ("ReplicaSet", "web-1"))]
    assert of(service("web", {"app": "other"}), pods=pods).labels_of_pods == "app=web"
    template = workload("web", {"app": "web", "tier": "front"})
    assert of(service("web", WEB), pods=pods, deployments=[template]).labels_of_pods == "app=web,tier=front"


def test_a_load_balancer_without_an_address_is_pending() -> None:
    waiting = service("web", WEB, type="LoadBalancer")
    served = {**waiting, "status": {"loadBalancer": {"ingress": [{"ip": "20.1.2.3"}]}}}
    assert (of(waiting).load_balancer_pending, of(served).load_balancer_pending) == (True, False)


def test_of_several_workloads_none_is_guessed() -> None:
    others = {"deployments": [workload("a"), workload("b")]}
    assert of(service("front", {"app": "gone"}), **others).subject.workload is None
    assert of(service("a", {"app": "gone"}), **others).subject.workload == "a"
    assert of(service("front"), **others).subject.namespace == NAMESPACE
