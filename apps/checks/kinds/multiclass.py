"""Performance of a classifier with more than two labels on the evaluation data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import hints
from apps.checks.engine import compute
from apps.checks.figures import Figure, figure
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task, require_task, share
from apps.checks.kinds.numbers import HOME
from apps.checks.library import multiclass
from apps.checks.library.multiclass import MulticlassResult, Params
from apps.checks.limits import MulticlassLimits
from apps.checks.outcomes import MulticlassStatistics
from apps.checks.shown import multiclass as page


def run(task: Task, params: Params) -> tuple[MulticlassStatistics, MulticlassResult]:
    """Count, then measure."""
    counted = compute.multiclass(task.data[0], task.workshop)
    return counted, multiclass.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence that is none."""
    share("confidence", params.confidence, 0.5, 0.9999)
    return params


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Raises Invalid for data that are declared to be of another task."""
    require_task(mappings, "multiclass")


def figures(result: MulticlassResult) -> list[Figure]:
    """Its metrics."""
    return [figure(hints.MULTICLASS, key, "", each) for key, each in result.metrics.items()]


KIND = Kind(
    key="multiclass",
    title="Multiclass performance",
    params=Params,
    result=MulticlassResult,
    limits=MulticlassLimits,
    run=run,
    assess=multiclass.assess,
    require=require,
    checked=checked,
    parts=page.parts,
    figures=figures,
    hints=hints.MULTICLASS,
    choices=choosing.CONFIDENCE,
    home=HOME,
    sources=(
        "engine/*.py",
        "library/delta.py",
        "library/estimates.py",
        "library/intervals.py",
        "library/multiclass.py",
        "outcomes.py",
        "statistics.py",
    ),
    libraries=("duckdb", "msgspec", "scipy"),
    on_engine=True,
)
