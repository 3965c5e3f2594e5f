"""The report as lines that a pipeline turns into annotations: workflow commands of GitHub, logging commands of Azure.

Neither format ends the step: that is the exit code's business, which follows ``--fail-on``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from diagnose.model import Finding, Report, Verdict
from diagnose.render.options import Options
from diagnose.render.pipelines import Level, Place, explained, gap, level, place, shortened, summary, text
from diagnose.render.plain import plain, plain_line
from diagnose.render.view import view
from diagnose.render.words import number

_EVIDENCE = 3
_CHARACTERS = 200
"""Shown of each piece of evidence."""
_LONGEST = 4_000
"""Characters of one message: GitHub shows 4,096."""
_VERDICTS: dict[Verdict, Level] = {
    Verdict.FAILING: "error",
    Verdict.DEGRADED: "error",
    Verdict.UNKNOWN: "warning",
    Verdict.HEALTHY: "note",
}
_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}
_AZURE_COMMAND = re.compile(r"##(?=\w*\[)")


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: Level
    title: str
    text: str
    place: Place | None = None
    rule: str = ""


def github(report: Report, options: Options) -> str:
    """``::error file=,line=,title=::text`` and its kind, a line each; the same whatever ``options`` say."""
    return "".join(f"{_workflow_command(one)}\n" for one in _annotations(report))


def azure_devops(report: Report, options: Options) -> str:
    """``##vso[task.logissue ...]text``, a line each; what is neither error nor warning has no such command, so it is
    a plain line. The same whatever ``options`` say."""
    return "".join(f"{_logging_command(one)}\n" for one in _annotations(report))


def _annotations(report: Report) -> Iterable[_Annotation]:
    """The verdict, what could not be seen where that is the answer, the findings in their order, the other gaps."""
    told = view(report)
    gaps = [
        _Annotation("warning" if told.blind else "note", told.unseen_heading, gap(unseen)) for unseen in told.unseen
    ]
    yield _Annotation(_VERDICTS[report.verdict], summary(report), plain_line(report.verdict_reason))
    yield from gaps if told.blind else ()
    causes = explained(report)
    yield from (_of(finding, report, causes.get(id(finding), "")) for finding in report.findings)
    yield from () if told.blind else gaps


def _of(finding: Finding, report: Report, causes: str) -> _Annotation:
    places = (place(citation, report.target) for citation in finding.evidence)
    told = text(finding, report.target, _EVIDENCE, _CHARACTERS)
    return _Annotation(
        level=level(finding, explained=bool(causes)),
        title=plain_line(finding.title),
        text=f"Explained by {causes}.\n{told}" if causes else told,
        place=next((found for found in places if found), None),
        rule=finding.rule,
    )


def _cut(message: str) -> str:
    """Whole lines as far as there is room: half a command may do harm."""
    lines = plain(message).split("\n")
    ends = list(accumulate(len(line) + 1 for line in lines))
    shown = max(bisect_right(ends, _LONGEST), 1)
    hidden = len(lines) - shown
    kept = "\n".join([shortened(lines[0], _LONGEST), *lines[1:shown]])
    return f"{kept}\n... {number(hidden, 'line')} left out ..." if hidden else kept


def _workflow_command(one: _Annotation) -> str:
    line = str(one.place.line) if one.place and one.place.line else ""
    properties = {"file": one.place.path if one.place else "", "line": line, "title": one.title}
    written = ",".join(f"{name}={_github_property(value)}" for name, value in properties.items() if value)
    return f"::{_COMMANDS[one.level]} {written}::{_github_data(_cut(one.text))}"


def _github_data(value: str) -> str:
    """Escaped as the runner undoes it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts."""
    return plain(value).replace("%", "%25").replace("\n", "%0A")


def _github_property(value: str) -> str:
    return _github_data(value).replace(":", "%3A").replace(",", "%2C")


def _logging_command(one: _Annotation) -> str:
    if one.level == "note":
        return plain_line(_without_commands(_cut(f"{one.title}: {one.text}")))
    message = _without_commands(_cut(f"{one.title}\n{one.text}"))
    line = str(one.place.line) if one.place and one.place.line else ""
    properties = {"sourcepath": one.place.path if one.place else "", "linenumber": line, "code": one.rule}
    written = "".join(f"{name}={_azure_property(value)};" for name, value in properties.items() if value)
    return f"##vso[task.logissue type={one.level};{written}]{_azure_data(message)}"


def _without_commands(value: str) -> str:
    """An agent looks for its commands anywhere in a line."""
    return _AZURE_COMMAND.sub("# #", plain(value))


def _azure_data(value: str) -> str:
    """Escaped as the agent undoes it:
    https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/taskcommand.ts."""
    return value.replace("%", "%AZP25").replace("\n", "%0A")


def _azure_property(value: str) -> str:
    return _azure_data(_without_commands(value)).replace("]", "%5D").replace(";", "%3B")
