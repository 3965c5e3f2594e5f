"""From bytes or plain data to the structs of ``schema.py``, forgiving what servers and dumps do with nulls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from diagnose.collectors.decoding import decoder
from diagnose.collectors.kubernetes import schema

T = TypeVar("T")


class NotAListError(ValueError):
    """An answer that is no list of objects; the text says what it is, without quoting it."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer to a list request."""

    items: tuple[T, ...]
    token: str = ""
    """Where the next page begins; empty on the last one."""
    spoilt: int = 0
    """Objects that could not be understood."""


def page(body: bytes, item: type[T]) -> Page[T]:
    """The list in ``body``. Raises NotAListError for anything that is none, so it never passes for an empty one."""
    try:
        found = decoder(schema.ListOf[item], strict=False).decode(body)  # type: ignore[valid-type]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _lenient_page(body, item)
    if isinstance(found.items, msgspec.UnsetType):
        raise NotAListError("JSON without a list of objects")
    return Page(tuple(found.items or ()), found.metadata.token)


def _lenient_page(body: bytes, item: type[T]) -> Page[T]:
    """The slow way, for lists with nulls where there should be none, or with single objects that make no sense."""
    document = _document(body)
    if not isinstance(document, dict) or "items" not in document:
        raise NotAListError("JSON without a list of objects")
    items = document["items"]
    if not isinstance(items, list | None):
        raise NotAListError("JSON whose items are no list")
    converted = [convert(one, item) for one in items or () if one is not None]
    meta = convert(document.get("metadata") or {}, schema.ListMeta)
    whole = tuple(one for one in converted if one is not None)
    return Page(whole, meta.token if meta else "", len(converted) - len(whole))


def _document(body: bytes) -> object:
    if body.lstrip()[:1] == b"<":
        raise NotAListError("HTML instead of JSON: a proxy or a login page answered")
    try:
        return msgspec.json.decode(body.decode("utf-8", "replace"))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise NotAListError("not valid JSON") from error


def convert(document: object, kind: type[T]) -> T | None:
    """``document`` (plain dicts, lists and values) as ``kind``, or None when it makes no sense as one."""
    decoder(kind, strict=False)
    try:
        return msgspec.convert(_without_nulls(document), kind, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return None


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_nulls(part) for part in value if part is not None]
    return value


def message(body: bytes) -> str:
    """The ``message`` of a v1 Status, in one line of at most 300 characters; empty when ``body`` is none."""
    try:
        found = decoder(schema.Status, strict=False).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return " ".join(found.message.split())[:300]
