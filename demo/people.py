"""The people of the story: a team at a bank, one for each role."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from apps.accounts import selectors, services
from apps.accounts.models import Team, User
from apps.core.actor import Actor

SYSTEM = Actor.system("shell")
TEAM = ("labour", "Labour market models")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the story, with the means to act as them."""

    role: str
    username: str
    password: str
    token: str


# role, username, name, whether the role holds on the whole site (else on the team)
CAST = (
    ("contributor", "dana", "Dana Whitfield", False),
    ("owner", "omar", "Omar Haddad", False),
    ("validator", "vik", "Vik Sørensen", True),
    ("approver", "rosa", "Rosa Almeida", True),
    ("auditor", "aud", "Aud Bergström", True),
    ("administrator", "adam", "Adam Novák", True),
)


def hire_all() -> dict[str, Person]:
    """Make the team and everybody in it, by role. Passwords are random and chosen by their holders."""
    team = services.create_team(SYSTEM, key=TEAM[0], name=TEAM[1])
    return {
        role: _hire(role, username, name, None if site else team)
        for role, username, name, site in CAST
    }


def _hire(role: str, username: str, name: str, team: Team | None) -> Person:
    temporary, password = secrets.token_urlsafe(18), secrets.token_urlsafe(12)
    user = services.create_user(
        SYSTEM,
        username=username,
        display_name=name,
        password=temporary,
        email=f"{username}@bank.example",
    )
    user = services.change_password(_acting(user), current=temporary, new=password)
    services.grant_role(SYSTEM, role, user, on=team)
    _, token = services.issue_token(
        _acting(user),
        name="demo",
        scopes=("read", "tracking", "registry"),
        expires_in=dt.timedelta(days=90),
    )
    return Person(role, username, password, token)


def _acting(user: User) -> Actor:
    return selectors.actor_for(user, door="shell")
