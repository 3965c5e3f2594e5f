"""Event tables of several versions of kubectl."""

import pytest

from diagnose.collectors.files.events import bare_events, events_of_table, is_bare_event, is_event_header
from diagnose.collectors.files.names import Origin
from diagnose.model import Subject

ORIGIN = Origin("events.txt")
SAVED = """\
LAST SEEN   TYPE      REASON              OBJECT                            MESSAGE
9m4s        Normal    SuccessfulRescale   horizontalpodautoscaler/churn     New size: 3; reason: cpu above target
118s        Warning   Unhealthy           pod/churn-6f7c9d7b5-zk2ql         Readiness probe failed: Get http://10.244.1.23:5001/: refused
<unknown>   Normal    ScalingReplicaSet   deployment.apps/churn             Scaled up replica set churn-6f7c9d7b5 to 3
5s          Warning   FailedCreate        replicaset/churn-6f7c9d7b5        Error creating: pods "churn-6f7c9d7b5-" is forbidden
""".splitlines()


def test_rows_become_events_with_ages_and_no_times():
    events = events_of_table(SAVED, ORIGIN)
    assert [(e.reason, e.kind, e.name, e.age_s, e.time, e.line) for e in events] == [
        ("SuccessfulRescale", "HorizontalPodAutoscaler", "churn", 544.0, None, 2),
        ("Unhealthy", "Pod", "churn-6f7c9d7b5-zk2ql", 118.0, None, 3),
        ("ScalingReplicaSet", "Deployment", "churn", None, None, 4),
        ("FailedCreate", "ReplicaSet", "churn-6f7c9d7b5", 5.0, None, 5),
    ]
    assert events[1].message == "Readiness probe failed: Get http://10.244.1.23:5001/: refused"
    assert events[1].type == "Warning"


def test_events_of_pod_replica_set_and_deployment_concern_the_same_workload():
    assert [event.subject.workload for event in events_of_table(SAVED, ORIGIN)] == [None, "churn", "churn", "churn"]


def test_all_namespaces_have_a_column_of_their_own():
    table = [
        "NAMESPACE   LAST SEEN   TYPE      REASON    OBJECT                      MESSAGE",
        "aml-churn   31s         Warning   BackOff   pod/churn-6f7c9d7b5-zk2ql   Back-off restarting failed container",
    ]
    (event,) = events_of_table(table, ORIGIN)
    assert event.subject == Subject("file", "aml-churn", "churn", "churn-6f7c9d7b5-zk2ql")
    assert event.message == "Back-off restarting failed container"


def test_the_wide_table_has_empty_cells_and_counts():
    table = [
        "LAST SEEN   TYPE      REASON             OBJECT                      SUBOBJECT                 SOURCE              MESSAGE                                FIRST SEEN   COUNT   NAME",
        "2m          Warning   BackOff            pod/churn-6f7c9d7b5-zk2ql   spec.containers{scorer}   kubelet, node-1     Back-off restarting failed container   10m          42      churn-6f7c9d7b5-zk2ql.17a0c8d2f0b1e2c3",
        "10m         Normal    Scheduled          pod/churn-6f7c9d7b5-zk2ql                             default-scheduler   Successfully assigned to node-1        10m          1       churn-6f7c9d7b5-zk2ql.17a0c8d2f0b1e2c4",
    ]
    back_off, scheduled = events_of_table(table, ORIGIN)
    assert (back_off.count, back_off.subject.container, back_off.age_s) == (42, "scorer", 120.0)
    assert back_off.message == "Back-off restarting failed container"
    assert (scheduled.reason, scheduled.message, scheduled.subject.container) == (
        "Scheduled",
        "Successfully assigned to node-1",
        None,
    )


def test_the_table_of_old_versions_names_kind_and_event_apart():
    table = [
        "LAST SEEN   FIRST SEEN   COUNT   NAME                                     KIND   SUBOBJECT                 TYPE      REASON    SOURCE            MESSAGE",
        "1m          8m           25      churn-6f7c9d7b5-zk2ql.15b0c8d2f0b1e2c3   Pod    spec.containers{scorer}   Warning   BackOff   kubelet, node-1   Back-off restarting failed container",
    ]
    (event,) = events_of_table(table, ORIGIN)
    assert (event.kind, event.name, event.count, event.age_s) == ("Pod", "churn-6f7c9d7b5-zk2ql", 25, 60.0)


def test_describe_prints_counts_with_the_age():
    table = [
        "  Type     Reason  Age                     From     Message",
        "  ----     ------  ----                    ----     -------",
        '  Warning  Failed  6m27s (x12 over 8m39s)  kubelet  Error: configmap "feature-env" not found',
    ]
    (event,) = events_of_table(table, ORIGIN, "Pod", "churn-6f7c9d7b5-zk2ql")
    assert (event.count, event.age_s, event.line) == (12, 387.0, 3)
    assert event.message == 'Error: configmap "feature-env" not found'
    assert event.subject.workload == "churn"


def test_a_message_that_wraps_is_one_message():
    table = [
        "  Type     Reason       Age   From     Message",
        "  ----     ------       ----  ----     -------",
        "  Warning  FailedMount  2m    kubelet  MountVolume.SetUp failed for volume: mount failed: exit status 32",
        "Mounting command: systemd-run",
        "Output: mount error(13): Permission denied",
        "  Normal   Pulled       1m    kubelet  Container image already present on machine",
    ]
    failed, pulled = events_of_table(table, ORIGIN)
    assert failed.message.endswith(
        "exit status 32 Mounting command: systemd-run Output: mount error(13): Permission denied"
    )
    assert pulled.message == "Container image already present on machine"


@pytest.mark.parametrize("gap", ["\t", "  "])
def test_rows_saved_without_their_header_are_events(gap):
    line = gap.join(
        ["Warning", "FailedScheduling", "default-scheduler", "0/2 nodes are available: 1 Insufficient cpu."]
    )
    assert is_bare_event(line) == (gap == "  ")
    if gap == "  ":
        (event,) = bare_events([line], ORIGIN)
        assert (event.reason, event.message) == ("FailedScheduling", "0/2 nodes are available: 1 Insufficient cpu.")


def test_a_row_without_header_may_have_an_age():
    (event,) = bare_events(
        ["  Warning  BackOff  2m (x4 over 9m)  kubelet  Back-off restarting failed container"], ORIGIN
    )
    assert (event.age_s, event.count, event.message) == (120.0, 4, "Back-off restarting failed container")


@pytest.mark.parametrize(
    "line",
    [
        "Warning: the model was saved with another version",
        "Normal  operation resumed after the retry",
        "Warning  deprecated  use predict_proba",
    ],
)
def test_a_log_line_that_begins_with_warning_is_no_event(line):
    assert not is_bare_event(line)


def test_a_conditions_table_is_no_event_table():
    assert not is_event_header("  Type            Status  Reason            Message")
    assert is_event_header("  FirstSeen\tLastSeen\tCount\tFrom\tSubObjectPath\tType\tReason\tMessage")
