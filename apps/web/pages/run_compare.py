"""Several runs side by side: parameters, metrics with their change on the first, curves over each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.experiments import selectors as experiments
from apps.experiments.selectors import RunView
from apps.web import addresses, cells, query, status, words
from apps.web.pages import run_charts
from apps.web.pages.runs_table import took
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

LEAST: Final = 2
MOST: Final = 20
BARS: Final = 6


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two to twenty runs."""

    summary: str
    runs: Table
    params: Table
    metrics: Table
    charts: Sequence[ChartFigure]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The comparison, or why there is none."""

    header: PageHeader
    notice: Notice | None
    comparison: Comparison | None
    empty: Empty | None


def compare(actor: Actor, request: HttpRequest) -> ComparePage:
    """The runs of the address that the actor may see; NotFound when runs were named and none may be seen."""
    asked = list(dict.fromkeys(each for each in request.GET.getlist("run") if each))
    known = [each for each in asked if "\x00" not in each and len(each) <= 256]
    runs = experiments.run_views(actor, known[:MOST])
    if asked and not runs:
        raise NotFound("None of these runs exists, or none is yours to see.")
    unseen = len(asked[:MOST]) - len(runs)
    enough = len(runs) >= LEAST
    return ComparePage(
        header=_header(runs),
        notice=_notice(unseen, len(asked) - MOST),
        comparison=_comparison(request, runs) if enough else None,
        empty=None if enough else _empty(runs),
    )


def _header(runs: Sequence[RunView]) -> PageHeader:
    crumbs = [Crumb("Experiments", addresses.experiments())]
    if runs:
        crumbs.append(Crumb("Runs", addresses.experiment(runs[0].experiment_id)))
    title = f"{words.plural(len(runs), 'run')} compared" if len(runs) >= LEAST else "Compare runs"
    return PageHeader(title=title, crumbs=[*crumbs, Crumb("Compare")])


def _notice(unseen: int, over: int) -> Notice | None:
    reasons = []
    if unseen > 0:
        reasons.append(f"{words.plural(unseen, 'run')} of the address: not there, or not yours.")
    if over > 0:
        reasons.append(f"{words.plural(over, 'run')} over the {MOST} that fit side by side.")
    return Notice("Left out:", "warn", reasons=reasons) if reasons else None


def _empty(runs: Sequence[RunView]) -> Empty:
    text = "Tick them in the table of an experiment's runs, then press Compare."
    if not runs:
        back = Action("To the experiments", addresses.experiments())
        return Empty("nothing-yet", "Choose two runs or more", text, action=back)
    back = Action("To its experiment", addresses.experiment(runs[0].experiment_id))
    return Empty("nothing-yet", f"{runs[0].name} needs a second run beside it", text, action=back)


def _comparison(request: HttpRequest, runs: Sequence[RunView]) -> Comparison:
    labels = _labels(runs)
    params = _params(runs, labels)
    metrics = _metrics(runs, labels)
    different = (
        words.plural(_differing(params), "parameter"),
        words.plural(_differing(metrics), "metric"),
    )
    return Comparison(
        summary=f"{' and '.join(different)} differ. Changes are against {labels[runs[0].run_id]}.",
        runs=_runs(request, runs, labels),
        params=params,
        metrics=metrics,
        charts=_charts(runs, labels),
    )


def _labels(runs: Sequence[RunView]) -> dict[str, str]:
    """A name for each run; with a piece of its id where names repeat."""
    names = [run.name for run in runs]
    return {
        run.run_id: run.name if names.count(run.name) == 1 else f"{run.name} {run.run_id[:6]}"
        for run in runs
    }


def _differing(table: Table) -> int:
    return sum(not row.same for row in table.rows)


def _runs(request: HttpRequest, runs: Sequence[RunView], labels: Mapping[str, str]) -> Table:
    rows = [
        Row(
            [
                cells.link(
                    labels[run.run_id],
                    addresses.run(run.run_id),
                    note="the base of the comparison" if place == 0 else "",
                ),
                cells.chip(status.chip("run", run.status)),
                cells.when(run.start_time),
                took(run.duration_ms),
                cells.acts(*_acts(request, runs, run)),
            ]
        )
        for place, run in enumerate(runs)
    ]
    columns = [
        Column("Run"),
        Column("Status"),
        Column("Started"),
        Column("Took", numeric=True),
        Column("Acts", hidden_label=True),
    ]
    return Table("Runs", columns, rows, dense=True)


def _acts(request: HttpRequest, runs: Sequence[RunView], run: RunView) -> list[Action]:
    acts = []
    if run is not runs[0]:
        first = [run.run_id, *(each.run_id for each in runs if each is not run)]
        acts.append(Action("Make it the base", _address(first), "plain"))
    if len(runs) > LEAST:
        acts.append(Action("Leave out", query.without(request, "run", run.run_id), "plain"))
    return acts


def _address(run_ids: Sequence[str]) -> str:
    return "?" + "&".join(f"run={run_id}" for run_id in run_ids)


def _params(runs: Sequence[RunView], labels: Mapping[str, str]) -> Table:
    given = [dict(run.params) for run in runs]
    rows = []
    for key in sorted({key for each in given for key in each}):
        values = [each.get(key) for each in given]
        row = [cells.text(key), *(_param(value) for value in values)]
        rows.append(Row(row, same=len(set(values)) == 1))
    empty = Empty("nothing-yet", "None of these runs has parameters")
    columns = [Column("Parameter"), *(Column(label) for label in labels.values())]
    return Table("Parameters", columns, rows, empty, dense=True, id="diff-params")


def _param(value: str | None) -> Cell:
    return cells.missing("not set") if value is None else cells.mono(value or "(empty)")


def _metrics(runs: Sequence[RunView], labels: Mapping[str, str]) -> Table:
    given = [{metric.key: metric.value for metric in run.metrics} for run in runs]
    rows = []
    for key in sorted({key for each in given for key in each}):
        base, *others = [each.get(key) for each in given]
        row = [cells.text(key), _metric(base, None), *(_metric(value, base) for value in others)]
        same = all(_equal(value, base) for value in others)
        rows.append(Row(row, same=same))
    empty = Empty("nothing-yet", "None of these runs has metrics")
    columns = [Column("Metric"), *(Column(label, numeric=True) for label in labels.values())]
    return Table("Metrics", columns, rows, empty, dense=True, id="diff-metrics")


def _metric(value: float | None, base: float | None) -> Cell:
    if value is None:
        return cells.missing("not logged")
    comparable = base is not None and math.isfinite(base) and math.isfinite(value)
    delta = words.signed(value - base) if comparable and base is not None else ""
    return cells.number(words.decimals(value), delta=delta)


def _equal(value: float | None, base: float | None) -> bool:
    if value is None or base is None:
        return value is base
    return value == base or (math.isnan(value) and math.isnan(base))


def _charts(runs: Sequence[RunView], labels: Mapping[str, str]) -> list[ChartFigure]:
    """Curves of the metrics that two or more of the runs have; bars for a few that have no curve."""
    common = [key for key, count in experiments.metric_keys(runs).items() if count >= LEAST]
    figures, _ = run_charts.of_runs(labels, common)
    drawn = {figure.title for figure in figures}
    single = [key for key in common if key not in drawn][:BARS]
    return figures + [figure for key in single if (figure := _bars(key, runs, labels)) is not None]


def _bars(key: str, runs: Sequence[RunView], labels: Mapping[str, str]) -> ChartFigure | None:
    values = [
        (labels[run.run_id], metric.value)
        for run in runs
        for metric in run.metrics
        if metric.key == key and math.isfinite(metric.value)
    ]
    return run_charts.bars(key, values) if len(values) >= LEAST else None
