"""Webhooks: signed, sent once per event and endpoint, tried again, never in the way of anything else."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from django.db import DatabaseError, connection
from pytest_django import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.models import OutboxMessage
from apps.notices import reconcile, services
from apps.notices.kinds import HOOKED
from apps.notices.models import (
    Notice,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests import factories
from tests.notices.hooks import ASKED, hook, later, the_delivery, verified
from tests.notices.receiver import Receiver, Request, receiver, silent
from tests.notices.support import sign, work_off
from tests.reviews.conftest import Cast

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]


def test_an_event_arrives_once_signed_and_without_personal_data(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    _, secret = hook(admin, there.url, "reviews.decision.recorded")
    review = cast.submit()
    sign(cast.vera, review)
    assert there.requests == []
    work_off()
    (request,) = there.requests
    said = verified(secret, request)
    event = audits.events(scopes=None, types=["reviews.decision.recorded"])[0]
    assert said == {
        "type": "reviews.decision.recorded",
        "timestamp": event.at.isoformat(timespec="milliseconds"),
        "data": {
            "seq": event.seq,
            "subject": f"review:{review.pk}",
            "scopes": [
                f"model:{cast.model.pk}",
                f"review:{review.pk}",
                f"version:{cast.version.pk}",
            ],
            "leaf_hash": event.leaf_hash,
            "url": f"http://localhost:8000/audit/{event.seq}/",
        },
    }
    for personal in (b"Vera", b"vera", str(factories.user_of(cast.vera).uuid).encode(), b"user:"):
        assert personal not in request.body
    delivery = the_delivery()
    assert request.headers["webhook-id"] == delivery.webhook_id
    assert delivery.state == "delivered"
    assert delivery.attempts.get().status == 204


def test_a_changed_body_or_another_secret_does_not_verify(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    _, secret = hook(admin, there.url)
    _, other = hook(admin, there.url)
    cast.submit()
    work_off()
    first, second = there.requests
    secrets = {verify_by: [] for verify_by in (secret, other)}
    for which, found in secrets.items():
        for request in (first, second):
            try:
                found.append(verified(which, request)["type"])
            except WebhookVerificationError:
                found.append(None)
    assert (
        sorted(map(str, secrets[secret])) == sorted(map(str, secrets[other])) == ["None", ASKED[0]]
    )
    for change in (
        {"body": first.body + b" "},
        {"webhook-id": "msg_x"},
        {"webhook-timestamp": str(int(first.headers["webhook-timestamp"]) - 1)},
    ):
        headers = first.headers | {key: value for key, value in change.items() if key != "body"}
        changed = Request(first.path, headers, change.get("body", first.body))  # type: ignore[arg-type]
        for which in secrets:
            with pytest.raises(WebhookVerificationError):
                verified(which, changed)


def test_only_what_was_asked_for_is_sent_and_nothing_while_off(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    endpoint, _ = hook(admin, there.url, "reviews.review.closed")
    review = cast.submit()
    work_off()
    assert there.requests == []
    services.switch_off(admin, endpoint, reason="moving house")
    sign(cast.rui, review, "reject")
    work_off()
    assert (there.requests, WebhookDelivery.objects.count()) == ([], 0)


def test_doubled_messages_send_once(admin: Actor, there: Receiver, cast: Cast) -> None:
    hook(admin, there.url)
    cast.submit()
    work_off()
    OutboxMessage.objects.update(finished_at=None, claimed_until=None)
    work_off()
    assert len(there.requests) == WebhookAttempt.objects.count() == 1


def test_a_failure_is_tried_again_with_the_same_id_after_longer_and_longer_rests(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    there.status, there.text = 503, b"come back later"
    _, secret = hook(admin, there.url)
    cast.submit()
    work_off()
    rests = []
    for _ in range(3):
        message = OutboxMessage.objects.get(finished_at=None)
        rests.append(round((message.not_before - message.created_at).total_seconds()))
        later()
    assert rests == [5, 20, 80]
    there.status = 200
    later()
    assert the_delivery().state == "delivered"
    assert [row.status for row in WebhookAttempt.objects.order_by("pk")] == [
        503,
        503,
        503,
        503,
        200,
    ]
    assert WebhookAttempt.objects.first().answer == "come back later"
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1
    assert len({request.body for request in there.requests}) == 1
    for request in there.requests:
        verified(secret, request)
    endpoint = the_delivery().endpoint
    assert (endpoint.failures, endpoint.failing_since, endpoint.rest_until) == (0, None, None)


def test_what_fails_every_time_is_given_up_visibly_and_can_be_sent_again(
    admin: Actor, there: Receiver, cast: Cast, settings: Settings
) -> None:
    settings.WEBHOOK_MAX_TRIES = 2
    there.status = 500
    hook(admin, there.url)
    cast.submit()
    work_off()
    later()
    delivery = the_delivery()
    assert delivery.state == "failed"
    assert not OutboxMessage.objects.filter(finished_at=None).exists()
    assert not OutboxMessage.objects.filter(failed=True).exists()
    there.status = 200
    services.replay(admin, delivery)
    with pytest.raises(Conflict, match="next try already"):
        services.replay(admin, delivery)
    work_off()
    delivery.refresh_from_db()
    assert delivery.state == "delivered"
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1
    (event,) = audits.events(scopes=None, types=["notices.delivery.replayed"])
    assert event.payload["sent_event"] == delivery.event_seq


def test_a_worker_that_dies_between_the_answer_and_its_row_sends_again_under_the_same_id(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    hook(admin, there.url)
    cast.submit()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'killed'; END $$;"
            "CREATE TRIGGER die BEFORE INSERT ON notices_webhookattempt EXECUTE FUNCTION die()"
        )
    try:
        with pytest.raises(DatabaseError, match="killed"):
            work_off()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER die ON notices_webhookattempt; DROP FUNCTION die()")
    assert (len(there.requests), WebhookAttempt.objects.count()) == (1, 0)
    assert the_delivery().state == "queued"
    WebhookEndpoint.objects.update(busy_until=clock.now())  # a minute later
    later()
    assert the_delivery().state == "delivered"
    assert len(there.requests) == 2
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1


def test_a_dead_endpoint_delays_no_other_and_holds_one_worker_once(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    with silent() as port:
        dead, _ = hook(admin, f"http://127.0.0.1:{port}/", *HOOKED)
        alive, _ = hook(admin, there.url, *HOOKED)
        review = cast.submit()
        sign(cast.vera, review)
        sign(cast.rui, review)
        work_off()
    queued = alive.deliveries.count()
    assert queued >= 6
    assert alive.deliveries.filter(state="delivered").count() == queued == len(there.requests)
    # Of all that waits for the dead one a single delivery was tried; the others rest without having cost anything.
    assert WebhookAttempt.objects.filter(delivery__endpoint=dead).count() == 1
    assert dead.deliveries.filter(state="queued").count() == queued


def test_while_one_worker_waits_for_a_silent_endpoint_another_does_not_start(
    admin: Actor, cast: Cast
) -> None:
    with receiver() as slow:
        release = threading.Event()
        slow.meanwhile = lambda: release.wait(0.8) and None
        hook(admin, slow.url, *HOOKED)
        cast.submit()
        for row in OutboxMessage.objects.filter(task__endswith="fan_out"):
            services.fan_out(row.payload["event_seq"])
        first, second = WebhookDelivery.objects.order_by("pk")[:2]

        def work() -> None:
            services.deliver(first.pk)
            connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        while not slow.requests:
            time.sleep(0.01)
        services.deliver(second.pk)
        release.set()
        worker.join(10)
    assert len(slow.requests) == 1
    second.refresh_from_db()
    assert second.state == "queued"


def test_days_of_failure_switch_it_off_and_tell_the_administrators_once(
    admin: Actor, there: Receiver, cast: Cast, ada: User
) -> None:
    there.status = 500
    endpoint, _ = hook(admin, there.url)
    cast.submit()
    work_off()
    endpoint.refresh_from_db()
    assert endpoint.active
    WebhookEndpoint.objects.update(failing_since=clock.now() - dt.timedelta(days=5))
    later()
    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.off_reason) == (False, "every try has failed for 5 days")
    assert the_delivery().state == "held"
    told = Notice.objects.filter(kind="webhook.off")
    assert [notice.recipient for notice in told] == [ada]
    later()
    assert (len(there.requests), told.count()) == (2, 1)
    services.switch_on(admin, endpoint)
    there.status = 200
    services.replay(admin, the_delivery())
    work_off()
    assert the_delivery().state == "delivered"
    assert list(reconcile.differences()) == []


def test_the_work_is_done_by_the_worker_not_by_the_request(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    hook(admin, there.url, *HOOKED)
    cast.submit()
    assert there.requests == []
    assert outbox.queue_state().queued
    work_off()
    assert there.requests
