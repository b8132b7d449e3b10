"""What a version may and must not be used for, who read it, and who must have.

The wording is that of the card's revision which the last approval pinned: people signed for it. A newer revision that words
either block otherwise is named, and counts once an approval pins it; it asks again then. A revision of other blocks does not. Where
nobody approved the version, the newest revision is all there is.

With settings.USES_ACKNOWLEDGED_FIRST, who may read a version but not edit its model gets its files, and passes the gate of a
deployment, only after she said that she read it. For a service somebody who answers for it says so. Files that are a run's or
a logged model's too: `use_gate.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Exists, OuterRef

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import ServiceOwner, User
from apps.audits.log import verb
from apps.compliance.assembly import pinned
from apps.compliance.events import UsesAcknowledged
from apps.compliance.models import UseAcknowledgement
from apps.core import canonical, clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.modelcards import revisions
from apps.modelcards import selectors as cards
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews

READ: Final = "model.read"
BLOCKS: Final = ("primary_uses", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Uses:
    """The two blocks in Markdown, in the wording that counts; `digest` is that of their wording, "" while nobody wrote either.

    `review` is the one that approved it, None where nobody did; `newer` the newest revision, where that words either block
    otherwise, else 0.
    """

    intended: str
    prohibited: str
    digest: str
    revision: int
    card_digest: str
    review: int | None = None
    newer: int = 0


def uses_of(version: ModelVersion) -> Uses:
    """The wording that the last approval pinned, else the newest. Raises Tampered where bytes are not what a digest says."""
    round_, latest = reviews.round_behind(version), cards.latest_revision(version)
    if round_ is None:
        return _worded(latest)
    approved = _worded(pinned.revision(version, evidence.read(round_)), round_.review_id)
    newest = _worded(latest)
    return (
        approved if approved.digest == newest.digest else replace(approved, newer=newest.revision)
    )


def _worded(revision: CardRevision | None, review: int | None = None) -> Uses:
    blocks = revisions.verified(revision)["blocks"] if revision else {}
    said = {key: blocks[key]["text"] if key in blocks else "" for key in BLOCKS}
    return Uses(
        intended=said["primary_uses"],
        prohibited=said["out_of_scope"],
        digest=canonical.digest_of(said) if any(said.values()) else "",
        revision=revision.number if revision else 0,
        card_digest=revision.digest if revision else "",
        review=review,
    )


def acknowledged(actor: Actor, version: ModelVersion, uses: Uses) -> UseAcknowledgement | None:
    """That this person read this wording, or for a service that somebody who answers for it now did; else None."""
    if actor.user_id is None or not uses.digest:
        return None
    if actor.kind == ActorKind.SERVICE:
        return acknowledged_for(version, uses, [actor.user_id]).get(actor.user_id)
    rows = UseAcknowledgement.objects.filter(version=version, uses_digest=uses.digest)
    return rows.filter(user_id=actor.user_id, service__isnull=True).first()


def acknowledged_for(
    version: ModelVersion, uses: Uses, services: Collection[int]
) -> dict[int, UseAcknowledgement]:
    """By service: that somebody who answers for it now read this wording."""
    answering = ServiceOwner.objects.filter(
        service=OuterRef("service"), owner=OuterRef("user"), until__isnull=True
    )
    rows = UseAcknowledgement.objects.filter(
        Exists(answering), version=version, uses_digest=uses.digest, service__in=services
    )
    return {row.service_id: row for row in rows.select_related("user") if row.service_id}


def acknowledge(
    actor: Actor, version: ModelVersion, *, uses_digest: str, service: User | None = None
) -> UseAcknowledgement:
    """Record that the actor read the uses, for herself or for a service, in the ledger too; said twice, it is recorded once.

    Refuses: who may not read the version (Forbidden), a machine (Forbidden), a service that the actor does not answer for
    (Forbidden), a card that says no uses (Invalid), another wording than counts now (Conflict).
    """
    policy.require(actor, READ, version)
    if actor.kind != ActorKind.HUMAN or actor.user_id is None:
        raise Forbidden("Only a person can say that she read something.")
    with verb(actor) as v:
        if service is not None:
            _require_answering(actor, service)
        uses = _counting(version, uses_digest)
        row, created = UseAcknowledgement.objects.get_or_create(
            version=version,
            user_id=actor.user_id,
            service=service,
            uses_digest=uses.digest,
            defaults={
                "card_revision": uses.revision,
                "card_digest": uses.card_digest,
                "at": clock.now(),
            },
        )
        if created:
            v.record(_event(row, service))
    return row


def _require_answering(actor: Actor, service: User) -> None:
    if not accounts.owners_of(service).filter(pk=actor.user_id or 0).exists():
        raise Forbidden(
            f"Only somebody who answers for {service} says for it that the uses were read."
        )


def _counting(version: ModelVersion, uses_digest: str) -> Uses:
    """The uses, if they are worded as the reader says."""
    uses = uses_of(version)
    if not uses.digest:
        raise Invalid("The card does not say yet what the model may be used for.")
    if uses.digest != uses_digest:
        raise Conflict(
            "The uses that count are worded otherwise than those you read.",
            hint="Read them again, please.",
        )
    return uses


def _event(row: UseAcknowledgement, service: User | None) -> UsesAcknowledged:
    return UsesAcknowledged(
        model=row.version.model_id,
        version=row.version_id,
        uses_digest=row.uses_digest,
        card_revision=row.card_revision,
        card_digest=row.card_digest,
        service=service.pk if service else None,
        service_name=str(service) if service else "",
    )
