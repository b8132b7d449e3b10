"""What becomes of a refused promotion when its client asked for that: a draft of a request, which a person submits."""

from __future__ import annotations

from typing import Final

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.registry.targets import Target
from apps.reviews import selectors
from apps.reviews.events import drafts as draft_events
from apps.reviews.models import DraftStatus, ReviewDraft
from apps.reviews.reads import drafts

# A tag of the version, or of its model: its value is the reason that the draft begins with.
TAG: Final = "request_review"
_REASON: Final = "Asked for by a client that tried to promote it."


def keep_draft(actor: Actor, version: ModelVersion, target: Target) -> str:
    """The address where the request is finished, if the version or its model carries the tag; else "".

    Named by settings.AFTER_REFUSAL; called when the refused promotion is rolled back, in a transaction of its own. Keeps
    nothing for a version that is under review already: that review is the request.
    """
    reason = registry.tag_of(version, TAG)
    if reason is None or actor.user_id is None:
        return ""
    with verb(actor) as v:
        version = lock_version(version.pk)
        if selectors.active_reviews_of(version.pk).exists():
            return ""
        _keep(v, actor.user_id, version, target, reason.strip() or _REASON)
    return registry.version_url(version, "submit/")


def _keep(v: Verb, asker: int, version: ModelVersion, target: Target, reason: str) -> None:
    row = drafts.open_draft(version)
    if row is not None and str(target) in row.targets and row.reason == reason:
        return
    if row is None:
        row = ReviewDraft.objects.create(
            version=version,
            targets=[str(target)],
            reason=reason,
            asked_by_id=asker,
            created_at=clock.now(),
        )
    else:
        row.targets = sorted({*row.targets, str(target)})
        row.reason = reason
        row.save(update_fields=["targets", "reason"])
    v.record(
        draft_events.ReviewDrafted(
            draft=row.pk,
            version=version.pk,
            model=version.model_id,
            targets=row.targets,
            reason=reason,
        )
    )


def discard_draft(actor: Actor, draft: ReviewDraft) -> None:
    """Put a draft away; whoever may submit it may, and whoever asked for it."""
    if draft.asked_by_id != actor.user_id:
        policy.require(actor, "review.submit", draft)
    with verb(actor) as v:
        version = lock_version(draft.version_id)
        if not close_draft(v, version, DraftStatus.DISCARDED):
            raise Conflict("It was submitted or discarded meanwhile.")


def close_draft(v: Verb, version: ModelVersion, status: DraftStatus) -> bool:
    """End the open draft of a locked version, if there is one."""
    row = drafts.open_draft(version)
    if row is None:
        return False
    row.status = status
    row.save(update_fields=["status"])
    v.record(
        draft_events.DraftClosed(
            draft=row.pk, version=version.pk, model=version.model_id, status=status.value
        )
    )
    return True
