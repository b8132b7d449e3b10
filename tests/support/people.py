"""The fixed cast: Ana trains, Rui approves, Vera validates, Omar owns, Aud audits, Ada administers, Otto is an outsider.

Each is made through the doors the site itself uses, holds one site-wide role (Otto none) and has chosen PASSWORD herself.
A test asks for those it needs, as users (`ana`); `as_actor(ana)` is what services take.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import pytest

from apps.accounts import selectors, services
from apps.accounts.models import User
from apps.core.actor import Actor

PASSWORD: Final = "violet-harbour-lantern-42"
_TEMPORARY: Final = "temporary-of-the-tests-1"

SYSTEM: Final = Actor.system("shell")


def hire(username: str, display_name: str, *roles: str, email: str = "") -> User:
    """A person with these site-wide roles who has chosen PASSWORD."""
    user = services.create_user(
        SYSTEM,
        username=username,
        display_name=display_name,
        password=_TEMPORARY,
        email=email or f"{username}@example.org",
    )
    user = services.change_password(as_actor(user), current=_TEMPORARY, new=PASSWORD)
    for role in roles:
        services.grant_role(SYSTEM, role, user)
    return user


def as_actor(user: User, *, door: str = "web", scopes: set[str] | None = None) -> Actor:
    """The user acting now: in a session, or (scopes given) through a token of those scopes."""
    limited = None if scopes is None else frozenset(scopes)
    return selectors.actor_for(user, door=door, request_id="r-test", scopes=limited)


def token_for(user: User, *scopes: str) -> str:
    """A raw access token of the user; every scope unless some are named."""
    _, raw = services.issue_token(
        as_actor(user),
        name="of a test",
        scopes=scopes or ("read", "tracking", "registry"),
        expires_in=dt.timedelta(days=1),
    )
    return raw


def _fixture(username: str, display_name: str, *roles: str) -> Callable[[None], User]:
    @pytest.fixture(name=username)
    def person(db: None) -> User:
        return hire(username, display_name, *roles)

    return person


ana = _fixture("ana", "Ana Silva", "contributor")
rui = _fixture("rui", "Rui Costa", "approver")
vera = _fixture("vera", "Vera Lund", "validator")
omar = _fixture("omar", "Omar Haddad", "owner")
aud = _fixture("aud", "Aud Berg", "auditor")
ada = _fixture("ada", "Ada Okafor", "administrator")
otto = _fixture("otto", "Otto Brand")
