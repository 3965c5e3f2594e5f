"""HTTP answers as clients save them."""

import pytest

from diagnose.collectors.files.http import answer, end_of_answer, is_answer, is_chatter, quoted_answers
from diagnose.collectors.files.names import Origin

ORIGIN = Origin("curl.txt")
FAILED = """\
HTTP/1.1 500 INTERNAL SERVER ERROR
Server: gunicorn
Date: Mon, 02 Oct 2023 12:21:45 GMT
Content-Type: application/json
Content-Length: 92
x-ms-run-function-failed: True

{"message": "An unexpected error occurred in scoring script. Check the logs for more info."}"""


def test_an_answer_with_its_headers_and_body():
    response, of_management = answer(FAILED.split("\n"), ORIGIN)
    assert (response.status, response.server, response.run_failed) == (500, "gunicorn", "True")
    assert response.content_type == "application/json"
    assert response.body.startswith('{"message": "An unexpected error')
    assert response.time.isoformat() == "2023-10-02T12:21:45+00:00"
    assert not of_management


def test_an_answer_without_a_body():
    response, _ = answer(["HTTP/2 408 ", "content-length: 0"], ORIGIN)
    assert (response.status, response.body) == (408, "")


def test_what_curl_prints_verbosely():
    lines = [
        "< HTTP/1.1 502 Bad Gateway",
        "< Server: nginx/1.10.3",
        "<",
        "upstream failed",
        "* Connection #0 left intact",
    ]
    assert is_answer(lines, 0)
    assert end_of_answer(lines, 0) == 4
    response, _ = answer(lines[:4], ORIGIN)
    assert (response.status, response.server, response.body) == (502, "nginx/1.10.3", "upstream failed")


def test_bodies_are_cut_at_4_kb():
    response, _ = answer(["HTTP/1.1 500 X", "", "é" * 5000], ORIGIN)
    assert len(response.body.encode()) <= 4096


@pytest.mark.parametrize("line", ["HTTP/1.1 100 Continue", "HTTP/1.1 200 Connection established"])
def test_what_precedes_the_real_answer_is_none(line):
    assert answer([line, ""], ORIGIN) is None


def test_an_answer_ends_where_its_length_says():
    lines = [*FAILED.split("\n"), "", "2023-10-02 12:21:46,969 I [152] azmlinfsrv - POST /score 500"]
    assert end_of_answer(lines, 0) == len(lines) - 2


def test_an_answer_ends_where_the_next_begins():
    lines = [*FAILED.split("\n"), *FAILED.split("\n")]
    assert end_of_answer(lines, 0) == 8


@pytest.mark.parametrize(
    "lines",
    [
        ['127.0.0.1 - - [09/Dec/2019:16:20:50 +0000] "GET / HTTP/1.1" 200 7', ""],
        ['INFO:httpx:HTTP Request: POST http://x/score "HTTP/1.1 200 OK"', ""],
        ["POST /score HTTP/1.1", "Host: x"],
        ["HTTP/1.1 404 Not Found", "2024-02-01 09:00:10,009 I [12] azmlinfsrv - next record"],
    ],
)
def test_access_logs_and_requests_are_no_answers(lines):
    assert not is_answer(lines, 0)


def test_answers_of_azure_management_are_told_apart():
    _, of_management = answer(["HTTP/1.1 409 Conflict", "x-ms-correlation-request-id: 0a1b", "", "{}"], ORIGIN)
    assert of_management


def test_chatter_of_curl_is_told_from_logs():
    assert is_chatter(
        ["* Connected to 10.0.0.1", "> POST /score HTTP/1.1", ">", "  % Total    % Received % Xferd", "100  12"]
    )
    assert not is_chatter(["* Connected", "2024-02-01 09:00:10,009 I [12] azmlinfsrv - Loaded"])


SDK = """\
Received bad response from service. More information can be found by calling `.get_logs()` on the webservice object.
Response Code: 502
Headers: {'Connection': 'keep-alive', 'Server': 'nginx/1.10.3 (Ubuntu)', 'X-Ms-Run-Function-Failed': 'True'}
Content: b"'str' object has no attribute 'tolist'"
"""


def test_the_sdk_quotes_the_answer_of_the_service():
    (response,) = quoted_answers(SDK, ORIGIN)
    assert (response.status, response.server, response.run_failed) == (502, "nginx/1.10.3 (Ubuntu)", "True")
    assert response.body == "'str' object has no attribute 'tolist'"
    assert response.line == 2


def test_an_answer_of_the_management_is_no_answer_of_the_service():
    text = SDK.replace("from service. More", "from Model Management Service:\nMore").splitlines()
    text = "\n".join(["Message: Received bad response from Model Management Service:", *text[2:]])
    assert list(quoted_answers(text, ORIGIN)) == []


def test_the_sample_client_of_the_studio():
    text = """\
The request failed with status code: 424
content-length: 81
content-type: application/json
server: azureml-frontend
x-request-id: 0a1b

{"message": "An unexpected error occurred in scoring script."}
"""
    (response,) = quoted_answers(text, ORIGIN)
    assert (response.status, response.server) == (424, "azureml-frontend")
    assert response.body == '{"message": "An unexpected error occurred in scoring script."}'


def test_only_requests_to_the_scoring_route_are_answers_of_the_service():
    failed = "requests.exceptions.HTTPError: 502 Server Error: Bad Gateway for url: http://10.0.0.1:80/api/v1/service/churn/score"
    docker = (
        "HTTPError('500 Server Error: Internal Server Error for url: http+docker://localnpipe/v1.35/images/create')"
    )
    assert [response.status for response in quoted_answers(f"{failed}\n{docker}", ORIGIN)] == [502]
