"""What the ``rules`` commands print: the list, one rule, the outcome of the examples, a skeleton and the schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from diagnose import facts
from diagnose.engine.load import RuleFile, load, rule_files
from diagnose.engine.rule import Rule, filled
from diagnose.errors import InputError, RuleError
from diagnose.model import FAMILIES, LADDER

_SKELETON = """\
id: {id}
title: Say what is wrong, in under 100 characters
kind: cause # cause | symptom | check | advice
stage: {stage}
severity: error # critical | error | warning | info
explains: [] # ids of the symptoms this accounts for
match:
  seen: # what it selects is the evidence that is cited
    in: logs.container
    where:
      line: {{regex: 'the words to look for: (?P<what>\\S+)'}}
explain: >
  Say why it fails, in two or three full sentences. What was matched can be used: {{seen.what|the thing}}.
fixes:
  - text: The safest thing to do first.
    command: ""
    verify: How one sees that it worked.
references: []
examples:
  - name: the failure as it was seen
    expect: hit
    given:
      logs.container: "the words to look for: example"
  - name: something that looks like it and is fine
    expect: clear
    given:
      logs.container: "other words"
"""


def listed(directories: Sequence[Path], stage: str | None) -> str:
    """A line a rule. Raises InputError for a stage there is not."""
    if stage is not None and stage not in (*LADDER, *FAMILIES):
        raise InputError(f"no stage {stage!r}; there are {', '.join((*LADDER, *FAMILIES))}")
    rules = [rule for rule in load(directories, facts.TEXTS).rules if stage in (None, rule.stage)]
    width = max((len(rule.id) for rule in rules), default=0)
    lines = [f"{rule.id:<{width}}  {rule.severity:<8}  {rule.kind:<7}  {_plain_title(rule)}" for rule in rules]
    return "\n".join([*lines, f"{len(rules)} rules"])


def _plain_title(rule: Rule) -> str:
    """The title as it reads when nothing has been matched yet."""
    return " ".join(filled(rule.title, lambda _name, _field: None).split())


def shown(rule_id: str, directories: Sequence[Path]) -> str:
    """The rule's own file, which is written to be read. Raises InputError for an id there is not."""
    files = {file.path.parent.name + "." + file.path.stem: file for file in rule_files(directories)}
    if rule_id not in files:
        import difflib

        near = difflib.get_close_matches(rule_id, list(files), n=3)
        raise InputError(f"no rule {rule_id!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
    file = files[rule_id]
    return f"# {file.name}\n{file.content.decode('utf-8', 'replace')}".rstrip()


def tested(path: Path | None) -> tuple[str, bool]:
    """What the examples say, and whether all hold. Raises RuleError with every mistake, InputError for a wrong path."""
    from diagnose.engine.examples import prove, summary

    mistakes: list[str] = []
    proofs = []
    for file in _chosen(path):
        done, wrong = prove(file, facts.derived)
        proofs += done
        mistakes += wrong
    if mistakes:
        raise RuleError(mistakes)
    lines = [
        f"{proof.rule}: example {proof.example!r} should be {proof.expected}, is {proof.problem or proof.said}"
        for proof in proofs
        if not proof.holds
    ]
    return "\n".join([*lines, summary(proofs)]), not lines


def _chosen(path: Path | None) -> list[RuleFile]:
    if path is None:
        return rule_files()
    if path.is_file():
        return [RuleFile(path, str(path), path.read_bytes())]
    shipped = {file.path for file in rule_files()}
    return [file for file in rule_files([path]) if file.path not in shipped]


def begun(rule_id: str, directory: Path) -> Path:
    """Write a skeleton and return its path. Raises InputError when the id is no id or the file is there."""
    stage, dot, slug = rule_id.partition(".")
    if not dot or stage not in (*LADDER, *FAMILIES) or not slug.replace("-", "").isalnum() or slug != slug.lower():
        stages = ", ".join((*LADDER, *FAMILIES))
        raise InputError(f"{rule_id!r} is no rule id; write <stage>.<words-with-dashes>, the stage one of {stages}")
    path = directory / stage / f"{slug}.yaml"
    if path.exists():
        raise InputError(f"{path}: is there already")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_SKELETON.format(id=rule_id, stage=stage), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def json_schema() -> str:
    """The JSON Schema of a rule file."""
    from diagnose.engine.schema import RuleSpec

    return json.dumps(RuleSpec.model_json_schema(by_alias=True), indent=2)


def report_schema() -> str:
    """The JSON Schema of the JSON report."""
    from diagnose.render.schema import json_schema

    return json.dumps(json_schema(), indent=2)
