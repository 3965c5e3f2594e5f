"""Rules against evidence: each rule is a hit, clear, or unknown, for each subject it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from diagnose.engine.columns import Columns
from diagnose.engine.load import RuleBook
from diagnose.engine.places import ByPlace
from diagnose.engine.rule import Rule, Selection, kleene
from diagnose.engine.scan import Scanned, last_line, scan
from diagnose.lines import bare, stamp
from diagnose.model import Evidence, Item, Line, Log, Missing, Subject, Why
from diagnose.patterns import Pattern, search
from diagnose.streams import STREAMS, Event


@dataclass(frozen=True, slots=True)
class Match:
    """An item that a selection chose, and what its patterns captured."""

    item: Item
    captures: Mapping[str, str]
    log: Log | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched for one subject."""

    rule: Rule
    subject: Subject
    picked: Mapping[str, tuple[Match, ...]]
    """By selection; only those that chose anything."""

    def items(self) -> list[Match]:
        """All that is cited, needed selections first."""
        return [match for matches in self.picked.values() for match in matches]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule says of the evidence."""

    rule: Rule
    hits: tuple[Hit, ...]
    missing: tuple[Missing, ...]
    """What it would have needed to say "clear"; empty when it could be decided."""

    @property
    def verdict(self) -> str:
        """``hit``, ``clear`` or ``unknown``."""
        return "hit" if self.hits else "unknown" if self.missing else "clear"


def match(book: RuleBook, evidence: Evidence) -> tuple[Outcome, ...]:
    """Every rule's outcome."""
    scanned = {name: scan(logs, book.patterns) for name, logs in evidence.logs.items()}
    columns = Columns(evidence.items)
    return tuple(_answer(rule, evidence, columns, scanned) for rule in book.rules)


def _answer(rule: Rule, evidence: Evidence, columns: Columns, scanned: Mapping[str, Sequence[Scanned]]) -> Outcome:
    try:
        return _outcome(rule, evidence, columns, scanned)
    except Exception as error:  # noqa: BLE001 - a rule that breaks costs its own answer, not the run
        what = f"rule {rule.id} broke: {type(error).__name__}"
        stream = rule.selections[0].stream
        return Outcome(rule, (), (Missing(stream=stream, why=Why.FAILED, what=what, needs="please report this"),))


def _outcome(rule: Rule, evidence: Evidence, columns: Columns, scanned: Mapping[str, Sequence[Scanned]]) -> Outcome:
    chosen = {s.name: tuple(_select(s, columns, scanned)) for s in rule.selections}
    needed = [s for s in rule.selections if s.name in rule.condition]
    if not any(chosen[s.name] for s in needed):
        lacking = tuple(m for s in needed for m in _lacking(s.stream, Subject(), evidence))
        values = {s.name: None if _lacking(s.stream, Subject(), evidence) else False for s in needed}
        undecided = kleene(rule.condition, values)
        if undecided is not True:
            return Outcome(rule, (), lacking if undecided is None else ())
    at_best = {s.name: None if chosen[s.name] or _lacking(s.stream, Subject(), evidence) else False for s in needed}
    if kleene(rule.condition, at_best) is False:
        return Outcome(rule, (), ())  # whatever the subject
    hits: list[Hit] = []
    lacking_all: list[Missing] = []
    placed = {name: ByPlace((m.item.subject, m) for m in matches) for name, matches in chosen.items()}
    for subject in _groups(rule, [m for s in needed for m in chosen[s.name]]):
        hit, missing = _decide(rule, subject, needed, placed, evidence)
        hits += [hit] if hit else []
        lacking_all += missing
    return Outcome(rule, tuple(hits), tuple(dict.fromkeys(lacking_all)))


def _decide(
    rule: Rule,
    subject: Subject,
    needed: Sequence[Selection],
    placed: Mapping[str, ByPlace[Match]],
    evidence: Evidence,
) -> tuple[Hit | None, list[Missing]]:
    """The rule for one subject: a hit, or what was missing to decide."""
    here = {name: tuple(matches.joining(subject)) for name, matches in placed.items()}
    if rule.within_s is not None:
        here = _close(here, [s.name for s in needed], rule.within_s)
    values: dict[str, bool | None] = {}
    lacking: list[Missing] = []
    for selection in needed:
        enough = sum(m.count for m in here[selection.name]) >= selection.at_least
        gaps = [] if enough else _lacking(selection.stream, subject, evidence)
        values[selection.name] = True if enough else None if gaps else False
        lacking += gaps
    result = kleene(rule.condition, values)
    if result:
        return Hit(rule, subject, {name: matches for name, matches in here.items() if matches}), []
    return None, lacking if result is None else []


