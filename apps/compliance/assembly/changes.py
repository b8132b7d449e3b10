"""What people changed in the card since the one that was approved last, of whichever version of the model."""

from __future__ import annotations

from apps.compliance.assembly import pinned
from apps.modelcards import selectors as cards
from apps.modelcards.diff import BlockDiff
from apps.modelcards.dossier import ChangedBlock, ChangedText, Changes
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Review, ReviewStatus, Round


def since_approved(
    version: ModelVersion, round_: Round | None, revision: CardRevision | None
) -> Changes | None:
    """The blocks that differ, word by word; None where no card of the model was approved before.

    Raises Tampered where the approved revision is not what its evidence names.
    """
    found = _approved(version, round_)
    if found is None:
        return None
    older, review = found
    blocks = cards.compare(older, revision) if revision else ()
    return Changes(
        version=review.version.number,
        revision=older.number,
        review=review.key,
        link=f"/reviews/{review.pk}/",
        written=revision is not None,
        blocks=tuple(_block(each) for each in blocks),
    )


def _approved(version: ModelVersion, round_: Round | None) -> tuple[CardRevision, Review] | None:
    """The card that the newest earlier approval rests on, with that review."""
    earlier = Review.objects.filter(
        version__model=version.model_id, status=ReviewStatus.PROMOTED
    ).select_related("version__model")
    if round_ is not None:
        earlier = earlier.filter(pk__lt=round_.review_id)
    review = earlier.order_by("-pk").first()
    last = reviews.rounds_of(review).first() if review else None
    if review is None or last is None:
        return None
    revision = pinned.revision(review.version, evidence.read(last))
    return (revision, review) if revision else None


def _block(diff: BlockDiff) -> ChangedBlock:
    pieces = tuple(ChangedText(piece.op, piece.text) for piece in diff.pieces)
    return ChangedBlock(diff.title, diff.section, diff.state, pieces)
