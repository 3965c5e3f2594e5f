"""Whose text it is, by names."""

import pytest

from diagnose.collectors.files.names import Origin, origin_of_command, origin_of_file, subject_of, workload_of
from diagnose.model import Subject


@pytest.mark.parametrize(
    ("kind", "name", "workload"),
    [
        ("Pod", "churn-6f7c9d7b5-zk2ql", "churn"),
        ("Pod", "grafana-ngvq48gfhs-ll7xk", "grafana"),
        ("Pod", "mymodel-default-0-mymodel-6c5d4b7-v2xkp", "mymodel-default-0-mymodel"),
        ("ReplicaSet", "churn-6f7c9d7b5", "churn"),
        ("Deployment", "churn", "churn"),
        ("Pod", "score-0", None),
        ("Pod", "refresh-features-28584410-nhs9j", None),
        ("Pod", "my-scoring-service", None),
        ("Service", "churn", None),
    ],
)
def test_the_workload_is_told_from_names_that_controllers_give_and_from_no_others(kind, name, workload):
    assert workload_of(kind, name) == workload


def test_a_pod_known_by_name_joins_with_its_deployment_and_with_a_log_of_nobody():
    pod = subject_of("Pod", "churn-6f7c9d7b5-zk2ql", "aml-churn")
    assert pod.joins(subject_of("Deployment", "churn", "aml-churn"))
    assert pod.joins(Origin("app.log").subject)
    assert not pod.joins(subject_of("Deployment", "fraud", "aml-churn"))


@pytest.mark.parametrize(
    ("path", "namespace", "pod", "container", "run"),
    [
        ("churn-6f7c9d7b5-zk2ql_churn.previous.log", None, "churn-6f7c9d7b5-zk2ql", "churn", "previous"),
        ("churn-6f7c9d7b5-zk2ql.churn.log", None, "churn-6f7c9d7b5-zk2ql", "churn", "current"),
        ("aml-churn_churn-6f7c9d7b5-zk2ql_scorer.log", "aml-churn", "churn-6f7c9d7b5-zk2ql", "scorer", "current"),
        ("churn-6f7c9d7b5-zk2ql.log", None, "churn-6f7c9d7b5-zk2ql", None, "current"),
        (
            f"var/log/containers/churn-6f7c9d7b5-zk2ql_aml-churn_scorer-{'0a' * 32}.log",
            *("aml-churn", "churn-6f7c9d7b5-zk2ql", "scorer", "current"),
        ),
        (
            "pods/aml-churn_churn-6f7c9d7b5-zk2ql_1b2c/scorer/0.log",
            *("aml-churn", "churn-6f7c9d7b5-zk2ql", "scorer", "current"),
        ),
        (
            "pods/churn-6f7c9d7b5-zk2ql/log.inference-server.previous.txt",
            *(None, "churn-6f7c9d7b5-zk2ql", "inference-server", "previous"),
        ),
        ("app-previous.log", None, None, None, "previous"),
        ("artifact-1.txt", None, None, None, "current"),
        ("20_image_build_log.txt", None, None, None, "current"),
        ("previously.log", None, None, None, "current"),
    ],
)
def test_file_names_tell_pod_container_and_run(path, namespace, pod, container, run):
    origin = origin_of_file(path)
    subject = origin.subject
    assert (subject.namespace, subject.pod, subject.container, origin.run) == (namespace, pod, container, run)


@pytest.mark.parametrize(
    "command",
    [
        "$ kubectl logs -n aml-churn churn-6f7c9d7b5-zk2ql -c scorer --previous",
        "me@box:~$ kubectl --namespace=aml-churn logs -p pod/churn-6f7c9d7b5-zk2ql scorer | tail -100",
        "> kubectl logs churn-6f7c9d7b5-zk2ql --tail 50 -p --container scorer -n aml-churn > x.log",
    ],
)
def test_a_log_command_tells_whose_log_follows(command):
    origin = origin_of_command(command, Origin("session.txt"))
    assert origin.subject == Subject("file", "aml-churn", "churn", "churn-6f7c9d7b5-zk2ql", "scorer")
    assert origin.run == "previous"


def test_another_command_tells_nothing_of_what_follows():
    origin = Origin("session.txt")
    assert origin_of_command("$ docker ps -a", origin) == origin
