"""The first administrator: made by whoever can read what the server's console printed, once."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

from apps.accounts import selectors
from apps.accounts.events import RoleGranted
from apps.accounts.models import RoleAssignment, SetupToken, User
from apps.accounts.services import people
from apps.accounts.services.roles import holder_id, lock_administrators
from apps.accounts.services.validation import (
    password_problem,
    require_fields,
    text_problem,
    username_problem,
)
from apps.accounts.verbs import ADMINISTRATOR
from apps.audits.log import attempt, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden

LIFE: Final = dt.timedelta(hours=24)


def new_setup_token() -> str:
    """A set-up token, valid for a day and instead of any earlier one. Conflict if there is an administrator.

    Who may ask for one: whoever has a shell on the server; this is called by a management command.
    """
    raw = secrets.token_urlsafe(24)
    with verb(Actor.system("shell")):
        lock_administrators()
        _require_none()
        SetupToken.objects.filter(used_at__isnull=True).delete()
        SetupToken.objects.create(digest=_digest(raw))
    return raw


def set_up_first_administrator(
    setup_token: str, username: str, password: str, display_name: str, *, remote_addr: str = ""
) -> User:
    """Make the first administrator. Of two at once, one wins.

    Refuses: a wrong, used or day-old token (an attempt); anything once an administrator exists.
    """
    user = User(username=User.normalise(username), display_name=display_name.strip())
    require_fields(
        username=username_problem(user.username),
        display_name=text_problem(user.display_name, 200),
        password=password_problem(password, user),
    )
    user.set_password(password)
    try:
        with verb(Actor.system("web")) as v:
            lock_administrators()
            _require_none()
            _spend(setup_token)
            people.insert(v, user, how="setup")
            RoleAssignment.objects.create(user=user, role_id=ADMINISTRATOR)
            v.record(
                RoleGranted(
                    role=ADMINISTRATOR,
                    holder=holder_id(user),
                    holder_name=str(user),
                    on="site",
                    how="setup",
                )
            )
    except (Forbidden, Conflict) as refusal:
        attempt(
            None,
            act="setup",
            subject="site:1",
            outcome="refused",
            reason=refusal.message,
            remote_addr=remote_addr,
        )
        raise
    return user


def _require_none() -> None:
    if selectors.administrators().exists():
        raise Conflict("This site has an administrator already.", hint="Sign in.")


def _spend(raw: str) -> None:
    """Single use by compare-and-set."""
    now = clock.now()
    spent = SetupToken.objects.filter(
        digest=_digest(raw), used_at__isnull=True, created_at__gt=now - LIFE
    ).update(used_at=now)
    if spent != 1:
        raise Forbidden(
            "This is not the set-up token, or it was used or is more than a day old.",
            hint="`manage.py setup_token` prints a new one.",
        )


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
