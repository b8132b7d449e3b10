"""Ask for a review, and take the request back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid, Tampered
from apps.registry import selectors as registry
from apps.registry import services as registry_services
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.registry.services.retired import refuse_if_retired
from apps.registry.targets import Target
from apps.reviews import evidence, targets_of
from apps.reviews.events import reviews as events
from apps.reviews.models import DraftStatus, Review, ReviewStatus
from apps.reviews.services import rounds
from apps.reviews.services.drafting import close_draft
from apps.reviews.services.locks import lock_review
from apps.reviews.services.pinning import pin
from apps.reviews.services.reasons import check_text


def submit(
    actor: Actor,
    version: ModelVersion,
    *,
    targets: Sequence[Target],
    justification: str,
    wanted_by: dt.date | None = None,
) -> Review:
    """Ask for a version to enter governed targets: freezes it, pins the policy, makes round 1.

    `wanted_by` is the day (UTC) by which the submitter would like it to be there: a wish, from which nothing follows.
    For a target that the version holds already it asks for a new approval: the last signature renews it, nothing moves.
    Refuses: no justification, a wanted day that is over, a target that is not governed, a sandbox model, a version without files, a run that is
    still RUNNING, another active review, damaged bytes.
    """
    policy.require(actor, "review.submit", version)
    check_text(justification, "justification")
    _check_targets(version, targets)
    damage = evidence.damaged_bytes(version)
    if damage:
        raise Tampered(f"{version} cannot be submitted: {damage}.")
    if actor.user_id is None:
        raise Forbidden("A review is asked for by a person.")
    with verb(actor) as v:
        now = clock.now()
        _check_wanted(wanted_by, now.date())
        version = lock_version(version.pk)
        refuse_if_retired(version.model)
        _check_run_ended(version)
        pinned = pin(version, targets)
        try:
            with transaction.atomic():
                review = Review.objects.create(
                    version=version,
                    targets=sorted(str(target) for target in targets),
                    policy_version=pinned,
                    submitted_by_id=actor.user_id,
                    justification=justification,
                    wanted_by=wanted_by,
                    created_at=now,
                )
        except IntegrityError as error:
            raise AlreadyExists(f"{version} is under review already.") from error
        v.record(
            events.ReviewSubmitted(
                review=review.pk,
                version=version.pk,
                model=version.model_id,
                targets=review.targets,
                policy=str(pinned),
                policy_digest=pinned.digest,
                justification=justification,
                wanted_by=wanted_by.isoformat() if wanted_by else "",
            )
        )
        close_draft(v, version, DraftStatus.SUBMITTED)
        review.version = registry_services.freeze(actor, version, review_id=review.pk)
        rounds.make(v, actor, review)
    return review


def _check_targets(version: ModelVersion, targets: Sequence[Target]) -> None:
    if not targets:
        raise Invalid("Choose at least one target.", fields={"targets": "required"})
    if not version.model.is_governed:
        raise Invalid(
            f"{version.model.name} is a sandbox model: it is not governed, so there is nothing to approve.",
            fields={"targets": "sandbox model"},
        )
    if not version.manifest:
        raise Invalid(
            f"{version} has no files here: an approval needs bytes to be bound to.",
            fields={"targets": "no files"},
        )
    for target in targets:
        if not registry.is_governed(version.model, target):
            raise Invalid(
                f"{target.label} is not governed; set it without a review.",
                fields={"targets": f"{target.label} is not governed"},
            )


def _check_wanted(day: dt.date | None, today: dt.date) -> None:
    if day is not None and day < today:
        raise Invalid(
            "The day by which it is wanted is over.",
            fields={
                "wanted_by": f"{day.isoformat()} is over: today ({today.isoformat()}, UTC) or later."
            },
        )


def _check_run_ended(version: ModelVersion) -> None:
    if version.run is not None and version.run.status in {"RUNNING", "SCHEDULED"}:
        raise Blocked(
            f"Run {version.run.name} is still {version.run.status}: end it, then submit.",
            hint="In Python: mlflow.end_run(), or client.set_terminated(run_id).",
        )


def withdraw(actor: Actor, review: Review, *, reason: str) -> Review:
    """Take a request back; thaws the version if nobody had decided anything.

    What was entered by its approval stays approved: then the review closes as promoted, and what it let the version
    enter besides (an environment without a deployment yet) is revoked. Refuses: anybody but the submitter or somebody with review.withdraw on the model, a closed review.
    """
    policy.require(actor, "review.withdraw", review)
    check_text(reason, "reason")
    with verb(actor) as v:
        review = lock_review(review.pk)
        if not review.state.is_active:
            raise Conflict(f"{review.key} is {review.state.label.lower()} already.")
        if targets_of.used(review):
            rounds.revoke_unused(actor, review, f"withdrawn: {reason}")
            close(v, review, ReviewStatus.PROMOTED, f"what was left is withdrawn: {reason}")
            return review
        rounds.void(v, actor, review, "the review was withdrawn")
        close(v, review, ReviewStatus.WITHDRAWN, reason)
        if not review.version.decided:
            registry_services.thaw(actor, review.version)
    return review


def close(v: Verb, review: Review, status: ReviewStatus, reason: str) -> None:
    """Close a locked review for good."""
    review.status, review.closed_at, review.note = status, clock.now(), reason
    review.save(update_fields=["status", "closed_at", "note"])
    v.record(
        events.ReviewClosed(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            status=status.value,
            reason=reason,
        )
    )


def note_promotion(actor: Actor, review: Review) -> None:
    """Close a signed review whose every target is held; idempotent. For promotions through the client."""
    with verb(actor) as v:
        review = lock_review(review.pk)
        used = set(targets_of.used(review))
        if review.state is ReviewStatus.SIGNED and set(review.target_list) <= used:
            close(v, review, ReviewStatus.PROMOTED, "")
