"""Claim, evidence and clause side by side: what the card says, what was measured, what the policy asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from apps.accounts import policy
from apps.checks import selectors as checks
from apps.checks.limits import CheckLimits
from apps.core.actor import Actor
from apps.modelcards import schema
from apps.modelcards import selectors as modelcards
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Review, Round
from apps.web import addresses, cells, status
from apps.web.parts import Cell, Column, Row, Table

# The block of the card that speaks of what the check measures.
CLAIMS = {"performance": "metric_choice", "fairness": "ethics", "drift": "evaluation_notes"}
CLIP = 400


def table(actor: Actor, review: Review, round_: Round | None) -> Table | None:
    """One row for each check of the round; None without a round, or where no check is demanded."""
    if round_ is None:
        return None
    manifest = evidence.read(round_)
    texts = _texts(review, manifest["card"])
    limits = CheckLimits.parse(reviews.document(review).gates.checks)
    may = review.state.is_active and policy.can(actor, "finding.raise", review)
    rows = [_row(review, entry, texts, limits, may=may) for entry in manifest["checks"]]
    columns = [Column("The card says"), Column("Measured"), Column("The policy asks")]
    return Table("Claim, evidence and clause", columns, rows) if rows else None


def _texts(review: Review, entry: Mapping[str, Any] | None) -> Mapping[str, str]:
    """The written blocks of the pinned card."""
    return modelcards.get_revision(review.version, entry["revision"]).texts if entry else {}


def _row(
    review: Review,
    entry: Mapping[str, Any],
    texts: Mapping[str, str],
    limits: CheckLimits,
    *,
    may: bool,
) -> Row:
    kind = entry["kind"]
    block = CLAIMS.get(kind, "")
    said = texts.get(block, "").strip()
    title = schema.BLOCKS[block].title if block else ""
    claim = (
        cells.text(said if len(said) <= CLIP else f"{said[: CLIP - 1]}…", note=title)
        if said
        else cells.missing("the card says nothing about it")
    )
    return Row([claim, _measured(review, entry), _clause(review, kind, limits, may=may)])


def _measured(review: Review, entry: Mapping[str, Any]) -> Cell:
    """The pinned verdict; the link leads to every group with counts and intervals."""
    verdict = status.chip("verdict", entry["verdict"]).label
    text = f"{checks.TITLES[entry['kind']]}: {verdict.lower()}"
    if entry["measurement"] is None:
        return cells.text(text, note=entry["sentence"])
    version = review.version
    url = reverse(
        "web:measurement", args=[version.model.name, version.number, entry["measurement"]]
    )
    return cells.link(text, url, note=entry["sentence"])


def _clause(review: Review, kind: str, limits: CheckLimits, *, may: bool) -> Cell:
    """The limits with where they come from, and the way to a finding against them."""
    asked = getattr(limits, kind, None)
    bounds = asked.bounds() if asked is not None else {}
    text = "; ".join(f"{name.replace('_', ' ')} {bound.sentence}" for name, bound in bounds.items())
    source = reviews.document(review).source
    where = f"{review.policy_version}, {kind}" + (f", {source.citation}" if source else "")
    said = f"{text[:1].upper()}{text[1:]}" or "a result, without a limit"
    if not may:
        return cells.text(said, note=where)
    version = review.version
    raise_url = addresses.version(version.model.name, version.number, "findings/new/")
    query = urlencode({"review": review.pk, "clause": where})
    return cells.link(said, f"{raise_url}?{query}", note=f"{where}. Opens a finding against it.")
