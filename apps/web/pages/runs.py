"""One run: what it recorded, its curves, its files, what it came from and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils.http import urlencode

from apps.accounts.selectors import names
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.experiments.selectors import DatasetView, OfRun, RunView
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, status, words
from apps.web.pages import model_forms, run_charts, run_files
from apps.web.pages.run_files import Files, Preview
from apps.web.pages.runs_table import clip, took
from apps.web.parts import (
    Action,
    Cell,
    ChartFigure,
    Column,
    Crumb,
    Empty,
    Notice,
    PageHeader,
    Row,
    Table,
)

CHILDREN: Final = 100
NOTE: Final = "mlflow.note.content"
REGISTER: Final = """import mlflow
mlflow.set_tracking_uri("{uri}")
mlflow.register_model("{source}", "{name}")"""


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run."""

    header: PageHeader
    notices: Sequence[Notice]
    note: str
    metrics: Table
    charts: Sequence[ChartFigure]
    more_charts: Action | None
    params: Table
    tags: Table
    client_tags: Table | None
    datasets: Table | None
    models: Table | None
    versions: Table | None
    children: Table | None
    children_url: str
    files: Files | None
    preview: Preview | None
    register: str
    events: Sequence[EventView]


def run(actor: Actor, found: Run, request: HttpRequest) -> RunPage:
    """The page of a run. The number of queries does not grow with what it recorded."""
    view = experiments.run_view(actor, found.run_id)
    tags = dict(view.tags)
    models = experiments.models_of_run(found)
    most = 1000 if request.GET.get("charts") == "all" else run_charts.CHARTS
    keys = [metric.key for metric in view.metrics]
    charts, left_out = run_charts.of_runs({view.run_id: view.name}, keys, most=most)
    files = run_files.files(found)
    return RunPage(
        header=_header(actor, found, view),
        notices=_notices(found),
        note=tags.get(NOTE, ""),
        metrics=_metrics(view),
        charts=charts,
        more_charts=_more_charts(request, left_out),
        params=_pairs("Parameters", view.params, "No parameters were logged."),
        tags=_pairs("Tags", [t for t in view.tags if not _of_client(t[0])], "No tags were set."),
        client_tags=_client_tags(view),
        datasets=datasets(view.datasets),
        models=_models(models),
        versions=_versions(actor, found, models),
        children=_children(found),
        children_url=_children_url(found),
        files=files if files.tree.count else None,
        preview=run_files.preview(actor, found, query.text(request, "file", 1024)),
        register=_register(found, models),
        events=audits.events_for(f"run:{found.run_id}", limit=10),
    )


def _header(actor: Actor, found: Run, view: RunView) -> PageHeader:
    chips = [status.chip("run", view.status)]
    if view.lifecycle_stage != "active":
        chips.append(status.chip("lifecycle", view.lifecycle_stage))
    if view.sealed_by is not None:
        chips.append(status.chip("lifecycle", "sealed"))
    experiment = found.experiment
    return PageHeader(
        title=view.name,
        chips=chips,
        meta=[*_origin(found, view), cells.when(view.start_time), _took(view)],
        actions=_acts(actor, found),
        crumbs=[
            Crumb("Experiments", addresses.experiments()),
            Crumb(experiment.name, addresses.experiment(experiment.pk)),
            Crumb(view.name),
        ],
    )


def _acts(actor: Actor, found: Run) -> list[Action]:
    acts = [Action("Compare with…", addresses.experiment(found.experiment_id), "", "compare")]
    if found.lifecycle_stage == "active" and model_forms.may_register(actor):
        url = f"{addresses.run(found.run_id)}register/"
        acts.append(Action("Register a version", url, "primary", "models"))
    return acts


def _origin(found: Run, view: RunView) -> list[Cell]:
    """Its id, who ran it, in which run it is nested."""
    person = names([view.created_by]).get(view.created_by, "")
    claimed = view.user_label if view.user_label not in {"", person} else ""
    facts = [
        cells.mono(view.run_id),
        cells.person(person),
        *([cells.text(f"as “{clip(claimed)}” on the client")] if claimed else []),
    ]
    parent = experiments.run_names(found.experiment_id, [view.parent_run_id])
    facts += [cells.link(f"nested in {name}", addresses.run(pk)) for pk, name in parent.items()]
    return facts


def _took(view: RunView) -> Cell:
    cell = took(view.duration_ms)
    return cells.text(f"took {cell.text}") if cell.text else cells.text("not ended")


def _notices(found: Run) -> list[Notice]:
    notices = []
    if found.sealed_by is not None:
        text = (
            f"It is evidence in review REV-{found.sealed_by}: nothing can be written to it, "
            "changed or deleted."
        )
        url = addresses.review(found.sealed_by)
        notices.append(Notice(text, "info", "Sealed", url=url, url_label=f"REV-{found.sealed_by}"))
    if found.lifecycle_stage != "active":
        notices.append(Notice("This run is deleted: nothing can be logged to it.", "warn"))
    return notices


