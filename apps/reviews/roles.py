"""People who hold every role that a policy names, for acts that one person signs alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from apps.accounts import policy
from apps.accounts.policy import Rooted
from apps.accounts.verbs import right_of
from apps.core.actor import Actor


def named(roles: Sequence[str]) -> str:
    """As people say it: "approver and legal"."""
    return " and ".join(role.replace("_", " ") for role in roles)


def among(roles: Sequence[str], verbs: Collection[str]) -> bool:
    """Whether these rights are those of somebody who holds all the roles."""
    return all(right_of(role) in verbs for role in roles)


def require(actor: Actor, roles: Sequence[str], obj: Rooted) -> None:
    """Refuse with Forbidden, naming whom to ask, unless the actor holds all the roles."""
    for role in roles:
        policy.require(actor, right_of(role), obj)


def require_fresh(actor: Actor, roles: Sequence[str], obj: Rooted) -> Actor:
    """Like `require`, on what the database says inside this transaction; returns the actor as of now."""
    for role in roles:
        actor = policy.require_fresh(actor, right_of(role), obj)
    return actor
