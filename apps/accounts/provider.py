"""The OpenID provider as configured: explicit endpoints, or found by discovery at the issuer on first use."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

import requests
from django.conf import settings

from apps.core.errors import Conflict

_LIFE: Final = 3600.0
_lock = threading.Lock()
_found: dict[str, tuple[float, Provider]] = {}


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the provider answers. `issuer` is what its tokens must say."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str


def enabled() -> bool:
    """Whether a provider is configured at all."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_RP_CLIENT_ID)


def provider() -> Provider:
    """The provider. Refuses with Conflict when none is configured, it does not answer, or is not who it should be."""
    if not enabled():
        raise Conflict("Sign-in at an identity provider is not set up on this site.")
    explicit = settings.OIDC_ENDPOINTS
    if explicit:
        return Provider(issuer=settings.OIDC_ISSUER, **explicit)
    with _lock:
        at, known = _found.get(settings.OIDC_ISSUER, (0.0, None))
        if known is None or time.monotonic() - at > _LIFE:
            known = _discover(settings.OIDC_ISSUER)
            _found[settings.OIDC_ISSUER] = (time.monotonic(), known)
        return known


def forget() -> None:
    """Ask again at the next use."""
    with _lock:
        _found.clear()


def _discover(issuer: str) -> Provider:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=settings.OIDC_TIMEOUT)
        answer.raise_for_status()
        said = answer.json()
        found = Provider(
            issuer=said["issuer"],
            authorization_endpoint=said["authorization_endpoint"],
            token_endpoint=said["token_endpoint"],
            userinfo_endpoint=said["userinfo_endpoint"],
            jwks_uri=said["jwks_uri"],
        )
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise Conflict(
            "The identity provider does not answer as it should.", hint="Try again in a minute."
        ) from error
    if found.issuer != issuer:
        raise Conflict(f"The provider at {issuer} calls itself {found.issuer}.")
    return found
