"""What kubectl describe prints, of recorded objects and of special cases."""

from datetime import UTC, datetime

import pytest

from diagnose.collectors.files.describe import facts_of_description, facts_of_quota
from diagnose.collectors.files.names import Origin
from diagnose.model import Subject
from diagnose.streams import (
    Autoscaler,
    Claim,
    Condition,
    Container,
    Event,
    LimitRange,
    Node,
    Pod,
    Quota,
    Service,
    Workload,
)

ORIGIN = Origin("describe.txt")


def read(text, origin=ORIGIN):
    return facts_of_description(text.rstrip("\n").split("\n"), origin)[0]


def only(facts, kind):
    return [fact for fact in facts if isinstance(fact, kind)]


def test_a_crashing_pod_with_its_container_conditions_and_events(described):
    facts = read(described("crashing_pod"))
    (pod,) = only(facts, Pod)
    assert pod.subject == Subject("file", "aml-getmodelpath", "getmodelpath", "getmodelpath-5c6b8885ff-4wwmb")
    assert (pod.phase, pod.ready, pod.scheduled, pod.initialized, pod.node) == (
        "Running",
        False,
        True,
        True,
        "lab-node",
    )
    assert (pod.owner, pod.revision) == ("ReplicaSet/getmodelpath-5c6b8885ff", "5c6b8885ff")
    assert (pod.qos, pod.service_account, pod.azureml_deployment) == ("Burstable", "default", "blue")

    (container,) = only(facts, Container)
    assert container.subject.container == container.name == "inference-server"
    assert (container.state, container.reason, container.restarts) == ("waiting", "CrashLoopBackOff", 5)
    assert (container.exit_code, container.end_reason, container.ready) == (3, "Error", False)
    assert (container.memory_limit_mib, container.memory_request_mib, container.cpu_request) == (512.0, 64.0, 0.01)
    assert container.ports == (5001,)
    assert container.readiness_probe == "http-get :5001/ delay 5s period 5s timeout 2s failures 3"
    assert container.line == 20

    assert {(c.type, c.status) for c in only(facts, Condition)} == {
        ("Initialized", "True"),
        ("Ready", "False"),
        ("ContainersReady", "False"),
        ("PodScheduled", "True"),
    }
    events = {event.reason: event for event in only(facts, Event)}
    assert (events["BackOff"].count, events["BackOff"].type, events["BackOff"].age_s) == (18, "Warning", 97200.0)
    assert events["BackOff"].subject == pod.subject
    lines = described("crashing_pod").split("\n")
    assert all(event.reason in lines[event.line - 1] for event in events.values())


def test_an_init_container_that_fails_keeps_the_others_waiting(described):
    init, app = only(read(described("failing_init_container")), Container)
    assert (init.kind, init.name, init.exit_code) == ("init", "storage-initializer", 1)
    assert init.command[:2] == ("python3", "-c")
    assert (app.kind, app.state, app.reason, app.exit_code) == ("app", "waiting", "PodInitializing", None)


def test_a_deployment_whose_rollout_is_stuck(described):
    facts = read(described("stuck_deployment"))
    (workload,) = only(facts, Workload)
    assert (workload.kind, workload.name, workload.revision) == ("Deployment", "rollout", "2")
    assert (workload.desired, workload.updated, workload.replicas, workload.available) == (2, 1, 3, 2)
    assert workload.azureml
    assert workload.images == ("myregistry.azurecr.io/getmodelpath:1",)
    assert [(c.type, c.status, c.reason) for c in only(facts, Condition)] == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "False", "ProgressDeadlineExceeded"),
    ]
    assert {event.kind for event in only(facts, Event)} == {"Deployment"}


def test_a_replica_set_that_may_not_make_its_pods(described):
    facts = read(described("refused_replica_set"))
    (workload,) = only(facts, Workload)
    assert (workload.kind, workload.desired, workload.replicas, workload.short) == ("ReplicaSet", 4, 2, 2)
    assert workload.subject.workload == "quota"
    refused = [event for event in only(facts, Event) if event.reason == "FailedCreate"]
    assert "exceeded quota: team-quota" in refused[0].message


def test_a_quota_has_one_fact_a_resource(described):
    text = described("quota").rstrip("\n").split("\n")
    cpu, memory = facts_of_quota(text, ORIGIN)
    assert isinstance(cpu, Quota)
    assert (cpu.name, cpu.resource, cpu.used, cpu.hard, cpu.ratio_used) == (
        "team-quota",
        "requests.cpu",
        "100m",
        "100m",
        1.0,
    )
    assert (memory.subject.namespace, memory.line) == ("aml-quota", 6)


