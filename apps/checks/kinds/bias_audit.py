"""A bias audit of who is selected: four fifths with significance, and the tables of NYC Local Law 144."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from apps.checks import hints
from apps.checks.engine import compute
from apps.checks.engine.selections import MedianOver
from apps.checks.figures import Figure, figure
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task, require_task, share
from apps.checks.kinds.numbers import HOME
from apps.checks.library import bias_audit
from apps.checks.library.bias_audit import BiasAuditResult, Params
from apps.checks.limits import BiasAuditLimits
from apps.checks.selections import BiasAuditStatistics
from apps.checks.shown import bias_audit as page
from apps.core.errors import Invalid

MOST_EXCLUDED: Final = 0.02  # 6 RCNY 5-301(d): a category that is less than 2 % of the data
LONGEST: Final = 2_000


def run(task: Task, params: Params) -> tuple[BiasAuditStatistics, BiasAuditResult]:
    """Count, then measure."""
    over = cast("MedianOver", params.median_over)
    counted = compute.bias_audit(task.data[0], task.workshop, params.crossings, over)
    return counted, bias_audit.measure(counted, params)


def checked(params: Params) -> Params:
    """Raises Invalid for a parameter that is out of its range, naming it."""
    share("confidence", params.confidence, 0.5, 0.9999)
    share("alpha", params.alpha, 1e-9, 0.5)
    share("exclude_below", params.exclude_below, 0.0, MOST_EXCLUDED)
    if params.min_n < 1:
        _refuse("min_n", "expected a whole number from 1")
    if params.median_over not in {"known", "all"}:
        _refuse("median_over", "expected known or all")
    if len(params.justification) > LONGEST:
        _refuse("justification", f"expected at most {LONGEST} characters")
    return params


def _refuse(name: str, reason: str) -> None:
    raise Invalid(f"{name}: {reason}.", fields={name: reason})


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """Categories need a column that names them, and an outcome that people want; else Invalid."""
    require_task(mappings, "binary")
    if not mappings[0].get("sensitive"):
        raise Invalid(
            "The evaluation data name no sensitive column, so there is no category to audit.",
            fields={"sensitive": "name at least one column when attaching the data"},
        )


def figures(result: BiasAuditResult) -> list[Figure]:
    """The lowest impact ratio of each grouping."""
    found = []
    for audit in result.audits:
        ratios = [group.comparison.ratio for group in audit.large if group.comparison is not None]
        if ratios:
            lowest = min(ratios, key=lambda ratio: ratio.exact)
            found.append(figure(hints.BIAS_AUDIT, "impact_ratio", audit.label, lowest))
    return found


KIND = Kind(
    key="bias_audit",
    title="Bias audit",
    params=Params,
    result=BiasAuditResult,
    limits=BiasAuditLimits,
    run=run,
    assess=bias_audit.assess,
    require=require,
    checked=checked,
    parts=page.parts,
    figures=figures,
    hints=hints.BIAS_AUDIT,
    choices=choosing.BIAS_AUDIT,
    home=HOME,
    sources=(
        "engine/*.py",
        "library/bias_audit.py",
        "library/estimates.py",
        "library/impact.py",
        "library/intervals.py",
        "selections.py",
        "statistics.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "scipy"),
    on_engine=True,
)
