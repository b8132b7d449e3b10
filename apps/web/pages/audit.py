"""The record: events with filters, one event with its proof, attempts."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from apps.accounts import policy
from apps.accounts.models import User
from apps.audits import events as registry
from apps.audits import selectors as audits
from apps.audits.attempt_selectors import AttemptView
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.engagements import selectors as engagements
from apps.web import addresses, cells, query, status, words
from apps.web.forms.audit import SINCE, RecordFilter
from apps.web.pages import record, subjects
from apps.web.pages.record import Record
from apps.web.parts import (
    Action,
    Cell,
    Column,
    Crumb,
    Empty,
    Fact,
    FilterChip,
    PageHeader,
    Paging,
    Row,
    Tab,
    Table,
)

PAGE = 50
KINDS = {
    "registry.": "Models and versions",
    "reviews.": "Reviews and signatures",
    "checks.": "Data and checks",
    "modelcards.": "Model cards",
    "compliance.": "Documents",
    "engagements.": "Audit engagements",
    "experiments.": "Experiments and runs",
    "accounts.": "People and rights",
    "audits.": "The record itself",
}


@dataclass(frozen=True, slots=True)
class AuditPage:
    """The timeline of what the reader may see."""

    header: PageHeader
    tabs: Sequence[Tab]
    record: Record
    form: RecordFilter
    filters: Sequence[FilterChip]
    events: Sequence[EventView]
    about: dict[int, list[Crumb]]
    empty: Empty | None
    paging: Paging | None
    all_of_it: bool


def audit(actor: Actor, request: HttpRequest) -> AuditPage:
    """Events that match the filters of the address, newest first."""
    form = RecordFilter(request.GET, people=_people(actor), kinds=list(KINDS.items()))
    found = _found(actor, request, form) if form.is_valid() else []
    events = found[:PAGE]
    filtered = any(request.GET.get(name) for name in form.fields)
    return AuditPage(
        header=_header(actor),
        tabs=tabs(actor, addresses.record()),
        record=record.record(actor),
        form=form,
        filters=_chips(request, form),
        events=events,
        about=subjects.about(events),
        empty=None if events else _empty(filtered=filtered),
        paging=query.event_paging(request, found, PAGE),
        all_of_it=policy.can(actor, "audit.read"),
    )


def _people(actor: Actor) -> list[tuple[str, str]]:
    """Everybody for those who read the whole trail; for others only themselves."""
    if policy.can(actor, "audit.read"):
        rows = User.objects.order_by("display_name", "username")[:500]
        return [(str(row.pk), str(row)) for row in rows]
    return [(str(actor.user_id), actor.label)]


def _found(actor: Actor, request: HttpRequest, form: RecordFilter) -> list[EventView]:
    given = form.cleaned_data
    scopes = subjects.visible_scopes(actor)
    if given["subject"]:
        try:
            scopes = [subjects.resolve(actor, given["subject"])]
        except NotFound as error:
            form.add_error("subject", error.message)
            return []
    return audits.events(
        scopes=scopes,
        types=_types(given["what"]),
        actor_id=int(given["who"]) if given["who"] else None,
        since=form.start(),
        before_seq=query.before(request),
        limit=PAGE + 1,
    )


def _types(prefix: str) -> list[str] | None:
    return [name for name in registry.registered() if name.startswith(prefix)] if prefix else None


def _chips(request: HttpRequest, form: RecordFilter) -> list[FilterChip]:
    labels = {
        "subject": {},
        "who": dict(form.fields["who"].choices),  # type: ignore[attr-defined]  # a choice field
        "what": KINDS,
        "since": dict(SINCE),
    }
    phrases = {"subject": "about {}", "who": "by {}", "what": "{}", "since": "last {}"}
    return [
        FilterChip(
            phrases[name].format(labels[name].get(value, value)), query.without(request, name)
        )
        for name in phrases
        for value in [request.GET.get(name, "").strip()]
        if value
    ]


def _empty(*, filtered: bool) -> Empty:
    if filtered:
        clear = Action("Clear the filters", addresses.record())
        return Empty("no-match", "No event matches these filters", action=clear)
    return Empty(
        "nothing-yet", "Nothing has happened yet", "What is done on models you may see stands here."
    )


def _header(actor: Actor) -> PageHeader:
    actions = []
    if policy.can(actor, "audit.export"):
        url = addresses.record() + "export/"
        actions.append(Action("Export", url, "", "download", download=True))
    return PageHeader("Audit", actions=actions)


def tabs(actor: Actor, current: str) -> list[Tab]:
    """The pages of the record that the actor may open; engagements for whoever reads the trail, or audits."""
    shown = [("Events", addresses.record()), ("Checkpoints", addresses.record() + "checkpoints/")]
    if policy.can(actor, "audit.read") or engagements.visible(actor).exists():
        shown.append(("Engagements", addresses.record() + "engagements/"))
    if policy.can(actor, "audit.read"):
        shown.append(("Attempts", addresses.record() + "attempts/"))
    return [Tab(label, url, url == current) for label, url in shown]


@dataclass(frozen=True, slots=True)
class Committed:
    """A personal field: its commitment, and the value if it can still be opened."""

    name: str
    commitment: str
    value: str
    erased: bool


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event with everything it takes to check it by hand."""

    header: PageHeader
    event: EventView
    about: dict[int, list[Crumb]]
    facts: Sequence[Fact]
    committed: Sequence[Committed]
    proof: Sequence[str]
    size: int
    root_facts: Sequence[Fact]
    body: str
    record: Record
    neighbours: Sequence[Action]


