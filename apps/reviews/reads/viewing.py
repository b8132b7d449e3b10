"""What a reader has ticked as viewed: per section of the evidence, as long as the section's contents stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core import canonical
from apps.core.actor import Actor
from apps.core.canonical import JSON
from apps.reviews import evidence
from apps.reviews.models import EvidenceSection, Finding, Review, Round, Viewed
from apps.reviews.reads import findings

# What each section shows of the manifest. Changes are told from all of it.
_PARTS: Final[dict[EvidenceSection, tuple[str, ...]]] = {
    EvidenceSection.CHANGES: (
        "version", "files", "run", "datasets", "checks", "uploaded", "card", "impact", "incumbents",
        "policy",
    ),
    EvidenceSection.CHECKS: ("checks", "uploaded"),
    EvidenceSection.CARD: ("card", "impact"),
    EvidenceSection.DATA: ("datasets",),
    EvidenceSection.LINEAGE: ("version", "run"),
    EvidenceSection.FILES: ("files",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section for one reader: the digest of what it shows, when she ticked it (None: not, or other contents), and
    whether she ticked other contents before."""

    section: EvidenceSection
    digest: str
    viewed_at: dt.datetime | None
    changed: bool = False


def digests(manifest: Mapping[str, Any], rows: Sequence[Finding]) -> dict[EvidenceSection, str]:
    """What each section shows, as a digest. Findings live outside of rounds: theirs is of how they stand now.

    A part that a round of an earlier day does not have enters no digest, so its ticks stay.
    """
    found = {
        section: canonical.digest_of({part: manifest[part] for part in parts if part in manifest})
        for section, parts in _PARTS.items()
    }
    standing: list[JSON] = [[row.pk, row.state, row.severity, row.blocking] for row in rows]
    return found | {EvidenceSection.FINDINGS: canonical.digest_of(standing)}


def sections(
    actor: Actor, review: Review, manifest: Mapping[str, Any], rows: Sequence[Finding]
) -> list[SectionView]:
    """Every section with the reader's tick, in the order of the page: one query."""
    ticks = {
        row.section: row for row in Viewed.objects.filter(review=review, user_id=actor.user_id or 0)
    }
    return [
        _section(section, digest, ticks.get(section.value))
        for section, digest in digests(manifest, rows).items()
    ]


def _section(section: EvidenceSection, digest: str, tick: Viewed | None) -> SectionView:
    same = tick is not None and tick.digest == digest
    return SectionView(
        section, digest, tick.viewed_at if tick and same else None, tick is not None and not same
    )


def shown(review: Review) -> tuple[Round | None, dict[EvidenceSection, str]]:
    """The round that the page shows (the live one, else the last) and its sections' digests; {} without a round."""
    rounds = list(review.rounds.order_by("-number"))
    round_ = next((each for each in rounds if each.is_live), rounds[0] if rounds else None)
    if round_ is None:
        return None, {}
    return round_, digests(evidence.read(round_), findings.findings_of(review.version))
