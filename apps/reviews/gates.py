"""The gates of reviews: a complete quorum for exactly these targets, on evidence that satisfies the policy.

Each collects the facts of this moment; apps.reviews.judging and its neighbours in checks and modelcards judge them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from apps.checks.gates import required_checks_pass
from apps.core import clock
from apps.core.errors import Invalid
from apps.modelcards import gates as cards
from apps.registry.gates import Fix, GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import evidence, in_force, selectors
from apps.reviews.facts import rules, signatures
from apps.reviews.judging import card as waived_card
from apps.reviews.judging import evidence as evidence_judge
from apps.reviews.judging import rules as rules_judge
from apps.reviews.judging import signatures as signatures_judge
from apps.reviews.models import Review, Round
from apps.reviews.policies.document import PolicyDocument
from apps.reviews.reads import waivers


def checks_pass(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if every check that the policy demands is met, or is waived by a signature in force."""
    waived = {
        key.removeprefix("checks."): waivers.sentence(row)
        for key, row in waivers.in_force(version, clock.now()).items()
        if key.startswith("checks.")
    }
    return required_checks_pass(version, targets, {**terms, "waived": waived})


def card_complete(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if the card is complete, or its completeness is waived by a signature in force."""
    found = cards.card_complete(version, targets, terms)
    if found.passes:
        return found
    row = waivers.in_force(version, clock.now()).get("card")
    return waived_card.or_waived(found, waivers.sentence(row) if row is not None else "")


def quorum_signed(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if the version's latest review asked for these targets, its round lives, nothing in it was
    recalled, and each step has its signatures. `terms` is not read: the pinned policy of the review is."""
    review = selectors.latest_review(version)
    if review is None or (not review.state.is_active and review.state != "promoted"):
        fact = "No review is open."
        if review is not None:
            fact = f"{review.key} is {review.state.label.lower()}."
        url = f"/models/{quote(version.model.name, safe='')}/{version.number}/submit/"
        return signatures_judge.unasked(_policy(version, targets), fact, url)
    facts = signatures.collect(review)
    return signatures_judge.judge(facts, selectors.document(review), targets)


def _policy(version: ModelVersion, targets: Sequence[Target]) -> PolicyDocument | None:
    """What a review asked for now would be held to; None where nothing is in force or two contradict each other."""
    try:
        return in_force.policy_for(version, targets).document
    except Invalid:
        return None


def evidence_holds(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if what was put before the signers satisfies the policy by itself.

    Without it, data attached after a round was made could let a version pass that nobody saw passing.
    """
    review = selectors.latest_review(version)
    round_ = selectors.live_round(review) if review is not None else None
    if review is None or round_ is None:
        return _unseen(version, review)
    return evidence.satisfies(round_, lambda: _again(review, round_))


def _again(review: Review, round_: Round | None) -> tuple[Fix, ...]:
    """The acts of a new round."""
    return signatures_judge.again(signatures.given(review, round_), selectors.document(review))


def _unseen(version: ModelVersion, review: Review | None) -> GateResult:
    """Nothing lies before anybody. What helps is what helps the review: the request, or the new round."""
    key, title = evidence_judge.KEY, evidence_judge.TITLE
    fact = "No evidence was put before anybody yet."
    if review is not None and review.state.is_active:
        again = _again(review, None)
    else:
        request = signatures_judge.unasked(
            None, fact, f"/models/{quote(version.model.name, safe='')}/{version.number}/submit/"
        )
        again = request.children[0].fixes
    why = "no evidence was put before anybody yet"
    return GateResult(key, title, "missing", fact, fixes=again, reason=why)


def rules_hold(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if the policy's other rules hold now: age of results, committed code, conditions, freeze windows."""
    return rules_judge.judge(rules.collect(version, targets, terms), terms)
