"""Sign a proposed change of policy; the last signature puts it in force, or has it wait for its day.

The proposer never signs. A loosening takes two signatures, anything else one (`apps.reviews.reads.proposals`; the
trigger reviews_guard_change says the same).
"""

from __future__ import annotations

from django.db import DatabaseError, transaction

from apps.accounts import policy as rights
from apps.accounts import selectors as accounts
from apps.accounts.services import ReauthProof
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden
from apps.reviews import in_force
from apps.reviews.events import policies as policy_events
from apps.reviews.models import (
    ChangeStatus,
    PolicyActivation,
    PolicyChange,
    PolicySignature,
)
from apps.reviews.policies.document import parse
from apps.reviews.reads import proposals
from apps.reviews.services import signing, simulating
from apps.reviews.services.pinning import IN_FORCE, alone, one_at_a_time
from apps.reviews.services.policies import close, finish, lock, require_another, written
from apps.reviews.services.reasons import check_text

_STATEMENT = "countersign.policy_signature.v1"


def sign_change(
    actor: Actor,
    change: PolicyChange,
    *,
    approves: bool,
    digest: str,
    comment: str,
    proof: ReauthProof,
    simulation: str | None = None,
) -> PolicySignature:
    """Sign a proposed change, for or against; the last signature needed puts it in force, or on its day if that is ahead.

    `simulation` is the digest of the simulation that the signer was shown, "" if she was shown none; without it nothing
    is compared. What is signed names the newest, which is made first where there is none of what is in force now.

    Refuses: the proposer, another digest or simulation than the one shown (Conflict), a closed change, a second signature,
    somebody without policy.sign now, a stale or foreign proof, targets that are held without an approval.
    """
    check_text(comment, "comment")
    proof.require_for(actor)
    rights.require(actor, "policy.sign")
    _require_unsigned(actor, change, digest)  # nothing is tried out for a signature that is refused
    tried = simulating.for_signing(actor, change, shown=simulation)
    with verb(actor) as v:
        one_at_a_time()
        change = lock(change)
        rights.require_fresh(actor, "policy.sign")
        _require_unsigned(actor, change, digest)
        if approves:
            _require_as_proposed(change)
        row = _sign(
            v, actor, change, approves=approves, comment=comment, proof=proof, simulation=tried
        )
        if not approves:
            close(v, change, ChangeStatus.REJECTED, comment)
        elif change.signatures.filter(approves=True).count() >= change.needed:
            _settle(v, change)
    return row


def _require_as_proposed(change: PolicyChange) -> None:
    """Raise Conflict when another policy changed since, so that this one would loosen something else now."""
    if change.version is None:
        return
    old = parse(change.replaces.document) if change.replaces else None
    if proposals.loosened(old, parse(change.version.document)) != change.loosens:
        raise Conflict(
            f"Other policies changed since {change} was proposed, and what it loosens with them.",
            hint="Withdraw it and propose it again.",
        )


def _require_unsigned(actor: Actor, change: PolicyChange, digest: str) -> None:
    """The proposal is the one shown, somebody else's, and not signed by this person."""
    if digest != change.digest:
        raise Conflict(f"You were shown {digest[:12]}, the proposal is {change.digest[:12]}.")
    if actor.user_id is None or actor.user_id == change.proposed_by_id:
        raise Forbidden("You proposed this change, so others must sign it.")
    if change.signatures.filter(user_id=actor.user_id).exists():
        raise Conflict("You have signed this change already; a signature stays.")


def _settle(v: Verb, change: PolicyChange) -> None:
    """With all its signatures: in force now, or when its day comes (services.scheduling)."""
    if change.effective_at is None or change.effective_at <= clock.now():
        activate(v, change)
        return
    change.status = ChangeStatus.SCHEDULED
    change.save(update_fields=["status"])
    v.record(
        policy_events.PolicyScheduled(
            change=change.pk,
            key=change.key,
            version=str(change.version or ""),
            effective_at=written(change.effective_at) or "",
        )
    )


def _sign(
    v: Verb,
    actor: Actor,
    change: PolicyChange,
    *,
    approves: bool,
    comment: str,
    proof: ReauthProof,
    simulation: str,
) -> PolicySignature:
    user = accounts.get_user(actor.user_id or 0)
    signed = signing.sign(
        _STATEMENT,
        user,
        proof,
        {
            "change": change.pk,
            "digest": change.digest,
            "simulation": simulation,
            "approves": approves,
            "meaning": "approved" if approves else "rejected",
            "comment": comment,
        },
    )
    row = PolicySignature.objects.create(
        change=change, approves=approves, comment=comment, **signed.columns
    )
    v.record(
        policy_events.PolicySigned(
            change=change.pk,
            key=change.key,
            signature=row.pk,
            approves=approves,
            digest=change.digest,
            statement_digest=row.statement_digest,
            method=row.method,
            signer=str(user.uuid),
            signer_name=row.signer_name,
        )
    )
    return row


def activate(v: Verb, change: PolicyChange) -> None:
    """Put a locked change in force. Refuses (Blocked, Invalid) what cannot hold with what is in force."""
    alone(IN_FORCE)
    if change.version is None:
        require_another(change.key)
    else:
        in_force.combined_with(change.version, list(in_force.active()))
    finish(change, ChangeStatus.ACTIVATED, "")
    try:
        with transaction.atomic():
            row = PolicyActivation.objects.create(
                key=change.key,
                version=change.version,
                change=change,
                activated_at=clock.now(),
            )
    except DatabaseError as error:
        reason = str(error).split("\n")[0]
        raise Blocked(f"{change} cannot be put in force: {reason}.") from error
    v.record(
        policy_events.PolicyActivated(
            change=change.pk,
            key=change.key,
            activation=row.pk,
            version=str(change.version or ""),
            version_digest=change.version.digest if change.version else "",
        )
    )
