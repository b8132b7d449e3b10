"""Reads of the proposed changes of models' standing."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q, QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry.materiality import NONE_DEMANDED
from apps.registry.models import RegisteredModel
from apps.registry.standing import Standing
from apps.reviews.models import ModelChange, ModelChangeStatus

ROLES = ("approver", "validator")


def _rows() -> QuerySet[ModelChange]:
    rows = ModelChange.objects.select_related("model__team", "model__owner", "proposed_by")
    return rows.select_related("signature__user").order_by("-pk")


def changes_of(model: RegisteredModel) -> QuerySet[ModelChange]:
    """Every proposal about a model, newest first, with its signature."""
    return _rows().filter(model=model)


def open_change(model: RegisteredModel) -> ModelChange | None:
    """The proposal that waits for a signature, if one does."""
    return changes_of(model).filter(status=ModelChangeStatus.OPEN).first()


def find_change(pk: int) -> ModelChange | None:
    """One proposal, whoever asks."""
    return _rows().filter(pk=pk).first()


def get_change(actor: Actor, pk: int) -> ModelChange:
    """One proposal; NotFound if there is none or its model is out of the actor's sight."""
    row = _rows().filter(pk=pk, model__deleted_at__isnull=True).first()
    if row is None or not policy.can(actor, "model.read", row):
        raise NotFound(f"No change CHG-{pk}.")
    return row


def waiting_for(actor: Actor) -> list[ModelChange]:
    """The open proposals that the actor could sign now, oldest first. One query, however many there are."""
    live = RegisteredModel.objects.filter(deleted_at__isnull=True)
    signed_by_me = Q()
    for role in ROLES:
        where = policy.where_may(actor, f"review.sign.{role}", RegisteredModel)
        signed_by_me |= Q(
            model__in=live.filter(where)
        )  # an empty filter is everything, so never joined bare
    rows = _rows().filter(signed_by_me, status=ModelChangeStatus.OPEN)
    rows = rows.exclude(proposed_by_id=actor.user_id).exclude(model__owner_id=actor.user_id)
    return list(rows.order_by("pk"))


def role_of(actor: Actor, change: ModelChange) -> str:
    """The role in which the actor would sign; "" for none."""
    verbs = policy.verbs_on(actor, change)
    return next((role for role in ROLES if f"review.sign.{role}" in verbs), "")


def why_not(actor: Actor, change: ModelChange) -> str:
    """Why this person cannot sign the change, in a sentence; "" if she can."""
    if change.state is not ModelChangeStatus.OPEN:
        return f"{change} is closed: {change.state.label.lower()}."
    if actor.user_id is None or actor.user_id == change.proposed_by_id:
        return "You proposed it, so somebody else must sign it."
    if actor.user_id == change.model.owner_id:
        return "You own the model, so somebody else must sign it."
    if not role_of(actor, change):
        return "It is signed by a validator or an approver of the model."
    return ""


def may_sign(change: ModelChange) -> list[User]:
    """Everybody who could sign the change now."""
    found: dict[int, User] = {}
    for role in ROLES:
        for user in policy.who_may(f"review.sign.{role}", change):
            found[user.pk] = user
    for barred in (change.proposed_by_id, change.model.owner_id):
        found.pop(barred, None)
    return sorted(found.values(), key=str)


def standing_after(change: ModelChange, now: Standing) -> Standing:
    """How the model would stand with the change applied to how it stands now."""
    told = change.after
    after = replace(
        now,
        exposure=told["exposure"],
        purpose_class=told["purpose_class"],
        team=told["team"],
        demanded=told.get("demanded_tier", NONE_DEMANDED),
    )
    for key, value in told["tags"].items():
        after = after.with_tag(key, value)
    return after
