"""The language of the run, and its words: English as written in the code and the rules, or a translation of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

LANGUAGES = ("en", "es")
"""English needs no catalogue; each other language has ``locale/<language>/LC_MESSAGES/<domain>.mo``."""

_ENGLISH = LANGUAGES[0]
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first that is set and not empty decides, as POSIX says."""

# One value for the process, not a context variable: the threads that collect would not inherit that.
_language = _ENGLISH


def choose(tag: str | None) -> str:
    """Settle the language of the run, and return it: one of LANGUAGES.

    ``tag`` is what the user asks for (``es``, ``es-MX``, ``es_ES.UTF-8``); without one the locale variables tell.
    What is not translated is English.
    """
    global _language
    _language = _known(tag or next((value for name in _VARIABLES if (value := os.environ.get(name))), ""))
    return _language


def language() -> str:
    """The language of the run, one of LANGUAGES: also the value of HTML's ``lang``."""
    return _language


@contextmanager
def in_language(tag: str) -> Iterator[str]:
    """The language ``tag`` for the length of a ``with``, for all threads; then that of before."""
    global _language
    before = _language
    try:
        yield choose(tag)
    finally:
        _language = before


def _(message: str) -> str:
    """``message``, a text of the program or its templates, in the language of the run."""
    return _translated("diagnose", message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form that ``n`` things take in the language of the run; ``n`` itself is not filled in."""
    if _language == _ENGLISH:
        return singular if n == 1 else plural
    return _catalogue("diagnose", _language).ngettext(singular, plural, n)


def rule_text(message: str) -> str:
    """``message``, a title, explanation or part of a fix of a rule, in the language of the run, with its placeholders.

    Each text falls back to English by itself, so rules from outside and rules without a translation stay readable.
    """
    return _translated("rules", message)


def _translated(domain: str, message: str) -> str:
    if _language == _ENGLISH or not message:  # the empty text is where gettext keeps the header
        return message
    return _catalogue(domain, _language).gettext(message)


@cache
def _catalogue(domain: str, name: str) -> NullTranslations:
    """Two threads may read it at once: both get the same words."""
    from gettext import GNUTranslations, NullTranslations
    from importlib.resources import files

    compiled = files("diagnose") / "locale" / name / "LC_MESSAGES" / f"{domain}.mo"
    if not compiled.is_file():
        return NullTranslations()
    with compiled.open("rb") as opened:
        return GNUTranslations(opened)


def _known(tag: str) -> str:
    """The language of a tag or locale, without its country, encoding and variant."""
    for separator in "-_.@":
        tag = tag.partition(separator)[0]
    return tag.lower() if tag.lower() in LANGUAGES else _ENGLISH
