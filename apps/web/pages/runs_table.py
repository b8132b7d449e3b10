"""One experiment: its runs in a table whose filter, order and columns are in the address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.selectors import names
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.experiments import selectors as experiments
from apps.experiments.models import Experiment
from apps.experiments.search import search_runs
from apps.experiments.selectors import RunView
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, status, words
from apps.web.forms.experiments import EXAMPLE, RunsForm
from apps.web.pages.experiments import log_a_run
from apps.web.pages.run_columns import Choice, Chosen, choices, chosen
from apps.web.parts import (
    Action,
    Cell,
    Column,
    Crumb,
    Empty,
    Notice,
    PageHeader,
    Paging,
    Row,
    Table,
)

PAGE: Final = 50
NEWEST: Final = "-attributes.start_time"


@dataclass(frozen=True, slots=True)
class ExperimentPage:
    """An experiment with its runs."""

    header: PageHeader
    notice: Notice | None
    note: str
    choices: Sequence[tuple[str, Sequence[Choice]]]
    sort: str
    clear: Action | None
    table: Table
    compare_url: str


def page(actor: Actor, found: Experiment, request: HttpRequest, form: RunsForm) -> ExperimentPage:
    """The runs that the address asks for; what is wrong with the filter stands beside it and no run is shown."""
    sort = query.text(request, "sort", 300) or NEWEST
    keys = experiments.recent_keys(found)
    columns = chosen(request.GET.getlist("show"), keys, remembered="cols" in request.GET)
    runs, following = _search(actor, found, request, form, sort)
    filtered = any(request.GET.get(each) for each in ("filter", "status", "state"))
    return ExperimentPage(
        header=_header(found),
        notice=_deleted(found),
        note=found.tags.filter(key="mlflow.note.content").values_list("value", flat=True).first()
        or "",
        choices=choices(columns, keys),
        sort=request.GET.get("sort", ""),
        clear=Action("Clear the filter", addresses.experiment(found.pk)) if filtered else None,
        table=_table(actor, found, request, columns, runs, following, form=form, filtered=filtered),
        compare_url=reverse("web:run-compare"),
    )


def _search(
    actor: Actor, found: Experiment, request: HttpRequest, form: RunsForm, sort: str
) -> tuple[list[RunView], str]:
    if not form.is_valid():
        return [], ""
    try:
        result = search_runs(
            actor,
            [found.pk],
            filter=form.question(),
            order=[order(sort)],
            stage=form.stage(),
            max_results=PAGE,
            page_token=request.GET.get("before", ""),
        )
    except Invalid as error:
        form.add_error("filter", error.message)
        return [], ""
    return result.items, result.next_token


def order(sort: str) -> str:
    """ "-metrics.auc" as the protocol's order: descending, the key quoted; what cannot be a key is the default."""
    kind, _, key = sort.removeprefix("-").partition(".")
    if kind not in {"metrics", "params", "tags", "attributes"} or not key or "`" in key:
        return order(NEWEST)
    return f"{kind}.`{key}` {'DESC' if sort.startswith('-') else 'ASC'}"


def _header(found: Experiment) -> PageHeader:
    activity = experiments.activity([found.pk])[found.pk]
    meta = [cells.text(words.plural(activity.runs, "run"))]
    if found.team:
        meta.append(cells.text(f"Team {found.team}"))
    if found.created_by:
        meta.append(cells.person(str(found.created_by)))
    meta.append(cells.when(found.created_at))
    deleted = found.lifecycle_stage != "active"
    return PageHeader(
        title=found.name,
        chips=[status.chip("lifecycle", found.lifecycle_stage)] if deleted else [],
        meta=meta,
        crumbs=[Crumb("Experiments", addresses.experiments()), Crumb(found.name)],
    )


def _deleted(found: Experiment) -> Notice | None:
    if found.lifecycle_stage == "active":
        return None
    return Notice("This experiment is deleted: nothing can be logged to it.", "warn")


