"""Logs of containers, current and previous, read side by side; of a long one the end is kept."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from diagnose import streams
from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.calls import Calls, Clock, Job
from diagnose.collectors.kubernetes.client import CallError, Cluster
from diagnose.collectors.kubernetes.pods import containers_of, is_well
from diagnose.collectors.kubernetes.tail import Tail
from diagnose.collectors.kubernetes.view import View
from diagnose.model import Chunk, Log, Missing, Subject, Why

_ORDINARY = re.compile(r"previous terminated container .* not found|is waiting to start")
"""What the kubelet answers when there is no such run."""
_NO_LOG = re.compile(rb"(?:\d{4}-\S+Z )?unable to retrieve container logs for [\w-]+://\S*\s*")
"""What some kubelets answer with status 200, as if it were the log, when the container is gone."""
_SOONER = "look again right after the next crash"
_BUDGET = 128 * 1024 * 1024
"""Bytes kept of all logs together; many pods that fail mostly fail alike."""
_MOST_GAPS = 10
"""Logs that could not be read are named one by one up to this many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One log to read."""

    container: streams.Container
    subject: Subject
    previous: bool = False

    @property
    def what(self) -> str:
        """In words."""
        run = "previous log" if self.previous else "log"
        return f"{run} of container {self.container.name} in pod {self.subject.pod}"

    @property
    def source(self) -> str:
        """The command that prints it."""
        where = f"-n {self.subject.namespace} logs {self.subject.pod} -c {self.container.name}"
        return f"kubectl {where}{' --previous' if self.previous else ''}"

    @property
    def path(self) -> str:
        """On the API server."""
        return f"/api/v1/namespaces/{quote(self.subject.namespace or '')}/pods/{quote(self.subject.pod or '')}/log"


def worth_reading(view: View) -> list[tuple[Wanted, ...]]:
    """The logs of every pod that is not well, and of the oldest one that is: calls do not grow with healthy pods."""
    unwell: list[schema.Pod] = []
    well: list[schema.Pod] = []
    for pod in view.objects.pods:
        (well if is_well(view, pod) else unwell).append(pod)
    example = sorted(well, key=lambda pod: (pod.status.phase != "Running", -_age_s(view, pod)))[:1]
    return [one for pod in (*unwell, *example) for one in of_pod(view, pod)]


def _age_s(view: View, pod: schema.Pod) -> float:
    return view.age_s(pod.metadata.creation_timestamp) or 0.0


def of_pod(view: View, pod: schema.Pod) -> Iterator[tuple[Wanted, ...]]:
    """The logs a pod can have: none of containers that never started, no previous ones without a restart.

    Several in one tuple are alternatives: while a container waits for its next start, its current log is the previous
    one, and is only asked for where that can not be had.
    """
    for container in containers_of(view, pod):
        current = Wanted(container, container.subject)
        previous = Wanted(container, container.subject, previous=True)
        if container.state not in ("running", "terminated") and container.exit_code is None:
            continue
        if container.restarts and container.state == "waiting":
            yield previous, current
        elif container.restarts:
            yield (previous,)
            yield (current,)
        else:
            yield (current,)


def start(
    cluster: Cluster, calls: Calls, wanted: Sequence[tuple[Wanted, ...]], stream: str, limits: Limits
) -> tuple[Reading, ...]:
    """Begin to read them all; of many less is kept of each."""
    share = min(limits.log_bytes, _BUDGET // max(1, len(wanted)))
    allowed = replace(limits, log_bytes=share)
    return tuple(Reading(cluster, one, stream).start(calls, allowed) for one in wanted)


class Attempt:
    """One log that was asked for."""

    def __init__(self, wanted: Wanted, stream: str, limits: Limits) -> None:
        self.wanted = wanted
        self.error: CallError | None = None
        self._stream = stream
        self._since_s = limits.since_s
        self._tail = Tail(limits.log_bytes)

    def read(self, cluster: Cluster, clock: Clock) -> None:
        """Ask, and keep the end; a failure is kept too."""
        query = {"container": self.wanted.container.name, "timestamps": "true"}
        if self.wanted.previous:
            query["previous"] = "true"
        if self._since_s is not None:
            query["sinceSeconds"] = str(max(1, math.ceil(self._since_s)))
        try:
            for piece in cluster.pieces(self.wanted.path, query, clock):
                self._tail.feed(piece)
        except CallError as error:
            self.error = error
            return
        if _NO_LOG.fullmatch(self._tail.end()[0]):
            self.error = CallError("the node has deleted it", why=Why.NOT_FOUND, needs=_SOONER, status=200)

    def log(self) -> Log | None:
        """As far as it was read."""
        if self.error is not None and self.error.status:
            return None
        kept, dropped, lines = self._tail.end()
        if self.error is not None and not kept:
            return None
        text = kept.decode("utf-8", "replace")
        return Log(
            stream=self._stream,
            source=self.wanted.source,
            subject=self.wanted.subject,
            run="previous" if self.wanted.previous else "current",
            chunks=(Chunk(lines + 1, text),) if text else (),
            cut="; ".join(self._cuts(dropped, dropped + len(kept))),
        )

    def _cuts(self, dropped: int, total: int) -> Iterator[str]:
        if dropped:
            yield f"first {_size(dropped)} of {_size(total)} not kept"
        if self._since_s is not None:
            yield f"only lines of the last {self._since_s:.0f} s read"
        if self.error is not None:
            yield f"not read to its end: {self.error}"

    def missing(self) -> Missing | None:
        """What is missing of it, unless there was no such run, which is ordinary."""
        error = self.error
        if error is None or (error.status == 400 and _ORDINARY.search(error.detail)):
            return None
        needs = error.needs
        if error.status == 403:
            needs = f"get pods/log in namespace {self.wanted.subject.namespace} (for example the ClusterRole view)"
        told = "" if error.why is Why.DENIED else f" ({error}{': ' + error.detail[:160] if error.detail else ''})"
        what = f"{self.wanted.what}{told}"
        return Missing(stream=self._stream, why=error.why, what=what, needs=needs, subject=self.wanted.subject)


class Reading:
    """A log that is being read on a thread, or another in its place."""

    def __init__(self, cluster: Cluster, alternatives: Sequence[Wanted], stream: str) -> None:
        self._cluster = cluster
        self._alternatives = alternatives
        self._stream = stream
        self._attempts: list[Attempt] = []

    def start(self, calls: Calls, limits: Limits) -> Reading:
        """Begin to read."""
        self._limits = limits
        self._job: Job[None] = calls.start(limits, self._read)
        return self

    def _read(self, clock: Clock) -> None:
        for wanted in self._alternatives:
            attempt = Attempt(wanted, self._stream, self._limits)
            self._attempts.append(attempt)
            attempt.read(self._cluster, clock)
            if attempt.error is None or attempt.error.status not in (200, 400, 404):
                return

    def attempts(self) -> list[Attempt]:
        """What was tried by the end of its time; waits until then at most."""
        try:
            self._job.answer()
        except TimeoutError:
            if not self._attempts:
                self._attempts.append(Attempt(self._alternatives[0], self._stream, self._limits))
            late = "allow more time with --timeout"
            self._attempts[-1].error = CallError("no answer in time", why=Why.TIMED_OUT, needs=late)
        return list(self._attempts)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def collected(readings: Iterable[Reading]) -> tuple[tuple[Log, ...] | None, tuple[Missing, ...]]:
    """The logs, and what is missing; None for the logs when some were asked for and none came."""
    attempts = [attempt for reading in readings for attempt in reading.attempts()]
    logs = tuple(log for attempt in attempts if (log := attempt.log()))
    gaps = [gap for attempt in attempts if (gap := attempt.missing())]
    return None if gaps and not logs else logs, _folded(gaps)


def _folded(gaps: Sequence[Missing]) -> tuple[Missing, ...]:
    """A right that is lacking is said once; other reasons by log, as long as they are few."""
    denied = [gap for gap in gaps if gap.why is Why.DENIED]
    others = [gap for gap in gaps if gap.why is not Why.DENIED]
    folded = []
    if denied:
        first = denied[0].subject
        what = f"{len(denied)} logs of containers in namespace {first.namespace}" if len(denied) > 1 else denied[0].what
        subject = replace(first, pod=None, container=None) if len(denied) > 1 else first
        folded.append(replace(denied[0], what=what, subject=subject))
    folded += others[:_MOST_GAPS]
    if len(others) > _MOST_GAPS:
        rest = others[_MOST_GAPS]
        place = replace(rest.subject, pod=None, container=None)
        folded.append(replace(rest, what=f"{len(others) - _MOST_GAPS} further logs", subject=place))
    return tuple(folded)
