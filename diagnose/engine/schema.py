"""The rule file: its schema, its checks, its compilation. Imported only when a rule has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator

from diagnose.engine.rule import CONTEXT, PLACEHOLDER, Matcher, Rule, Selection, choices
from diagnose.model import FAMILIES, LADDER, LEVELS, Fix
from diagnose.patterns import Pattern, PatternError, captures, check_for_scan, literal
from diagnose.streams import STREAMS

Rung = Literal["register", "build", "push", "deploy", "schedule", "pull", "start", "init", "probe", "score", "serve"]
Family = Literal["network", "auth", "keyvault", "template", "local", "client"]
Scalar = str | int | float | bool | None
_DURATION = re.compile(r"(\d+)(s|m|h)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Test(_Strict):
    """A test of a field; several in one are all needed."""

    regex: str | None = Field(None, description="RE2 expression; named groups become captures")
    contains: str | None = Field(None, description="Text that must occur as it stands")
    ignore_case: bool = Field(False, description="For regex and contains")
    any_of: list[Scalar] | None = Field(None, description="Equal to one of these")
    is_not: Scalar | list[Scalar] = Field(None, description="Equal to none of these")
    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    exists: bool | None = Field(None, description="true: the field has a value; false: it has none")


def _branch(value: object) -> str:
    """Which form a test is written in, so that a mistake is told for that form alone."""
    return "test" if isinstance(value, (dict, Test)) else "list" if isinstance(value, list) else "value"


Written = Annotated[
    Annotated[Test, Tag("test")] | Annotated[list[Scalar], Tag("list")] | Annotated[Scalar, Tag("value")],
    Discriminator(_branch),
]


class SelectionSpec(_Strict):
    """A named choice of items of one stream."""

    in_: str = Field(alias="in", description="Name of the stream")
    where: dict[str, Written] = Field(default_factory=dict, description="Field: value, list or test")
    run: Literal["current", "previous", "any"] = "any"
    unless_line: str | None = Field(None, description="Regex: a log with such a line does not count")
    unless_followed_by: str | None = Field(None, description="Regex: a later line that outranks this one")
    followed_by: str | None = Field(None, description="Regex: a later line that must be there")
    at_least: int = Field(1, ge=1, description="Occurrences needed")
    optional: bool = Field(False, description="Used in texts when it is there, but not needed")


class FixSpec(_Strict):
    """One thing to do."""

    text: str
    command: str = ""
    risk: Literal["none", "low", "high"] = "none"
    verify: str = ""


class ExampleSpec(_Strict):
    """Evidence and what the rule must say of it."""

    name: str
    expect: Literal["hit", "clear", "unknown"]
    given: dict[str, Any] = Field(default_factory=dict, description="Stream: a text, or a list of texts or items")
    missing: list[str] = Field(default_factory=list, description="Streams that could not be collected")


class RuleSpec(_Strict):
    """A rule file."""

    id: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*$")]
    title: Annotated[str, Field(min_length=5, max_length=140)]
    kind: Literal["cause", "symptom", "check", "advice"]
    stage: Rung | Family
    severity: Literal["info", "warning", "error", "critical"]
    stops: Rung | None = Field(None, description="Stage at which a deployment stops, for families that can stop any")
    explains: list[str] = Field(default_factory=list, description="Ids of the symptoms it accounts for")
    match: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], SelectionSpec], Field(min_length=1)]
    condition: str | None = Field(None, description="and / or / not over the names; default: all that are not optional")
    per: Literal["service", "workload", "pod", "container"] = "container"
    within: str | None = Field(None, description="How close in time the selections must be: 30s, 10m, 2h")
    explain: Annotated[str, Field(min_length=20)]
    fixes: Annotated[list[FixSpec], Field(min_length=1)]
    references: list[str] = Field(default_factory=list)
    examples: Annotated[list[ExampleSpec], Field(min_length=2)]

    @field_validator("within")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None and not _DURATION.fullmatch(value):
            raise ValueError("write a number and s, m or h: 30s, 10m, 2h")
        return value


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a rule file, ready to run."""

    name: str
    expect: str
    given: Mapping[str, Any]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a rule file holds."""

    rule: Rule
    examples: tuple[Example, ...]


class _LineLoader(yaml.CSafeLoader):
    """Safe, refuses a key that is given twice, and keeps scalars that YAML 1.1 would turn into something else."""


def _mapping(loader: _LineLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_LineLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
for _letter, _resolvers in list(_LineLoader.yaml_implicit_resolvers.items()):
    _LineLoader.yaml_implicit_resolvers[_letter] = [
        (tag, regex)
        for tag, regex in _resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")
    ]
_LineLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_LineLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def compile_file(path: Path, name: str, *, alone: bool = True) -> tuple[Compiled | None, list[str]]:
    """The rule in ``path`` (called ``name`` in messages), or None and every mistake as ``name:line: what``.

    ``alone``: its patterns are tried on the scanner one by one. A whole book is tried at once, in a third of the time.
    """
    try:
        loader = _LineLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        data = loader.construct_document(node) if node else None
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"{name}:1: cannot be read: {error}"]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return None, [f"{name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', None) or error}"]
    if not isinstance(data, dict):
        return None, [f"{name}:1: a rule file holds one mapping with id, title, match ..."]
    try:
        spec = RuleSpec.model_validate(data)
    except ValidationError as error:
        mistakes = [(_line(node, one["loc"]), _told(one)) for one in error.errors()]
        return None, [f"{name}:{line}: {what}" for line, what in sorted(set(mistakes))]
    wrong = [f"{name}:{_line(node, at)}: {what}" for at, what in _mistakes(spec, path, alone)]
    return (None, wrong) if wrong else (_compiled(spec, name), [])


def _told(error: Any) -> str:
    inner = ("test", "list", "value", "str", "int", "float", "bool")  # pydantic's names for the forms of a test
    where = ".".join(str(part) for part in error["loc"] if part not in inner)
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _line(node: yaml.Node | None, location: tuple[Any, ...]) -> int:
    """Line (from 1) of the deepest node along ``location`` that exists."""
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == part), None)
            if pair is None:
                continue
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line


def _mistakes(spec: RuleSpec, path: Path, alone: bool) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What the schema cannot see: names that must agree, fields that must exist, patterns that must compile."""
    if path.stem != spec.id.partition(".")[2] or path.parent.name != spec.id.partition(".")[0]:
        yield ("id",), f"the file of rule {spec.id} must be {spec.id.replace('.', '/', 1)}.yaml"
    if spec.stage not in (*LADDER, *FAMILIES) or not spec.id.startswith(f"{spec.stage}."):
        yield ("stage",), f"stage {spec.stage} and id {spec.id} do not agree"
    captured: dict[str, frozenset[str]] = {}
    for name, selection in spec.match.items():
        captured[name] = frozenset()
        scanned = alone and selection.in_ in STREAMS and STREAMS[selection.in_].is_text
        for at, what in _selection_mistakes(selection):
            yield ("match", name, *at), what
        for expression, ignore_case in _expressions(selection):
            try:
                captured[name] |= captures(Pattern(expression, ignore_case))
                if scanned:
                    check_for_scan(Pattern(expression, ignore_case))
            except PatternError as error:
                yield ("match", name), f"expression {expression!r}: {error}"
    yield from _condition_mistakes(spec)
    yield from _text_mistakes(spec, captured)
    yield from _example_mistakes(spec)


