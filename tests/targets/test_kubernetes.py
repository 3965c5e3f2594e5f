"""Where a service is looked for, what is found, and what is said of places that could not be searched."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from made_objects import cluster, pod, seconds, service, status, waiting, workload
from replay import BROKEN, CUT, DENIED, HANG, HTML, NOT_FOUND, Fault, Replay, Start, kubeconfig, replayed

from diagnose.collectors import Limits
from diagnose.targets import Found, Wanted
from diagnose.targets.kubernetes import KubernetesFinder

__all__ = ["replayed"]

SEARCHED = ("pods", "deployments", "statefulsets", "daemonsets", "services", "inferenceservices")


def find(service: str, namespace: str | None = None, limits: Limits | None = None) -> Found:
    return KubernetesFinder().find(Wanted(service=service, namespace=namespace), limits or seconds(20))


def places(found: Found) -> list[str | None]:
    return [candidate.target.namespace for candidate in found.candidates]


def spread(**pods: str) -> Replay:
    """A cluster with one pod in each namespace, by the name of the workload there."""
    replay = cluster("empty")
    for namespace, name in pods.items():
        one = pod(f"{name}-0", {"app": name}, ("StatefulSet", name), namespace=namespace)
        made = workload(name)
        made["metadata"]["namespace"] = namespace
        replay.documents[f"/api/v1/namespaces/{namespace}/pods"] = {"kind": "PodList", "items": [one]}
        replay.documents[f"/apis/apps/v1/namespaces/{namespace}/statefulsets"] = {"kind": "List", "items": [made]}
        replay.documents["/api/v1/namespaces"]["items"].append({"metadata": {"name": namespace}})
    return replay


def everywhere(fault: Fault) -> dict[str, Fault]:
    groups = {"pods": "api/v1", "services": "api/v1", "inferenceservices": "apis/serving.kserve.io/v1beta1"}
    return {f"/{groups.get(resource, 'apis/apps/v1')}/{resource}": fault for resource in SEARCHED}


def test_the_namespace_given_is_the_only_one_searched(replayed: Start) -> None:
    replay = replayed("rollout")
    found = find("rollout", "aml-rollout")
    assert places(found) == ["aml-rollout"]
    (candidate,) = found.candidates
    assert candidate.unwell
    assert candidate.target.where == "context lab, namespace aml-rollout"
    assert candidate.target.objects == ("rollout",)
    candidate.collect(seconds(20))
    asked = {call.path.split("/namespaces/")[1].split("/")[0] for call in replay.calls if "/namespaces/" in call.path}
    assert asked == {"aml-rollout", "azureml", "default"}
    assert "/api/v1/pods" not in {call.path for call in replay.calls}


def test_the_namespace_of_the_context_comes_first(replayed: Start) -> None:
    replay = replayed("healthy", namespace="aml-healthy")
    found = find("healthy")
    assert (places(found), found.candidates[0].unwell) == (["aml-healthy"], False)
    assert "/api/v1/pods" not in {call.path for call in replay.calls}


def test_what_is_not_there_is_looked_for_in_all_namespaces(replayed: Start) -> None:
    replayed("healthy")
    found = find("healthy")
    assert places(found) == ["aml-healthy"]
    collection = found.candidates[0].collect(seconds(20))
    assert len(collection.items["pods"]) == 2
    assert [gap.stream for gap in collection.missing] == ["logs.router"]


@pytest.mark.parametrize("fault", [DENIED, NOT_FOUND])
def test_where_all_namespaces_may_not_be_listed_each_is(replayed: Start, fault: Fault) -> None:
    replay = spread(shop="web", test="other")
    replay.faults = everywhere(fault)
    replayed(replay)
    found = find("web")
    assert places(found) == ["shop"]
    assert set(found.names) == {"web", "other"}
    assert "/api/v1/namespaces/test/pods" in replay.paths("pods")
    assert len(found.candidates[0].collect(seconds(20)).items["pods"]) == 1


def test_two_namespaces_are_two_candidates(replayed: Start) -> None:
    replay = spread(prod="web", test="web")
    crash = [status(ready=False, restartCount=1, state=waiting("CrashLoopBackOff"))]
    replay.documents["/api/v1/namespaces/prod/pods"]["items"] = [
        pod("web-0", {}, ("StatefulSet", "web"), crash, namespace="prod")
    ]
    replayed(replay)
    found = find("web")
    assert [(one.target.namespace, one.unwell) for one in found.candidates] == [("prod", True), ("test", False)]


def test_a_mere_label_elsewhere_does_not_compete_with_the_real_thing(replayed: Start) -> None:
    replay = spread(prod="web", test="sidecar")
    (other,) = replay.documents["/api/v1/namespaces/test/pods"]["items"]
    other["metadata"]["labels"] = {"app": "web"}
    replayed(replay)
    assert places(find("web")) == ["prod"]


def test_a_mere_label_is_enough_where_nothing_else_is_and_is_noted(replayed: Start) -> None:
    replay = spread(test="sidecar")
    (other,) = replay.documents["/api/v1/namespaces/test/pods"]["items"]
    other["metadata"]["labels"] = {"app.kubernetes.io/name": "web"}
    replayed(replay)
    (candidate,) = find("web").candidates
    assert candidate.target.notes == ("taken for the service because of its label app.kubernetes.io/name",)


def test_a_server_that_ignores_selectors_is_checked(replayed: Start) -> None:
    replay = spread(default="stranger")
    replayed(replay)
    assert find("azureml-fe").candidates == ()


def test_names_of_what_is_there_come_back_for_a_misspelt_one(replayed: Start) -> None:
    replayed("rollout")
    found = find("rolout")
    assert (found.candidates, found.names, found.reachable) == ((), ("rollout",), True)


def test_a_namespace_that_does_not_exist_is_said(replayed: Start) -> None:
    replayed("rollout")
    (unsearched,) = find("rollout", "aml-rolout").unsearched
    assert unsearched.why == "there is no such namespace"
    assert unsearched.place == "kubernetes: namespace aml-rolout"
    assert unsearched.remedy.startswith("choose another one with -n; there are: aml-rollout, ")


def test_a_name_with_odd_characters_asks_for_nothing_else(replayed: Start) -> None:
    replay = replayed("rollout")
    assert find("rollout", "../kube-system/secrets").candidates == ()
    assert all("/namespaces/..%2Fkube-system%2Fsecrets/" in call.path for call in replay.calls if ".." in call.path)
    assert not replay.paths("secrets")


def test_denied_lists_are_named_with_the_right_that_is_lacking(replayed: Start) -> None:
    replayed(Replay.of("rollout", faults={"services": DENIED}))
    found = find("rollout", "aml-rollout")
    assert places(found) == ["aml-rollout"]
    (unsearched,) = found.unsearched
    assert (unsearched.place, unsearched.why) == ("kubernetes: services in namespace aml-rollout", "HTTP 403 Forbidden")
    assert unsearched.remedy == "list services in namespace aml-rollout (for example the ClusterRole view)"


def test_somebody_who_may_list_nothing_hears_what_to_ask_for(replayed: Start) -> None:
    replayed(Replay.of("rollout", faults=dict.fromkeys([*SEARCHED, "namespaces"], DENIED)))
    found = find("rollout")
    assert (found.reachable, found.candidates) == (True, ())
    assert [one.place for one in found.unsearched] == [
        "kubernetes: pods, deployments, statefulsets, daemonsets, services in namespace default",
        "kubernetes: namespaces other than default",
    ]
    assert "name the namespace with -n" in found.unsearched[1].remedy


def test_namespaces_that_refuse_are_named_together(replayed: Start) -> None:
    replay = spread(**{f"team{i}": "web" for i in range(8)})
    replay.faults = dict.fromkeys(SEARCHED, DENIED)
    replayed(replay)
    found = find("web")
    assert found.candidates == ()
    assert "team0, team1, team2, team3 and 4 more" in found.unsearched[-1].place


@pytest.mark.parametrize("fault", [BROKEN, CUT, HTML, HANG, Fault(status=429, retry_after=600)])
def test_a_search_with_any_fault_ends_in_time_and_says_what_it_did_not_see(replayed: Start, fault: Fault) -> None:
    replayed(Replay.of("rollout", faults={"pods": fault, "deployments": fault}))
    limits = seconds(4, call_s=0.3)
    found = find("nothing", limits=limits)
    assert time.monotonic() < limits.deadline
    assert found.reachable
    assert any("pods, deployments in namespace default" in one.place for one in found.unsearched)
    assert any("pods, deployments in all namespaces" in one.place for one in found.unsearched)


@pytest.mark.parametrize(
    ("fault", "why"), [(HANG, "no answer from 127.0.0.1"), (Fault(status=401), "HTTP 401 Unauthorized: the token of")]
)
def test_a_server_that_answers_nothing_is_not_reachable(replayed: Start, fault: Fault, why: str) -> None:
    faults = dict.fromkeys([*SEARCHED, "namespaces"], fault)
    replay = replayed(Replay.of("rollout", faults=faults))
    found = find("rollout", limits=seconds(4, call_s=0.3))
    assert not found.reachable
    (unsearched,) = found.unsearched
    assert unsearched.why.startswith(why)
    assert unsearched.remedy
    assert "/api/v1/pods" not in replay.paths("pods")


def test_a_closed_port_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "http://127.0.0.1:9")))
    found = find("web")
    (unsearched,) = found.unsearched
    assert (found.reachable, unsearched.why) == (False, "no connection to 127.0.0.1:9: connection refused")


def test_a_name_that_does_not_resolve_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path, "https://no-such-cluster.invalid")))
    (unsearched,) = find("web").unsearched
    assert unsearched.why == "the name no-such-cluster.invalid does not resolve"


def test_no_kubeconfig_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = find("web")
    (unsearched,) = found.unsearched
    assert not found.reachable
    assert unsearched.why.startswith("no kubeconfig")
    assert "az aks get-credentials" in unsearched.remedy


def test_a_service_without_pods_is_a_candidate_that_is_unwell(replayed: Start) -> None:
    replayed(cluster(services=[service("front", {"app": "gone"})]))
    (candidate,) = find("front", "shop").candidates
    assert (candidate.unwell, candidate.target.objects) == (True, ())
    collection = candidate.collect(seconds(20))
    assert [one.name for one in collection.items["services"]] == ["front"]
    assert collection.logs["logs.container"] == ()


def test_an_inferenceservice_brings_its_pods_and_conditions(replayed: Start) -> None:
    replay = cluster(pods=[pod("p", {"serving.kserve.io/inferenceservice": "flowers"}, ("Deployment", "predictor"))])
    condition = {"type": "PredictorReady", "status": "False", "reason": "MinimumReplicasUnavailable"}
    items = [{"metadata": {"name": "flowers", "namespace": "shop"}, "status": {"conditions": [condition]}}]
    path = "/apis/serving.kserve.io/v1beta1/namespaces/shop/inferenceservices"
    replay.documents[path] = {"kind": "InferenceServiceList", "items": items}
    replayed(replay)
    (candidate,) = find("flowers", "shop").candidates
    assert candidate.target.objects == ("predictor",)
    conditions = candidate.collect(seconds(20)).items["conditions"]
    assert "PredictorReady" in {one.type for one in conditions if one.kind == "InferenceService"}


def test_what_was_read_before_an_interruption_is_handed_over(replayed: Start) -> None:
    replayed(Replay.of("rollout", faults={"pods/log": HANG, "events": HANG}))
    limits = seconds(60, call_s=60)
    (candidate,) = find("rollout", "aml-rollout", limits).candidates
    threading.Timer(0.5, limits.stop.set).start()
    collection = candidate.collect(limits)
    assert time.monotonic() < limits.deadline - 50
    assert len(collection.items["pods"]) == 3
    assert "events" in {gap.stream for gap in collection.missing}


def test_docker_may_be_searched_at_the_same_time(replayed: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    replayed("healthy")
    program = """
import threading
from diagnose.collectors import Limits
from diagnose.targets import Wanted
from diagnose.targets.docker import DockerFinder
from diagnose.targets.kubernetes import KubernetesFinder
other = threading.Thread(target=lambda: DockerFinder().find(Wanted(service="healthy"), Limits()))
other.start()
print(len(KubernetesFinder().find(Wanted(service="healthy", namespace="aml-healthy"), Limits()).candidates))
other.join()
"""
    for _ in range(4):
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_many_namespaces_are_searched_side_by_side(replayed: Start) -> None:
    replay = spread(**{f"team{i:02}": f"svc{i}" for i in range(20)})
    replay.faults = everywhere(DENIED)
    replay.delay_s = 0.2
    replayed(replay)
    found = find("svc7")
    assert places(found) == ["team07"]
    assert replay.waves() <= 2 + len(replay.calls) // 32 + 1
