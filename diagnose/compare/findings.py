"""Which findings came, went and stayed: matched by rule and workload, whatever their pods are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from diagnose.compare.model import FindingChange, Place, Side, Status, Told
from diagnose.model import SEVERITIES, NotChecked, Role, Subject, Why

_ORDER = tuple(Status)
_ROLES = tuple(Role)
_Lack = tuple[str, str]
"""What is lacking, and why."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A finding at one place, on the side or sides where it was seen."""

    place: Place
    before: Told | None
    after: Told | None

    @property
    def told(self) -> Told:
        """As it is, or as it was."""
        told = self.after or self.before
        assert told is not None
        return told


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of a rule; the same at many places is told once."""

    rule: str
    status: Status
    note: str
    before: Role | None
    after: Role | None


class _Seen:
    """The findings of one rule on one side, by place; of several at one place, the most harmful."""

    def __init__(self, findings: Iterable[Told]) -> None:
        self.at: dict[Place, Told] = {}
        for finding in sorted(findings, key=lambda finding: _ROLES.index(finding.role)):
            for place in finding.places:
                self.at.setdefault(place, finding)
        self._near: dict[Place, Told] = {}
        for place, finding in self.at.items():
            for less in (Place(place.namespace), Place(None, place.workload), Place()):
                self._near.setdefault(less, finding)

    def joining(self, place: Place) -> Told | None:
        """The finding at this place, or at one that may be the same."""
        if place in self.at:
            return self.at[place]
        wider = (Place(place.namespace), Place(None, place.workload), Place())
        return next((self.at[one] for one in wider if one in self.at), None) or self._nearby(place)

    def _nearby(self, place: Place) -> Told | None:
        """One that knows more than ``place`` and does not contradict it."""
        return self._near.get(place) if None in (place.namespace, place.workload) else None


class _Sight:
    """What one side could see, and the other."""

    def __init__(self, label: str, side: Side, both: Set[_Lack]) -> None:
        """``both``: what neither side has. It hides nothing that came or went: other evidence shows the finding where
        it is, and would show it on the other side as well."""
        self._label = label
        self._side = side
        self._both = both
        self._open = {rule: gap for gap in reversed(side.not_checked) if _lack(gap) not in both for rule in gap.rules}

    def unseen(self, rule: str, place: Place, *, elsewhere: bool) -> str:
        """Why this side says nothing of the rule at the place; empty when it says that there is nothing.

        ``elsewhere``: the rule was found at some place. Then the side leaves no word of where it was not decided.
        """
        if self._side.known_rules is not None and rule not in self._side.known_rules:
            return f"{self._label} was judged without this rule"
        gap = self._open.get(rule) or (self._gap_at(place) if elsewhere else None)
        if gap is None:
            return ""
        needs = f"; it needs {gap.needs}" if gap.needs else ""
        return f"{self._label} lacks {gap.what} ({gap.why}{needs})"

    def _gap_at(self, place: Place) -> NotChecked | None:
        gaps: Iterable[NotChecked] = self._side.not_checked
        if self._side.evidence is not None:
            subject = Subject(namespace=place.namespace, workload=place.workload)
            missing = (one for one in self._side.evidence.missing if one.subject.joins(subject))
            gaps = (NotChecked(one.what, one.why.value, one.needs, ()) for one in missing)
        return next((gap for gap in gaps if gap.why != Why.NOT_SUPPLIED and _lack(gap) not in self._both), None)


def _lack(gap: NotChecked) -> _Lack:
    return gap.what, gap.why


def _lacking(side: Side) -> set[_Lack]:
    """What a side lacks altogether: of what was cut off, it may have another part."""
    return {_lack(gap) for gap in side.not_checked if gap.why != Why.TRUNCATED}


def changes_of(before: Side, after: Side) -> tuple[FindingChange, ...]:
    """What became of every finding; both sides call the service and its namespace alike."""
    earlier, later = _by_rule(before.findings), _by_rule(after.findings)
    both = _lacking(before) & _lacking(after)
    sights = _Sight("BEFORE", before, both), _Sight("AFTER", after, both)
    groups: defaultdict[_Fate, list[_Pair]] = defaultdict(list)
    for rule in dict.fromkeys([*later, *earlier]):
        for pair in _pairs(_Seen(earlier.get(rule, ())), _Seen(later.get(rule, ()))):
            groups[_fate(pair, *sights, elsewhere=rule in later)].append(pair)
    found = [_change(fate, pairs) for fate, pairs in groups.items()]
    return tuple(sorted(_folded(found, before, after), key=_urgency))


def _by_rule(findings: Iterable[Told]) -> Mapping[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return found


def _pairs(earlier: _Seen, later: _Seen) -> Iterator[_Pair]:
    for place, finding in later.at.items():
        yield _Pair(place, earlier.joining(place), finding)
    for place, finding in earlier.at.items():
        if later.joining(place) is None:
            yield _Pair(place, finding, None)


def _fate(pair: _Pair, before: _Sight, after: _Sight, *, elsewhere: bool) -> _Fate:
    """``elsewhere``: the rule was found at some place afterwards."""
    rule, status, note = pair.told.rule, Status.STILL, ""
    if pair.after is None:
        note = after.unseen(rule, pair.place, elsewhere=elsewhere)
        status = Status.UNKNOWN if note else Status.FIXED
    elif pair.before is None:
        unseen = before.unseen(rule, pair.place, elsewhere=False)
        status, note = Status.NEW, f"it may have been there before: {unseen}" if unseen else ""
    elif pair.after.active and not pair.before.active:
        status, note = Status.NEW, "it was there before, but without effect"
    elif pair.before.active and not pair.after.active:
        status, note = Status.FIXED, "its traces are still seen, but it has no effect at present"
    return _Fate(
        rule=rule,
        status=status,
        note=note,
        before=pair.before.role if pair.before else None,
        after=pair.after.role if pair.after else None,
    )


def _change(fate: _Fate, pairs: Sequence[_Pair]) -> FindingChange:
    told = pairs[0].told
    return FindingChange(
        status=fate.status,
        rule=fate.rule,
        title=told.title,
        stage=told.stage,
        severity=told.severity,
        places=tuple(sorted({str(pair.place) for pair in pairs if str(pair.place)})),
        before=fate.before,
        after=fate.after,
        note=fate.note,
        citation=told.citation,
    )


def _folded(found: Sequence[FindingChange], before: Side, after: Side) -> list[FindingChange]:
    """Each symptom with the finding of the same status that accounts for it."""
    together = {(one.status, one.rule) for one in found}
    causes: dict[tuple[Status, str], str] = {}
    for status in Status:
        for finding in (before if status in (Status.FIXED, Status.UNKNOWN) else after).findings:
            if finding.role is not Role.SYMPTOM and (status, finding.rule) in together:
                for told in finding.explains:
                    causes.setdefault((status, told), finding.rule)
    return [replace(one, under=_under(one, causes)) for one in found]


def _under(one: FindingChange, causes: Mapping[tuple[Status, str], str]) -> str:
    role = one.before if one.status in (Status.FIXED, Status.UNKNOWN) else one.after
    cause = causes.get((one.status, one.rule), "")
    return cause if role is Role.SYMPTOM and cause != one.rule else ""


def _urgency(one: FindingChange) -> tuple[int, bool, int, int, str, tuple[str, ...]]:
    role = one.after or one.before
    rank = _ROLES.index(role) if role else len(_ROLES)
    return (_ORDER.index(one.status), not one.active, rank, -SEVERITIES.index(one.severity), one.rule, one.places)
