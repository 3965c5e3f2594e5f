"""The one door through which evidence comes in: secrets become stable placeholders, everything else stays as it is."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import accumulate
from types import MappingProxyType
from typing import Any, TypeVar

import re2

from diagnose.patterns import Pattern, PatternError, PatternSet
from diagnose.secrets import (
    FORMS,
    KEY_MARK,
    PAIR,
    PAIR_BEGINS,
    PLACEHOLDER,
    SHAPES,
    Form,
    Shape,
    is_secret,
    named,
)

T = TypeVar("T")
Span = tuple[int, int]

_RESUME_BYTES = 200
"""A value that is no secret may hold one, and is searched; a longer one is passed over, or time would grow with its square."""
_KEY_BYTES = 64 * 1024
"""No private key is longer: its other end is not looked for further away."""


@dataclass(frozen=True, slots=True)
class _Secret:
    start: int
    end: int
    kind: str
    value: bytes
    """What makes it the same secret; of one that has several lines, all of them."""
    counts: bool = True


class Redactor:
    """Replaces secrets by ``[redacted:<kind>:<n>]``: within one Redactor, the same secret of a kind has the same number.

    The number of lines stays, so line numbers stay true. Redacting twice changes nothing. Safe to use from several threads.
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
        """``value`` with the strings in it redacted: tuples, lists, mappings (a key names its value), frozen dataclasses.

        What holds no secret is returned as the object it is, and so is everything of another type.
        """
        strings: set[str] = set()
        _gather("", value, strings)
        suspects = self._suspects(list(strings))
        return self._rebuilt("", value, suspects) if suspects else value

    def _placeholders(self, secrets: Iterable[_Secret]) -> list[bytes]:
        with self._lock:
            self._counts.update(secret.kind for secret in secrets if secret.counts)
            return [f"{PLACEHOLDER}{secret.kind}:{self._number(secret)}]".encode() for secret in secrets]

    def _number(self, secret: _Secret) -> int:
        numbers = self._numbers[secret.kind]
        return numbers.setdefault(secret.value, len(numbers) + 1)

    def _secrets(self, data: bytes) -> list[_Secret]:
        """In order and not overlapping; of two that do, the one that starts first, then the longer one."""
        rules: defaultdict[Span, list[int]] = defaultdict(list)
        for number, spans in self._lines(data).items():
            for span in spans:
                rules[span].append(number)
        found = [secret for span, numbers in rules.items() for secret in _in_line(data, span, numbers)]
        found += _keys(data, sorted(span for span, numbers in rules.items() if _KEY_RULE in numbers))
        found += _on_next_lines(data, (span for span, numbers in rules.items() if _PAIR_RULE in numbers))
        chosen: list[_Secret] = []
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
        parts = [(part, self._rebuilt(of, part, suspects)) for of, part in _parts(value)]
        if all(part is new for part, new in parts):
            return value
        return _made_of(value, [new for _, new in parts])

    def _string(self, label: str, value: str, suspects: set[str]) -> str:
        line = f"{label}: {value}"
        if not label or line not in suspects:
            return self.text(value) if value in suspects else value
        name = named(label)
        if name is not None and is_secret(label, value, quoted=True, assigned=True):
            return self._placeholders([_Secret(0, 0, name.kind, _encoded(value))])[0].decode()
        redacted = self.text(line)
        return redacted.removeprefix(f"{label}: ") if redacted != line else value


def secret_patterns() -> tuple[Pattern, ...]:
    """The expressions that find the lines worth a closer look, to compile once and keep."""
    shapes = (Pattern(_cue(shape.expression), shape.ignore_case) for shape in SHAPES)
    forms = (Pattern(form.cue, ignore_case=True) for form in FORMS)
    return (*shapes, *forms, Pattern(KEY_MARK), Pattern(PAIR_BEGINS, ignore_case=True))


_RULES: tuple[Shape | Form, ...] = (*SHAPES, *FORMS)
"""By the position of their pattern; two more follow, for what takes several lines."""
_KEY_RULE = len(_RULES)
_PAIR_RULE = _KEY_RULE + 1


def _cue(expression: str) -> str:
    """The expression without its open end: one hit a secret is enough, and every further letter would be one more."""
    open_end = r"(?:(\{[0-9]+),\}(?:=\{0,2\})?|\+(\)\+)?)\)$"
    short = re.sub(open_end, lambda end: f"{end[1]}}})" if end[1] else "))" if end[2] else ")", expression)
    return short.replace("(?P<secret>", "(")


