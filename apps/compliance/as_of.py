"""The model card as it stood at a moment, as a document: the card, and what the ledger had told of the version by then.

Not in it: gates, verdicts, review and signatures. They are of today or of a round; the ledger's lines say who had signed by
then. What the registry says (owner, tier, lineage) and the run are as they are now, and the first page says so.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from apps.compliance import documents
from apps.compliance.assembly import ledger, public_keys
from apps.compliance.kinds import Kind
from apps.compliance.models import DocumentKind
from apps.compliance.reports.base import Assembled
from apps.core import clock
from apps.core.errors import Conflict, Invalid
from apps.core.parts import Cell, Fact
from apps.modelcards import dossier as dossiers
from apps.modelcards import moments
from apps.modelcards import selectors as cards
from apps.modelcards.card import Card
from apps.modelcards.collect import moment
from apps.modelcards.dossier import Dossier, Status
from apps.registry.models import ModelVersion


def assemble(kind: Kind, version: ModelVersion, at: dt.datetime) -> Assembled:
    """Everything it says. Raises Conflict for another kind, Invalid for a moment that is not over or before the first
    revision of the card, Tampered where bytes are not what was signed."""
    if kind.key != DocumentKind.MODEL_CARD:
        raise Conflict(f"{kind.title}: only the model card can be made as it stood on a day.")
    require_moment(version, at)
    card, record = cards.card_as_of(version, at), ledger.view(version, until=at)
    return Assembled(_dossier(version, at, card, record), None, None)


def require_moment(version: ModelVersion, at: dt.datetime) -> None:
    """Raises Invalid unless a card was there by then, and then is over."""
    first = cards.revisions_of(version).last()
    said = ""
    if at > clock.now():
        said = f"{moments.spoken(at).capitalize()} is not over yet: nobody knows how the card will stand."
    elif first is None:
        said = "Nobody wrote the card yet."
    elif at < first.created_at:
        said = f"The card's first revision is of {moment(first.created_at)}; there was none before."
    if said:
        raise Invalid(said, fields={"at": said})


def _dossier(version: ModelVersion, at: dt.datetime, card: Card, record: ledger.Record) -> Dossier:
    return Dossier(
        schema=dossiers.SCHEMA,
        document="Model card as it stood",
        site=documents.SITE,
        base_url=settings.BASE_URL,
        as_of=record.as_of,
        status=_status(at, card),
        key_facts=_facts(version, at, card),
        card=card,
        template=documents.TEMPLATE,
        ledger=record.view,
        keys=public_keys.views(),
        notes=(
            "Owner, tier, targets, lineage and the run in the card are as the record has them today, not as they were then.",
        ),
        at=at.isoformat(),
    )


def _status(at: dt.datetime, card: Card) -> Status:
    return Status(
        "As it stood",
        "unknown",
        f"This is the card as it stood at {moments.spoken(at)}: revision {card.revision}, with the data and results in force "
        "then. It is not the card of today, and it is no approval: who had signed by then is in the record.",
    )


def _facts(version: ModelVersion, at: dt.datetime, card: Card) -> tuple[Fact, ...]:
    return (
        Fact("Model and version", Cell(f"{version.model.name} v{version.number} {version.label}".strip())),
        Fact("As it stood at", Cell(moments.spoken(at))),
        Fact("Registered", Cell(moment(version.created_at))),
        Fact("Card", Cell(f"Revision {card.revision} by {card.author}")),
        Fact("Digest of the files", Cell(version.manifest_digest), code=True),
        Fact("Digest of the card", Cell(card.digest), code=True),
    )  # fmt: skip
