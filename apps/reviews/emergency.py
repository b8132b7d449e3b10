"""The way back in an emergency: which version could be put back into a target, by whom, and why not.

The last validly approved version is the newest one that was in the target by an authorization of which everything still
stands: the signatures are all counted, nothing of the evidence was recalled, the approval has not expired, nobody
rejected the version since, and nothing questions it (`apps.reviews.rereview`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.verbs import SIGNING_ROLES, right_of
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden, NotFound, Tampered
from apps.registry import selectors as registry
from apps.registry.models import Authorization, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import evidence, in_force, quorum, rereview, roles, selectors
from apps.reviews.models import Rereview, Review, ReviewStatus, Rollback, Round
from apps.reviews.policies.document import Emergency


@dataclass(frozen=True, slots=True)
class WayBack:
    """The version that could be put back by `entry`, and the one it would take the place of."""

    target: Target
    entry: Authorization
    holder: ModelVersion | None

    @property
    def version(self) -> ModelVersion:
        return self.entry.version


def path_of(version: ModelVersion, target: Target) -> Emergency | None:
    """The emergency path of the policies in force for this version and target; None where one of them has none."""
    return in_force.policy_for(version, [target]).document.emergency


def way_back(model: RegisteredModel, target: Target) -> WayBack:
    """The last validly approved version of a target; Blocked if there is none, saying why each that was there is not."""
    holder = registry.holder(model, target)
    reasons: list[str] = []
    for entry in _entries(model, target):
        if holder is not None and entry.version_id == holder.pk:
            continue
        why = _why_not_valid(entry)
        if not why:
            return WayBack(target, entry, holder)
        if (sentence := f"{entry.version}: {why}") not in reasons:
            reasons.append(sentence)
    raise Blocked(
        f"Nothing can be put back into {target.label} of {model.name}: "
        + ("; ".join(reasons) if reasons else "no other version was ever approved for it")
        + ".",
        reasons=reasons,
    )


def ways_back(model: RegisteredModel) -> list[WayBack]:
    """Each governed target that has a way back."""
    found = []
    for target in _targets():
        try:
            found.append(way_back(model, target))
        except DomainError:
            continue
    return found


def _targets() -> list[Target]:
    """Stages and aliases. In an environment versions stand side by side: there going back is another deployment."""
    return [target for target in registry.governed_targets() if target.kind != "environment"]


def _entries(model: RegisteredModel, target: Target) -> list[Authorization]:
    """How versions came into the target, the newest first, each version once."""
    rows = Authorization.objects.filter(
        version__model=model,
        target_kind=target.kind,
        target_name=target.name,
        spent_at__isnull=False,
    ).select_related("version__model", "version__run")
    newest: dict[int, Authorization] = {}
    for row in rows.order_by("-spent_at", "-pk"):
        newest.setdefault(row.version_id, row)
    return list(newest.values())


def _why_not_valid(entry: Authorization) -> str:
    version = entry.version
    review = selectors.find_review(entry.review_id)
    round_ = Round.objects.filter(pk=entry.round_id).first()
    if version.deleted_at is not None:
        return "it was deleted"
    if review is None or round_ is None:
        return "its approval is not on record"
    if entry.revoked_at is not None:
        return "its approval was revoked"
    if entry.expires_at <= clock.now():
        return f"its approval expired on {entry.expires_at:%d %b %Y}"
    rejected = Review.objects.filter(version=version, pk__gt=review.pk)
    if rejected.filter(status=ReviewStatus.REJECTED).exists():
        return "it was rejected since"
    return _why_not_standing(entry, review, round_)


def _why_not_standing(entry: Authorization, review: Review, round_: Round) -> str:
    """What is wrong with the signatures and what they were given for."""
    decisions = quorum.decisions_of(round_)
    if not quorum.is_complete(
        quorum.steps(selectors.document(review), round_, decisions), decisions
    ):
        return "its signatures do not all count any more"
    try:
        lost = evidence.lost_items(round_)
    except Tampered as error:
        return error.message.rstrip(".")
    if lost:
        return lost[0]
    questioned = Rereview.objects.filter(review=review).order_by("pk").first()
    if questioned is not None:
        return questioned.reason
    needs = rereview.found(rereview.Approval(review, round_, (entry,)))
    return needs[0].reason if needs else ""


def refusal(actor: Actor, version: ModelVersion, target: Target) -> DomainError | None:
    """Why this actor cannot put this version back into the target; None if she can, as far as rights go."""
    path = path_of(version, target)
    if path is None:
        return Blocked(
            f"No emergency path leads into {target.label} of {version.model.name}: a policy in force has none."
        )
    if actor.user_id is None or actor.scopes is not None:
        return Forbidden("Only a person in a session of her own rolls back.")
    lacking = [role for role in path.roles if not policy.can(actor, right_of(role), version)]
    if lacking:
        return Forbidden(
            f"Putting a version back takes the role {roles.named(path.roles)}.",
            hint=f"You lack {roles.named(lacking)}.",
        )
    return None


def ways_for(actor: Actor, version: ModelVersion) -> list[WayBack]:
    """The targets into which this person can put this version back now."""
    if not policy.can(actor, "target.rollback", version):
        return []
    return [
        way
        for way in ways_back(version.model)
        if way.version.pk == version.pk and refusal(actor, version, way.target) is None
    ]


def why_not(actor: Actor, version: ModelVersion) -> DomainError:
    """Why this person can put this version back nowhere: what the first governed target says."""
    for target in _targets():
        refused = refusal(actor, version, target)
        if refused is not None:
            return refused
        try:
            way = way_back(version.model, target)
        except DomainError as error:
            return error
        if way.version.pk != version.pk:
            return not_the_last(version, way)
    return Blocked("No policy governs a stage or an alias.")


def not_the_last(version: ModelVersion, way: WayBack) -> Conflict:
    """Another version is the one that would come back."""
    return Conflict(
        f"{version} is not the last validly approved version of {way.target.label}: {way.version} is."
    )


def _rows() -> QuerySet[Rollback]:
    return Rollback.objects.select_related(
        "version__model", "replaced", "user", "earlier", "policy_version", "review__user"
    )


def get_rollback(actor: Actor, pk: int) -> Rollback:
    """One rollback; NotFound if there is none or its model is out of the actor's sight."""
    row = _rows().filter(pk=pk).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound(f"No rollback RB-{pk}.")
    return row


