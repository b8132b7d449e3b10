"""A notice goes out as one mail, by the worker only, unless its person does not want it; failure is seen and retried."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from apps.accounts.models import User
from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.notices import kinds, selectors, services
from apps.notices.models import KeptMail, Mail, MailOff, Notice
from config import mail as mail_settings
from tests.notices import smtp
from tests.notices.support import sign, work_off
from tests.reviews.conftest import Cast
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "apps.notices.mailbox.Backend"


@pytest.fixture
def server(settings: Settings):
    with smtp.server() as running:
        for name, value in mail_settings.settings(f"smtp://127.0.0.1:{running.port}").items():
            setattr(settings, name, value)
        yield running


def read(raw: str) -> EmailMessage:
    return email.message_from_string(raw, policy=email.policy.default)


def again() -> None:
    """What beat does later: everything that is open is due."""
    OutboxMessage.objects.filter(finished_at=None).update(not_before="2000-01-01T00:00Z")


def test_a_request_goes_out_as_one_mail_to_each_who_is_asked(
    server: smtp.Server, cast: Cast
) -> None:
    review = cast.submit()
    assert server.mails == []
    work_off()
    mails = [read(raw) for raw in server.mails]
    assert sorted(mail["To"] for mail in mails) == [
        f"{who}@example.org" for who in ("remo", "rui", "vera")
    ]
    one = mails[0]
    assert one["Subject"] == f"You are asked to sign {review.key}"
    assert one["List-Unsubscribe"] == "<http://localhost:8000/account/notices/>"
    text, html = (one.get_body((kind,)).get_content() for kind in ("plain", "html"))
    link = f"http://localhost:8000/reviews/{review.pk}/"
    assert link in text.split()
    assert f'<a href="{link}">' in html
    assert "credit version 1" in text
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}


def test_doubled_messages_send_once(server: smtp.Server, cast: Cast) -> None:
    cast.submit()
    work_off()
    OutboxMessage.objects.update(finished_at=None, claimed_until=None)
    work_off()
    assert len(server.mails) == 3


def test_nothing_is_sent_while_the_request_runs(server: smtp.Server, cast: Cast) -> None:
    sign(cast.vera, cast.submit())
    assert (server.mails, Mail.objects.count()) == ([], 0)


def test_a_server_that_is_busy_is_asked_again_and_what_gives_up_is_seen(
    server: smtp.Server, cast: Cast, settings: Settings
) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 2
    cast.submit()
    services.choose_mails(cast.remo, set())
    services.choose_mails(cast.vera, set())
    server.refuse = True
    with pytest.raises(Exception, match="451"):
        work_off()
    mail = Mail.objects.get()
    assert (mail.state, "451" in mail.error) == ("queued", True)
    again()
    with pytest.raises(Exception, match="451"):
        work_off()
    mail.refresh_from_db()
    assert mail.state == "failed"
    assert outbox.queue_state().failed == 1
    assert server.mails == []


def test_a_server_that_comes_back_gets_the_mail(server: smtp.Server, cast: Cast) -> None:
    services.choose_mails(cast.remo, set())
    services.choose_mails(cast.vera, set())
    server.refuse = True
    cast.submit()
    with pytest.raises(Exception, match="451"):
        work_off()
    server.refuse = False
    again()
    work_off()
    assert len(server.mails) == 1
    assert Mail.objects.get().error == ""


def test_what_is_switched_off_stays_in_the_inbox_only(mailbox: None, cast: Cast) -> None:
    services.choose_mails(cast.rui, set(kinds.BY_KEY) - {"review.asked"})
    cast.submit()
    work_off()
    assert set(KeptMail.objects.values_list("recipient", flat=True)) == {
        "vera@example.org",
        "remo@example.org",
    }
    assert Notice.objects.filter(recipient_id=cast.rui.user_id).count() == 1


def test_a_choice_made_while_the_mail_waits_still_counts(mailbox: None, cast: Cast) -> None:
    cast.submit()
    OutboxMessage.objects.exclude(task__endswith="make_notices").delete()
    for row in OutboxMessage.objects.filter(finished_at=None):
        services.make_for(row.payload["event_seq"])
    services.choose_mails(cast.rui, set())
    work_off()
    mine = Mail.objects.get(notice__recipient_id=cast.rui.user_id)
    assert (mine.state, mine.error) == ("skipped", "the person switched these mails off")
    assert not KeptMail.objects.filter(recipient="rui@example.org").exists()


def test_who_has_no_address_or_is_deactivated_gets_no_mail(mailbox: None, cast: Cast) -> None:
    User.objects.filter(username="rui").update(email="")
    User.objects.filter(username="remo").update(is_active=False)
    cast.submit()
    work_off()
    assert list(KeptMail.objects.values_list("recipient", flat=True)) == ["vera@example.org"]


@pytest.mark.parametrize(
    "name", ["Vera\r\nBcc: everybody@example.org", "Vera\u2028X", "V\x00era\x1b[31m"]
)
def test_a_name_cannot_add_a_header(name: str, server: smtp.Server, cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    # Not through the service, which refuses such names: as if it had let one pass. (PostgreSQL stores no NUL.)
    User.objects.filter(username="vera").update(display_name=name.replace("\x00", ""))
    work_off()
    to_ana = next(mail for mail in map(read, server.mails) if mail["To"] == "ana@example.org")
    assert to_ana["Bcc"] is None
    assert to_ana["Subject"].endswith(f"approved {review.key}")
    assert len(str(to_ana["Subject"]).splitlines()) == 1


def test_an_address_with_a_line_break_is_refused_not_sent(server: smtp.Server, cast: Cast) -> None:
    for who in (cast.remo, cast.vera):
        services.choose_mails(who, set())
    User.objects.filter(username="rui").update(email="rui@example.org\nBcc: x@example.org")
    cast.submit()
    with pytest.raises(Exception, match="Invalid address"):
        work_off()
    assert server.mails == []
    assert "Invalid address" in Mail.objects.get().error


def test_names_in_the_html_are_escaped(mailbox: None, cast: Cast) -> None:
    User.objects.filter(username="vera").update(display_name="<script>x</script>")
    sign(cast.vera, cast.submit())
    work_off()
    assert not KeptMail.objects.filter(html__contains="<script>").exists()
    assert KeptMail.objects.filter(html__contains="&lt;script&gt;").exists()


def test_the_mailbox_is_a_page_for_who_keeps_the_site_running(
    mailbox: None, cast: Cast, ada: User
) -> None:
    cast.submit()
    work_off()
    client = browser(ada)
    table = client.get("/notices/mail/").context["page"].mails
    assert len(table.rows) == 3
    page = client.get(table.rows[0].cells[0].url).content.decode()
    assert "You are asked to sign" in page
    assert browser(User.objects.get(username="rui")).get("/notices/mail/").status_code == 403


def test_the_mailbox_keeps_a_thousand(mailbox: None, cast: Cast) -> None:
    KeptMail.objects.bulk_create(
        KeptMail(message_id="<x>", recipient="x", subject=str(n), headers={}) for n in range(1005)
    )
    cast.submit()
    work_off()
    assert KeptMail.objects.count() == 1000
    assert KeptMail.objects.latest("pk").subject.startswith("You are asked")


def test_the_preference_page_shows_and_saves_the_choice(rui: User) -> None:
    client = browser(rui)
    assert client.get("/account/notices/").context["form"].initial["kinds"] == list(kinds.BY_KEY)
    assert client.post("/account/notices/", {"kinds": ["review.void"]}).status_code == 302
    assert selectors.mails_wanted(as_actor(rui)) == ["review.void"]
    client.post("/account/notices/", {"kinds": list(kinds.BY_KEY)})
    assert not MailOff.objects.exists()
    assert client.post("/account/notices/", {"kinds": ["no.such"]}).status_code == 422


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mailbox:", {"EMAIL_BACKEND": "apps.notices.mailbox.Backend"}),
        ("smtp://mx.example.org", {"EMAIL_PORT": 25, "EMAIL_USE_TLS": False}),
        (
            "smtp://u%40x:p%2F@mx:587?tls=1",
            {"EMAIL_HOST_USER": "u@x", "EMAIL_HOST_PASSWORD": "p/", "EMAIL_USE_TLS": True},
        ),
        ("smtps://mx", {"EMAIL_PORT": 465, "EMAIL_USE_SSL": True}),
    ],
)
def test_a_mail_server_is_one_address(url: str, expected: dict[str, object]) -> None:
    assert expected.items() <= mail_settings.settings(url).items()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x",
        "smtp:",
        "smtp://:secret@",
        "smtp://mx:99999",
        "smtp://u:secret@mx?tsl=1",
        "smtps://mx?tls=1",
    ],
)
def test_an_address_that_cannot_be_meant_stops_the_start_without_showing_the_password(
    url: str,
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        mail_settings.settings(url)
    assert "EMAIL_URL" in str(refusal.value)
    assert "secret" not in str(refusal.value)