def _table(
    actor: Actor,
    found: Experiment,
    request: HttpRequest,
    shown: Sequence[Chosen],
    runs: Sequence[RunView],
    following: str,
    *,
    form: RunsForm,
    filtered: bool,
) -> Table:
    context = _Context.of(actor, found, runs)
    start = query.first_page(request)
    next_url = query.next_page(request, following) if following else ""
    summary = words.plural(len(runs), "run")
    return Table(
        caption=f"Runs of {found.name}",
        columns=_columns(request, shown),
        rows=[_row(run, shown, context) for run in runs],
        empty=_empty(found, filtered=filtered, understood=not form.errors),
        paging=Paging(summary, next_url, start) if start or next_url else None,
        id="runs",
    )


def _columns(request: HttpRequest, shown: Sequence[Chosen]) -> list[Column]:
    return [
        Column("Choose", hidden_label=True),
        query.sortable(request, "Run", "attributes.run_name"),
        query.sortable(request, "Status", "attributes.status"),
        *(
            query.sortable(request, each.key, each.value, numeric=each.kind == "metrics")
            for each in shown
        ),
        Column("Registered as"),
        Column("By"),
        query.sortable(request, "Started", "attributes.start_time", default=NEWEST),
        Column("Took"),
    ]


@dataclass(frozen=True, slots=True)
class _Context:
    """What the rows name besides the runs themselves."""

    people: dict[int, str]
    parents: dict[str, str]
    versions: dict[int, list[ModelVersion]]

    @classmethod
    def of(cls, actor: Actor, found: Experiment, runs: Sequence[RunView]) -> _Context:
        parents = {run.parent_run_id for run in runs}
        versions: dict[int, list[ModelVersion]] = {}
        made = registry.visible_versions(actor).filter(run__in=[run.id for run in runs])
        for version in made.order_by("model__name", "-number"):
            versions.setdefault(version.run_id or 0, []).append(version)
        return cls(
            names({run.created_by for run in runs}),
            experiments.run_names(found.pk, parents),
            versions,
        )


def _row(run: RunView, shown: Sequence[Chosen], context: _Context) -> Row:
    metrics = {metric.key: metric.value for metric in run.metrics}
    recorded = {"params": dict(run.params), "tags": dict(run.tags)}
    parent = context.parents.get(run.parent_run_id, "")
    chips = [status.chip("run", run.status)]
    if run.sealed_by is not None:
        chips.append(status.chip("lifecycle", "sealed"))
    return Row(
        [
            cells.tick("run", run.run_id, run.name),
            cells.link(
                run.name,
                addresses.run(run.run_id),
                note=f"↳ nested in {parent}" if parent else run.run_id[:8],
            ),
            cells.chip(*chips),
            *(
                _metric(metrics.get(each.key))
                if each.kind == "metrics"
                else _recorded(recorded[each.kind].get(each.key))
                for each in shown
            ),
            _registered(context.versions.get(run.id, [])),
            cells.person(context.people.get(run.created_by, "")),
            cells.when(run.start_time),
            took(run.duration_ms),
        ]
    )


def _metric(value: float | None) -> Cell:
    return cells.missing("not logged") if value is None else cells.number(words.decimals(value))


def _recorded(value: str | None) -> Cell:
    if value is None:
        return cells.missing("not set")
    return cells.mono(clip(value) or "(empty)")


def clip(text: str, length: int = 36) -> str:
    """The beginning of a long value, on one line."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _registered(versions: Sequence[ModelVersion]) -> Cell:
    if not versions:
        return cells.missing("not registered")
    first, *rest = versions
    more = f"and {len(rest)} more" if rest else ""
    url = addresses.version(first.model.name, first.number)
    return cells.link(str(first), url, note=more)


def took(duration_ms: int | None) -> Cell:
    """How long a run took."""
    if duration_ms is None:
        return cells.missing("not ended")
    return cells.number(words.duration(max(0, duration_ms) / 1000))


def _empty(found: Experiment, *, filtered: bool, understood: bool) -> Empty:
    if not understood:
        text = f"Clauses are joined by “and”, words stand in quotes: {EXAMPLE}"
        return Empty("no-match", "The filter was not understood, so nothing was looked for", text)
    if filtered:
        clear = Action("Clear the filter", addresses.experiment(found.pk))
        return Empty("no-match", "No run matches this filter", action=clear)
    code = log_a_run().replace('"churn"', json.dumps(found.name, ensure_ascii=False))
    return Empty("nothing-yet", "No runs yet", "Log the first one with the MLflow client.", code)
