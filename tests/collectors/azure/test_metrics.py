"""Requests per minute: by status code, with minutes that have no data left out."""

from datetime import UTC, datetime

import pytest
from azure_server import WORKSPACE_PATH, Answer, Request, body_of

from diagnose.collectors import Limits
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.azure.metrics import collect_minutes, minutes_of
from diagnose.model import Subject, Why

DERIVED = body_of("monitor/metrics_online_endpoint_requests")
ENDPOINT = f"{WORKSPACE_PATH}/onlineEndpoints/mysvc"
METRICS = f"{ENDPOINT}/providers/Microsoft.Insights/metrics"
DEFINITIONS = f"{ENDPOINT}/providers/Microsoft.Insights/metricDefinitions"
NOW = datetime(2026, 11, 20, 8, 15, tzinfo=UTC)


def series(data: list[dict[str, object]], **dimensions: str) -> dict[str, object]:
    """One timeseries as Azure gives it."""
    told = [{"name": {"value": name}, "value": value} for name, value in dimensions.items()]
    return {"metadatavalues": told, "data": data}


def answer(*timeseries: dict[str, object]) -> dict[str, object]:
    metric = {"id": METRICS + "/RequestsPerMinute", "name": {"value": "RequestsPerMinute"}}
    return {"value": [metric | {"timeseries": list(timeseries)}]}


def definitions(*dimensions: str) -> dict[str, object]:
    named = [{"value": name} for name in dimensions]
    return {
        "value": [
            {"name": {"value": "ConnectionsActive"}},
            {"name": {"value": "RequestsPerMinute"}, "dimensions": named},
        ]
    }


POINT = [{"timeStamp": "2026-11-20T08:10:00Z", "average": 5.0}]


def test_a_minute_with_all_its_status_codes():
    minutes = minutes_of(DERIVED)
    assert [minute.time.minute for minute in minutes] == [10, 11, 12, 13, 14]
    last = minutes[-1]
    assert (last.requests, last.ok, last.server_errors, last.unavailable) == (83.0, 4.0, 77.0, 77.0)
    assert (last.client_errors, last.model_errors, last.throttled) == (2.0, 2.0, 0.0)
    assert (last.deployment, last.subject) == ("", Subject("endpoint"))
    assert last.source == f"az monitor metrics list --resource {ENDPOINT} --metric RequestsPerMinute --interval PT1M"


def test_a_point_without_a_value_counts_nothing():
    third = minutes_of(DERIVED)[2]
    assert (third.requests, third.ok, third.unavailable) == (40.0, 0.0, 40.0)


@pytest.mark.parametrize("point", [{}, {"average": None}])
def test_a_minute_without_data_is_no_minute_of_no_requests(point):
    quiet = [{"timeStamp": "2026-11-20T08:11:00Z", **point}]
    assert len(minutes_of(answer(series(POINT + quiet, statuscode="200")))) == 1
    assert minutes_of(answer(series(quiet, statuscode="200"))) == ()


def test_where_only_the_class_is_told_the_class_counts():
    (minute,) = minutes_of(answer(series(POINT, statuscodeclass="5xx"), series(POINT, statuscodeclass="4xx")))
    assert (minute.server_errors, minute.unavailable, minute.client_errors) == (5.0, 0.0, 5.0)


def test_throttled_requests_are_client_errors_too():
    (minute,) = minutes_of(answer(series(POINT, statuscode="429")))
    assert (minute.throttled, minute.client_errors, minute.requests) == (5.0, 5.0, 5.0)


def test_deployments_are_told_apart_where_azure_does():
    body = answer(
        series(POINT, deployment="green", statuscode="200"), series(POINT, deployment="blue", statuscode="503")
    )
    blue, green = minutes_of(body)
    assert (blue.deployment, blue.unavailable, blue.ok) == ("blue", 5.0, 0.0)
    assert green.subject == Subject("endpoint", workload="green")


def test_other_metrics_are_no_requests():
    assert minutes_of(body_of("monitor/metrics_list_example")) == ()


def collected(arm, limits: Limits | None = None):
    gathering = Gathering(Subject("endpoint"), now=NOW)
    collect_minutes(arm, ENDPOINT, gathering, limits or Limits())
    return gathering.collection(0)


def test_the_last_hour_is_asked_for(azure, arm):
    azure.use("monitor/metrics_online_endpoint_requests")
    collection = collected(arm)
    assert collection.items["http.minutes"] == minutes_of(DERIVED)
    (request,) = [request for request in azure.requests if request.path == METRICS]
    assert request.query["timespan"] == "2026-11-20T07:15:00Z/2026-11-20T08:15:00Z"
    assert (request.query["interval"], request.query["metricnames"]) == ("PT1M", "RequestsPerMinute")
    assert (request.query["$filter"], request.query["top"]) == ("statusCode eq '*'", "100")
    assert azure.paths() == [METRICS]


def test_or_as_much_as_the_user_wants(azure, arm):
    azure.use("monitor/metrics_online_endpoint_requests")
    collected(arm, Limits(since_s=600))
    (request,) = [request for request in azure.requests if request.path == METRICS]
    assert request.query["timespan"] == "2026-11-20T08:05:00Z/2026-11-20T08:15:00Z"


@pytest.mark.parametrize(
    ("dimensions", "asked"),
    [
        (("Deployment", "StatusCode"), "StatusCode eq '*'"),
        (("statusCodeClass",), "statusCodeClass eq '*'"),
        (("deployment",), None),
    ],
)
def test_a_filter_that_is_refused_is_asked_for_by_the_names_azure_gives(azure, arm, monkeypatch, dimensions, asked):
    azure.answer("GET", DEFINITIONS, 200, definitions(*dimensions))
    plain = azure.handle

    def handle(request: Request) -> Answer | None:
        known = plain(request)
        if request.path != METRICS:
            return known
        if request.query.get("$filter") == "statusCode eq '*'":
            return Answer.json({"code": "BadRequest", "message": "Metric does not support this filter"}, 400)
        return Answer.json(DERIVED)

    monkeypatch.setattr(azure, "handle", handle)
    collection = collected(arm)
    assert len(collection.items["http.minutes"]) == 5
    assert azure.paths() == [METRICS, DEFINITIONS, METRICS]
    assert azure.requests[-1].query.get("$filter") == asked


def test_an_endpoint_without_requests_was_asked(azure, arm):
    azure.answer("GET", METRICS, 200, answer())
    collection = collected(arm)
    assert collection.items["http.minutes"] == ()
    assert collection.missing == ()


def test_metrics_that_may_not_be_read_name_the_role(azure, arm):
    azure.answer("GET", METRICS, 403, {"code": "Forbidden", "message": "no"})
    collection = collected(arm)
    (gap,) = collection.missing
    assert (gap.stream, gap.why, gap.needs) == ("http.minutes", Why.DENIED, "Monitoring Reader on endpoint mysvc")
    assert azure.paths() == [METRICS]
