"""Reads of reviews: who is asked, what is waiting, why not you."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Prefetch, QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.policy import who_may
from apps.accounts.verbs import SIGNING_ROLES
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import quorum
from apps.reviews.models import ACTIVE, Decision, Review, ReviewStatus, Round
from apps.reviews.policies.document import PolicyDocument, Step, parse


def document(review: Review) -> PolicyDocument:
    """The validated document of the policy version the review is pinned to."""
    return parse(review.policy_version.document)


def _rows() -> QuerySet[Review]:
    return Review.objects.select_related("version__model", "policy_version", "submitted_by")


def get_review(actor: Actor, pk: int) -> Review:
    """One review; NotFound if there is none or its model is out of the actor's sight."""
    review = _rows().filter(pk=pk).first()
    if review is None or not policy.can(actor, "review.read", review):
        raise NotFound(f"No review REV-{pk}.")
    return review


def find_review(pk: int) -> Review | None:
    """One review, whoever asks."""
    return _rows().filter(pk=pk).first()


def latest_review(version: ModelVersion) -> Review | None:
    """The review asked for last."""
    return _rows().filter(version=version).order_by("-pk").first()


def list_reviews(actor: Actor, *, statuses: Iterable[str] = ()) -> QuerySet[Review]:
    """The reviews of models the actor may see, newest first, with what a list shows."""
    rows = _rows().filter(version__model__in=registry.visible_models(actor)).order_by("-pk")
    rows = rows.prefetch_related(_live_rounds())
    wanted = list(statuses)
    return rows.filter(status__in=wanted) if wanted else rows


def _live_rounds() -> Prefetch[str]:
    decisions = Prefetch("decisions", Decision.objects.select_related("user").order_by("pk"))
    rounds = Round.objects.filter(voided_at__isnull=True).prefetch_related(decisions)
    return Prefetch("rounds", rounds, to_attr="live_rounds")


def reviews_of(version: ModelVersion) -> QuerySet[Review]:
    """Every review of a version, newest first."""
    return _rows().filter(version=version).order_by("-pk")


def active_reviews_of(version_id: int) -> QuerySet[Review]:
    """The active reviews (at most one) of a version, whoever asks."""
    statuses = [status.value for status in ACTIVE]
    return _rows().filter(version_id=version_id, status__in=statuses)


def rounds_of(review: Review) -> QuerySet[Round]:
    """Every round, newest first, with its decisions and their people."""
    decisions = Prefetch("decisions", Decision.objects.select_related("user").order_by("pk"))
    return (
        review.rounds.select_related("created_by").prefetch_related(decisions).order_by("-number")
    )


def live_round(review: Review) -> Round | None:
    """The round that is open for signature or carries the signatures."""
    return review.rounds.filter(voided_at__isnull=True).first()


def round_behind(version: ModelVersion) -> Round | None:
    """The round on which a version was last promoted; None for one that never was."""
    rows = Round.objects.filter(review__version=version, review__status=ReviewStatus.PROMOTED)
    return rows.order_by("-pk").first()


