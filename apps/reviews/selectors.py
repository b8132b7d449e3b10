"""Reads of reviews: who is asked, what is waiting, why not you."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.policy import who_may
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, DomainError, Forbidden, NotFound
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import evidence, quorum
from apps.reviews.models import ACTIVE, Decision, Delegation, Review, ReviewStatus, Round
from apps.reviews.policies.document import PolicyDocument, Step, parse
from apps.reviews.reads import delegations, expiry


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


def open_reviews() -> QuerySet[Review]:
    """Every review that is open for signature, whoever asks, oldest first, with what `list_reviews` loads."""
    rows = _rows().filter(status=ReviewStatus.OPEN).order_by("pk")
    return rows.prefetch_related(_live_rounds())


def _live_rounds() -> Prefetch[str]:
    decisions = Prefetch("decisions", Decision.objects.select_related("user").order_by("pk"))
    rounds = quorum.with_barred(Round.objects.filter(voided_at__isnull=True))
    rounds = rounds.prefetch_related(decisions)
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
    people = Decision.objects.select_related("user", "on_behalf_of")
    decisions = Prefetch("decisions", people.order_by("pk"))
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


@dataclass(frozen=True, slots=True)
class Asked:
    """One step of a review: who has signed, who is asked, how many signatures are missing. `people` holds everybody who
    may sign, also who may only for another: `delegated` says for whom."""

    step: Step
    signed: tuple[Decision, ...]
    missing: int
    people: tuple[User, ...]
    delegated: tuple[Delegation, ...] = ()


def who_is_asked(review: Review) -> list[Asked]:
    """Each step with the people who may still sign it: the right role, or one delegated to them; not kept out, no
    decision yet."""
    round_ = live_round(review)
    if round_ is None:
        return [Asked(step, (), step.count, ()) for step in document(review).steps]
    return asked_about(review, round_, quorum.decisions_of(round_))


def asked_about(review: Review, round_: Round, decisions: Sequence[Decision]) -> list[Asked]:
    """`who_is_asked` of a review whose live round and its decisions are known."""
    lent = delegations.in_force_for(review)
    return [
        _asked(review, round_, state, quorum.taken(decisions), lent)
        for state in quorum.steps(document(review), round_, decisions)
    ]


def _asked(
    review: Review,
    round_: Round,
    state: quorum.StepState,
    taken: set[int],
    lent: Sequence[Delegation],
) -> Asked:
    signed = cast("tuple[Decision, ...]", state.signed)
    if not state.is_open:
        return Asked(state.step, signed, state.missing, ())
    holders = list(who_may(state.step.verb, review))
    out = taken | quorum.excluded(state.step, round_)
    found = delegations.usable(lent, state.step, round_, {user.pk for user in holders}, taken)
    people = {user.pk: user for user in holders if user.pk not in out}
    readers = who_may("review.read", review).filter(pk__in=[row.delegate_id for row in found])
    seeing = {user.pk: user for user in readers} if found else {}
    delegated = tuple(row for row in found if row.delegate_id in seeing)
    people |= {row.delegate_id: seeing[row.delegate_id] for row in delegated}
    return Asked(state.step, signed, state.missing, tuple(people.values()), delegated)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which somebody could sign now: a step, for herself or by a delegation."""

    step: Step
    delegation: Delegation | None = None


def ways(actor: Actor, review: Review) -> list[Way]:
    """Every way in which this actor could sign now, in the order of the steps, her own role before another's."""
    round_ = live_round(review)
    if round_ is None or review.state is not ReviewStatus.OPEN or actor.user_id in round_.authors:
        return []
    decisions = quorum.decisions_of(round_)
    taken = quorum.taken(decisions)
    if actor.user_id in taken | quorum.barred(round_):
        return []
    found: list[Way] = []
    verbs = policy.verbs_on(actor, review)
    for state in quorum.steps(document(review), round_, decisions):
        if not state.is_open:
            continue
        if state.step.verb in verbs and actor.user_id not in quorum.excluded(state.step, round_):
            found.append(Way(state.step))
        lent = delegations.ways(actor, review, state.step, round_, taken)
        found += [Way(state.step, row) for row in lent]
    return found


def open_steps(actor: Actor, review: Review) -> list[Step]:
    """The steps this actor could sign now, for herself or for another."""
    return list(dict.fromkeys(way.step for way in ways(actor, review)))


