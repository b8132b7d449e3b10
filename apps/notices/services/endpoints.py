"""The verbs about webhook endpoints, for whoever holds system.manage. Every change is an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import canonical, clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Conflict, Invalid
from apps.notices import events
from apps.notices.kinds import HOOKED
from apps.notices.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookSecret
from apps.notices.webhooks import addresses, signing

MANAGE = "system.manage"
DELIVER = "apps.notices.tasks.deliver"
MOST_ENDPOINTS = 50
_LONGEST = 200


def create_endpoint(
    actor: Actor, *, url: str, description: str, wanted: Sequence[str]
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which exists in clear only in this answer.

    Refuses: an address that may not be used, no or unknown event types, more than 50 endpoints.
    """
    policy.require(actor, MANAGE)
    url, chosen = _checked(url, description, wanted)
    if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise Invalid(f"There are {MOST_ENDPOINTS} endpoints already; change one of them.")
    secret = signing.new_secret()
    with verb(actor) as v:
        row = WebhookEndpoint.objects.create(
            url=url, description=description.strip(), events=chosen
        )
        WebhookSecret.objects.create(endpoint=row, sealed=signing.seal(secret))
        v.record(
            events.WebhookCreated(
                endpoint=row.pk, host=row.host, url_digest=url_digest(row), events=chosen
            )
        )
    return row, secret


def change_endpoint(
    actor: Actor, endpoint: WebhookEndpoint, *, url: str, description: str, wanted: Sequence[str]
) -> WebhookEndpoint:
    """Another address, description or choice of events. What is queued goes to the new address."""
    policy.require(actor, MANAGE)
    url, chosen = _checked(url, description, wanted)
    with verb(actor) as v:
        row = lock(endpoint.pk)
        row.url, row.description, row.events = url, description.strip(), chosen
        row.save(update_fields=["url", "description", "events"])
        v.record(
            events.WebhookChanged(
                endpoint=row.pk, host=row.host, url_digest=url_digest(row), events=chosen
            )
        )
    return row


def rotate_secret(actor: Actor, endpoint: WebhookEndpoint) -> str:
    """A new secret, shown only now. The old one signs along for WEBHOOK_ROTATION_HOURS, then ends."""
    policy.require(actor, MANAGE)
    secret, until = signing.new_secret(), clock.now() + dt.timedelta(hours=_overlap())
    with verb(actor) as v:
        row = lock(endpoint.pk)
        row.secrets.filter(expires_at__isnull=True).update(expires_at=until)
        WebhookSecret.objects.create(endpoint=row, sealed=signing.seal(secret))
        v.record(
            events.WebhookSecretRotated(
                endpoint=row.pk, host=row.host, old_until=until.isoformat(timespec="seconds")
            )
        )
    return secret


def switch_on(actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Send again, with a clean slate. What was held stays held until somebody replays it. Conflict if it is on."""
    policy.require(actor, MANAGE)
    with verb(actor) as v:
        row = lock(endpoint.pk)
        if row.active:
            raise Conflict(f"{row} is switched on already.")
        row.active, row.off_reason = True, ""
        row.failing_since, row.failures, row.rest_until = None, 0, None
        row.save()
        v.record(events.WebhookSwitchedOn(endpoint=row.pk, host=row.host))


def switch_off(actor: Actor, endpoint: WebhookEndpoint, *, reason: str) -> None:
    """Send nothing any more. Conflict if it is off."""
    policy.require(actor, MANAGE)
    if not reason.strip() or len(reason) > _LONGEST:
        raise Invalid("Say why.", fields={"reason": f"1 to {_LONGEST} characters"})
    with verb(actor) as v:
        row = lock(endpoint.pk)
        if not row.active:
            raise Conflict(f"{row} is switched off already.")
        end(v, row, reason.strip())


def end(v: Verb, row: WebhookEndpoint, reason: str) -> None:
    """Switch a locked endpoint off and hold what waits for it."""
    row.active, row.off_reason = False, reason
    row.save(update_fields=["active", "off_reason"])
    row.deliveries.filter(state=DeliveryState.QUEUED).update(
        state=DeliveryState.HELD, finished_at=clock.now()
    )
    v.record(events.WebhookSwitchedOff(endpoint=row.pk, host=row.host, reason=reason))


def replay(actor: Actor, delivery: WebhookDelivery) -> None:
    """Have one event sent again, at once, with the same bytes and webhook-id.

    Refuses (Conflict): an endpoint that is off, a delivery that is queued already.
    """
    policy.require(actor, MANAGE)
    with verb(actor) as v:
        row = lock(delivery.endpoint_id)
        if not row.active:
            raise Conflict(f"{row} is switched off.", hint="Switch it on first.")
        again = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.QUEUED)
        if not again.update(state=DeliveryState.QUEUED, tries=0, finished_at=None):
            raise Conflict("This delivery waits for its next try already.")
        row.rest_until = None
        row.save(update_fields=["rest_until"])
        outbox.enqueue(DELIVER, {"delivery": delivery.pk})
        v.record(
            events.DeliveryReplayed(
                endpoint=row.pk,
                host=row.host,
                delivery=delivery.pk,
                sent_event=delivery.event_seq,
            )
        )


def lock(pk: int) -> WebhookEndpoint:
    """The endpoint's row, locked."""
    return WebhookEndpoint.objects.select_for_update().get(pk=pk)


def url_digest(row: WebhookEndpoint) -> str:
    """What stands for the address in the ledger."""
    return canonical.digest(row.url.encode())


def _checked(url: str, description: str, wanted: Sequence[str]) -> tuple[str, list[str]]:
    url = url.strip()
    addresses.parse(url)
    if len(description) > _LONGEST or "\x00" in description:
        raise Invalid("Too long.", fields={"description": f"at most {_LONGEST} characters"})
    unknown = sorted(set(wanted) - set(HOOKED))
    if unknown or not wanted:
        raise Invalid("Choose event types of the list.", fields={"wanted": "at least one"})
    return url, sorted(set(wanted))


def _overlap() -> int:
    return int(settings.WEBHOOK_ROTATION_HOURS)
