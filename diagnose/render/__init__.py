"""A report laid out for a terminal, a browser, a comment, a pipeline or a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from diagnose.model import Report
from diagnose.outcome import urgency
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
    several: Callable[[Sequence[Report], Options], str] | None = None
    """The same for the services of one run, where there is more to it than one after the other."""
    between: str = ""
    """What stands between two reports, where they simply follow each other."""

    def render_all(self, reports: Sequence[Report], options: Options) -> str:
        """One text of all ``reports``, the most urgent first."""
        if len(reports) == 1:
            return self.render(reports[0], options)
        ordered = sorted(reports, key=urgency)
        if self.several is not None:
            return self.several(ordered, options)
        return self.between.join(self.render(report, options) for report in ordered)


_ALL = (
    Format("terminal", terminal.render, terminal.render_many),
    Format("json", json.render, json.render_many),
    Format("html", html.render, html.render_many),
    Format("markdown", markdown.render, between="\n---\n\n"),
    Format("junit", junit.render, junit.render_many),
    Format("sarif", sarif.render, sarif.render_many),
    Format("github", github),
    Format("azure-devops", azure_devops),
)

FORMATS: Mapping[str, Format] = MappingProxyType({format.name: format for format in _ALL})
"""By the name that ``--format`` takes."""
