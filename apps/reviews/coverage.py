"""What a change of a model's standing lets go: the rule that apps.registry asks for (settings.STANDING_RULE).

A change takes a signature when it lowers the risk tier, or when by its team or tags a policy that counted for a governed
target counts no more. A raise of the tier alone never waits: a higher declaration must not be held up. The same rule
stands in SQL, `reviews_lets_go` of migration 0009.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from apps.core.errors import Invalid
from apps.registry.models import PurposeClass
from apps.registry.standing import Standing
from apps.registry.targets import Target
from apps.reviews import in_force
from apps.reviews.models import PolicyVersion
from apps.reviews.policies import covering
from apps.reviews.policies.combine import combine
from apps.reviews.policies.compare import loosenings
from apps.reviews.policies.document import AppliesTo, PolicyDocument, parse

Counting = Mapping[tuple[str, str], frozenset[int]]


def let_go(before: Standing, after: Standing) -> list[str]:
    """What the change loosens, a sentence each; [] if it may be made without a signature."""
    found = []
    if after.risk_tier > before.risk_tier:
        found.append(
            f"the risk tier falls from {before.risk_tier} to {after.risk_tier} (1 is the highest)"
        )
        found += _told(before, after)
        return found
    # The tier stands as it will be on both sides: a raise may exchange one policy for another.
    level = replace(
        before,
        exposure=after.exposure,
        purpose_class=after.purpose_class,
        demanded=after.demanded,
    )
    return _told(level, after)


def _told(before: Standing, after: Standing) -> list[str]:
    rows = {row.pk: row for row in in_force.active()}
    documents = {pk: parse(row.document) for pk, row in rows.items()}
    was, now = counting(documents, before), counting(documents, after)
    return list(dict.fromkeys(_lost(rows, documents, was, now)))


def _lost(
    rows: Mapping[int, PolicyVersion],
    documents: Mapping[int, PolicyDocument],
    was: Counting,
    now: Counting,
) -> Iterator[str]:
    for target, parts in was.items():
        gone = parts - now[target]
        if not gone:
            continue
        label = Target(*target).label
        for pk in sorted(gone):
            yield f"{rows[pk].title} ({rows[pk]}) counts no more for {label}"
        yield from _looser([documents[pk] for pk in parts], [documents[pk] for pk in now[target]])


def _looser(old: list[PolicyDocument], new: list[PolicyDocument]) -> list[str]:
    """In which parts what will be asked is less. Whom a policy covers is what changes here, so it is left out."""
    try:
        was, now = combine(old), combine(new)
    except Invalid:
        return ["what will be asked cannot be compared with what is asked now"]
    level = {"applies_to": AppliesTo(), "governs": was.governs}
    return loosenings(was.model_copy(update=level), now.model_copy(update=level))


def counting(documents: Mapping[int, PolicyDocument], standing: Standing) -> Counting:
    """For each governed target the policies that count for a model that stands like this."""
    targets = {
        target for document in documents.values() for target in in_force.governed_by(document)
    }
    found = {}
    for target in sorted(targets):
        about = {pk for pk, each in documents.items() if target in in_force.governed_by(each)}
        covers = {
            pk
            for pk in about
            if covering.applies(documents[pk], standing.risk_tier, standing.team, standing.tags)
        }
        found[target] = frozenset(covers or about)
    return found


def in_words(standing: Mapping[str, object]) -> str:
    """A standing for people: `tier 1: high exposure, decides about people or money`."""
    use = PurposeClass(str(standing["purpose_class"])).label.lower()
    demand = standing.get("demanded_tier")
    also = f"; its impact assessment demands tier {demand}" if demand else ""
    return f"tier {standing['risk_tier']}: {standing['exposure']} exposure, {use}{also}"
