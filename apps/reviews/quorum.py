"""Authority and quorum, evaluated from decision rows. The trigger reviews_demand_quorum says the same in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.reviews.models import Decision, Outcome, Round
from apps.reviews.policies.document import PolicyDocument, Step


@dataclass(frozen=True, slots=True)
class StepState:
    """How one step stands: which decisions count for it, how many are missing."""

    step: Step
    signed: tuple[Decision, ...]

    @property
    def missing(self) -> int:
        return max(0, self.step.count - len(self.signed))

    @property
    def complete(self) -> bool:
        return self.missing == 0


def decisions_of(round_: Round) -> list[Decision]:
    """The decisions about a round, oldest first, with their people."""
    return list(round_.decisions.select_related("user").order_by("pk"))


def steps(
    document: PolicyDocument, round_: Round, decisions: Sequence[Decision]
) -> list[StepState]:
    """Each step of the policy with the approvals that count: of this round's digest, by different people
    who are not authors, in the step's role. A void round counts nothing."""
    return [
        StepState(step, tuple(_counting(step, round_, decisions)) if round_.is_live else ())
        for step in document.steps
    ]


def _counting(step: Step, round_: Round, decisions: Sequence[Decision]) -> list[Decision]:
    seen: set[int] = set()
    found = []
    for decision in decisions:
        counts = (
            decision.outcome == Outcome.APPROVE
            and decision.step == step.key
            and decision.role == step.role
            and decision.evidence_digest == round_.digest
            and decision.user_id not in round_.authors
            and decision.user_id not in seen
        )
        if counts:
            seen.add(decision.user_id)
            found.append(decision)
    return found


def is_complete(states: Sequence[StepState], decisions: Sequence[Decision]) -> bool:
    """Every step has its signatures and nobody decided against."""
    against = any(decision.outcome != Outcome.APPROVE for decision in decisions)
    return not against and all(state.complete for state in states)


def summary(states: Sequence[StepState]) -> str:
    """`1 of 2 signed`."""
    signed = sum(min(len(state.signed), state.step.count) for state in states)
    return f"{signed} of {sum(state.step.count for state in states)} signed"
