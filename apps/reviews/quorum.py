"""Authority and quorum, evaluated from decision rows. The trigger reviews_demand_quorum says the same in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.reviews.models import Decision, Outcome, Round
from apps.reviews.policies.document import PolicyDocument, Step


@dataclass(frozen=True, slots=True)
class StepState:
    """How one step stands: which decisions count for it, which earlier steps are not complete yet."""

    step: Step
    signed: tuple[Decision, ...]
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
    return list(round_.decisions.select_related("user").order_by("pk"))


def excluded(step: Step, round_: Round) -> set[int]:
    """Who may not sign this step of this round whatever role they have: authors, and where it says so the owner."""
    owner = {round_.owner_id} if step.exclude_owner and round_.owner_id else set()
    return set(round_.authors) | owner


def steps(
    document: PolicyDocument, round_: Round, decisions: Sequence[Decision]
) -> list[StepState]:
    """Each step of the policy with the approvals that count: of this round's digest, by different people
    who are not excluded, in the step's role, given when the steps before it were complete. A void round counts
    nothing."""
    found: dict[str, list[Decision]] = {step.key: [] for step in document.steps}
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
    step: Step, document: PolicyDocument, found: dict[str, list[Decision]]
) -> tuple[Step, ...]:
    earlier = [document.step(key) for key in step.after]
    return tuple(step for step in earlier if len(found[step.key]) < step.count)


def _counts(
    step: Step, round_: Round, decision: Decision, found: dict[str, list[Decision]]
) -> bool:
    return (
        decision.outcome == Outcome.APPROVE
        and decision.role == step.role
        and decision.evidence_digest == round_.digest
        and decision.user_id not in excluded(step, round_)
        and all(decision.user_id != other.user_id for rows in found.values() for other in rows)
    )


def is_complete(states: Sequence[StepState], decisions: Sequence[Decision]) -> bool:
    """Every step has its signatures and nobody decided against."""
    against = any(decision.outcome != Outcome.APPROVE for decision in decisions)
    return not against and all(state.complete for state in states)


def summary(states: Sequence[StepState]) -> str:
    """`1 of 2 signed`."""
    signed = sum(min(len(state.signed), state.step.count) for state in states)
    return f"{signed} of {sum(state.step.count for state in states)} signed"
