"""Evidence as a JSON text and back: what is saved gives the same report when it is loaded again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from diagnose.errors import InputError
from diagnose.model import Collected, Evidence, Item, Log, Missing, Target
from diagnose.streams import STREAMS

FORMAT = "diagnose/evidence/1"


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
    """Evidence from what ``saved`` wrote; messages call it ``name``. Raises InputError when it is something else."""
    try:
        body = msgspec.json.decode(data)
        if body.get("schema") != FORMAT:
            raise InputError(f"{name}: is no saved evidence of format {FORMAT}")
        return Evidence(
            target=msgspec.convert(body["target"], Target),
            now=msgspec.convert(body["now"], datetime | None),
            items={stream: _items(stream, items) for stream, items in body["items"].items()},
            logs=msgspec.convert(body["logs"], dict[str, tuple[Log, ...]]),
            missing=msgspec.convert(body["missing"], tuple[Missing, ...]),
            collected=msgspec.convert(body["collected"], tuple[Collected, ...]),
            redactions=body["redactions"],
        )
    except (msgspec.MsgspecError, KeyError, AttributeError) as error:
        raise InputError(f"{name}: is no saved evidence: {error}") from error


def _items(stream: str, items: list[Any]) -> tuple[Item, ...]:
    if stream not in STREAMS:
        return ()
    kind = STREAMS[stream].item
    return tuple(msgspec.convert(item, kind) for item in items)
