"""What was changed in between: item by item, field by field, as far as both sides could be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diagnose.compare.azure_kinds import AZURE_KINDS
from diagnose.compare.kinds import KINDS, of_newest_revision
from diagnose.compare.model import COME, GONE, Change, NotCompared
from diagnose.compare.traits import Kind, Trait
from diagnose.model import Evidence, Item, Missing, Why
from diagnose.streams import STREAMS

ALL_KINDS = (*KINDS, *AZURE_KINDS)
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """What BEFORE calls by another name than AFTER: the service itself, and its namespace."""

    services: Mapping[str, str] = field(default_factory=dict)
    namespaces: Mapping[str, str] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """The name that AFTER uses."""
        return self.services.get(name, name)

    def namespace(self, name: str) -> str:
        """The namespace that AFTER means."""
        return self.namespaces.get(name, name)

    def text(self, text: str) -> str:
        """``text`` with the names in it as AFTER has them."""
        for old, new in (*self.namespaces.items(), *self.services.items()):
            text = new.join(re.split(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", text))
        return text


def changes_of(before: Evidence, after: Evidence, renamed: Renamed) -> tuple[list[Change], list[NotCompared]]:
    """What differs, and what could not be compared."""
    changes: list[Change] = []
    gaps: list[NotCompared] = []
    for kind in ALL_KINDS:
        if before.has(kind.stream) and after.has(kind.stream):
            earlier, later = _grouped(kind, before, renamed), _grouped(kind, after, Renamed())
            lacking = tuple(_lacking(kind.stream, side) for side in (before, after))
            found, vanished = _differences(kind, earlier, later, lacking)
            changes += found
            gaps += vanished
        else:
            gaps += _unread(kind.stream, before, after)
    return _without_repetition(changes), gaps


def _without_repetition(changes: Iterable[Change]) -> list[Change]:
    """A workload wants the images that its containers have: it says so where it has no containers."""
    changes = list(changes)
    images = {change.after for change in changes if change.what == "image"}
    return [change for change in changes if change.what != "images" or not images.issuperset(change.added)]


def _grouped(kind: Kind, evidence: Evidence, renamed: Renamed) -> dict[Key, list[Item]]:
    """The items of every name, replicas together."""
    items: Sequence[Item] = [item for item in evidence.items[kind.stream] if kind.chosen(item)]
    if kind.within:
        items = of_newest_revision(items, evidence.items.get("pods", ()))
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(_key(kind, item, renamed), []).append(item)
    return groups


def _key(kind: Kind, item: Item, renamed: Renamed) -> Key:
    subject = item.subject
    within = {"": (), "workload": (subject.workload,), "container": (subject.workload, subject.container)}[kind.within]
    names = (renamed.name(str(name or "")) for name in (*within, *(getattr(item, field) for field in kind.names)))
    return (renamed.namespace(subject.namespace or ""), *(name.casefold() for name in names))


def _lacking(stream: str, evidence: Evidence) -> Missing | None:
    """Why the stream may not be all there is."""
    wanted = "logs.container" if STREAMS[stream].derived else stream
    return next((one for one in evidence.missing if one.stream == wanted and one.why is not Why.NOT_SUPPLIED), None)


def _unread(stream: str, before: Evidence, after: Evidence) -> list[NotCompared]:
    """A stream that one of the two has, or should have; of what belongs to neither there is nothing to say."""
    told = []
    for label, side in (("BEFORE", before), ("AFTER", after)):
        missing = _lacking(stream, side)
        if not side.has(stream) and (missing or (before.items.get(stream) or after.items.get(stream))):
            told.append(f"{label}: {_why(missing)}")
    return [NotCompared(STREAMS[stream].title, "; ".join(told))] if told else []


def _why(missing: Missing | None) -> str:
    if missing is None:
        return "was not collected"
    needs = f", needs {missing.needs}" if missing.needs else ""
    return f"{missing.what} ({missing.why.value}{needs})"


def _differences(
    kind: Kind, before: Mapping[Key, list[Item]], after: Mapping[Key, list[Item]], lacking: Sequence[Missing | None]
) -> tuple[list[Change], list[NotCompared]]:
    gone = [key for key in before if key not in after]
    come = [key for key in after if key not in before]
    pairs = [(before[key], after[key]) for key in before if key in after]
    changes: list[Change] = []
    if kind.renamed:
        for old, new in _same_place(gone, come):
            gone.remove(old)
            come.remove(new)
            changes += _named_anew(kind, before[old], after[new])
            pairs.append((before[old], after[new]))
    changes += [change for old, new in pairs for change in _of_traits(kind, old, new)]
    gaps: list[NotCompared] = []
    for keys, side, missing, label in ((gone, before, lacking[1], "AFTER"), (come, after, lacking[0], "BEFORE")):
        if missing is None:
            changes += [_presence(kind, side[key], came=label == "BEFORE") for key in keys]
        elif keys:
            names = ", ".join(kind.called(side[key][0]) for key in keys)
            gaps.append(NotCompared(names, f"{label}: {_why(missing)}"))
    return changes, gaps


def _same_place(gone: Sequence[Key], come: Sequence[Key]) -> list[tuple[Key, Key]]:
    """Names of which one went and one came where all but the last part of the name is the same."""
    pairs = []
    for place in dict.fromkeys(key[:-1] for key in gone):
        old, new = ([key for key in keys if key[:-1] == place] for keys in (gone, come))
        if len(old) == len(new) == 1:
            pairs.append((old[0], new[0]))
    return pairs


def _named_anew(kind: Kind, old: Sequence[Item], new: Sequence[Item]) -> list[Change]:
    before, after = (str(getattr(items[0], kind.names[-1], "")) for items in (old, new))
    if any(trait.name == kind.names[-1] for trait in kind.traits):
        return []
    return [_change(kind, kind.area, "name", old, new, before, after)]


def _presence(kind: Kind, items: Sequence[Item], *, came: bool) -> Change:
    told = (kind.summary(items[0]) or kind.called(items[0]),)
    return Change(
        area=kind.area,
        subject=kind.called(items[0]),
        what=COME if came else GONE,
        added=told if came else (),
        removed=() if came else told,
        sources=(items[0].source,),
    )


def _of_traits(kind: Kind, old: Sequence[Item], new: Sequence[Item]) -> Iterator[Change]:
    for trait in kind.traits:
        before, after = _values(trait, old), _values(trait, new)
        if before == after or not (trait.each or (before and after)):
            continue
        area = trait.area or kind.area
        if trait.each:
            removed, added = (tuple(sorted(one - other)) for one, other in ((before, after), (after, before)))
            yield _change(kind, area, trait.label, old, new, removed=removed, added=added)
        else:
            yield _change(kind, area, trait.label, old, new, _joined(before), _joined(after))


def _change(
    kind: Kind,
    area: str,
    what: str,
    old: Sequence[Item],
    new: Sequence[Item],
    before: str = "",
    after: str = "",
    *,
    removed: tuple[str, ...] = (),
    added: tuple[str, ...] = (),
) -> Change:
    return Change(
        area=area,
        subject=kind.called(new[0]),
        what=what,
        before=before,
        after=after,
        removed=removed,
        added=added,
        sources=tuple(dict.fromkeys((old[0].source, new[0].source))),
    )


def _values(trait: Trait, items: Iterable[Item]) -> set[str]:
    """The values in words; empty where none is known."""
    values = [getattr(item, trait.name) for item in items]
    if trait.total:
        return {str(sum(values))}
    if trait.each:
        lists = (value.split(",") if isinstance(value, str) else value for value in values)
        return {trait.shown(str(one)) for several in lists for one in several if one != ""}
    return {told for value in values if (told := _told(trait, value))}


def _told(trait: Trait, value: object) -> str:
    if value is None or value == "" or value == ():
        return trait.none
    if isinstance(value, bool):
        words = "yes" if value else "no"
    elif isinstance(value, float):
        words = f"{value:g}"
    else:
        words = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return trait.shown(words) + (f" {trait.unit}" if trait.unit else "")


def _joined(values: Iterable[str]) -> str:
    return " | ".join(sorted(values))
