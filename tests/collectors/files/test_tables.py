"""Tables of kubectl get and docker ps."""

import pytest

from diagnose.collectors.files.names import Origin
from diagnose.collectors.files.tables import facts_of_table, is_header, stream_of_table
from diagnose.model import Subject
from diagnose.streams import Autoscaler, Claim, Container, Node, Pod, Service, Workload

PODS = """\
NAME                         READY   STATUS                  RESTARTS        AGE     IP            NODE     NOMINATED NODE   READINESS GATES
churn-6f7c9d7b5-zk2ql        0/1     CrashLoopBackOff        5 (2m ago)      12m     10.244.1.23   node-1   <none>           <none>
churn-6f7c9d7b5-8x2lp        1/1     Running                 0               3d4h    10.244.1.24   node-1   <none>           <none>
fraud-5d7c9f6b88-qx2vn       0/1     Init:CrashLoopBackOff   4 (31s ago)     4m      10.244.1.25   node-2   <none>           <none>
fraud-5d7c9f6b88-zz9vn       0/1     Pending                 0               9m      <none>        <none>   <none>           <none>
ocr-m7z4xrk4td-bf5gc         0/1     OOMKilled               3               9m      10.244.1.26   node-2   <none>           <none>
ocr-m7z4xrk4td-gnnhr         0/1     Evicted                 0               2d      <none>        node-2   <none>           <none>
""".splitlines()


def facts(table, kind, namespace=None):
    return [
        fact for fact in facts_of_table(table, Origin("get.txt", Subject("file", namespace))) if isinstance(fact, kind)
    ]


def test_pods_are_known_by_their_status():
    found = {pod.name: (pod.phase, pod.reason, pod.ready, pod.node, pod.age_s) for pod in facts(PODS, Pod)}
    assert found == {
        "churn-6f7c9d7b5-zk2ql": ("Running", "", False, "node-1", 720.0),
        "churn-6f7c9d7b5-8x2lp": ("Running", "", True, "node-1", 273600.0),
        "fraud-5d7c9f6b88-qx2vn": ("Pending", "", False, "node-2", 240.0),
        "fraud-5d7c9f6b88-zz9vn": ("Pending", "", False, "", 540.0),
        "ocr-m7z4xrk4td-bf5gc": ("", "", False, "node-2", 540.0),
        "ocr-m7z4xrk4td-gnnhr": ("Failed", "Evicted", False, "node-2", 172800.0),
    }


def test_a_container_stands_in_for_those_the_table_does_not_name():
    crashing, running, init, killed = facts(PODS, Container)
    assert (crashing.state, crashing.reason, crashing.restarts, crashing.stable) == (
        "waiting",
        "CrashLoopBackOff",
        5,
        False,
    )
    assert (running.state, running.ready, running.stable, running.running_s) == ("running", True, True, 273600.0)
    assert (init.kind, init.reason) == ("init", "CrashLoopBackOff")
    assert (killed.state, killed.oom_killed, killed.end_reason) == ("terminated", True, "OOMKilled")
    assert crashing.subject == Subject("file", None, "churn", "churn-6f7c9d7b5-zk2ql")
    assert crashing.line == 2


@pytest.mark.parametrize(
    ("restarts", "stable"), [("7 (3h ago)", True), ("7 (2m ago)", False), ("7", False), ("0", True)]
)
def test_a_container_is_stable_when_its_last_restart_is_long_ago(restarts, stable):
    table = [
        "NAME                    READY   STATUS    RESTARTS     AGE",
        f"churn-6f7c9d7b5-zk2ql   1/1     Running   {restarts:<12} 4d",
    ]
    (container,) = facts(table, Container)
    assert container.stable is stable


def test_rows_whose_blanks_were_lost_are_read_too():
    table = ["NAME READY STATUS RESTARTS AGE", "churn-6f7c9d7b5-zk2ql 0/1 ImagePullBackOff 0 12m"]
    (pod,) = facts(table, Pod)
    assert (pod.name, pod.phase) == ("churn-6f7c9d7b5-zk2ql", "Pending")


def test_deployments_of_new_and_of_old_versions():
    new = ["NAME    READY   UP-TO-DATE   AVAILABLE   AGE", "churn   1/3     2            1           9d"]
    old = [
        "NAME    DESIRED   CURRENT   UP-TO-DATE   AVAILABLE   AGE",
        "churn   3         2         2            1           9d",
    ]
    for table in (new, old):
        (workload,) = facts(table, Workload, "aml-churn")
        assert (workload.kind, workload.desired, workload.replicas, workload.available, workload.short) == (
            *("Deployment", 3, 2, 1, 2),
        )
        assert workload.subject == Subject("file", "aml-churn", "churn")