def test_a_limit_range_tells_what_a_container_may_ask_for():
    text = """\
Name:       limits
Namespace:  aml-churn
Type        Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio
----        --------  ---  ---  ---------------  -------------  -----------------------
Container   memory    -    1Gi  256Mi            512Mi          -"""
    (limit,) = facts_of_quota(text.split("\n"), ORIGIN)
    assert isinstance(limit, LimitRange)
    assert (limit.type, limit.resource, limit.minimum, limit.maximum) == ("Container", "memory", "", "1Gi")


def test_a_node_with_its_gpu_and_taint(described):
    facts = read(described("gpu_node"))
    (node,) = only(facts, Node)
    assert (node.ready, node.gpus, node.taints) == ("True", 1, ("nvidia.com/gpu=present:NoSchedule",))
    assert (node.cpu_allocatable, node.architecture, node.instance_type) == (5.76, "amd64", "Standard_NC6")
    assert (node.disk_pressure, node.memory_pressure, node.unschedulable) == (False, False, False)


def test_a_piece_of_a_node_does_not_say_whether_it_is_ready():
    (node,) = only(
        read("Name:               node-1\nRoles:  agent\nCapacity:\n cpu:  6\nAllocatable:\n cpu:  5916m"), Node
    )
    assert (node.name, node.ready, node.cpu_allocatable, node.gpus) == ("node-1", "", 5.916, 0)


def test_an_autoscaler_and_what_limits_it(described):
    facts = read(described("autoscaler"))
    (autoscaler,) = only(facts, Autoscaler)
    assert (autoscaler.target, autoscaler.min_replicas, autoscaler.max_replicas, autoscaler.desired) == (
        *("Deployment/churn", 2, 10, 2),
    )
    limited = only(facts, Condition)[-1]
    assert (limited.type, limited.status, limited.reason, limited.kind) == (
        *("ScalingLimited", "True", "TooFewReplicas", "HorizontalPodAutoscaler"),
    )
    assert limited.subject.workload == "churn"


SERVICE = """\
Name:              churn
Namespace:         aml-churn
Labels:            <none>
Selector:          app=churn,tier=web
Type:              {type}
IP:                10.96.126.180
Port:              http  80/TCP
TargetPort:        5001/TCP
Endpoints:         {endpoints}
Session Affinity:  None
Events:            <none>
"""


@pytest.mark.parametrize(
    ("endpoints", "count"), [("<none>", 0), ("10.1.0.4:5001,10.1.0.5:5001", 2), ("10.1.0.4:80 + 3 more...", 4)]
)
def test_a_service_and_the_addresses_behind_it(endpoints, count):
    facts, known = facts_of_description(SERVICE.format(type="ClusterIP", endpoints=endpoints).split("\n"), ORIGIN)
    (service,) = only(facts, Service)
    assert (service.selector, service.ports, service.endpoints_ready) == ("app=churn,tier=web", ("80->5001",), count)
    assert known == {"services", "events"}


def test_a_load_balancer_without_ingress_is_pending():
    (service,) = only(read(SERVICE.format(type="LoadBalancer", endpoints="<none>")), Service)
    assert service.load_balancer_pending


def test_a_claim_that_no_driver_serves():
    text = """\
Name:          models
Namespace:     aml-churn
StorageClass:  azurefile
Status:        Pending
Volume:
Labels:        <none>
Capacity:
Access Modes:
VolumeMode:    Filesystem
Events:
  Type    Reason                Age                 From                         Message
  ----    ------                ----                ----                         -------
  Normal  ExternalProvisioning  2m (x54 over 14m)   persistentvolume-controller  waiting for a volume to be created
"""
    facts = read(text)
    (claim,) = only(facts, Claim)
    assert (claim.phase, claim.storage_class) == ("Pending", "azurefile")
    assert [(event.kind, event.name, event.count) for event in only(facts, Event)] == [
        ("PersistentVolumeClaim", "models", 54)
    ]


POD = """\
Name:             churn-6f7c9d7b5-zk2ql
Namespace:        aml-churn
Node:             {node}
Start Time:       Mon, 04 Mar 2024 10:00:00 +0000
Labels:           app=churn
Status:           {status}
IP:               10.1.0.4
Containers:
  scorer:
    Image:          registry.azurecr.io/churn:1
{container}
    Environment:
      AZUREML_ENTRY_SCRIPT:  score.py
      STORAGE_KEY:           topsecret==
    Mounts:
      /var/azureml-app from code (rw)
Conditions:
  Type              Status
  PodScheduled      {scheduled}
Events:{events}
"""
RUNNING = """\
    State:          Running
      Started:      Mon, 04 Mar 2024 10:20:00 +0000
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Mon, 04 Mar 2024 10:00:05 +0000
      Finished:     Mon, 04 Mar 2024 10:19:58 +0000
    Ready:          True
    Restart Count:  1
    Liveness:       http-get https://:8443/healthz delay=10s timeout=2s period=5s #success=1 #failure=3"""
