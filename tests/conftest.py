"""Fixtures that tests of several parts share."""

import pytest

pytest_plugins = ["azure_server", "azurite", "docker_fake", "docker_services", "replay"]


@pytest.fixture(autouse=True)
def in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tests expect to read does not depend on the developer's locale."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
