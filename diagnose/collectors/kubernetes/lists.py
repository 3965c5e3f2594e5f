"""Lists of objects, many at once, each page within its time; a list that could not be read says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from diagnose.collectors import Limits
from diagnose.collectors.kubernetes import decode
from diagnose.collectors.kubernetes.calls import Calls, Clock, Job
from diagnose.collectors.kubernetes.client import CallError, Cluster
from diagnose.collectors.kubernetes.kinds import PLACE, Kind
from diagnose.model import Missing, Subject, Why

PAGE = 500
"""Objects asked for at a time: 12 ms of decoding for pods."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to list: a kind in one namespace, or in all of them."""

    kind: Kind
    namespace: str | None = None
    """None for all, and for kinds that live in none."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """``labelSelector`` or ``fieldSelector``; a server may ignore it."""

    @property
    def where(self) -> str:
        """In words."""
        if not self.kind.in_namespace:
            return ""
        return f" in namespace {self.namespace}" if self.namespace else " in all namespaces"

    def path(self, api: str) -> str:
        """Below a group version."""
        if self.namespace is None or not self.kind.in_namespace:
            return f"/{api}/{self.kind.resource}"
        return f"/{api}/namespaces/{quote(self.namespace, safe='')}/{self.kind.resource}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A list as far as it could be read."""

    items: tuple[Any, ...] = ()
    error: CallError | None = None
    """Why it, or the rest of it, could not."""
    spoilt: int = 0
    """Objects that could not be understood."""

    @property
    def known(self) -> bool:
        """Something of it was read: an empty list that was read is known too."""
        return self.error is None or bool(self.items)


class Listing:
    """A list that is being read on a thread."""

    def __init__(self, cluster: Cluster, query: Query) -> None:
        self.query = query
        self._cluster = cluster
        self._pages: list[decode.Page[Any]] = []
        self._outcome: Outcome | None = None

    def start(self, calls: Calls, limits: Limits) -> Listing:
        """Begin to read."""
        self._job: Job[None] = calls.start(limits, self._read)
        return self

    def outcome(self) -> Outcome:
        """What was read by the end of its time; waits until then at most."""
        if self._outcome is None:
            self._outcome = self._awaited()
        return self._outcome

    def _awaited(self) -> Outcome:
        error: CallError | None = None
        try:
            self._job.answer()
        except CallError as failure:
            error = failure
        except TimeoutError:
            error = CallError("no answer in time", why=Why.TIMED_OUT, needs="allow more time with --timeout")
        pages = list(self._pages)
        spoilt = sum(page.spoilt for page in pages)
        return Outcome(tuple(item for page in pages for item in page.items), error, spoilt)

    def _read(self, clock: Clock) -> None:
        """From the newest version of the API that the server has."""
        kind, absent = self.query.kind, self._cluster.absent
        *newer, oldest = kind.apis
        for api in newer:
            if f"{api}/{kind.resource}" in absent:
                continue
            try:
                return self._read_all(api, clock)
            except CallError as error:
                if error.status != 404:
                    raise
                absent.add(f"{api}/{kind.resource}")
        return self._read_all(oldest, clock)

    def _read_all(self, api: str, clock: Clock) -> None:
        path = self.query.path(api)
        try:
            self._read_pages(path, clock)
        except CallError as error:
            if error.status != 410:
                raise
            self._again(path, clock)

    def _again(self, path: str, clock: Clock) -> None:
        """The server forgot where we were: once more from the start, keeping whatever is more at the end."""
        before, self._pages = self._pages, []
        try:
            self._read_pages(path, clock)
        finally:
            self._pages = max(before, self._pages, key=len)

    def _read_pages(self, path: str, clock: Clock) -> None:
        tokens = {""}
        token = ""
        while True:
            found = self._page(path, token, clock)
            self._pages.append(found)
            token = found.token
            if not token:
                return
            if token in tokens:
                raise CallError("the server gives the same page again and again", why=Why.TRUNCATED)
            tokens.add(token)

    def _page(self, path: str, token: str, clock: Clock) -> decode.Page[Any]:
        query = {"limit": str(PAGE), **self.query.selector, **({"continue": token} if token else {})}
        body = self._cluster.read(path, query, clock)
        try:
            return decode.page(body, self.query.kind.item)
        except decode.NotAListError as error:
            raise CallError(str(error), why=Why.FAILED) from error


def missing(query: Query, outcome: Outcome, streams: Sequence[str] | None = None) -> tuple[Missing, ...]:
    """What the streams lack when the list ended so."""
    names = query.kind.streams if streams is None else streams
    what = f"{query.kind.resource}{query.where}"
    subject = Subject(PLACE, query.namespace)
    error, gaps = outcome.error, []
    if error is not None:
        part = f" after the first {len(outcome.items)}" if outcome.items else ""
        told = "" if error.why in (Why.DENIED, Why.NOT_FOUND) and error.status != 401 else f" ({error})"
        gaps.append((error.why, f"{what}{part}{told}", needs(query, error)))
    if outcome.spoilt:
        gaps.append((Why.FAILED, f"{outcome.spoilt} of the {what}, which could not be understood", ""))
    return tuple(
        Missing(stream=name, why=why, what=text, needs=need, subject=subject)
        for name in names
        for why, text, need in gaps
    )


def needs(query: Query, error: CallError) -> str:
    """The verb, role or option that would make the list readable."""
    if error.status != 403:
        return error.needs
    resource = query.kind.resource
    if not query.kind.in_namespace:
        return f"list {resource} (a ClusterRole with get and list on {resource})"
    if not query.namespace:
        return f"list {resource} in all namespaces (for example a ClusterRoleBinding to the ClusterRole view)"
    return f"list {resource}{query.where} (for example the ClusterRole view)"
