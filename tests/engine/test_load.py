"""Loading rules: every mistake at once with file and line, and a cache that only ever saves time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from evidence import rule_text, written

from diagnose.engine.load import compiled, load, rule_files
from diagnose.errors import InputError, RuleError
from diagnose.streams import STREAMS

GOOD = rule_text("init.lost", "match: {seen: {in: logs.container, where: {line: {contains: lost}}}}")


def mistakes(folder: Path, *texts: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        compiled(written(folder, *texts))
    return caught.value.mistakes


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("DIAGNOSE_CACHE", str(folder))
    return folder


def test_all_mistakes_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = """\
id: init.wrong
title: A rule with mistakes
kind: cuase
stage: init
severity: error
match:
  seen:
    in: logs.container
    where:
      line: {regexx: abc}
  other:
    in: containers
    wehre: {}
explain: A sentence that is long enough to be one.
fixes: [{text: Do it.}]
examples:
  - {name: one, expect: hit}
  - {name: two, expect: maybe}
"""
    told = mistakes(tmp_path, text)
    assert [line.split(": ")[0] for line in told] == [f"init/wrong.yaml:{n}" for n in (3, 10, 13, 18)]
    assert "regexx" in told[1]


def test_mistakes_of_several_files_are_told_together(tmp_path: Path) -> None:
    told = mistakes(tmp_path, GOOD.replace("severity: error", "severity: bad"), rule_text("init.other", "match: {}"))
    assert {line.split(":")[0] for line in told} == {"init/lost.yaml", "init/other.yaml"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("logs.container", "logs.containers", "no stream 'logs.containers'"),
        ("line: {contains: lost}", "text: lost", "needs a test of its line"),
        ("in: logs.container, where: {line: {contains: lost}}", "in: pods, where: {phse: x}", "no field 'phse'"),
        ("contains: lost", "regex: '(?=x)lost'", "expression '(?=x)lost'"),
        ("contains: lost", "regex: 'x*'", "matches an empty text"),
        ("explain: A", "explain: The {seen.nothing} A", "neither a capture nor a field 'nothing'"),
        ("explain: A", "explain: The {nobody} A", "'nobody' is not one of"),
        ("explain: A", "condition: seen and\nexplain: A", "the condition ends too early"),
        ("explain: A", "condition: seen or unseen\nexplain: A", "'unseen' is not one of the names"),
        ("explain: A", "within: soon\nexplain: A", "30s, 10m, 2h"),
        ("expect: clear", "expect: hit", "at least one hit and one near miss"),
        ("id: init.lost", "id: start.lost", "must be start/lost.yaml"),
        ("severity: error", "severity: error\nseverity: error", "key 'severity' is given twice"),
        ("kind: cause", "kind: [", "init/lost.yaml:"),
    ],
)
def test_a_mistake_is_told_in_words(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "init" / "lost.yaml"
    (file,) = written(tmp_path, GOOD)
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(RuleError) as caught:
        compiled([file])
    assert any(told in line for line in caught.value.mistakes), caught.value.mistakes


def test_rules_that_explain_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path,
        GOOD.replace("kind:", "explains: [init.two]\nkind:"),
        rule_text("init.two", "explains: [init.lost]\nmatch: {seen: {in: pods, where: {phase: x}}}"),
    )
    assert "explains itself" in told[0]


def test_a_yes_in_yaml_stays_a_word(tmp_path: Path) -> None:
    rules = compiled(written(tmp_path, GOOD.replace("line: {contains: lost}", "line: {contains: yes}")))
    assert rules.rules[0].selections[0].patterns()[0].expression == "yes"


def test_the_shipped_rules_load_and_only_explain_ids_of_the_same_form() -> None:
    rules = compiled(rule_files())
    assert all(told.count(".") == 1 for rule in rules.rules for told in rule.explains)


def test_the_cache_gives_the_same_rules(cache: Path, tmp_path: Path) -> None:
    written(tmp_path / "own", GOOD)
    first, second = load([tmp_path / "own"]), load([tmp_path / "own"])
    assert first.rules == second.rules
    assert second.patterns.lines(b"lost keys") == first.patterns.lines(b"lost keys") != {}
    assert len(list(cache.iterdir())) == 1


def test_a_changed_rule_is_compiled_anew(cache: Path, tmp_path: Path) -> None:
    written(tmp_path / "own", GOOD)
    load([tmp_path / "own"])
    written(tmp_path / "own", GOOD.replace("Rule init.lost", "Another title"))
    assert "Another title" in {rule.title for rule in load([tmp_path / "own"]).rules}


def test_rubbish_in_the_cache_does_no_harm(cache: Path) -> None:
    expected = load().rules
    for path in cache.iterdir():
        path.write_bytes(b"rubbish")
    assert load().rules == expected


def test_a_cache_folder_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DIAGNOSE_CACHE", str(tmp_path / "file" / "below"))
    assert load().rules


def test_two_processes_that_start_at_once_both_get_their_rules(cache: Path) -> None:
    command = [sys.executable, "-c", "from diagnose.engine.load import load; print(len(load().rules))"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ), text=True) for _ in range(2)]
    assert {process.communicate()[0].strip() for process in both} == {str(len(rule_files()))}


@pytest.mark.parametrize(("made", "told"), [(False, "no such folder"), (True, "holds no")])
def test_a_rules_folder_that_is_none_is_told(tmp_path: Path, made: bool, told: str) -> None:
    if made:
        (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match=told):
        load([tmp_path / "own"])


def test_every_stream_has_a_type_with_named_fields() -> None:
    assert all(stream.item.__dataclass_fields__ for stream in STREAMS.values())
