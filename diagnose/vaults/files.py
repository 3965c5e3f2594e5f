"""The files that ``--against`` names: a saved state of a vault, a template, or one of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from diagnose.collectors.azure.arm import Json
from diagnose.collectors.azure.declared import is_template, template_of
from diagnose.collectors.azure.saved_vault import SavedVault, is_state, loaded
from diagnose.errors import InputError

_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Files:
    """What ``--against`` named."""

    saved: SavedVault | None = None
    saved_name: str = ""
    template: Json | None = None
    template_name: str = ""


def files_of(paths: Sequence[Path], now: datetime) -> Files:
    """Raises InputError for what is neither a template nor a saved state."""
    found = Files()
    for path in paths:
        content = template_of(_content(path), str(path))
        if is_state(content) and not found.saved:
            found = replace(found, saved=loaded(content, str(path), now), saved_name=str(path))
        elif is_template(content) and found.template is None:
            found = replace(found, template=content, template_name=str(path))
        elif is_state(content) or is_template(content):
            raise InputError(f"{path}: give --against one saved state, one template, or one of each")
        else:
            raise InputError(
                f"{path}: is neither a template (it has no resources) nor a state that --save or az keyvault show wrote"
            )
    return found


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is above 16 MB, which no template is")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8") from error
