"""Other systems that are told of events: endpoints, what was sent to them, every try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core import clock
from apps.notices import selectors
from apps.notices.models import (
    DeliveryState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from apps.web import addresses, cells, query, status, words
from apps.web.pages.people import FormPage
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    Empty,
    Fact,
    Notice,
    PageHeader,
    Paging,
    Row,
    Table,
)

SIZE = 50


@dataclass(frozen=True, slots=True)
class WebhooksPage:
    header: PageHeader
    endpoints: Table


@dataclass(frozen=True, slots=True)
class WebhookPage:
    header: PageHeader
    notice: Notice | None
    facts: Sequence[Fact]
    deliveries: Table
    history: Sequence[EventView]


@dataclass(frozen=True, slots=True)
class SecretPage:
    """The secret, once."""

    header: PageHeader
    secret: str
    note: str
    back: str
    example: str = (
        "from standardwebhooks.webhooks import Webhook\n"
        "event = Webhook(secret).verify(request.body, request.headers)"
    )


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    header: PageHeader
    facts: Sequence[Fact]
    body: str
    attempts: Table


def address(endpoint: WebhookEndpoint, name: str = "web:webhook", *more: int) -> str:
    """An endpoint's page, or one of its forms."""
    return reverse(name, args=[endpoint.pk, *more])


def webhooks() -> WebhooksPage:
    """Every endpoint and how it does."""
    rows = [
        Row(
            [
                cells.link(str(each), address(each), note=each.host if each.description else ""),
                cells.chip(_chip(each), note=each.off_reason),
                cells.number(str(len(each.events))),
                cells.when(each.failing_since, missing_reason="does not fail"),
                cells.when(each.created_at),
            ]
        )
        for each in selectors.endpoints()
    ]
    columns = [
        Column("Webhook"),
        Column("State"),
        Column("Kinds of events", numeric=True),
        Column("Failing since"),
        Column("Since"),
    ]
    lead = "Other systems that are told of events, each message signed after Standard Webhooks."
    text = (
        "A webhook tells a pipeline or a chat that something was promoted, signed or became void."
    )
    actions = [Action("New webhook", reverse("web:webhook-new"), "primary", icon="plus")]
    return WebhooksPage(
        PageHeader("Webhooks", lead=lead, crumbs=_crumbs(), actions=actions),
        Table("Webhooks", columns, rows, empty=Empty("nothing-yet", "No webhooks yet", text)),
    )


def webhook(endpoint: WebhookEndpoint, request: HttpRequest) -> WebhookPage:
    """One endpoint with what was sent to it."""
    return WebhookPage(
        PageHeader(
            str(endpoint),
            chips=[_chip(endpoint)],
            crumbs=_crumbs(inside=True),
            actions=_actions(endpoint),
        ),
        _notice(endpoint),
        [
            Fact("Address", cells.mono(endpoint.url)),
            Fact("Told of", cells.tags(endpoint.events)),
            Fact("Failures in a row", cells.number(str(endpoint.failures))),
            Fact("Rests until", _rest(endpoint)),
            Fact("Since", cells.when(endpoint.created_at)),
        ],
        _deliveries(endpoint, request),
        audits.events_for(f"webhook:{endpoint.pk}", limit=20),
    )


def secret(endpoint: WebhookEndpoint, value: str, *, rotated: bool = False) -> SecretPage:
    """What the receiver needs to verify signatures; never shown again."""
    hours = words.plural(settings.WEBHOOK_ROTATION_HOURS, "hour")
    note = (
        f"For {hours} every message carries a signature by the old secret too." if rotated else ""
    )
    lead = "Copy it now. It is stored sealed and will not be shown again."
    header = PageHeader("The secret of the webhook", lead=lead, crumbs=_crumbs(inside=True))
    return SecretPage(header, value, note, address(endpoint))


def delivery(row: WebhookDelivery) -> DeliveryPage:
    """One event for one endpoint, with every try."""
    endpoint = row.endpoint
    crumbs = [*_crumbs(inside=True), Crumb(str(endpoint), address(endpoint))]
    return DeliveryPage(
        PageHeader(
            f"Event #{row.event_seq}",
            chips=[status.chip("delivery", row.state)],
            crumbs=crumbs,
            actions=_replay(row),
        ),
        [
            Fact("Event", cells.link(row.event_type, addresses.event(row.event_seq))),
            Fact("webhook-id", cells.mono(row.webhook_id)),
            Fact("Queued", cells.when(row.created_at)),
            Fact("Settled", cells.when(row.finished_at, missing_reason="is not settled")),
        ],
        row.body,
        _attempts(row),
    )


