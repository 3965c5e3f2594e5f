"""Services, and the pods and endpoints behind them, as evidence."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose import streams
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.owners import HASH_LABEL, REVISION_LABEL
from diagnose.collectors.kubernetes.view import View, moment, pairs, selects

_SERVICE_NAME_LABEL = "kubernetes.io/service-name"


def services(view: View) -> tuple[streams.Service, ...]:
    """One item a service."""
    return tuple(_service(view, service) for service in view.objects.services)


def _service(view: View, service: schema.Service) -> streams.Service:
    meta, spec = service.metadata, service.spec
    workload = workload_of(view, service)
    pods = view.pods_by_namespace.get(meta.namespace, [])
    mine = [pod for pod in pods if view.owners.of_pod(pod).name == workload]
    selected = [pod for pod in pods if selects(spec.selector, pod.metadata.labels)]
    ready, not_ready = endpoints(view, service)
    return streams.Service(
        source=view.source(meta.namespace, f"get service {meta.name} -o yaml"),
        subject=view.subject(meta, workload),
        time=moment(meta.creation_timestamp),
        name=meta.name,
        type=spec.type,
        selector=pairs(spec.selector),
        pods_selected=len(selected),
        pods_of_workload=len(mine),
        endpoints_ready=ready,
        endpoints_not_ready=not_ready,
        ports=tuple(f"{port.port}->{port.target_port or port.port}" for port in spec.ports),
        port_unserved=_unserved(spec.ports, selected),
        load_balancer_pending=spec.type == "LoadBalancer" and not service.status.load_balancer.ingress,
        labels_of_pods=pairs(_labels(view, meta.namespace, workload, mine)),
    )


def workload_of(view: View, service: schema.Service) -> str | None:
    """The workload whose pods it selects, or else the one it is named like, or else the only one there is."""
    meta = service.metadata
    pods = view.pods_by_namespace.get(meta.namespace, [])
    selected = {view.owners.of_pod(pod).name for pod in pods if selects(service.spec.selector, pod.metadata.labels)}
    there = {one.metadata.name for _, one in view.objects.workloads() if one.metadata.namespace == meta.namespace}
    there |= {view.owners.of_pod(pod).name for pod in pods}
    for names in (selected, there & {meta.name}, there):
        if names:
            return next(iter(names)) if len(names) == 1 else None
    return None


def endpoints(view: View, service: schema.Service) -> tuple[int | None, int | None]:
    """Ready and other addresses; None where neither kind of list is known."""
    objects, key = view.objects, (service.metadata.namespace, service.metadata.name)
    slices = [one for one in objects.endpointslices or () if _slice_key(one) == key]
    if slices:
        found = [(_address(e.target_ref, e.addresses), e.conditions.ready) for s in slices for e in s.endpoints or ()]
        ready = {address for address, is_ready in found if is_ready is not False}
        return len(ready), len({address for address, _ in found} - ready)
    if objects.endpoints is None:
        return (None, None) if objects.endpointslices is None else (0, 0)
    subsets = [s for e in objects.endpoints if _key(e.metadata) == key for s in e.subsets or ()]
    ready = {_address(a.target_ref, [a.ip]) for subset in subsets for a in subset.addresses or ()}
    waiting = {_address(a.target_ref, [a.ip]) for subset in subsets for a in subset.not_ready_addresses or ()}
    return len(ready), len(waiting - ready)


def _key(meta: schema.Meta) -> tuple[str, str]:
    return meta.namespace, meta.name


def _slice_key(one: schema.EndpointSlice) -> tuple[str, str]:
    return one.metadata.namespace, one.metadata.labels.get(_SERVICE_NAME_LABEL, "")


def _address(target: schema.Reference | None, addresses: Iterable[str] | None) -> str:
    """One name for a pod, which has an address of each family in a slice of its own."""
    return target.name if target and target.name else ",".join(addresses or ())


def _unserved(ports: Iterable[schema.ServicePort], selected: Iterable[schema.Pod]) -> str:
    declared = [port for pod in selected for container in pod.spec.containers for port in container.ports]
    if not declared:
        return ""
    known = {port.container_port for port in declared} | {port.name for port in declared}
    targets = (port.target_port or port.port for port in ports)
    return next((str(target) for target in targets if target not in known), "")


def _labels(view: View, namespace: str, workload: str | None, pods: list[schema.Pod]) -> dict[str, str]:
    """Labels of the pods of a workload, without those that differ by revision."""
    templates = (one for _, one in view.objects.workloads() if _key(one.metadata) == (namespace, workload))
    labels = next((one.spec.template.metadata.labels for one in templates), None)
    if not labels and pods:
        labels = pods[0].metadata.labels
    return {key: value for key, value in (labels or {}).items() if key not in (HASH_LABEL, REVISION_LABEL)}
