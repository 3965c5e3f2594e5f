"""Evidence as a JSON text and back: what is saved gives the same report when it is loaded again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from diagnose.errors import InputError
from diagnose.model import Collected, Evidence, Item, Log, Missing, Target
from diagnose.streams import STREAMS

FORMAT = "diagnose/evidence/1"


class _Body(msgspec.Struct, kw_only=True):
    """What ``saved`` writes. Fields that another version adds are passed over."""

    schema: str
    target: Target
    now: datetime | None
    items: dict[str, msgspec.Raw]
    logs: dict[str, tuple[Log, ...]]
    missing: tuple[Missing, ...]
    collected: tuple[Collected, ...]
    redactions: dict[str, int]


def saved(evidence: Evidence) -> bytes:
    """The evidence as indented JSON. It is redacted already: evidence only exists redacted."""
    body = {
        "schema": FORMAT,
        "target": evidence.target,
        "now": evidence.now,
        "items": evidence.items,
        "logs": evidence.logs,
        "missing": evidence.missing,
        "collected": evidence.collected,
        "redactions": evidence.redactions,
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"


def loaded(data: bytes, name: str) -> Evidence:
    """Evidence from what ``saved`` wrote; messages call it ``name``. Raises InputError when it is something else.

    Streams that only another version knows are left out: no rule of this one asks for them.
    """
    try:
        body = msgspec.json.decode(data, type=_Body)
        if body.schema != FORMAT:
            raise InputError(f"{name}: is no saved evidence of format {FORMAT}")
        return Evidence(
            target=body.target,
            now=_in_utc(body.now),
            items={stream: _items(stream, items) for stream, items in body.items.items() if _holds(stream, text=False)},
            logs={stream: logs for stream, logs in body.logs.items() if _holds(stream, text=True)},
            missing=tuple(missing for missing in body.missing if missing.stream in STREAMS),
            collected=body.collected,
            redactions=body.redactions,
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{name}: is no saved evidence: {error}") from error


def _holds(stream: str, *, text: bool) -> bool:
    return stream in STREAMS and STREAMS[stream].is_text == text


def _items(stream: str, items: msgspec.Raw) -> tuple[Item, ...]:
    kind = STREAMS[stream].item
    decoded: list[Item] = msgspec.json.decode(items, type=list[kind])  # type: ignore[valid-type]
    return tuple(item if item.time is None or item.time.tzinfo else _with_zone(item) for item in decoded)


def _with_zone(item: Item) -> Item:
    return replace(item, time=_in_utc(item.time))


def _in_utc(time: datetime | None) -> datetime | None:
    """A time without a zone is in UTC: times are compared with each other."""
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)