def test_replica_sets_that_want_nothing_are_history():
    table = [
        "NAME              DESIRED   CURRENT   READY   AGE",
        "churn-6f7c9d7b5   4         2         2       9d",
        "churn-5c8d9f7b4   0         0         0       30d",
    ]
    (workload,) = facts(table, Workload)
    assert (workload.kind, workload.replicas, workload.short, workload.subject.workload) == (
        "ReplicaSet",
        2,
        2,
        "churn",
    )


def test_get_all_puts_the_kind_in_front_of_the_name():
    table = ["NAME                         READY   AGE", "statefulset.apps/embedder     1/2     9d"]
    (workload,) = facts(table, Workload)
    assert (workload.kind, workload.name, workload.short) == ("StatefulSet", "embedder", 1)


def test_services_that_wait_for_an_address():
    table = [
        "NAME    TYPE           CLUSTER-IP     EXTERNAL-IP   PORT(S)        AGE   SELECTOR",
        "churn   LoadBalancer   10.0.56.250    <pending>     80:30909/TCP   2d    app=churn",
        "fraud   ClusterIP      10.0.213.103   <none>        80/TCP         2d    app=fraud",
    ]
    churn, fraud = facts(table, Service)
    assert (churn.load_balancer_pending, churn.selector, churn.endpoints_ready) == (True, "app=churn", None)
    assert fraud.load_balancer_pending is False


@pytest.mark.parametrize(
    ("addresses", "count"),
    [("<none>", 0), ("10.244.0.5:5001", 1), ("10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...", 5)],
)
def test_endpoints_are_counted(addresses, count):
    (service,) = facts(["NAME    ENDPOINTS   AGE", f"churn   {addresses}   2d"], Service)
    assert service.endpoints_ready == count


def test_an_autoscaler_at_its_maximum():
    table = [
        "NAME    REFERENCE          TARGETS              MINPODS   MAXPODS   REPLICAS   AGE",
        "churn   Deployment/churn   cpu: 250%/80%        1         10        10         9d",
        "spacy   Deployment/spacy   cpu: <unknown>/50%   2         10        3          9d",
    ]
    churn, spacy = facts(table, Autoscaler)
    assert (churn.at_max, churn.max_replicas, churn.subject.workload) == (True, 10, "churn")
    assert (spacy.at_max, spacy.min_replicas, spacy.current) == (False, 2, 3)


def test_a_claim_without_a_volume_leaves_cells_empty():
    table = [
        "NAME     STATUS    VOLUME                                     CAPACITY   ACCESS MODES   STORAGECLASS   AGE",
        "models   Pending                                                                        azurefile      12m",
        "cache    Bound     pvc-0a1b2c3d-1111-2222-3333-444455556666   10Gi       RWX            azurefile      9d",
    ]
    models, cache = facts(table, Claim)
    assert (models.phase, models.storage_class) == ("Pending", "azurefile")
    assert (cache.phase, cache.storage_class) == ("Bound", "azurefile")


def test_nodes_and_their_states():
    table = [
        "NAME     STATUS                        ROLES   AGE   VERSION",
        "node-1   Ready                         agent   30d   v1.20.2",
        "node-2   NotReady,SchedulingDisabled   agent   30d   v1.20.2",
    ]
    assert [(n.name, n.ready, n.unschedulable) for n in facts(table, Node)] == [
        ("node-1", "True", False),
        ("node-2", "False", True),
    ]


def test_containers_of_docker():
    table = [
        "CONTAINER ID   IMAGE     COMMAND                  CREATED          STATUS                      PORTS                    NAMES",
        '0df1b1bd362b   churn:1   "runsvdir /var/runit"    2 minutes ago    Exited (3) 30 seconds ago                            churn',
        '1ef1b1bd362b   fraud:1   "runsvdir /var/runit"    5 minutes ago    Up 5 minutes (healthy)      0.0.0.0:6789->5001/tcp   fraud',
    ]
    churn, fraud = facts(table, Container)
    assert (churn.name, churn.state, churn.exit_code) == ("churn", "terminated", 3)
    assert (fraud.state, fraud.ready, fraud.published) == ("running", True, ("6789->5001",))


@pytest.mark.parametrize(
    ("header", "stream"),
    [
        ("NAME   READY   STATUS   RESTARTS   AGE", "pods"),
        ("LAST SEEN   TYPE   REASON   OBJECT   MESSAGE", "events"),
        ("NAME   CPU(cores)   MEMORY(bytes)", None),
        ("NAME   TYPE   DATA   AGE", None),
    ],
)
def test_a_table_without_rows_still_says_what_was_asked(header, stream):
    assert is_header(header)
    assert stream_of_table(header) == stream
    assert facts_of_table([header], Origin("get.txt")) == []


@pytest.mark.parametrize("line", ["NAME of the model: churn", "NAMED TUPLE", "CONTAINER started", ""])
def test_other_lines_are_no_headers(line):
    assert not is_header(line)