def event(actor: Actor, seq: int) -> EventPage:
    """The event, if the actor may see it; NotFound otherwise, as if there were none."""
    found = audits.event(seq) if seq else None
    if found is None or not subjects.may_see(actor, found):
        raise NotFound(f"The ledger has no event {seq}, or you may not see it.")
    extract = audits.extract([seq], reveal=False)
    head = audits.head()
    url = addresses.event(seq)
    return EventPage(
        header=PageHeader(
            title=f"EVT-{seq}",
            meta=[cells.mono(found.type), cells.when(found.at)],
            actions=[
                Action("Proof as a file", url + "extract.json", "", "download", download=True)
            ],
            crumbs=[Crumb("Audit", addresses.record()), Crumb(f"EVT-{seq}")],
        ),
        event=found,
        about=subjects.about([found]),
        facts=_facts(found),
        committed=[
            Committed(name, commitment, str(found.payload[name]), name in found.erased)
            for name, commitment in found.commitments.items()
        ],
        proof=extract["events"][0]["proof"],
        size=extract["size"],
        root_facts=[Fact(f"Root at size {extract['size']}", cells.digest(extract["root"]))],
        body=found.body.decode("utf-8"),
        record=record.record(actor),
        neighbours=_neighbours(seq, head.size),
    )


def _neighbours(seq: int, size: int) -> list[Action]:
    acts = []
    if seq > 1:
        acts.append(Action(f"EVT-{seq - 1}", addresses.event(seq - 1), icon="left"))
    if seq < size:
        acts.append(Action(f"EVT-{seq + 1}", addresses.event(seq + 1), icon="right"))
    return acts


def _facts(found: EventView) -> list[Fact]:
    machine = found.actor_kind != "human"
    return [
        Fact("Who", cells.person(found.actor_label, machine=machine)),
        Fact("At", cells.text(words.utc(found.at))),
        Fact("Through", cells.text(found.door)),
        Fact("About", cells.mono(", ".join(found.scopes))),
        Fact("Request", cells.mono(found.request_id)),
        Fact("Body, SHA-256", cells.digest(hashlib.sha256(found.body).hexdigest())),
        Fact("Leaf", cells.digest(found.leaf_hash)),
        Fact(f"Root at size {found.seq}", cells.digest(found.root)),
    ]


def extract(actor: Actor, seq: int) -> dict[str, Any]:
    """The event with its proof as the stand-alone verifier reads it; NotFound like `event`."""
    found = audits.event(seq)
    if not subjects.may_see(actor, found):
        raise NotFound(f"The ledger has no event {seq}, or you may not see it.")
    return audits.extract([seq])


@dataclass(frozen=True, slots=True)
class AttemptsPage:
    """What was refused, what failed, who came in."""

    header: PageHeader
    tabs: Sequence[Tab]
    table: Table
    outcomes: Sequence[tuple[str, str, bool]]
    filters: Sequence[FilterChip]


def attempts(actor: Actor, request: HttpRequest) -> AttemptsPage:
    """Newest first, equal ones added up."""
    outcome = request.GET.get("outcome", "")
    known = {"refused": "Refused", "failed": "Failed", "done": "Done"}
    found = audits.attempts(
        outcome=outcome if outcome in known else None,
        subject=query.text(request, "subject") or None,
        before_id=query.before(request),
        limit=PAGE + 1,
    )
    start = query.first_page(request)
    following = query.next_page(request, found[PAGE - 1].id) if len(found) > PAGE else ""
    count = f"{min(len(found), PAGE)} attempts"
    paging = Paging(count, following, start) if start or following else None
    rows = [_attempt(each) for each in found[:PAGE]]
    names = ("Act", "Outcome", "Who", "About", "Why", "From", "When", "Times")
    columns = [Column(name, numeric=name == "Times") for name in names]
    empty = Empty("clear", "No attempts", "Nothing was refused and nobody has signed in yet.")
    return AttemptsPage(
        header=_header(actor),
        tabs=tabs(actor, addresses.record() + "attempts/"),
        table=Table("Attempts", columns, rows, empty, paging, dense=True),
        outcomes=[(value, label, value == outcome) for value, label in known.items()],
        filters=query.filter_chips(request, {"outcome": "outcome is {}", "subject": "about {}"}),
    )


def _attempt(each: AttemptView) -> Row:
    when = _when(each.at, each.last_at)
    return Row(
        [
            cells.text(each.act),
            cells.chip(status.chip("attempt", each.outcome)),
            cells.person(each.actor_label, machine=each.actor_kind in {"service", "system"}),
            cells.mono(each.subject) if each.subject else cells.missing("nothing in particular"),
            cells.text(each.reason) if each.reason else cells.missing("no reason needed"),
            cells.text(each.remote_addr, note=each.door)
            if each.remote_addr
            else cells.text(each.door),
            when,
            cells.number(words.thousands(each.times)),
        ]
    )


def _when(first: dt.datetime, last: dt.datetime) -> Cell:
    return cells.when(last if last > first else first)
