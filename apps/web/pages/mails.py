"""Which mails one gets; and for whoever keeps the site running, which mails went out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.models import User
from apps.notices import selectors, services, wording
from apps.notices.models import KeptMail, Mail
from apps.web import cells, query, status
from apps.web.pages import account
from apps.web.parts import (
    Cell,
    Column,
    Crumb,
    Empty,
    Fact,
    Notice,
    PageHeader,
    Paging,
    Row,
    Tab,
    Table,
)

SIZE = 50
SYSTEM = "web:system"
MAILBOX = "apps.notices.mailbox.Backend"


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    header: PageHeader
    tabs: Sequence[Tab]
    note: Notice | None


@dataclass(frozen=True, slots=True)
class MailsPage:
    header: PageHeader
    mails: Table


@dataclass(frozen=True, slots=True)
class MailPage:
    header: PageHeader
    facts: Sequence[Fact]
    text: str
    html: str


def preferences(person: User) -> PreferencesPage:
    """Where her mails go, if they go anywhere."""
    note = None
    if not person.email:
        note = Notice("You have no e-mail address here. An administrator enters it.", "warn")
    lead = f"Mails go to {person.email}." if person.email else "All notices are in your inbox."
    return PreferencesPage(
        PageHeader("Mails", lead=lead), account.tabs("web:account-notices"), note
    )


def mails(request: HttpRequest) -> MailsPage:
    """Every mail, newest first; where the site keeps them itself, each leads to its words."""
    rows = selectors.mails()
    before = query.before(request)
    found = list((rows.filter(pk__lt=before) if before else rows)[: SIZE + 1])
    shown = found[:SIZE]
    ids = {mail.pk: services.message_id(mail.notice) for mail in shown}
    kept = selectors.kept(ids.values())
    first = query.first_page(request)
    following = query.next_page(request, shown[-1].pk) if len(found) > SIZE else ""
    paging = Paging(f"{len(shown)} shown", following, first) if first or following else None
    columns = [Column("Subject"), Column("To"), Column("State"), Column("Queued"), Column("Sent")]
    table = Table(
        "Mails",
        columns,
        [_row(mail, kept.get(ids[mail.pk])) for mail in shown],
        empty=Empty("nothing-yet", "No mail has been queued", "Mails are made from notices."),
        paging=paging,
    )
    return MailsPage(PageHeader("Mails", lead=_lead(), crumbs=_crumbs()), table)


def mail(kept: KeptMail) -> MailPage:
    """One mail as the mailbox took it."""
    order = ("From", "To", "Date", "Message-ID", "List-Unsubscribe")
    facts = [Fact(name, cells.mono(kept.headers[name])) for name in order if name in kept.headers]
    return MailPage(
        PageHeader(kept.subject, crumbs=[*_crumbs(), Crumb("Mails", reverse("web:mails"))]),
        facts,
        kept.text,
        kept.html,
    )


def _lead() -> str:
    if settings.EMAIL_BACKEND == MAILBOX:
        return "No mail server is configured: this site keeps its mails, the newest thousand of them, and shows them here."
    return "Mails are handed to the mail server; their words are not kept here."


def _crumbs() -> list[Crumb]:
    return [Crumb("System", reverse(SYSTEM))]


def _row(mail: Mail, kept: int | None) -> Row:
    subject = services.one_line(wording.words(mail.notice).title)
    name = cells.link(subject, reverse("web:mail", args=[kept])) if kept else cells.text(subject)
    return Row(
        [
            name,
            cells.text(str(mail.notice.recipient), note=mail.notice.recipient.email),
            cells.chip(status.chip("mail", mail.state), note=mail.error),
            cells.when(mail.created_at),
            _sent(mail),
        ]
    )


def _sent(mail: Mail) -> Cell:
    return cells.when(mail.sent_at, missing_reason="has not been sent")
