"""Sign-in by OpenID Connect: mozilla-django-oidc's code flow with PKCE, and what it leaves to its user.

What is verified, in this order:
 1. state: begun in this browser's session, used once (the library, in the callback view);
 2. the code is exchanged with the client's secret and the PKCE verifier;
 3. the id token: signature by a key of the provider's set, RS256 and nothing else (the library), expiry;
 4. its nonce is the one of this state;
 5. its `iss` is the configured issuer, its `aud` is us (and `azp`, if there are others), its `sub` is there;
 6. userinfo speaks of the same `sub`.
Then `services.sign_in_by_provider` binds to (issuer, sub).

Not done: back-channel logout. Who is thrown out at the provider keeps a session here until it ends
(SESSION_HOURS) or an administrator deactivates her.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import jwt
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from apps.accounts import services
from apps.accounts.backends import active_user
from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.accounts.provider import enabled, provider
from apps.core import clock
from apps.core.errors import Forbidden

__all__ = ["ProviderBackend", "enabled", "fresh_proof", "remember_sign_in"]

_SESSION_KEY = "sso_authenticated"


class ProviderBackend(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library has no types
    """Django's backend for the callback. Making one costs nothing: Django makes one on every request."""

    def __init__(self) -> None:
        self.UserModel = User
        self.OIDC_RP_CLIENT_ID = import_from_settings("OIDC_RP_CLIENT_ID")
        self.OIDC_RP_CLIENT_SECRET = import_from_settings("OIDC_RP_CLIENT_SECRET")
        self.OIDC_RP_SIGN_ALGO = "RS256"
        self.OIDC_RP_IDP_SIGN_KEY = None

    @property
    def OIDC_OP_TOKEN_ENDPOINT(self) -> str:  # noqa: N802  # the library's name
        return provider().token_endpoint

    @property
    def OIDC_OP_USER_ENDPOINT(self) -> str:  # noqa: N802
        return provider().userinfo_endpoint

    @property
    def OIDC_OP_JWKS_ENDPOINT(self) -> str:  # noqa: N802
        return provider().jwks_uri

    def authenticate(
        self, request: HttpRequest | None, nonce: str = "", code_verifier: str | None = None
    ) -> User | None:
        """The person the provider's answer is about. Only for the callback: other credentials do not fit."""
        if request is None or not nonce or not enabled():
            return None
        found: User | None = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        return found

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, as long as she is active."""
        return active_user(user_id)

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """Steps 3 to 5; SuspiciousOperation for whatever does not hold."""
        try:
            claims: dict[str, Any] = super().verify_token(token, **kwargs)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise SuspiciousOperation(f"id token not verified: {type(error).__name__}") from error
        self._check_claims(claims)
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        """Step 6, then the binding."""
        told = self.get_userinfo(access_token, id_token, payload)
        if not isinstance(told, Mapping) or told.get("sub") != payload["sub"]:
            raise Forbidden("The identity provider speaks of two different people.")
        request: HttpRequest = self.request
        user = services.sign_in_by_provider(
            _claims({**told, **payload}), remote_addr=request.META.get("REMOTE_ADDR", "")
        )
        user.authenticated_at = payload.get("auth_time")  # type: ignore[attr-defined]  # for the callback view
        return user

    def _check_claims(self, claims: dict[str, Any]) -> None:
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else list(audience or [])
        checks = {
            "iss": claims.get("iss") == provider().issuer,
            "aud": self.OIDC_RP_CLIENT_ID in audiences,
            "azp": claims.get("azp", self.OIDC_RP_CLIENT_ID) == self.OIDC_RP_CLIENT_ID,
            "exp": "exp" in claims,
            "sub": isinstance(claims.get("sub"), str) and bool(claims.get("sub")),
        }
        wrong = [claim for claim, holds in checks.items() if not holds]
        if wrong:
            raise SuspiciousOperation(f"id token refused for its {', '.join(wrong)}")


def remember_sign_in(request: HttpRequest, user: User) -> None:
    """Note in the session when the provider says it authenticated this person (`auth_time`)."""
    at = getattr(user, "authenticated_at", None)
    if isinstance(at, int | float) and not isinstance(at, bool):  # some providers send a float
        request.session[_SESSION_KEY] = {"user": user.pk, "at": float(at)}


def fresh_proof(request: HttpRequest) -> ReauthProof:
    """Proof that the session's person authenticated at the provider just now; Forbidden if she did not.

    To get one: send her to `/sso/authenticate/?fresh=1&next=...`, which makes the provider ask again.
    The age is checked by whoever takes the proof.
    """
    noted = request.session.get(_SESSION_KEY)
    if not isinstance(noted, dict) or noted.get("user") != request.user.pk:
        raise Forbidden(
            "You have not just signed in at the identity provider.", hint="Confirm there first."
        )
    at = dt.datetime.fromtimestamp(min(noted["at"], clock.now().timestamp()), tz=dt.UTC)
    return ReauthProof(method="provider", at=at, user_id=noted["user"])


def _claims(told: Mapping[str, Any]) -> services.ProviderClaims:
    groups = told.get(import_from_settings("OIDC_GROUPS_CLAIM"))
    names = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    return services.ProviderClaims(
        issuer=told["iss"],
        subject=told["sub"],
        username=_text(told, "preferred_username") or _text(told, "email").partition("@")[0],
        display_name=_text(told, "name"),
        email=_text(told, "email"),
        groups=frozenset(name for name in names if isinstance(name, str) and "\x00" not in name),
    )


def _text(told: Mapping[str, Any], claim: str) -> str:
    value = told.get(claim)
    return value if isinstance(value, str) else ""
