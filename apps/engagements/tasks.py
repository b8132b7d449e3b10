"""What beat asks for: the ledger tells of engagements whose time is over."""

from __future__ import annotations

import contextlib

from celery import shared_task

from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.engagements import selectors, services


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def end_expired() -> None:
    """Write down each that is over; running twice or two at once writes it once. Access ended by the clock before."""
    for row in selectors.expired():
        with contextlib.suppress(Conflict):
            services.expire(Actor.system("worker"), row)
