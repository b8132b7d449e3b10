"""Reads of simulations: the newest of a change, whether it is out of date, and what it says as data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from apps.core import canonical
from apps.core.actor import Actor
from apps.core.errors import Tampered
from apps.registry import selectors as registry
from apps.reviews import in_force
from apps.reviews.models import PolicyChange, PolicySimulation
from apps.reviews.policies.document import PolicyDocument, parse


@dataclass(frozen=True, slots=True)
class Changed:
    """One past review or version in use that would come out differently, and why."""

    what: str
    pk: int
    version: int
    label: str
    ended: str
    targets: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """The cases of one kind: those that the reader may see, how many there are in all, and how many of those that are
    told one by one are out of her sight."""

    total: int
    seen: tuple[Changed, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What one simulation says. `is_current` tells whether it is about what is in force now."""

    row: PolicySimulation
    is_current: bool
    reviews: int
    versions: int
    blocked: Changes
    let_through: Changes
    asked: Changes
    unreadable: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return any(each.total for each in (self.blocked, self.let_through, self.asked))


def in_force_now() -> tuple[str, dict[int, PolicyDocument]]:
    """The policies in force by the id of their version, and one digest of them all."""
    rows = list(in_force.active())
    basis = canonical.digest_of(sorted(row.digest for row in rows))
    return basis, {row.pk: parse(row.document) for row in rows}


def newest(change: PolicyChange) -> PolicySimulation | None:
    """The last one made of the change; None if none was."""
    return PolicySimulation.objects.filter(change=change).order_by("-pk").first()


def current(change: PolicyChange) -> PolicySimulation | None:
    """The newest, unless something else is in force since."""
    row = newest(change)
    return row if row is not None and row.basis == in_force_now()[0] else None


def read(actor: Actor, change: PolicyChange) -> Simulation | None:
    """The newest simulation of a change as data, without what the actor may not see; None if there is none.

    Raises Tampered if its bytes are not what its digest says.
    """
    row = newest(change)
    if row is None:
        return None
    data = bytes(row.result)
    if canonical.digest(data) != row.digest:
        raise Tampered(f"The {row} is not what its digest says.")
    told = json.loads(data)
    kinds = {name: [_changed(each) for each in told[name]] for name in _KINDS}
    visible = _visible(actor, (each for rows in kinds.values() for each in rows))
    found = {
        name: Changes(
            told["counts"][name],
            seen := tuple(each for each in rows if each.version in visible),
            len(rows) - len(seen),
        )
        for name, rows in kinds.items()
    }
    return Simulation(
        row=row,
        is_current=change.state.value != "open" or row.basis == in_force_now()[0],
        reviews=told["counts"]["reviews"],
        versions=told["counts"]["versions"],
        unreadable=tuple(told["unreadable"]),
        **found,
    )


_KINDS = ("blocked", "let_through", "asked")


def _changed(told: dict[str, object]) -> Changed:
    value = {**told, "pk": told["id"]}
    del value["id"]
    value["targets"], value["reasons"] = tuple(told["targets"]), tuple(told["reasons"])  # type: ignore[arg-type]
    return Changed(**value)  # type: ignore[arg-type]


def _visible(actor: Actor, rows: Iterable[Changed]) -> set[int]:
    wanted = {row.version for row in rows}
    found = registry.visible_versions(actor).filter(pk__in=wanted)
    return set(found.values_list("pk", flat=True))
