"""Pictures of the HTML report, one of each verdict: ``make screenshots`` writes them beside this file.

The reports are those of recorded clusters (``tests/lab``), read through the whole program; for ``unknown`` the cluster
says no to most of what is asked.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from few_colours import in_few_colours

from diagnose.model import Report
from diagnose.pipeline import Settings, demo, diagnose
from diagnose.render import Options
from diagnose.render.html import render
from diagnose.targets import Wanted

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from replay import DENIED, Replay, kubeconfig, serving  # noqa: E402 - of the tests, so it is found only from here on

REFUSED = ("pods/log", "events", "services", "endpoints", "endpointslices", "nodes", "resourcequotas", "limitranges")


@contextmanager
def cluster(name: str, refused: tuple[str, ...] = ()) -> Iterator[None]:
    """A recorded cluster as the current context."""
    with (
        serving(Replay.of(name, faults=dict.fromkeys(refused, DENIED))) as replay,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ["KUBECONFIG"] = str(kubeconfig(Path(folder), replay.url))
        os.environ["NO_PROXY"] = "127.0.0.1"
        yield


def report(name: str, refused: tuple[str, ...] = ()) -> Report:
    """The report on a recorded service."""
    with cluster(name, refused):
        return diagnose(Wanted(service=name, on="kubernetes"), Settings(), lambda _: None)


def reports() -> Mapping[str, Report]:
    """One of each verdict."""
    return {
        "failing": demo("get-model-path", Settings()),
        "degraded": demo("stuck-rollout", Settings()),
        "healthy": report("healthy"),
        "unknown": report("healthy", REFUSED),
    }


def picture(browser: Browser, page: Path, picture: Path, *, width: int, scheme: str, whole: bool) -> None:
    """The first screen of ``page``, or all of it."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    tab = context.new_page()
    tab.goto(page.as_uri())
    tab.screenshot(path=picture, full_page=whole)
    context.close()


def main() -> None:
    """Write the pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--all", action="store_true", help="light and dark, wide and narrow, whole pages")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox", "--disable-lcd-text"]
        )
        for verdict, one in reports().items():
            page = Path(folder, f"{verdict}.html")
            page.write_text(render(one, Options()), encoding="utf-8")
            views = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")] if asked.all else []
            first = asked.folder / f"{verdict}.png"
            picture(browser, page, first, width=1280, scheme="light", whole=False)
            first.write_bytes(in_few_colours(first.read_bytes()))
            for width, scheme in views:
                name = asked.folder / f"{verdict}-{width}-{scheme}.png"
                picture(browser, page, name, width=width, scheme=scheme, whole=True)


if __name__ == "__main__":
    main()
