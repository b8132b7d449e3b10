"""Notices as mails: queued with the notice, sent by the worker, never inside a request."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.notices import wording
from apps.notices.kinds import BY_KEY
from apps.notices.models import Mail, MailOff, MailState, Notice

TASK = "apps.notices.tasks.send_mail"
PREFERENCES = "/account/notices/"
_LONGEST_SUBJECT = 150
_LONGEST_ERROR = 500


def queue_for(event_seq: int) -> None:
    """One mail, with an outbox row of its own, for each notice of this event that has none and is wanted by mail.

    Belongs to the transaction that made the notices.
    """
    told = Notice.objects.filter(event_seq=event_seq, mail__isnull=True)
    for notice in told.select_related("recipient").order_by("pk"):
        if not _unwanted(notice):
            mail = Mail.objects.create(notice=notice)
            outbox.enqueue(TASK, {"mail": mail.pk})


def send_mail(mail_id: int, *, last: bool = False) -> None:
    """Hand a queued mail to the mail server; one that was sent is left alone.

    Raises what the server raises, noted in the row; with `last` nobody will try again. A mail that is not wanted
    any more is skipped, with the reason.
    """
    mail = Mail.objects.select_related("notice__recipient", "notice__caused_by").get(pk=mail_id)
    if mail.state != MailState.QUEUED:
        return
    reason = _unwanted(mail.notice)
    if reason:
        _move(mail, state=MailState.SKIPPED, error=reason)
        return
    try:
        compose(mail.notice).send()
    except Exception as error:
        state = MailState.FAILED if last else MailState.QUEUED
        _move(mail, state=state, error=f"{type(error).__name__}: {error}"[:_LONGEST_ERROR])
        raise
    _move(mail, state=MailState.SENT, sent_at=clock.now(), error="")


def compose(notice: Notice) -> EmailMultiAlternatives:
    """The notice as plain text and simple HTML. Its subject names the review, never the model."""
    said, site = wording.words(notice), settings.BASE_URL
    context = {
        "said": said,
        "person": str(notice.recipient),
        "link": site + said.path,
        "preferences": site + PREFERENCES,
        "label": wording.label(notice.kind),
    }
    message = EmailMultiAlternatives(
        subject=one_line(said.title),
        body=render_to_string("notices/mail.txt", context),
        to=[notice.recipient.email],
        headers={
            "Message-ID": message_id(notice),
            "List-Unsubscribe": f"<{site}{PREFERENCES}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string("notices/mail.html", context), "text/html")
    return message


def message_id(notice: Notice) -> str:
    """The same however often the mail is sent, so that a mailbox shows it once."""
    return f"<notice-{notice.pk}-{notice.event_seq}@{urlsplit(settings.BASE_URL).hostname}>"


def one_line(text: str) -> str:
    """Words that can stand in a header: no line breaks, no control or format characters, not endless."""
    plain = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(plain.split())[:_LONGEST_SUBJECT]


def choose_mails(actor: Actor, wanted: set[str]) -> None:
    """Which kinds the actor gets by mail; all others only in the inbox. Refuses a kind that is not known."""
    unknown = sorted(wanted - set(BY_KEY))
    if unknown or actor.user_id is None:
        raise Invalid("There is no such kind of notice.", fields={"kinds": "unknown"})
    with transaction.atomic():
        MailOff.objects.filter(user_id=actor.user_id).exclude(
            kind__in=set(BY_KEY) - wanted
        ).delete()
        off = [MailOff(user_id=actor.user_id, kind=kind) for kind in sorted(set(BY_KEY) - wanted)]
        MailOff.objects.bulk_create(off, ignore_conflicts=True)


def _unwanted(notice: Notice) -> str:
    """Why no mail goes to this person, or ""."""
    person = notice.recipient
    if not person.email:
        return "the person has no e-mail address"
    if not person.is_active:
        return "the person is deactivated"
    if MailOff.objects.filter(user=person, kind=notice.kind).exists():
        return "the person switched these mails off"
    return ""


def _move(mail: Mail, **values: object) -> None:
    """Compare-and-set: only a queued mail changes."""
    Mail.objects.filter(pk=mail.pk, state=MailState.QUEUED).update(**values)
