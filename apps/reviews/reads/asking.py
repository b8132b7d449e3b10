"""Who would be asked to sign, before anybody asked: what the submit form shows."""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts.models import User
from apps.accounts.policy import who_may
from apps.core.actor import Actor
from apps.registry.models import ModelVersion
from apps.reviews import evidence, in_force
from apps.reviews.policies.document import Step
from apps.reviews.reads import independence


@dataclass(frozen=True, slots=True)
class Candidates:
    """One step of the policy with everybody who could sign it: the right role, no author, no conflict of interest."""

    step: Step
    people: tuple[User, ...]

    @property
    def short(self) -> int:
        """How many people the step lacks; 0 if it can be completed."""
        return max(0, self.step.count - len(self.people))


def candidates(actor: Actor, version: ModelVersion) -> list[Candidates]:
    """Each step that the policies in force ask of this version, were the actor to submit it now."""
    document = in_force.policy_for(version).document
    authors = {*evidence.authors(version, actor.user_id or 0)}
    authors |= {
        row.person_id
        for row in independence.conflicts_of(version.model)
        if independence.stands(row) and row.review_id is None
    }
    owner = {version.model.owner_id}
    return [
        Candidates(
            step,
            tuple(
                who_may(step.verb, version).exclude(
                    pk__in=authors | owner if step.exclude_owner else authors
                )
            ),
        )
        for step in document.steps
    ]
