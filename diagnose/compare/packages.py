"""Which packages an image was built with, as its build log tells, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from diagnose.compare.model import Change, NotCompared
from diagnose.lines import numbered
from diagnose.model import Evidence, Log, Why
from diagnose.streams import STREAMS

STREAM = "logs.build"
_LONGEST = 100_000
"""Characters of a line that are looked at: pip names all packages in one."""
_LONGEST_ENTRY = 400
"""Characters of what names one package."""

_VERSION = r"[0-9][0-9A-Za-z.!+_]{0,100}"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,100}"
_INSTALLED = re.compile(r"\bSuccessfully installed (.*)")
_WITH_VERSION = re.compile(rf"({_NAME})-({_VERSION})")
_PROGRESS = re.compile(rf"({_NAME})-({_VERSION})\s+\|\s+[\d.]+ [kKMG]i?B\s*\|")
"""``numpy-1.21.2         | 5.6 MB    | ########## | 100%``"""
_CONDA_WIDTH = 20
"""Characters after which conda cuts a name with its version there."""
_CONDA = (
    _PROGRESS,
    # The following packages will be UPDATED: openssl  1.1.1k-h27cfd23_0 --> 1.1.1l-h7f8727e_0
    re.compile(rf"({_NAME})\s+\S+\s+-->\s+(?:\S+::{_NAME}-)?({_VERSION})-[\w.]+"),
    # The following NEW packages will be INSTALLED: numpy  pkgs/main/linux-64::numpy-1.21.2-py37h20f2e39_0
    re.compile(rf"{_NAME}\s+[\w./:-]+::({_NAME})-({_VERSION})-[\w.]+"),
    # mamba: + numpy  1.21.2  py37h20f2e39_0  conda-forge/linux-64  6MB
    re.compile(rf"\+\s+({_NAME})\s+({_VERSION})\s+\S+\s+\S+/(?:linux-\w+|noarch)\b"),
    # conda list --export, conda env export: numpy=1.21.2=py37h20f2e39_0
    re.compile(rf"(?:- )?({_NAME})=({_VERSION})=[\w.]+"),
)
_LIST = re.compile(r"# Name\s+Version\s+Build\b")
_LISTED = re.compile(rf"({_NAME})\s+({_VERSION})\s+\w[\w.]*(?:\s+\S+)?")
_BASE = re.compile(r"(?:Step \d+/\d+ : |\[[^]]{0,80}\d+/\d+\] )?FROM (?:--platform=\S+ )?([\w.-]+(?:[:/@][\w./:@-]+)?)")
_PREFIX = re.compile(r"(?:\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?:? )?(?:#\d+ (?:\d+\.\d+ )?)?\s*")
"""A time stamp, and what BuildKit numbers its steps with."""
_BASE_IMAGE = "base image"
_UNNAMED = "not named in the build log"


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    """As it is spelled."""
    version: str
    source: str


def changes_of(before: Evidence, after: Evidence) -> tuple[list[Change], list[NotCompared]]:
    """Packages with another version, then those that only one of the builds names; where both name any."""
    earlier, later = (_packages(side.logs.get(STREAM, ())) for side in (before, after))
    if not earlier or not later:
        return [], _gaps(before, after, earlier, later)
    both = sorted(key for key in earlier.keys() & later.keys() if earlier[key].version != later[key].version)
    changes = [_change(key, earlier[key], later[key]) for key in both]
    cuts = [(label, log.cut) for label, side in _labelled(before, after) for log in side.logs[STREAM] if log.cut]
    if cuts:
        told = "; ".join(f"{label}: {cut}" for label, cut in cuts)
        return changes, [NotCompared("packages that only one of the build logs names", told)]
    changes += [_change(key, earlier[key], None) for key in sorted(earlier.keys() - later.keys())]
    changes += [_change(key, None, later[key]) for key in sorted(later.keys() - earlier.keys())]
    return changes, []


def _labelled(before: Evidence, after: Evidence) -> tuple[tuple[str, Evidence], tuple[str, Evidence]]:
    return ("BEFORE", before), ("AFTER", after)


def _gaps(
    before: Evidence, after: Evidence, earlier: Mapping[str, _Found], later: Mapping[str, _Found]
) -> list[NotCompared]:
    reasons = [_reason(side) for side, found in ((before, earlier), (after, later)) if not found]
    if not earlier and not later and not any(reasons):
        return []
    labels = [label for label, found in (("BEFORE", earlier), ("AFTER", later)) if not found]
    told = (f"{label}: {why or 'has no build log'}" for label, why in zip(labels, reasons, strict=True))
    return [NotCompared("packages in the image", "; ".join(told))]


def _reason(side: Evidence) -> str:
    """Why it names no packages; empty where nobody could have collected a build log."""
    missing = next((one for one in side.missing if one.stream == STREAM and one.why is not Why.NOT_SUPPLIED), None)
    if missing is not None:
        needs = f", needs {missing.needs}" if missing.needs else ""
        return f"{missing.what} ({missing.why.value}{needs})"
    return f"{STREAMS[STREAM].title} name no packages" if side.logs.get(STREAM) else ""


def _change(key: str, old: _Found | None, new: _Found | None) -> Change:
    """What a build takes from its cache it does not name: a package without a line need not be gone."""
    named = [one for one in (new, old) if one]
    return Change(
        area="image" if key == _normal(_BASE_IMAGE) else "packages",
        subject="image build",
        what=named[0].name,
        before=old.version if old else _UNNAMED,
        after=new.version if new else _UNNAMED,
        sources=tuple(dict.fromkeys(one.source for one in (old, new) if one)),
    )


def _packages(logs: Sequence[Log]) -> dict[str, _Found]:
    """By normalised name; what was installed last counts."""
    found: dict[str, _Found] = {}
    for log in logs:
        for number, name, version in _named(log):
            found[_normal(name)] = _Found(name, version, f"{log.source}:{number}")
    return found


def _normal(name: str) -> str:
    """Names as PEP 503 compares them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _named(log: Log) -> Iterator[tuple[int, str, str]]:
    """Line number, name and version of each package that a line names."""
    listing = False
    for number, raw in numbered(log):
        line = raw[:_LONGEST]
        line = line[_end_of_prefix(line) :]
        listing = _LIST.match(line) is not None or (
            listing and _LISTED.fullmatch(line.rstrip()[:_LONGEST_ENTRY]) is not None
        )
        for name, version in _in_line(line, listing=listing):
            yield number, name, version


def _end_of_prefix(line: str) -> int:
    found = _PREFIX.match(line)
    return found.end() if found else 0


def _in_line(line: str, *, listing: bool) -> Iterator[tuple[str, str]]:
    if installed := _INSTALLED.search(line):
        for word in installed[1].split():
            if found := _WITH_VERSION.fullmatch(word[:_LONGEST_ENTRY]):
                yield found[1], found[2]
    elif base := _BASE.match(line):
        yield _BASE_IMAGE, base[1]
    elif listing:
        if found := _LISTED.fullmatch(line.rstrip()[:_LONGEST_ENTRY]):
            yield found[1], found[2]
    else:
        for shape in _CONDA:
            if found := shape.match(line[:_LONGEST_ENTRY]):
                if shape is not _PROGRESS or found.end(2) - found.start(1) != _CONDA_WIDTH:
                    yield found[1], found[2]
                return
