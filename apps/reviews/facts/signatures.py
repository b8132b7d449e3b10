"""How the signatures of a review stand now, collected for apps.reviews.judging.signatures."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from apps.reviews import evidence, quorum, selectors
from apps.reviews.judging.signatures import Person, SignatureFacts, Void
from apps.reviews.models import Decision, Outcome, Review, Round


def given(review: Review, round_: Round | None) -> SignatureFacts:
    """Who signed the live round, and nothing of who could."""
    return SignatureFacts(
        key=review.key,
        url=f"/reviews/{review.pk}/",
        targets=review.target_list,
        round=round_,
        number=round_.number if round_ else 0,
        decisions=quorum.decisions_of(round_) if round_ else [],
    )


def collect(review: Review) -> SignatureFacts:
    """The facts of a review. Who may sign and what is void is asked only where signatures are missing; the number of
    queries grows with the steps that are open, not with rounds, decisions or evidence. Raises Tampered for a manifest
    that is not what its digest says."""
    round_ = selectors.live_round(review)
    facts = given(review, round_)
    decisions = cast("list[Decision]", facts.decisions)
    lost = evidence.lost_items(round_) if round_ else []
    if round_ is not None and not lost and _complete(review, round_, decisions):
        return facts
    rounds = list(review.rounds.order_by("-number").defer("manifest"))
    return replace(
        facts,
        lost=lost,
        void=_void(review, rounds, quorum.taken(decisions)),
        ended=rounds[0].void_reason if rounds and round_ is None else "",
        asked=_asked(review, round_, decisions) if round_ is not None else None,
    )


def _asked(review: Review, round_: Round, decisions: list[Decision]) -> dict[str, list[Person]]:
    return {
        each.step.key: [Person(user.pk, str(user)) for user in each.people]
        for each in selectors.asked_about(review, round_, decisions)
    }


def _complete(review: Review, round_: Round, decisions: list[Decision]) -> bool:
    states = quorum.steps(selectors.document(review), round_, decisions)
    return quorum.is_complete(states, decisions)


def _void(review: Review, rounds: list[Round], decided: set[int]) -> list[Void]:
    """The last approval that each person gave in a round that ended; nobody's who has decided about the live one."""
    by_pk = {row.pk: row for row in rounds}
    newest = rounds[0].number if rounds else 0
    rows = Decision.objects.filter(
        review=review, outcome=Outcome.APPROVE, round__voided_at__isnull=False
    )
    found: dict[int, Void] = {}
    for row in rows.defer("statement").order_by("pk"):
        round_ = by_pk[row.round_id]
        since = f"round {round_.number + 1}"
        if round_.number == newest and round_.voided_at is not None:
            since = f"{round_.voided_at:%d %b %Y}"
        why = round_.void_reason.removesuffix(f" (round {round_.number + 1})")
        found[row.user_id] = Void(row.user_id, row.signer_name, row.step, since, why)
    return [void for user, void in found.items() if user not in decided]
