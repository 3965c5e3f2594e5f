"""Fixtures that tests of several parts share."""

pytest_plugins = ["azure_server", "azurite", "docker_fake", "docker_services", "replay"]
