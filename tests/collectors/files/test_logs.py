"""What a text becomes that is no table, no object and no answer."""

from diagnose.collectors.files.logs import facts_of_text
from diagnose.collectors.files.names import Origin, subject_of
from diagnose.model import Chunk, Log, Missing, Why
from diagnose.streams import Container, Engine

ORIGIN = Origin("saved.txt")
ERROR = """\
WebserviceException: WebserviceException:
	Message: Service deployment polling reached non-successful terminal state, current service state: Failed
	InnerException None
"""
SERVER = """\
2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded logging config
2024-02-01 09:00:11,009 E [12] gunicorn.error - Reason: Worker failed to boot."""


def read(text, origin=ORIGIN):
    return list(facts_of_text([Chunk(1, text)], origin))


def logs(facts):
    return [(fact.stream, fact.chunks[0].first_line, fact.chunks[0].text) for fact in facts if isinstance(fact, Log)]


def test_an_error_followed_by_the_log_is_cut_between_the_two():
    assert logs(read(f"{ERROR}\n{SERVER}")) == [("logs.deployment", 1, ERROR), ("logs.container", 5, SERVER)]


def test_a_log_followed_by_the_error_is_cut_too():
    found = logs(read(f"{SERVER}\n\n{ERROR}"))
    assert found == [("logs.container", 1, f"{SERVER}\n"), ("logs.deployment", 4, ERROR)]


def test_where_they_mix_the_text_is_both():
    text = f"{SERVER}\n{ERROR}\n{SERVER}"
    assert [(stream, whole == text) for stream, _, whole in logs(read(text))] == [
        ("logs.container", True),
        ("logs.deployment", True),
    ]


def test_the_router_is_known_by_the_name_of_its_pod():
    origin = Origin("azureml-fe.log", subject_of("Pod", "azureml-fe-6f7c9d7b5-zk2ql"))
    assert [stream for stream, _, _ in logs(read(SERVER, origin))] == ["logs.router"]


def test_a_traceback_hidden_in_a_json_record_is_given_in_lines():
    text = (
        '{"level": "error", "message": "failed\\nTraceback (most recent call last):\\n  File \\"score.py\\", line 3"}\n'
        * 2
    )
    plain, *unescaped = [fact for fact in read(text) if isinstance(fact, Log)]
    assert plain.stream == "logs.container"
    assert unescaped[0].source == "saved.txt (line 1, unescaped)"
    assert "Traceback (most recent call last):" in unescaped[0].chunks[0].text.split("\n")


def test_ordinary_json_records_are_left_alone():
    assert len(read('{"level": "info", "message": "two\\nlines"}\n' * 3)) == 1


def test_a_log_that_was_removed_is_missing_and_no_log():
    (gap,) = read("unable to retrieve container logs for docker://0df1b1bd362b")
    assert isinstance(gap, Missing)
    assert (gap.stream, gap.why) == ("logs.container", Why.NOT_FOUND)


def test_what_kubectl_was_refused_is_missing():
    text = (
        'Error from server (Forbidden): events is forbidden: User "me" cannot list resource "events" in API group "" '
        'in the namespace "aml-churn"\n'
    )
    (gap,) = [fact for fact in read(text) if isinstance(fact, Missing)]
    assert (gap.stream, gap.why, gap.what) == ("events", Why.DENIED, "events in namespace aml-churn")
    assert gap.needs == "the verb `list` on `events` in namespace aml-churn"


def test_a_container_that_waits_has_no_log_but_a_reason():
    text = 'Error from server (BadRequest): container "scorer" in pod "churn-6f7c9d7b5-zk2ql" is waiting to start: {}'
    for said, reason in (
        ("CreateContainerConfigError", "CreateContainerConfigError"),
        ("trying and failing to pull image", "ImagePullBackOff"),
        ("no idea", ""),
    ):
        (container,) = [fact for fact in read(text.format(said)) if isinstance(fact, Container)]
        assert (container.state, container.reason, container.message) == ("waiting", reason, said)
        assert container.subject.workload == "churn"


def test_docker_info_tells_of_the_engine():
    text = (
        "Server Version: 17.06.2-ee-6\nStorage Driver: windowsfilter\nOSType: windows\nTotal Memory: 7.5GiB\nCPUs: 4\n"
    )
    (engine,) = [fact for fact in read(f" {text}") if isinstance(fact, Engine)]
    assert (engine.version, engine.os_type, engine.memory_mib, engine.cpus) == ("17.06.2-ee-6", "windows", 7680.0, 4)
