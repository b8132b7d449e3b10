"""What a proposal of a policy would be, before anybody proposes it: the number, the redline, what it loosens, who must sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Max

from apps.accounts import policy as rights
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.reviews import in_force
from apps.reviews.models import PENDING, ChangeStatus, PolicyChange, PolicyVersion
from apps.reviews.policies import combine, compare
from apps.reviews.policies.document import PolicyDocument, parse
from apps.reviews.reads import policies as policy_list
from apps.reviews.reads import reach

# How many must sign; the trigger reviews_guard_change says the same.
LOOSENING: Final = 2
OTHERWISE: Final = 1


# A change that comes into force in so many days was forgotten by then.
FURTHEST_DAYS: Final = 730


@dataclass(frozen=True, slots=True)
class Preview:
    """`contradicts` and `waiting` stand in the way; an empty `redline` of a change does too."""

    document: PolicyDocument
    replaces: PolicyVersion | None
    redline: Sequence[compare.Change]
    loosens: Sequence[str]
    needed: int
    contradicts: Sequence[str]
    waiting: PolicyChange | None
    reach: reach.Reach

    @property
    def in_the_way(self) -> list[str]:
        """Why it could not be proposed now, a sentence each; [] if it could."""
        found = list(self.contradicts)
        if self.waiting is not None:
            found.append(
                f"{self.waiting} is another change of this policy that is not decided yet."
            )
        if not self.redline:
            found.append("It asks for the same as the version in force.")
        return found


def numbered(draft: PolicyDocument) -> PolicyDocument:
    """With the number that the site gives. Raises Invalid for the key of a combination."""
    if "+" in draft.key:
        raise Invalid("A key has no +: it is for combinations.", fields={"key": "no +"})
    last = PolicyVersion.objects.filter(key=draft.key).aggregate(last=Max("number"))["last"] or 0
    return draft.model_copy(update={"number": last + 1})


def loosened(old: PolicyDocument | None, new: PolicyDocument) -> list[str]:
    """All that the new version lets through, in itself and by what else is in force."""
    return (compare.loosenings(old, new) if old else []) + in_force.releases(old, new)


def needed(loosens: Sequence[str]) -> int:
    """How many must sign."""
    return LOOSENING if loosens else OTHERWISE


def moment(day: dt.date | None) -> dt.datetime | None:
    """The beginning of that day, in UTC; None for at once. Raises Invalid for one that is not ahead, or too far."""
    if day is None:
        return None
    ahead = (day - clock.now().date()).days
    if not 0 < ahead <= FURTHEST_DAYS:
        raise Invalid(
            f"{day} is not a day within two years from tomorrow (in UTC).",
            fields={"effective_on": "Expected a day within two years from tomorrow, in UTC."},
        )
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def why_not_withdraw(actor: Actor, change: PolicyChange) -> str:
    """Why this person cannot take the change back, in a sentence; "" if she can."""
    if change.state not in PENDING:
        return f"{change} is closed: {change.state.label.lower()}."
    if change.state is ChangeStatus.OPEN or actor.user_id == change.proposed_by_id:
        may = rights.can(actor, "policy.edit")
        return "" if may else "A proposal is withdrawn by those who may propose."
    if rights.can(actor, "policy.sign"):
        return ""
    return "What is signed is withdrawn by its proposer, or by those who may sign it."


def contradictions(document: PolicyDocument) -> list[str]:
    """Which policies in force ask for what cannot hold together with this one, and what it is."""
    found = []
    for row in in_force.active().exclude(key=document.key):
        try:
            combine.combine([document, parse(row.document)])
        except Invalid as error:
            found.append(f"With {row.title} ({row}): {error}")
    return found


def preview(actor: Actor, draft: PolicyDocument) -> Preview:
    """What proposing this document would say now; nothing is written. Raises Invalid for the key of a combination."""
    document = numbered(draft)
    replaces = in_force.of_key(document.key)
    old = parse(replaces.document) if replaces else None
    loosens = loosened(old, document)
    return Preview(
        document=document,
        replaces=replaces,
        redline=compare.redline(old, document),
        loosens=loosens,
        needed=needed(loosens),
        contradicts=contradictions(document),
        waiting=policy_list.pending().filter(key=document.key).first(),
        reach=reach.of(actor, old, document),
    )
