"""Who is calling: the credentials that the MLflow protocol takes too, or the browser's session.

A request with an Authorization header is judged by it alone: a bad token never falls back on a cookie.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.api import auth
from apps.core.actor import Actor
from apps.core.errors import Forbidden

DOOR: Final = "api"


class Tokens(BaseAuthentication):
    """A token as bearer, or a user name with a token or password as basic authentication."""

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        http: HttpRequest = request._request  # noqa: SLF001 - the framework's own way to Django's request
        if not http.META.get("HTTP_AUTHORIZATION"):
            return None
        return auth.authenticate(http, DOOR), None


class Session(SessionAuthentication):
    """A person signed in with her browser; what changes anything needs the token against cross-site requests.

    Refuses whoever holds a password that an administrator has set: she chooses her own on the pages first.
    """

    def authenticate(self, request: Request) -> tuple[Actor, None] | None:
        http: HttpRequest = request._request  # noqa: SLF001 - as above
        person = getattr(http, "user", None)
        if not isinstance(person, User) or not person.is_active:
            return None
        self.enforce_csrf(request)
        if person.must_change_password:
            raise Forbidden(
                "This password was set by an administrator.",
                hint="Sign in to the site and choose your own.",
            )
        request_id = str(http.META.get(auth.REQUEST_ID, ""))
        return accounts.actor_for(person, door=DOOR, request_id=request_id), None