def find_round(digest: str) -> Round | None:
    """The newest round with this evidence digest."""
    return (
        Round.objects.select_related("review__version__model")
        .filter(digest=digest)
        .order_by("-pk")
        .first()
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """One step of a review: who has signed, who is asked, how many signatures are missing."""

    step: Step
    signed: tuple[Decision, ...]
    missing: int
    people: tuple[User, ...]


def who_is_asked(review: Review) -> list[Asked]:
    """Each step with the people who may still sign it: the right role, no author, no decision yet."""
    round_ = live_round(review)
    if round_ is None:
        return [Asked(step, (), step.count, ()) for step in document(review).steps]
    decisions = quorum.decisions_of(round_)
    busy = {decision.user_id for decision in decisions}
    return [
        Asked(
            state.step,
            state.signed,
            state.missing,
            tuple(
                who_may(state.step.verb, review).exclude(
                    pk__in=busy | quorum.excluded(state.step, round_)
                )
            )
            if state.is_open
            else (),
        )
        for state in quorum.steps(document(review), round_, decisions)
    ]


def open_steps(actor: Actor, review: Review) -> list[Step]:
    """The steps this actor could sign now: the role, a signature missing, no author, not decided yet."""
    round_ = live_round(review)
    if round_ is None or review.state is not ReviewStatus.OPEN or actor.user_id in round_.authors:
        return []
    decisions = quorum.decisions_of(round_)
    if any(decision.user_id == actor.user_id for decision in decisions):
        return []
    states = quorum.steps(document(review), round_, decisions)
    verbs = policy.verbs_on(actor, review)
    return [
        state.step
        for state in states
        if state.is_open
        and state.step.verb in verbs
        and actor.user_id not in quorum.excluded(state.step, round_)
    ]


def why_not(actor: Actor, review: Review) -> str:
    """Why this actor cannot decide now, in a sentence, with who can; "" if she can."""
    if review.state is ReviewStatus.CHANGES_REQUESTED:
        return f"Changes were requested in {review.key}; a new round opens it for signature again."
    if review.state is not ReviewStatus.OPEN:
        return f"{review.key} is {review.state.label.lower()}; nothing is open for signature."
    round_ = live_round(review)
    if round_ is None:
        return "The evidence is void. Its submitter makes a new round, then it can be signed."
    if actor.user_id in round_.authors:
        return f"You made part of this, so others must sign: {_names(review)}."
    decisions = quorum.decisions_of(round_)
    if any(decision.user_id == actor.user_id for decision in decisions):
        return "You have decided about this round; a decision stays."
    if open_steps(actor, review):
        return ""
    return f"What is open now is not for you to sign. Asked: {_names(review)}."


def _names(review: Review) -> str:
    names = {str(user) for asked in who_is_asked(review) for user in asked.people}
    return ", ".join(sorted(names)[:5]) or "nobody has the role yet; ask an administrator"


def decisions_of_version(version: ModelVersion) -> QuerySet[Decision]:
    """Every decision ever made about a version, oldest first, with round, review and person."""
    return (
        Decision.objects.filter(review__version=version)
        .select_related("user", "round", "review")
        .order_by("pk")
    )


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thing for a person to do or to wait for."""

    review: Review
    act: str
    signed: int
    needed: int


@dataclass(slots=True)
class Inbox:
    """What needs this person, and what waits for others. Built in a constant number of queries."""

    needs_you: list[InboxRow] = field(default_factory=list)
    waiting: list[InboxRow] = field(default_factory=list)


def inbox(actor: Actor) -> Inbox:
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
    for review in list_reviews(actor, statuses=[status.value for status in ACTIVE]):
        _sort(box, actor, review, signable)
    return box


def _sort(box: Inbox, actor: Actor, review: Review, signable: dict[str, set[int]]) -> None:
    rounds: Sequence[Round] = review.live_rounds  # type: ignore[attr-defined]  # to_attr
    round_ = rounds[0] if rounds else None
    decisions = list(round_.decisions.all()) if round_ else []
    states = quorum.steps(document(review), round_, decisions) if round_ else []
    signed = sum(min(len(state.signed), state.step.count) for state in states)
    needed = sum(step.count for step in document(review).steps)
    mine = review.submitted_by_id == actor.user_id
    done = {decision.user_id for decision in decisions}
    may_sign = (
        round_ is not None
        and review.state is ReviewStatus.OPEN
        and actor.user_id not in round_.authors
        and actor.user_id not in done
        and any(
            state.is_open
            and actor.user_id not in quorum.excluded(state.step, round_)
            and review.version.model_id in signable.get(state.step.verb, set())
            for state in states
        )
    )
    if may_sign:
        box.needs_you.append(InboxRow(review, "sign", signed, needed))
    elif mine and review.state is ReviewStatus.CHANGES_REQUESTED:
        box.needs_you.append(InboxRow(review, "answer", signed, needed))
    elif mine and round_ is None:
        box.needs_you.append(InboxRow(review, "new round", signed, needed))
    elif mine and review.state is ReviewStatus.SIGNED:
        box.needs_you.append(InboxRow(review, "promote", signed, needed))
    elif mine or actor.user_id in done:
        box.waiting.append(InboxRow(review, "wait", signed, needed))


def tally(review: Review) -> tuple[int, int]:
    """Signatures given and needed, of a review from `list_reviews` (no query of its own)."""
    rounds: Sequence[Round] = review.live_rounds  # type: ignore[attr-defined]  # to_attr
    document_ = document(review)
    needed = sum(step.count for step in document_.steps)
    if not rounds:
        return 0, needed
    states = quorum.steps(document_, rounds[0], list(rounds[0].decisions.all()))
    return sum(min(len(state.signed), state.step.count) for state in states), needed


def get_decision(review: Review, pk: int) -> Decision:
    """One decision of a review, with its round and person; NotFound."""
    row = review.decisions.select_related("user", "round").filter(pk=pk).first()
    if row is None:
        raise NotFound(f"{review.key} has no such decision.")
    return row


def round_shown(review: Review, digest: str) -> Round | None:
    """The round of this review that somebody was shown by its digest; None for what is no digest."""
    if not digest.isalnum():  # the database could not even compare a NUL
        return None
    return review.rounds.filter(digest=digest).order_by("-pk").first()


def latest_statuses(versions: Iterable[ModelVersion]) -> dict[int, tuple[int, str]]:
    """The last review of each version, as id and status, in one query; versions without one are left out."""
    rows = Review.objects.filter(version__in=list(versions)).order_by("pk")
    return {
        version: (pk, status)
        for version, pk, status in rows.values_list("version_id", "pk", "status")
    }
