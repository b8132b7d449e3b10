"""Whom an event concerns, computed when the notice is made. The functions are named by `kinds.Kind.to`.

Whoever brought the event about is not told what she just did, and nobody is told of a review she may not read: both are
taken out in `of`, for every kind. The rules of signing are those of `apps.reviews`; none is repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from apps.accounts import policy
from apps.accounts.verbs import right_of
from apps.audits.selectors import EventView
from apps.notices.kinds import Kind
from apps.registry.models import RegisteredModel
from apps.reviews import emergency, policy_notices
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Review, ReviewStatus
from apps.reviews.reads import model_changes
from apps.reviews.selectors import Asked


@dataclass(frozen=True, slots=True)
class Happened:
    """An event with the review it is about, if it is about one."""

    event: EventView
    review: Review | None


def of(kind: Kind, happened: Happened) -> set[int]:
    """The ids of the active people to be told, each once."""
    found: set[int] = set().union(*(RECIPIENTS[name](happened) for name in kind.to))
    found.discard(happened.event.actor_id or 0)
    if happened.review is None or not found:
        return found
    readers = policy.who_may("review.read", happened.review)
    return set(readers.filter(pk__in=found).values_list("pk", flat=True))


def asked(happened: Happened) -> set[int]:
    """Who may sign now and is no author: nobody any more when the event's round has ended."""
    review = happened.review
    if review is None or review.status != ReviewStatus.OPEN:
        return set()
    live = reviews.live_round(review)
    if live is None or live.pk != happened.event.payload.get("round"):
        return set()
    return {person.pk for step in reviews.who_is_asked(review) for person in step.people}


def asked_of_the_step(happened: Happened) -> set[int]:
    """Who may still sign the event's step: nobody any more once it is complete or its round has ended."""
    found = _waiting(happened)
    return {person.pk for person in found.people} if found is not None else set()


def escalated(happened: Happened) -> set[int]:
    """Who holds one of the roles that the event's step escalates to, while it waits."""
    found, review = _waiting(happened), happened.review
    if found is None or review is None:
        return set()
    verbs = [right_of(role) for role in found.step.escalate_to]
    return {
        pk for verb in verbs for pk in policy.who_may(verb, review).values_list("pk", flat=True)
    }


def _waiting(happened: Happened) -> Asked | None:
    """The event's step, if it still waits for signatures in the event's round."""
    review, payload = happened.review, happened.event.payload
    if review is None or review.status != ReviewStatus.OPEN:
        return None
    live = reviews.live_round(review)
    if live is None or live.pk != payload.get("round"):
        return None
    found = [each for each in reviews.who_is_asked(review) if each.step.key == payload.get("step")]
    return found[0] if found and found[0].missing else None


def submitter(happened: Happened) -> set[int]:
    """Who asked for the review."""
    return {happened.review.submitted_by_id} if happened.review else set()


def signers(happened: Happened) -> set[int]:
    """Everybody who decided about any round of the review."""
    return _decided(review=happened.review) if happened.review else set()


def signers_of_the_round(happened: Happened) -> set[int]:
    """Everybody who decided about the event's round."""
    return _decided(round_id=happened.event.payload.get("round"))


def bereaved(happened: Happened) -> set[int]:
    """Who loses something by a void round. A review that is over tells its end instead."""
    if happened.review is None or not happened.review.state.is_active:
        return set()
    return submitter(happened) | signers_of_the_round(happened)


def standing_signers(happened: Happened) -> set[int]:
    """Who may sign a change of how a model stands."""
    change = model_changes.find_change(int(happened.event.payload.get("change", 0)))
    return {person.pk for person in model_changes.may_sign(change)} if change else set()


def rollback_reviewers(happened: Happened) -> set[int]:
    """Who may say whether the event's rollback was right."""
    row = emergency.find_rollback(int(happened.event.payload.get("rollback", 0)))
    return {person.pk for person in emergency.may_review(row)} if row is not None else set()


def rollback_maker(happened: Happened) -> set[int]:
    """Who made the event's rollback."""
    row = emergency.find_rollback(int(happened.event.payload.get("rollback", 0)))
    return {row.user_id} if row is not None else set()


def model_owner(happened: Happened) -> set[int]:
    """Who owns the event's model."""
    model = RegisteredModel.objects.filter(pk=happened.event.payload.get("model", 0)).first()
    return {model.owner_id} if model is not None and model.owner.is_active else set()


def judges_of_the_checks(happened: Happened) -> set[int]:
    """Who may recall a measurement of the event's model."""
    model = RegisteredModel.objects.filter(pk=happened.event.payload.get("model", 0)).first()
    if model is None:
        return set()
    return set(policy.who_may("check.recall", model).values_list("pk", flat=True))


def model_team(happened: Happened) -> set[int]:
    """Who owns the event's model or the one that takes its place, and who may register versions of it."""
    payload = happened.event.payload
    wanted = [payload.get("model"), payload.get("successor")]
    models = RegisteredModel.objects.filter(pk__in=[pk for pk in wanted if pk is not None])
    owners = {model.owner_id for model in models if model.owner.is_active}
    mine = next((model for model in models if model.pk == payload.get("model")), None)
    if mine is None:
        return owners
    return owners | set(policy.who_may("model.register", mine).values_list("pk", flat=True))


def policy_concerned(happened: Happened) -> set[int]:
    """Who proposed and signed a change of policy, and who owns what it covers."""
    change = policy_notices.find(happened.event.payload.get("change"))
    return policy_notices.concerned(change) if change else set()


def policy_signatories(happened: Happened) -> set[int]:
    """Who may sign a change of policy."""
    change = policy_notices.find(happened.event.payload.get("change"))
    return policy_notices.may_sign(change) if change else set()


def managers(happened: Happened) -> set[int]:
    """Who administers the system."""
    return set(policy.who_may("system.manage").values_list("pk", flat=True))


def _decided(**which: object) -> set[int]:
    return set(Decision.objects.filter(**which).values_list("user_id", flat=True))


RECIPIENTS: Final[Mapping[str, Callable[[Happened], set[int]]]] = {
    "asked": asked,
    "asked_of_the_step": asked_of_the_step,
    "escalated": escalated,
    "submitter": submitter,
    "signers": signers,
    "signers_of_the_round": signers_of_the_round,
    "bereaved": bereaved,
    "standing_signers": standing_signers,
    "model_owner": model_owner,
    "model_team": model_team,
    "judges_of_the_checks": judges_of_the_checks,
    "policy_concerned": policy_concerned,
    "policy_signatories": policy_signatories,
    "managers": managers,
    "rollback_maker": rollback_maker,
    "rollback_reviewers": rollback_reviewers,
}
