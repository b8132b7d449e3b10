"""Lending a role on models until a moment, and taking it back before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from apps.accounts import policy
from apps.accounts.events import RoleLent, RoleTakenBack
from apps.accounts.models import LentRole, User
from apps.accounts.services.roles import check_holder, holder_id, lock_holders
from apps.accounts.verbs import OBJECT_ROLES
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid

LEND: Final = "people.manage"


def lend_role(
    actor: Actor,
    role: str,
    holder: User,
    *,
    on: Sequence[policy.Rooted],
    until: dt.datetime,
    grounds: str,
) -> None:
    """Give a person a role on models until a moment; she holds it no more from then on, whatever runs or does not.

    Refuses: who may not give roles, giving one to oneself, a service, a deactivated person, a moment that is over, grounds for
    which she has it already. A role that she holds otherwise is not touched by it, neither now nor when it ends.
    """
    roots = [each.policy_root() for each in on]
    if role not in OBJECT_ROLES or not roots or until <= clock.now():
        raise Invalid("A role is lent on models, until a moment that is still to come.")
    with verb(actor) as v:
        policy.require(actor, LEND)
        lock_holders(holder)
        check_holder(actor, role, holder)
        if LentRole.objects.filter(user=holder, role_id=role, grounds=grounds).exists():
            raise Conflict(f"{holder} has been lent this role for this already.")
        now = clock.now()
        LentRole.objects.bulk_create(
            LentRole(
                user=holder,
                role_id=role,
                model_id=root.pk,
                grounds=grounds,
                since=now,
                until=until,
            )
            for root in roots
        )
        places = tuple(policy.root_id(root) for root in roots)
        v.record(
            RoleLent(
                role=role,
                holder=holder_id(holder),
                holder_name=str(holder),
                on=places,
                grounds=grounds,
                until=until.isoformat(),
            )
        )


def take_back(actor: Actor, grounds: str) -> int:
    """End whatever was lent for these grounds; how many people it was. Before its time only by who may give roles."""
    with verb(actor) as v:
        rows = list(_open(grounds).select_related("user"))
        early = any(row.until > clock.now() for row in rows)
        if early:
            policy.require(actor, LEND)
        people = {row.user_id: row.user for row in rows}
        for _pk, person in sorted(people.items()):
            lock_holders(person)
        _open(grounds).update(ended_at=clock.now())
        for event in _taken(rows, grounds, early=early):
            v.record(event)
    return len(people)


def _open(grounds: str) -> Any:
    return LentRole.objects.filter(grounds=grounds, ended_at__isnull=True).order_by("pk")


def _taken(rows: Sequence[LentRole], grounds: str, *, early: bool) -> list[RoleTakenBack]:
    """One event per person and role."""
    found: dict[tuple[int, str], list[LentRole]] = {}
    for row in rows:
        found.setdefault((row.user_id, row.role_id), []).append(row)
    return [
        RoleTakenBack(
            role=role,
            holder=holder_id(lent[0].user),
            holder_name=str(lent[0].user),
            on=tuple(f"model:{row.model_id}" for row in lent),
            grounds=grounds,
            early=early,
        )
        for (_user, role), lent in found.items()
    ]
