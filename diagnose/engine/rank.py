"""From hits to ranked findings: symptoms fold under their causes, what works now is latent, the answer is first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from diagnose.azure_items import Refusal
from diagnose.engine.azure import is_setting
from diagnose.engine.health import Health, stage_index
from diagnose.engine.match import Hit
from diagnose.engine.places import ByPlace
from diagnose.engine.rule import Rule
from diagnose.engine.words import citations, explanation, fixes, title
from diagnose.model import SEVERITIES, Evidence, Finding, Role, Subject

_ORDER = (Role.ROOT_CAUSE, Role.CONTRIBUTING, Role.SYMPTOM, Role.LATENT, Role.ADVICE)
_ANSWERS = ("cause", "check")
_GRAVE = SEVERITIES.index("error")


@dataclass(frozen=True, slots=True)
class _Group:
    """The hits of one rule that are in the same situation."""

    rule: Rule
    hits: tuple[Hit, ...]
    latent: bool
    explained: bool
    """By hits of other rules, for each of its subjects."""
    folded: frozenset[str]
    """Ids of the rules it explains here."""

    @property
    def ours(self) -> bool:
        """It rests on what was refused to this program alone, which says nothing against the service."""
        items = [match.item for hit in self.hits for match in hit.items()]
        refused = [isinstance(item, Refusal) for item in items]
        return any(refused) and all(no or is_setting(item) for no, item in zip(refused, items, strict=True))

    def joins(self, other: _Group) -> bool:
        """They concern the same subject somewhere."""
        return any(mine.subject.joins(theirs.subject) for mine in self.hits for theirs in other.hits)

    @property
    def answers(self) -> bool:
        """It may be the answer."""
        return (
            self.rule.kind in _ANSWERS
            and not self.ours
            and not self.latent
            and not self.explained
            and self.rule.severity != "info"
        )

    @property
    def urgency(self) -> tuple[int, int, int, str]:
        """Sorts the most likely answer first."""
        return (-SEVERITIES.index(self.rule.severity), -len(self.folded), stage_index(self.rule.stage), self.rule.id)


def rank(hits: Sequence[Hit], evidence: Evidence, health: Health, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """The findings, the answer first."""
    groups = _groups(hits, health, rules)
    answers = sorted((group for group in groups if group.answers), key=lambda group: group.urgency)
    roles = {id(group): _role(group, answers) for group in groups}
    stray = {id(g): _taken_by(g, answers) for g in groups if roles[id(g)] is Role.SYMPTOM and not g.explained}
    findings = []
    for group in sorted(groups, key=lambda group: (_ORDER.index(roles[id(group)]), group.explained, group.urgency)):
        also = {other.rule.id for other in groups if stray.get(id(other)) is group}
        findings.append(_finding(group, roles[id(group)], group.folded | also, evidence))
    return tuple(findings)


def _groups(hits: Sequence[Hit], health: Health, rules: Mapping[str, Rule]) -> list[_Group]:
    latent = {id(hit): hit.rule.kind != "advice" and health.works_now(hit) for hit in hits}
    reach = {rule_id: _reach(rule_id, rules) for rule_id in {hit.rule.id for hit in hits}}
    placed = {rule_id: ByPlace((h.subject, h) for h in hits if h.rule.id == rule_id) for rule_id in reach}
    folds = [
        (cause, told)
        for cause in hits
        for told_id in reach[cause.rule.id] & placed.keys()
        for told in placed[told_id].joining(cause.subject)
        if latent[id(cause)] == latent[id(told)]
    ]
    explained = {id(told) for _, told in folds}
    parts: dict[tuple[str, bool, bool], list[Hit]] = {}
    for hit in hits:
        parts.setdefault((hit.rule.id, latent[id(hit)], id(hit) in explained), []).append(hit)
    return [
        _Group(several[0].rule, tuple(several), is_latent, is_explained, _folded(several, folds))
        for (_, is_latent, is_explained), several in parts.items()
    ]


def _folded(several: Sequence[Hit], folds: Iterable[tuple[Hit, Hit]]) -> frozenset[str]:
    mine = {id(hit) for hit in several}
    return frozenset(told.rule.id for cause, told in folds if id(cause) in mine)


def _reach(start: str, rules: Mapping[str, Rule]) -> frozenset[str]:
    """Every id that ``start`` explains, directly or through others."""
    todo, done = [start], set[str]()
    while todo:
        rule = rules.get(todo.pop())
        todo += [told for told in (rule.explains if rule else ()) if told not in done]
        done.update(rule.explains if rule else ())
    return frozenset(done)


def _role(group: _Group, answers: Sequence[_Group]) -> Role:
    if group.rule.kind == "advice" or group.ours or (group.rule.severity == "info" and not group.explained):
        return Role.ADVICE
    if group.latent:
        return Role.LATENT
    if group not in answers:
        return Role.SYMPTOM
    first = answers[0]
    if group is first or (not group.joins(first) and group.rule.severity in ("error", "critical")):
        return Role.ROOT_CAUSE
    return Role.CONTRIBUTING


def _taken_by(symptom: _Group, answers: Sequence[_Group]) -> _Group | None:
    """A symptom no rule accounts for still is no answer when a grave cause for the same subject was found."""
    grave = [a for a in answers if SEVERITIES.index(a.rule.severity) >= _GRAVE and a.joins(symptom)]
    return grave[0] if grave and symptom.rule.kind == "symptom" else None


def _finding(group: _Group, role: Role, folded: Iterable[str], evidence: Evidence) -> Finding:
    first = group.hits[0]
    return Finding(
        rule=group.rule.id,
        title=title(first, evidence),
        kind=group.rule.kind,
        role=role,
        stage=group.rule.stage,
        severity=group.rule.severity,
        subjects=tuple(dict.fromkeys(_known(hit.subject) for hit in group.hits)),
        explain=explanation(first, evidence),
        evidence=citations(group.hits),
        explains=tuple(sorted(folded)),
        fixes=fixes(first, evidence),
        references=group.rule.references,
    )


def _known(subject: Subject) -> Subject:
    return subject if str(subject) else Subject("file")
