"""Bring the catalogues of ``diagnose/locale`` up to date with the texts: ``python -m tools.translations``.

For each language and domain the new texts are added to the ``.po`` without a translation, a translation whose English
was edited is marked fuzzy (the program shows English until somebody has looked at it), and the ``.mo`` is compiled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from diagnose.language import LANGUAGES

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "diagnose" / "locale"
SOURCES = {"diagnose": ("diagnose", "reports"), "rules": ("rules",)}
"""The folders whose texts a domain holds; ``babel/<domain>.cfg`` says how they are found there."""


def main() -> None:
    """Update and compile what has texts, and say how far each language is."""
    for domain in SOURCES:
        found = template(domain)
        for language in LANGUAGES[1:] if len(found) else ():
            path = po_file(domain, language)
            catalogue = updated(read(path) if path.exists() else _new(domain, language), found)
            _write(path, written(catalogue))
            _write(path.with_suffix(".mo"), compiled(catalogue))
            print(f"{path.relative_to(ROOT)}: {told(catalogue)}")


def template(domain: str) -> Catalog:
    """Every text of the domain, untranslated."""
    with (Path(__file__).parent / "babel" / f"{domain}.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call] # of Babel
    found = Catalog(domain=domain)
    for folder in SOURCES[domain]:
        for name, line, text, comments, context in extract_from_dir(ROOT / folder, methods, options):
            found.add(text, locations=[(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    return found


def po_file(domain: str, language: str) -> Path:
    """Where translators work; the compiled ``.mo`` lies beside it."""
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read(path: Path) -> Catalog:
    """The catalogue of a ``.po``."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], domain=path.stem)


def updated(catalogue: Catalog, found: Catalog) -> Catalog:
    """``catalogue`` with the texts of ``found``, in their order.

    Texts of rules are followed by what they are, since texts of different rules resemble each other.
    """
    catalogue.update(found, no_fuzzy_matching=found.domain == "rules", update_creation_date=False)
    edited = {comment: old for old in catalogue.obsolete.values() if old.string for comment in old.auto_comments}
    for message in catalogue:
        old = next((edited[comment] for comment in message.auto_comments if comment in edited), None)
        if old is not None and message.id and not message.string:
            message.string = old.string
            message.flags.add("fuzzy")
        if found.domain == "rules":  # Babel takes its placeholders for those of str.format
            message.flags.discard("python-brace-format")
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """As ``.po``. What is no longer used goes: its history is the repository's."""
    buffer = BytesIO()
    write_po(buffer, catalogue, width=120, ignore_obsolete=True, include_lineno=False)
    return buffer.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """As ``.mo``: only what is translated and not fuzzy."""
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def told(catalogue: Catalog) -> str:
    """How far the translation is."""
    texts = [message for message in catalogue if message.id]
    fuzzy = sum(message.fuzzy for message in texts)
    done = sum(bool(message.string) and not message.fuzzy for message in texts)
    return f"{done} of {len(texts)} texts" + (f", {fuzzy} to be looked at again (fuzzy)" if fuzzy else "")


def _new(domain: str, language: str) -> Catalog:
    return Catalog(
        locale=language,
        domain=domain,
        header_comment=f"# {language}: {domain}; update and compile with make translations",
        project="diagnose",
        version=version("diagnose"),
        msgid_bugs_address="the authors of diagnose",
        last_translator="the authors of diagnose",
        language_team=language,
        revision_date=datetime.now(UTC),
        fuzzy=False,
    )


def _write(path: Path, content: bytes) -> None:
    """Only what changed, so that make and git see no more than that."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
