"""A document is a card revision, the evidence it was signed with, and the record about both.

`assemble` reads everything once and returns plain data; `render_html` and `render_pdf` need nothing
but that data. What a round has pinned is taken from the round (card revision, check results), and
every pinned item is compared with its digest: a document never shows other evidence than was signed.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from django.conf import settings

from apps.compliance.assembly import (
    changes,
    checks,
    facts,
    ledger,
    machine,
    pinned,
    public_keys,
    review,
)
from apps.core import canonical
from apps.core.signing import DocumentKey
from apps.modelcards import dossier as dossiers
from apps.modelcards import selectors as cards
from apps.modelcards.dossier import Dossier, GateView, Status
from apps.modelcards.renderers import html
from apps.registry import gates
from apps.registry import selectors as registry
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.reviews import selectors as reviews
from apps.reviews.in_force import policy_for
from apps.reviews.models import Round

TEMPLATE = "model-card/1"
SITE = "Countersign"

render_html = html.document_html
render_page = html.page_html


def render_pdf(dossier: Dossier) -> bytes:
    """The archival PDF; see the renderer."""
    # Loaded when first needed: WeasyPrint takes a second that no page, command or beat should pay.
    from apps.modelcards.renderers import pdf

    return pdf.render_pdf(dossier)


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed PDF, the digest of its bytes before that, and whose key signed."""

    data: bytes
    render_digest: str
    key_id: str


def signed(rendered: bytes, key: DocumentKey, document: str = "Model card") -> Signed:
    """The PDF with the site's signature. Raises Blocked where it cannot be signed as the settings ask."""
    # Loaded when first needed, as above.
    from apps.core import pades

    data = pades.signed(rendered, key, reason=f"{document} issued by {settings.SIGNING_NAME}")
    return Signed(data, canonical.digest(rendered), key.key_id)


def reported_round(version: ModelVersion) -> Round | None:
    """The round a document of today reports on: the newest one of the review asked for last.

    None for a version that was never submitted.
    """
    latest = reviews.latest_review(version)
    if latest is None:
        return None
    round_ = reviews.rounds_of(latest).first()
    if round_ is not None:
        round_.review = latest
    return round_


def status_of(version: ModelVersion) -> Status:
    """How the version's newest review stands, in a word and a sentence: what a document of today would say."""
    return review.status(version, reported_round(version))


def assemble(version: ModelVersion, round_: Round | None) -> Dossier:
    """Everything the document says, as of now. Raises Tampered where bytes are not what was signed."""
    document = reviews.document(round_.review) if round_ else policy_for(version).document
    terms = document.terms()
    evidence = pinned.evidence(version, round_, terms)
    card = cards.card_at(
        version,
        evidence.revision,
        measurements=evidence.measurements,
        uploaded=evidence.uploaded,
        terms=terms,
    )
    record = ledger.view(version)
    return Dossier(
        schema=dossiers.SCHEMA,
        document="Model card",
        site=SITE,
        base_url=settings.BASE_URL,
        as_of=record.as_of,
        status=review.status(version, round_),
        key_facts=facts.key_facts(version, card, round_),
        card=card,
        template=TEMPLATE,
        evidence_digest=round_.digest if round_ else "",
        gates=_gates(version, round_, terms),
        checks=checks.views(version, evidence),
        review=review.view(round_) if round_ else None,
        round=review.round_view(round_, evidence.manifest) if round_ else None,
        decisions=review.decisions(round_) if round_ else (),
        ledger=record.view,
        keys=public_keys.views(),
        notes=facts.notes(version, round_),
        machine=machine.machine(version, evidence.measurements),
        changes=changes.since_approved(version, round_, evidence.revision),
    )


def input_digest(dossier: Dossier) -> str:
    """The digest of what the document says: that of card.json, which all its forms print."""
    return dossiers.card_digest(dossier)


_STATES = {"pass": ("Met", "good"), "fail": ("Not met", "bad"), "missing": ("Missing", "unknown")}


def _gates(
    version: ModelVersion, round_: Round | None, terms: dict[str, object]
) -> tuple[GateView, ...]:
    """What the policy asks of this version for the targets of its review, and how that stands now."""
    if not version.model.is_governed:
        return ()
    targets = round_.review.target_list if round_ else registry.governed_targets()
    return tuple(_gate(result) for result in gates.evaluate(version, targets, terms))


def _gate(result: GateResult) -> GateView:
    word, tone = _STATES[result.state]
    return msgspec.convert(
        {"title": result.title, "state": word, "tone": tone, "fact": result.fact}, GateView
    )
