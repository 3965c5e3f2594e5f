"""The texts of a finding: explanation and fixes with the real names filled in, and the evidence as it is quoted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from diagnose.engine.match import Hit, Match
from diagnose.engine.rule import Selection, filled
from diagnose.language import rule_text
from diagnose.lines import neighbours
from diagnose.model import Citation, Evidence, Fix, Item, Line, Subject
from diagnose.patterns import Pattern, matched
from diagnose.streams import Container

_CITED_EACH = 3
"""Citations per selection and rule: the first ones; the rest is counted."""
_CITED = 8
_SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
"""What no shell takes for more than letters."""
_IN_TEXT = 300
"""Characters of a value within a sentence."""
_LONGEST = 2000
"""Characters quoted of one line."""
_TELLING = 3
"""Characters from which on a piece of a line is worth marking: a lone ``3`` stands in too many places."""


def title(hit: Hit, evidence: Evidence) -> str:
    """The rule's title, filled."""
    return filled(rule_text(hit.rule.title), _Names(hit, evidence).plain)


def explanation(hit: Hit, evidence: Evidence) -> str:
    """Why it fails, in full sentences."""
    return filled(rule_text(hit.rule.explain), _Names(hit, evidence).plain)


def fixes(hit: Hit, evidence: Evidence) -> tuple[Fix, ...]:
    """What to do, in the rule's order; names inside commands are safe in a shell."""
    names = _Names(hit, evidence)
    return tuple(
        replace(
            fix,
            text=filled(rule_text(fix.text), names.plain),
            command=filled(fix.command, names.quoted),
            verify=filled(rule_text(fix.verify), names.plain),
        )
        for fix in hit.rule.fixes
    )


class _Names:
    """What placeholders stand for in one hit."""

    def __init__(self, hit: Hit, evidence: Evidence) -> None:
        self._hit = hit
        self._context = _context(_only_one(_narrowest(hit), evidence), evidence)

    def plain(self, name: str, field: str | None) -> str | None:
        """As it reads in a sentence."""
        if field is None:
            return self._context.get(name)
        for match in self._hit.picked.get(name, ()):
            value = _in_a_line(match.captures.get(field) or _attribute(match, field))
            if value:
                return value
        return None

    def quoted(self, name: str, field: str | None) -> str | None:
        """As it is safe anywhere in a command, inside quotes too: a value with other characters stays a gap to fill."""
        value = self.plain(name, field)
        if value is None or (field is None and name in ("logs", "previous_logs", "exec", "shell")):
            return value
        return value if _SAFE.fullmatch(value) else None


def _in_a_line(value: str) -> str:
    """A message may have twenty lines, a saved body 4 KB; the whole of it stands in the evidence."""
    line = " ".join(value.split())
    return line if len(line) <= _IN_TEXT else f"{line[:_IN_TEXT]} ..."


def _attribute(match: Match, field: str) -> str:
    value = match.item.content if field == "line" and isinstance(match.item, Line) else getattr(match.item, field, None)
    if value is None or value == "":
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _narrowest(hit: Hit) -> Subject:
    """The most precise subject among what was matched: a pod-level rule may still know the container."""
    subjects = [hit.subject, *(match.item.subject for match in hit.items() if match.item.subject.joins(hit.subject))]
    return max(subjects, key=lambda s: sum(part is not None for part in (s.namespace, s.workload, s.pod, s.container)))


def _only_one(subject: Subject, evidence: Evidence) -> Subject:
    """The only container it can be, for a log that nobody said whose it is; else ``subject`` as it is."""
    if subject.container or subject.pod:
        return subject
    containers = (c for c in evidence.items.get("containers", ()) if isinstance(c, Container) and c.kind == "app")
    possible = {c.subject for c in containers if c.subject.joins(subject)}
    return possible.pop() if len(possible) == 1 else subject


def _context(subject: Subject, evidence: Evidence) -> Mapping[str, str]:
    container = next(
        (
            item
            for item in evidence.items.get("containers", ())
            if isinstance(item, Container) and item.subject.joins(subject) and item.kind == "app"
        ),
        None,
    )
    names = {
        "service": evidence.target.service if evidence.target.kind != "files" else "",
        "namespace": subject.namespace or evidence.target.namespace or "",
        "workload": subject.workload or "",
        "pod": subject.pod or "",
        "container": subject.container or (container.name if container and subject.pod else ""),
        "image": container.image if container else "",
        "subscription": evidence.target.subscription,
        "resource_group": evidence.target.resource_group,
        "workspace": evidence.target.workspace,
    }
    return {name: value for name, value in {**names, **_commands(subject, names)}.items() if value}


