"""What beat asks the worker to do for the ledger."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.audits import checkpoints, keeping, services, verification
from apps.core import outbox
from apps.core.actor import Actor
from apps.core.errors import Blocked

log = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def anchor_attempts() -> None:
    """Bind new attempts to the ledger."""
    services.anchor_attempts(Actor.system("worker"))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def verify_ledger() -> None:
    """Verify the ledger if it is time to; pages show the stored result."""
    verification.verify_when_due()


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def sign_checkpoint() -> None:
    """Sign what the ledger is now, if it grew, and send again what did not arrive."""
    try:
        checkpoints.make_checkpoint(Actor.system("worker"), occasion="interval")
    except Blocked as refusal:
        log.warning("no checkpoint was signed", extra={"reason": refusal.message})
    keeping.send_again()


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def deliver_checkpoint(message_id: int) -> None:
    """One checkpoint to one place outside. A failure raises: the outbox tries again and shows what gave up."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            keeping.deliver(message.payload["delivery"])
