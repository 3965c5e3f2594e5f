"""A report laid out for a terminal, a browser, a comment, a pipeline or a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from diagnose.model import Report
from diagnose.render import html, json, junit, markdown, sarif, terminal
from diagnose.render.annotations import azure_devops, github
from diagnose.render.options import Options

__all__ = ["FORMATS", "Format", "Options"]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to lay out a report."""

    name: str
    render: Callable[[Report, Options], str]
    """The whole text, ending with a newline, encodable as UTF-8 whatever the report holds."""


_ALL = (
    Format("terminal", terminal.render),
    Format("json", json.render),
    Format("html", html.render),
    Format("markdown", markdown.render),
    Format("junit", junit.render),
    Format("sarif", sarif.render),
    Format("github", github),
    Format("azure-devops", azure_devops),
)

FORMATS: Mapping[str, Format] = MappingProxyType({format.name: format for format in _ALL})
"""By the name that ``--format`` takes."""