def _selection_mistakes(selection: SelectionSpec) -> Iterator[tuple[tuple[Any, ...], str]]:
    stream = STREAMS.get(selection.in_)
    if stream is None:
        yield ("in",), f"no stream {selection.in_!r}; there are {', '.join(STREAMS)}"
        return
    if stream.is_text and "line" not in selection.where:
        yield ("where",), "a selection of a log needs a test of its line"
    if not stream.is_text and (selection.unless_line or selection.unless_followed_by or selection.followed_by):
        yield ("in",), "unless_line, unless_followed_by and followed_by are for logs"
    names = {"line"} if stream.is_text else {f.name for f in fields(stream.item)}
    for field in selection.where:
        if field not in names:
            yield ("where", field), f"{selection.in_} has no field {field!r}; it has {', '.join(sorted(names))}"


def _expressions(selection: SelectionSpec) -> Iterator[tuple[str, bool]]:
    for test in selection.where.values():
        if isinstance(test, Test) and test.regex is not None:
            yield test.regex, test.ignore_case
    for expression in (selection.unless_line, selection.unless_followed_by, selection.followed_by):
        if expression is not None:
            yield expression, False


def _condition_mistakes(spec: RuleSpec) -> Iterator[tuple[tuple[Any, ...], str]]:
    try:
        names = set(_postfix(spec)) - {"and", "or", "not"}
    except ValueError as error:
        yield ("condition",), str(error)
        return
    for name in names - set(spec.match):
        yield ("condition",), f"{name!r} is not one of the names under match"
    for name, selection in spec.match.items():
        if name not in names and not selection.optional:
            yield ("match", name), f"{name!r} is not in the condition; mark it optional, or use it"