@cache
def _compiled(expression: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = not ignore_case
    return re2.compile(expression.encode(), options)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# --- In one line ---


def _in_line(data: bytes, span: Span, numbers: Iterable[int]) -> Iterator[_Secret]:
    start, stop = span
    line = data[start:stop]
    rules = [_RULES[number] for number in numbers if number < len(_RULES)]
    shaped = [found for rule in rules if isinstance(rule, Shape) for found in _shaped(rule, line)]
    taken = bytearray(len(line))
    for found in shaped:
        taken[found.start : found.end] = b"\1" * (found.end - found.start)
    written = (found for rule in rules if isinstance(rule, Form) for found in _written(rule, line, taken))
    for found in (*shaped, *written):
        yield replace(found, start=start + found.start, end=start + found.end)


def _shaped(shape: Shape, line: bytes) -> Iterator[_Secret]:
    def judged(match: Any) -> _Secret | None:
        start, end = match.span("secret")
        value = line[start:end]
        if PLACEHOLDER.encode() in value or (shape.judge and not shape.judge(_readable(value))):
            return None
        return _Secret(start, end, shape.kind, value)

    return _matches(_compiled(shape.expression, shape.ignore_case), line, judged)


def _written(form: Form, line: bytes, taken: bytearray) -> Iterator[_Secret]:
    """``taken`` marks what is a secret by its shape: a value that holds one is a secret as a whole only if its name is sure."""

    def judged(match: Any) -> _Secret | None:
        label = _readable(match["name"])
        name = named(label)
        if name is None or (form.variable and not label.isupper()):
            return None
        start, end = match.span("secret")
        quoted = _OPENING.match(line, start, end)
        if quoted:
            start = quoted.end()
        elif not form.variable:
            end = start + len(_bare(line[start:end]))
        between = line[match.end("name") : start]
        assigned = form.variable or b"=" in between or b"%3D" in between.upper()
        if not is_secret(label, _readable(line[start:end]), quoted=bool(quoted), assigned=assigned):
            return None
        if not name.sure and taken.find(1, start, end) >= 0:
            return None
        return _Secret(start, end, name.kind, line[start:end])

    return _matches(_compiled(form.expression, True), line, judged)


def _matches(expression: Any, line: bytes, judged: Callable[[Any], _Secret | None]) -> Iterator[_Secret]:
    at = 0
    while (match := expression.search(line, at)) is not None:
        start, end = match.span("secret")
        found = judged(match)
        if found is not None:
            yield found
            at = found.end
        else:
            at = max(at + 1, start if end - start <= _RESUME_BYTES else end)


_OPENING = re.compile(rb"(?:\\+|[bru])?[\"']")
_NEXT_NAME = re.compile(rb"[,|][\w.$-]*[:=]|\\+[nrtu0x]|\\+$|</|%22|%26|%3B", re.IGNORECASE)
_CLOSES = {b")": b"(", b"]": b"[", b"}": b"{", b">": b"<"}


def _bare(value: bytes) -> bytes:
    """Without what follows an unquoted value but is no part of it: ``,ssl=True``, a bracket that closes another, a full stop."""
    following = _NEXT_NAME.search(value)
    value = value[: following.start()] if following else value
    while value[-1:] in b",.:" or (value[-1:] in _CLOSES and _CLOSES[value[-1:]] not in value):
        if not value:
            break
        value = value[:-1]
    return value


def _readable(value: bytes) -> str:
    return value.decode("utf-8", "replace")


# --- Over several lines ---


def _on_next_lines(data: bytes, spans: Iterable[Span]) -> Iterator[_Secret]:
    for start, stop in spans:
        end = data.find(b"\n", stop + 1)
        both = data[start : end if end >= 0 else len(data)].replace(b"\n", b" ")
        for found in _written(PAIR, both, bytearray(len(both))):
            yield replace(found, start=start + found.start, end=start + found.end)


def _keys(data: bytes, spans: Iterable[Span]) -> Iterator[_Secret]:
    """The private keys, given the lines with the marks at their begin and end, one of which may be cut off."""
    marks = [
        (start + mark.start(), start + mark.end(), mark[0].startswith(b"-----BEGIN"))
        for start, stop in spans
        for mark in _compiled(KEY_MARK, False).finditer(data[start:stop])
    ]
    top, bottom = (0, 0, False), (len(data), len(data), True)
    for before, mark, after in zip([top, *marks], marks, [*marks[1:], bottom], strict=False):
        start, end, begins = mark
        prefix = data[data.rfind(b"\n", 0, start) + 1 : start]
        if begins and not after[2] and after[0] - end <= _KEY_BYTES:
            yield from _key(data, _whole(data, end, after[0], prefix))
        elif begins:
            yield from _key(data, _head(data, end, min(after[0], end + _KEY_BYTES), prefix))
        elif not before[2]:
            yield from _key(data, _tail(data, max(before[1], start - _KEY_BYTES), start, prefix))


def _key(data: bytes, spans: list[Span]) -> Iterator[_Secret]:
    value = re.sub(rb"\\+[nr]|\s", b"", b"".join(data[slice(*span)] for span in spans))
    if PLACEHOLDER.encode() not in value:
        for number, (start, end) in enumerate(spans):
            yield _Secret(start, end, "private-key", value, counts=number == 0)


def _whole(data: bytes, start: int, end: int, prefix: bytes) -> list[Span]:
    if data.find(b"\n", start, end) < 0:
        inside = _INLINE.fullmatch(data, start, end)
        return [inside.span("key")] if inside else []
    return [span for span, bare in _key_lines(data, start, end, prefix) if bare or _is_long(span)]


def _head(data: bytes, start: int, end: int, prefix: bytes) -> list[Span]:
    """The end is cut off: as long as the lines look like a key; a shorter one is the last."""
    stop = data.find(b"\n", start, end)
    rest = data[start : stop if stop >= 0 else end]
    if rest.strip(b" \t\r\\nr\"',|>+"):
        inline = _INLINE_HEAD.match(data, start, start + len(rest))
        return [inline.span("key")] if inline else []
    spans: list[Span] = []
    for span, bare in _key_lines(data, start + len(rest) + 1, end, prefix):
        if _is_long(span):
            spans.append(span)
        elif span[0] < span[1]:
            return [*spans, span] if bare else spans
        elif spans:
            break
    return spans


def _tail(data: bytes, start: int, end: int, prefix: bytes) -> list[Span]:
    """The begin is cut off: backwards as long as the lines look like a key; only the last may be shorter."""
    inline = _INLINE_TAIL.search(data, max(start, data.rfind(b"\n", start, end) + 1), end)
    if inline:
        return [inline.span("key")]
    spans: list[Span] = []
    lines = list(_key_lines(data, start, end - len(prefix), prefix))
    for number, (span, bare) in enumerate(reversed(lines[:-1])):
        if not _is_long(span) and (number or not bare):
            break
        spans.insert(0, span)
    return spans if any(map(_is_long, spans)) else []


def _key_lines(data: bytes, start: int, end: int, prefix: bytes) -> Iterator[tuple[Span, bool]]:
    """Where each line has a piece of a key (an empty span if it has none), and whether that is all there is in the line."""
    for line in data[start:end].split(b"\n"):
        found = _compiled(KEY_LINE, False).search(line)
        if found is None:
            yield (start, start), False
        else:
            before = found["before"]
            bare = not _LETTER.search(before) or _DIGITS.sub(b"", before) == _DIGITS.sub(b"", prefix)
            first, last = found.span("secret")
            yield (start + first, start + last), bare
        start += len(line) + 1


_INLINE = re.compile(rb"(?:\\+[nr]|\s)*(?P<key>\S.*?)(?:\\+[nr]|\s)*")
_INLINE_HEAD = re.compile(rb"(?:\\+[nr]|\s)*(?P<key>(?:[A-Za-z0-9+/=]{24}|(?<=[nr])[A-Za-z0-9+/=])[^\"'<\n]*)")
_INLINE_TAIL = re.compile(rb"(?P<key>(?:[A-Za-z0-9+/=]|\\+[nr])*[A-Za-z0-9+/=]{24}=*)(?:\\+[nr]|\s)*$")
_LETTER = re.compile(rb"[A-SU-Ya-z]")
"""T and Z stand in time stamps."""
_DIGITS = re.compile(rb"[0-9]+")


def _is_long(span: Span) -> bool:
    return span[1] - span[0] >= 24


# --- Terminal escapes ---

_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\\u001b\[[0-9;]*m|\\x1b\[[0-9;]*m")


def _without_escapes(raw: bytes) -> tuple[bytes, Callable[[int], int]]:
    """The text as a reader sees it, so that a colour hides nothing, and where each place of it is in ``raw``."""
    if b"\x1b" not in raw and b"\\u001b[" not in raw and b"\\x1b[" not in raw:
        return raw, lambda place: place
    places, removed = [0], [0]
    for escape in _ESCAPE.finditer(raw):
        places.append(escape.start() - removed[-1])
        removed.append(removed[-1] + len(escape[0]))
    return _ESCAPE.sub(b"", raw), lambda place: place + removed[bisect_right(places, place) - 1]


# --- Through values ---


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def _parts(value: Any) -> list[tuple[str, Any]]:
    """What it is made of, each with the name that says what it is: its key, or the command-line option before it."""
    if isinstance(value, Mapping):
        return [(key if isinstance(key, str) else "", inner) for key, inner in value.items()]
    if isinstance(value, tuple | list):
        return [(_option(before, inner), inner) for before, inner in zip(("", *value), value, strict=False)]
    return [("", getattr(value, name)) for name in _field_names(type(value))]


def _option(before: object, argument: object) -> str:
    is_option = isinstance(before, str) and before[:1] == "-" and isinstance(argument, str) and argument[:1] != "-"
    return str(before) if is_option else ""


def _made_of(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, Mapping):
        return dict(zip(value, parts, strict=True))
    if isinstance(value, tuple | list):
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return replace(value, **dict(zip(_field_names(type(value)), parts, strict=True)))


def _gather(label: str, value: Any, strings: set[str]) -> None:
    if isinstance(value, str):
        strings.add(value)
        if label:
            strings.add(f"{label}: {value}")
        return
    for of, part in _parts(value):
        _gather(of, part, strings)
