"""The report for a terminal: the answer on the first screen, in sentences that can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagnose.model import Citation, Finding, Fix, Report, StageState
from diagnose.render.options import Options
from diagnose.render.view import Further, Unseen, View, view
from diagnose.render.words import (
    LOST,
    MARKS,
    circumstances,
    classification,
    climbed,
    clock,
    duration,
    first,
    in_order,
    left_open,
    legend,
    location,
    number,
    risk,
    size,
    subjects,
)

if TYPE_CHECKING:
    from diagnose.render.screen import Screen

_VERDICTS = {"failing": "bold red", "degraded": "bold yellow", "healthy": "bold green", "unknown": "bold magenta"}
_STATES = {
    StageState.PASSED: "green",
    StageState.FAILED: "bold red",
    StageState.NOT_REACHED: "dim",
    StageState.UNKNOWN: "magenta",
}
_HEADING = "bold"
_EVIDENCE = 3
"""Citations and subjects shown of one finding, and lines of one citation, unless all are asked for."""
_SHORT = 2
"""Lines of evidence shown of a finding that is not the answer."""


def render(report: Report, options: Options) -> str:
    """At most ``options.width`` wide but for commands; without ``options.colour`` no control character but newlines."""
    from diagnose.render.screen import Screen

    screen = Screen(options.width)
    told = view(report)
    if options.quiet:
        _brief(screen, told)
    else:
        _whole(screen, report, told, None if options.verbose else _EVIDENCE)
    return screen.text(colour=options.colour)


def render_many(reports: Sequence[Report], options: Options) -> str:
    """Which services there are and what each of them has, then one report after the other; a cause that several share
    is said once in that list."""
    from diagnose.render.screen import Screen

    screen = Screen(options.width)
    alike: dict[str, list[View]] = {}
    for told in map(view, reports):
        title = told.main.title if told.main else told.reason
        alike.setdefault(f"{told.verdict}\n{told.main.rule if told.main else ''}\n{title}", []).append(told)
    screen.write((f"{len(reports)} services", _HEADING))
    for several in alike.values():
        names = ", ".join(one.service for one in several)
        first = several[0]
        title = first.main.title if first.main else first.reason
        screen.write((f"{names}  {first.verdict.upper()}", _HEADING), (f"  {title}", ""), indent=2, hang=2)
    screen.blank()
    index = screen.text(colour=options.colour)
    return "\n".join([index, *(render(report, options) for report in reports)])


def _brief(screen: Screen, told: View) -> None:
    _headline(screen, told)
    if told.blind:
        screen.write((told.reason, ""))
    if told.main:
        screen.write((f"{told.heading}: ", _HEADING), (told.main.title, ""))
        for fix in told.main.fixes[:1]:
            _fix(screen, "", fix)
    elif told.heading:
        screen.write((f"{told.heading}.", _HEADING))


def _whole(screen: Screen, report: Report, told: View, most: int | None) -> None:
    """``most`` limits what is shown of each part; None is all."""
    _top(screen, report, told, most)
    _answer(screen, report, told, most)
    if told.blind:
        _unseen(screen, told, most)
    _further(screen, report, told, most)
    if not told.blind:
        _unseen(screen, told, most)
    _notes(screen, report, told)
    if most is None:
        _background(screen, report)


def _headline(screen: Screen, told: View) -> None:
    screen.write(
        (told.service, "bold"), ("  ", ""), (told.verdict.upper(), _VERDICTS[told.verdict]), (f"  {told.stop}", "")
    )


def _top(screen: Screen, report: Report, told: View, most: int | None) -> None:
    _headline(screen, told)
    screen.write((told.place, "dim"))
    for note in report.target.notes:
        screen.write((note, "dim"))
    screen.write((told.reason, ""))
    if told.verdict == "healthy" and most is not None:
        return
    screen.blank()
    if not climbed(report.ladder):
        screen.write((LOST, ""))
        return
    screen.flow(((f"{MARKS[state]} {stage}", _STATES[state]) for stage, state in report.ladder), indent=2)
    screen.write((f"({legend(report.ladder)})", "dim"), indent=2)


def _answer(screen: Screen, report: Report, told: View, most: int | None) -> None:
    if not told.heading:
        return
    screen.blank()
    if told.main is None:
        screen.write((f"{told.heading}. ", _HEADING), (told.unaccounted, ""))
        return
    screen.write((f"{told.heading}: ", _HEADING), (told.main.title, _HEADING))
    _body(screen, report, told.main, most)
    screen.blank()
    if told.main.evidence:
        screen.write(("Evidence", _HEADING))
    _evidence(screen, told.main.evidence, most)
    _remedy(screen, told)
    if most is None or not told.known:
        _references(screen, told.main)
    screen.blank()
    _folded(screen, told.folded)


def _body(screen: Screen, report: Report, finding: Finding, most: int | None, *, indent: int = 2) -> None:
    screen.paragraphs(finding.explain, indent=indent)
    where = subjects(finding, report.target, most or len(finding.subjects))
    if where:
        screen.write((f"Where: {where}.", ""), indent=indent, hang=2)
    screen.write((f"Rule: {classification(finding)}", "dim"), indent=indent, hang=2)


def _evidence(screen: Screen, evidence: Sequence[Citation], most: int | None, *, indent: int = 2) -> None:
    """Of the first citation with what stands around it; of the others only when all is shown."""
    above = ""
    for citation in evidence[:most]:
        _citation(screen, citation, most, above=above, excerpt=most is None or not above, indent=indent)
        above = citation.source
    hidden = len(evidence) - len(evidence[:most])
    if hidden:
        screen.write((f"and {hidden} more (--verbose shows all)", "dim"), indent=indent)


def _citation(
    screen: Screen, citation: Citation, most: int | None, *, above: str = "", excerpt: bool = True, indent: int = 2
) -> None:
    same = citation.source == above and citation.line is not None
    place = f"line {citation.line} of the same" if same else location(citation)
    screen.write((place, "cyan"), (f"  {circumstances(citation)}", "dim"), indent=indent, hang=2)
    for line in citation.before if excerpt else ():
        screen.quote("|", line, "dim", indent=indent + 2, most=most and 1)
    screen.quote(">", citation.text, "", indent=indent + 2, most=most)
    for line in citation.after if excerpt else ():
        screen.quote("|", line, "dim", indent=indent + 2, most=most and 1)


def _remedy(screen: Screen, told: View) -> None:
    fixes = told.main.fixes if told.main else ()
    if not fixes and not told.reading:
        return
    screen.blank()
    screen.write((told.remedy, _HEADING))
    for place, fix in enumerate(fixes, 1):
        _fix(screen, f"{place}. ", fix)
    for place, sentence in enumerate(told.reading, len(fixes) + 1):
        screen.write((f"{place}. ", ""), (sentence, ""), indent=2, hang=3)


def _fix(screen: Screen, lead: str, fix: Fix, *, indent: int = 2) -> None:
    screen.write((lead, ""), (fix.text, ""), indent=indent, hang=len(lead))
    if fix.command:
        screen.command(fix.command)
    if fix.risk != "none":
        screen.write((f"Risk: {risk(fix)}.", "yellow"), indent=indent + len(lead), hang=2)
    if fix.verify:
        screen.write((f"To verify: {fix.verify}", ""), indent=indent + len(lead), hang=2)


def _references(screen: Screen, finding: Finding, *, indent: int = 2) -> None:
    if finding.references:
        screen.write(("Read more:", "dim"), indent=indent)
    for address in finding.references:
        screen.address(address, indent=indent + 2)


def _folded(screen: Screen, titles: Sequence[str], *, indent: int = 0) -> None:
    if titles:
        screen.write(("This explains: ", _HEADING), ("; ".join(titles) + ".", ""), indent=indent, hang=2)


def _further(screen: Screen, report: Report, told: View, most: int | None) -> None:
    if not told.further:
        return
    screen.blank()
    screen.write(("Also found", _HEADING))
    for one in told.further:
        _one_further(screen, report, one, most)


def _one_further(screen: Screen, report: Report, one: Further, most: int | None) -> None:
    """Shortly, unless all is asked for: a first piece of evidence where it matters, and a first fix."""
    finding = one.finding
    screen.write((f"{one.label}: ", _HEADING), (finding.title, ""), indent=2, hang=2)
    if most is None:
        _body(screen, report, finding, None, indent=4)
        _evidence(screen, finding.evidence, None, indent=4)
    else:
        screen.paragraphs(finding.explain, indent=4)
        for citation in finding.evidence[:1] if one.urgent else ():
            _citation(screen, citation, _SHORT, excerpt=False, indent=4)
    for fix in finding.fixes[: most and 1]:
        _fix(screen, "", fix, indent=4)
    if most is None:
        _references(screen, finding, indent=4)
    _folded(screen, one.folded, indent=4)


def _unseen(screen: Screen, told: View, most: int | None) -> None:
    screen.blank()
    if told.unseen:
        screen.write((told.unseen_heading, _HEADING))
    for gap in told.unseen:
        _gap(screen, gap, most)
    screen.write((told.advice, ""))


def _gap(screen: Screen, gap: Unseen, most: int | None) -> None:
    screen.write((f"{gap.why}: ", "yellow"), ("; ".join(gap.what), ""), indent=2, hang=2)
    if gap.needs:
        screen.write((f"It needs: {first(gap.needs, most or len(gap.needs))}", ""), indent=4, hang=2)
    if gap.rules:
        screen.write((f"Left open: {left_open(gap.rules, most or len(gap.rules))}", "dim"), indent=4, hang=2)


def _notes(screen: Screen, report: Report, told: View) -> None:
    if report.cuts or told.redactions:
        screen.blank()
    for cut in report.cuts:
        screen.write((f"Not read: {cut}", "dim"), hang=2)
    if told.redactions:
        screen.write((told.redactions, "dim"), hang=2)


def _background(screen: Screen, report: Report) -> None:
    _timeline(screen, report)
    screen.blank()
    screen.write(("Collected", _HEADING))
    for one in sorted(report.collected, key=lambda one: one.collector):
        brought = f"{one.collector}: {number(one.items, 'item')}, {size(one.bytes)}, in {duration(one.seconds)}"
        screen.write((brought, ""), indent=2, hang=2)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(report.versions.items()))
    screen.write((f"Versions: {versions}", "dim"), hang=2)


def _timeline(screen: Screen, report: Report) -> None:
    if not report.timeline:
        return
    screen.blank()
    screen.write(("Timeline", _HEADING))
    for moment in in_order(report.timeline):
        about = f" ({moment.subject})" if moment.subject else ""
        screen.write((clock(moment.time), "dim"), (f"  {moment.what}{about}", ""), indent=2, hang=2)
