"""The title block: what a reader must know before the first page is turned."""

from __future__ import annotations

from apps.core.parts import Cell, Fact
from apps.modelcards.card import Card
from apps.modelcards.collect import moment
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews import selectors as reviews
from apps.reviews.in_force import policy_for
from apps.reviews.models import Round


def key_facts(version: ModelVersion, card: Card, round_: Round | None) -> tuple[Fact, ...]:
    """Nine labelled values; where there is none, it says so."""
    model = version.model
    held = ", ".join(target.label for target in registry.held_targets(version))
    written = f"Revision {card.revision} by {card.author}" if card.revision else "Not written"
    review = f"REV-{round_.review_id}, round {round_.number}" if round_ else "None"
    return (
        Fact("Model and version", Cell(f"{model.name} v{version.number} {version.label}".strip())),
        Fact("Owner", Cell(str(model.owner))),
        Fact("Risk tier", Cell(f"{model.risk_tier} of 3 (1 is the highest)")),
        Fact("Governance", Cell(str(model.get_governance_display()))),
        Fact("Stage and aliases", Cell(held or "None")),
        Fact("Registered", Cell(moment(version.created_at))),
        Fact("Card", Cell(written)),
        Fact("Review", Cell(review)),
        Fact(
            "Policy",
            Cell(str(round_.review.policy_version if round_ else policy_for(version))),
        ),
        Fact("Digest of the files", Cell(version.manifest_digest), code=True),
        Fact("Digest of the card", Cell(card.digest or "none"), code=True),
        Fact("Digest of the evidence", Cell(round_.digest if round_ else "none"), code=True),
    )


def notes(version: ModelVersion, round_: Round | None) -> tuple[str, ...]:
    """What qualifies the whole document."""
    found = []
    if not version.model.is_governed:
        found.append(
            "This model is a sandbox: ungoverned. No approval is needed to use it, and none was given."
        )
    if round_ is not None:
        found += _other_reviews(version, round_)
    return tuple(found)


def _other_reviews(version: ModelVersion, round_: Round) -> list[str]:
    earlier = [row for row in reviews.reviews_of(version) if row.pk != round_.review_id]
    if not earlier:
        return []
    named = ", ".join(f"{row.key} ({row.state.label.lower()})" for row in earlier)
    return [f"Earlier reviews of this version: {named}. Their decisions are in the record, part D."]
