"""What runs where: the tables that the pages of a model, a version and an environment show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy
from apps.core import clock
from apps.core.actor import Actor
from apps.registry import deployed
from apps.registry import selectors as registry
from apps.registry.deployed import Span
from apps.registry.deployment_models import share_text
from apps.registry.models import Deployment, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.web import addresses, cells, query, words
from apps.web.pages.people import FormPage
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    Empty,
    PageHeader,
    Paging,
    Row,
    Table,
)

SHOWN = 10
PAGE = 50
LIVE = "live"


def url(row: Deployment, act: str) -> str:
    """Where a deployment gets another share ("traffic") or ends ("end")."""
    return reverse(f"web:deployment-{act}", args=[row.uuid])


def of_model(model: RegisteredModel) -> str:
    """Everything that ran of a model."""
    return reverse("web:model-deployments", args=[model.name])


def of_environment(key: str) -> str:
    """The page of an environment."""
    return reverse("web:environment", args=[key])


def record_action(version: ModelVersion) -> Action:
    """To say where a version runs."""
    where = reverse("web:deployment-new", args=[version.model.name, version.number])
    return Action("Record a deployment", where, "", "plus")


def running(
    rows: QuerySet[Deployment], *, may: bool, empty: str = "", models: bool = False
) -> Table:
    """What runs now of these; `models` names the model in each row, `may` adds the acts."""
    found = list(deployed.running(rows)[: PAGE + 1])
    heads = ["Version", "Environment", "Traffic", "Since", "Approved by"]
    columns = [Column(each, numeric=each == "Traffic") for each in heads]
    columns.append(Column("Acts", hidden_label=True) if may else Column("Recorded by"))
    table = [_running(row, may=may, models=models) for row in found[:PAGE]]
    nothing = Empty("nothing-yet", "Nothing is recorded as running", empty)
    more = Paging(f"The {PAGE} newest of more") if len(found) > PAGE else None
    return Table("What runs now", columns, table, nothing, more, id="running")


def _running(row: Deployment, *, may: bool, models: bool) -> Row:
    shown = [
        _version(row, models=models),
        _environment(row),
        cells.number(f"{row.share_text} %"),
        cells.when(row.started_at),
        approval(row),
    ]
    if may:
        change = Action("Change share", url(row, "traffic"), "plain", "edit")
        shown.append(cells.acts(change, Action("End", url(row, "end"), "plain", "stop")))
    else:
        machine = row.recorded_by.kind == "service"
        shown.append(cells.person(str(row.recorded_by), machine=machine))
    return Row(shown)


def _version(row: Deployment, *, models: bool) -> Cell:
    name, number = row.model.name, row.version.number
    label = f"{name} v{number}" if models else f"v{number}"
    return cells.link(label, addresses.version(name, number))


def _environment(row: Deployment) -> Cell:
    key = row.environment.key
    return cells.link(key, of_environment(key), note=row.place)


def approval(row: Deployment) -> Cell:
    """By which review it runs; one that does not hold any more does not look like one that does."""
    if row.authorization is None:
        note = "" if row.model.is_governed else "sandbox model"
        return cells.chip(Chip("Ungoverned", "warn", "warn"), note=note)
    review = f"REV-{row.authorization.review_id}"
    where = addresses.review(row.authorization.review_id)
    if row.ended_at is None and row.authorization.expires_at <= clock.now():
        return cells.link(review, where, note=f"expired {words.day(row.authorization.expires_at)}")
    entry = row.authorization.environment_entry
    if row.ended_at is None and entry.left_at is not None:
        return cells.link(review, where, note=f"withdrawn {words.day(entry.left_at)}")
    return cells.link(review, where)


def history(rows: QuerySet[Deployment], request: HttpRequest, *, models: bool = False) -> Table:
    """What ran of these, newest first."""
    before = query.before(request)
    found = deployed.with_shares(rows).order_by("-pk")
    if before:
        found = found.filter(pk__lt=before)
    shown = list(found[: PAGE + 1])
    start = query.first_page(request)
    following = query.next_page(request, shown[PAGE - 1].pk) if len(shown) > PAGE else ""
    count = words.plural(min(len(shown), PAGE), "deployment")
    paging = Paging(count, following, start) if start or following else None
    heads = ("Version", "Environment", "Traffic", "From", "To", "Approved by", "Ended because")
    columns = [Column(each, numeric=each == "Traffic") for each in heads]
    table = [_past(row, models=models) for row in shown[:PAGE]]
    nothing = Empty("nothing-yet", "Nothing has run yet", "Each deployment stays here for good.")
    return Table("All deployments", columns, table, nothing, paging, id="history")


def _past(row: Deployment, *, models: bool) -> Row:
    shares = [share_text(span.traffic) for span in deployed.spans(row)]
    return Row(
        [
            _version(row, models=models),
            _environment(row),
            cells.number(f"{shares[-1]} %", note=_before(shares[:-1])),
            _moment(row.started_at),
            _moment(row.ended_at) if row.ended_at else cells.chip(Chip("Runs", "info", "running")),
            approval(row),
            cells.text(row.end_reason) if row.end_reason else cells.missing("no reason was given"),
        ]
    )


def _before(shares: Sequence[str]) -> str:
    return f"before: {', '.join(f'{share} %' for share in shares[-5:])}" if shares else ""


def _moment(at: dt.datetime) -> Cell:
    return cells.text(f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M}", title="UTC")


@dataclass(frozen=True, slots=True)
class Day:
    """What ran on a day: the date asked for, the answer, and why there is none if the date was no date."""

    value: str
    table: Table | None
    error: str
    heading: str
    today: str


def day(rows: QuerySet[Deployment], request: HttpRequest, *, models: bool = False) -> Day:
    """What ran at some moment of the day that the address names (`on`, UTC); nothing asked, no answer."""
    asked = query.text(request, "on")
    today = clock.now().date().isoformat()
    if not asked:
        return Day("", None, "", "", today)
    found = _date(asked)
    if found is None:
        return Day(asked, None, "A date such as 2027-01-31, from 1900 on.", "", today)
    spans = deployed.on(rows, found)
    heads = ("Version", "Environment", "Traffic", "From", "To", "Approved by")
    columns = [Column(each, numeric=each == "Traffic") for each in heads]
    nothing = Empty("no-match", f"Nothing is recorded as running on {found:%d %B %Y}")
    table = [_span(span, models=models) for span in spans]
    heading = f"On {found:%d %B %Y}, from 00:00 to 24:00 UTC"
    return Day(asked, Table(heading, columns, table, nothing, id="day"), "", heading, today)


def _date(text: str) -> dt.date | None:
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1900 <= found.year <= 9000 else None


def _span(span: Span, *, models: bool) -> Row:
    row = span.deployment
    return Row(
        [
            _version(row, models=models),
            _environment(row),
            cells.number(f"{share_text(span.traffic)} %"),
            _moment(span.since),
            _moment(span.until) if span.until else cells.chip(Chip("Still", "info", "running")),
            approval(row),
        ]
    )


@dataclass(frozen=True, slots=True)
class ModelDeploymentsPage:
    """What runs and ran of a model."""

    header: PageHeader
    running: Table
    day: Day
    history: Table


def model_page(actor: Actor, model: RegisteredModel, request: HttpRequest) -> ModelDeploymentsPage:
    """What runs of this model now, what ran on a day, and all that ever ran."""
    rows = deployed.of_model(model.pk)
    crumbs = [
        Crumb("Models", addresses.models()),
        Crumb(model.name, addresses.model(model.name)),
        Crumb("Deployments"),
    ]
    lead = (
        "As whoever deploys has recorded it. A record is no switch: it changes nothing that runs."
    )
    return ModelDeploymentsPage(
        header=PageHeader(f"Deployments of {model.name}", lead=lead, crumbs=crumbs),
        running=running(
            rows,
            may=policy.can(actor, "deployment.record", model),
            empty="Record a deployment on the page of the version that runs, or from your pipeline.",
        ),
        day=day(rows, request),
        history=history(rows, request),
    )


def form_page(version: ModelVersion, title: str, submit: str, *, danger: bool = False) -> FormPage:
    """A form about a version's deployment."""
    name, number = version.model.name, version.number
    crumbs = [
        Crumb("Models", addresses.models()),
        Crumb(name, addresses.model(name)),
        Crumb(f"Version {number}", addresses.version(name, number)),
    ]
    lead = "This records what runs; it starts and stops nothing."
    return FormPage(
        PageHeader(title, lead=lead, crumbs=crumbs), submit, addresses.version(name, number), danger
    )


def choices(version: ModelVersion) -> list[tuple[str, str]]:
    """The environments in which something new may run, and whether this version may."""
    found = []
    for row in deployed.environments().filter(retired_at__isnull=True):
        target = Target("environment", row.key)
        governed = registry.is_governed(version.model, target)
        note = "by approval only" if governed else "not governed for this model"
        found.append((row.key, f"{row.title} ({row.key}): {note}"))
    return found
