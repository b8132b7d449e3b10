"""Drift: the current data against the reference, column by column."""

from __future__ import annotations

from apps.checks import figures, hints
from apps.checks.engine import compute
from apps.checks.engine.parts import WINDOWS
from apps.checks.engine.pieces import join_drift
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Divided, Input, Kind, Task, share
from apps.checks.kinds.numbers import HOME, LIBRARIES, SOURCES
from apps.checks.library import drift
from apps.checks.library.drift import DriftResult, Params
from apps.checks.limits import DriftLimits
from apps.checks.mapping import Role
from apps.checks.statistics import DriftStatistics
from apps.core.errors import Invalid


def units(task: Task, _params: Params) -> int:
    """How many columns are compared."""
    return len(compute.pairs_of(task.data[0], task.data[1]))


def count(task: Task, params: Params, places: range) -> DriftStatistics:
    """Compare the columns at these places."""
    reference, current = task.data
    return compute.drift(reference, current, task.workshop, window=params.window, places=places)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence or a share of empty bins that is none, and for an unknown window."""
    share("confidence", params.confidence, 0.5, 0.9999)
    share("epsilon", params.epsilon, 1e-9, 0.01)
    if params.window and params.window not in WINDOWS:
        reason = f"expected one of {', '.join(WINDOWS)}"
        raise Invalid(f"window: {reason}.", fields={"window": reason})
    return params


DIVIDED = Divided(DriftStatistics, units, count, join_drift, drift.measure)
KIND = Kind(
    key="drift",
    title="Drift",
    params=Params,
    result=DriftResult,
    limits=DriftLimits,
    run=DIVIDED.run,
    divided=DIVIDED,
    assess=drift.assess,
    inputs=(
        Input("reference", (Role.REFERENCE,)),
        Input("current", (Role.CURRENT, Role.EVALUATION)),
    ),
    checked=checked,
    figures=figures.of_drift,
    hints=hints.DRIFT,
    choices=choosing.DRIFT,
    home=HOME,
    sources=SOURCES,
    libraries=LIBRARIES,
    on_engine=True,
)
