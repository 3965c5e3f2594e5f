"""The values that flow through the program: target, evidence, findings, report; all frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

LADDER = ("register", "build", "push", "deploy", "schedule", "pull", "start", "init", "probe", "score", "serve")
"""The stages of a deployment in the order in which they happen (catalogue, section 3)."""

FAMILIES = ("network", "auth", "keyvault", "template", "local", "client")
"""Kinds of failure that can stop any stage."""

SEVERITIES = ("info", "warning", "error", "critical")
"""From least to most urgent."""

MOMENTS = ("deployment", "build", "schedule", "pull", "start", "init", "probe", "crash", "policy", "request")
"""What a moment of the time line may be, in the order in which a deployment meets them."""

LEVELS = ("service", "workload", "pod", "container")
"""How narrowly a rule joins its selections; ``service`` joins everything."""

Severity = Literal["info", "warning", "error", "critical"]
Kind = Literal["cause", "symptom", "check", "advice"]
Run = Literal["current", "previous"]


class Role(StrEnum):
    """What a finding is in the answer."""

    ROOT_CAUSE = "root_cause"
    CONTRIBUTING = "contributing"
    SYMPTOM = "symptom"
    LATENT = "latent"
    ADVICE = "advice"


class Verdict(StrEnum):
    """The state of the service; ``UNKNOWN`` whenever too little could be seen to say one of the others."""

    FAILING = "failing"
    DEGRADED = "degraded"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """Why a stream, or a part of it, was not collected."""

    DENIED = "denied"
    NOT_FOUND = "not found"
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"
    NOT_SUPPORTED = "not supported"
    TRUNCATED = "truncated"
    FAILED = "failed"
    NOT_SUPPLIED = "not supplied"
    """Nobody could have looked: a saved log holds no pod states. Says nothing against the service."""


class StageState(StrEnum):
    """One rung of the ladder."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose fact an item is: a path from the place down to the container. ``None``, "not known", joins with any."""

    place: str = ""
    """``docker``, ``kubernetes``, ``aci`` (a container group), ``endpoint`` (a managed online endpoint, whose
    deployments are its workloads), ``azure`` for what the workspace holds, or ``file`` for saved evidence; empty when
    nothing is known."""
    namespace: str | None = None
    workload: str | None = None
    """Name of the Deployment, StatefulSet or other owner at the top; for Docker the service the label names."""
    pod: str | None = None
    container: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.place, self.namespace, self.workload, self.pod, self.container) if part)

    def key(self, level: str) -> tuple[str | None, ...]:
        """The parts down to ``level`` (one of LEVELS); a ``None`` among them makes the subject join with any."""
        parts = (self.workload, self.pod, self.container)
        return parts[: LEVELS.index(level)]

    def joins(self, other: Subject) -> bool:
        """True when nothing known of the two contradicts: they may be one and the same."""
        mine = (self.namespace, self.workload, self.pod, self.container)
        theirs = (other.namespace, other.workload, other.pod, other.container)
        return all(a is None or b is None or a == b for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A fact. Its typed fields come with the stream's own class (``streams.py``)."""

    source: str
    """Where a person can look it up: a file with line, or the command that prints it."""
    subject: Subject = Subject()
    time: datetime | None = None
    """When it happened (UTC), where that is known."""
    line: int | None = None
    """Line number in ``source``, counted from 1, where the source is a text."""

    def text(self) -> str:
        """The fact in one line, as it is quoted in a report."""
        skip = ("source", "subject", "time", "line")
        facts = ((name, getattr(self, name)) for name in self.__dataclass_fields__ if name not in skip)
        return ", ".join(f"{name}={value}" for name, value in facts if value not in (None, "", (), False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Item):
    """One line of a log, as a rule selects it."""

    content: str
    run: Run = "current"

    def text(self) -> str:
        return self.content


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a log that was kept whole."""

    first_line: int
    """Number of its first line in the whole log, counted from 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a pattern occurs in a log of which only pieces were kept."""

    count: int
    first: int
    """Line number of the first occurrence in the whole log."""
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One text with its origin. Lines may begin with an RFC 3339 time stamp, as ``--timestamps`` prints them."""

    stream: str
    """Name of a text stream of ``streams.py``, such as ``logs.container``."""
    source: str
    """Where a person finds it: a file name or ``kubectl logs POD -c CONTAINER --previous``."""
    subject: Subject = Subject()
    run: Run = "current"
    chunks: tuple[Chunk, ...] = ()
    """Ascending and not overlapping; one chunk when nothing was left out."""
    cut: str = ""
    """What was left out and why, in words for the report; empty when the log is whole."""
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    """Counts over the whole log by pattern, where ``chunks`` holds only pieces of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that was not collected, and what would make it readable."""

    stream: str
    why: Why
    what: str
    """The object that could not be read, in words: ``events in namespace aml-churn``."""
    needs: str = ""
    """The role, verb or option that would make it readable."""
    subject: Subject = Subject()


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collector brought, and at what cost."""

    collector: str
    items: int
    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The service under diagnosis and where it was found."""

    service: str
    kind: str
    """``docker``, ``kubernetes``, ``aci``, ``endpoint``, ``azure`` (a v1 service on a cluster), ``files``, or
    ``nowhere``: it was looked for, and not found or not even seen."""
    where: str = ""
    """The place in words: ``context prod, namespace aml-churn`` or a path."""
    namespace: str | None = None
    subscription: str = ""
    """Id of the Azure subscription; empty outside Azure."""
    resource_group: str = ""
    workspace: str = ""
    """Azure Machine Learning workspace."""
    objects: tuple[str, ...] = ()
    """Names the collector goes by: workloads for Kubernetes, container ids for Docker, paths for files."""
    notes: tuple[str, ...] = ()
    """What the search noticed: also found elsewhere, which place was taken and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What a collector brings home. Raw: nothing is shown or saved of it before the pipeline redacted it."""

    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    """By stream name; a stream that was collected and is empty holds ``()``."""
    logs: Mapping[str, tuple[Log, ...]] = field(default_factory=dict)
    """By stream name, likewise."""
    missing: tuple[Missing, ...] = ()
    collected: tuple[Collected, ...] = ()
    now: datetime | None = None
    """The source's own clock at collection (UTC): ages are counted from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known, redacted. A stream absent from ``items`` and ``logs`` was not collected."""

    target: Target
    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    logs: Mapping[str, tuple[Log, ...]] = field(default_factory=dict)
    missing: tuple[Missing, ...] = ()
    collected: tuple[Collected, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    """Number of secrets replaced, by kind."""
    now: datetime | None = None

    def has(self, stream: str) -> bool:
        """True when the stream was collected, empty or not."""
        return stream in self.items or stream in self.logs


@dataclass(frozen=True, slots=True)
class Citation:
    """A piece of evidence as a report shows it."""

    source: str
    text: str
    line: int | None = None
    time: datetime | None = None
    before: tuple[str, ...] = ()
    """Up to two lines that stand before it."""
    after: tuple[str, ...] = ()
    count: int = 1
    """How often the same was seen."""
    marked: str = ""
    """The part of ``text`` that made the rule choose it; empty where that is all of it, or cannot be told."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing to do, with the real names filled in."""

    text: str
    command: str = ""
    risk: Literal["none", "low", "high"] = "none"
    verify: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that matched, for one or more subjects."""

    rule: str
    title: str
    kind: Kind
    role: Role
    stage: str
    severity: Severity
    subjects: tuple[Subject, ...]
    explain: str
    evidence: tuple[Citation, ...]
    explains: tuple[str, ...] = ()
    """Ids of the findings folded under this one."""
    fixes: tuple[Fix, ...] = ()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What could not be looked at, and the rules that would have needed it."""

    what: str
    why: str
    needs: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on the report's time axis."""

    time: datetime
    what: str
    subject: str
    kind: str = ""
    """One of MOMENTS; empty for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole answer. Renderers lay it out and decide nothing."""

    service: str
    target: Target
    verdict: Verdict
    verdict_reason: str
    """One sentence: why the verdict is what it is."""
    reached: str | None
    """Furthest stage of LADDER with proof that it was reached."""
    failed: str | None
    """Stage at which it stopped."""
    ladder: tuple[tuple[str, StageState], ...]
    findings: tuple[Finding, ...]
    """Ranked: the answer is first."""
    not_checked: tuple[NotChecked, ...]
    timeline: tuple[Moment, ...]
    collected: tuple[Collected, ...]
    redactions: Mapping[str, int]
    cuts: tuple[str, ...]
    """What was left out of logs, in words."""
    versions: Mapping[str, str]
    earlier: int = 0
    """Moments before those of ``timeline``, which holds the newest."""
