"""Which Azure is meant: the public one, China's, the US Government's, or one registered with the Azure CLI."""

from __future__ import annotations

import os
from configparser import Error, RawConfigParser
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where to sign in, and whom to ask."""

    name: str
    """As ``az cloud list`` spells it."""
    authority: str
    """Of the sign-in: ``https://login.microsoftonline.com``."""
    endpoint: str
    """Azure Resource Manager: ``https://management.azure.com``."""
    scope: str
    """What a token is asked for."""

    @property
    def known(self) -> bool:
        """One of Microsoft's: only for those can ``login.microsoftonline.com`` say whether the authority is genuine."""
        return any(_host(self.authority) == _host(cloud.authority) for cloud in KNOWN)


PUBLIC = Cloud(
    "AzureCloud",
    "https://login.microsoftonline.com",
    "https://management.azure.com",
    "https://management.azure.com/.default",
)
CHINA = Cloud(
    "AzureChinaCloud",
    "https://login.chinacloudapi.cn",
    "https://management.chinacloudapi.cn",
    "https://management.chinacloudapi.cn/.default",
)
GOVERNMENT = Cloud(
    "AzureUSGovernment",
    "https://login.microsoftonline.us",
    "https://management.usgovcloudapi.net",
    "https://management.core.usgovcloudapi.net/.default",
)
KNOWN = (PUBLIC, CHINA, GOVERNMENT)


def cli_folder() -> Path:
    """Where the Azure CLI keeps its settings."""
    return Path(os.environ.get("AZURE_CONFIG_DIR") or "~/.azure").expanduser()


def settings(name: str) -> RawConfigParser:
    """A settings file of the Azure CLI; without any section where there is none. Raises ValueError for a broken one."""
    parser = RawConfigParser()
    file = cli_folder() / name
    try:
        parser.read(file, encoding="utf-8-sig")
    except (Error, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} can not be read: {type(error).__name__}") from error
    return parser


def current() -> Cloud:
    """The cloud that ``AZURE_AUTHORITY_HOST`` names, else the one the Azure CLI is set to, else the public one."""
    chosen = _of_cli()
    authority = os.environ.get("AZURE_AUTHORITY_HOST", "")
    if not authority or _host(authority) == _host(chosen.authority):
        return chosen
    for cloud in KNOWN:
        if _host(cloud.authority) == _host(authority):
            return cloud
    return replace(chosen, authority=f"https://{_host(authority)}")


def _of_cli() -> Cloud:
    """The cloud of ``az cloud set``."""
    try:
        name = settings("config").get("cloud", "name", fallback=PUBLIC.name)
        for cloud in KNOWN:
            if cloud.name == name:
                return cloud
        registered = settings("clouds.config")
    except ValueError:
        return PUBLIC
    endpoint = registered.get(name, "endpoint_resource_manager", fallback="").rstrip("/")
    authority = registered.get(name, "endpoint_active_directory", fallback="").rstrip("/")
    if not endpoint or not authority:
        return PUBLIC
    resource = registered.get(name, "endpoint_active_directory_resource_id", fallback=endpoint)
    return Cloud(name, authority, endpoint, f"{resource.rstrip('/')}/.default")


def _host(authority: str) -> str:
    """Host and port; the variable is also written without ``https://``."""
    return authority.rpartition("//")[2].partition("/")[0].lower()
