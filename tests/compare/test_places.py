"""A place stays the same when pods get other names, and is read back from the text of a report."""

from __future__ import annotations

import pytest

from diagnose.compare.model import Place
from diagnose.compare.places import places_named, places_of
from diagnose.model import Subject

POD = "churn-5c6b8885ff-4wwmb"


@pytest.mark.parametrize(
    ("subject", "place"),
    [
        (Subject("kubernetes", "ns", "churn", POD, "server"), Place("ns", "churn")),
        (Subject("kubernetes", "ns", None, POD, "server"), Place("ns", "churn")),
        (Subject("kubernetes", "ns", "db", "db-0"), Place("ns", "db")),
        (Subject("kubernetes", "ns", "churn"), Place("ns", "churn")),
        (Subject("kubernetes", "ns"), Place("ns")),
        (Subject("kubernetes"), Place()),
        (Subject("docker", None, "churn", None, "churn-1"), Place(None, "churn")),
        (Subject("endpoint", None, "blue", None, "inference-server"), Place(None, "blue")),
        (Subject("aci", None, "churn", None, "churn"), Place(None, "churn")),
        (Subject("azure", None, "churn"), Place(None, "churn")),
        (Subject("azure"), Place()),
        (Subject("file", "ns", "churn", POD, "server"), Place("ns", "churn")),
        (Subject("file", None, None, POD), Place(None, "churn")),
        (Subject("file"), Place()),
        (Subject(), Place()),
    ],
)
def test_a_subject_and_its_text_are_the_same_place(subject: Subject, place: Place) -> None:
    assert places_of([subject]) == (place,)
    assert places_named([str(subject)]) == (place,)


def test_replicas_are_one_place() -> None:
    pods = [Subject("kubernetes", "ns", "churn", f"churn-5c6b8885ff-{name}") for name in ("4wwmb", "xk2p9")]
    assert places_of(pods) == places_named(map(str, pods)) == (Place("ns", "churn"),)


def test_a_finding_without_a_subject_is_somewhere() -> None:
    assert places_of([]) == places_named([]) == (Place(),)