SCHEDULED_AGO = """
  Type     Reason     Age   From               Message
  ----     ------     ----  ----               -------
  Normal   Scheduled  {age}   default-scheduler  Successfully assigned
  Normal   Started    {started}   kubelet            Started container scorer"""


def pod_text(container=RUNNING, events="  <none>", status="Running", node="node-1/10.0.0.4", scheduled="True"):
    return POD.format(container=container, events=events, status=status, node=node, scheduled=scheduled)


def test_only_names_of_environment_variables_are_kept():
    facts = read(pod_text())
    (container,) = only(facts, Container)
    assert container.environment == ("AZUREML_ENTRY_SCRIPT", "STORAGE_KEY")
    assert not any("topsecret" in repr(fact) for fact in facts)


@pytest.mark.parametrize(
    ("age", "started", "stable", "running_s"), [("25m", "5m", False, 300.0), ("3h", "160m", True, 9600.0)]
)
def test_the_age_of_the_first_event_tells_when_it_was_printed(age, started, stable, running_s):
    (container,) = only(read(pod_text(events=SCHEDULED_AGO.format(age=age, started=started))), Container)
    assert (container.running_s, container.stable) == (running_s, stable)
    assert (container.oom_killed, container.exit_code, container.liveness_allows_s) == (True, 137, 25.0)
    assert container.liveness_probe == "https-get :8443/healthz delay 10s period 5s timeout 2s failures 3"


def test_a_pod_without_events_had_no_trouble_for_an_hour():
    (container,) = only(read(pod_text()), Container)
    assert (container.running_s, container.stable) == (None, True)


def test_a_container_that_ended_before_the_clock_of_all_evidence():
    now = datetime(2024, 3, 4, 11, 0, tzinfo=UTC)
    (container,) = only(read(pod_text(), Origin("describe.txt", now=now)), Container)
    assert (container.running_s, container.ended_s) == (2400.0, 2402.0)


def test_a_termination_message_of_many_lines_hides_nothing_behind_it():
    crashed = """\
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Message:      2024-03-04 10:00:05,000 I [12] azmlinfsrv - Loaded
Traceback (most recent call last):
  File "/var/azureml-app/score.py", line 3, in init
Containers: none
KeyError: 'model'

      Exit Code:    3
      Started:      Mon, 04 Mar 2024 10:00:05 +0000
      Finished:     Mon, 04 Mar 2024 10:00:09 +0000
    Ready:          False
    Restart Count:  4"""
    facts = read(pod_text(container=crashed))
    (container,) = only(facts, Container)
    assert (container.exit_code, container.restarts, container.end_reason) == (3, 4, "Error")
    assert "KeyError: 'model'" in container.end_message
    assert len(only(facts, Condition)) == 1


def test_an_evicted_pod_says_why():
    text = pod_text(status="Failed\nReason:           Evicted\nMessage:          The node was low on resource: memory.")
    (pod,) = only(read(text), Pod)
    assert (pod.phase, pod.reason, pod.message) == ("Failed", "Evicted", "The node was low on resource: memory.")


def test_a_pod_that_is_going():
    (pod,) = only(read(pod_text(status="Terminating (lasts 5m)")), Pod)
    assert pod.deleting


def test_a_pod_without_a_node_waits_and_says_why():
    refused = """
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  9m    default-scheduler  0/1 nodes are available: 1 Insufficient cpu."""
    text = pod_text(container="    Port:  5001/TCP", events=refused, status="Pending", node="<none>", scheduled="False")
    facts = read(text)
    (pod,), (container,) = only(facts, Pod), only(facts, Container)
    assert (pod.scheduled, pod.node) == (False, "")
    assert pod.unschedulable_message == "0/1 nodes are available: 1 Insufficient cpu."
    assert container.state == "waiting"


def test_a_custom_resource_says_its_kind():
    text = """\
Name:         churn
Namespace:    aml-churn
Labels:       <none>
API Version:  serving.kserve.io/v1beta1
Kind:         InferenceService
Events:
  Type     Reason         Age   From                Message
  ----     ------         ----  ----                -------
  Warning  InternalError  2m    v1beta1Controllers  fails to reconcile predictor
"""
    (event,) = read(text)
    assert (event.kind, event.name, event.subject.workload) == ("InferenceService", "churn", "churn")
