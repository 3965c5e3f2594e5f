"""Requests to an online endpoint, minute by minute and by status code, as Azure Monitor counts them.

Needs the role Monitoring Reader on the endpoint, or Reader on its workspace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from diagnose.azure_items import RequestMinute
from diagnose.collectors import Limits
from diagnose.collectors.azure.answers import name_of, number, part, parts, text
from diagnose.collectors.azure.errors import AzureError
from diagnose.collectors.azure.gathering import Gathering
from diagnose.collectors.files.times import moment
from diagnose.model import Subject

if TYPE_CHECKING:
    from diagnose.collectors.azure.arm import Arm, Json

API = "2018-01-01"
"""Of Microsoft.Insights/metrics."""
_METRIC = "RequestsPerMinute"
_SPLIT = ("statusCode", "statusCodeClass")
"""Dimensions that tell how a request was answered, the more exact one first."""
_MOST_SERIES = "100"
"""Azure gives ten unless asked for more: there may be more status codes than that."""
_USUAL_S = 3600.0
_LONGEST_S = 30 * 86400.0
"""What Azure answers in one call."""


@dataclass(frozen=True, slots=True)
class _Series:
    """The minutes of one status code."""

    deployment: str
    code: int
    """503; 500 where only the class 5xx is told; 0 where nothing is."""
    minutes: tuple[tuple[datetime, float], ...]


def minutes_of(body: Json) -> tuple[RequestMinute, ...]:
    """Each minute in which anything was counted, in order; a minute without data is none, and not one of 0 requests."""
    found: dict[tuple[datetime, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    source = ""
    for metric in parts(body.get("value")):
        if text(part(metric, "name").get("value")) != _METRIC:
            continue
        source = _source(text(metric.get("id")).partition("/providers/Microsoft.Insights/")[0])
        for series in map(_series, parts(metric.get("timeseries"))):
            for time, count in series.minutes:
                found[time, series.deployment][series.code] += count
    return tuple(_minute(time, name, found[time, name], source) for time, name in sorted(found))


def _source(endpoint_id: str) -> str:
    return f"az monitor metrics list --resource {endpoint_id} --metric {_METRIC} --interval PT1M"


def _series(series: Json) -> _Series:
    """Names of dimensions come back in small letters."""
    told = {
        text(part(one, "name").get("value")).lower(): text(one.get("value"))
        for one in parts(series.get("metadatavalues"))
    }
    code, kind = told.get("statuscode", ""), told.get("statuscodeclass", "")
    exact = int(code) if code.isdecimal() else int(kind[0]) * 100 if kind[:1].isdecimal() else 0
    return _Series(told.get("deployment", ""), exact, tuple(_counted(series)))


def _counted(series: Json) -> Iterator[tuple[datetime, float]]:
    """Minutes with a value; Azure leaves the value out where it has no data."""
    for point in parts(series.get("data")):
        time, count = moment(text(point.get("timeStamp"))), number(point.get("average"))
        if time is not None and count is not None:
            yield time, count


def _minute(time: datetime, deployment: str, counts: dict[int, float], source: str) -> RequestMinute:
    def of(hundred: int) -> float:
        return sum(count for code, count in counts.items() if code // 100 == hundred)

    return RequestMinute(
        source=source,
        subject=Subject("endpoint", workload=deployment or None),
        time=time,
        deployment=deployment,
        requests=sum(counts.values()),
        ok=of(2),
        client_errors=of(4),
        model_errors=counts.get(424, 0.0),
        throttled=counts.get(429, 0.0),
        server_errors=of(5),
        unavailable=counts.get(503, 0.0),
    )


def collect_minutes(arm: Arm, endpoint_id: str, gathering: Gathering, limits: Limits) -> None:
    """The minutes of the last hour, or of the time the user asked for."""
    name = name_of(endpoint_id)
    needs = f"Monitoring Reader on endpoint {name}"
    span_s = min(limits.since_s or _USUAL_S, _LONGEST_S)
    body = gathering.attempt(
        ("http.minutes",),
        f"requests to endpoint {name}",
        needs,
        lambda: _asked(arm, endpoint_id, gathering.now, span_s),
    )
    if body is not None:
        gathering.add("http.minutes", minutes_of(body))


def _asked(arm: Arm, endpoint_id: str, now: datetime, span_s: float) -> Json:
    """Split by status code; where Azure does not take that, by the dimension that the metric is said to have."""
    try:
        return _metrics(arm, endpoint_id, now, span_s, _SPLIT[0])
    except AzureError as error:
        if error.status != 400:
            raise
    return _metrics(arm, endpoint_id, now, span_s, _dimension(arm, endpoint_id))


def _metrics(arm: Arm, endpoint_id: str, now: datetime, span_s: float, split: str) -> Json:
    begin = now - timedelta(seconds=span_s)
    query = {
        "timespan": f"{begin:%Y-%m-%dT%H:%M:%SZ}/{now:%Y-%m-%dT%H:%M:%SZ}",
        "interval": "PT1M",
        "metricnames": _METRIC,
        "aggregation": "Average",
    }
    if split:
        query |= {"$filter": f"{split} eq '*'", "top": _MOST_SERIES}
    return arm.get(f"{endpoint_id}/providers/Microsoft.Insights/metrics", API, **query)


def _dimension(arm: Arm, endpoint_id: str) -> str:
    """The dimension of the metric that tells status codes; empty without one."""
    body = arm.get(f"{endpoint_id}/providers/Microsoft.Insights/metricDefinitions", API)
    names = {
        text(one.get("value")).lower(): text(one.get("value"))
        for metric in parts(body.get("value"))
        if text(part(metric, "name").get("value")) == _METRIC
        for one in parts(metric.get("dimensions"))
    }
    return next((names[wanted.lower()] for wanted in _SPLIT if wanted.lower() in names), "")
