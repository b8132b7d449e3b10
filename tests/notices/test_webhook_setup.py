"""Setting webhooks up: by whom, with which secrets, each change an event; and the pages about it."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError
from pytest_django import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from apps.accounts import policy
from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.notices import reconcile, services
from apps.notices.models import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)
from apps.notices.services import delivering
from tests.notices.hooks import ASKED, hook, the_delivery, verified
from tests.notices.receiver import Receiver
from tests.notices.support import work_off
from tests.reviews.conftest import Cast
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]


def test_both_secrets_sign_while_a_rotation_lasts_and_only_the_new_one_after(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    endpoint, old = hook(admin, there.url)
    new = services.rotate_secret(admin, endpoint)
    cast.submit()
    work_off()
    for secret in (old, new):
        verified(secret, there.requests[0])
    assert len(there.requests[0].headers["webhook-signature"].split()) == 2
    WebhookSecret.objects.filter(expires_at__isnull=False).update(expires_at=clock.now())
    services.replay(admin, the_delivery())
    work_off()
    verified(new, there.requests[1])
    with pytest.raises(WebhookVerificationError):
        verified(old, there.requests[1])


def test_secrets_are_not_in_the_database_nor_in_the_ledger_nor_on_a_later_page(
    admin: Actor, there: Receiver, ada: User, settings: Settings
) -> None:
    client = browser(ada)
    answer = client.post("/system/webhooks/new/", {"url": there.url, "wanted": ASKED})
    (secret,) = {
        word
        for word in answer.content.decode()
        .replace("<", " ")
        .replace(">", " ")
        .replace('"', " ")
        .split()
        if word.startswith("whsec_")
    }
    row = WebhookSecret.objects.get()
    assert secret.removeprefix("whsec_").encode() not in bytes(row.sealed)
    ledger = json.dumps([event.payload for event in audits.events(scopes=None)])
    assert (secret in ledger, "/hook" in ledger) == (False, False)
    page = f"/system/webhooks/{row.endpoint_id}/"
    assert "whsec_" not in client.get(page).content.decode()
    assert "whsec_" not in client.get(page + "rotate/").content.decode()
    assert "whsec_" in client.post(page + "rotate/").content.decode()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, [settings.SECRET_KEY]
    assert delivering.signing.unseal(bytes(row.sealed)) == secret


def test_a_secret_that_cannot_be_read_is_said_and_nothing_is_sent_unsigned(
    admin: Actor, there: Receiver, cast: Cast, settings: Settings
) -> None:
    hook(admin, there.url)
    cast.submit()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "x" * 60, []
    work_off()
    assert there.requests == []
    assert "Rotate the endpoint's secret" in WebhookAttempt.objects.get().error


def test_attempts_are_never_changed_or_removed(admin: Actor, there: Receiver, cast: Cast) -> None:
    hook(admin, there.url)
    cast.submit()
    work_off()
    for act in (lambda rows: rows.update(status=200), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="append-only"):
            act(WebhookAttempt.objects.all())


def test_every_change_is_an_event_and_a_change_by_hand_is_found(
    admin: Actor, there: Receiver
) -> None:
    endpoint, _ = hook(admin, there.url)
    services.change_endpoint(admin, endpoint, url=there.url + "2", description="chat", wanted=ASKED)
    services.rotate_secret(admin, endpoint)
    services.switch_off(admin, endpoint, reason="moving")
    with pytest.raises(Conflict):
        services.switch_off(admin, endpoint, reason="again")
    services.switch_on(admin, endpoint)
    types = [event.type for event in audits.events(scopes=[f"webhook:{endpoint.pk}"])][::-1]
    assert [each.removeprefix("notices.webhook.") for each in types] == [
        "created", "changed", "secret_rotated", "switched_off", "switched_on",
    ]  # fmt: skip
    assert list(reconcile.differences()) == []
    for forged in (
        {"url": "https://evil.example/"},
        {"events": ["reviews.review.closed"]},
        {"active": False},
    ):
        before = WebhookEndpoint.objects.values().get()
        WebhookEndpoint.objects.update(**forged)
        (found,) = reconcile.differences()
        assert found.subject == f"webhook:{endpoint.pk}"
        WebhookEndpoint.objects.update(**{name: before[name] for name in forged})
    WebhookEndpoint.objects.create(url="https://evil.example/", events=ASKED)
    (found,) = reconcile.differences()
    assert "never made" in found.message


def test_only_who_manages_the_system_sets_webhooks_up(
    admin: Actor, there: Receiver, cast: Cast
) -> None:
    endpoint, _ = hook(admin, there.url)
    before = audits.head().size
    for who in (cast.ana, cast.rui, cast.omar, cast.otto):
        for act in (
            lambda who=who: hook(who, there.url),
            lambda who=who: services.rotate_secret(who, endpoint),
            lambda who=who: services.switch_off(who, endpoint, reason="x"),
            lambda who=who: services.switch_on(who, endpoint),
            lambda who=who: services.change_endpoint(
                who, endpoint, url="x", description="", wanted=[]
            ),
        ):
            with pytest.raises(Forbidden):
                act()
    assert audits.head().size == before
    assert not policy.can(
        as_actor(User.objects.get(username="ada"), scopes={"read"}), "system.manage"
    )


@pytest.mark.parametrize(
    ("url", "wanted", "field"),
    [
        ("https://10.0.0.1/", ASKED, "url"),
        ("http://[::1]/", ASKED, "url"),
        ("https://example.org/", [], "wanted"),
        ("https://example.org/", ["accounts.user.created"], "wanted"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_entered(
    url: str, wanted: list[str], field: str, admin: Actor
) -> None:
    with pytest.raises(Invalid) as refusal:
        services.create_endpoint(admin, url=url, description="", wanted=wanted)
    assert field in refusal.value.fields
    assert not WebhookEndpoint.objects.exists()


def test_the_pages_show_what_was_sent_and_send_it_again(
    admin: Actor, there: Receiver, cast: Cast, ada: User
) -> None:
    there.status, there.text = 410, b"<b>gone</b>"
    endpoint, _ = hook(admin, there.url)
    cast.submit()
    work_off()
    client, url = browser(ada), f"/system/webhooks/{endpoint.pk}/"
    assert "Failing" in client.get("/system/webhooks/").content.decode()
    assert "410" in client.get(url).content.decode()
    delivery = the_delivery()
    page = client.get(f"{url}deliveries/{delivery.pk}/").content.decode()
    assert "&lt;b&gt;gone&lt;/b&gt;" in page
    WebhookDelivery.objects.update(state="failed")
    there.status = 200
    assert client.post(f"{url}deliveries/{delivery.pk}/replay/").status_code == 302
    work_off()
    assert the_delivery().state == "delivered"
    assert client.post(url + "off/", {"reason": "done"}).status_code == 302
    assert client.post(url + "on/").status_code == 302
    assert (
        client.post(url + "edit/", {"url": "https://10.1.1.1/", "wanted": ASKED}).status_code == 422
    )
