"""Having read something. Not an act of governance: it leaves no event."""

from __future__ import annotations

from apps.core import clock
from apps.core.actor import Actor
from apps.notices import selectors
from apps.notices.models import Notice


def mark_read(actor: Actor, notice_id: int) -> Notice:
    """The actor has read it; the first time counts. NotFound for somebody else's notice."""
    notice = selectors.get_notice(actor, notice_id)
    Notice.objects.filter(pk=notice.pk, read_at__isnull=True).update(read_at=clock.now())
    return notice


def mark_all_read(actor: Actor, *, up_to: int) -> int:
    """The actor has read everything up to the notice she was shown last; how many that were."""
    unread = Notice.objects.filter(recipient_id=actor.user_id, read_at__isnull=True, pk__lte=up_to)
    return unread.update(read_at=clock.now())
