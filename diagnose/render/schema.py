"""The shape of the JSON report, and its JSON Schema made from it. The type checker holds ``json.py`` to these types."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from diagnose.model import Kind, Role, Severity, StageState, Verdict

_Time = Annotated[str, Meta(description="In UTC, ending in Z.", extra_json_schema={"format": "date-time"})]
_Line = Annotated[int, Meta(ge=1)]
_Count = Annotated[int, Meta(ge=0)]


class TargetDocument(TypedDict):
    """Where the service was found."""

    kind: Annotated[str, Meta(description="docker, kubernetes, aci, endpoint, azure or files.")]
    where: Annotated[str, Meta(description="The place in words.")]
    namespace: str | None
    subscription: Annotated[str, Meta(description="Empty outside Azure, as resource_group and workspace are.")]
    resource_group: str
    workspace: str
    notes: Annotated[list[str], Meta(description="What the search noticed.")]


class StageDocument(TypedDict):
    """How far the deployment came."""

    reached: Annotated[str | None, Meta(description="The furthest stage with proof that it was reached.")]
    failed: Annotated[str | None, Meta(description="The stage at which it stopped.")]


class RungDocument(TypedDict):
    """One stage of a deployment; they are listed in the order in which they happen."""

    stage: str
    state: StageState


class CitationDocument(TypedDict):
    """A piece of evidence."""

    source: Annotated[str, Meta(description="A file, or the command that prints it.")]
    line: Annotated[_Line | None, Meta(description="Counted from 1, where the source is a text.")]
    time: _Time | None
    text: str
    before: Annotated[list[str], Meta(description="The lines that stand before it.")]
    after: Annotated[list[str], Meta(description="The lines that stand after it.")]
    count: Annotated[int, Meta(ge=1, description="How often the same was seen.")]
    marked: Annotated[str, Meta(description="The part of text that matters; empty where that is all, or not known.")]


class FixDocument(TypedDict):
    """One thing to do."""

    text: str
    command: Annotated[str, Meta(description="For a shell; empty where there is none. <word> is a gap to fill.")]
    risk: Literal["none", "low", "high"]
    verify: Annotated[str, Meta(description="How one sees that it worked; may be empty.")]


class FindingDocument(TypedDict):
    """A rule that matched."""

    rule: str
    title: str
    kind: Kind
    role: Annotated[Role, Meta(description="latent: true, and without effect at present.")]
    stage: Annotated[str, Meta(description="A stage of the ladder, or a family of failures that can stop any stage.")]
    severity: Severity
    subjects: Annotated[list[str], Meta(description="Whose fact it is: paths from the place down to the container.")]
    explain: str
    evidence: list[CitationDocument]
    explains: Annotated[list[str], Meta(description="The rules folded under this one.")]
    fixes: Annotated[list[FixDocument], Meta(description="In the order in which to try them.")]
    references: list[str]


class NotCheckedDocument(TypedDict):
    """What could not be looked at."""

    what: str
    why: str
    needs: Annotated[str, Meta(description="The role, verb or option that would make it readable; may be empty.")]
    rules: Annotated[list[str], Meta(description="The rules left open by it.")]


class MomentDocument(TypedDict):
    """A point on the time axis."""

    time: _Time
    what: str
    subject: str
    kind: Annotated[str, Meta(description="deployment, build, schedule, pull, start, init, probe, crash and so on.")]


class CollectedDocument(TypedDict):
    """What one collector brought, and at what cost."""

    collector: str
    items: _Count
    bytes: _Count
    seconds: Annotated[float, Meta(ge=0)]


class ReportDocument(TypedDict):
    """A report of diagnose. Names keep their meaning within diagnose/report/1; more of them may be added."""

    schema: Literal["diagnose/report/1"]
    service: str
    target: TargetDocument
    verdict: Verdict
    verdict_reason: str
    stage: StageDocument
    ladder: list[RungDocument]
    findings: Annotated[list[FindingDocument], Meta(description="Ranked: the answer is first.")]
    not_checked: list[NotCheckedDocument]
    timeline: list[MomentDocument]
    earlier: Annotated[int, Meta(ge=0, description="How many moments before those of timeline are left out.")]
    collected: list[CollectedDocument]
    redactions: Annotated[dict[str, _Count], Meta(description="How many secrets were replaced, by kind.")]
    cuts: Annotated[list[str], Meta(description="What was left out of logs, in words.")]
    versions: dict[str, str]


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a report."""
    from msgspec.json import schema

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema(ReportDocument)}
