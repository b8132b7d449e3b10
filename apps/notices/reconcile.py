"""Compare webhook endpoints with the ledger's events.

Compared: which endpoints there are, their addresses (by digest), the event types they are told of, whether they are on. Not
compared: secrets, of which the ledger holds nothing, deliveries, and what people were told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.audits.reconcile import Difference
from apps.audits.selectors import Replayed, replay
from apps.core import canonical
from apps.notices import events
from apps.notices.models import WebhookEndpoint


@dataclass(slots=True)
class _Said:
    url_digest: str = ""
    events: list[str] = field(default_factory=list)
    active: bool = True


def differences() -> Iterator[Difference]:
    """Every difference, each naming its endpoint."""
    said = _replay()
    for row in WebhookEndpoint.objects.order_by("pk").iterator(chunk_size=200):
        subject = f"webhook:{row.pk}"
        expected = said.pop(row.pk, None)
        if expected is None:
            yield Difference(subject, "was never made according to the ledger")
            continue
        now = _Said(canonical.digest(row.url.encode()), list(row.events), row.active)
        for name in ("url_digest", "events", "active"):
            is_now, was = getattr(now, name), getattr(expected, name)
            if is_now != was:
                yield Difference(subject, f"{name} is {is_now}, the ledger says {was}")
    for pk in said:
        yield Difference(f"webhook:{pk}", "is in the ledger and not in the table")


def _replay() -> dict[int, _Said]:
    said: dict[int, _Said] = {}
    kinds = (
        events.WebhookCreated,
        events.WebhookChanged,
        events.WebhookSwitchedOn,
        events.WebhookSwitchedOff,
    )
    for event in replay(*(kind.type for kind in kinds)):
        _apply(said.setdefault(int(event.payload["endpoint"]), _Said()), event)
    return said


def _apply(row: _Said, event: Replayed) -> None:
    if "url_digest" in event.payload:
        row.url_digest = str(event.payload["url_digest"])
        row.events = list(event.payload["events"])
    else:
        row.active = event.type == events.WebhookSwitchedOn.type
