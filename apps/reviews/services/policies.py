"""Verbs on policies: propose, sign, withdraw; the last signature puts the change in force.

What is proposed is written first as an immutable version, so what people sign is exactly what will be in force.
The proposer never signs. A loosening takes two signatures, anything else one (`apps.reviews.proposals`; the
trigger reviews_guard_change says the same).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.accounts import policy as rights
from apps.accounts import selectors as accounts
from apps.accounts.services import ReauthProof
from apps.audits import selectors as audits
from apps.audits.log import Verb, verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import in_force, policy_events, proposals
from apps.reviews.models import (
    PENDING,
    ChangeStatus,
    PolicyActivation,
    PolicyChange,
    PolicySignature,
    PolicyVersion,
)
from apps.reviews.policies import compare, files
from apps.reviews.policies.document import PolicyDocument, parse, plain
from apps.reviews.services import signing, simulating
from apps.reviews.services.reasons import check_text

# Advisory locks, taken in this order. Changes exclude each other; whoever pins a policy to a review shares the second,
# which an activation takes alone; whoever writes down a combination takes the third.
_CHANGING, _IN_FORCE, _COMBINING = 7_140_302, 7_140_303, 7_140_304
_CHANGE = "countersign.policy_change.v1"
_STATEMENT = "countersign.policy_signature.v1"


def propose(
    actor: Actor, *, text: str, reason: str, effective_on: dt.date | None = None
) -> PolicyChange:
    """Propose the policy that the YAML says, new or instead of the version in force, from a day on or at once.

    Refuses: a document that is not valid (with the line), one that contradicts another policy in force or asks
    for the same as the one it would replace, a second proposal for the same policy that is not decided or not yet in force.
    """
    rights.require(actor, "policy.edit")
    check_text(reason, "reason")
    effective_at = proposals.moment(effective_on)
    with verb(actor) as v:
        one_at_a_time()
        document = proposals.numbered(files.load(text, number=1))
        replaces = in_force.of_key(document.key)
        old = parse(replaces.document) if replaces else None
        if old is not None and not compare.redline(old, document):
            raise Invalid("It asks for the same as the version in force.", fields={"text": "same"})
        in_force.combined_with(document, list(in_force.active()))
        version = _write(document, (), actor.user_id)
        loosens = proposals.loosened(old, document)
        return _propose(v, actor, document.key, version, replaces, loosens, reason, effective_at)


def propose_retirement(
    actor: Actor, *, key: str, reason: str, effective_on: dt.date | None = None
) -> PolicyChange:
    """Propose to retire a policy. Refuses one that is not in force, and the last one."""
    rights.require(actor, "policy.edit")
    check_text(reason, "reason")
    effective_at = proposals.moment(effective_on)
    with verb(actor) as v:
        one_at_a_time()
        replaces = in_force.of_key(key)
        if replaces is None:
            raise Conflict(f"The policy {key[:80]} is not in force.")
        _require_another(key)
        loosens = compare.loosenings(parse(replaces.document), None)
        return _propose(v, actor, key, None, replaces, loosens, reason, effective_at)


def one_at_a_time() -> None:
    """Changes of policies wait for each other: each is compared with what is in force."""
    _alone(_CHANGING)


def _alone(lock: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def _shared(lock: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock])


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


def _write(document: PolicyDocument, parts: Collection[int], author: int | None) -> PolicyVersion:
    stored = plain(document)
    return PolicyVersion.objects.create(
        key=document.key,
        number=document.number,
        document=stored,
        digest=canonical.digest_of(stored),
        parts=sorted(parts),
        created_by_id=author,
        created_at=clock.now(),
    )


def _require_another(key: str) -> None:
    if not in_force.active().exclude(key=key).exists():
        raise Blocked("It is the last policy in force: without one nothing could be approved.")


def _propose(
    v: Verb,
    actor: Actor,
    key: str,
    version: PolicyVersion | None,
    replaces: PolicyVersion | None,
    loosens: list[str],
    reason: str,
    effective_at: dt.datetime | None,
) -> PolicyChange:
    if actor.user_id is None:
        raise Forbidden("A change of policy is proposed by a person.")
    _require_none_pending(key)
    needed = proposals.needed(loosens)
    head = audits.head()
    manifest = canonical.dumps(
        {
            "type": _CHANGE,
            "key": key,
            "version": _named(version),
            "replaces": _named(replaces),
            "loosens": loosens,
            "needed": needed,
            "reason": reason,
            "effective_at": _written(effective_at),
            "ledger": {"size": head.size, "root": head.root},
        }
    )
    try:
        with transaction.atomic():
            change = PolicyChange.objects.create(
                key=key,
                version=version,
                replaces=replaces,
                reason=reason,
                loosens=loosens,
                needed=needed,
                manifest=manifest,
                digest=canonical.digest(manifest),
                proposed_by_id=actor.user_id,
                proposed_at=clock.now(),
                effective_at=effective_at,
            )
    except IntegrityError as error:
        raise AlreadyExists(f"A change of {key} waits for signatures already.") from error
    v.record(
        policy_events.PolicyProposed(
            change=change.pk,
            key=key,
            version=str(version or ""),
            version_digest=version.digest if version else "",
            replaces=str(replaces or ""),
            loosens=loosens,
            needed=needed,
            reason=reason,
            digest=change.digest,
            effective_at=_written(effective_at) or "",
        )
    )
    return change


def _written(moment: dt.datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _require_none_pending(key: str) -> None:
    """Changes exclude each other (`one_at_a_time`), so nobody comes between this and the insert; the constraint knows too."""
    pending = PolicyChange.objects.filter(key=key, status__in=PENDING).first()
    if pending is None:
        return
    waits = "waits for signatures"
    if pending.effective_at is not None and pending.state is ChangeStatus.SCHEDULED:
        waits = f"is signed and comes into force on {pending.effective_at:%Y-%m-%d}"
    raise AlreadyExists(
        f"{pending}, another change of {key}, {waits} already.",
        hint="Have it decided or withdrawn first.",
    )


def _named(version: PolicyVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {"key": version.key, "number": version.number, "digest": version.digest}


def sign_change(
    actor: Actor,
    change: PolicyChange,
    *,
    approves: bool,
    digest: str,
    comment: str,
    proof: ReauthProof,
    simulation: str = "",
) -> PolicySignature:
    """Sign a proposed change, for or against; the last signature needed puts it in force, or on its day if that is ahead.

    `simulation` is the digest of the simulation that the signer was shown, "" for none. What is signed names the newest,
    which is made first where there is none of what is in force now.

    Refuses: the proposer, another digest than the one shown (Conflict), a closed change, a second signature,
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
            _close(v, change, ChangeStatus.REJECTED, comment)
        elif change.signatures.filter(approves=True).count() >= change.needed:
            _settle(v, change)
    return row


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
            effective_at=_written(change.effective_at) or "",
        )
    )


