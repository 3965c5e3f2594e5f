"""Saved evidence from texts: what a folder of files with neutral names becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from diagnose.collectors import Limits
from diagnose.collectors.files import collect_files
from diagnose.model import Collection

Collect = Callable[..., Collection]


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    """Saves each text under a neutral name in a folder, and reads the folder; ``named`` takes names with texts."""

    def collected(*texts: str) -> Collection:
        return save({f"artifact-{number}.txt": text for number, text in enumerate(texts, 1)})

    def save(named: dict[str, str]) -> Collection:
        for name, text in named.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return collect_files([str(tmp_path)], Limits())

    collected.named = save  # type: ignore[attr-defined]
    return collected


@pytest.fixture
def described() -> Callable[[str], str]:
    """What kubectl 1.32 printed of recorded objects."""
    return lambda name: (Path(__file__).parent / "described" / f"{name}.txt").read_text(encoding="utf-8")
