"""Put signed changes of policies in force when their day has come.

What counts for an evaluation is the activation row, never the clock: between the moment and the sweep the version before
is in force still, for every door alike.
"""

from __future__ import annotations

from django.db import transaction

from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Invalid
from apps.reviews.events import policies as policy_events
from apps.reviews.models import ChangeStatus, PolicyChange
from apps.reviews.policies.document import parse
from apps.reviews.reads import proposals
from apps.reviews.services import policies, policy_signing
from apps.reviews.services.pinning import one_at_a_time


def put_in_force(actor: Actor, change: PolicyChange) -> PolicyChange:
    """Put a change in force whose day has come. For the sweeper.

    What it loosens is computed again, against what is in force now: if that is more than was signed, or if it cannot hold
    with what is in force, the change stays signed, its note says why, and the next sweep tries again.
    Refuses (Conflict) one that is not scheduled, and one before its time.
    """
    with verb(actor) as v:
        one_at_a_time()
        row = policies.lock(change, ChangeStatus.SCHEDULED)
        if row.effective_at is None or clock.now() < row.effective_at:
            raise Conflict(f"{row} comes into force later.")
        reason = _unsigned(row) or _tried(v, row)
        if reason:
            row.refresh_from_db()  # what was tried was rolled back
            _hold(v, row, reason)
    return row


def _unsigned(change: PolicyChange) -> str:
    """What it would loosen now and nobody signed for, in a sentence; "" for nothing."""
    if change.version is None:
        return ""
    old = parse(change.replaces.document) if change.replaces else None
    now = proposals.loosened(old, parse(change.version.document))
    more = [each for each in now if each not in change.loosens]
    if not more:
        return ""
    return (
        f"Other policies changed since it was signed. Now it would also loosen: {'; '.join(more)}. That takes "
        f"{proposals.needed(now)} signatures that know of it, and it has {change.needed} that do not. "
        "Withdraw it and propose it again."
    )


def _tried(v: Verb, change: PolicyChange) -> str:
    """Put it in force; else why it cannot be."""
    try:
        with transaction.atomic():
            policy_signing.activate(v, change)
    except (Blocked, Invalid) as error:
        return f"{error} It is tried again every minute until it is withdrawn."
    return ""


def _hold(v: Verb, change: PolicyChange, reason: str) -> None:
    """Told once for each reason, however often it is tried."""
    if change.note == reason:
        return
    change.note = reason
    change.save(update_fields=["note"])
    v.record(
        policy_events.PolicyHeld(
            change=change.pk, key=change.key, version=str(change.version or ""), reason=reason
        )
    )
