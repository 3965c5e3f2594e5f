"""Rules prove themselves: each example of a rule file is run through the same engine as real evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from diagnose.engine.load import RuleBook, RuleFile
from diagnose.engine.match import match
from diagnose.engine.rule import Rule
from diagnose.engine.schema import Compiled, Example, compile_file
from diagnose.model import Chunk, Evidence, Item, Log, Missing, Subject, Target, Why
from diagnose.patterns import PatternSet
from diagnose.streams import STREAMS

Derive = Callable[[Evidence], Evidence]
"""Adds the streams that are computed from logs."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One example and what the rule said of it."""

    rule: str
    example: str
    expected: str
    said: str
    problem: str = ""
    """Why the example could not be run at all."""

    @property
    def holds(self) -> bool:
        """The rule said what it should."""
        return not self.problem and self.said == self.expected


def prove(file: RuleFile, derive: Derive) -> tuple[list[Proof], list[str]]:
    """Run every example of a rule file; the second part lists its mistakes when it is no valid rule."""
    one, mistakes = compile_file(file.path, file.name)
    if one is None:
        return [], mistakes
    book = alone(one.rule)
    return [_proof(one, example, book, derive) for example in one.examples], []


def alone(rule: Rule) -> RuleBook:
    """A rule book of one rule."""
    patterns = dict.fromkeys(p for selection in rule.selections for p in selection.patterns())
    return RuleBook((rule,), PatternSet(list(patterns)))


def _proof(one: Compiled, example: Example, book: RuleBook, derive: Derive) -> Proof:
    try:
        evidence = derive(example_evidence(one.rule, example))
    except (msgspec.ValidationError, TypeError) as error:
        return Proof(one.rule.id, example.name, example.expect, "", str(error))
    return Proof(one.rule.id, example.name, example.expect, match(book, evidence)[0].verdict)


def example_evidence(rule: Rule, example: Example) -> Evidence:
    """The evidence an example describes: streams it does not name were collected and are empty.

    Raises msgspec.ValidationError for an item that does not fit its stream.
    """
    items: dict[str, tuple[Item, ...]] = {}
    logs: dict[str, tuple[Log, ...]] = {"logs.container": ()}
    for selection in rule.selections:
        if not STREAMS[selection.stream].derived and selection.stream not in example.missing:
            (logs if STREAMS[selection.stream].is_text else items)[selection.stream] = ()
    for name, given in example.given.items():
        several = given if isinstance(given, list) else [given]
        if STREAMS[name].is_text:
            logs[name] = tuple(_log(name, number, one) for number, one in enumerate(several, 1))
        else:
            items[name] = tuple(_item(name, one) for one in several)
    missing = tuple(Missing(stream=name, why=Why.DENIED, what=STREAMS[name].title) for name in example.missing)
    return Evidence(target=Target(service="example", kind="files"), items=items, logs=logs, missing=missing)


def _log(stream: str, number: int, given: str | Mapping[str, Any]) -> Log:
    parts: Mapping[str, Any] = {"text": given} if isinstance(given, str) else given
    return Log(
        stream=stream,
        source=f"example-{number}.log",
        subject=_subject(parts.get("subject")),
        run=parts.get("run", "current"),
        chunks=(Chunk(1, parts["text"]),),
    )


def _item(stream: str, given: Mapping[str, Any]) -> Item:
    unknown = set(given) - set(STREAMS[stream].item.__dataclass_fields__)
    if unknown:
        raise msgspec.ValidationError(f"{stream} has no field {', '.join(sorted(unknown))}")
    return msgspec.convert({"source": "example", **given}, type=STREAMS[stream].item, strict=False)


def _subject(given: Mapping[str, Any] | None) -> Subject:
    return msgspec.convert(given or {}, type=Subject)


def summary(proofs: Sequence[Proof]) -> str:
    """How many examples hold, in words."""
    wrong = sum(not proof.holds for proof in proofs)
    rules = len({proof.rule for proof in proofs})
    return f"{len(proofs)} examples of {rules} rules: {len(proofs) - wrong} hold, {wrong} do not"
