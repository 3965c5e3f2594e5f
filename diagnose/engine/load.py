"""From rule files to a rule book: compiled once, then read from a cache that is keyed by the files' content.

Two processes may start at once, and the cache folder may be read-only or full of rubbish: the cache only saves time.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import msgspec

from diagnose.engine.rule import Rule
from diagnose.errors import InputError, RuleError
from diagnose.patterns import Pattern, PatternError, PatternSet

_FORMAT = 3
"""Of the cache; raised when the layout of Rule changes."""


@dataclass(frozen=True)
class RuleBook:
    """All rules, and one pattern set over all their expressions."""

    rules: tuple[Rule, ...]
    patterns: PatternSet

    @cached_property
    def context(self) -> dict[Pattern, list[Pattern]]:
        """For each pattern that chooses lines, those of the set that decide whether they count."""
        found: dict[Pattern, list[Pattern]] = {}
        for rule in self.rules:
            for selection in rule.selections:
                for pattern in selection.patterns():
                    found.setdefault(pattern, []).extend(replace(p, once=True) for p in selection.context())
        return found

    @cached_property
    def by_id(self) -> dict[str, Rule]:
        """Rules by id."""
        return {rule.id: rule for rule in self.rules}


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file as found: ``name`` is what messages call it."""

    path: Path
    name: str
    content: bytes


def rule_files(directories: Sequence[Path] = ()) -> list[RuleFile]:
    """The shipped rule files and those of ``directories``. Raises InputError for a folder that is not one."""
    found = list(_files_in(shipped(), "rules"))
    for directory in directories:
        if not directory.is_dir():
            raise InputError(f"--rules {directory}: no such folder; give a folder that holds <stage>/<slug>.yaml files")
        own = list(_files_in(directory, str(directory)))
        if not own:
            raise InputError(f"--rules {directory}: holds no *.yaml file; rules are files like init/my-rule.yaml")
        found += own
    return found


def shipped() -> Path:
    """The folder of the rules that come with the package."""
    return Path(str(files("diagnose.rules")))


def _files_in(directory: Path, name: str) -> Iterable[RuleFile]:
    for path in sorted(directory.rglob("*.yaml")):
        with suppress(OSError):
            yield RuleFile(path, f"{name}/{path.relative_to(directory).as_posix()}", path.read_bytes())
            continue
        raise InputError(f"{path}: cannot be read; check its permissions")


def load(directories: Sequence[Path] = (), texts: Sequence[str] = ()) -> RuleBook:
    """The rule book of the shipped rules and those in ``directories``; ``texts`` are further literals to look for.

    Raises RuleError with every mistake of every file, InputError for a folder that cannot be used.
    """
    found = rule_files(directories)
    folder = _cache_folder()
    key = _key(found, texts)
    if folder is not None and (book := _cached(folder / key)) is not None:
        return book
    book = compiled(found, texts)
    if folder is not None:
        _save(folder, key, book)
    return book


def database(patterns: Sequence[Pattern]) -> bytes:
    """The compiled database of ``patterns``, from the cache where there is one."""
    folder = _cache_folder()
    key = hashlib.sha256(f"{_FORMAT} {version('hyperscan')} {list(patterns)}".encode()).hexdigest()[:32]
    if folder is not None and (known := _cached(folder / key)) is not None:
        return known.patterns.dump()
    book = RuleBook((), PatternSet(patterns))
    if folder is not None:
        _save(folder, key, book)
    return book.patterns.dump()


def compiled(found: Sequence[RuleFile], texts: Sequence[str] = ()) -> RuleBook:
    """The rule book of rule files, without a cache. Raises RuleError."""
    try:
        book = _book(found, texts, alone=False)
        book.patterns.dump()
    except PatternError:
        return _book(found, texts, alone=True)  # raises, and says which pattern it is
    return book


def _book(found: Sequence[RuleFile], texts: Sequence[str], *, alone: bool) -> RuleBook:
    from diagnose.engine.schema import compile_file
    from diagnose.patterns import literal

    rules: list[Rule] = []
    mistakes: list[str] = []
    for file in found:
        one, wrong = compile_file(file.path, file.name, alone=alone)
        mistakes += wrong
        if one is not None:
            rules.append(one.rule)
    mistakes += _book_mistakes(rules)
    if mistakes:
        raise RuleError(mistakes)
    wanted = [p for rule in rules for selection in rule.selections for p in selection.patterns()]
    around = [replace(p, once=True) for rule in rules for selection in rule.selections for p in selection.context()]
    return RuleBook(tuple(rules), PatternSet(list(dict.fromkeys([*wanted, *map(literal, texts), *around]))))


def _book_mistakes(rules: Sequence[Rule]) -> list[str]:
    """What only shows when all rules are there: ids given twice, edges that run in a circle."""
    mistakes: list[str] = []
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in seen:
            mistakes.append(f"{rule.path}:1: id {rule.id} is already used by {seen[rule.id].path}")
        seen[rule.id] = rule
    for rule in rules:
        if _reaches(rule.id, rule.id, seen):
            mistakes.append(f"{rule.path}:1: {rule.id} explains itself through {', '.join(rule.explains)}")
    return mistakes


def _reaches(start: str, goal: str, rules: dict[str, Rule]) -> bool:
    todo, done = [start], set[str]()
    while todo:
        rule = rules.get(todo.pop())
        for following in rule.explains if rule else ():
            if following == goal:
                return True
            if following not in done:
                done.add(following)
                todo.append(following)
    return False


def _cache_folder() -> Path | None:
    """``$DIAGNOSE_CACHE``, or the user's cache folder; None when the variable is set and empty."""
    named = os.environ.get("DIAGNOSE_CACHE")
    if named is not None:
        return Path(named) if named else None
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "diagnose"
    except RuntimeError:  # no home directory
        return None


def _key(found: Sequence[RuleFile], texts: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {version('diagnose')} {version('hyperscan')} {texts}".encode())
    for module in ("rule.py", "schema.py", "load.py"):
        digest.update(Path(__file__).with_name(module).read_bytes())
    for file in found:
        digest.update(f"\0{file.name}\0{len(file.content)}\0".encode() + file.content)
    return digest.hexdigest()[:32]


class _Saved(msgspec.Struct, array_like=True):
    rules: tuple[Rule, ...]
    patterns: tuple[Pattern, ...]
    database: bytes


def _cached(path: Path) -> RuleBook | None:
    try:
        saved = msgspec.msgpack.decode(path.read_bytes(), type=_Saved)
        patterns = PatternSet(saved.patterns, saved.database)
        patterns.lines(b"\n")  # a database of another machine shows itself here
    except (OSError, msgspec.MsgspecError, PatternError):
        return None
    return RuleBook(saved.rules, patterns)


def _save(folder: Path, key: str, book: RuleBook) -> None:
    """Write the whole file aside and rename it, so that nobody ever reads half of one."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as aside:
            aside.write(msgspec.msgpack.encode(_Saved(book.rules, book.patterns.patterns, book.patterns.dump())))
        os.replace(aside.name, folder / key)
        _forget(folder, keep=8)


def _forget(folder: Path, keep: int) -> None:
    """Old entries go: every change of a rule makes a new one."""
    entries = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime)
    for path in entries[:-keep]:
        path.unlink(missing_ok=True)
