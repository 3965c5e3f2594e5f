"""The one door through which evidence comes in: secrets become stable placeholders, everything else stays as it is."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import accumulate
from types import MappingProxyType
from typing import Any, TypeVar

from diagnose.patterns import Pattern, PatternError, PatternSet
from diagnose.private_keys import KEY_MARK, private_keys
from diagnose.secrets import (
    FORM_CUE,
    FORMS,
    PAIR,
    PAIR_BEGINS,
    PLACEHOLDER,
    SHAPES,
    START,
    Form,
    Secret,
    Shape,
    Span,
    compiled,
    group,
    is_secret,
    named,
)

T = TypeVar("T")

_RESUME_BYTES = 200
"""A value that is no secret may hold one and is searched; a longer one is passed over, so that time stays linear."""


class Redactor:
    """Replaces secrets by ``[redacted:<kind>:<n>]``: the same secret of the same kind has the same number everywhere.

    The number of lines stays, so line numbers stay true. Redacting twice changes nothing. Threads may share one.
    """

    def __init__(self, database: bytes = b"") -> None:
        """``database`` is what ``PatternSet(secret_patterns()).dump()`` gave for the very same patterns."""
        self._cues = PatternSet(secret_patterns(), database)
        self._lock = threading.Lock()
        self._numbers: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """Occurrences replaced so far, by kind."""
        with self._lock:
            return MappingProxyType(dict(sorted(self._counts.items())))

    def text(self, text: str) -> str:
        """``text`` with its secrets replaced; the same object when it holds none."""
        raw = _encoded(text)
        data, in_raw = _without_escapes(raw)
        secrets = self._secrets(data)
        if not secrets:
            return text
        pieces, done = [], 0
        for secret, placeholder in zip(secrets, self._placeholders(secrets), strict=True):
            pieces += [raw[done : in_raw(secret.start)], placeholder]
            done = in_raw(secret.end - 1) + 1
        return b"".join([*pieces, raw[done:]]).decode("utf-8", "surrogatepass")

    def value(self, value: T) -> T:
        """``value`` with its strings redacted: in tuples, lists, mappings (a key names its value), frozen dataclasses.

        What holds no secret is returned as the object it is, and so is everything of another type.
        """
        strings: set[str] = set()
        _gather("", value, strings)
        suspects = self._suspects(list(strings))
        return self._rebuilt("", value, suspects) if suspects else value

    def _placeholders(self, secrets: Iterable[Secret]) -> list[bytes]:
        with self._lock:
            self._counts.update(secret.kind for secret in secrets if secret.counts)
            return [f"{PLACEHOLDER}{secret.kind}:{self._number(secret)}]".encode() for secret in secrets]

    def _number(self, secret: Secret) -> int:
        numbers = self._numbers[secret.kind]
        return numbers.setdefault(secret.value, len(numbers) + 1)

    def _secrets(self, data: bytes) -> list[Secret]:
        """In order and not overlapping: of two that do, the first, else the longer, else that of the first rule."""
        rules: defaultdict[Span, list[int]] = defaultdict(list)
        for number, spans in self._lines(data).items():
            for span in spans:
                rules[span].append(number)
        found = [secret for span, numbers in rules.items() for secret in _in_line(data, span, numbers)]
        found += private_keys(data, (span for span, numbers in rules.items() if _KEY in numbers))
        found += _on_next_lines(data, (span for span, numbers in rules.items() if _PAIR in numbers))
        chosen: list[Secret] = []
        for secret in sorted(found, key=lambda secret: (secret.start, -secret.end)):
            if not chosen or secret.start >= chosen[-1].end:
                chosen.append(secret)
        return chosen

    def _lines(self, data: bytes) -> dict[int, list[Span]]:
        try:
            return self._cues.lines(data)
        except PatternError:  # the saved database does not fit this machine
            self._cues = PatternSet(secret_patterns())
            return self._cues.lines(data)

    def _suspects(self, strings: list[str]) -> set[str]:
        """Those with a line that is worth a closer look: one pass over all of them."""
        encoded = [_without_escapes(_encoded(string))[0] for string in strings]
        starts = [0, *accumulate(len(one) + 1 for one in encoded)]
        hits = self._lines(b"\n".join(encoded))
        return {strings[bisect_right(starts, start) - 1] for spans in hits.values() for start, _ in spans}

    def _rebuilt(self, label: str, value: Any, suspects: set[str]) -> Any:
        if isinstance(value, str):
            return value if isinstance(value, Enum) else self._string(label, value, suspects)
        strings: set[str] = set()
        _gather(label, value, strings)
        if strings.isdisjoint(suspects):
            return value
        parts = [(part, self._rebuilt(of, part, suspects)) for of, part in _parts(value)]
        return value if all(part is new for part, new in parts) else _made_of(value, [new for _, new in parts])

    def _string(self, label: str, value: str, suspects: set[str]) -> str:
        line = f"{label}: {value}"
        if not label or line not in suspects:
            return self.text(value) if value in suspects else value
        name = named(label)
        if name is not None and is_secret(label, value, quoted=True, assigned=True):
            return self._placeholders([Secret(0, 0, name.kind, _encoded(value))])[0].decode()
        redacted = self.text(line)
        return redacted.removeprefix(f"{label}: ") if redacted != line else value


def secret_patterns() -> tuple[Pattern, ...]:
    """The expressions that find the lines worth a closer look, to compile once and keep."""
    shapes = (Pattern(_cue(shape), shape.ignore_case) for shape in SHAPES)
    return (*shapes, Pattern(FORM_CUE, ignore_case=True), Pattern(PAIR_BEGINS, ignore_case=True), Pattern(KEY_MARK))


_FORMS, _PAIR, _KEY = range(len(SHAPES), len(SHAPES) + 3)
"""Their positions; the shapes come first, each in its own."""


def _cue(shape: Shape) -> str:
    """Without the open end of the expression: every further letter of a secret would be one more hit."""
    return shape.cue or re.sub(r"(?:\{[0-9]+,\}(?:=\{0,2\})?|\+)\)$", ")", shape.expression.removeprefix(START))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# --- In one line ---


def _in_line(data: bytes, span: Span, numbers: Iterable[int]) -> Iterator[Secret]:
    start, stop = span
    line = data[start:stop]
    shapes = [SHAPES[number] for number in sorted(numbers) if number < _FORMS]
    shaped = [found for shape in shapes for found in _shaped(shape, line)]
    taken = bytearray(len(line))
    for found in shaped:
        taken[found.start : found.end] = b"\1" * (found.end - found.start)
    forms = [form for form in FORMS if form.has in line] if _FORMS in numbers else []
    written = (found for form in forms for found in _written(form, line, taken))
    yield from (found.moved(start) for found in (*shaped, *written))


def _shaped(shape: Shape, line: bytes) -> Iterator[Secret]:
    def judged(match: Any) -> Secret | None:
        start, end = group(match, "secret")
        value = line[start:end]
        if PLACEHOLDER.encode() in value or (shape.judge and not shape.judge(_readable(value))):
            return None
        return Secret(start, end, shape.kind, value)

    return _matches(compiled(shape.expression, ignore_case=shape.ignore_case), line, judged)


def _written(form: Form, line: bytes, taken: bytearray) -> Iterator[Secret]:
    """``taken`` marks what is a secret by its shape: what holds one is a secret as a whole only if its name is sure."""

    def judged(match: Any) -> Secret | None:
        label = _readable(match[b"name"])
        name = named(label)
        label_start, label_end = group(match, "name")
        if name is None or (form.variable and not label.isupper()):
            return None
        if line.endswith(PLACEHOLDER.encode(), 0, label_start):  # "github-token:1" is no name and value
            return None
        start, end = group(match, "secret")
        quoted = _OPENING.match(line, start, end)
        if quoted:
            start = quoted.end()
        elif not form.variable:
            end = start + len(_bare(line[start:end]))
        assigned = not form.prose or b"=" in line[label_end:start] or _begins(line, label_start)
        if not is_secret(label, _readable(line[start:end]), quoted=bool(quoted), assigned=assigned):
            return None
        if not name.sure and taken.find(1, start, end) >= 0:
            return None
        return Secret(start, end, name.kind, line[start:end])

    return _matches(compiled(form.expression, ignore_case=True), line, judged)


def _begins(line: bytes, place: int) -> bool:
    """True when nothing but indentation, a dash or a quote stands before ``place``: an entry, not a sentence."""
    return place < 64 and not line[:place].strip(b" \t-\"'")


def _matches(expression: Any, line: bytes, judged: Callable[[Any], Secret | None]) -> Iterator[Secret]:
    at = 0
    while (match := expression.search(line, at)) is not None:
        start, end = group(match, "secret")
        found = judged(match)
        if found is not None:
            yield found
            at = found.end
        else:
            at = max(at + 1, start if end - start <= _RESUME_BYTES else end)


_OPENING = re.compile(rb"(?:\\+|[bru])?[\"']")
_NEXT_NAME = r"[,|][\w.$-]*[:=]|\\+(?:[nrt]|u00(?:2[267]|3[CE])|$)|</|%22|%26|%3B"
_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"<", b">"))


def _bare(value: bytes) -> bytes:
    """Without what follows an unquoted value but is no part of it: ``,ssl=True``, a closing bracket, a full stop."""
    following = compiled(_NEXT_NAME, ignore_case=True).search(value)
    value = value[: following.start()] if following else value
    closing = b"".join(last for first, last in _BRACKETS if first not in value)
    return value.rstrip(b",.:" + closing)


def _readable(value: bytes) -> str:
    return value.decode("utf-8", "replace")


# --- Over several lines ---


def _on_next_lines(data: bytes, spans: Iterable[Span]) -> Iterator[Secret]:
    for start, stop in spans:
        end = data.find(b"\n", stop + 1)
        both = data[start : end if end >= 0 else len(data)].replace(b"\n", b" ")
        for found in _written(PAIR, both, bytearray(len(both))):
            yield found.moved(start)


# --- Terminal escapes ---

_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\\u001b\[[0-9;]*m|\\x1b\[[0-9;]*m")


def _without_escapes(raw: bytes) -> tuple[bytes, Callable[[int], int]]:
    """The text as a reader sees it, so that a colour hides nothing, and where each place of it is in ``raw``."""
    if b"\x1b" not in raw and b"\\u001b[" not in raw and b"\\x1b[" not in raw:
        return raw, lambda place: place
    plain = _ESCAPE.sub(b"", raw)
    if len(plain) == len(raw):
        return raw, lambda place: place
    places: list[int] = []
    removed: list[int] = []

    def in_raw(place: int) -> int:
        if not places:
            for escape in _ESCAPE.finditer(raw):
                places.append(escape.start() - (removed[-1] if removed else 0))
                removed.append((removed[-1] if removed else 0) + len(escape[0]))
        before = bisect_right(places, place)
        return place + removed[before - 1] if before else place

    return plain, in_raw


# --- Through values ---


_PLAIN = frozenset({int, float, bool, type(None), datetime})
"""Most of what is in an item, and never text."""
_FIELD_NAMES: dict[type, tuple[str, ...]] = {}


def _field_names(kind: type) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return _FIELD_NAMES[kind]


def _parts(value: Any) -> list[tuple[str, Any]]:
    """What it is made of, each with the name that says what it is: its key, or the command-line option before it."""
    if isinstance(value, Mapping):
        named_values = [(key if isinstance(key, str) else "", inner) for key, inner in value.items()]
        return [*(("", key) for key in value), *named_values]
    if isinstance(value, tuple | list):
        return [(_option(before, inner), inner) for before, inner in zip(("", *value), value, strict=False)]
    return [("", getattr(value, name)) for name in _field_names(type(value))]


def _option(before: object, argument: object) -> str:
    is_option = isinstance(before, str) and before[:1] == "-" and isinstance(argument, str) and argument[:1] != "-"
    return str(before) if is_option else ""


def _made_of(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, Mapping):
        return dict(zip(parts[: len(value)], parts[len(value) :], strict=True))
    if isinstance(value, tuple | list):
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return replace(value, **dict(zip(_field_names(type(value)), parts, strict=True)))


def _gather(label: str, value: Any, strings: set[str]) -> None:
    if isinstance(value, str):
        strings.add(value)
        if label:
            strings.add(f"{label}: {value}")
    elif type(value) not in _PLAIN:
        for of, part in _parts(value):
            _gather(of, part, strings)
