"""What the Azure collectors bring, put together from several threads; a refusal costs its own answer only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import TypeVar

from diagnose.azure_items import Refusal
from diagnose.collectors.azure.errors import AzureError
from diagnose.model import Collected, Collection, Item, Log, Missing, Subject

_T = TypeVar("_T")
_I = TypeVar("_I", bound=Item)


@dataclass
class Gathering:
    """Evidence under collection. Safe to use from several threads."""

    subject: Subject
    """Of the service as a whole: of refusals and of what is missing."""
    began: float = field(default_factory=time.monotonic)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The source's clock: ages are counted from it."""
    _items: dict[str, list[Item]] = field(default_factory=dict)
    _logs: dict[str, list[Log]] = field(default_factory=dict)
    _missing: list[Missing] = field(default_factory=list)
    _received: int = 0
    _lock: Lock = field(default_factory=Lock)
    _signed_out: bool = False

    def add(self, stream: str, items: Sequence[Item] = ()) -> None:
        """Items of a stream that was read; none at all says that it was read and is empty."""
        with self._lock:
            self._items.setdefault(stream, []).extend(items)

    def add_logs(self, stream: str, logs: Sequence[Log] = ()) -> None:
        """The same for texts."""
        with self._lock:
            self._logs.setdefault(stream, []).extend(logs)

    def logged(self, stream: str, source: str) -> bool:
        """A text from there was brought already: two answers may name the same build log."""
        with self._lock:
            return any(log.source == source for log in self._logs.get(stream, ()))

    def items(self, stream: str, kind: type[_I]) -> tuple[_I, ...]:
        """What was put into ``stream`` so far, whose items are of ``kind``."""
        with self._lock:
            return tuple(item for item in self._items.get(stream, ()) if isinstance(item, kind))

    def texts(self, stream: str) -> list[str]:
        """What the logs of ``stream`` hold so far."""
        with self._lock:
            return [chunk.text for log in self._logs.get(stream, ()) for chunk in log.chunks]

    def forget(self, streams: Sequence[str], source: str) -> None:
        """Leave out what came from ``source`` (the beginning of its name): something better was read since."""
        with self._lock:
            for stream in streams:
                if stream in self._items:
                    self._items[stream] = [item for item in self._items[stream] if not item.source.startswith(source)]
                if stream in self._logs:
                    self._logs[stream] = [log for log in self._logs[stream] if not log.source.startswith(source)]

    def count(self, received: int) -> None:
        """Bytes that came another way than through the client whose count ``collection`` is given."""
        with self._lock:
            self._received += received

    def miss(self, missing: Missing) -> None:
        """Something that could not be read."""
        with self._lock:
            if missing not in self._missing:
                self._missing.append(missing)

    def attempt(self, streams: Sequence[str], what: str, needs: str, call: Callable[[], _T]) -> _T | None:
        """What ``call`` returns; None when Azure refused: then ``streams`` are missing, and the refusal is evidence.

        ``what``: the object in words, "vault kv-mlops"; ``needs``: the role that would allow it, with its scope. A
        sign-in that failed is told once, however many calls it cost.
        """
        try:
            return call()
        except AzureError as error:
            self.refused(streams, what, needs, error)
            return None

    def refused(self, streams: Sequence[str], what: str, needs: str, error: AzureError) -> None:
        """``error`` as evidence, and ``streams`` as missing."""
        # A refusal names the action that is not allowed; a person can ask for the role.
        required = needs if needs and error.status == 403 else error.needs or needs
        for stream in streams:
            text = f"{what}: {error}"
            self.miss(Missing(stream=stream, why=error.why, what=text, needs=required, subject=self.subject))
        with self._lock:
            if error.sign_in and self._signed_out:
                return
            self._signed_out = self._signed_out or error.sign_in
        self.add("refusals", [self._refusal(what, required, error)])

    def _refusal(self, what: str, needs: str, error: AzureError) -> Refusal:
        return Refusal(
            source="Azure Resource Manager" if not error.sign_in else "sign-in to Azure",
            subject=self.subject,
            time=self.now,
            call="sign-in" if error.sign_in else f"read {what}",
            sign_in=error.sign_in,
            status=error.status,
            code=error.code,
            message=error.message,
            needs=needs,
        )

    def collection(self, received: int) -> Collection:
        """All of it; ``received``: bytes that came over the network, without those that were counted already."""
        with self._lock:
            items = {stream: tuple(found) for stream, found in self._items.items()}
            logs = {stream: tuple(found) for stream, found in self._logs.items()}
            count = sum(map(len, items.values())) + sum(map(len, logs.values()))
            cost = Collected("azure", count, received + self._received, time.monotonic() - self.began)
            missing = tuple(self._missing)
        return Collection(items=items, logs=logs, missing=missing, collected=(cost,), now=self.now)


def merged(collections: Sequence[Collection]) -> Collection:
    """One collection of several about the same service; the latest of their clocks."""
    items: dict[str, tuple[Item, ...]] = {}
    logs: dict[str, tuple[Log, ...]] = {}
    for one in collections:
        items |= {stream: (*items.get(stream, ()), *found) for stream, found in one.items.items()}
        logs |= {stream: (*logs.get(stream, ()), *texts) for stream, texts in one.logs.items()}
    return Collection(
        items=items,
        logs=logs,
        missing=tuple(dict.fromkeys(gap for one in collections for gap in one.missing)),
        collected=tuple(cost for one in collections for cost in one.collected),
        now=max((one.now for one in collections if one.now), default=None),
    )
