"""Write down that an approval is questioned: found in the record by the worker, or declared by a person."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Invalid
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.reviews import rereview, selectors
from apps.reviews.events import rereviews as rereview_events
from apps.reviews.models import DECLARED, Rereview, RereviewTrigger, Review
from apps.reviews.rereview import Need
from apps.reviews.services.reasons import check_text


def require_rereview(actor: Actor, version: ModelVersion) -> list[Rereview]:
    """Write down whatever questions the approvals by which the version is in its targets, each once.

    Called by the worker when something happened to the version or its model, and by a sweep for what time brings about.
    """
    with verb(actor) as v:
        version = lock_version(version.pk)
        return [
            row
            for approval in rereview.approvals_of(version)
            for need in rereview.found(approval)
            if (row := write(v, approval.review, need)) is not None
        ]


def declare_rereview(
    actor: Actor, version: ModelVersion, *, trigger: str, reason: str
) -> list[Rereview]:
    """Say that an incident, or a change of vendor, data or use, questions the approvals of a version in use.

    Refuses: a trigger that is found and not declared, a version that holds no governed target, one whose policy does
    not act on the trigger, the same words twice.
    """
    policy.require(actor, "finding.raise", version)
    check_text(reason, "reason")
    if trigger not in DECLARED:
        raise Invalid(
            "An incident, a change by a vendor, of the data or of the use is declared; the rest is found in the record.",
            fields={"trigger": f"one of {', '.join(DECLARED)}"},
        )
    with verb(actor) as v:
        version = lock_version(version.pk)
        acting = [
            approval.review
            for approval in rereview.approvals_of(version)
            if trigger in selectors.document(approval.review).rereview_on
        ]
        if not acting:
            raise Blocked(_nothing(version, RereviewTrigger(trigger)))
        need = Need(
            RereviewTrigger(trigger), canonical.digest(reason.encode()), reason.strip().rstrip(".")
        )
        rows = [write(v, review, need, actor.user_id) for review in acting]
        if None in rows:
            raise AlreadyExists("This was declared already, in the same words.")
    return [row for row in rows if row is not None]


def _nothing(version: ModelVersion, trigger: RereviewTrigger) -> str:
    if not rereview.approvals_of(version):
        return f"{version} holds no governed target, so there is no approval to question."
    return f"The policy by which {version} was approved does not act on {trigger.label.lower()}."


def write(v: Verb, review: Review, need: Need, declared_by: int | None = None) -> Rereview | None:
    """The row and its event; None if it is there already. The version is locked."""
    try:
        with transaction.atomic():
            row = Rereview.objects.create(
                review=review,
                trigger=need.trigger,
                item=need.item,
                reason=need.reason,
                declared_by_id=declared_by,
                created_at=clock.now(),
            )
    except IntegrityError:
        return None
    v.record(
        rereview_events.RereviewRequired(
            rereview=row.pk,
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            trigger=need.trigger.value,
            item=need.item,
            reason=need.reason,
        )
    )
    return row
