"""Environments: the list, and one with what runs there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy
from apps.core.actor import Actor
from apps.registry import deployed
from apps.registry.models import Environment
from apps.web import addresses, cells
from apps.web.pages import deployments
from apps.web.pages.deployments import Day
from apps.web.pages.people import FormPage
from apps.web.parts import Action, Chip, Column, Crumb, Empty, PageHeader, Row, Table

MANAGE = "environment.manage"
_LEAD = "Where versions of models run. What a policy names is governed: models run there by approval only."


@dataclass(frozen=True, slots=True)
class EnvironmentsPage:
    header: PageHeader
    table: Table


def environments(actor: Actor) -> EnvironmentsPage:
    """All of them; what runs there is counted over the models one may see."""
    add = Action("Add an environment", reverse("web:environment-new"), "primary", "plus")
    may = policy.can(actor, MANAGE)
    governed = deployed.governed_keys()
    counts = _counts(actor)
    rows = [_row(each, governed, counts.get(each.pk, 0)) for each in deployed.environments()]
    known = {each.cells[0].text for each in rows}
    rows += [_named(key) for key in sorted(governed - known)]
    columns = [
        Column("Environment"),
        Column("Title"),
        Column("Standing"),
        Column("Running", numeric=True),
        Column("Added"),
    ]
    empty = Empty(
        "nothing-yet",
        "No environments yet",
        "An environment is a place where versions run, such as prod. An administrator adds it once; then pipelines "
        "record there what runs.",
        action=add if may else None,
    )
    crumbs = [Crumb("Models", addresses.models()), Crumb("Environments")]
    header = PageHeader("Environments", lead=_LEAD, actions=[add] if may else [], crumbs=crumbs)
    return EnvironmentsPage(header, Table("Environments", columns, rows, empty))


def _counts(actor: Actor) -> dict[int, int]:
    rows = deployed.running(deployed.visible(actor)).order_by().values("environment")
    return dict(rows.annotate(n=Count("pk", filter=Q())).values_list("environment", "n"))


def _row(row: Environment, governed: frozenset[str], number: int) -> Row:
    return Row(
        [
            cells.link(row.key, deployments.of_environment(row.key)),
            cells.text(row.title),
            cells.chip(*chips(row, governed=row.key in governed)),
            cells.number(str(number)),
            cells.when(row.created_at),
        ]
    )


def _named(key: str) -> Row:
    """One that a policy names and nobody has added."""
    missing = cells.missing("nobody has added it, so nothing can be recorded there")
    return Row(
        [
            cells.text(key),
            missing,
            cells.chip(Chip("Governed", "neutral", "shield"), Chip("Not added", "unknown")),
            missing,
            missing,
        ]
    )


def chips(row: Environment, *, governed: bool) -> list[Chip]:
    """How an environment stands."""
    first = (
        Chip("Governed", "neutral", "shield") if governed else Chip("Not governed", "warn", "warn")
    )
    return [first, Chip("Retired", "quiet")] if row.retired_at else [first]


@dataclass(frozen=True, slots=True)
class EnvironmentPage:
    """One environment."""

    header: PageHeader
    running: Table
    day: Day
    history: Table


def environment(actor: Actor, row: Environment, request: HttpRequest) -> EnvironmentPage:
    """What runs there now, what ran there on a day, all that ever ran: of the models one may see."""
    rows = deployed.visible(actor).filter(environment=row)
    edit = Action("Edit", reverse("web:environment-edit", args=[row.key]), "", "edit")
    header = PageHeader(
        row.title,
        ref=row.key,
        chips=chips(row, governed=row.key in deployed.governed_keys()),
        lead="Of the models that you may see, as whoever deploys has recorded it.",
        actions=[edit] if policy.can(actor, MANAGE) else [],
        crumbs=[*_crumbs(), Crumb(row.key)],
    )
    return EnvironmentPage(
        header,
        deployments.running(
            rows,
            may=False,
            models=True,
            empty="A pipeline records it, or a person on the page of the version.",
        ),
        deployments.day(rows, request, models=True),
        deployments.history(rows, request, models=True),
    )


def _crumbs() -> list[Crumb]:
    return [
        Crumb("Models", addresses.models()),
        Crumb("Environments", reverse("web:environments")),
    ]


def form_page(row: Environment | None) -> FormPage:
    """The form of a new environment, or of one that is there."""
    if row is None:
        header = PageHeader("Add an environment", lead=_LEAD, crumbs=_crumbs())
        return FormPage(header, "Add it", reverse("web:environments"))
    back = deployments.of_environment(row.key)
    header = PageHeader(f"Edit {row.key}", crumbs=[*_crumbs(), Crumb(row.key, back)])
    return FormPage(header, "Save", back)
