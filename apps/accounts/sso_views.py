"""The two ends of the code flow, named in settings.OIDC_AUTHENTICATE_CLASS and OIDC_CALLBACK_CLASS.

They differ from the library's in what they refuse with (a sentence instead of a bare 400 or a crash, and an entry in
the attempts) and in noting when the provider authenticated the person.
"""

from __future__ import annotations

import logging
from typing import Any

import requests
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.generic import View
from mozilla_django_oidc.utils import import_from_settings
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from apps.accounts import sso
from apps.accounts.provider import provider
from apps.audits.log import attempt
from apps.core.errors import Conflict, Forbidden

logger = logging.getLogger("countersign.security")


@method_decorator(login_not_required, name="dispatch")
class Begin(OIDCAuthenticationRequestView):  # type: ignore[misc]  # the library has no types
    """Send the browser to the provider. `?fresh=1`: the provider asks for the password again."""

    def __init__(self, **kwargs: Any) -> None:
        View.__init__(self, **kwargs)
        self.OIDC_RP_CLIENT_ID = import_from_settings("OIDC_RP_CLIENT_ID")

    @property
    def OIDC_OP_AUTH_ENDPOINT(self) -> str:  # noqa: N802  # the library's name
        return provider().authorization_endpoint

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """max_age=0 would say it too, and sends at least one provider into an endless password loop."""
        return {"prompt": "login"} if request.GET.get("fresh") == "1" else {}


@method_decorator(login_not_required, name="dispatch")
class Callback(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # the library has no types
    """Take the provider's answer, sign the person in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            answer: HttpResponse = super().get(request)
        except SuspiciousOperation as error:
            self._note(str(error))
            raise Forbidden(
                "This answer of the identity provider does not belong to a sign-in begun here.",
                hint="Sign in again.",
            ) from error
        except requests.RequestException as error:
            logger.warning("the identity provider refused: %s", str(error)[:500])
            self._note(f"provider: {type(error).__name__}")
            raise Conflict(
                "The identity provider did not confirm the sign-in.", hint="Sign in again."
            ) from error
        return answer

    def login_success(self) -> HttpResponse:
        answer: HttpResponse = super().login_success()
        sso.remember_sign_in(self.request, self.user)
        return answer

    def login_failure(self) -> HttpResponse:
        """The provider said no, the person pressed cancel, or the session had no sign-in begun."""
        self._note("not confirmed by the provider")
        raise Forbidden("The identity provider did not confirm the sign-in.", hint="Sign in again.")

    def _note(self, reason: str) -> None:
        address = self.request.META.get("REMOTE_ADDR", "")
        attempt(
            None,
            act="sign-in",
            subject="user:unknown",
            outcome="failed",
            reason=f"identity provider: {reason}",
            remote_addr=address,
        )
