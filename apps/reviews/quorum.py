"""Authority and quorum, evaluated from decision rows. The trigger reviews_demand_quorum says the same in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, QuerySet

from apps.reviews.models import Decision, Outcome, Round
from apps.reviews.policies.document import PolicyDocument, Step


class Signed(Protocol):
    """What the quorum asks of a decision: a row, or one as it was."""

    @property
    def pk(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def signer_name(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def evidence_digest(self) -> str: ...
    @property
    def created_at(self) -> dt.datetime: ...
    @property
    def people(self) -> frozenset[int]: ...


class Judged(Protocol):
    """What the quorum asks of a round. `barred_ids` are told with it, or asked of the database."""

    @property
    def pk(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def authors(self) -> list[int]: ...
    @property
    def owner_id(self) -> int | None: ...
    @property
    def is_live(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class StepState:
    """How one step stands: which decisions count for it, which earlier steps are not complete yet."""

    step: Step
    signed: tuple[Signed, ...]
    waits_for: tuple[Step, ...] = ()

    @property
    def missing(self) -> int:
        return max(0, self.step.count - len(self.signed))

    @property
    def complete(self) -> bool:
        return self.missing == 0

    @property
    def is_open(self) -> bool:
        """Whether somebody can sign it now."""
        return not self.complete and not self.waits_for


def decisions_of(round_: Round) -> list[Decision]:
    """The decisions about a round, oldest first, with their people."""
    return list(round_.decisions.select_related("user", "on_behalf_of").order_by("pk"))


def with_barred(rounds: QuerySet[Round]) -> QuerySet[Round]:
    """The rounds with what `barred` answers of each: for lists, so that it takes no query of its own."""
    ids = ArrayField(BigIntegerField())
    return rounds.annotate(barred_ids=Func(F("pk"), function="reviews_barred", output_field=ids))


def barred(round_: Judged) -> frozenset[int]:
    """Who stepped aside from the review, or had a conflict of interest at any moment of the round's life.

    As of when the round was read by `with_barred`, else now. The SQL function reviews_barred is the rule.
    """
    found = getattr(round_, "barred_ids", None)
    if found is None:
        found = with_barred(Round.objects.filter(pk=round_.pk)).get().barred_ids  # type: ignore[attr-defined]
    return frozenset(cast("Iterable[int]", found))


def excluded(step: Step, round_: Judged) -> set[int]:
    """Who may not sign this step of this round whatever role they have, nor have another sign it for them:
    authors, where it says so the owner, who stepped aside, who has a conflict of interest."""
    owner = {round_.owner_id} if step.exclude_owner and round_.owner_id else set()
    return set(round_.authors) | owner | barred(round_)


def taken(decisions: Iterable[Signed]) -> set[int]:
    """Everybody who has decided, by herself or through whom she delegated to."""
    return set().union(*(decision.people for decision in decisions))


def steps(document: PolicyDocument, round_: Judged, decisions: Sequence[Signed]) -> list[StepState]:
    """Each step of the policy with the approvals that count: of this round's digest, by different people
    who are not excluded, in the step's role, given when the steps before it were complete. Who delegated and who
    signed for her are one person. A void round counts nothing."""
    if getattr(round_, "barred_ids", None) is None:  # asked once, not once a decision
        round_.barred_ids = barred(round_)  # type: ignore[attr-defined]
    found: dict[str, list[Signed]] = {step.key: [] for step in document.steps}
    if round_.is_live:
        for decision in sorted(decisions, key=lambda row: row.pk):
            step = next((step for step in document.steps if step.key == decision.step), None)
            if step is None or _waits_for(step, document, found):
                continue
            if _counts(step, round_, decision, found):
                found[step.key].append(decision)
    return [
        StepState(step, tuple(found[step.key]), _waits_for(step, document, found))
        for step in document.steps
    ]


def _waits_for(
    step: Step, document: PolicyDocument, found: dict[str, list[Signed]]
) -> tuple[Step, ...]:
    earlier = [document.step(key) for key in step.after]
    return tuple(step for step in earlier if len(found[step.key]) < step.count)


def _counts(step: Step, round_: Judged, decision: Signed, found: dict[str, list[Signed]]) -> bool:
    return (
        decision.outcome == Outcome.APPROVE
        and decision.role == step.role
        and decision.evidence_digest == round_.digest
        and decision.people.isdisjoint(excluded(step, round_))
        and decision.people.isdisjoint(taken(other for rows in found.values() for other in rows))
    )


def is_complete(states: Sequence[StepState], decisions: Sequence[Signed]) -> bool:
    """Every step has its signatures and nobody decided against."""
    against = any(decision.outcome != Outcome.APPROVE for decision in decisions)
    return not against and all(state.complete for state in states)


def summary(states: Sequence[StepState]) -> str:
    """`1 of 2 signed`."""
    signed = sum(min(len(state.signed), state.step.count) for state in states)
    return f"{signed} of {sum(state.step.count for state in states)} signed"
