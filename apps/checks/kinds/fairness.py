"""Group fairness of decisions on the evaluation data, cross-checked with Fairlearn on the same counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from apps.checks import figures, hints
from apps.checks.engine import compute
from apps.checks.engine.crosscheck import against_fairlearn
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task, require_task, resampling, share
from apps.checks.kinds.numbers import HOME, LIBRARIES, SOURCES
from apps.checks.library import fairness
from apps.checks.library.fairness import Params
from apps.checks.library.groups import FairnessResult
from apps.checks.limits import FairnessLimits
from apps.checks.statistics import FairnessStatistics
from apps.core.errors import Invalid


def run(task: Task, params: Params) -> tuple[FairnessStatistics, FairnessResult]:
    """Count, measure, and have another library say the same; raises Disagreement where it does not."""
    counted = compute.fairness(task.data[0], task.workshop, params.crossings)
    result = fairness.measure(counted, params)
    cross_check = against_fairlearn(counted, result)
    return counted, msgspec.structs.replace(result, cross_check=cross_check)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence that is none, and for too many draws."""
    share("confidence", params.confidence, 0.5, 0.9999)
    resampling(params.draws, params.seed)
    return params


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Groups need a column that names them, and an outcome that people want; else Invalid."""
    require_task(mappings, "binary")
    if not mappings[0].get("sensitive"):
        raise Invalid(
            "The evaluation data name no sensitive column, so fairness cannot be measured.",
            fields={"sensitive": "name at least one column when attaching the data"},
        )


KIND = Kind(
    key="fairness",
    title="Fairness",
    params=Params,
    result=FairnessResult,
    limits=FairnessLimits,
    run=run,
    assess=fairness.assess,
    require=require,
    checked=checked,
    figures=figures.of_fairness,
    hints=hints.FAIRNESS,
    choices=choosing.FAIRNESS,
    home=HOME,
    sources=SOURCES,
    libraries=LIBRARIES,
    on_engine=True,
)