def _postfix(spec: RuleSpec) -> tuple[str, ...]:
    """The condition in postfix order. Raises ValueError with what is wrong with it."""
    needed = [name for name, selection in spec.match.items() if not selection.optional]
    tokens = re.findall(r"[()]|[^\s()]+", spec.condition or " and ".join(needed))
    strength = {"not": 3, "and": 2, "or": 1}
    output: list[str] = []
    waiting: list[str] = []
    operand_next = True
    for token in tokens:
        if operand_next != (token not in ("and", "or", ")")):
            raise ValueError(f"{token!r} can not stand there in the condition")
        if token == ")":
            while waiting and waiting[-1] != "(":
                output.append(waiting.pop())
            if not waiting:
                raise ValueError("a parenthesis is closed that was not opened")
            waiting.pop()
        elif token in ("(", "not"):
            waiting.append(token)
        elif token in strength:
            while waiting and strength.get(waiting[-1], 0) >= strength[token]:
                output.append(waiting.pop())
            waiting.append(token)
            operand_next = True
        else:
            output.append(token)
            operand_next = False
    if operand_next or "(" in waiting:
        raise ValueError("the condition ends too early")
    return (*output, *reversed(waiting))


def _text_mistakes(spec: RuleSpec, captured: Mapping[str, frozenset[str]]) -> Iterator[tuple[tuple[Any, ...], str]]:
    texts: list[tuple[tuple[Any, ...], str]] = [(("explain",), spec.explain), (("title",), spec.title)]
    for number, fix in enumerate(spec.fixes):
        texts += [(("fixes", number, part), getattr(fix, part)) for part in ("text", "command", "verify")]
    for at, text in texts:
        for found in PLACEHOLDER.finditer(text):
            names, otherwise = choices(found)
            if otherwise.partition(".")[0] in spec.match and "." in otherwise:
                yield at, f"{found[0]}: end with a text, which may be empty: {{...|{otherwise}|}}"
            for name, field in names:
                if wrong := _name_mistake(spec, captured, name, field):
                    yield at, f"{found[0]}: {wrong}"


def _name_mistake(spec: RuleSpec, captured: Mapping[str, frozenset[str]], name: str, field: str | None) -> str:
    """What is wrong with a name in a placeholder; empty when nothing is."""
    if field is None:
        known = ", ".join(CONTEXT)
        return "" if name in CONTEXT else f"{name!r} is not one of {known}; of a selection, name a field"
    if name not in spec.match:
        return f"no selection {name!r} under match"
    if field in captured.get(name, frozenset()) or field in _fields(spec, name):
        return ""
    return f"{name!r} has neither a capture nor a field {field!r}"


