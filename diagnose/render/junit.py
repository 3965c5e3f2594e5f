"""The report as JUnit XML: one suite, and a test for the verdict, for each finding, and for what was not checked.

The service itself is the test ``works``: it is there in every run, so that the history of a pipeline shows when it
broke. A finding that counts against the run (``--fail-on``) is a failure; one that another explains is skipped, as a
test is whose precondition failed; any other passed and has something to say. What could not be looked at is skipped
too. The file holds a failure exactly when the program ends with 1, and an error without any failure exactly when it
ends with 3.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from diagnose.model import Finding, NotChecked, Report, Verdict
from diagnose.outcome import counts_against, fails
from diagnose.render.options import Options
from diagnose.render.pipelines import explained, summary, text
from diagnose.render.plain import plain
from diagnose.render.view import view
from diagnose.render.words import STATES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NOT_IN_XML = re.compile("[\ufffe\uffff]")
"""What ``plain`` leaves and XML 1.0 does not allow."""


def render(report: Report, options: Options) -> str:
    """The file; of ``options`` only ``fail_on`` matters."""
    return render_many([report], options)


def render_many(reports: Sequence[Report], options: Options) -> str:
    """One file with a suite for each report."""
    from xml.etree.ElementTree import Element, indent, tostring

    suites = [_suite(report, options.fail_on) for report in reports]
    counts = {name: str(sum(int(suite.attrib[name]) for suite in suites)) for name in ("tests", "failures", "errors")}
    seconds = sum(_seconds(report) for report in reports)
    root = Element("testsuites", {"name": "diagnose", **counts, "time": f"{seconds:.3f}"})
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(report: Report, threshold: str) -> Element:
    from xml.etree.ElementTree import Element

    findings = list(_findings(report, threshold))
    cases = [_works(report, threshold, findings), *findings, *_skipped(report)]
    counts = {
        "tests": str(len(cases)),
        "failures": _number(cases, "failure"),
        "errors": _number(cases, "error"),
        "skipped": _number(cases, "skipped"),
        "time": f"{_seconds(report):.3f}",
    }
    suite = Element("testsuite", {"name": _text(f"diagnose {report.service}"), **counts})
    suite.append(_properties(report))
    suite.extend(cases)
    return suite


def _seconds(report: Report) -> float:
    return sum(one.seconds for one in report.collected)


def _number(cases: Iterable[Element], outcome: str) -> str:
    return str(sum(case.find(outcome) is not None for case in cases))


def _text(value: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", plain(value))


def _properties(report: Report) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    told = view(report)
    facts = [
        ("verdict", told.verdict),
        ("reason", report.verdict_reason),
        ("place", told.place),
        *(("note", note) for note in report.target.notes),
        ("reached", report.reached or ""),
        ("failed", report.failed or ""),
        *((f"stage.{stage}", STATES[state]) for stage, state in report.ladder),
        ("redactions", told.redactions),
        *(("not read", cut) for cut in report.cuts),
        *((f"version.{name}", version) for name, version in sorted(report.versions.items())),
    ]
    properties = Element("properties")
    for name, value in facts:
        if value:
            SubElement(properties, "property", name=_text(name), value=_text(value))
    return properties


def _case(service: str, group: str, name: str, outcome: str, body: str, **attributes: str) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    classname = f"{service}.{group}" if group else service
    case = Element("testcase", {"classname": _text(classname), "name": _text(name)})
    told = SubElement(case, outcome, {key: _text(value) for key, value in attributes.items()})
    told.text = _text(body)
    return case


def _works(report: Report, threshold: str, findings: Iterable[Element]) -> Element:
    """Of the service as a whole. A run that fails for an explained finding alone fails here."""
    line = summary(report)
    attributes = {"type": report.verdict.value, "message": line}
    broken = report.verdict in (Verdict.FAILING, Verdict.DEGRADED)
    if fails(report, threshold) and (broken or all(case.find("failure") is None for case in findings)):
        return _case(report.service, "", "works", "failure", report.verdict_reason, **attributes)
    if report.verdict is Verdict.UNKNOWN:
        return _case(report.service, "", "works", "error", report.verdict_reason, **attributes)
    return _case(report.service, "", "works", "system-out", f"{line}\n{report.verdict_reason}")


def _findings(report: Report, threshold: str) -> Iterable[Element]:
    """Named by their rules, which stay the same from run to run; a rule that was found twice is numbered."""
    causes = explained(report)
    seen = Counter[str]()
    for finding in report.findings:
        seen[finding.rule] += 1
        name = finding.rule if seen[finding.rule] == 1 else f"{finding.rule} ({seen[finding.rule]})"
        yield _finding(finding, name, report, threshold, causes.get(id(finding), ""))


def _finding(finding: Finding, name: str, report: Report, threshold: str, causes: str) -> Element:
    kind = f"{finding.role.value}, {finding.severity}"
    body = text(finding, report.target)
    if not counts_against(finding, threshold):
        body = f"{finding.title} ({kind})\n{body}"
        return _case(report.service, finding.stage, name, "system-out", body)
    if causes:
        message = f"{finding.title}: explained by {causes}"
        return _case(report.service, finding.stage, name, "skipped", body, type=kind, message=message)
    return _case(report.service, finding.stage, name, "failure", body, type=kind, message=finding.title)


def _skipped(report: Report) -> Iterable[Element]:
    for gap in report.not_checked:
        yield _case(report.service, "not checked", gap.what, "skipped", _open(gap), type=gap.why, message=_why(gap))


def _why(gap: NotChecked) -> str:
    return f"{gap.why}; it needs: {gap.needs}" if gap.needs else gap.why


def _open(gap: NotChecked) -> str:
    return f"Left open: {', '.join(sorted(gap.rules))}" if gap.rules else ""
