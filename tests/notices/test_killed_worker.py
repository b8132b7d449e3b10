"""A real worker, killed with SIGKILL while a webhook's receiver has the message and has not answered yet."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from apps.accounts.models import User
from apps.notices.models import WebhookAttempt, WebhookDelivery
from tests.notices.hooks import hook, verified
from tests.notices.receiver import receiver
from tests.reviews.conftest import Cast
from tests.support.people import as_actor
from tests.support.site import eventually
from tests.support.worker import process

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("loopback"),
    pytest.mark.timeout(420),
]

QUICK = {
    "HEARTBEAT_SECONDS": "1",
    "OUTBOX_LEASE_SECONDS": "3",
    "OUTBOX_MAX_ATTEMPTS": "50",
    "WEBHOOK_ALLOW_HTTP": "1",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
    "WEBHOOK_TIMEOUT_SECONDS": "5",
}


def test_the_event_is_sent_again_under_the_same_id_and_delivered_once_on_record(
    cast: Cast, ada: User
) -> None:
    killed = threading.Event()
    with receiver() as there, process("beat", **QUICK):
        there.meanwhile = lambda: killed.wait(4) and None
        _, secret = hook(as_actor(ada), there.url)
        with process("worker", **QUICK) as worker:
            cast.submit()
            eventually(lambda: there.requests, 150)
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(10)
            killed.set()
        assert not WebhookAttempt.objects.exists()
        with process("worker", **QUICK):
            eventually(lambda: WebhookDelivery.objects.get().state == "delivered", 120)
    assert len(there.requests) == 2
    assert len({request.headers["webhook-id"] for request in there.requests}) == 1
    for request in there.requests:
        verified(secret, request)
    assert WebhookAttempt.objects.get().status == 204
