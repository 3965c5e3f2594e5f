"""Signs in to Azure with what this machine has: variables, workload or managed identity, or the Azure CLI."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from typing import TYPE_CHECKING

from diagnose.collectors import IMPORTS, Limits
from diagnose.collectors.azure import chain
from diagnose.collectors.azure import cloud as clouds
from diagnose.collectors.azure.arm import Arm
from diagnose.collectors.azure.bounded import within
from diagnose.collectors.azure.cloud import Cloud
from diagnose.collectors.azure.errors import LONGER, AzureError, safe
from diagnose.model import Why

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.identity import DefaultAzureCredential

_MOST_S = 20.0
"""``az`` takes seconds on a cold machine; whoever needs longer than this hangs."""
_IDENTITY_S = 5
"""For an answer of an identity endpoint or of Entra ID."""
_STILL_GOOD_S = 300
_TALKATIVE = ("azure", "msal", "urllib3")
"""Loggers whose warnings Python prints when nobody else takes them: azure-identity writes 40 lines per failure."""
_TOO_SLOW = (
    "does `az account get-access-token` answer? AZURE_TOKEN_CREDENTIALS=AzureCliCredential tries nothing else; or "
    + LONGER
)


def signed_in(subscription: str, limits: Limits, *, tenant: str = "") -> Arm:
    """A session for ``subscription``. Raises AzureError with ``sign_in`` when nobody is signed in, or not any more.

    ``tenant``: where the subscription is, if that is known to differ from where the account signs in by default.
    """
    for logger in map(logging.getLogger, _TALKATIVE):
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    cloud = clouds.current()
    seconds = max(0.05, min(_MOST_S, limits.deadline - time.monotonic()))
    try:
        return within(seconds, limits.stop, lambda: _signed_in(subscription, limits, cloud, tenant, seconds))
    except TimeoutError as error:
        text = f"signing in took longer than {seconds:.3g} s"
        raise AzureError("NoAnswer", text, why=Why.TIMED_OUT, needs=_TOO_SLOW, sign_in=True) from error


def _signed_in(subscription: str, limits: Limits, cloud: Cloud, tenant: str, seconds: float) -> Arm:
    account = Account(_credential(cloud, seconds), cloud, tenant)
    token = account.get_token(cloud.scope)
    return Arm(subscription, account, limits, cloud, tenant=_tenant_of(token.token) or tenant)


class Account:
    """A credential for Azure's clients that remembers its tokens: the Azure CLI takes a second for each."""

    def __init__(self, credential: DefaultAzureCredential, cloud: Cloud, tenant: str = "") -> None:
        self._credential = credential
        self._cloud = cloud
        self._tenant = tenant
        self._tokens: dict[tuple[str, ...], AccessToken] = {}
        self._lock = threading.Lock()

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: object,
    ) -> AccessToken:
        """A token for ``scopes``; a new one where ``claims`` are demanded. Raises AzureError."""
        from azure.core.exceptions import AzureError as SdkError

        with self._lock:
            kept = self._tokens.get(scopes)
            if kept and not claims and kept.expires_on - time.time() > _STILL_GOOD_S:
                return kept
            tenant = tenant_id or self._tenant or None
            try:
                token = self._credential.get_token(*scopes, claims=claims, tenant_id=tenant)
            except SdkError as error:
                raise chain.refused(error.message, self._cloud.authority) from error
            self._tokens[scopes] = token
            return token

    def close(self) -> None:
        """Give the connections back."""
        self._credential.close()


def _credential(cloud: Cloud, seconds: float) -> DefaultAzureCredential:
    """The chain, without what opens windows or reads tokens of editors."""
    with IMPORTS:
        from azure.identity import DefaultAzureCredential
    try:
        return DefaultAzureCredential(
            authority=cloud.authority,
            disable_instance_discovery=not cloud.known,
            additionally_allowed_tenants=["*"],
            exclude_interactive_browser_credential=True,
            exclude_shared_token_cache_credential=True,
            exclude_visual_studio_code_credential=True,
            exclude_broker_credential=True,
            process_timeout=max(1, int(seconds)),
            retry_total=1,
            read_timeout=_IDENTITY_S,
        )
    except (ValueError, OSError) as error:
        needs = "correct the variables AZURE_* of this environment"
        raise AzureError(chain.UNAVAILABLE, safe(str(error)), why=Why.DENIED, needs=needs, sign_in=True) from error


def _tenant_of(token: str) -> str:
    """The tenant that gave out ``token``; empty when it does not say."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return ""
    tenant = claims.get("tid") if isinstance(claims, dict) else None
    return tenant if isinstance(tenant, str) else ""
