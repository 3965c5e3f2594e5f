"""Evidence that was saved and loaded again gives the same report."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from program import diagnose
from replay import Replay

from diagnose.bundle import loaded, saved
from diagnose.collectors import Limits
from diagnose.engine.load import load
from diagnose.errors import InputError
from diagnose.facts import TEXTS
from diagnose.model import Evidence
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
