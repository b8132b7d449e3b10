"""The list of experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from apps.core.actor import Actor
from apps.experiments import selectors as experiments_
from apps.experiments.models import Lifecycle
from apps.experiments.selectors import ExperimentRow
from apps.web import addresses, cells, query, words
from apps.web.parts import Action, Column, Empty, FilterChip, Paging, Row, Table

PAGE: Final = 50
LOG_A_RUN: Final = """import mlflow
mlflow.set_tracking_uri("{uri}")
mlflow.set_experiment("churn")
with mlflow.start_run():
    mlflow.log_metric("auc", 0.87)"""


@dataclass(frozen=True, slots=True)
class ExperimentsPage:
    """The list with its search."""

    q: str
    deleted: bool
    filters: Sequence[FilterChip]
    table: Table


def experiments(actor: Actor, request: HttpRequest) -> ExperimentsPage:
    """Filtered by the address: q, state."""
    q = query.text(request, "q")
    deleted = request.GET.get("state") == Lifecycle.DELETED
    found = experiments_.list_experiments(
        actor,
        q=q,
        stage=Lifecycle.DELETED if deleted else Lifecycle.ACTIVE,
        before=query.before(request),
        limit=PAGE + 1,
    )
    return ExperimentsPage(
        q=q,
        deleted=deleted,
        filters=query.filter_chips(request, {"q": "“{}”"}),
        table=_table(request, found, filtered=bool(q or deleted)),
    )


def _table(request: HttpRequest, found: Sequence[ExperimentRow], *, filtered: bool) -> Table:
    start = query.first_page(request)
    following = query.next_page(request, found[PAGE - 1].experiment.pk) if len(found) > PAGE else ""
    count = words.plural(min(len(found), PAGE), "experiment")
    return Table(
        caption="Experiments",
        columns=[
            Column("Experiment"),
            Column("Runs", numeric=True),
            Column("Last run"),
            Column("Team"),
            Column("Made by"),
            Column("Made"),
        ],
        rows=[_row(each) for each in found[:PAGE]],
        empty=_empty(filtered=filtered),
        paging=Paging(count, following, start) if start or following else None,
        id="experiments",
    )


def _row(row: ExperimentRow) -> Row:
    found, activity = row.experiment, row.activity
    return Row(
        [
            cells.link(found.name, addresses.experiment(found.pk)),
            cells.number(words.thousands(activity.runs)),
            cells.when(activity.last_start, missing_reason="no run yet"),
            cells.text(str(found.team)) if found.team else cells.missing("no team"),
            cells.person(str(found.created_by))
            if found.created_by
            else cells.missing("it was there from the start"),
            cells.when(found.created_at),
        ]
    )


def log_a_run() -> str:
    """The lines of Python that make the first run appear."""
    return LOG_A_RUN.format(uri=settings.BASE_URL)


def _empty(*, filtered: bool) -> Empty:
    if filtered:
        clear = Action("Clear the filters", addresses.experiments())
        return Empty("no-match", "No experiment matches", action=clear)
    return Empty(
        "nothing-yet",
        "No experiments yet",
        "An experiment appears with the first run that the MLflow client logs to it.",
        code=log_a_run(),
    )
