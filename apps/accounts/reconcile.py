"""Replay the ledger's events and compare what they say with the tables that decide who may do what.

Compared: every role held on the site, a team, an experiment or a model, and every role lent until a moment; every membership of a directory group; who is
active; how many accounts at providers are bound to each person; which verbs each role has (against the migration that
seeded them). Not compared: passwords and tokens, of which the ledger holds nothing that could be compared, and names.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.apps import apps

from apps.accounts import migrations
from apps.accounts.events import (
    GroupsChanged,
    IdentityLinked,
    RoleGranted,
    RoleLent,
    RoleRevoked,
    RoleTakenBack,
    UserCreated,
    UserDeactivated,
    UserReactivated,
)
from apps.accounts.models import (
    ROLE_PREFIX,
    Identity,
    LentRole,
    RoleAssignment,
    RoleVerb,
    User,
)
from apps.accounts.roots import KINDS, role_models
from apps.audits.reconcile import Difference
from apps.audits.selectors import replay

SEEDS = "apps.accounts.migrations.0002_roles"
Holding = tuple[str, str, str]


@dataclass(slots=True)
class _Said:
    """What the events add up to."""

    roles: set[Holding] = field(default_factory=set)
    lent: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    memberships: set[tuple[int, int]] = field(default_factory=set)
    active: dict[int, bool] = field(default_factory=dict)
    identities: dict[int, int] = field(default_factory=dict)


def differences() -> Iterator[Difference]:
    """Every difference, each naming who holds what the ledger does not give, or lacks what it gives."""
    said = _replay()
    yield from _roles(said.roles)
    yield from _lent(said.lent)
    yield from _memberships(said.memberships)
    yield from _people(said)
    yield from _verbs()


def _replay() -> _Said:
    said = _Said()
    for event in replay(*_APPLY):
        _APPLY[event.type](said, event.payload)
    return said


def _roles(said: set[Holding]) -> Iterator[Difference]:
    held = _held()
    for role, holder, on in sorted(held - said):
        yield Difference(holder, f"holds the role {role} on {on}, which the ledger does not give")
    for role, holder, on in sorted(said - held):
        yield Difference(holder, f"lacks the role {role} on {on}, which the ledger gives")


def _lent(said: dict[tuple[str, str, str, str], str]) -> Iterator[Difference]:
    """Roles until a moment: each stands until when the ledger says, and was taken back only where it says so."""
    rows = LentRole.objects.filter(ended_at__isnull=True)
    fields = ("role_id", "user_id", "model_id", "grounds", "until")
    held = {
        (role, f"user:{user}", f"model:{model}", grounds): until.isoformat()
        for role, user, model, grounds, until in rows.values_list(*fields)
    }
    for key in sorted(held.keys() | said.keys()):
        if held.get(key) != said.get(key):
            role, holder, on, grounds = key
            has, told = held.get(key, "not at all"), said.get(key, "not at all")
            yield Difference(
                holder, f"is lent {role} on {on} for {grounds} until {has}, the ledger says {told}"
            )


def _held() -> set[Holding]:
    site = RoleAssignment.objects.values_list("role_id", "user_id", "group_id")
    held = {
        (role, f"user:{user}" if user else f"group:{group}", "site") for role, user, group in site
    }
    for label, kind in KINDS.items():
        root: Any = apps.get_model(label)
        for rows, holder in zip(role_models(root), ("user", "group"), strict=True):
            fields = ("permission__codename", f"{holder}_id", "content_object_id")
            for codename, who, on in rows.objects.values_list(*fields):
                role = codename.removeprefix(ROLE_PREFIX)
                held.add((role, f"{holder}:{who}", f"{kind.word}:{on}"))
    return held


def _memberships(said: set[tuple[int, int]]) -> Iterator[Difference]:
    present = set(User.groups.through.objects.values_list("user_id", "group_id"))
    for user, group in sorted(present - said):
        yield Difference(f"user:{user}", f"is in group:{group}, which the ledger does not say")
    for user, group in sorted(said - present):
        yield Difference(f"user:{user}", f"is not in group:{group}, which the ledger says")


def _people(said: _Said) -> Iterator[Difference]:
    bound: dict[int, int] = {}
    for (user,) in Identity.objects.values_list("user_id"):
        bound[user] = bound.get(user, 0) + 1
    found = dict(User.objects.values_list("pk", "is_active"))
    for user in sorted(found.keys() | said.active.keys()):
        subject = f"user:{user}"
        if user not in said.active:
            yield Difference(subject, "exists, but the ledger does not say who made it")
        elif user not in found:
            yield Difference(subject, "is missing, although nobody is ever deleted")
        elif found[user] != said.active[user]:
            state = "active" if found[user] else "deactivated"
            yield Difference(subject, f"is {state}, the ledger says otherwise")
        if bound.get(user, 0) != said.identities.get(user, 0):
            yield Difference(
                subject,
                f"is bound to {bound.get(user, 0)} accounts at providers,"
                f" the ledger says {said.identities.get(user, 0)}",
            )


def _verbs() -> Iterator[Difference]:
    seeded = {
        (role, verb) for role, _label, _text, verbs in import_module(SEEDS).ROLES for verb in verbs
    }
    for module in _later_seeds():
        more = import_module(module).VERBS
        seeded |= {(role, verb) for role, verbs in more.items() for verb in verbs}
    present = set(RoleVerb.objects.values_list("role_id", "verb"))
    for role, verb in sorted(present ^ seeded):
        has = "has" if (role, verb) in present else "lacks"
        yield Difference(f"role:{role}", f"{has} the verb {verb}, unlike the role that was seeded")


def _later_seeds() -> Iterator[str]:
    """The migrations that gave roles more verbs: each has a dictionary VERBS of role to verbs."""
    for found in pkgutil.iter_modules(migrations.__path__, f"{migrations.__name__}."):
        if found.name.endswith("_verbs"):
            yield found.name


def _granted(said: _Said, p: dict[str, Any]) -> None:
    said.roles.add((p["role"], p["holder"], p["on"]))


def _revoked(said: _Said, p: dict[str, Any]) -> None:
    said.roles.discard((p["role"], p["holder"], p["on"]))


def _role_lent(said: _Said, p: dict[str, Any]) -> None:
    for on in p["on"]:
        said.lent[p["role"], p["holder"], on, p["grounds"]] = p["until"]


def _taken_back(said: _Said, p: dict[str, Any]) -> None:
    for on in p["on"]:
        said.lent.pop((p["role"], p["holder"], on, p["grounds"]), None)


def _groups(said: _Said, p: dict[str, Any]) -> None:
    said.memberships |= {(p["user"], group) for group in p["joined"]}
    said.memberships -= {(p["user"], group) for group in p["left"]}


def _active(said: _Said, p: dict[str, Any]) -> None:
    said.active[p["user"]] = True


def _inactive(said: _Said, p: dict[str, Any]) -> None:
    said.active[p["user"]] = False


def _linked(said: _Said, p: dict[str, Any]) -> None:
    said.identities[p["user"]] = said.identities.get(p["user"], 0) + 1


_APPLY = {
    RoleGranted.type: _granted,
    RoleRevoked.type: _revoked,
    RoleLent.type: _role_lent,
    RoleTakenBack.type: _taken_back,
    GroupsChanged.type: _groups,
    UserCreated.type: _active,
    UserReactivated.type: _active,
    UserDeactivated.type: _inactive,
    IdentityLinked.type: _linked,
}
