"""Reads of delegations: which are in force, and whom a person may sign for at this moment.

A delegation carries no right of its own: whether the delegator still holds the role, and whether either of the two
is kept out, is looked at each time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import cast

from django.db.models import Q, QuerySet, Value

from apps.accounts import policy
from apps.accounts.models import User
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry.models import RegisteredModel
from apps.reviews import quorum
from apps.reviews.models import Delegation, Review, Round
from apps.reviews.policies.document import Step

MAX_DAYS = 90


def _rows() -> QuerySet[Delegation]:
    return Delegation.objects.select_related(
        "delegator", "delegate", "review__version__model", "model", "team", "end__user"
    ).order_by("-pk")


def _in_force(at: dt.datetime) -> QuerySet[Delegation]:
    return _rows().filter(created_at__lte=at, ends_at__gt=at, end__isnull=True)


def in_force_for(review: Review) -> list[Delegation]:
    """The delegations that reach a review now, oldest first, before anybody's rights are looked at."""
    return list(_in_force(clock.now()).filter(_about(review)).order_by("pk"))


def _about(review: Review) -> Q:
    """Those that name the review, its model or the model's team."""
    model = review.version.model
    about = Q(review=review) | Q(model=model)
    return about if model.team_id is None else about | Q(team=model.team_id)


def all_in_force() -> QuerySet[Delegation]:
    """Every delegation in force now."""
    return _in_force(clock.now())


def of_person(user_id: int) -> list[Delegation]:
    """Every delegation a person gave or was given, newest first."""
    return list(_rows().filter(Q(delegator=user_id) | Q(delegate=user_id)))


def get_delegation(actor: Actor, pk: int) -> Delegation:
    """One delegation, for the two it is between and for whoever manages people; NotFound for others."""
    row = _rows().filter(pk=pk).first()
    own = row is not None and actor.user_id in {row.delegator_id, row.delegate_id}
    if row is None or not (own or policy.can(actor, "people.manage")):
        raise NotFound("No such delegation.")
    return row


@dataclass(frozen=True, slots=True)
class Stand:
    """How a delegation stands: in force, ended (with why), or past its time."""

    state: str
    reason: str = ""


def stand(row: Delegation) -> Stand:
    """How a row of `of_person` stands now; no query of its own."""
    end = getattr(row, "end", None)
    if end is not None:
        return Stand("ended", end.reason)
    return Stand("in_force" if row.ends_at > clock.now() else "expired")


def root_of(row: Delegation) -> policy.Rooted:
    """What the delegation is about, as rights see it."""
    return cast("policy.Rooted", row.review or row.model or row.team)  # a constraint: one is set


def scope_of(row: Delegation) -> str:
    """ "review:7", "model:3" or "team:1"."""
    kinds = (("review", row.review_id), ("model", row.model_id), ("team", row.team_id))
    return next(f"{kind}:{pk}" for kind, pk in kinds if pk is not None)


def usable(
    rows: Iterable[Delegation],
    step: Step,
    round_: Round,
    holders: Collection[int],
    taken: Collection[int],
) -> list[Delegation]:
    """Those by which somebody could sign this step now: its role, a delegator who holds it (`holders`), neither of
    the two kept out or behind a decision already (`taken`), a delegate who is fit to sign for anybody."""
    out = quorum.excluded(step, round_) | set(taken)
    found = [
        row
        for row in rows
        if row.role == step.role
        and row.delegator_id in holders
        and out.isdisjoint({row.delegator_id, row.delegate_id})
    ]
    if not found:
        return []
    fit = set(
        policy.fit_to_sign()
        .filter(pk__in={row.delegate_id for row in found})
        .values_list("pk", flat=True)
    )
    return [row for row in found if row.delegate_id in fit]


def ways(
    actor: Actor, review: Review, step: Step, round_: Round, taken: Collection[int]
) -> list[Delegation]:
    """The delegations by which this actor could sign this step now."""
    if not policy.admits(actor, step.verb):
        return []
    mine = [row for row in in_force_for(review) if row.delegate_id == actor.user_id]
    if not mine:
        return []
    return usable(mine, step, round_, holders(step.verb, review, mine), taken)


def any_for(actor: Actor, review: Review) -> bool:
    """Whether anything in force is delegated to the actor here, usable or not."""
    return any(row.delegate_id == actor.user_id for row in in_force_for(review))


def ever_for(actor: Actor, review: Review) -> bool:
    """Whether anything was ever delegated to the actor here, whatever became of it."""
    return _rows().filter(_about(review), delegate=actor.user_id).exists()


def why_not_by(actor: Actor, pk: int) -> str:
    """Why the actor signs nothing by the delegation she named, in a sentence."""
    row = _rows().filter(pk=pk, delegate=actor.user_id).first()
    how = stand(row) if row is not None else None
    if row is not None and how is not None and how.state == "ended":
        return f"The delegation by {row.delegator} was ended: {how.reason.rstrip('.')}."
    if row is not None and how is not None and how.state == "expired":
        return f"The delegation by {row.delegator} is over since {row.ends_at:%Y-%m-%d %H:%M} UTC."
    return "This delegation does not let you sign what is open now."


def holders(verb: str, review: Review, rows: Iterable[Delegation]) -> set[int]:
    """Which of the delegators hold the verb on the review now."""
    people = policy.who_may(verb, review).filter(pk__in={row.delegator_id for row in rows})
    return set(people.values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Lent:
    """What is delegated to one person, with the models where the delegator holds the role now."""

    delegation: Delegation
    models: frozenset[int]

    def reaches(self, review: Review, step: Step) -> bool:
        """Whether it is about this step of this review."""
        return (
            self.delegation.role == step.role
            and review.version.model_id in self.models
            and self.delegation.covers(review)
        )


def lent_to(actor: Actor) -> list[Lent]:
    """Everything delegated to the actor, in two queries however many there are; for the inbox."""
    if actor.user_id is None or not policy.admits(actor, "review.sign.approver"):
        return []
    rows = list(_in_force(clock.now()).filter(delegate=actor.user_id))
    if not rows:
        return []
    parts = [
        RegisteredModel.objects.filter(
            policy.where_signs(row.delegator_id, f"review.sign.{row.role}", RegisteredModel)
        ).values_list("pk", Value(row.pk))
        for row in rows
    ]
    where: dict[int, set[int]] = {}
    for model, delegation in parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0]:
        where.setdefault(delegation, set()).add(model)
    return [Lent(row, frozenset(where.get(row.pk, ()))) for row in rows]


def candidates(model: RegisteredModel) -> QuerySet[User]:
    """Whom one could choose: everybody who sees the model's reviews and is fit to sign."""
    return policy.who_may("review.read", model).filter(pk__in=policy.fit_to_sign().values("pk"))
