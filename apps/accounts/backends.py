"""Django's authentication backend for the site's sign-in form: by password, through `services`."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from apps.accounts import services
from apps.accounts.models import User


class PasswordBackend(BaseBackend):
    """Signs people in by password. A locked account raises Forbidden: the form shows it."""

    def authenticate(  # type: ignore[override]  # the credentials are this backend's own
        self, request: HttpRequest | None, username: str = "", password: str = ""
    ) -> User | None:
        """The person, or None for a wrong username or password."""
        if not username or not password:
            return None
        address = request.META.get("REMOTE_ADDR", "") if request else ""
        return services.authenticate_password(username, password, remote_addr=address)

    def get_user(self, user_id: int) -> User | None:
        """The person of a session, as long as she is active: asked on every request."""
        return active_user(user_id)


def active_user(user_id: int) -> User | None:
    """The user, unless deactivated."""
    return User.objects.filter(pk=user_id, is_active=True).first()
