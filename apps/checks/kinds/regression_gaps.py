"""Gaps between groups of a model that predicts numbers, as Fairlearn's MetricFrame defines them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import hints
from apps.checks.engine import compute
from apps.checks.errorsums import RegressionGapsStatistics
from apps.checks.figures import Figure, figure
from apps.checks.kinds.base import Kind, Task, require_task, share
from apps.checks.kinds.numbers import HOME
from apps.checks.library import errorgaps
from apps.checks.library.errorgaps import Params, RegressionGapsResult
from apps.checks.limits import RegressionGapsLimits
from apps.checks.shown import regression_gaps as page
from apps.core.errors import Invalid


def run(task: Task, params: Params) -> tuple[RegressionGapsStatistics, RegressionGapsResult]:
    """Add up by group, then measure."""
    counted = compute.regression_gaps(task.data[0], task.workshop, params.crossings)
    return counted, errorgaps.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence that is none."""
    share("confidence", params.confidence, 0.5, 0.9999)
    return params


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Groups need a column that names them, and the outcomes have to be numbers; else Invalid."""
    require_task(mappings, "regression")
    if not mappings[0].get("sensitive"):
        raise Invalid(
            "The evaluation data name no sensitive column, so there are no groups to compare.",
            fields={"sensitive": "name at least one column when attaching the data"},
        )


def figures(result: RegressionGapsResult) -> list[Figure]:
    """The gaps of each grouping."""
    return [
        figure(hints.REGRESSION_GAPS, key, grouping.label, each)
        for grouping in result.groupings
        for key, each in grouping.gaps.items()
    ]


KIND = Kind(
    key="regression_gaps",
    title="Regression gaps",
    params=Params,
    result=RegressionGapsResult,
    limits=RegressionGapsLimits,
    run=run,
    assess=errorgaps.assess,
    require=require,
    checked=checked,
    parts=page.parts,
    figures=figures,
    hints=hints.REGRESSION_GAPS,
    home=HOME,
    sources=(
        "engine/*.py",
        "errorsums.py",
        "library/delta.py",
        "library/errorgaps.py",
        "library/estimates.py",
        "library/gaps.py",
        "library/groupings.py",
        "library/intervals.py",
        "library/means.py",
        "statistics.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "scipy"),
    on_engine=True,
)
