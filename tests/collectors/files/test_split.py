"""One file that holds several kinds of evidence."""

from diagnose.collectors.files.split import Kind, split

TABLE = (
    "NAME                    READY   STATUS    RESTARTS   AGE\nchurn-6f7c9d7b5-zk2ql   1/1     Running   0          4d"
)
DESCRIPTION = """\
Name:             churn
Namespace:        aml-churn
Labels:           <none>
StrategyType:     RollingUpdate
Events:
  Type    Reason             Age   From                   Message
  ----    ------             ----  ----                   -------
  Normal  ScalingReplicaSet  27h   deployment-controller  Scaled up replica set"""
ANSWER = "HTTP/1.1 200 OK\nContent-Type: text/plain\n\nHealthy"
LOG = "2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded\nName: churn\nWarning: old model"
OBJECT = '{\n    "apiVersion": "v1",\n    "kind": "Pod"\n}'


def kinds(text):
    return [(part.kind, part.line, len(part.lines)) for part in split(text)]


def test_a_log_is_one_part():
    assert kinds(LOG) == [(Kind.TEXT, 1, 1)]


def test_tables_descriptions_answers_and_logs_in_one_file():
    text = "\n".join([TABLE, "", DESCRIPTION, LOG, ANSWER])
    assert kinds(text) == [
        (Kind.TABLE, 1, 2),
        (Kind.DESCRIPTION, 4, 8),
        (Kind.TEXT, 12, 3),
        (Kind.ANSWER, 15, 4),
    ]


def test_objects_described_one_after_another():
    assert kinds(f"{DESCRIPTION}\n\n\n{DESCRIPTION}") == [(Kind.DESCRIPTION, 1, 10), (Kind.DESCRIPTION, 11, 8)]


def test_command_lines_end_what_is_above_them():
    text = f"$ kubectl get pods -n aml-churn\n{TABLE}\nme@box:~$ kubectl describe deploy churn\n{DESCRIPTION}"
    assert [kind for kind, _, _ in kinds(text)] == [Kind.COMMAND, Kind.TABLE, Kind.COMMAND, Kind.DESCRIPTION]


def test_a_log_that_quotes_commands_is_no_session():
    log = "run `kubectl get pods` to see more\nINFO to fix: $ kubectl get pods\nStep: docker build ."
    assert [kind for kind, _, _ in kinds(log)] == [Kind.TEXT]


def test_a_log_that_prints_names_and_headers_stays_a_log():
    log = "Name:  churn\nVersion:  3\nHTTP/1.1 is used\nNAME of the model: x\nType   Reason unknown\n{\n  'rows': 1\n}"
    assert [kind for kind, _, _ in kinds(log)] == [Kind.TEXT]


def test_objects_follow_a_command_line_and_one_another():
    assert kinds(f"$ kubectl get pod -o json\n{OBJECT}\n{OBJECT}\n") == [
        (Kind.COMMAND, 1, 1),
        (Kind.OBJECT, 2, 4),
        (Kind.OBJECT, 6, 4),
    ]


def test_yaml_documents_with_their_separators_and_comments():
    document = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: churn\n"
    text = f"# captured_at: 2024-05-14T10:00:00Z\n---\n{document}---\n{document}"
    assert [kind for kind, _, _ in kinds(text)] == [Kind.YAML, Kind.YAML]


def test_the_kind_of_an_event_stands_below_everything_else():
    event = "apiVersion: v1\ncount: 3\ninvolvedObject:\n  kind: Pod\nkind: Event\nmessage: Back-off\n"
    assert [kind for kind, _, _ in kinds(event)] == [Kind.YAML]


def test_settings_that_mention_an_api_version_are_no_object():
    assert [kind for kind, _, _ in kinds("apiVersion: 2023-10-01\nlocation: westeurope\n")] == [Kind.TEXT]


def test_rows_of_events_without_header():
    rows = "  Warning  BackOff  2m  kubelet  Back-off\n  Normal   Pulled   2m  kubelet  Pulled\nand a remark"
    assert kinds(rows) == [(Kind.EVENTS, 1, 2), (Kind.TEXT, 3, 1)]


def test_marks_of_a_cluster_dump():
    text = "==== START logs for container scorer of pod aml-churn/churn-6f7c9d7b5-zk2ql ====\nBooting\n"
    assert [kind for kind, _, _ in kinds(text)] == [Kind.CONTAINER_MARK, Kind.TEXT]


def test_an_empty_result_is_no_text():
    assert [kind for kind, _, _ in kinds("No resources found in aml-churn namespace.\n")] == [Kind.NOTHING]
