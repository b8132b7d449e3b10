"""The ticks of a review's sections: what this reader has viewed, and the form that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.actor import Actor
from apps.reviews import evidence
from apps.reviews.models import EvidenceSection, Finding, Review, Round
from apps.reviews.reads import findings, viewing
from apps.reviews.reads.viewing import SectionView
from apps.web import addresses, words
from apps.web.parts import Chip


@dataclass(frozen=True, slots=True)
class Tick:
    """One section's tick with what its form sends."""

    section: str
    title: str
    digest: str
    url: str
    viewed: bool
    note: str

    @property
    def chip(self) -> Chip | None:
        """Beside the section's title, once it was viewed."""
        return Chip("Viewed", "quiet", "eye") if self.viewed else None


@dataclass(frozen=True, slots=True)
class Ticks:
    """All of them, by section, and the sentence beside the decision."""

    sections: dict[str, Tick]
    sentence: str
    unviewed: Sequence[str]
    changed: Sequence[str] = ()


def ticks(
    actor: Actor, review: Review, round_: Round, rows: Sequence[Finding], *, findings_shown: bool
) -> Ticks:
    """For this reader. Findings count where the page has a section of them."""
    found = viewing.sections(actor, review, evidence.read(round_), rows)
    if not findings_shown:
        found = [each for each in found if each.section is not EvidenceSection.FINDINGS]
    made = [_tick(review, each) for each in found]
    unviewed = [each.title for each in made if not each.viewed]
    return Ticks(
        {each.section: each for each in made},
        _sentence(len(made), unviewed),
        unviewed,
        [each.section.label for each in found if each.changed],
    )


def of(actor: Actor, review: Review) -> Ticks | None:
    """The same, by itself: for the answer to a tick and for the form that signs. None without a round."""
    round_, _ = viewing.shown(review)
    if round_ is None:
        return None
    rows = findings.findings_of(review.version)
    return ticks(actor, review, round_, rows, findings_shown=findings_shown(review, rows))


def findings_shown(review: Review, rows: Sequence[Finding]) -> bool:
    """Whether there is anything in the section of findings: open ones, or those raised in this review."""
    return any(not row.is_settled or row.review_id == review.pk for row in rows)


def note(actor: Actor, review: Review) -> str:
    """What the form that signs says of it: informs, and stops nobody."""
    found = of(actor, review)
    if found is None:
        return ""
    rest = f" Not yet: {', '.join(found.unviewed)}." if found.unviewed else ""
    changed = f" Changed since you viewed it: {', '.join(found.changed)}." if found.changed else ""
    return f"{found.sentence}{changed}{rest}"


def _tick(review: Review, found: SectionView) -> Tick:
    at = found.viewed_at
    return Tick(
        found.section.value,
        found.section.label,
        found.digest,
        addresses.review(review.pk, "viewed/"),
        at is not None,
        f"You viewed this {words.ago(at)}" if at else "",
    )


def _sentence(total: int, unviewed: Sequence[str]) -> str:
    if not unviewed:
        return f"You have viewed all {total} sections."
    return f"You have viewed {total - len(unviewed)} of {words.plural(total, 'section')}."
