"""What a comparison says: which findings came, went and stayed, and what was changed in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from diagnose.model import SEVERITIES, Citation, Evidence, Moment, NotChecked, Role, Severity, Verdict

QUIET = (Role.LATENT, Role.ADVICE)
"""Roles of findings that do no harm at present."""

_BROKEN = (Verdict.DEGRADED, Verdict.FAILING)
"""From bad to worse."""


class Status(StrEnum):
    """What became of a finding, in the order in which it is told."""

    NEW = "new"
    STILL = "still there"
    UNKNOWN = "not known"
    """It was there before, and afterwards nobody could look."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a finding is, without what changes its name from one run to the next. ``None``, "not known", joins any."""

    namespace: str | None = None
    workload: str | None = None

    def __str__(self) -> str:
        return "/".join(filter(None, (self.namespace, self.workload)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A finding of one side."""

    rule: str
    title: str
    severity: Severity
    stage: str
    role: Role
    places: tuple[Place, ...]
    explains: tuple[str, ...] = ()
    citation: Citation | None = None
    """The first evidence it rests on."""

    @property
    def active(self) -> bool:
        """It does harm."""
        return self.role not in QUIET


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two that are compared."""

    name: str
    """The file, as the user gave it."""
    service: str
    where: str = ""
    namespace: str | None = None
    time: datetime | None = None
    """When it was collected; a report does not tell."""
    verdict: Verdict
    reached: str | None = None
    failed: str | None = None
    findings: tuple[Told, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    known_rules: frozenset[str] | None = None
    """Ids of the rules that judged it; None for a report, which does not tell."""
    evidence: Evidence | None = None
    """None for a report."""

    @property
    def form(self) -> Literal["report", "evidence"]:
        """What the file holds."""
        return "report" if self.evidence is None else "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """What became of a finding, at those places where the same became of it."""

    status: Status
    rule: str
    title: str
    stage: str
    severity: Severity
    places: tuple[str, ...]
    """Workloads, in words; empty where the finding names none."""
    before: Role | None
    """None: it was not there."""
    after: Role | None
    note: str = ""
    """What is to be known besides: why it is not known, that it was there without effect."""
    under: str = ""
    """Id of the finding of the same status that accounts for it."""
    citation: Citation | None = None
    """The first evidence; of AFTER where it is there."""

    @property
    def active(self) -> bool:
        """It does harm, or did: what only ever was advice, or without effect, is no change for better or worse."""
        return any(role is not None and role not in QUIET for role in (self.before, self.after))


GONE, COME = "is gone", "is new"
"""What there is to say of a whole thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between what was collected before and after."""

    area: str
    """``image``, ``packages``, ``environment``, ``resources`` ...: one of AREAS."""
    subject: str
    """Whose it is, in words; the names are those of AFTER."""
    what: str
    """The setting; GONE or COME of the subject itself."""
    before: str = ""
    after: str = ""
    """Both empty where a set changed: ``removed`` and ``added`` tell."""
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Where it can be looked up, before and after."""


AREAS = (
    *("image", "packages", "environment", "resources", "probes", "container", "replicas", "network", "deployment"),
    *("vault", "access", "registry", "workspace", "limits", "state"),
)
"""In the order in which they are told: what somebody changed on purpose first, what came of it last."""


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Something of which nobody can say whether it changed."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The whole answer. Renderers lay it out and decide nothing."""

    before: Side
    after: Side
    findings: tuple[FindingChange, ...]
    """In the order of Status, the most harmful of each first."""
    changes: tuple[Change, ...]
    """In the order of AREAS."""
    between: tuple[Moment, ...]
    """Writes and deployments that AFTER tells of and that happened since BEFORE was collected."""
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...]

    def of(self, status: Status) -> tuple[FindingChange, ...]:
        """The findings that this became of."""
        return tuple(finding for finding in self.findings if finding.status is status)

    @property
    def worse(self) -> bool:
        """The verdict became worse, or is bad and could not be told before."""
        before, after = (side.verdict for side in (self.before, self.after))
        return after in _BROKEN and (before not in _BROKEN or _BROKEN.index(after) > _BROKEN.index(before))

    def exit_code(self, threshold: str) -> int:
        """1 with anything new and harmful at or above ``threshold``, 3 when AFTER could not be judged, else 0.

        A service that broke, or broke further, without a finding that says why ends with 1 as well, unless only
        critical findings count.
        """
        grave = SEVERITIES.index(threshold)
        new = [one for one in self.of(Status.NEW) if one.after is not None and one.after not in QUIET]
        if any(SEVERITIES.index(one.severity) >= grave for one in new):
            return 1
        if self.after.verdict is Verdict.UNKNOWN:
            return 3
        explained = any(one.severity in ("error", "critical") for one in new)
        return 1 if self.worse and not explained and threshold != "critical" else 0