def _commands(subject: Subject, names: Mapping[str, str]) -> dict[str, str]:
    quoted = {name: shlex.quote(value) if value else f"<{name}>" for name, value in names.items()}
    if subject.place == "docker":
        return {
            "logs": f"docker logs {quoted['container']}",
            "previous_logs": f"docker logs {quoted['container']}",
            "exec": f"docker exec {quoted['container']}",
            "shell": f"docker run --rm -it --volumes-from {quoted['container']} --entrypoint sh {quoted['image']}",
        }
    if subject.place == "aci":
        group = f"-g {quoted['resource_group']} -n {quoted['workload']}"
        one = f"{group} --container-name {quoted['container']}"
        log = f"az container logs {one}"
        # The service takes a program without arguments: what is to be run is typed into the shell.
        shell = f"az container exec {one} --exec-command /bin/sh   # then:"
        return {"logs": log, "previous_logs": log, "exec": shell, "shell": f"{shell} sh"}
    if subject.place == "endpoint":
        where = f"-g {quoted['resource_group']} -w {quoted['workspace']}"
        deployment = f"-e {quoted['service']} -n {quoted['workload']} {where}"
        log = f"az ml online-deployment get-logs {deployment} --lines 5000"
        # Nobody can enter a managed instance: the image is what can be looked into.
        run = f"docker run --rm {quoted['image']}"
        shell = f"docker run --rm -it --entrypoint sh {quoted['image']}"
        return {"logs": log, "previous_logs": log, "exec": run, "shell": shell}
    kubectl = f"kubectl -n {quoted['namespace']}"
    where = f"{quoted['pod']} -c {quoted['container']}"
    return {
        "logs": f"{kubectl} logs {where}",
        "previous_logs": f"{kubectl} logs {where} --previous",
        "exec": f"{kubectl} exec {where} --",
        "shell": f"{kubectl} debug {quoted['pod']} -it --copy-to={quoted['pod']}-debug -c {quoted['container']} -- sh",
    }


def citations(hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """The evidence of a finding: for each selection the first items, with how often the like was seen."""
    cited: list[Citation] = []
    names = dict.fromkeys(name for hit in hits for name in hit.picked)
    for name in names:
        matches = [match for hit in hits for match in hit.picked.get(name, ())]
        selection = next(selection for selection in hits[0].rule.selections if selection.name == name)
        cited += _cited(matches, selection)
    return tuple(_once(cited))[:_CITED]


def _once(cited: Iterable[Citation]) -> Iterable[Citation]:
    """The same item chosen by two selections is cited once, with the longer of what they marked."""
    known: dict[Citation, Citation] = {}
    for one in cited:
        bare = replace(one, marked="")
        if bare not in known or len(one.marked) > len(known[bare].marked):
            known[bare] = one
    return known.values()


def _cited(matches: Iterable[Match], selection: Selection) -> list[Citation]:
    alike: dict[tuple[str, str], list[Match]] = {}
    for match in matches:
        told = str(sorted(match.captures.items())) if match.captures else match.item.text()
        alike.setdefault((match.item.source, told), []).append(match)
    return [_citation(several, selection) for several in list(alike.values())[:_CITED_EACH]]


def _citation(several: Sequence[Match], selection: Selection) -> Citation:
    match = several[0]
    item = match.item
    text = item.text()
    marked = _marked(selection, item, text)
    before, after = neighbours(match.log, item.line) if match.log and item.line else ((), ())
    return Citation(
        source=item.source,
        text=_around(marked, text),
        line=item.line,
        time=item.time,
        before=tuple(line[:_LONGEST] for line in before),
        after=tuple(line[:_LONGEST] for line in after),
        count=max(sum(one.count for one in several), _tally(match)),
        marked=marked[:_LONGEST],
    )


def _marked(selection: Selection, item: Item, text: str) -> str:
    """What of ``text`` made the selection choose the item; empty where it does not stand in it as it is."""
    tests = [matcher for matcher in selection.where if not matcher.negate]
    found = [part for matcher in tests if matcher.pattern for part in _matched(matcher.pattern, matcher.field, item)]
    equal = [matcher for matcher in tests if matcher.test == "equals" and matcher.field != "kind"]
    named = sorted((str(value) for matcher in equal for value in matcher.values), key=len, reverse=True)
    return next((part for part in [*found, *named] if len(part) >= _TELLING and part in text), "")


def _matched(pattern: Pattern, field: str, item: Item) -> Iterable[str]:
    value = item.content if field == "line" and isinstance(item, Line) else getattr(item, field, None)
    for one in value if isinstance(value, tuple) else (value,):
        if one is not None:
            yield matched(pattern, str(one)).strip()


def _around(marked: str, text: str) -> str:
    """``text``, or as much of a very long one as there is room for around ``marked``."""
    if len(text) <= _LONGEST:
        return text
    end = text.find(marked) + min(len(marked), _LONGEST) if marked else 0
    start = max(0, min(end - _LONGEST * 3 // 4, len(text) - _LONGEST)) if end > _LONGEST else 0
    return text[start : start + _LONGEST]


def _tally(match: Match) -> int:
    """Occurrences in a log of which only pieces are at hand."""
    if match.log is None or not match.log.tallies:
        return 1
    counts = [tally.count for tally in match.log.tallies.values() if tally.first == match.item.line]
    return max(counts, default=1)
