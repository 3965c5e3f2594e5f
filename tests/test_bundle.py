"""Evidence that was saved and loaded again gives the same report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from program import diagnose
from replay import Replay

from diagnose.bundle import loaded, saved
from diagnose.collectors import Limits
from diagnose.engine.load import load
from diagnose.errors import InputError
from diagnose.facts import TEXTS
from diagnose.model import Evidence, Target
from diagnose.pipeline import admitted, judged
from diagnose.targets import Wanted
from diagnose.targets.kubernetes import KubernetesFinder

Start = Callable[..., Replay]


def collected(service: str) -> Evidence:
    limits = Limits(deadline=time.monotonic() + 20)
    (candidate,) = KubernetesFinder().find(Wanted(service=service), limits).candidates
    return admitted(candidate.target, candidate.collect(limits))


@pytest.mark.parametrize("service", ["rollout", "healthy", "quota", "noendpoints"])
def test_the_report_is_the_same(service: str, replayed: Start, tmp_path: Path) -> None:
    replayed(service, f"aml-{service}")
    evidence = collected(service)
    again = loaded(saved(evidence), "bundle")
    book = load((), TEXTS)
    assert judged(book, again) == judged(book, evidence)
    path = tmp_path / "bundle.json"
    path.write_bytes(saved(evidence))
    assert diagnose("analyze", path, "--format", "json").report["verdict"] == judged(book, evidence).verdict.value


@pytest.mark.parametrize("data", [b"{}", b"[]", b"nonsense", b'{"schema": "diagnose/evidence/1"}', b"\xff"])
def test_something_else_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^bundle: is no saved evidence"):
        loaded(data, "bundle")


def small(**changes: object) -> bytes:
    """The least that a saved text holds, with something else in it."""
    body = json.loads(saved(Evidence(target=Target(service="churn", kind="docker"))))
    return json.dumps(body | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "diagnose/evidence/2"},
        {"target": None},
        {"now": "yesterday"},
        {"items": []},
        {"items": {"pods": 5}},
        {"items": {"pods": [{"name": "a"}]}},
        {"items": {"pods": [{"source": "x", "name": ["a"]}]}},
        {"logs": {"logs.container": [{}]}},
        {"missing": [{"stream": "pods", "why": "no idea", "what": "x"}]},
        {"redactions": {"password": "many"}},
    ],
)
def test_a_field_of_another_kind_is_refused_in_one_line(changes: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"^bundle: is no saved evidence") as caught:
        loaded(small(**changes), "bundle")
    assert "\n" not in str(caught.value)


def test_what_is_nested_too_deep_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^bundle: is no saved evidence"):
        loaded(small().replace(b'"items": {}', b'"items": {"pods": ' + b"[" * 100_000), "bundle")


def test_streams_of_another_version_are_passed_over() -> None:
    lacking = [{"stream": name, "why": "denied", "what": "x"} for name in ("pods", "tea.leaves")]
    known = loaded(small(items={"pods": [], "tea.leaves": [1]}, logs={"tea.logs": []}, missing=lacking), "bundle")
    assert (dict(known.items), dict(known.logs)) == ({"pods": ()}, {})
    assert [gap.stream for gap in known.missing] == ["pods"]


def test_a_time_without_a_zone_is_in_utc() -> None:
    event = {"source": "x", "reason": "Pulled", "time": "2026-11-22T12:00:00"}
    known = loaded(small(items={"events": [event]}, now="2026-11-22T13:00:00"), "bundle")
    assert (known.items["events"][0].time, known.now) == (
        datetime(2026, 11, 22, 12, tzinfo=UTC),
        datetime(2026, 11, 22, 13, tzinfo=UTC),
    )