def find_rollback(pk: int) -> Rollback | None:
    """One rollback, whoever asks."""
    return _rows().filter(pk=pk).first()


def rollbacks_of(model: RegisteredModel) -> list[Rollback]:
    """Every rollback of a model, newest first."""
    return list(_rows().filter(version__model=model).order_by("-pk"))


def rollbacks_to(version: ModelVersion) -> list[Rollback]:
    """Every rollback that put this version back, newest first."""
    return list(_rows().filter(version=version).order_by("-pk"))


def unreviewed() -> QuerySet[Rollback]:
    """The rollbacks that nobody has reviewed yet, oldest first."""
    return _rows().filter(review__isnull=True).order_by("pk")


def late(at: dt.datetime) -> list[Rollback]:
    """The rollbacks that were to be reviewed by now and were not."""
    return list(unreviewed().filter(review_by__lte=at))


def reviewing_roles(row: Rollback) -> list[str]:
    """The roles, one of which somebody holds who reviews the rollback: those that sign under its policy."""
    steps: Sequence[dict[str, str]] = row.policy_version.document["steps"]
    return list(dict.fromkeys(step["role"] for step in steps))


def refusal_to_review(actor: Actor, row: Rollback) -> DomainError | None:
    """Why this actor cannot say whether the rollback was right; None if she can."""
    if hasattr(row, "review"):
        return Blocked(f"{row.key} was reviewed by {row.review.signer_name}.")
    if actor.user_id is None or actor.scopes is not None:
        return Forbidden("Only a person in a session of her own signs.")
    if actor.user_id == row.user_id:
        return Forbidden("You made this rollback, so somebody else must review it.")
    if not any(policy.can(actor, right_of(role), row) for role in reviewing_roles(row)):
        return Forbidden(
            f"A rollback is reviewed by somebody with one of the roles {', '.join(reviewing_roles(row))}."
        )
    return None


def to_review(actor: Actor) -> list[Rollback]:
    """The rollbacks that wait for this person's word, oldest first; a constant number of queries."""
    waiting = list(unreviewed().exclude(user=actor.user_id))
    if not waiting or actor.scopes is not None:
        return []
    models = {
        role: set(
            RegisteredModel.objects.filter(
                policy.where_may(actor, right_of(role), RegisteredModel)
            ).values_list("pk", flat=True)
        )
        for role in SIGNING_ROLES
    }
    return [
        row
        for row in waiting
        if any(row.version.model_id in models[role] for role in reviewing_roles(row))
    ]


def may_review(row: Rollback) -> list[User]:
    """Who can say whether the rollback was right."""
    people = {
        person.pk: person
        for role in reviewing_roles(row)
        for person in policy.who_may(right_of(role), row)
        if person.pk != row.user_id
    }
    return sorted(people.values(), key=str)
