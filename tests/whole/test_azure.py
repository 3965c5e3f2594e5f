"""From the command line to a report, through the real sign-in and the real SDK, over what Azure answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure_server import AzureServer
from program import diagnose

WHERE = ("-w", "ws-mlops", "-g", "rg-mlops", "--subscription", "00000000-0000-0000-0000-000000000001")


def report(*arguments: str) -> dict[str, Any]:
    ended = diagnose("mysvc", *WHERE, "--format", "json", *arguments)
    assert ended.out, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_try(azure: AzureServer) -> None:
    ended = diagnose("mysvc", *WHERE, "--on", "azure")
    print(ended.err)
    print(ended.out)
    print([(r.method, r.path.replace("/subscriptions/00000000-0000-0000-0000-000000000001", ""), r.query) for r in azure.requests])
    assert 0
