"""Rounds: made by an explicit act, ended by a new one or by what they rest on."""

from __future__ import annotations

from apps.accounts import policy
from apps.audits import selectors as audits
from apps.audits.log import Verb, verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Tampered
from apps.registry import services as registry
from apps.reviews import evidence, quorum, selectors, targets_of
from apps.reviews.events import independence as independence_events
from apps.reviews.events import reviews as events
from apps.reviews.models import Review, ReviewStatus, Round
from apps.reviews.reads import expiry
from apps.reviews.services.locks import lock_review
from apps.reviews.services.pinning import pin


def new_round(
    actor: Actor, review: Review, *, because: str = "new evidence", rebase: bool = False
) -> Round:
    """Fix the evidence as it is now as the next round; the signatures of the old one are void.

    The review keeps the policy it was asked for under, unless it is re-based on those in force now.
    Refuses: a closed or expired review, damaged bytes, an actor without review.submit on the model.
    """
    policy.require(actor, "review.submit", review)
    damage = evidence.damaged_bytes(review.version)
    if damage:
        raise Tampered(f"A round cannot be made: {damage}.")
    with verb(actor) as v:
        review = lock_review(review.pk)
        late = expiry.refusal(review)
        if late is not None:
            raise late
        if not review.state.is_active:
            raise Conflict(f"{review.key} is {review.state.label.lower()}; ask for a new review.")
        used = targets_of.used(review)
        if used:
            raise Conflict(
                f"By {review.key} the version entered {', '.join(t.label for t in used)}: its evidence stays as it was "
                "signed.",
                hint="Withdraw what is left of it, then ask for a new review.",
            )
        void(v, actor, review, f"{because} (round {review.rounds.count() + 1})")
        review.status = ReviewStatus.OPEN
        if rebase:
            review.policy_version = pin(review.version, review.target_list)
        review.save(update_fields=["status", "policy_version"])
        return make(v, actor, review)


def make(v: Verb, actor: Actor, review: Review) -> Round:
    """Write the next round of a locked review."""
    if actor.user_id is None:
        raise Forbidden("A round is made by a person.")
    number = review.rounds.count() + 1
    document = selectors.document(review)
    authors = sorted(evidence.authors(review.version, review.submitted_by_id))
    manifest = evidence.build(review, number, document, authors)
    row = Round.objects.create(
        review=review,
        number=number,
        manifest=manifest,
        digest=canonical.digest(manifest),
        authors=authors,
        owner_id=review.version.model.owner_id,
        ledger_size=audits.head().size,
        created_by_id=actor.user_id,
        created_at=clock.now(),
    )
    v.record(
        events.RoundMade(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=row.pk,
            number=number,
            digest=row.digest,
        )
    )
    return row


def void(v: Verb, actor: Actor, review: Review, reason: str) -> None:
    """End the live round of a locked review, if there is one, and revoke what it had authorized."""
    row = selectors.live_round(review)
    if row is None:
        return
    row.voided_at, row.void_reason = clock.now(), reason
    row.save(update_fields=["voided_at", "void_reason"])
    registry.revoke_authorizations(
        actor, review.version, round_id=row.pk, reason=f"{review.key}: {reason}"
    )
    v.record(
        events.RoundVoided(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=row.pk,
            number=row.number,
            digest=row.digest,
            reason=reason,
        )
    )


def revoke_unused(actor: Actor, review: Review, reason: str) -> None:
    """Revoke what the live round of a locked review authorized and nobody used; the round lives on."""
    row = selectors.live_round(review)
    if row is not None:
        why = f"{review.key}: {reason}"
        registry.revoke_authorizations(actor, review.version, round_id=row.pk, reason=why)


def reopen_if_broken(v: Verb, review: Review, reason: str) -> None:
    """Open a locked, signed review again if its quorum is not complete any more; what it had authorized is revoked.

    The round lives on, and the signatures of the others count as before.
    """
    row = selectors.live_round(review)
    if row is None or review.state is not ReviewStatus.SIGNED:
        return
    decisions = quorum.decisions_of(row)
    if quorum.is_complete(quorum.steps(selectors.document(review), row, decisions), decisions):
        return
    registry.revoke_authorizations(
        Actor.system("worker"),
        review.version,
        round_id=row.pk,
        reason=f"{review.key}: {reason}",
    )
    review.status, review.note = ReviewStatus.OPEN, ""
    review.save(update_fields=["status", "note"])
    v.record(
        independence_events.ReviewReopened(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=row.pk,
            reason=reason,
        )
    )


def void_live_round(actor: Actor, review: Review, *, reason: str) -> None:
    """End the live round because something under it is gone. Called by the worker and by signing."""
    with verb(actor) as v:
        review = lock_review(review.pk)
        if review.state.is_active:
            void(v, actor, review, reason)
            review.status = ReviewStatus.OPEN
            review.save(update_fields=["status"])


def void_if_lost(actor: Actor, review: Review) -> str:
    """Void the live round if an item of it was recalled; returns the reason, or ""."""
    row = selectors.live_round(review)
    lost = evidence.lost_items(row) if row is not None else []
    if lost:
        void_live_round(actor, review, reason=lost[0])
    return lost[0] if lost else ""
