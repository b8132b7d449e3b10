"""Reads of notices (always the actor's own), of mails and of webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.notices.kinds import BY_KEY
from apps.notices.models import (
    KeptMail,
    Mail,
    MailOff,
    Notice,
    WebhookDelivery,
    WebhookEndpoint,
)

MANY = 100
_KEY = re.compile(r"([ur])(\d{1,18})")


def inbox(actor: Actor, *, unread_only: bool = False, after: str = "") -> QuerySet[Notice]:
    """The actor's notices, unread first, then newest first, from behind the row whose `key` is `after`."""
    is_read = ExpressionWrapper(Q(read_at__isnull=False), output_field=BooleanField())
    rows = (
        Notice.objects.filter(recipient_id=actor.user_id)
        .select_related("caused_by")
        .alias(is_read=is_read)
        .order_by("is_read", "-pk")
    )
    if unread_only:
        rows = rows.filter(read_at__isnull=True)
    found = _KEY.fullmatch(after)
    if found is None:
        return rows
    older, unread = Q(pk__lt=int(found[2])), Q(read_at__isnull=True)
    return rows.filter(~unread & older if found[1] == "r" else ~unread | older)


def key(notice: Notice) -> str:
    """Where the notice stands in `inbox`, for the address of the next page."""
    return f"{'u' if notice.is_unread else 'r'}{notice.pk}"


def unread_count(user_id: int) -> int:
    """How many the person has not read, counted to 100: one look into a small index."""
    unread = Notice.objects.filter(recipient_id=user_id, read_at__isnull=True)
    return unread[:MANY].count()


def get_notice(actor: Actor, pk: int) -> Notice:
    """One of the actor's notices; NotFound for anybody else's."""
    found = Notice.objects.select_related("caused_by").filter(pk=pk, recipient_id=actor.user_id)
    notice = found.first()
    if notice is None:
        raise NotFound("You have no such notice.")
    return notice


def mails() -> QuerySet[Mail]:
    """Every mail, newest first, with its notice and people, for whoever keeps the site running."""
    return Mail.objects.select_related("notice__recipient", "notice__caused_by").order_by("-pk")


def kept(message_ids: Iterable[str]) -> dict[str, int]:
    """Which of these the site's own mailbox has: message id to row, the newest where it has several."""
    rows = KeptMail.objects.filter(message_id__in=list(message_ids)).order_by("pk")
    return dict(rows.values_list("message_id", "pk"))


def get_kept(pk: int) -> KeptMail:
    """One mail of the site's mailbox; NotFound."""
    found = KeptMail.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("The mailbox has no such mail.", hint="It keeps the newest thousand.")
    return found


def mails_wanted(actor: Actor) -> list[str]:
    """The kinds of notices the actor gets by mail."""
    off = set(MailOff.objects.filter(user_id=actor.user_id or 0).values_list("kind", flat=True))
    return [key for key in BY_KEY if key not in off]


def endpoints() -> QuerySet[WebhookEndpoint]:
    """Every webhook endpoint, the oldest first."""
    return WebhookEndpoint.objects.order_by("pk")


def get_endpoint(pk: int) -> WebhookEndpoint:
    """One endpoint; NotFound."""
    found = WebhookEndpoint.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def deliveries(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What was sent to the endpoint or waits for it, newest first, with its attempts."""
    return endpoint.deliveries.prefetch_related("attempts").order_by("-pk")


def get_delivery(endpoint: WebhookEndpoint, pk: int) -> WebhookDelivery:
    """One delivery of the endpoint; NotFound."""
    found = deliveries(endpoint).filter(pk=pk).first()
    if found is None:
        raise NotFound("This webhook has no such delivery.")
    return found
