"""Performance of a classifier on the evaluation data."""

from __future__ import annotations

from apps.checks import figures, hints
from apps.checks.engine import compute
from apps.checks.kinds.base import Kind, Task, share
from apps.checks.kinds.numbers import HOME, LIBRARIES, SOURCES
from apps.checks.library import performance
from apps.checks.library.performance import Params, PerformanceResult
from apps.checks.limits import PerformanceLimits
from apps.checks.statistics import PerformanceStatistics


def run(task: Task, params: Params) -> tuple[PerformanceStatistics, PerformanceResult]:
    """Count, then measure."""
    counted = compute.performance(task.data[0], task.workshop)
    return counted, performance.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence that is none."""
    share("confidence", params.confidence, 0.5, 0.9999)
    return params


KIND = Kind(
    key="performance",
    title="Performance",
    params=Params,
    result=PerformanceResult,
    limits=PerformanceLimits,
    run=run,
    assess=performance.assess,
    checked=checked,
    figures=figures.of_performance,
    hints=hints.PERFORMANCE,
    home=HOME,
    sources=SOURCES,
    libraries=LIBRARIES,
)
