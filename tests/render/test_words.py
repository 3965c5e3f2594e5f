from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from diagnose.model import Citation, Report, Subject, Target
from diagnose.render.words import circumstances, clock, duration, first_line, left_open, location, size, subjects

HERE = Target(service="churn", kind="kubernetes", namespace="ns")


def _pod(name: str, container: str | None = "app", namespace: str = "ns") -> Subject:
    return Subject(place="kubernetes", namespace=namespace, workload="churn", pod=name, container=container)


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ((_pod("a"),), "pod a, container app"),
        ((_pod("b"), _pod("a")), "container app of pods a, b"),
        ((_pod("a", None), _pod("b", None)), "pods a, b"),
        ((_pod("a"), _pod("b"), _pod("c"), _pod("d")), "container app of pods a, b, c, and 1 more"),
        ((_pod("a"), _pod("b", "sidecar")), "pod a, container app; pod b, container sidecar"),
        ((_pod("a", None, "other"),), "namespace other, pod a"),
        ((Subject(place="docker", container="churn-1"),), "container churn-1"),
        ((Subject(place="kubernetes", namespace="ns", workload="churn"),), "churn"),
        ((Subject(),), ""),
        ((), ""),
    ],
)
def test_subjects_are_named_shortly(objects: tuple[Subject, ...], words: str, unexplained: Report) -> None:
    assert subjects(replace(unexplained.findings[0], subjects=objects), HERE, 3) == words


def test_a_citation_says_where_when_and_how_often() -> None:
    noon = datetime(2026, 11, 22, 13, 0, tzinfo=timezone(timedelta(hours=1)))
    cited = Citation("app.log", "text", line=58, time=noon, before=("one", "two"), count=7)
    assert location(cited) == "app.log:58"
    assert circumstances(cited) == "2026-11-22 12:00:00 UTC  ×7"
    assert first_line(cited) == 56


def test_a_line_of_what_a_command_prints_is_told_in_words() -> None:
    assert (
        location(Citation("kubectl logs churn-1 -c server", "text", line=3)) == "kubectl logs churn-1 -c server, line 3"
    )


def test_a_citation_of_which_little_is_known_says_little() -> None:
    cited = Citation("docker inspect churn", "state=exited")
    assert location(cited) == "docker inspect churn"
    assert circumstances(cited) == ""
    assert first_line(cited) is None


def test_times_are_utc() -> None:
    assert clock(datetime(2026, 1, 2, 3, 4, 5)) == clock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_rules_left_open_are_counted_and_the_first_are_named() -> None:
    assert left_open(("a", "b", "c"), 2) == "3 rules (a, b, ...)"
    assert left_open(("a",), 2) == "1 rule (a)"
    assert left_open((), 2) == ""


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1023, "1023 B"), (4200, "4.1 KiB"), (1 << 20, "1.0 MiB"), (5 << 30, "5.0 GiB")],
)
def test_sizes(count: int, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.82, "0.8 s"), (9.97, "10 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
