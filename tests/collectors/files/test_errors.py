"""Error texts of SDKs and of Azure: what is escaped in them, and what they quote."""

from diagnose.collectors.files.errors import pretty, quoted_facts, status_events, unescape, unescaped_logs
from diagnose.collectors.files.names import Origin
from diagnose.streams import Container, Event

ORIGIN = Origin("error.txt")
BACK_OFF = (
    r"{\"InvolvedObject\":\"churn-6f7c9d7b5-zk2ql\",\"InvolvedKind\":\"Pod\",\"Type\":\"Warning\","
    r"\"Reason\":\"BackOff\",\"Message\":\"Back-off restarting failed container\",\"LastTimestamp\":\"2022-04-15T11:41:29Z\"}"
)


def test_escapes_are_undone_however_deep():
    assert unescape(r"a\nb") == "a\nb"
    assert unescape(r"{\\\"code\\\": \\\"X\\\"}") == '{"code": "X"}'


def test_a_message_with_escaped_line_ends_is_given_in_lines_of_its_own():
    text = 'Error:\n  "message": "Deployment failed\\nTraceback (most recent call last):\\n  File \\"score.py\\", line 3"\n'
    (log,) = unescaped_logs(text, "logs.deployment", ORIGIN)
    assert log.source == "error.txt (line 2, unescaped)"
    assert log.chunks[0].first_line == 1
    assert '  File "score.py", line 3' in log.chunks[0].text


def test_a_message_that_is_also_printed_in_lines_is_not_given_twice():
    text = 'Message: Is Docker running?\nError: refused\n{"message": "Is Docker running?\\nError: refused"}\n'
    assert list(unescaped_logs(text, "logs.deployment", ORIGIN)) == []


def test_windows_paths_are_no_escaped_line_ends_worth_a_text():
    assert list(unescaped_logs("open C:\\Users\\me: denied", "logs.docker", ORIGIN)) == []


def test_events_of_pods_are_quoted_escaped_or_plain_and_count_once():
    text = f'"message": "View the events:\\n{BACK_OFF}"\n{unescape(BACK_OFF)}\n'
    (event,) = quoted_facts(text, ORIGIN)
    assert isinstance(event, Event)
    assert (event.reason, event.type, event.kind, event.name) == ("BackOff", "Warning", "Pod", "churn-6f7c9d7b5-zk2ql")
    assert event.subject.workload == "churn"
    assert event.time.isoformat() == "2022-04-15T11:41:29+00:00"
    assert event.line == 1


def test_an_event_without_a_time():
    (event,) = quoted_facts(unescape(BACK_OFF).replace('"2022-04-15T11:41:29Z"', "null"), ORIGIN)
    assert event.time is None


ACI = (
    r'"message": "Your container application crashed. Please check the logs for your container instance: mysvc.\n'
    r"\"RestartCount\": 3\n\"CurrentState\": {\"state\":\"Waiting\",\"startTime\":null,\"exitCode\":null,\"finishTime\":null,"
    r"\"detailStatus\":\"CrashLoopBackOff: Back-off restarting failed\"}\n\"PreviousState\": {\"state\":\"Terminated\","
    r"\"startTime\":\"2021-08-19T06:24:07.256Z\",\"exitCode\":111,\"finishTime\":\"2021-08-19T06:24:13.387Z\","
    r"\"detailStatus\":\"Error\"}\n\"Events\":\n{\"count\":2,\"firstTimestamp\":\"2021-08-19T06:18:58Z\","
    r"\"lastTimestamp\":\"2021-08-19T06:22:20Z\",\"name\":\"Pulling\",\"message\":\"pulling image \"r.azurecr.io/a@sha256:f1\"\","
    r'\"type\":\"Normal\"}\n"'
)


def test_states_and_events_of_a_container_instance():
    facts = quoted_facts(ACI, ORIGIN)
    (container,) = [fact for fact in facts if isinstance(fact, Container)]
    assert (container.name, container.state, container.reason, container.restarts) == (
        *("mysvc", "waiting", "CrashLoopBackOff", 3),
    )
    assert (container.exit_code, container.end_reason, container.stable) == (111, "Error", False)
    (event,) = [fact for fact in facts if isinstance(fact, Event)]
    assert (event.reason, event.count, event.message) == ("Pulling", 2, 'pulling image "r.azurecr.io/a@sha256:f1"')


def test_ordinary_errors_quote_nothing():
    assert quoted_facts('{"code": "BadRequest", "message": "The request is invalid"}', ORIGIN) == []


GET_LOGS = """\
Instance status:
SystemSetup: Succeeded
UserContainerStart: InProgress

Container events:
Kind: Pod, Name: Pulling, Type: Normal, Time: 2024-03-04T14:09:05.015938Z, Message: Start pulling container image
Kind: Pod, Name: ReadinessProbeFailed, Type: Warning, Time: 20240304-14:09:58.645781, Message: Readiness probe failed: HTTP, 502

Container logs:
"""


def test_events_of_a_managed_deployment():
    pulling, failed = status_events(GET_LOGS, ORIGIN)
    assert (pulling.reason, pulling.type, pulling.line) == ("Pulling", "Normal", 6)
    assert (failed.reason, failed.type, failed.message) == (
        *("ReadinessProbeFailed", "Warning", "Readiness probe failed: HTTP, 502"),
    )
    assert failed.time.isoformat() == "2024-03-04T14:09:58.645781+00:00"


def test_nesting_without_end_does_no_harm():
    document = []
    for _ in range(5000):
        document = [document]
    assert pretty(document) == ""


def test_a_document_is_printed_for_people():
    assert pretty({"error": {"message": "a\nb"}}).split("\n")[2:4] == ['    "message": "a', 'b"']
