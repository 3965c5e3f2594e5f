from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from diagnose.model import Report
from diagnose.render import FORMATS, Options


def test_each_format_is_found_by_its_own_name() -> None:
    assert list(FORMATS) == ["terminal", "json", "html", "markdown", "junit", "sarif", "github", "azure-devops"]
    assert all(format.name == name for name, format in FORMATS.items())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("options", [Options(), Options(verbose=True), Options(quiet=True), Options(colour=True)])
def test_every_report_is_text_that_ends_with_one_newline(
    name: str, options: Options, reports: Mapping[str, Report]
) -> None:
    for report in reports.values():
        text = FORMATS[name].render(report, options)
        assert text.encode()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_importing_the_formats_imports_neither_rich_nor_jinja() -> None:
    program = "import sys, diagnose.render; print({'rich', 'jinja2', 'markupsafe'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_json_needs_neither_rich_nor_jinja(failing: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = FORMATS["json"].render(failing, Options())
    for name in ("rich", "rich.text", "rich.console", "jinja2", "markupsafe", "diagnose.render.screen"):
        monkeypatch.setitem(sys.modules, name, None)
    assert FORMATS["json"].render(failing, Options()) == expected
    with pytest.raises(ImportError):
        FORMATS["html"].render(failing, Options())
