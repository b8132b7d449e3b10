"""Step aside from a review; declare a conflict of interest, or take the declaration back.

All of it is for a person in a session of her own. Each takes the locks of the reviews it touches, so that it comes
wholly before or wholly after a signature.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.accounts.models import User
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.registry.models import RegisteredModel
from apps.registry.services.locks import lock_model
from apps.reviews import selectors
from apps.reviews.events import independence as independence_events
from apps.reviews.models import Conflict as Declaration
from apps.reviews.models import ConflictWithdrawal, Recusal, Review, ReviewStatus
from apps.reviews.reads import independence
from apps.reviews.services import rounds
from apps.reviews.services.locks import lock_review
from apps.reviews.services.reasons import check_text


def recuse(actor: Actor, review: Review, *, reason: str) -> Recusal:
    """Step aside: the actor decides nothing about this review, in this round or any later one.

    It counts neither for nor against, and is not undone: who should decide after all is asked in a new review.
    Refuses: somebody who is not asked, who has decided about the live round, who stepped aside already.
    """
    check_text(reason, "reason")
    person = _require_person(actor, "steps aside")
    with verb(actor) as v:
        review = lock_review(review.pk)
        if refusal := selectors.refusal_to_step_aside(actor, review):
            raise refusal
        round_ = review.rounds.order_by("-number")[0]  # there is one from its first moment
        row = Recusal.objects.create(
            review=review, round=round_, user_id=person, reason=reason, created_at=clock.now()
        )
        v.record(
            independence_events.Recused(
                recusal=row.pk,
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                round=round_.pk,
                number=round_.number,
                person=row.user_id,
                reason=reason,
            )
        )
    return row


def declare_conflict(
    actor: Actor,
    model: RegisteredModel,
    *,
    person: User,
    reason: str,
    review: Review | None = None,
) -> Declaration:
    """Say that somebody has a conflict of interest in a model, or in one review of it, oneself or another.

    She signs nothing of it from now on; a signature she gave in a round that still lives counts no more, and what it
    had completed is open again. Refuses: about another, whoever neither manages the model nor signs in it; a
    person who cannot see the model's reviews; a declaration that stands already.
    """
    check_text(reason, "reason")
    declarer = _require_person(actor, "declares a conflict of interest")
    policy.require(actor, "review.read", model)
    if person.pk != actor.user_id and not independence.may_declare_for_others(actor, model):
        raise Forbidden(
            "Only somebody who manages the model or signs in it can declare this about another.",
            hint="You can declare it about yourself.",
        )
    if review is not None and review.version.model_id != model.pk:
        raise Invalid("The review is of another model.", fields={"review": "of another model"})
    if not policy.who_may("review.read", model).filter(pk=person.pk).exists():
        raise Invalid(
            f"{person} does not see reviews of {model.name}.", fields={"person": "not here"}
        )
    with verb(actor) as v:
        model = lock_model(model.pk)
        standing_now = Declaration.objects.filter(
            model=model, review=review, person=person, withdrawal__isnull=True
        )
        if standing_now.exists():
            raise AlreadyExists(f"This is declared about {person} already.")
        row = Declaration.objects.create(
            model=model,
            review=review,
            person=person,
            reason=reason,
            declared_by_id=declarer,
            created_at=clock.now(),
        )
        v.record(independence_events.ConflictDeclared(**_about(row), reason=reason))
        _reopen_what_broke(v, row)
    return row


def withdraw_conflict(actor: Actor, row: Declaration, *, reason: str) -> ConflictWithdrawal:
    """Say that a declared conflict is no more. Rounds that were made while it stood stay closed to the person.

    Refuses: the person herself where somebody else declared it, a declaration that was withdrawn.
    """
    check_text(reason, "reason")
    person = _require_person(actor, "withdraws a declaration")
    if not independence.may_withdraw(actor, row):
        raise Forbidden(
            "Whoever declared it withdraws it, or whoever manages the model; not the person it is about.",
            hint=f"Ask {row.declared_by}.",
        )
    with verb(actor) as v:
        lock_model(row.model_id)
        try:
            with transaction.atomic():
                made = ConflictWithdrawal.objects.create(
                    conflict=row, reason=reason, user_id=person, created_at=clock.now()
                )
        except IntegrityError as error:
            raise Conflict("This declaration was withdrawn already.") from error
        v.record(independence_events.ConflictWithdrawn(**_about(row), reason=reason))
    return made


def _about(row: Declaration) -> dict[str, Any]:
    return {
        "conflict": row.pk,
        "model": row.model_id,
        "review": row.review_id,
        "person": row.person_id,
    }


def _reopen_what_broke(v: Verb, row: Declaration) -> None:
    """Reviews that were signed with the person's signature wait for another one."""
    signed = Review.objects.filter(
        status=ReviewStatus.SIGNED, version__model=row.model_id, version__deleted_at__isnull=True
    )
    if row.review_id is not None:
        signed = signed.filter(pk=row.review_id)
    for pk in signed.order_by("version_id").values_list("pk", flat=True):
        review = lock_review(pk)
        rounds.reopen_if_broken(
            v, review, f"{row.person} signed it and has a declared conflict of interest"
        )


def _require_person(actor: Actor, does: str) -> int:
    if not independence.is_person(actor) or actor.user_id is None:
        raise Forbidden(f"Only a person in a session of her own {does}.")
    return actor.user_id
