"""JSON decoders for typed answers, made one at a time and kept."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DECODERS: dict[object, msgspec.json.Decoder[Any]] = {}
_LEARNING = threading.Lock()


def decoder(kind: type[T], *, strict: bool = True) -> msgspec.json.Decoder[T]:
    """A decoder for ``kind``; not ``strict`` takes ``"5"`` for a number.

    msgspec learns what a struct looks like when it is first used; two threads that do so at once crash the process
    (measured with msgspec 0.22).
    """
    known = _DECODERS.get((kind, strict))
    if known is None:
        with _LEARNING:
            known = _DECODERS[kind, strict] = msgspec.json.Decoder(kind, strict=strict)
    return known