def lock(change: PolicyChange, *states: ChangeStatus) -> PolicyChange:
    """The row, locked; Conflict unless it is in one of these states (waiting for signatures, if none is named)."""
    row = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if row.state not in (states or (ChangeStatus.OPEN,)):
        raise Conflict(f"{row} is closed: {row.state.label.lower()}.")
    return row


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
    _alone(_IN_FORCE)
    if change.version is None:
        _require_another(change.key)
    else:
        in_force.combined_with(change.version, list(in_force.active()))
    _finish(change, ChangeStatus.ACTIVATED, "")
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


def withdraw_change(actor: Actor, change: PolicyChange, *, reason: str) -> None:
    """Take a proposal back; one that is signed and waits for its day too. Who may: `proposals.why_not_withdraw`."""
    if change.state in PENDING:
        _require_may_withdraw(actor, change)
    check_text(reason, "reason")
    with verb(actor) as v:
        one_at_a_time()
        row = lock(change, *PENDING)
        _require_may_withdraw(actor, row)
        _close(v, row, ChangeStatus.WITHDRAWN, reason)


def _require_may_withdraw(actor: Actor, change: PolicyChange) -> None:
    refusal = proposals.why_not_withdraw(actor, change)
    if refusal:
        raise Forbidden(refusal)


def _close(v: Verb, change: PolicyChange, status: ChangeStatus, reason: str) -> None:
    _finish(change, status, reason)
    v.record(
        policy_events.PolicyChangeClosed(
            change=change.pk, key=change.key, status=status.value, reason=reason
        )
    )


def _finish(change: PolicyChange, status: ChangeStatus, note: str) -> None:
    change.status, change.closed_at, change.note = status, clock.now(), note
    change.save(update_fields=["status", "closed_at", "note"])


def pin(version: ModelVersion, targets: Collection[Target]) -> PolicyVersion:
    """The policy version that a review of this move is held to: one in force, or their combination written down.

    Called within the transaction that makes the review: until its end nothing else comes into force.
    """
    _shared(_IN_FORCE)
    found = in_force.policy_for(version, targets)
    if len(found.parts) == 1:
        return found.parts[0]
    digest = canonical.digest_of(plain(found.document))
    row = PolicyVersion.objects.filter(digest=digest).first()
    if row is None:
        _alone(_COMBINING)
        row = PolicyVersion.objects.filter(digest=digest).first()
    return row or _write(found.document, [part.pk for part in found.parts], None)
