"""Which policies are in force, and what they ask together of one model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from apps.checks.demands import CheckLimits
from apps.core import canonical
from apps.registry.models import ModelTag, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews.models import ACTIVE, PolicyActivation, PolicyVersion, Review
from apps.reviews.policies import covering
from apps.reviews.policies.combine import combine
from apps.reviews.policies.document import AppliesTo, PolicyDocument, parse, plain


@dataclass(frozen=True, slots=True)
class InForce:
    """One or more policy versions and the document that asks for all that they ask for."""

    document: PolicyDocument
    parts: tuple[PolicyVersion, ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.parts))

    @property
    def key(self) -> str:
        return self.document.key

    @property
    def number(self) -> int:
        return self.document.number

    @property
    def digest(self) -> str:
        """Of the document: what a review asked for now would be pinned to."""
        return canonical.digest_of(plain(self.document))


def active() -> QuerySet[PolicyVersion]:
    """The versions in force, one a key: the newest activation of each tells."""
    newest = PolicyActivation.objects.filter(key=OuterRef("key")).order_by("-pk").values("pk")[:1]
    activations = PolicyActivation.objects.filter(pk=Subquery(newest), version__isnull=False)
    return PolicyVersion.objects.filter(pk__in=activations.values("version")).order_by("key")


def of_key(key: str) -> PolicyVersion | None:
    """The version of this policy that is in force; None if it never was or is retired."""
    return active().filter(key=key).first()


def policy_for(version: ModelVersion, targets: Collection[Target] = ()) -> InForce:
    """What moving this version into these targets takes; with no target, into any that is governed.

    All policies count that cover the model and govern one of the targets. A model that none of them covers
    falls under all of them: to be forgotten by every policy is no way round.
    """
    return at_tier(version.model, version.model.risk_tier, targets)


def at_tier(model: RegisteredModel, tier: int, targets: Collection[Target] = ()) -> InForce:
    """What would be asked of this model, were it of this risk tier."""
    rows = {row.pk: row for row in active()}
    documents = {pk: parse(row.document) for pk, row in rows.items()}
    tags = list(ModelTag.objects.filter(model=model).values_list("key", "value"))
    team = model.team.key if model.team is not None else ""
    found = covering.chosen(documents, targets, tier, team, tags)
    return InForce(combine([documents[pk] for pk in found]), tuple(rows[pk] for pk in found))


def document_over(version: ModelVersion) -> PolicyDocument:
    """What holds for this version now: the policy that its review under way is pinned to, else those in force."""
    statuses = [status.value for status in ACTIVE]
    rows = Review.objects.filter(version=version, status__in=statuses)
    review = rows.select_related("policy_version").first()
    return parse(review.policy_version.document) if review else policy_for(version).document


def covers(
    document: PolicyDocument, model: RegisteredModel, tags: Iterable[tuple[str, str]]
) -> bool:
    """Whether the policy is about this model, whose tags are given as pairs of key and value."""
    team = model.team.key if model.team is not None else ""
    return covering.applies(document, model.risk_tier, team, tags)


def combined_with(row: PolicyVersion | PolicyDocument, others: Sequence[PolicyVersion]) -> None:
    """Raises Invalid if this policy contradicts one of those in force: some model might fall under both."""
    document = row if isinstance(row, PolicyDocument) else parse(row.document)
    combine([document, *(parse(other.document) for other in others if other.key != document.key)])


def releases(old: PolicyDocument | None, new: PolicyDocument) -> list[str]:
    """What else a new version lets go: a model that no policy covers falls under all of them, so whoever begins to
    cover it takes it out of the others. A policy over every governed model leaves nobody uncovered.
    """
    grown = old is None or (old.applies_to, governed_by(old)) != (new.applies_to, governed_by(new))
    others = [parse(row.document) for row in active().exclude(key=new.key)]
    everywhere = {t for each in others if each.applies_to == AppliesTo() for t in governed_by(each)}
    shared = governed_by(new) & {target for each in others for target in governed_by(each)}
    if grown and shared - everywhere:
        names = ", ".join(sorted(name for _, name in shared - everywhere))
        return [
            f"models that no policy covered fell under all for {names}; now some fall under this one only"
        ]
    return []


def governed_by(document: PolicyDocument) -> set[tuple[str, str]]:
    """The targets the policy governs, as kind and name."""
    governs = document.governs
    return {
        *(("stage", name) for name in governs.stages),
        *(("alias", name) for name in governs.aliases),
        *(("environment", name) for name in governs.environments),
    }


def demanded_checks(version: ModelVersion) -> list[str]:
    """The kinds of checks that the policy demands of this version (settings.CHECKS_DEMANDED)."""
    return list(CheckLimits.parse(document_over(version).gates.checks).kinds)