def _fields(spec: RuleSpec, name: str) -> set[str]:
    stream = STREAMS.get(spec.match[name].in_)
    if stream is None:
        return set()
    return {"line", "run"} if stream.is_text else {f.name for f in fields(stream.item)}


def _example_mistakes(spec: RuleSpec) -> Iterator[tuple[tuple[Any, ...], str]]:
    expected = {example.expect for example in spec.examples}
    if not {"hit", "clear"} <= expected:
        yield ("examples",), "examples need at least one hit and one near miss (expect: clear)"
    for number, example in enumerate(spec.examples):
        for stream in [*example.given, *example.missing]:
            if stream not in STREAMS:
                yield ("examples", number), f"no stream {stream!r}; there are {', '.join(STREAMS)}"


def _compiled(spec: RuleSpec, name: str) -> Compiled:
    rule = Rule(
        id=spec.id,
        title=spec.title,
        kind=spec.kind,
        stage=spec.stage,
        severity=spec.severity,
        stops=spec.stops or (spec.stage if spec.stage in LADDER else ""),
        explains=tuple(spec.explains),
        selections=tuple(_selection(key, selection) for key, selection in spec.match.items()),
        condition=_postfix(spec),
        per=spec.per if spec.per in LEVELS else "container",
        within_s=_seconds(spec.within),
        explain=_flowing(spec.explain),
        fixes=tuple(Fix(_flowing(f.text), f.command.strip(), f.risk, _flowing(f.verify)) for f in spec.fixes),
        references=tuple(spec.references),
        path=name,
    )
    examples = tuple(Example(e.name, e.expect, e.given, tuple(e.missing)) for e in spec.examples)
    return Compiled(rule, examples)


def _flowing(text: str) -> str:
    """Without the line breaks of the file."""
    return " ".join(text.split())


def _seconds(within: str | None) -> float | None:
    if within is None:
        return None
    found = _DURATION.fullmatch(within)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}).total_seconds() if found else None


def _selection(name: str, spec: SelectionSpec) -> Selection:
    return Selection(
        name=name,
        stream=spec.in_,
        where=tuple(matcher for field, test in spec.where.items() for matcher in _matchers(field, test)),
        run=spec.run,
        unless_line=Pattern(spec.unless_line) if spec.unless_line else None,
        unless_followed_by=Pattern(spec.unless_followed_by) if spec.unless_followed_by else None,
        followed_by=Pattern(spec.followed_by) if spec.followed_by else None,
        at_least=spec.at_least,
        optional=spec.optional,
    )


def _matchers(field: str, test: Test | Scalar | list[Scalar]) -> Iterator[Matcher]:
    if not isinstance(test, Test):
        yield Matcher(field, "equals", tuple(test) if isinstance(test, list) else (test,))
        return
    if test.regex is not None:
        yield Matcher(field, "regex", pattern=Pattern(test.regex, test.ignore_case))
    if test.contains is not None:
        yield Matcher(field, "regex", pattern=literal(test.contains, ignore_case=test.ignore_case))
    if test.any_of is not None:
        yield Matcher(field, "equals", tuple(test.any_of))
    if test.is_not is not None:
        values = test.is_not if isinstance(test.is_not, list) else [test.is_not]
        yield Matcher(field, "equals", tuple(values), negate=True)
    if test.exists is not None:
        yield Matcher(field, "exists", (test.exists,))
    yield from _comparisons(field, test)


def _comparisons(field: str, test: Test) -> Iterator[Matcher]:
    if test.above is not None:
        yield Matcher(field, "above", (test.above,))
    if test.below is not None:
        yield Matcher(field, "below", (test.below,))
    if test.at_least is not None:
        yield Matcher(field, "at_least", (test.at_least,))
    if test.at_most is not None:
        yield Matcher(field, "at_most", (test.at_most,))