def why_not(actor: Actor, review: Review) -> str:
    """Why this actor cannot decide now, in a sentence, with who can; "" if she can."""
    late = expiry.refusal(review)
    if late is not None:
        return f"{late.message} {late.hint}"
    if review.state is ReviewStatus.CHANGES_REQUESTED:
        return f"Changes were requested in {review.key}; a new round opens it for signature again."
    if review.state is not ReviewStatus.OPEN:
        return f"{review.key} is {review.state.label.lower()}; nothing is open for signature."
    round_ = live_round(review)
    if round_ is None:
        return "The evidence is void. Its submitter makes a new round, then it can be signed."
    barrier = _barrier(actor, review, round_)
    if barrier or ways(actor, review):
        return barrier
    return f"What is open now is not for you to sign. Asked: {_names(review)}."


def signs_here(actor: Actor, review: Review) -> bool:
    """Whether she has a role of one of the steps, or has one delegated to her, whatever is open now."""
    verbs = policy.verbs_on(actor, review)
    lent = {
        row.role for row in delegations.in_force_for(review) if row.delegate_id == actor.user_id
    }
    return any(step.verb in verbs or step.role in lent for step in document(review).steps)


def refusal_to_step_aside(actor: Actor, review: Review) -> DomainError | None:
    """What keeps this actor from stepping aside from the review now; None if she can. The page asks it, the verb raises it."""
    if not review.state.is_active:
        return Conflict(
            f"{review.key} is {review.state.label.lower()}; there is nothing to decide."
        )
    if not signs_here(actor, review):
        return Forbidden(
            f"{actor.label} is not asked to sign {review.key}, so there is nothing to step aside from."
        )
    if any(row.user_id == actor.user_id for row in review.recusals.all()):
        return AlreadyExists("You have stepped aside from this review already.")
    round_ = live_round(review)
    if round_ is not None and actor.user_id in quorum.taken(quorum.decisions_of(round_)):
        return Conflict("You have decided about this round already; a decision stays.")
    return None


def _barrier(actor: Actor, review: Review, round_: Round) -> str:
    """What keeps this actor out of the round whatever her role, in a sentence; "" if nothing does."""
    if actor.user_id in round_.authors:
        return f"{_part(actor, review)}, so others must sign: {_names(review)}."
    decisions = quorum.decisions_of(round_)
    if any(decision.user_id == actor.user_id for decision in decisions):
        return "You have decided about this round; a decision stays."
    if actor.user_id in quorum.taken(decisions):
        return "Somebody you delegated to has decided about this round for you."
    if actor.user_id not in quorum.barred(round_):
        return ""
    if review.recusals.filter(user_id=actor.user_id).exists():
        return f"You stepped aside from {review.key}. Asked: {_names(review)}."
    return f"A conflict of interest is declared about you here. Asked: {_names(review)}."


def _part(actor: Actor, review: Review) -> str:
    """What the actor did of what is reviewed, as far as it shows today."""
    found = evidence.authors(review.version, review.submitted_by_id).get(actor.user_id or 0, ())
    return f"You made part of this ({', '.join(found)})" if found else "You made part of this"


def _names(review: Review) -> str:
    names = {str(user) for asked in who_is_asked(review) for user in asked.people}
    return ", ".join(sorted(names)[:5]) or "nobody has the role yet; ask an administrator"


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
    row = review.decisions.select_related("user", "on_behalf_of", "round").filter(pk=pk).first()
    if row is None:
        raise NotFound(f"{review.key} has no such decision.")
    return row


def event_of(decision: Decision) -> EventView | None:
    """The event of the ledger that tells of a decision; None where there is none, which verifying the ledger reports."""
    found = audits.events(
        scopes=[f"review:{decision.review_id}"], types=["reviews.decision.recorded"], limit=1000
    )
    return next((row for row in found if row.payload.get("decision") == decision.pk), None)


def round_shown(review: Review, digest: str) -> Round | None:
    """The round of this review that somebody was shown by its digest; None for what is no digest."""
    if not digest.isalnum():  # the database could not even compare a NUL
        return None
    return review.rounds.filter(digest=digest).order_by("-pk").first()


def approved_versions(model: RegisteredModel) -> QuerySet[ModelVersion]:
    """Every version of a model that was ever promoted by a review and is not deleted, oldest first."""
    promoted = Review.objects.filter(version=OuterRef("pk"), status=ReviewStatus.PROMOTED)
    rows = ModelVersion.objects.filter(Exists(promoted), model=model, deleted_at__isnull=True)
    return rows.select_related("model").order_by("number")


def latest_statuses(versions: Iterable[ModelVersion]) -> dict[int, tuple[int, str]]:
    """The last review of each version, as id and status, in one query; versions without one are left out."""
    rows = Review.objects.filter(version__in=list(versions)).order_by("pk")
    return {
        version: (pk, status)
        for version, pk, status in rows.values_list("version_id", "pk", "status")
    }