def form_page(
    title: str, submit: str, back: str, *, lead: str = "", danger: bool = False
) -> FormPage:
    """A form about a webhook."""
    header = PageHeader(title, lead=lead, crumbs=_crumbs(inside=True))
    return FormPage(header, submit, back, danger)


def _crumbs(*, inside: bool = False) -> list[Crumb]:
    crumbs = [Crumb("System", reverse("web:system"))]
    return [*crumbs, Crumb("Webhooks", reverse("web:webhooks"))] if inside else crumbs


def _chip(endpoint: WebhookEndpoint) -> Chip:
    if not endpoint.active:
        return status.chip("webhook", "off")
    return status.chip("webhook", "failing" if endpoint.failing_since else "on")


def _notice(endpoint: WebhookEndpoint) -> Notice | None:
    if endpoint.active:
        return None
    held = "Nothing is sent. What waited is held and can be sent again one by one."
    return Notice(held, "warn", f"Switched off: {endpoint.off_reason}")


def _rest(endpoint: WebhookEndpoint) -> Cell:
    until = endpoint.rest_until
    if until is None or until <= clock.now():
        return cells.missing("does not rest")
    return cells.text(words.utc(until))


def _actions(endpoint: WebhookEndpoint) -> list[Action]:
    switch = (
        Action("Switch off", address(endpoint, "web:webhook-off"), icon="stop")
        if endpoint.active
        else Action("Switch on", address(endpoint, "web:webhook-on"), "primary", post=True)
    )
    return [
        Action("Edit", address(endpoint, "web:webhook-edit"), icon="edit"),
        Action("New secret", address(endpoint, "web:webhook-rotate"), icon="key"),
        switch,
    ]


def _deliveries(endpoint: WebhookEndpoint, request: HttpRequest) -> Table:
    rows, before = selectors.deliveries(endpoint), query.before(request)
    found = list((rows.filter(pk__lt=before) if before else rows)[: SIZE + 1])
    shown = found[:SIZE]
    first = query.first_page(request)
    following = query.next_page(request, shown[-1].pk) if len(found) > SIZE else ""
    columns = [
        Column("Event"),
        Column("State"),
        Column("Tries", numeric=True),
        Column("Last answer"),
        Column("Queued"),
        Column("Again", hidden_label=True),
    ]
    return Table(
        "Deliveries",
        columns,
        [_delivery_row(endpoint, each) for each in shown],
        empty=Empty("nothing-yet", "Nothing was sent yet", "The next event of its kinds is."),
        paging=Paging(f"{len(shown)} shown", following, first) if first or following else None,
    )


def _delivery_row(endpoint: WebhookEndpoint, row: WebhookDelivery) -> Row:
    tries = sorted(row.attempts.all(), key=lambda attempt: attempt.pk)
    url = address(endpoint, "web:webhook-delivery", row.pk)
    return Row(
        [
            cells.link(f"#{row.event_seq}", url, note=row.event_type),
            cells.chip(status.chip("delivery", row.state)),
            cells.number(str(len(tries))),
            _answer(tries[-1]) if tries else cells.missing("was not tried yet"),
            cells.when(row.created_at),
            cells.acts(*(_replay(row) if endpoint.active else ())),
        ]
    )


def _replay(row: WebhookDelivery) -> list[Action]:
    if row.state == DeliveryState.QUEUED:
        return []
    url = address(row.endpoint, "web:webhook-replay", row.pk)
    return [Action("Send again", url, icon="refresh", post=True)]


def _attempts(row: WebhookDelivery) -> Table:
    tries = sorted(row.attempts.all(), key=lambda attempt: attempt.pk)
    rows = [
        Row(
            [
                cells.when(each.at),
                _answer(each),
                cells.number(f"{words.thousands(each.duration_ms)} ms"),
                cells.mono(each.answer) if each.answer else cells.missing("said nothing"),
            ]
        )
        for each in tries
    ]
    columns = [
        Column("At"),
        Column("Answer"),
        Column("Took", numeric=True),
        Column("It said"),
    ]
    empty = Empty("nothing-yet", "Not tried yet", "The worker sends it when its turn comes.")
    return Table("Tries", columns, rows, empty=empty)


def _answer(attempt: WebhookAttempt) -> Cell:
    if attempt.status is None:
        return cells.text("no answer", note=attempt.error)
    return cells.text(str(attempt.status), note=attempt.error)
