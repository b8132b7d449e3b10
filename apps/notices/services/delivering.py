"""From an event to every endpoint that wants it, and from a delivery to its attempts.

 1. `fan_out`: one delivery row and one outbox row per endpoint, in one transaction; done twice it makes them once.
 2. `deliver` takes the endpoint's turn: while another worker talks to it, or it rests after a failure, the delivery is
    put off without a try. So a dead endpoint holds at most one worker, for one time-out, between longer and longer rests.
 3. Outside of any transaction: one signed POST.
 4. In one transaction: the attempt's row; delivered, or the next try, or given up; the endpoint's state; the switch-off.
A worker killed between 3 and 4 leaves the outbox row claimed: the event is sent again under the same webhook-id.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from apps.audits import selectors as audits
from apps.audits.log import Verb, verb
from apps.audits.selectors import EventView
from apps.core import canonical, clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Tampered
from apps.notices.models import (
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from apps.notices.services import endpoints
from apps.notices.services.endpoints import DELIVER
from apps.notices.webhooks import addresses, sending, signing
from apps.notices.webhooks.addresses import Resolver
from apps.notices.webhooks.sending import Answer

LONGEST_REST: Final = dt.timedelta(hours=6)
_ANSWER_SLACK: Final = dt.timedelta(seconds=20)
_PUT_OFF: Final = dt.timedelta(seconds=1)


def fan_out(event_seq: int) -> None:
    """Queue the event for every endpoint that is on and wants its type."""
    event = audits.event(event_seq)
    with transaction.atomic():
        wanting = WebhookEndpoint.objects.filter(active=True, events__contains=[event.type])
        for endpoint in wanting.order_by("pk"):
            row, made = WebhookDelivery.objects.get_or_create(
                endpoint=endpoint,
                event_seq=event.seq,
                defaults={"event_type": event.type, "body": payload(event)},
            )
            if made:
                outbox.enqueue(DELIVER, {"delivery": row.pk})


def payload(event: EventView) -> str:
    """What is sent: ids and the leaf's hash, by which the receiver finds the event in the ledger. No personal data:
    neither the event's own fields nor who acted, nor a scope that names a person."""
    scopes = [scope for scope in event.scopes if not scope.startswith(("user:", "group:"))]
    return canonical.dumps(
        {
            "type": event.type,
            "timestamp": event.at.isoformat(timespec="milliseconds"),
            "data": {
                "seq": event.seq,
                "subject": event.subject,
                "scopes": scopes,
                "leaf_hash": event.leaf_hash,
                "url": f"{settings.BASE_URL}/audit/{event.seq}/",
            },
        }
    ).decode()


def deliver(delivery_id: int, *, resolve: Resolver = addresses.system) -> None:
    """Try a queued delivery once, or put it off; one that is over is left alone."""
    delivery = WebhookDelivery.objects.select_related("endpoint").get(pk=delivery_id)
    if delivery.state != DeliveryState.QUEUED:
        return
    if not _take_turn(delivery.endpoint_id):
        _put_off(delivery)
        return
    began = clock.now()
    answer = _attempt(delivery, began, resolve)
    with verb(Actor.system("worker")) as v:
        _finish(v, delivery, answer, began)


def _take_turn(endpoint_id: int) -> bool:
    """Compare-and-set: whether this worker alone may talk to the endpoint now."""
    now = clock.now()
    until = now + dt.timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + _ANSWER_SLACK
    free = WebhookEndpoint.objects.filter(
        Q(busy_until__isnull=True) | Q(busy_until__lte=now),
        Q(rest_until__isnull=True) | Q(rest_until__lte=now),
        pk=endpoint_id,
        active=True,
    )
    return bool(free.update(busy_until=until))


def _put_off(delivery: WebhookDelivery) -> None:
    with transaction.atomic():
        endpoint = endpoints.lock(delivery.endpoint_id)
        if not endpoint.active:
            _held(delivery)
            return
        rest = (endpoint.rest_until or clock.now()) - clock.now()
        outbox.enqueue(DELIVER, {"delivery": delivery.pk}, delay=max(rest, _PUT_OFF))


def _attempt(delivery: WebhookDelivery, now: dt.datetime, resolve: Resolver) -> Answer:
    body, timestamp = delivery.body.encode(), int(now.timestamp())
    try:
        signatures = [
            signing.sign(signing.unseal(bytes(secret.sealed)), delivery.webhook_id, timestamp, body)
            for secret in secrets_in_force(delivery.endpoint, now)
        ]
    except Tampered as refusal:
        return Answer(None, "", str(refusal), 0)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Countersign-Webhooks/1",
        "Connection": "close",
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
    return sending.post(delivery.endpoint.url, body, headers, resolve=resolve)


def secrets_in_force(endpoint: WebhookEndpoint, now: dt.datetime) -> list[WebhookSecret]:
    """The secret, and during a rotation the one before; the newest first."""
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    return list(endpoint.secrets.filter(alive).order_by("-pk"))


def _finish(v: Verb, delivery: WebhookDelivery, answer: Answer, began: dt.datetime) -> None:
    endpoint = endpoints.lock(delivery.endpoint_id)
    WebhookAttempt.objects.create(
        delivery=delivery,
        at=began,
        status=answer.status,
        duration_ms=answer.duration_ms,
        answer=answer.text,
        error=answer.error,
    )
    delivery.tries += 1
    endpoint.busy_until = None
    if answer.delivered:
        endpoint.failing_since, endpoint.failures, endpoint.rest_until = None, 0, None
        delivery.state, delivery.finished_at = DeliveryState.DELIVERED, clock.now()
    else:
        _failed(endpoint, delivery, began)
    delivery.save(update_fields=["state", "tries", "finished_at"])
    endpoint.save(update_fields=["busy_until", "failing_since", "failures", "rest_until"])
    _switch_off_if_dead(v, endpoint)


def _failed(endpoint: WebhookEndpoint, delivery: WebhookDelivery, began: dt.datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or began
    endpoint.failures += 1
    rest = backoff(endpoint.failures)
    endpoint.rest_until = clock.now() + rest
    if not endpoint.active:
        delivery.state, delivery.finished_at = DeliveryState.HELD, clock.now()
    elif delivery.tries >= settings.WEBHOOK_MAX_TRIES:
        delivery.state, delivery.finished_at = DeliveryState.FAILED, clock.now()
    else:
        outbox.enqueue(DELIVER, {"delivery": delivery.pk}, delay=rest)


def backoff(failures: int) -> dt.timedelta:
    """How long an endpoint rests after so many failures in a row: four times as long each time, at most six hours."""
    base = dt.timedelta(seconds=int(settings.WEBHOOK_BACKOFF_SECONDS))
    times: int = 4 ** min(failures - 1, 20)
    return min(base * times, LONGEST_REST)


def _switch_off_if_dead(v: Verb, endpoint: WebhookEndpoint) -> None:
    days = settings.WEBHOOK_OFF_AFTER_DAYS
    since = endpoint.failing_since
    if endpoint.active and since and clock.now() - since >= dt.timedelta(days=days):
        endpoints.end(v, endpoint, f"every try has failed for {days} days")


def _held(delivery: WebhookDelivery) -> None:
    queued = WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.QUEUED)
    queued.update(state=DeliveryState.HELD, finished_at=clock.now())
