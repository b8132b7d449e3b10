"""Reads of one person's notices: always the actor's own."""

from __future__ import annotations

import re

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.notices.models import Notice

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
