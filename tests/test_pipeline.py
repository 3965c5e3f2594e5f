"""The line from a name to a report: which place is taken, and what a place that breaks or hangs costs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from diagnose import pipeline
from diagnose.collectors import Limits
from diagnose.model import Collection, Missing, Report, Target, Verdict, Why
from diagnose.pipeline import NotFoundError, Settings, diagnose
from diagnose.streams import Container
from diagnose.targets import Candidate, Found, Unsearched, Wanted

WORKS = Container(source="x", name="server", state="running", ready=True, stable=True, readiness_probe="http")
CRASHES = Container(source="x", name="server", state="terminated", exit_code=1, restarts=3)


@dataclass
class Place:
    """A finder that answers as it is told."""

    place: str
    found: Callable[[Limits], Found]
    asked: list[str] = field(default_factory=list)
    hinted: bool = True

    @property
    def places(self) -> tuple[str, ...]:
        return (self.place,)

    def expected(self, wanted: Wanted) -> bool:
        return self.hinted

    def find(self, wanted: Wanted, limits: Limits) -> Found:
        self.asked.append(wanted.service)
        return self.found(limits)


def candidate(where: str, item: Container, collect: Callable[[Limits], Collection] | None = None) -> Candidate:
    def collection(_limits: Limits) -> Collection:
        return Collection(items={"containers": (item,)})

    target = Target(service="churn", kind="docker", where=where)
    return Candidate(target=target, unwell=item is CRASHES, collect=collect or collection)


def place(name: str, *candidates: Candidate, names: tuple[str, ...] = (), gaps: tuple[Unsearched, ...] = ()) -> Place:
    found = Found(place=name, reachable=True, candidates=candidates, names=names, unsearched=gaps)
    return Place(name, lambda _limits: found)


def unreachable(name: str) -> Place:
    gap = Unsearched(place=name, why=f"{name} is not there", remedy=f"start {name}")
    return Place(name, lambda _limits: Found(place=name, reachable=False, unsearched=(gap,)))


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    def run(*places: Place, service: str = "churn", on: str | None = None, timeout_s: float = 5) -> Report:
        monkeypatch.setattr(pipeline, "finders", lambda: places)
        return diagnose(Wanted(service=service, on=on), Settings(timeout_s=timeout_s), lambda _text: None)

    return run


def test_of_two_places_the_failing_one_is_taken_and_both_are_named(ask: Callable[..., Report]) -> None:
    report = ask(place("docker", candidate("here", WORKS)), place("kubernetes", candidate("there", CRASHES)))
    assert report.target.where == "there"
    assert any("also found in here" in note for note in report.target.notes)
    assert any("--on" in note for note in report.target.notes)


def test_on_asks_only_that_place(ask: Callable[..., Report]) -> None:
    other = place("kubernetes", candidate("there", CRASHES))
    assert ask(place("docker", candidate("here", WORKS)), other, on="docker").target.where == "here"
    assert other.asked == []


def test_a_place_that_could_not_be_searched_is_named_though_another_has_the_service(ask: Callable[..., Report]) -> None:
    report = ask(place("docker", candidate("here", WORKS)), unreachable("kubernetes"))
    assert any("kubernetes is not there; start kubernetes" in note for note in report.target.notes)


def test_a_service_that_is_nowhere_is_met_with_near_names(ask: Callable[..., Report]) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(place("docker", names=("churn-model", "other")), unreachable("kubernetes"), service="churn-modle")
    assert "did you mean churn-model?" in str(caught.value)
    assert "kubernetes is not there; start kubernetes" in str(caught.value)


def test_when_nothing_answers_each_place_says_how_to_reach_it(ask: Callable[..., Report]) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(unreachable("docker"), unreachable("kubernetes"))
    assert (caught.value.exit_code, len(str(caught.value).splitlines())) == (3, 3)


def test_a_place_whose_search_breaks_costs_only_itself(ask: Callable[..., Report]) -> None:
    def breaking(_limits: Limits) -> Found:
        raise ZeroDivisionError

    report = ask(Place("kubernetes", breaking), place("docker", candidate("here", WORKS)))
    assert (report.verdict, any("ZeroDivisionError" in note for note in report.target.notes)) == (Verdict.HEALTHY, True)


def test_a_place_that_hangs_costs_its_deadline_and_no_more(ask: Callable[..., Report]) -> None:
    def hanging(_limits: Limits) -> Found:
        threading.Event().wait(60)
        raise AssertionError

    begun = time.monotonic()
    report = ask(Place("kubernetes", hanging), place("docker", candidate("here", WORKS)), timeout_s=1)
    assert time.monotonic() - begun < 10
    assert any("did not answer in time" in note for note in report.target.notes)


def test_a_collector_that_breaks_is_said_and_never_healthy(ask: Callable[..., Report]) -> None:
    def breaking(_limits: Limits) -> Collection:
        raise ZeroDivisionError

    report = ask(place("docker", candidate("here", CRASHES, breaking)))
    assert (report.verdict, "ZeroDivisionError" in report.not_checked[0].what) == (Verdict.UNKNOWN, True)


def test_an_interrupted_search_says_so_and_looks_at_what_was_found(
    ask: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline.Future.result
    waits: list[bool] = []

    def interrupting(self: object, timeout: float | None = None) -> object:
        waits.append(True)
        if len(waits) == 1:
            raise KeyboardInterrupt
        return real(self, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline.Future, "result", interrupting)
    report = ask(place("kubernetes"), place("docker", candidate("here", CRASHES)))
    assert (report.target.where, any("interrupted" in note for note in report.target.notes)) == ("here", True)


def test_an_interrupted_collection_hands_over_what_it_has(
    ask: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(limits: Limits) -> Collection:
        limits.stop.wait(30)
        gap = Missing(stream="logs.container", why=Why.TIMED_OUT, what="the rest")
        return Collection(items={"containers": (CRASHES,)}, missing=(gap,))

    real = pipeline.Future.result
    interrupted: list[bool] = []

    def interrupting(self: object, timeout: float | None = None) -> object:
        if threading.current_thread() is threading.main_thread() and len(interrupted) < 2:
            interrupted.append(True)
            if len(interrupted) == 2:  # the first waits for the search, the second for the collection
                raise KeyboardInterrupt
        return real(self, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline.Future, "result", interrupting)
    report = ask(place("docker", candidate("here", CRASHES, slow)))
    assert (report.verdict, report.not_checked[0].what) == (Verdict.FAILING, "the rest")


def hinted(name: str, *candidates: Candidate) -> Place:
    """A place where the user gave no reason to look."""
    one = place(name, *candidates)
    one.hinted = False
    return one


def test_a_place_without_reason_is_not_asked_where_the_service_was_found(ask: Callable[..., Report]) -> None:
    far = hinted("azure", candidate("far", CRASHES))
    assert ask(place("docker", candidate("here", WORKS)), far).target.where == "here"
    assert far.asked == []


def test_a_place_without_reason_is_asked_for_a_service_found_nowhere_else(ask: Callable[..., Report]) -> None:
    assert ask(place("docker"), hinted("azure", candidate("far", CRASHES))).target.where == "far"


def test_on_is_reason_enough(ask: Callable[..., Report]) -> None:
    assert ask(hinted("azure", candidate("far", WORKS)), on="azure").target.where == "far"


def test_two_accounts_of_one_service_are_one_candidate(ask: Callable[..., Report]) -> None:
    both = candidate("azure and cluster", CRASHES)
    azure = replace(candidate("azure", WORKS), join=lambda other: both if other.target.where == "cluster" else None)
    report = ask(place("kubernetes", candidate("cluster", WORKS)), place("azure", azure))
    assert report.target.where == "azure and cluster"
    assert report.target.notes == ()


def test_a_place_nobody_could_look_into_counts_only_when_there_is_no_other(ask: Callable[..., Report]) -> None:
    unseen = replace(candidate("closed", CRASHES), unseen=True)
    assert ask(place("azure", unseen), place("docker", candidate("here", WORKS))).target.where == "here"
    assert ask(place("azure", unseen)).target.where == "closed"
