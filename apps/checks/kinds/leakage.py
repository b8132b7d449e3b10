"""Leakage: rows that the model was made on among those it is judged on, and features that know too much."""

from __future__ import annotations

from apps.checks import figures, hints
from apps.checks.engine import leakage as engine
from apps.checks.kinds.base import Input, Kind, Task
from apps.checks.kinds.numbers import HOME
from apps.checks.library import leakage
from apps.checks.library.estimates import Estimate
from apps.checks.library.leakage import (
    LeakageResult,
    LeakageStatistics,
    Params,
    Purity,
    assess,
)
from apps.checks.limits import LeakageLimits
from apps.checks.mapping import Role
from apps.checks.numbers import MISSING, grouped, listed, shown
from apps.core.canonical import decimal
from apps.core.parts import Bar, Cell, Chart, Column, Fact, Facts, Part, Table, Text

_MOST_SHOWN = 100
_MOST_DRAWN = 40


def run(task: Task, params: Params) -> tuple[LeakageStatistics, LeakageResult]:
    """Count, then measure."""
    counted = engine.count(task.data[0], task.data[1], task.workshop)
    return counted, leakage.measure(counted, params)


def parts(result: LeakageResult) -> tuple[Part, ...]:
    """The sentence, what both data sets share, and the features, those that tell most first."""
    by_telling = sorted(result.purities, key=lambda each: (-_purity(each), each.name))
    return (
        Text(leakage.sentence(result)),
        _whole(result),
        _chart(by_telling),
        _table(by_telling, result),
    )


def _chart(purities: list[Purity]) -> Chart:
    bars = tuple(
        Bar(each.name, decimal(_purity(each)) if each.repeated else "") for each in purities
    )
    title = "How far each feature alone tells the outcome, those that tell most first"
    axis = "share of the rows whose value occurs again, of their value's commonest outcome"
    why = "no feature was looked at that has a value more than once."
    return Chart(title, axis, bars[:_MOST_DRAWN], limit="1", limit_label="tells every outcome", empty=why)  # fmt: skip


def _whole(result: LeakageResult) -> Facts:
    by = (
        "declared features"
        if result.declared
        else "all columns that both have; no features are declared"
    )
    facts = [
        ("Rows seen before", _of(result.shared_share)),
        ("Different rows among them", grouped(result.distinct_shared)),
        ("Rows of the evaluation data", grouped(result.rows)),
        ("Rows of the reference data", grouped(result.reference_rows)),
        ("Reference rows that repeat one another", _of(result.usual_share)),
        ("Compared by", f"{listed(list(result.compared), 10)} ({by})"),
        ("Outcome, prediction or score among the features", listed(list(result.answers)) or "none"),
    ]  # fmt: skip
    not_looked_at = [f"{each.name} ({each.reason})" for each in result.unlooked]
    if not_looked_at:
        facts.append(("Features not looked at", listed(not_looked_at)))
    if result.unlike:
        facts.append(
            ("Columns of another kind of values than in the reference", listed(list(result.unlike)))
        )
    return Facts(tuple(Fact(label, Cell(value)) for label, value in facts))


def _of(share: Estimate) -> str:
    return f"{grouped(share.numerator or 0)} ({shown(share.value)})"


def _purity(each: Purity) -> float:
    return each.pure / each.repeated if each.repeated else 0.0


def _table(purities: list[Purity], result: LeakageResult) -> Table:
    left = f" Shown are {_MOST_SHOWN} of {grouped(len(purities))}." if len(purities) > _MOST_SHOWN else ""  # fmt: skip
    return Table(
        "How far each feature alone tells the outcome",
        (
            Column("Feature"),
            Column("Rows with a value", numeric=True),
            Column("Different values", numeric=True),
            Column("Rows whose value occurs again", numeric=True),
            Column("Of these, of their value's commonest outcome", numeric=True),
            Column("Tells every outcome"),
        ),
        tuple(_row(each, each.name in result.perfect) for each in purities[:_MOST_SHOWN]),
        "A value that occurs once tells nothing and is not counted. With rare outcomes a share near 1 is no sign of leakage; 1 is."
        + left,
    )


def _row(each: Purity, perfect: bool) -> tuple[Cell, ...]:
    pure = shown(decimal(_purity(each)), 4) if each.repeated else MISSING
    return (
        Cell(each.name),
        Cell(grouped(each.rows)),
        Cell(grouped(each.values)),
        Cell(grouped(each.repeated)),
        Cell(pure),
        Cell("yes" if perfect else "no", tone="warn" if perfect else ""),
    )


KIND = Kind(
    key="leakage",
    title="Leakage",
    params=Params,
    result=LeakageResult,
    limits=LeakageLimits,
    run=run,
    assess=assess,
    inputs=(
        Input("evaluation", (Role.EVALUATION,)),
        Input("reference", (Role.REFERENCE,)),
    ),
    parts=parts,
    figures=figures.of_leakage,
    hints=hints.LEAKAGE,
    no_preview="Rows that two data sets have in common are told by all of them only.",
    home=HOME,
    sources=(
        "engine/equalrows.py",
        "engine/leakage.py",
        "engine/source.py",
        "library/equalrows.py",
        "library/exactly.py",
        "library/leakage.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "pyarrow"),
)
