"""Propose a change of policy, or take a proposal back. `policy_signing` has the other verbs.

What is proposed is written first as an immutable version, so what people sign is exactly what will be in force.
The proposer never signs. A loosening takes two signatures, anything else one (`apps.reviews.reads.proposals`; the
trigger reviews_guard_change says the same).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts import policy as rights
from apps.audits import selectors as audits
from apps.audits.log import Verb, verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid
from apps.reviews import in_force
from apps.reviews.events import policies as policy_events
from apps.reviews.models import (
    PENDING,
    ChangeStatus,
    PolicyChange,
    PolicyVersion,
)
from apps.reviews.policies import compare, files
from apps.reviews.policies.document import parse
from apps.reviews.reads import proposals
from apps.reviews.services.pinning import one_at_a_time, write_version
from apps.reviews.services.reasons import check_text

_CHANGE = "countersign.policy_change.v1"


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
        version = write_version(document, (), actor.user_id)
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
        require_another(key)
        loosens = compare.loosenings(parse(replaces.document), None)
        return _propose(v, actor, key, None, replaces, loosens, reason, effective_at)


def require_another(key: str) -> None:
    """Raise Blocked if this is the last policy in force."""
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
            "effective_at": written(effective_at),
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
            effective_at=written(effective_at) or "",
        )
    )
    return change


def written(moment: dt.datetime | None) -> str | None:
    """A moment as manifests and events write it."""
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


def lock(change: PolicyChange, *states: ChangeStatus) -> PolicyChange:
    """The row, locked; Conflict unless it is in one of these states (waiting for signatures, if none is named)."""
    row = PolicyChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
    if row.state not in (states or (ChangeStatus.OPEN,)):
        raise Conflict(f"{row} is closed: {row.state.label.lower()}.")
    return row


def withdraw_change(actor: Actor, change: PolicyChange, *, reason: str) -> None:
    """Take a proposal back; one that is signed and waits for its day too. Who may: `proposals.why_not_withdraw`."""
    if change.state in PENDING:
        _require_may_withdraw(actor, change)
    check_text(reason, "reason")
    with verb(actor) as v:
        one_at_a_time()
        row = lock(change, *PENDING)
        _require_may_withdraw(actor, row)
        close(v, row, ChangeStatus.WITHDRAWN, reason)


def _require_may_withdraw(actor: Actor, change: PolicyChange) -> None:
    refusal = proposals.why_not_withdraw(actor, change)
    if refusal:
        raise Forbidden(refusal)


def close(v: Verb, change: PolicyChange, status: ChangeStatus, reason: str) -> None:
    """End a locked change without putting it in force."""
    finish(change, status, reason)
    v.record(
        policy_events.PolicyChangeClosed(
            change=change.pk, key=change.key, status=status.value, reason=reason
        )
    )


def finish(change: PolicyChange, status: ChangeStatus, note: str) -> None:
    """Write on a locked change how it ended."""
    change.status, change.closed_at, change.note = status, clock.now(), note
    change.save(update_fields=["status", "closed_at", "note"])
