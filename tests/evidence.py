"""Short ways to write evidence and rules down in tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from diagnose.engine.load import RuleBook, RuleFile, compiled
from diagnose.engine.report import report
from diagnose.facts import derived
from diagnose.model import Chunk, Evidence, Item, Log, Missing, Report, Subject, Target, Why

A = Subject("kubernetes", "ns", "churn", "churn-a", "server")
B = Subject("kubernetes", "ns", "churn", "churn-b", "server")


def log(
    text: str, subject: Subject = A, stream: str = "logs.container", run: str = "current", source: str = "a.log"
) -> Log:
    """One whole log."""
    return Log(stream=stream, source=source, subject=subject, run=run, chunks=(Chunk(1, dedent(text)),))


def evidence(
    *logs: Log,
    items: Mapping[str, tuple[Item, ...]] | None = None,
    missing: tuple[Missing, ...] = (),
    kind: str = "kubernetes",
) -> Evidence:
    """Evidence with the derived streams added, as the pipeline has it."""
    streams: dict[str, tuple[Log, ...]] = {}
    for one in logs:
        streams[one.stream] = (*streams.get(one.stream, ()), one)
    target = Target(service="churn", kind=kind, namespace="ns")
    return derived(Evidence(target=target, items=items or {}, logs=streams, missing=missing))


def denied(stream: str, subject: Subject | None = None) -> Missing:
    """A stream that may not be read."""
    return Missing(
        stream=stream, why=Why.DENIED, what=f"{stream} of churn", needs="more rights", subject=subject or Subject()
    )


def rule_text(rule_id: str, body: str, **fields: str) -> str:
    """A whole rule file around its match part."""
    head = {"title": f"Rule {rule_id}", "kind": "cause", "severity": "error", **fields}
    lines = [
        f"id: {rule_id}",
        f"stage: {rule_id.partition('.')[0]}",
        *(f"{key}: {value}" for key, value in head.items()),
    ]
    return "\n".join([*lines, dedent(body).strip(), _REST])


_REST = """
explain: A sentence that is long enough to be one.
fixes: [{text: Do it.}]
examples:
  - {name: one, expect: hit}
  - {name: two, expect: clear}
"""


def book(folder: Path, *texts: str) -> RuleBook:
    """A rule book of rule texts, compiled from files in ``folder``."""
    return compiled(written(folder, *texts))


def written(folder: Path, *texts: str) -> list[RuleFile]:
    """Rule files in ``folder``, named as their ids want it."""
    files = []
    for text in texts:
        stage, _, slug = text.split("\n", 1)[0].removeprefix("id: ").partition(".")
        path = folder / stage / f"{slug}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        files.append(RuleFile(path, f"{stage}/{slug}.yaml", path.read_bytes()))
    return files


def judged(rules: RuleBook, known: Evidence) -> Report:
    """The report on evidence."""
    return report(rules, known, {})
