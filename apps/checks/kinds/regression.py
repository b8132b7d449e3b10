"""Performance of a regression on the evaluation data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import hints
from apps.checks.engine import compute
from apps.checks.figures import Figure, figure
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task, require_task, share
from apps.checks.kinds.numbers import HOME
from apps.checks.library import regression
from apps.checks.library.regression import Params, RegressionResult
from apps.checks.limits import RegressionLimits
from apps.checks.outcomes import RegressionStatistics
from apps.checks.shown import regression as page


def run(task: Task, params: Params) -> tuple[RegressionStatistics, RegressionResult]:
    """Add up, then measure."""
    counted = compute.regression(task.data[0], task.workshop, regression.ranks(params.confidence))
    return counted, regression.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence that is none."""
    share("confidence", params.confidence, 0.5, 0.9999)
    return params


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Raises Invalid for data that are declared to be of another task."""
    require_task(mappings, "regression")


def figures(result: RegressionResult) -> list[Figure]:
    """Its metrics."""
    return [figure(hints.REGRESSION, key, "", each) for key, each in result.metrics.items()]


KIND = Kind(
    key="regression",
    title="Regression performance",
    params=Params,
    result=RegressionResult,
    limits=RegressionLimits,
    run=run,
    assess=regression.assess,
    require=require,
    checked=checked,
    parts=page.parts,
    figures=figures,
    hints=hints.REGRESSION,
    choices=choosing.CONFIDENCE,
    home=HOME,
    sources=(
        "engine/*.py",
        "library/delta.py",
        "library/estimates.py",
        "library/intervals.py",
        "library/means.py",
        "library/quantiles.py",
        "library/regression.py",
        "outcomes.py",
        "statistics.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "scipy"),
    on_engine=True,
)
