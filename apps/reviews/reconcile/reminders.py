"""Compare reminders with the ledger's events (invariant 5): each row has exactly one event that says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.reviews.models import Reminder

_KINDS = {"reviews.review.due": "due", "reviews.review.overdue": "overdue"}
_Said = tuple[int, str, str, dt.datetime]


def differences() -> Iterator[Difference]:
    """Every difference, each naming its reminder."""
    told: dict[int, _Said] = {}
    for event in replay(*_KINDS):
        payload = event.payload
        told[int(payload["reminder"])] = (
            int(payload["round"]),
            str(payload["step"]),
            _KINDS[event.type],
            dt.datetime.fromisoformat(str(payload["due"])),
        )
    for row in Reminder.objects.order_by("pk").iterator():
        said, subject = told.pop(row.pk, None), f"reminder:{row.pk}"
        shown = (row.round_id, row.step, row.kind, row.due_at)
        if said is None:
            yield Difference(subject, f"reminder {row.pk} has no event in the ledger")
        elif said != shown:
            yield Difference(
                subject, f"reminder {row.pk}: the table says {shown}, the ledger says {said}"
            )
    for pk in told:
        yield Difference(f"reminder:{pk}", f"reminder {pk} is in the ledger and not in the table")
