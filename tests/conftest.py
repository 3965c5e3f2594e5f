"""Fixtures that tests of several parts share."""

pytest_plugins = ["docker_fake", "docker_services", "replay"]
