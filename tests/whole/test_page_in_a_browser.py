"""The HTML report in a real browser: it shows, and it asks for nothing from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from program import diagnose

pytestmark = pytest.mark.chromium

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture
def chromium() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium")
    if found is None:
        pytest.skip("no Chromium")
    return found


def browse(chromium: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [chromium, *QUIET, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits_its_window_and_breaks_no_rule_of_its_own_policy(
    chromium: str, width: int, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    diagnose("demo", "--format", "html", "-o", page)
    picture = tmp_path / "page.png"
    done = browse(
        chromium,
        tmp_path,
        "--enable-logging=stderr",
        f"--window-size={width},900",
        f"--screenshot={picture}",
        page.as_uri(),
    )
    assert "Content Security Policy" not in done.stderr
    assert picture.stat().st_size > 10_000


def test_the_browser_reads_the_cause_out_of_it(chromium: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    diagnose("demo", "--format", "html", "-o", page)
    shown = browse(chromium, tmp_path, "--dump-dom", page.as_uri()).stdout
    assert "init() cannot find the registered model my-best-model" in shown
    assert [mark for mark in ("<script", " src=", 'href="http://', "url(") if mark in shown] == []
