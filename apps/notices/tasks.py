"""Work of this app in the worker. Each task claims its outbox row, so a doubled message does nothing."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from apps.core import outbox
from apps.notices import services


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def make_notices(message_id: int) -> None:
    """Any event of `kinds`: tell whom it concerns."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.make_for(message.payload["event_seq"])


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def send_mail(message_id: int) -> None:
    """One mail. A server that does not take it raises: the outbox tries again and shows what gave up."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            last = message.attempts >= settings.OUTBOX_MAX_ATTEMPTS
            services.send_mail(message.payload["mail"], last=last)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def fan_out(message_id: int) -> None:
    """Any event of `kinds.HOOKED`: queue it for the webhooks that want it."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.fan_out(message.payload["event_seq"])


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def deliver(message_id: int) -> None:
    """One delivery to one webhook. A failure is a row with its own next try, not an exception."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.deliver(message.payload["delivery"])
