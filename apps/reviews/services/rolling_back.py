"""The emergency path: one person puts the last validly approved version back; somebody else reviews that afterwards.

The order in `roll_back`, which the triggers of migration 0016 repeat where SQL can:
 0. before the transaction, re-hash the bytes of the version that would come back;
 1. lock model and version; pin the policies in force, which must all have an emergency path;
 2. the actor holds every role of the path at this moment and has just re-authenticated in her own session;
 3. for each target the version is the last validly approved one at this moment;
 4. write the signed rollback and an authorization that stands on it, spend that, move the version.
Gates are not asked and freeze windows do not hold: the version was let in by them once, and this is an emergency. The new
authorization lives no longer than the earlier approval.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.services import ReauthProof
from apps.accounts.verbs import right_of
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden, Invalid, Tampered
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.registry.targets import Target
from apps.reviews import emergency, evidence, roles, selectors
from apps.reviews.emergency import WayBack
from apps.reviews.events import rereviews as rereview_events
from apps.reviews.models import (
    PolicyVersion,
    RereviewTrigger,
    Rollback,
    RollbackReview,
)
from apps.reviews.policies.document import Emergency, parse
from apps.reviews.rereview import Need
from apps.reviews.services import rereviewing, signing
from apps.reviews.services.pinning import pin
from apps.reviews.services.reasons import check_text

MADE = "countersign.rollback.v1"
REVIEWED = "countersign.rollback_review.v1"


def roll_back(
    actor: Actor,
    version: ModelVersion,
    *,
    targets: Sequence[Target],
    reason: str,
    proof: ReauthProof,
) -> list[Rollback]:
    """Put the version back into these targets on the strength of its earlier approval: into all of them or into none.

    Refuses: no reason, a stale or foreign proof, a policy without emergency path, an actor without all its roles,
    a version that is not the last validly approved one of a target (Conflict, naming which is), damaged bytes.
    """
    check_text(reason, "reason")
    proof.require_for(actor)
    if not targets:
        raise Invalid("Choose at least one target.", fields={"targets": "required"})
    if any(target.kind == "environment" for target in targets):
        raise Invalid(
            "In an environment one goes back by recording a deployment of the version before, while its approval holds.",
            fields={"targets": "a stage or an alias"},
        )
    damage = evidence.damaged_bytes(version)
    if damage:
        raise Tampered(f"{version} cannot be put back: {damage}.")
    with verb(actor) as v:
        version = lock_version(version.pk)
        return [_one(v, actor, version, target, reason, proof) for target in sorted(set(targets))]


def _one(
    v: Verb, actor: Actor, version: ModelVersion, target: Target, reason: str, proof: ReauthProof
) -> Rollback:
    pinned = pin(version, [target])
    path = parse(pinned.document).emergency
    if path is None:
        raise emergency.refusal(actor, version, target) or Conflict("The policies changed.")
    if actor.user_id is None:
        raise Forbidden("Only a person rolls back.")
    roles.require_fresh(actor, path.roles, version)
    way = emergency.way_back(version.model, target)
    if way.version.pk != version.pk:
        raise emergency.not_the_last(version, way)
    return _write(v, actor, way, pinned, path, reason, proof)


def _write(
    v: Verb,
    actor: Actor,
    way: WayBack,
    pinned: PolicyVersion,
    path: Emergency,
    reason: str,
    proof: ReauthProof,
) -> Rollback:
    version, entry = way.version, way.entry
    person = accounts.get_user(actor.user_id or 0)
    review_by = clock.now() + dt.timedelta(days=path.review_within_days)
    replaced = way.holder.number if way.holder else None
    signed = signing.sign(
        MADE,
        person,
        proof,
        {
            "model": version.model.name,
            "version": version.number,
            "manifest_digest": version.manifest_digest,
            "target": str(way.target),
            "replaced": replaced,
            "review": entry.review_id,
            "evidence_digest": entry.evidence_digest,
            "policy_digest": pinned.digest,
            "roles": list(path.roles),
            "reason": reason,
        },
    )
    minted = registry.authorize(
        actor,
        version,
        target=way.target,
        review_id=entry.review_id,
        round_id=entry.round_id,
        evidence_digest=entry.evidence_digest,
        terms=entry.terms,
        expires_at=entry.expires_at,
    )
    row = Rollback.objects.create(
        version=version,
        target_kind=way.target.kind,
        target_name=way.target.name,
        replaced=way.holder,
        earlier=entry,
        authorization=minted,
        policy_version=pinned,
        review_by=review_by,
        reason=reason,
        **signed.columns,
    )
    registry.put_back(actor, version, authorization=minted)
    v.record(
        rereview_events.RolledBack(
            rollback=row.pk,
            version=version.pk,
            model=version.model_id,
            target=str(way.target),
            review=entry.review_id,
            authorization=minted.pk,
            earlier=entry.pk,
            replaced=way.holder.pk if way.holder else None,
            reason=reason,
            policy=str(pinned),
            review_by=review_by.isoformat(timespec="seconds"),
            statement_digest=signed.digest,
            method=proof.method,
            signer=str(person.uuid),
            signer_name=str(person),
        )
    )
    return row


def review_rollback(
    actor: Actor, rollback: Rollback, *, accepts: bool, comment: str, proof: ReauthProof
) -> RollbackReview:
    """Sign afterwards that a rollback was right, or that it was not: then the version needs a new review.

    Refuses: whoever made it, somebody without one of the roles that sign under its policy, a second review.
    """
    check_text(comment, "comment")
    proof.require_for(actor)
    with verb(actor) as v:
        version = lock_version(rollback.version_id)
        rollback = emergency.get_rollback(actor, rollback.pk)
        refused = emergency.refusal_to_review(actor, rollback)
        if refused is not None:
            raise refused
        role = _role(actor, rollback)
        policy.require_fresh(actor, right_of(role), rollback)
        row = _reviewed(v, actor, rollback, role, comment, proof, accepts=accepts)
        review = selectors.find_review(rollback.earlier.review_id)
        if not accepts and review is not None:
            reason = f"{row.signer_name} did not confirm the emergency rollback {rollback.key}: {comment.strip()}"
            need = Need(RereviewTrigger.ROLLBACK, f"rollback:{rollback.pk}", reason.rstrip("."))
            review.version = version
            rereviewing.write(v, review, need)
    return row


def _role(actor: Actor, rollback: Rollback) -> str:
    wanted = emergency.reviewing_roles(rollback)
    return next(role for role in wanted if policy.can(actor, right_of(role), rollback))


def _reviewed(
    v: Verb,
    actor: Actor,
    rollback: Rollback,
    role: str,
    comment: str,
    proof: ReauthProof,
    *,
    accepts: bool,
) -> RollbackReview:
    person = accounts.get_user(actor.user_id or 0)
    signed = signing.sign(
        REVIEWED,
        person,
        proof,
        {
            "rollback": rollback.pk,
            "rollback_statement": rollback.statement_digest,
            "model": rollback.version.model.name,
            "version": rollback.version.number,
            "target": str(rollback.target),
            "accepts": accepts,
            "role": role,
            "comment": comment,
        },
    )
    row = RollbackReview.objects.create(
        rollback=rollback, role=role, accepts=accepts, comment=comment, **signed.columns
    )
    v.record(
        rereview_events.RollbackReviewed(
            rollback=rollback.pk,
            review=rollback.earlier.review_id,
            version=rollback.version_id,
            model=rollback.version.model_id,
            target=str(rollback.target),
            accepts=accepts,
            role=role,
            statement_digest=signed.digest,
            method=proof.method,
            signer=str(person.uuid),
            signer_name=str(person),
        )
    )
    return row


def question_unreviewed(actor: Actor, rollback: Rollback) -> None:
    """A rollback that nobody reviewed in time: the version needs a new review. For the sweeper; once."""
    with verb(actor) as v:
        version = lock_version(rollback.version_id)
        if RollbackReview.objects.filter(rollback=rollback).exists():
            raise Conflict(f"{rollback.key} was reviewed meanwhile.")
        if clock.now() < rollback.review_by:
            raise Conflict(f"{rollback.key} may still be reviewed.")
        review = selectors.find_review(rollback.earlier.review_id)
        if review is None:
            raise Blocked(f"{rollback.key}: the approval it rests on is not on record.")
        review.version = version
        reason = f"nobody reviewed the emergency rollback {rollback.key} by {rollback.review_by:%d %b %Y}"
        need = Need(RereviewTrigger.ROLLBACK, f"rollback:{rollback.pk}:late", reason)
        rereviewing.write(v, review, need)