def _groups(rule: Rule, matches: Iterable[Match]) -> list[Subject]:
    """The subjects to decide for, at the rule's level; a match that knows less joins every one it may belong to."""
    level = rule.per
    full: dict[tuple[object, ...], Subject] = {}
    partial_subjects: dict[Subject, None] = {}
    for one in matches:
        subject = _cut(one.item.subject, level)
        key = subject.key(level)
        if None in key:
            partial_subjects[subject] = None
        else:
            full[(subject.namespace, *key)] = subject
    groups = list(full.values())
    for subject in partial_subjects:
        if not any(subject.joins(group) for group in groups):
            groups.append(subject)
    return groups or [Subject()]


def _cut(subject: Subject, level: str) -> Subject:
    """The subject without what is below ``level``."""
    parts = {
        "container": subject,
        "pod": Subject(subject.place, subject.namespace, subject.workload, subject.pod),
        "workload": Subject(subject.place, subject.namespace, subject.workload),
        "service": Subject(subject.place),
    }
    return parts[level]


def _lacking(stream: str, subject: Subject, evidence: Evidence) -> list[Missing]:
    """Why there could be more in ``stream`` about ``subject`` than was seen."""
    if STREAMS[stream].derived:
        stream = "logs.container"
    return [missing for missing in evidence.missing if missing.stream == stream and missing.subject.joins(subject)]


def _close(
    here: Mapping[str, tuple[Match, ...]], names: Sequence[str], within_s: float
) -> dict[str, tuple[Match, ...]]:
    """Only the matches near in time to one of every other needed selection; a match without a time stays."""

    def near(one: Match, others: Sequence[Match]) -> bool:
        if one.item.time is None:
            return True
        times = [other.item.time for other in others if other.item.time is not None]
        return len(times) < len(others) or any(abs((one.item.time - t).total_seconds()) <= within_s for t in times)

    return {
        name: tuple(m for m in matches if all(near(m, here[other]) for other in names if other != name and here[other]))
        for name, matches in here.items()
    }


def _select(selection: Selection, columns: Columns, scanned: Mapping[str, Sequence[Scanned]]) -> Iterable[Match]:
    if STREAMS[selection.stream].is_text:
        for one in scanned.get(selection.stream, ()):
            if selection.run in ("any", one.log.run):
                yield from _select_lines(selection, one)
        return
    for item, captures in columns.chosen(selection.stream, selection.where):
        if selection.run in ("any", getattr(item, "run", selection.run)):
            yield Match(item, captures, count=item.count if isinstance(item, Event) else 1)


def _select_lines(selection: Selection, scanned: Scanned) -> Iterable[Match]:
    wanted = [m.pattern for m in selection.where if m.pattern is not None and not m.negate]
    if not wanted:
        return
    lines = [dict(scanned.lines.get(pattern, ())) for pattern in wanted]
    numbers = sorted(set(lines[0]).intersection(*lines[1:]))
    refused = {n for m in selection.where if m.negate and m.pattern for n, _ in scanned.lines.get(m.pattern, ())}
    numbers = [number for number in numbers if number not in refused]
    if not numbers or (selection.unless_line and last_line(scanned.log, selection.unless_line, 1)):
        return
    outranked = last_line(scanned.log, selection.unless_followed_by, numbers[0])
    needs = last_line(scanned.log, selection.followed_by, numbers[0]) if selection.followed_by else None
    for number in numbers:
        if number >= outranked and (needs is None or number < needs):
            yield _line_match(scanned.log, number, lines[0][number], wanted)


def _line_match(log: Log, number: int, raw: str, wanted: Sequence[Pattern]) -> Match:
    captures: dict[str, str] = {}
    for pattern in wanted:
        captures |= search(pattern, raw) or {}
    item = Line(source=log.source, subject=log.subject, line=number, time=stamp(raw), content=bare(raw), run=log.run)
    return Match(item, captures, log)
