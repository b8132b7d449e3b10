"""Reads of recusals and conflicts of interest. Who they keep out of a round is `quorum.barred`."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apps.accounts import policy
from apps.accounts.verbs import is_signing
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotFound
from apps.registry.models import RegisteredModel
from apps.reviews.models import Conflict, Recusal, Review


def _conflicts() -> QuerySet[Conflict]:
    return Conflict.objects.select_related(
        "model", "review", "person", "declared_by", "withdrawal__user"
    ).order_by("-pk")


def conflicts_of(model: RegisteredModel) -> list[Conflict]:
    """Every conflict ever declared in a model, newest first."""
    return list(_conflicts().filter(model=model))


def conflicts_about(review: Review) -> list[Conflict]:
    """The declarations that touch a review: of its model as a whole, or of it alone; newest first."""
    about = Q(review__isnull=True) | Q(review=review)
    return list(_conflicts().filter(about, model=review.version.model_id))


def standing_conflicts(model: RegisteredModel, person_id: int) -> QuerySet[Conflict]:
    """What stands about one person in the whole model now."""
    return Conflict.objects.filter(
        model=model, review__isnull=True, person_id=person_id, withdrawal__isnull=True
    )


def stands(row: Conflict) -> bool:
    """Whether a row of `conflicts_of` was not withdrawn; no query of its own. One about a single review does not
    reach a review that is yet to be asked for."""
    return getattr(row, "withdrawal", None) is None


def get_conflict(actor: Actor, pk: int) -> Conflict:
    """One declaration; NotFound if there is none or its model is out of the actor's sight."""
    row = _conflicts().filter(pk=pk).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound("No such declaration.")
    return row


def recusals_of(review: Review) -> list[Recusal]:
    """Who stepped aside from a review, oldest first."""
    return list(review.recusals.select_related("user", "round").order_by("pk"))


def may_declare_for_others(actor: Actor, model: RegisteredModel) -> bool:
    """Whoever manages the model or signs in it may say that somebody else has a conflict of interest."""
    verbs = policy.verbs_on(actor, model)
    return "model.manage" in verbs or any(map(is_signing, verbs))


def may_withdraw(actor: Actor, row: Conflict) -> bool:
    """Whoever declared it; of another's, whoever manages the model too, but never the person it is about."""
    if actor.user_id == row.declared_by_id:
        return True
    return actor.user_id != row.person_id and policy.can(actor, "model.manage", row)


def is_person(actor: Actor) -> bool:
    """A human being in a session of her own: what nobody does by a token."""
    return actor.kind is ActorKind.HUMAN and actor.scopes is None and actor.user_id is not None
