"""The catalogues agree with the rules and with what is shipped."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from evidence import rule_text

from diagnose.engine.load import rule_files
from diagnose.engine.rule import PLACEHOLDER, choices
from diagnose.engine.schema import compile_file
from diagnose.language import LANGUAGES
from tools.rule_texts import extract
from tools.translations import LOCALE, ROOT, compiled, po_file, read, template, updated, written

FILES = sorted(LOCALE.rglob("*.po"))
SPANISH = po_file("rules", "es")

PROMISED = (
    "build.image-build-failed",
    "build.internal-server-error-500",
    "build.pip-failed",
    "deploy.aci-deployment-failed",
    "deploy.internal-server-error",
    "deploy.minimum-replicas-unavailable",
    "deploy.progress-deadline-exceeded",
    "deploy.webservice-unhealthy",
    "init.exception",
    "init.get-model-path-not-found",
    "init.import-error",
    "keyvault.access-policies-wiped",
    "keyvault.access-policy-missing",
    "keyvault.changed-recently",
    "keyvault.workspace-identity-missing",
    "local.docker-not-running",
    "local.reload-on-remote",
    "network.acr-dns-failure",
    "network.not-encrypted",
    "probe.liveness-failing",
    "probe.readiness-failing",
    "probe.startup-failing",
    "pull.aci-inaccessible-image",
    "pull.err-image-pull",
    "pull.image-pull-back-off",
    "pull.local-login-expired",
    "score.error-text-returned",
    "score.http-502",
    "score.http-503",
    "score.http-504",
    "score.missing-data-key",
    "score.run-exception",
    "serve.aci-no-scaling",
    "serve.hpa-at-max",
    "serve.hpa-at-min",
    "serve.service-no-endpoints",
    "serve.service-selector-mismatch",
    "start.crash-loop-back-off",
    "start.exit-code-1",
    "start.exit-code-3",
    "start.oom-killed",
)
"""The rules that are whole in every language."""

_CODE = re.compile(r"--[a-z][\w-]+|\w+_\w+|\w+(?:\.\w+)*\(\)|[a-z]+[A-Z]\w+|x-ms-[\w-]+")
"""Names of options, functions, fields and variables: the same in every language."""


@cache
def found(domain: str) -> Catalog:
    """The texts as they are now."""
    return template(domain)


def translations(catalogue: Catalog) -> dict[str, str]:
    """What is translated and looked at, by its English text; of what has a plural, the singular."""
    done = (message for message in catalogue if message.id and message.string and not message.fuzzy)
    return {first(message.id): first(message.string) for message in done}


def first(text: object) -> str:
    """``text``, or the first of its forms."""
    return str(text[0] if isinstance(text, list | tuple) else text)


def placeholders(text: str) -> list[tuple[list[tuple[str, str | None]], bool]]:
    """What each placeholder tries, in order, and whether it has a text for when nothing is known; sorted."""
    return sorted((choices(gap)[0], gap["otherwise"] is not None) for gap in PLACEHOLDER.finditer(text))


def rule(folder: Path, slug: str, **texts: str) -> Path:
    """A rule file in ``folder``; ``texts`` replaces parts of it."""
    path = folder / "init" / f"{slug}.yaml"
    path.parent.mkdir(exist_ok=True)
    text = rule_text(f"init.{slug}", "match: {seen: {in: logs.container, where: {line: {contains: x}}}}")
    for old, new in texts.items():
        text = "\n".join(f"{old}: {new}" if line.startswith(f"{old}: ") else line for line in text.split("\n"))
    path.write_text(text, encoding="utf-8")
    return path


def extracted(path: Path) -> list[tuple[str, str]]:
    with path.open("rb") as file:
        return [(comments[0], text) for _, _, text, comments in extract(file, (), (), {})]


def catalogue(*texts: tuple[str, str, str]) -> Catalog:
    """A catalogue of rules: comment, English, Spanish."""
    made = Catalog(locale="es", domain="rules")
    for comment, english, spanish in texts:
        made.add(english, spanish, auto_comments=[comment])
    return made


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_shipped_is_what_translators_wrote(path: Path) -> None:
    shipped = read_mo(BytesIO(path.with_suffix(".mo").read_bytes()))
    wanted = read_mo(BytesIO(compiled(read(path))))
    assert {one.id: one.string for one in shipped} == {one.id: one.string for one in wanted}, "run make translations"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_translation_is_of_a_text_that_is_there(path: Path) -> None:
    gone = [text for text in translations(read(path)) if text not in found(path.stem)]
    assert gone == [], "an English text was edited: run make translations, then translate what is fuzzy"


def test_every_translation_has_the_placeholders_of_the_english_text() -> None:
    done = translations(read(SPANISH))
    assert [text for text in done if placeholders(text) != placeholders(done[text])] == []


@pytest.mark.parametrize(
    ("english", "other", "same"),
    [
        ("{a.b|the pod} of {c}", "{c}: {a.b|el pod}", True),
        ("{a.b|c.d|the pod}", "{a.b|c.d|el pod}", True),
        ("{a.b|the pod}", "{a.c|el pod}", False),
        ("{a.b|c.d|the pod}", "{c.d|a.b|el pod}", False),
        ("{a.b|c.d|the pod}", "{a.b|el pod}", False),
        ("{a.b|the pod}", "{a.b}", False),
        ("{a.b|the pod}", "{a. b|el pod}", False),
        ("{a.b|} {a.b|}", "{a.b|}", False),
    ],
)
def test_placeholders_are_compared_by_name_and_not_by_place(english: str, other: str, same: bool) -> None:
    assert (placeholders(english) == placeholders(other)) is same


def test_every_translation_keeps_the_names_that_stand_in_code() -> None:
    lost = []
    for text in translations(read(SPANISH)).items():
        english, spanish = (sorted(set(_CODE.findall(PLACEHOLDER.sub("", form)))) for form in text)
        lost += [(text, english, spanish)] if english != spanish else []
    assert lost == []


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_rules_that_matter_most_are_whole(language: str) -> None:
    done = translations(read(po_file("rules", language)))
    texts = {comment: one.id for one in found("rules") for comment in one.auto_comments}
    open_ = [comment for comment, text in texts.items() if comment.split(",")[0] in PROMISED and text not in done]
    assert open_ == []
    assert {comment.split(",")[0] for comment in texts} >= set(PROMISED)


def test_every_rule_is_extracted_as_the_engine_holds_it() -> None:
    texts = found("rules")
    for file in rule_files():
        held, mistakes = compile_file(file.path, file.name, alone=False)
        assert held is not None, mistakes
        fixes = [text for fix in held.rule.fixes for text in (fix.text, fix.verify)]
        parts = [held.rule.title, held.rule.explain, *fixes]
        assert [part for part in parts if part and part not in texts] == []


def test_folded_texts_are_extracted_without_the_folds_and_commands_not_at_all(tmp_path: Path) -> None:
    path = rule(
        tmp_path,
        "folded",
        title="A title",
        explain=">\n  One sentence\n  on two lines.\n\n  Another paragraph.",
        fixes='[{text: "Do\n    it.", command: rm x, verify: It is done.}, {text: Or this.}]',
    )
    assert extracted(path) == [
        ("init.folded, title", "A title"),
        ("init.folded, explain", "One sentence on two lines. Another paragraph."),
        ("init.folded, fix 1", "Do it."),
        ("init.folded, fix 1 verify", "It is done."),
        ("init.folded, fix 2", "Or this."),
    ]


def test_a_text_that_was_edited_is_english_until_somebody_looked_at_it() -> None:
    before = catalogue(("init.a, title", "It fails", "Falla"), ("init.b, title", "It hangs", "Se cuelga"))
    now = updated(before, catalogue(("init.a, title", "It fails again", ""), ("init.b, title", "It hangs", "")))
    assert [(one.id, one.string, one.fuzzy) for one in now if one.id] == [
        ("It fails again", "Falla", True),
        ("It hangs", "Se cuelga", False),
    ]
    assert [one.string for one in read_mo(BytesIO(compiled(now))) if one.id] == ["Se cuelga"]


def test_a_new_text_that_only_resembles_another_gets_no_translation() -> None:
    before = catalogue(("init.a, title", "The pod fails", "El pod falla"))
    now = updated(before, catalogue(("init.a, title", "The pod fails", ""), ("init.b, title", "The pod failed", "")))
    assert [(one.id, one.string) for one in now if one.id] == [
        ("The pod fails", "El pod falla"),
        ("The pod failed", ""),
    ]


def test_a_text_that_is_gone_leaves_nothing_behind() -> None:
    now = updated(catalogue(("init.a, title", "It fails", "Falla")), catalogue(("init.b, title", "It hangs", "")))
    assert b"Falla" not in written(now)


def test_updating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "es" / "LC_MESSAGES" / "rules.po"
    path.parent.mkdir(parents=True)
    path.write_bytes(written(updated(read(SPANISH), found("rules"))))
    assert written(updated(read(path), found("rules"))) == path.read_bytes()


def test_words_of_the_program_are_found_in_modules_and_in_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "diagnose").mkdir()
    (tmp_path / "reports").mkdir()
    (tmp_path / "diagnose" / "words.py").write_text(
        '_("healthy"); ngettext("one pod", "{n} pods", 2); rule_text("x")\n'
    )
    (tmp_path / "reports" / "page.html.j2").write_text(
        "<p>{{ _('cause') }}{% trans %}Looked\n  at{% endtrans %}"
        "{% trans n=count %}one line{% pluralize %}{{ n }} lines{% endtrans %}</p>"
    )
    monkeypatch.setattr("tools.translations.ROOT", tmp_path)
    assert [one.id for one in template("diagnose") if one.id] == [
        "healthy",
        ("one pod", "{n} pods"),
        "cause",
        "Looked at",
        ("one line", "%(n)s lines"),
    ]


def test_compiled_catalogues_are_part_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = {
        path
        for glob in project["tool"]["setuptools"]["package-data"]["diagnose"]
        for path in (ROOT / "diagnose").glob(glob)
    }
    assert {path.with_suffix(".mo") for path in FILES} <= shipped
    assert SPANISH in FILES
    assert not shipped & set(FILES)
