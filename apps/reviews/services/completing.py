"""What a complete quorum brings about: the authorizations, and the promotion if every gate passes at that moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.registry import gates
from apps.registry import services as registry
from apps.registry.targets import Target
from apps.reviews import quorum, selectors, targets_of
from apps.reviews.events import reviews as events
from apps.reviews.models import Review, ReviewStatus, Round
from apps.reviews.services.locks import lock_review
from apps.reviews.services.submitting import close


def complete(v: Verb, actor: Actor, review: Review, round_: Round) -> None:
    """If the quorum is complete: authorize every target, and promote if every gate passes now."""
    document = selectors.document(review)
    decisions = quorum.decisions_of(round_)
    if not quorum.is_complete(quorum.steps(document, round_, decisions), decisions):
        return
    terms = document.terms()
    for target in review.target_list:
        registry.authorize(
            actor,
            review.version,
            target=target,
            review_id=review.pk,
            round_id=round_.pk,
            evidence_digest=round_.digest,
            terms=terms,
            expires_at=clock.now() + dt.timedelta(days=document.approval_days),
        )
    at_once = targets_of.entered_at_once(review, review.target_list)
    results = gates.evaluate(review.version, review.target_list, terms)
    blocked = [f"{gate.title}: {gate.fact}" for gate in results if not gate.passes]
    on_request = document.promote == "on_request"
    v.record(
        events.QuorumCompleted(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=round_.pk,
            blocked=blocked,
        )
    )
    review.status = ReviewStatus.SIGNED
    review.note = "; ".join(blocked or targets_of.waiting(review.target_list))
    review.save(update_fields=["status", "note"])
    if not blocked and not on_request:
        _enter(v, actor, review, at_once)


def _enter(v: Verb, actor: Actor, review: Review, at_once: Sequence[Target]) -> None:
    """Promote into what is entered at once, and close the review if nothing waits for a deployment."""
    if at_once:
        registry.promote(actor, review.version, targets=at_once)
    if len(at_once) == len(review.target_list):
        close(v, review, ReviewStatus.PROMOTED, "")


def promote_signed(actor: Actor, review: Review) -> Review:
    """Promote what is signed and was held back by a gate; any contributor may ask.

    Refuses (Blocked): a gate that still does not pass, an expired or revoked authorization. An environment is not
    entered by this but by the first deployment recorded there (Conflict if nothing else is left).
    """
    policy.require(actor, "review.submit", review)
    with verb(actor) as v:
        review = lock_review(review.pk)
        if review.state is not ReviewStatus.SIGNED:
            raise Conflict(f"{review.key} is {review.state.label.lower()}.")
        left = targets_of.left(review)
        at_once = targets_of.entered_at_once(review, left)
        if left and not at_once:
            raise Conflict(f"Of {review.key} is left: {'; '.join(targets_of.waiting(left))}.")
        registry.promote(actor, review.version, targets=at_once or review.target_list)
        review.note = "; ".join(targets_of.waiting(left))
        review.save(update_fields=["note"])
        if len(at_once) == len(left):
            close(v, review, ReviewStatus.PROMOTED, "")
    return review
