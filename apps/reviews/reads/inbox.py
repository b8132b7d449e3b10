"""What waits for a person: reviews to sign, to answer, to take further. Built in a constant number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from apps.accounts import policy
from apps.accounts.verbs import SIGNING_ROLES
from apps.core.actor import Actor
from apps.registry.models import RegisteredModel
from apps.reviews import deadlines, quorum
from apps.reviews.models import ACTIVE, Review, ReviewStatus, Round
from apps.reviews.policies.document import Step
from apps.reviews.reads import delegations, due
from apps.reviews.selectors import document, list_reviews


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thing for a person to do or to wait for."""

    review: Review
    act: str
    signed: int
    needed: int
    due: dt.datetime | None = None


@dataclass(slots=True)
class Inbox:
    """What needs this person, and what waits for others. Built in a constant number of queries."""

    needs_you: list[InboxRow] = field(default_factory=list)
    waiting: list[InboxRow] = field(default_factory=list)


def of(actor: Actor) -> Inbox:
    """Reviews to sign, to answer, to take further; and the actor's own that wait for others."""
    box = Inbox()
    signable = {
        verb: set(
            RegisteredModel.objects.filter(
                policy.where_may(actor, verb, RegisteredModel)
            ).values_list("pk", flat=True)
        )
        for verb in (f"review.sign.{role}" for role in SIGNING_ROLES)
    }
    lent = delegations.lent_to(actor)
    for review in list_reviews(actor, statuses=[status.value for status in ACTIVE]):
        _sort(box, actor, review, signable, lent)
    box.needs_you.sort(key=_urgency)
    return box


def _urgency(row: InboxRow) -> tuple[dt.datetime, int, int]:
    """What is due first, then the higher risk (tier 1), then what waits longest."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    return (row.due or never, row.review.version.model.risk_tier, row.review.pk)


def _sort(
    box: Inbox,
    actor: Actor,
    review: Review,
    signable: dict[str, set[int]],
    lent: Sequence[delegations.Lent],
) -> None:
    rounds: Sequence[Round] = review.live_rounds  # type: ignore[attr-defined]  # to_attr
    round_ = rounds[0] if rounds else None
    decisions = list(round_.decisions.all()) if round_ else []
    states = quorum.steps(document(review), round_, decisions) if round_ else []
    signed = sum(min(len(state.signed), state.step.count) for state in states)
    needed = sum(step.count for step in document(review).steps)
    mine = review.submitted_by_id == actor.user_id
    done = quorum.taken(decisions)
    may_sign = (
        round_ is not None
        and review.state is ReviewStatus.OPEN
        and any(
            state.is_open and _signs(actor, review, round_, state.step, done, signable, lent)
            for state in states
        )
    )
    if may_sign:
        first = deadlines.first(due.of_listed(review))
        at = first.due_at if first else None
        box.needs_you.append(InboxRow(review, "sign", signed, needed, at))
    elif mine and review.state is ReviewStatus.CHANGES_REQUESTED:
        box.needs_you.append(InboxRow(review, "answer", signed, needed))
    elif mine and round_ is None:
        box.needs_you.append(InboxRow(review, "new round", signed, needed))
    elif mine and review.state is ReviewStatus.SIGNED:
        box.needs_you.append(InboxRow(review, "promote", signed, needed))
    elif mine or actor.user_id in done:
        box.waiting.append(InboxRow(review, "wait", signed, needed))


def _signs(
    actor: Actor,
    review: Review,
    round_: Round,
    step: Step,
    done: set[int],
    signable: dict[str, set[int]],
    lent: Sequence[delegations.Lent],
) -> bool:
    """Whether the actor could sign this open step, of rows that are loaded; no query of its own."""
    out = done | quorum.excluded(step, round_)
    if actor.user_id in out:
        return False
    if review.version.model_id in signable.get(step.verb, set()):
        return True
    return any(
        each.reaches(review, step) and each.delegation.delegator_id not in out for each in lent
    )
