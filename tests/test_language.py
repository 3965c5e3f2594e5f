"""The language of a run, chosen once, and the words in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from gettext import GNUTranslations
from pathlib import Path

import pytest
from evidence import book, evidence, judged, log
from evidence import rule_text as rule_file

from diagnose import language
from diagnose.engine.load import compiled, rule_files
from diagnose.language import LANGUAGES, _, choose, in_language, ngettext, rule_text

TITLE = "pip could not install what the environment asks for"
TITULO = "pip no pudo instalar lo que pide el entorno"
LOCALE = Path(language.__file__).with_name("locale")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    with in_language("en"):
        yield


@pytest.mark.parametrize("tag", ["es", "ES", "es-MX", "es_ES", "es_ES.UTF-8", "es_ES@euro", "es.UTF-8"])
def test_country_encoding_and_case_do_not_matter(tag: str) -> None:
    assert choose(tag) == "es"
    assert language.language() == "es"


@pytest.mark.parametrize("tag", ["fr", "fr_FR.UTF-8", "C", "C.UTF-8", "POSIX", "est", "e", "../es", ""])
def test_what_is_not_translated_is_english(tag: str) -> None:
    choose("es")
    assert choose(tag) == "en"
    assert rule_text(TITLE) == TITLE


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LC_MESSAGES": "es_MX"}, "es"),
        ({"LC_ALL": "es"}, "es"),
        ({"LC_ALL": "en_GB.UTF-8", "LC_MESSAGES": "es", "LANG": "es"}, "en"),
        ({"LC_MESSAGES": "es", "LANG": "en_US.UTF-8"}, "es"),
        ({"LC_ALL": "C", "LANG": "es"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "es"}, "es"),
        ({"LC_CTYPE": "es_ES.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_first_locale_variable_that_says_something_decides(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert choose(None) == expected


def test_what_the_user_asks_for_outranks_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    assert choose("en") == "en"
    assert choose("fr") == "en"


def failed_in_spanish() -> None:
    with in_language("es"):
        assert rule_text(TITLE) == TITULO
        raise LookupError


def test_a_language_ends_with_its_block_even_after_an_error() -> None:
    with pytest.raises(LookupError):
        failed_in_spanish()
    assert rule_text(TITLE) == TITLE


def test_each_text_without_a_translation_is_english_by_itself() -> None:
    with in_language("es"):
        assert [rule_text(TITLE), rule_text("A sentence nobody translated.")] == [
            TITULO,
            "A sentence nobody translated.",
        ]
        assert _("A sentence nobody translated.") == "A sentence nobody translated."


@pytest.mark.parametrize("tag", LANGUAGES)
def test_an_empty_text_stays_empty(tag: str) -> None:
    with in_language(tag):
        assert [_(""), rule_text("")] == ["", ""]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_only_one_thing_is_singular(tag: str) -> None:
    with in_language(tag):
        assert [ngettext("{n} untold pod", "{n} untold pods", n) for n in (0, 1, 2)] == [
            "{n} untold pods",
            "{n} untold pod",
            "{n} untold pods",
        ]


def test_every_language_but_english_has_a_catalogue_of_rules() -> None:
    for name in LANGUAGES[1:]:
        with (LOCALE / name / "LC_MESSAGES" / "rules.mo").open("rb") as file:
            assert GNUTranslations(file).info()["language"] == name


def test_threads_started_later_speak_the_language_of_the_run() -> None:
    language._catalogue.cache_clear()
    with in_language("es"), ThreadPoolExecutor(8) as pool:
        assert set(pool.map(rule_text, [TITLE] * 64)) == {TITULO}


def test_english_opens_no_catalogue_and_imports_nothing_for_it() -> None:
    code = """
import sys
import diagnose.language as words
words.choose("en")
words._("a"), words.ngettext("a", "b", 2), words.rule_text("a")
assert words._catalogue.cache_info().currsize == 0
print(sorted({"gettext", "importlib.resources"} & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=LOCALE.parents[1])
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


def test_a_finding_is_told_in_spanish_with_its_names_filled_in(tmp_path: Path) -> None:
    rules = [file for file in rule_files() if file.name == "rules/init/exception.yaml"]
    text = "Traceback (most recent call last):\n  File \"/var/score.py\", line 6, in init\n    load()\nKeyError: 'x'\n"
    given = evidence(log(f"2026-01-01 00:00:00,000 E [7] azmlinfsrv - User's init function failed\n{text}"))
    english = judged(compiled(rules), given).findings[0]
    with in_language("es"):
        spanish = judged(compiled(rules), given).findings[0]
    assert spanish.title == "El script de puntuación falla al iniciarse con KeyError"
    assert "línea 6, en init, donde el código dice: load()." in spanish.explain
    assert spanish.fixes[0].verify == "El traceback nombra un archivo propio y una línea."
    assert [fix.command for fix in spanish.fixes] == [fix.command for fix in english.fixes]
    assert english.title == "The scoring script fails while it starts with KeyError"


def test_a_rule_of_the_user_stays_as_it_is_written(tmp_path: Path) -> None:
    own = rule_file("init.mine", "match: {seen: {in: tracebacks, where: {exception: ValueError}}}")
    text = 'Traceback (most recent call last):\n  File "score.py", line 6, in init\n    load()\nValueError: x\n'
    with in_language("es"):
        finding = judged(book(tmp_path, own), evidence(log(text))).findings[0]
    assert (finding.title, finding.fixes[0].text, finding.fixes[0].verify) == ("Rule init.mine", "Do it.", "")
