"""Logs of containers, current and previous, read side by side; of a long one the end is kept."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from diagnose import streams
from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import schema
from diagnose.collectors.kubernetes.calls import Calls, Clock, Job
from diagnose.collectors.kubernetes.client import CallError, Cluster
from diagnose.collectors.kubernetes.pods import containers_of, is_well
from diagnose.collectors.kubernetes.view import View
from diagnose.model import Chunk, Log, Missing, Subject, Why

_ORDINARY = re.compile(r"previous terminated container .* not found|is waiting to start")
"""What the kubelet answers when there is no such run."""
_NO_LOG = re.compile(r"(?:\d{4}-\S+Z )?unable to retrieve container logs for [\w-]+://\S*\s*")
"""What some kubelets answer with status 200, as if it were the log, when the container is gone."""
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


def worth_reading(view: View) -> list[Wanted]:
    """The logs of every pod that is not well, and of the oldest one that is: calls do not grow with healthy pods."""
    unwell = [pod for pod in view.objects.pods if not is_well(view, pod)]
    well = [pod for pod in view.objects.pods if is_well(view, pod)]
    example = sorted(well, key=lambda pod: (pod.status.phase != "Running", -(_age_s(view, pod))))[:1]
    return [one for pod in (*unwell, *example) for one in of_pod(view, pod)]


def _age_s(view: View, pod: schema.Pod) -> float:
    return view.age_s(pod.metadata.creation_timestamp) or 0.0


def of_pod(view: View, pod: schema.Pod) -> Iterator[Wanted]:
    """The logs a pod can have: none of containers that never started, no previous ones without a restart."""
    for container in containers_of(view, pod):
        if container.state not in ("running", "terminated") and container.exit_code is None:
            continue
        if container.restarts:
            yield Wanted(container, container.subject, previous=True)
        yield Wanted(container, container.subject)


class Tail:
    """The end of a text that arrives in pieces."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept = bytearray()
        self.dropped = 0
        """Bytes."""
        self.dropped_lines = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        with self._lock:
            self._kept += piece
            if len(self._kept) > 2 * self._most:
                self._shorten()

    def end(self) -> tuple[bytes, int, int]:
        """The end, the bytes and the lines before it."""
        with self._lock:
            if len(self._kept) > self._most:
                self._shorten()
            return bytes(self._kept), self.dropped, self.dropped_lines

    def _shorten(self) -> None:
        """To what is allowed at most, beginning at the start of a line where there is one."""
        least = len(self._kept) - self._most
        newline = self._kept.find(b"\n", least - 1)
        cut = newline + 1 if 0 <= newline < len(self._kept) - 1 else least
        self.dropped_lines += self._kept.count(b"\n", 0, cut)
        self.dropped += cut
        del self._kept[:cut]


class Reading:
    """A log that is being read on a thread."""

    def __init__(self, cluster: Cluster, wanted: Wanted, stream: str) -> None:
        self.wanted = wanted
        self._cluster = cluster
        self._stream = stream

    def start(self, calls: Calls, limits: Limits) -> Reading:
        """Begin to read."""
        self._limits = limits
        self._tail = Tail(limits.log_bytes)
        self._job: Job[None] = calls.start(limits, self._read)
        return self

    def _read(self, clock: Clock) -> None:
        query = {"container": self.wanted.container.name, "timestamps": "true"}
        if self.wanted.previous:
            query["previous"] = "true"
        if self._limits.since_s is not None:
            query["sinceSeconds"] = str(max(1, math.ceil(self._limits.since_s)))
        for piece in self._cluster.pieces(self.wanted.path, query, clock):
            self._tail.feed(piece)

    def outcome(self) -> tuple[Log | None, Missing | None]:
        """The log as far as it was read by the end of its time, and what is missing of it."""
        error: CallError | None = None
        try:
            self._job.answer()
        except CallError as failure:
            error = failure
        except TimeoutError:
            error = CallError("no answer in time", why=Why.TIMED_OUT, needs="allow more time with --timeout")
        if error is None:
            return self._whole()
        if error.status == 400 and _ORDINARY.search(error.detail):
            return None, None
        log = self._log(f"not read to its end: {error}")
        return log if log.chunks else None, self._missing(error)

    def _whole(self) -> tuple[Log | None, Missing | None]:
        log = self._log("")
        if not any(_NO_LOG.fullmatch(chunk.text) for chunk in log.chunks):
            return log, None
        needs = "look again right after the next crash"
        return None, self._missing(CallError("the node has deleted it", why=Why.NOT_FOUND, needs=needs))

    def _log(self, cut: str) -> Log:
        kept, dropped, lines = self._tail.end()
        total = dropped + len(kept)
        cuts = [f"first {_size(dropped)} of {_size(total)} not kept"] if dropped else []
        if self._limits.since_s is not None:
            cuts.append(f"only lines of the last {self._limits.since_s:.0f} s read")
        text = kept.decode("utf-8", "replace")
        return Log(
            stream=self._stream,
            source=self.wanted.source,
            subject=self.wanted.subject,
            run="previous" if self.wanted.previous else "current",
            chunks=(Chunk(lines + 1, text),) if text else (),
            cut="; ".join(cuts + [cut] * bool(cut)),
        )

    def _missing(self, error: CallError) -> Missing:
        needs = error.needs
        if error.status == 403:
            needs = f"get pods/log in namespace {self.wanted.subject.namespace} (for example the ClusterRole view)"
        told = "" if error.why is Why.DENIED else f" ({error}{': ' + error.detail[:160] if error.detail else ''})"
        what = f"{self.wanted.what}{told}"
        return Missing(stream=self._stream, why=error.why, what=what, needs=needs, subject=self.wanted.subject)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"


def collected(readings: Sequence[Reading]) -> tuple[tuple[Log, ...] | None, tuple[Missing, ...]]:
    """The logs, and what is missing; None for the logs when some were asked for and none came."""
    outcomes = [reading.outcome() for reading in readings]
    logs = [(reading.wanted, log) for reading, (log, _) in zip(readings, outcomes, strict=True) if log]
    gaps = [gap for _, gap in outcomes if gap]
    if gaps and not logs:
        return None, _folded(gaps)
    return tuple(_once(logs)), _folded(gaps)


def _once(logs: Iterable[tuple[Wanted, Log]]) -> Iterator[Log]:
    """While a container waits for its next start, both its logs are those of the run that crashed: one is enough."""
    previous: Log | None = None
    for wanted, log in logs:
        same = previous is not None and previous.subject == log.subject and previous.chunks == log.chunks
        if not (same and wanted.container.state == "waiting"):
            yield log
        previous = log


def _folded(gaps: Sequence[Missing]) -> tuple[Missing, ...]:
    """A right that is lacking is said once; other reasons by log, as long as they are few."""
    denied = [gap for gap in gaps if gap.why is Why.DENIED]
    others = [gap for gap in gaps if gap.why is not Why.DENIED]
    folded = []
    if denied:
        first = denied[0].subject
        what = f"logs of {len(denied)} containers in namespace {first.namespace}" if len(denied) > 1 else denied[0].what
        subject = replace(first, pod=None, container=None) if len(denied) > 1 else first
        folded.append(replace(denied[0], what=what, subject=subject))
    folded += others[:_MOST_GAPS]
    if len(others) > _MOST_GAPS:
        rest = others[_MOST_GAPS]
        place = replace(rest.subject, pod=None, container=None)
        folded.append(replace(rest, what=f"{len(others) - _MOST_GAPS} further logs", subject=place))
    return tuple(folded)
