"""A report whose every text from outside is one and the same, to see what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum

from diagnose.model import Report

_OURS = ("kind", "severity", "risk", "why", "references")
"""Texts that are the program's and the rules' own, whatever the evidence holds."""


def saying(report: Report, text: str) -> Report:
    """``report`` with ``text`` in place of every text that may come from outside."""
    said = _said(report, text)
    assert isinstance(said, Report)
    return said


def _said(value: object, text: str) -> object:
    if isinstance(value, Enum | datetime):
        return value
    if isinstance(value, str):
        return text if value else value
    if isinstance(value, tuple):
        return tuple(_said(one, text) for one in value)
    if isinstance(value, Mapping):
        return {text: _said(one, text) for one in list(value.values())[:1]}  # noqa: B035 - one at most
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: _said(getattr(value, one.name), text) for one in fields(value) if one.name not in _OURS}
        return replace(value, **changed)
    return value
