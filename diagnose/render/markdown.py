"""The report as a comment in Markdown that GitHub, Azure DevOps and Jira read alike, whatever the evidence holds.

Words that one of them could take for more than text (markup, a link, a mention, a number of an issue) stand in code
spans, where nothing has a meaning: they can be read and copied as they are, which is not so of escaped ones. Lists are
not nested and there are no tables, because Jira and Azure DevOps differ in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from diagnose.model import Citation, Finding, Fix, Report, StageState
from diagnose.render.excerpt import rows
from diagnose.render.options import Options
from diagnose.render.pipelines import shortened
from diagnose.render.plain import plain, plain_line
from diagnose.render.view import Further, Unseen, View, view
from diagnose.render.words import (
    LOST,
    STATES,
    circumstances,
    climbed,
    clock,
    duration,
    first,
    in_order,
    left_open,
    number,
    risk,
    size,
    subjects,
)

LIMIT = 65_000
"""GitHub takes 65,536 characters, Azure DevOps more; the rest is for what somebody writes above."""


@dataclass(frozen=True, slots=True)
class _Room:
    """How much is shown; None is all."""

    citations: int | None
    """Of the answer and of other urgent findings."""
    findings: int | None
    entries: int | None
    """Of any other list."""
    characters: int
    """Of one text."""


_ALL = _Room(None, None, None, 20_000)
_ROOMS = (_Room(5, 100, 20, 2_000), _Room(3, 30, 10, 700), _Room(2, 8, 5, 300), _Room(1, 3, 3, 100))
"""From what is usual to what always fits."""

_FENCES = re.compile(r"`+")
_WORD = re.compile(r"(?P<open>[(\"'“‘]*)(?P<core>.*?)(?P<close>[)\"'”’.,;:!?…]*)", re.DOTALL)
_UNCALM = re.compile(
    r"""
      [`\\*_{}\[\]<>\#+!|~@&$^=:]     # markup, mentions, references, entities, formulas, emoji, addresses
    | ^-                              # a list, a rule, a heading
    | (?<![A-Za-z]) / | / (?![A-Za-z]) | /.*/       # a path, but not and/or
    | ^ [A-Z][A-Z0-9]+ -\d            # an issue of Jira
    | ^ [0-9a-f]{7,} $                # a commit
    | [^\d\s.] [^\s.]* \. [^\s.]{2,} | \. [^\s.]* [^\d\s.] [^\s.]    # a name with a dot, which may be a domain
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"\d+[.)]+")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~%/?=&-]*)?")
_ISSUE = re.compile(r"https://(?:www\.)?github\.com/[^/]+/[^/]+/(?:issues|pull|discussions|commit)/")
"""GitHub would tell every such page that it was mentioned."""


def render(report: Report, options: Options) -> str:
    """The comment: all that fits, and what does not is said. Of ``options``, ``verbose`` and ``quiet`` matter."""
    told = view(report)
    blocks = _brief if options.quiet else _whole
    *others, least = [_ALL, *_ROOMS] if options.verbose else list(_ROOMS)
    for room in others:
        text = _joined(blocks(report, told, room), LIMIT)
        if text is not None:
            return text
    return _joined(blocks(report, told, least), None) or ""


def _joined(blocks: Iterable[str], limit: int | None) -> str | None:
    """The blocks as one text; None, without laying out the rest, once they are longer than ``limit``."""
    kept: list[str] = []
    length = 0
    for block in filter(None, blocks):
        kept.append(block)
        length += _length(block) + 2
        if limit is not None and length > limit:
            return None
    return "\n\n".join(kept) + "\n"


def _length(text: str) -> int:
    """In UTF-16 code units, the most that anybody counts."""
    return len(text.encode("utf-16-le", "replace")) // 2


def prose(text: str) -> str:
    """``text`` in one line, with every word in a code span that could be taken for more than a word."""
    words = plain_line(text).split()
    if words and _NUMBERED.fullmatch(words[0]):
        return " ".join([code(words[0]), *map(_word, words[1:])])
    return " ".join(map(_word, words))


def _word(word: str) -> str:
    found = _WORD.fullmatch(word)
    if found is None:
        return code(word)
    start, core, end = found.group("open", "core", "close")
    while ")" in end and core.count("(") > core.count(")"):
        inner, _, end = end.partition(")")
        core = f"{core}{inner})"
    return f"{start}{code(core)}{end}" if _UNCALM.search(core) else word


def code(text: str) -> str:
    """``text`` in one line, as a code span; empty for none."""
    line = plain_line(text)
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fenced(text: str, language: str) -> str:
    """``text`` as a block of code, in a fence longer than any within."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, _FENCES.findall(text)), default=0)


def _said(text: str, room: _Room) -> str:
    return prose(shortened(plain_line(text), room.characters))


def _paragraphs(text: str, room: _Room) -> Iterable[str]:
    yield from (prose(line) for line in shortened(plain(text).strip(), room.characters).splitlines())


def _sentences(texts: Sequence[str], room: _Room) -> str:
    """``texts`` as one list in a line; of more than there is room for only how many there are besides."""
    return _said(first(list(texts), room.entries or len(texts)), room)


def _brief(report: Report, told: View, room: _Room) -> Iterable[str]:
    """The verdict, the cause and the first fix."""
    yield _headline(told, room)
    yield _said(told.reason, room) if told.blind or not told.main else ""
    if told.main is None:
        yield f"**{told.heading}.**" if told.heading else ""
        return
    yield f"**{told.heading}:** {_said(told.main.title, room)}"
    yield from _steps(told.main.fixes[:1], (), room)


def _whole(report: Report, told: View, room: _Room) -> Iterable[str]:
    yield from _top(report, told, room)
    yield from _answer(report, told, room)
    if told.blind:
        yield from _unseen(told, room)
    yield from _further(report, told, room)
    if not told.blind:
        yield from _unseen(told, room)
    if room is _ALL:
        yield from _background(report)
    yield from _notes(report, told, room)


def _headline(told: View, room: _Room) -> str:
    return f"## {_said(told.service, room)}: {told.verdict.upper()}{f', {_said(told.stop, room)}' if told.stop else ''}"


def _top(report: Report, told: View, room: _Room) -> Iterable[str]:
    yield _headline(told, room)
    yield _said(told.reason, room)
    yield _ladder(report, room)
    yield _said(told.place, room)
    notes = report.target.notes[: room.entries]
    yield from (_said(note, room) for note in notes)
    yield _more(report.target.notes, notes, "note")


def _ladder(report: Report, room: _Room) -> str:
    if not climbed(report.ladder):
        return LOST
    states = groupby(report.ladder, key=lambda rung: rung[1])
    return " · ".join(_rungs(state, [stage for stage, _ in rungs], room) for state, rungs in states)


def _rungs(state: StageState, stages: Sequence[str], room: _Room) -> str:
    names = ", ".join(_said(stage, room) for stage in stages)
    return f"**{STATES[state]}: {names}**" if state is StageState.FAILED else f"{STATES[state]}: {names}"


def _more(known: Sequence[object], shown: Sequence[object], noun: str) -> str:
    hidden = len(known) - len(shown)
    return f"*and {number(hidden, f'more {noun}')}*" if hidden else ""


def _answer(report: Report, told: View, room: _Room) -> Iterable[str]:
    if not told.heading:
        return
    if told.main is None:
        yield f"### {told.heading}"
        yield told.unaccounted
        return
    yield f"### {told.heading}: {_said(told.main.title, room)}"
    yield from _body(report, told.main, room)
    yield from _evidence(told.main, room.citations, room)
    if told.main.fixes or told.reading:
        yield f"### {told.remedy}"
    yield from _steps(told.main.fixes, told.reading, room)
    yield from _references(told.main, room)
    yield from _symptoms(report, told.folded, told.symptoms, room)


def _body(report: Report, finding: Finding, room: _Room) -> Iterable[str]:
    yield from _paragraphs(finding.explain, room)
    where = subjects(finding, report.target, room.entries or len(finding.subjects))
    yield f"Where: {_said(where, room)}" if where else ""
    facts = f"{finding.severity}, stage {_said(finding.stage, room)}"
    yield f"Rule: {code(shortened(finding.rule, room.characters))}, {facts}"


def _evidence(finding: Finding, most: int | None, room: _Room) -> Iterable[str]:
    shown = finding.evidence[:most]
    for citation in shown:
        yield _source(citation, room)
        yield fenced(_excerpt(citation, room), "text")
    if len(finding.evidence) > len(shown):
        yield f"*and {number(len(finding.evidence) - len(shown), 'more piece')} of evidence*"


def _source(citation: Citation, room: _Room) -> str:
    line = f"line {citation.line}" if citation.line is not None else ""
    facts = (code(shortened(citation.source, room.characters)), line, circumstances(citation).replace("  ", ", "))
    return ", ".join(fact for fact in facts if fact)


def _excerpt(citation: Citation, room: _Room) -> str:
    """The lines behind a margin, which marks the one that counts and keeps text from outside off the line's start:
    robots that watch comments take their orders from there, in code blocks too."""
    lines = rows(citation, room.characters, room.characters // 4)
    width = max(len(line.number) for line in lines)
    return "\n".join(
        f"{'>' if line.hit else ' '} {line.number:>{width}}{' ' * bool(width)}| {''.join(p.text for p in line.pieces)}"
        for line in lines
    )


def _steps(fixes: Sequence[Fix], reading: Sequence[str], room: _Room) -> Iterable[str]:
    shown = fixes[: room.entries]
    for place, fix in enumerate(shown, 1):
        yield f"**{place}.** {_said(fix.text, room)}"
        yield _command(fix.command, room)
        yield _precaution(fix, room)
    yield _more(fixes, shown, "step")
    yield from (f"**{place}.** {_said(sentence, room)}" for place, sentence in enumerate(reading, len(fixes) + 1))


def _command(command: str, room: _Room) -> str:
    """Whole or not at all: half a command may do harm."""
    text = plain(command).strip("\n")
    if len(text) > 2 * room.characters:
        return f"*The command has {len(text):,} characters and is left out.*"
    return fenced(text, "sh") if text else ""


def _precaution(fix: Fix, room: _Room) -> str:
    told = (
        f"Risk: **{risk(fix)}**." if fix.risk != "none" else "",
        f"To verify: {_said(fix.verify, room)}" if fix.verify else "",
    )
    return " ".join(part for part in told if part)


def _references(finding: Finding, room: _Room) -> Iterable[str]:
    shown = finding.references[: room.entries]
    if shown:
        yield f"Read more: {', '.join(_reference(address, room) for address in shown)}"
    yield _more(finding.references, shown, "page")


def _reference(address: str, room: _Room) -> str:
    """A link where nothing in it is odd and nobody is told of it."""
    linked = _ADDRESS.fullmatch(address) and not _ISSUE.match(address) and len(address) <= room.characters
    return address if linked else code(shortened(address, room.characters))


def _further(report: Report, told: View, room: _Room) -> Iterable[str]:
    """The urgent ones in sight, the others folded."""
    shown = told.further[: room.findings]
    urgent = [one for one in shown if one.urgent]
    calm = [one for one in shown if not one.urgent]
    if told.further:
        yield "### Also found"
    for one in urgent:
        yield from _one_further(report, one, room)
    if calm:
        title = f"{number(len(calm), 'finding')} without effect at present, and advice"
        yield from _details(title, (block for one in calm for block in _one_further(report, one, room)))
    yield _more(told.further, shown, "finding")


def _one_further(report: Report, one: Further, room: _Room) -> Iterable[str]:
    yield f"**{one.label}: {_said(one.finding.title, room)}**"
    yield from _told_shortly(report, one.finding, room)
    yield from _symptoms(report, one.folded, one.symptoms, room)


def _told_shortly(report: Report, finding: Finding, room: _Room) -> Iterable[str]:
    yield from _body(report, finding, room)
    yield from _evidence(finding, 1 if room.citations else None, room)
    yield from _steps(finding.fixes, (), room)


def _symptoms(report: Report, titles: Sequence[str], found: Sequence[Finding], room: _Room) -> Iterable[str]:
    """What a finding accounts for: in a line, and folded what was seen of it."""
    yield f"**This explains:** {_sentences(titles, room)}" if titles else ""
    shown = found[: room.findings]
    if found:
        blocks = [block for finding in shown for block in _symptom(report, finding, room)]
        yield from _details(number(len(found), "symptom"), [*blocks, _more(found, shown, "symptom")])


def _symptom(report: Report, finding: Finding, room: _Room) -> Iterable[str]:
    yield f"**{_said(finding.title, room)}**"
    yield from _told_shortly(report, finding, room)


def _details(title: str, blocks: Iterable[str]) -> Iterable[str]:
    """Folded on GitHub and Azure DevOps; Jira shows the tags as text, and the rest all the same."""
    yield f"<details>\n<summary>{title}</summary>"
    yield from blocks
    yield "</details>"


def _unseen(told: View, room: _Room) -> Iterable[str]:
    shown = told.unseen[: room.entries]
    if told.unseen:
        yield f"### {told.unseen_heading}"
        yield "\n".join(_gap(gap, room) for gap in shown)
    yield _more(told.unseen, shown, "reason")
    yield told.advice


def _gap(gap: Unseen, room: _Room) -> str:
    needs = f" It needs: {_sentences(gap.needs, room)}." if gap.needs else ""
    rules = f" Left open: {_said(left_open(gap.rules, room.entries or len(gap.rules)), room)}." if gap.rules else ""
    return f"- **{_said(gap.why, room)}:** {_sentences(gap.what, room)}.{needs}{rules}"


def _background(report: Report) -> Iterable[str]:
    moments = [
        f"- {clock(moment.time)}: {prose(moment.what)}{f' ({prose(moment.subject)})' if moment.subject else ''}"
        for moment in in_order(report.timeline)
    ]
    if moments:
        earlier = f"*{number(report.earlier, 'earlier moment')} left out*" if report.earlier else ""
        yield from _details("Timeline", [earlier, "\n".join(moments)])
    collected = [
        f"- {prose(one.collector)}: {number(one.items, 'item')}, {size(one.bytes)}, in {duration(one.seconds)}"
        for one in sorted(report.collected, key=lambda one: one.collector)
    ]
    if collected:
        yield from _details("Collected", ["\n".join(collected)])


def _notes(report: Report, told: View, room: _Room) -> Iterable[str]:
    shown = report.cuts[: room.entries]
    yield from (f"Not read: {_said(cut, room)}" for cut in shown)
    yield _more(report.cuts, shown, "log read in part")
    yield _said(told.redactions, room)
    if room not in (_ALL, _ROOMS[0]):
        yield "*Shortened to fit into a comment: the HTML and the JSON report hold all of it.*"
    yield _said(", ".join(f"{name} {version}" for name, version in sorted(report.versions.items())), room)
