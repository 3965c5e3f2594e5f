"""The report as SARIF 2.1.0, for tools that collect findings of many programs.

A result points at a file and line where its evidence is in one; what was read from a running service has a logical
location, the path of its objects. Code scanning on GitHub shows only results that have a file: it is meant for findings
about a project's files. What could not be looked at is a notification of the run, and a run that saw too little for a
verdict is not called successful: no result must never read as "nothing wrong".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import quote

from diagnose.model import Citation, Finding, NotChecked, Report, Severity, Subject, Target, Verdict
from diagnose.render.json import written
from diagnose.render.options import Options
from diagnose.render.pipelines import Level, Place, explained, level, place, steps
from diagnose.render.plain import plain, plain_line
from diagnose.render.view import view
from diagnose.render.words import circumstances, first_line, location

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS: dict[Severity, Level] = {"critical": "error", "error": "error", "warning": "warning", "info": "note"}
_NOT_SUPPLIED = "not supplied"
_LINK = re.compile(r"\](?=\()")
_PLACEHOLDER = re.compile(r"\{(?=\d)")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~%/?=&#+,:@-]*)?")
_DRIVE = re.compile(r"[A-Za-z]:/")

Object = dict[str, object]
"""A JSON object."""


def render(report: Report, options: Options) -> str:
    """The log file; the same whatever ``options`` say, because a program reads it."""
    return render_many([report], options)


def render_many(reports: Sequence[Report], options: Options) -> str:
    """One log file with a run for each report."""
    return written({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report) for report in reports]})


def _run(report: Report) -> Object:
    rules = {finding.rule: finding for finding in reversed(report.findings)}
    ids = sorted(rules)
    causes = explained(report)
    reasons = sorted({gap.why for gap in report.not_checked})
    return {
        "tool": {
            "driver": {
                "name": "diagnose",
                "version": report.versions.get("diagnose", ""),
                "rules": [_rule(rules[rule]) for rule in ids],
                "notifications": [{"id": plain_line(why), "shortDescription": _message(why)} for why in reasons],
            }
        },
        "automationDetails": {"id": f"diagnose/{_quoted(report.service)}/"},
        "invocations": [
            {
                "executionSuccessful": report.verdict is not Verdict.UNKNOWN,
                "toolExecutionNotifications": [_notification(gap, reasons) for gap in report.not_checked],
            }
        ],
        "results": [_result(finding, report, ids, causes.get(id(finding), "")) for finding in report.findings],
        "properties": _facts(report),
    }


def _facts(report: Report) -> Object:
    """Of the report as a whole."""
    told = view(report)
    return {
        "service": plain_line(report.service),
        "place": plain_line(told.place),
        "verdict": report.verdict,
        "reason": plain(report.verdict_reason),
        "reached": report.reached and plain_line(report.reached),
        "failed": report.failed and plain_line(report.failed),
        "ladder": [f"{plain_line(stage)}: {state}" for stage, state in report.ladder],
        "redactions": plain_line(told.redactions),
        "cuts": [plain_line(cut) for cut in report.cuts],
        "versions": {plain_line(name): plain_line(version) for name, version in sorted(report.versions.items())},
    }


def _message(text: str) -> Object:
    """Plain text, of which no part is taken for a link or a placeholder."""
    return {"text": _PLACEHOLDER.sub("{ ", _LINK.sub("] ", plain(text).strip()))}


def _rule(finding: Finding) -> Object:
    helped = "\n".join(steps(finding.fixes)) or plain(finding.explain)
    addresses = [address for address in finding.references if _ADDRESS.fullmatch(address)]
    return {
        "id": plain_line(finding.rule),
        "shortDescription": _message(finding.title),
        "fullDescription": _message(finding.explain),
        "help": _message(helped),
        **({"helpUri": addresses[0]} if addresses else {}),
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": [plain_line(finding.stage), finding.kind]},
    }


def _result(finding: Finding, report: Report, rules: Sequence[str], causes: str) -> Object:
    told = f"{finding.title.rstrip('.')}. {finding.explain}"
    return {
        "ruleId": plain_line(finding.rule),
        "ruleIndex": rules.index(finding.rule),
        "kind": "fail",
        "level": level(finding, explained=bool(causes)),
        "message": _message(f"{told.rstrip()} Explained by {causes}." if causes else told),
        "locations": _locations(finding, report.target),
        "relatedLocations": _distinct(_evidence(citation, report.target) for citation in finding.evidence),
        "fingerprints": {"diagnose/v1": _fingerprint(finding, report)},
        "suppressions": [],
        "properties": {
            "role": finding.role,
            "kind": finding.kind,
            "severity": finding.severity,
            "stage": plain_line(finding.stage),
            "explains": sorted(map(plain_line, finding.explains)),
            "fixes": [
                {
                    "text": plain(fix.text),
                    "command": plain(fix.command),
                    "risk": fix.risk,
                    "verify": plain(fix.verify),
                }
                for fix in finding.fixes
            ],
            "references": [plain_line(address) for address in finding.references],
        },
    }


def _fingerprint(finding: Finding, report: Report) -> str:
    """The same in every run that finds the same: pods, which have another name each time, and lines are left out."""
    objects = {(one.place, one.namespace or "", one.workload or "", one.container or "") for one in finding.subjects}
    file = _first_file(finding, report.target)
    known = [report.service, finding.rule, sorted(objects), file.path if file else ""]
    return sha256(json.dumps(known).encode()).hexdigest()


def _first_file(finding: Finding, target: Target) -> Place | None:
    places = (place(citation, target) for citation in finding.evidence)
    return next((found for found in places if found), None)


def _locations(finding: Finding, target: Target) -> list[Object]:
    """One: where the deciding evidence is, and whose it is."""
    cited = next((citation for citation in finding.evidence if place(citation, target)), None)
    objects = _distinct(_object(subject) for subject in sorted(finding.subjects, key=str) if str(subject))
    found: Object = {
        **({"physicalLocation": _physical(cited, target)} if cited else {}),
        **({"logicalLocations": objects} if objects else {}),
    }
    return [found] if found else []


def _object(subject: Subject) -> Object:
    parts = {
        "container": subject.container,
        "pod": subject.pod,
        "workload": subject.workload,
        "namespace": subject.namespace,
        "place": subject.place,
    }
    kind, name = next((kind, name) for kind, name in parts.items() if name)
    return {"name": plain_line(name), "kind": kind, "fullyQualifiedName": plain_line(str(subject))}


def _evidence(citation: Citation, target: Target) -> Object:
    facts = f"{location(citation)}  {circumstances(citation)}".strip()
    told: Object = {"message": _message(f"{facts}\n{citation.text}")}
    return {**told, "physicalLocation": _physical(citation, target)} if place(citation, target) else told


def _physical(citation: Citation, target: Target) -> Object:
    """In a file: the line itself, and those around it."""
    found = place(citation, target)
    assert found is not None, "asked only for citations that are in a file"
    artifact: Object = {"artifactLocation": {"uri": _uri(found.path)}}
    start = first_line(citation)
    if found.line is None or start is None:
        return artifact
    lines = (*citation.before, citation.text, *citation.after)
    region = {"startLine": found.line, "snippet": {"text": plain(citation.text)}}
    if len(lines) == 1 or start < 1:
        return {**artifact, "region": region}
    around = {
        "startLine": start,
        "endLine": start + len(lines) - 1,
        "snippet": {"text": "\n".join(map(plain_line, lines))},
    }
    return {**artifact, "region": region, "contextRegion": around}


def _uri(path: str) -> str:
    """Relative to where the program ran, as the file was named; absolute only where it was named so."""
    slashes = path.replace("\\", "/") if "\\" in path and "/" not in path else path
    if _DRIVE.match(slashes):
        return f"file:///{slashes[0]}:{_quoted(slashes[2:], safe='/')}"
    return f"file://{_quoted(slashes, safe='/')}" if slashes.startswith("/") else _quoted(slashes, safe="/")


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")


def _distinct(objects: Iterable[Object]) -> list[Object]:
    """Each once, in its order: sets of SARIF hold nothing twice."""
    return list({json.dumps(one): one for one in objects}.values())


def _notification(gap: NotChecked, reasons: Sequence[str]) -> Object:
    needs = f". It needs: {gap.needs}" if gap.needs else ""
    return {
        "descriptor": {"id": plain_line(gap.why), "index": reasons.index(gap.why)},
        "level": "note" if gap.why == _NOT_SUPPLIED else "warning",
        "message": _message(f"Not checked: {gap.what} ({gap.why}){needs}"),
        "properties": {"leftOpen": sorted(map(plain_line, gap.rules))},
    }
