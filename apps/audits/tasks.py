"""What beat asks the worker to do for the ledger."""

from __future__ import annotations

from celery import shared_task

from apps.audits import services, verification
from apps.core.actor import Actor


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def anchor_attempts() -> None:
    """Bind new attempts to the ledger."""
    services.anchor_attempts(Actor.system("worker"))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def verify_ledger() -> None:
    """Verify the ledger if it is time to; pages show the stored result."""
    verification.verify_when_due()