def _metrics(view: RunView) -> Table:
    rows = [
        Row(
            [
                cells.text(metric.key),
                cells.number(words.decimals(metric.value, 6)),
                cells.number(words.thousands(metric.step)),
                cells.when(metric.timestamp),
            ]
        )
        for metric in view.metrics
    ]
    columns = [
        Column("Metric"),
        Column("Latest", numeric=True),
        Column("Step", numeric=True),
        Column("When"),
    ]
    empty = Empty("nothing-yet", "No metrics were logged")
    return Table("Metrics", columns, rows, empty, dense=True, id="metrics")


def _more_charts(request: HttpRequest, left_out: int) -> Action | None:
    if not left_out:
        return None
    url = query.with_values(request, charts="all")
    return Action(f"Draw {words.plural(left_out, 'more metric')}", url, "", "chart")


def _pairs(caption: str, pairs: Sequence[tuple[str, str]], none: str) -> Table:
    rows = [
        Row([cells.text(key), cells.mono(value) if value else cells.text("(empty)")])
        for key, value in pairs
    ]
    columns = [Column("Name"), Column("Value")]
    return Table(caption, columns, rows, Empty("nothing-yet", none), dense=True, fold=False)


def _of_client(key: str) -> bool:
    return key.startswith("mlflow.")


def _client_tags(view: RunView) -> Table | None:
    pairs = [(key, clip(value, 300)) for key, value in view.tags if _of_client(key) and key != NOTE]
    return _pairs("Tags of the client", pairs, "") if pairs else None


def datasets(found: Sequence[DatasetView]) -> Table | None:
    """The data that a run says it used; None for a run that says nothing."""
    if not found:
        return None
    rows = [
        Row(
            [
                cells.text(data.name),
                cells.text(data.context) if data.context else cells.missing("not said"),
                cells.mono(data.digest),
                cells.mono(data.source_type, note=clip(data.source, 120)),
            ]
        )
        for data in found
    ]
    columns = [Column("Data set"), Column("Used for"), Column("Digest"), Column("Source")]
    return Table("Data sets", columns, rows, dense=True)


def _models(models: Sequence[OfRun]) -> Table | None:
    if not models:
        return None
    rows = [
        Row(
            [
                cells.text(each.name, note=each.model_id),
                cells.text(each.model_type)
                if each.model_type
                else cells.missing("no type was given"),
                cells.text(each.status.removeprefix("LOGGED_MODEL_").replace("_", " ").lower()),
                cells.number(str(each.files), note=words.size(each.size)),
            ]
        )
        for each in models
    ]
    columns = [Column("Model"), Column("Type"), Column("State"), Column("Files", numeric=True)]
    return Table("Logged models", columns, rows, dense=True)


def _versions(actor: Actor, found: Run, models: Sequence[OfRun]) -> Table | None:
    """Versions registered from the run or from a model it logged, of the models one may see."""
    made = registry.visible_versions(actor).filter(
        Q(run=found) | Q(logged_model__in=[each.pk for each in models])
    )
    rows = [_version(each) for each in made.order_by("model__name", "-number")[:100]]
    if not rows:
        return None
    columns = [Column("Version"), Column("Stage"), Column("Registered")]
    return Table("Registered versions", columns, rows, dense=True)


def _version(version: ModelVersion) -> Row:
    url = addresses.version(version.model.name, version.number)
    return Row(
        [
            cells.link(str(version), url),
            cells.chip(status.chip("stage", version.stage)),
            cells.when(version.created_at),
        ]
    )


def _children(found: Run) -> Table | None:
    children = experiments.child_runs(found)
    if not children:
        return None
    common = list(experiments.metric_keys(children))[:3]
    rows = [_child(child, common) for child in children[:CHILDREN]]
    columns = [
        Column("Run"),
        Column("Status"),
        *(Column(key, numeric=True) for key in common),
        Column("Took", numeric=True),
    ]
    return Table("Nested runs", columns, rows, dense=True)


def _child(child: RunView, common: Sequence[str]) -> Row:
    values = {metric.key: metric.value for metric in child.metrics}
    return Row(
        [
            cells.link(child.name, addresses.run(child.run_id)),
            cells.chip(status.chip("run", child.status)),
            *(
                cells.number(words.decimals(values[key]))
                if key in values
                else cells.missing("not logged")
                for key in common
            ),
            took(child.duration_ms),
        ]
    )


def _register(found: Run, models: Sequence[OfRun]) -> str:
    """The lines that make a version of this run; none for a deleted run."""
    if found.lifecycle_stage != "active":
        return ""
    source = f"models:/{models[-1].model_id}" if models else f"runs:/{found.run_id}/model"
    return REGISTER.format(uri=settings.BASE_URL, source=source, name="churn")


def _children_url(found: Run) -> str:
    """The nested runs in the table of the experiment."""
    clause = f"tags.`mlflow.parentRunId` = '{found.run_id}'"
    return f"{addresses.experiment(found.experiment_id)}?{urlencode({'filter': clause})}"
