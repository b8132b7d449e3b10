"""Give a signing role to somebody else for a while, and take it back.

What is given is only the permission to sign for the delegator while she holds the role: it is looked at again, with both
people's rows locked, each time the delegate signs. It cannot be given on, since giving takes a role of one's own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.accounts.models import Team, User
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.registry.models import RegisteredModel
from apps.reviews import quorum, selectors
from apps.reviews.events import independence as independence_events
from apps.reviews.models import Delegation, DelegationEnd, Review
from apps.reviews.reads import delegations, independence
from apps.reviews.reads.delegations import MAX_DAYS
from apps.reviews.services.reasons import check_text


@dataclass(frozen=True, slots=True)
class Scope:
    """What a delegation is for: one review, one model, or the models of one team. Exactly one is set."""

    review: Review | None = None
    model: RegisteredModel | None = None
    team: Team | None = None

    @property
    def root(self) -> policy.Rooted:
        """What the rights are asked on; Invalid unless exactly one thing is named."""
        named = [each for each in (self.review, self.model, self.team) if each is not None]
        if len(named) != 1:
            raise Invalid(
                "Name one review, one model or one team.", fields={"scope": "exactly one"}
            )
        return named[0]


def delegate(
    actor: Actor, *, to: User, role: str, scope: Scope, until: dt.date, reason: str
) -> Delegation:
    """Let another person sign in the actor's role up to and including the day `until` (UTC).

    Refuses: a role that the actor does not hold there herself, an end beyond 90 days, oneself, somebody who could
    sign for nobody or may not see it, an author, owner or other excluded person as far as that is known now (it is
    looked at again at signing), the same delegation twice.
    """
    check_text(reason, "reason")
    now = clock.now()
    ends = _end(until, now)
    signs = f"review.sign.{role}"
    if signs not in policy.VERBS:
        raise Invalid(f"{role[:40]!r} is no signing role.", fields={"role": "unknown"})
    root = scope.root
    with verb(actor) as v:
        policy.require_fresh(actor, signs, root)
        if actor.user_id is None or to.pk == actor.user_id:
            raise Invalid("Name somebody else.", fields={"to": "somebody else"})
        _require_fit(to, root)
        _require_not_kept_out(actor, to, role, scope)
        _require_new(actor.user_id, to, role, scope)
        row = Delegation.objects.create(
            delegator_id=actor.user_id,
            delegate=to,
            role=role,
            review=scope.review,
            model=scope.model,
            team=scope.team,
            reason=reason,
            created_at=now,
            ends_at=ends,
        )
        v.record(
            independence_events.DelegationGiven(
                **_about(row), reason=reason, until=ends.isoformat(timespec="seconds")
            )
        )
    return row


def end_delegation(actor: Actor, row: Delegation, *, reason: str) -> DelegationEnd:
    """End a delegation at once. For the delegator, the delegate, and whoever manages people.

    Refuses (Conflict) one that has ended. What was signed under it before stays.
    """
    check_text(reason, "reason")
    own = independence.is_person(actor) and actor.user_id in {row.delegator_id, row.delegate_id}
    if not own:
        policy.require(actor, "people.manage")
    with verb(actor) as v:
        return _end_row(v, row, reason, actor.user_id)


def end_orphaned(actor: Actor, row: Delegation) -> None:
    """End a delegation whose delegator no longer holds the role there; nothing happens if she does. For the sweeper."""
    with verb(actor) as v:
        holding = policy.who_may(f"review.sign.{row.role}", delegations.root_of(row))
        if not holding.filter(pk=row.delegator_id).exists():
            _end_row(v, row, f"the delegator no longer has the role {row.role} there", None)


def _end_row(v: Verb, row: Delegation, reason: str, by: int | None) -> DelegationEnd:
    """End it. Signing share-locks the delegate's row, so a signature comes wholly before this or not at all."""
    User.objects.select_for_update().get(pk=row.delegate_id)
    if row.ends_at <= clock.now():
        raise Conflict("This delegation is over already.")
    try:
        with transaction.atomic():
            made = DelegationEnd.objects.create(
                delegation=row, reason=reason, user_id=by, created_at=clock.now()
            )
    except IntegrityError as error:
        raise Conflict("This delegation was ended already.") from error
    v.record(independence_events.DelegationEnded(**_about(row), reason=reason))
    return made


def _end(until: dt.date, now: dt.datetime) -> dt.datetime:
    if not now.date() <= until < now.date() + dt.timedelta(days=MAX_DAYS):
        problem = f"Today or later, and within {MAX_DAYS} days."
        raise Invalid("A delegation ends.", fields={"until": problem})
    return dt.datetime.combine(until, dt.time(), dt.UTC) + dt.timedelta(days=1)


def _require_fit(to: User, root: policy.Rooted) -> None:
    if not policy.fit_to_sign().filter(pk=to.pk).exists():
        raise Invalid(
            f"{to} cannot sign for anybody: only an active person who does not administer people can.",
            fields={"to": "cannot sign"},
        )
    reads = "model.read" if isinstance(root, Team) else "review.read"
    if not policy.who_may(reads, root).filter(pk=to.pk).exists():
        raise Invalid(f"{to} does not see what it is for.", fields={"to": "does not see it"})


def _require_not_kept_out(actor: Actor, to: User, role: str, scope: Scope) -> None:
    """Nobody whom the review or the model keeps out signs for another, nor has another sign for her."""
    both = {actor.user_id, to.pk}
    model = scope.review.version.model if scope.review is not None else scope.model
    if model is not None:
        for person in sorted(pk for pk in both if pk is not None):
            if independence.standing_conflicts(model, person).exists():
                raise Forbidden(
                    "A conflict of interest is declared about one of you in this model."
                )
    round_ = selectors.live_round(scope.review) if scope.review is not None else None
    if scope.review is None or round_ is None:
        return
    steps = [step for step in selectors.document(scope.review).steps if step.role == role]
    if not steps:
        raise Invalid(f"{scope.review.key} asks for no {role}.", fields={"role": "not asked for"})
    if all(both & quorum.excluded(step, round_) for step in steps):
        raise Forbidden(
            f"One of you is kept out of {scope.review.key}: as author, owner, by stepping aside or by a conflict."
        )


def _require_new(delegator: int, to: User, role: str, scope: Scope) -> None:
    same = delegations.all_in_force().filter(
        delegator=delegator,
        delegate=to,
        role=role,
        review=scope.review,
        model=scope.model,
        team=scope.team,
    )
    if same.exists():
        raise AlreadyExists("This is delegated already.", hint="End it first to change its time.")


def _about(row: Delegation) -> dict[str, Any]:
    return {
        "delegation": row.pk,
        "delegator": row.delegator_id,
        "delegate": row.delegate_id,
        "role": row.role,
        "scope": delegations.scope_of(row),
    }
