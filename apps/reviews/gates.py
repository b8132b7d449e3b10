"""The gates of reviews: a complete quorum for exactly these targets, on evidence that satisfies the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from apps.checks.gates import required_checks_pass
from apps.core import clock
from apps.modelcards import gates as cards
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import evidence, quorum, rules, selectors, waivers
from apps.reviews.models import Review

TITLE = "Review"


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
    row = None if found.passes else waivers.in_force(version, clock.now()).get("card")
    if row is None:
        return found
    return replace(found, state="pass", fact=f"{found.fact}. {waivers.sentence(row)}")


def quorum_signed(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if the version's latest review asked for these targets, its round lives, nothing in it was
    recalled, and each step has its signatures. `terms` is not read: the pinned policy of the review is."""
    review = selectors.latest_review(version)
    if review is None or (not review.state.is_active and review.state != "promoted"):
        return GateResult(
            "review",
            TITLE,
            "missing",
            "No review is open."
            if review is None
            else f"{review.key} is {review.state.label.lower()}.",
            "Ask for a review",
            f"/models/{quote(version.model.name, safe='')}/{version.number}/submit/",
        )
    return _state(review, targets)


def _state(review: Review, targets: Sequence[Target]) -> GateResult:
    label, url = f"Open {review.key}", f"/reviews/{review.pk}/"
    asked = set(review.target_list)
    other = [target.label for target in targets if target not in asked]
    if other:
        return GateResult(
            "review", TITLE, "fail", f"{review.key} did not ask for {', '.join(other)}.", label, url
        )
    round_ = selectors.live_round(review)
    if round_ is None:
        fact = f"The evidence of {review.key} is void; make a new round."
        return GateResult("review", TITLE, "fail", fact, label, url)
    lost = evidence.lost_items(round_)
    if lost:
        return GateResult("review", TITLE, "fail", f"{lost[0].capitalize()}.", label, url)
    decisions = quorum.decisions_of(round_)
    states = quorum.steps(selectors.document(review), round_, decisions)
    done = quorum.is_complete(states, decisions)
    missing = [f"{state.missing} {state.step.role}" for state in states if not state.complete]
    fact = quorum.summary(states) + (f"; missing: {', '.join(missing)}" if missing else "")
    return GateResult("review", TITLE, "pass" if done else "missing", f"{fact}.", label, url)


def evidence_holds(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if what was put before the signers satisfies the policy by itself.

    Without it, data attached after a round was made could let a version pass that nobody saw passing.
    """
    review = selectors.latest_review(version)
    round_ = selectors.live_round(review) if review is not None else None
    if review is None or round_ is None:
        fact = "No evidence was put before anybody yet."
        return GateResult("evidence", "Evidence", "missing", fact)
    label, url = f"Open {review.key}", f"/reviews/{review.pk}/"
    wrong = evidence.shortcomings(round_)
    if wrong:
        fact = f"Round {round_.number}: {'; '.join(wrong)}. Mend it, then make a new round."
        return GateResult("evidence", "Evidence", "fail", fact, label, url)
    fact = f"Round {round_.number} satisfies the policy."
    return GateResult("evidence", "Evidence", "pass", fact, label, url)


def rules_hold(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes only if the policy's other rules hold now: age of results, committed code, conditions, freeze windows."""
    wrong = list(rules.broken(version, targets, terms))
    if wrong:
        fact = f"{'; '.join(wrong)}."
        return GateResult("rules", "Rules", "fail", fact[:1].upper() + fact[1:])
    return GateResult("rules", "Rules", "pass", "Every other rule of the policy holds.")
