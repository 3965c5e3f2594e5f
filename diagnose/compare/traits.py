"""How items of evidence are compared: what they are called from one time to the next, and which fields matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from diagnose.model import Item


def anything(_item: Item) -> bool:
    """All items of the stream."""
    return True


def nothing(_item: Item) -> str:
    """There is nothing to tell."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """A field of an item. A value that is empty is not known, and not compared, unless ``none`` says what it means."""

    name: str
    """Of the field."""
    label: str
    area: str = ""
    """Where it is told; that of the kind when empty."""
    unit: str = ""
    none: str = ""
    """What an empty value means: ``no limit``."""
    each: bool = False
    """A tuple, or words between commas, of which some come and go, in no order that matters."""
    total: bool = False
    """A number that is added up over all items of the same name."""
    shown: Callable[[str], str] = str
    """What of the value is compared and told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The items of one stream."""

    stream: str
    called: Callable[[Item], str]
    """In words: ``access policy of ... in vault ...``."""
    area: str
    traits: tuple[Trait, ...]
    names: tuple[str, ...] = ("name",)
    """Fields that tell one item from another; capitals do not matter, as in Azure."""
    within: Literal["", "workload", "container"] = ""
    """The same name in two of these means two things."""
    chosen: Callable[[Item], bool] = anything
    summary: Callable[[Item], str] = nothing
    """What is told of an item that came or went."""
    renamed: bool = False
    """Where one went and one came, it is the same under another name."""
