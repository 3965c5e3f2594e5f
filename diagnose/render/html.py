"""The report as one HTML file that needs nothing else: no outside address, and a policy that allows its own parts only.

Its one script copies a command; all of the page can be read, linked and printed without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from diagnose.model import SEVERITIES, Report, Role, Verdict
from diagnose.render.options import Options
from diagnose.render.page import LEVELS, WHOLE, Limits, Part, least, parts, weight
from diagnose.render.plain import plain
from diagnose.render.view import View, view
from diagnose.render.words import UNCAUSED, number, reports_left_out, same_cause

if TYPE_CHECKING:
    from jinja2 import Template

_LARGEST = 2_850_000
"""Bytes of the reports of a page, beside its style: the file stays under 3 MB."""
_FRAME = 5_000
"""Bytes of a report without anything in it: the ladder, headings."""
_ENTRY = 900
"""Bytes of a service in the index."""
_BY_URGENCY = (Verdict.FAILING, Verdict.DEGRADED, Verdict.UNKNOWN, Verdict.HEALTHY)
_OF_NOW = (Role.ROOT_CAUSE, Role.CONTRIBUTING, Role.SYMPTOM)
_Named: TypeAlias = tuple[Report, str]
"""A report, and what the ids of its parts begin with."""


def render(report: Report, options: Options) -> str:
    """The whole file. Of ``options`` only ``verbose`` matters: it shows all, as far as that fits into 3 MB."""
    [told] = _fitting([(report, "")], options)
    title = f"{told['service']}: {told['verdict']}" + (f", {told['stop']}" if told["stop"] else "")
    return _page(title=title, reports=[told], index=None)


def render_many(reports: Sequence[Report], options: Options) -> str:
    """One file of all ``reports`` behind an index: the most urgent first, a cause that several share said once.

    Where they do not fit into 3 MB together, the last ones stand in the index only, which says so.
    """
    ordered = [(report, f"s{place}-") for place, report in enumerate(sorted(reports, key=_urgency), 1)]
    shown = _fitting(ordered, options)
    index = _index(ordered, len(shown))
    return _page(title=f"{index['title']}: {index['summary']}", reports=shown, index=index)


def policy(style: str, script: str) -> str:
    """The content security policy of a page whose only resources are this style and this script, inline."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    from base64 import b64encode
    from hashlib import sha256

    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _urgency(report: Report) -> tuple[int, int, str, str]:
    """Sorts the report that needs a person soonest first."""
    now = [finding for finding in report.findings if finding.role in _OF_NOW]
    gravest = max((SEVERITIES.index(finding.severity) for finding in now), default=-1)
    return (_BY_URGENCY.index(report.verdict), -gravest, report.service, report.target.where)


def _fitting(reports: Sequence[_Named], options: Options) -> list[Part]:
    """The parts of the reports at the first level at which they fit; of too many the first ones."""
    laid_out: list[Part] = []
    room = _LARGEST - _ENTRY * len(reports)
    for limits in (WHOLE, *LEVELS) if options.verbose else LEVELS:
        last = limits is LEVELS[-1]
        if not last and sum(least(report, limits) for report, _ in reports) > room:
            continue
        laid_out = _laid_out(reports, limits, room, fewest=1 if last else 0)
        if len(laid_out) == len(reports):
            break
    return laid_out


def _laid_out(reports: Sequence[_Named], limits: Limits, room: int, *, fewest: int) -> list[Part]:
    """The parts of the first reports, as many as fit into ``room`` bytes, but ``fewest`` in any case."""
    found: list[Part] = []
    for report, prefix in reports:
        told = parts(report, limits, prefix=prefix)
        room -= weight(told) + _FRAME
        if room < 0 and len(found) >= fewest:
            break
        found.append(told)
    return found


def _index(reports: Sequence[_Named], shown: int) -> Part:
    """``reports`` in their order; the first ``shown`` of them follow in full."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for place, (report, prefix) in enumerate(reports):
        told = view(report)
        known = told.main if told.known else None
        cause = (known.title, known.rule) if known else (UNCAUSED[report.verdict], "")
        groups.setdefault(cause, []).append(_service(told, prefix if place < shown else ""))
    verdicts = Counter(report.verdict.value for report, _ in reports)
    return {
        "title": number(len(reports), "service"),
        "summary": ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts.items()),
        "groups": [
            {"title": title, "rule": rule, "services": services, "same": same_cause(len(services)) if rule else ""}
            for (title, rule), services in groups.items()
        ],
        "left_out": reports_left_out(len(reports) - shown),
    }


def _service(told: View, prefix: str) -> Part:
    return {
        "id": f"{prefix}report" if prefix else "",
        "service": told.service,
        "verdict": told.verdict,
        "stop": told.stop,
        "place": told.place,
    }


def _page(*, title: str, reports: Sequence[Part], index: Part | None) -> str:
    from markupsafe import Markup

    style, script = _text("report.css"), _text("report.js")
    laid_out = _template().render(
        title=title,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        reports=reports,
        index=index,
        top=2 if index else 1,
    )
    return laid_out.rstrip("\n") + "\n"


def _text(name: str) -> str:
    from importlib.resources import files

    return files("diagnose.reports").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("diagnose.reports", ""),
        autoescape=True,  # select_autoescape() would leave a .j2 file unescaped
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")


def _shown(value: object) -> object:
    """What is printed of ``value``: every text of the page comes through here, and is escaped after it."""
    return plain(value) if type(value) is str else value
