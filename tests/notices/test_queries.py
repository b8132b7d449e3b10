"""The lists of mails and webhooks ask the database as often for a hundred rows as for ten."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core import clock
from apps.core.actor import Actor
from apps.notices.models import KeptMail, Mail, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.notices.services import message_id
from tests.notices.hooks import hook
from tests.notices.test_pages import tell
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


def grow(numbers: range, person: User, endpoint: WebhookEndpoint) -> None:
    """One more mail, kept, and one more delivery with two tries, for each number."""
    for notice in tell(person, numbers):
        Mail.objects.create(notice=notice, state="sent", sent_at=clock.now())
        KeptMail.objects.create(
            message_id=message_id(notice), recipient="x", subject="x", headers={}
        )
    for number in numbers:
        row = WebhookDelivery.objects.create(
            endpoint=endpoint, event_seq=number, event_type="x", body="{}", state="failed"
        )
        for again in range(2):
            at = clock.now() + dt.timedelta(seconds=again)
            WebhookAttempt.objects.create(delivery=row, at=at, status=500, duration_ms=1)


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_a_hundred_rows_cost_as_many_queries_as_ten(
    ada: User, rui: User, admin: Actor, loopback: None
) -> None:
    endpoint, _ = hook(admin, "https://example.org/")
    client = browser(ada)
    urls = ("/notices/mail/", f"/system/webhooks/{endpoint.pk}/", "/system/webhooks/")
    grow(range(10), rui, endpoint)
    for url in urls:
        client.get(url)
    few = {url: queries(client, url) for url in urls}
    grow(range(10, 100), rui, endpoint)
    assert {url: queries(client, url) for url in urls} == few
    assert len(client.get("/notices/mail/").context["page"].mails.rows) == 50
    page = client.get(f"/system/webhooks/{endpoint.pk}/").context["page"]
    assert len(page.deliveries.rows) == 50
    older = client.get(urls[1] + page.deliveries.paging.next_url).context["page"]
    assert len(older.deliveries.rows) == 50
