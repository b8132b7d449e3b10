"""Performance of a classifier on the evaluation data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import figures, hints
from apps.checks.engine import compute
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task, number, require_task, resampling, share
from apps.checks.kinds.numbers import HOME, LIBRARIES, SOURCES
from apps.checks.library import performance
from apps.checks.library.performance import Params, PerformanceResult
from apps.checks.limits import PerformanceLimits
from apps.checks.statistics import PerformanceStatistics
from apps.core.errors import Invalid


def run(task: Task, params: Params) -> tuple[PerformanceStatistics, PerformanceResult]:
    """Count, then measure."""
    counted = compute.performance(
        task.data[0],
        task.workshop,
        threshold=params.threshold,
        against=params.against,
        against_score=params.against_score,
    )
    return counted, performance.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence or threshold that is none, and for too many draws."""
    share("confidence", params.confidence, 0.5, 0.9999)
    if params.threshold:
        number("threshold", params.threshold)
    resampling(params.draws, params.seed)
    if params.threshold and params.against:
        _refuse(
            "against",
            "decisions at a threshold are not compared in pairs; leave one of the two out",
        )
    if params.against_score and not params.against:
        _refuse("against_score", "name the incumbent's prediction too, with against")
    return params


def _refuse(name: str, reason: str) -> None:
    raise Invalid(f"{name}: {reason}.", fields={name: reason})


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Raises Invalid for data that are declared to be of another task."""
    require_task(mappings, "binary")


KIND = Kind(
    key="performance",
    title="Performance",
    params=Params,
    result=PerformanceResult,
    limits=PerformanceLimits,
    run=run,
    assess=performance.assess,
    require=require,
    checked=checked,
    figures=figures.of_performance,
    hints=hints.PERFORMANCE,
    choices=choosing.PERFORMANCE,
    home=HOME,
    sources=SOURCES,
    libraries=LIBRARIES,
    on_engine=True,
)
