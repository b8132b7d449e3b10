"""Proxies: how well each sensitive attribute can be told from each feature and from the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import hints
from apps.checks.associations import ProxyStatistics
from apps.checks.engine import compute
from apps.checks.engine.pieces import join_proxy
from apps.checks.figures import Figure, figure
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Divided, Kind, Task, share
from apps.checks.kinds.numbers import HOME
from apps.checks.library import proxy
from apps.checks.library.proxy import Params, ProxyResult
from apps.checks.limits import ProxyLimits
from apps.checks.shown import proxy as page
from apps.core.errors import Invalid


def units(task: Task, _params: Params) -> int:
    """How many columns are held against the attributes."""
    return len(compute.proxy_features(task.data[0]))


def count(task: Task, params: Params, places: range) -> ProxyStatistics:
    """Count the features at these places."""
    return compute.proxy(task.data[0], task.workshop, params.min_n, places)


def checked(params: Params) -> Params:
    """Raises Invalid for a confidence or a size of groups that is none."""
    share("confidence", params.confidence, 0.5, 0.9999)
    if params.min_n < 2:
        reason = "expected a whole number from 2"
        raise Invalid(f"min_n: {reason}.", fields={"min_n": reason})
    return params


def require(mappings: Sequence[Mapping[str, Any]]) -> None:
    """It takes an attribute to tell and a column to tell it from; else Invalid."""
    if not mappings[0].get("sensitive"):
        raise Invalid(
            "The evaluation data name no sensitive column, so there is nothing to tell from the features.",
            fields={"sensitive": "name at least one column when attaching the data"},
        )
    if not mappings[0].get("features") and not mappings[0].get("score"):
        raise Invalid(
            "The evaluation data name no feature and no score, so there is no proxy to look for.",
            fields={"features": "name at least one column when attaching the data"},
        )


def figures(result: ProxyResult) -> list[Figure]:
    """The strength of each pair."""
    return [figure(hints.PROXY, "cramers_v", pair.label, pair.cramers_v) for pair in result.pairs]


DIVIDED = Divided(ProxyStatistics, units, count, join_proxy, proxy.measure)
KIND = Kind(
    key="proxy",
    title="Proxies",
    params=Params,
    result=ProxyResult,
    limits=ProxyLimits,
    run=DIVIDED.run,
    divided=DIVIDED,
    assess=proxy.assess,
    require=require,
    checked=checked,
    parts=page.parts,
    figures=figures,
    hints=hints.PROXY,
    choices=choosing.PROXY,
    home=HOME,
    sources=(
        "associations.py",
        "engine/*.py",
        "library/columns.py",
        "library/estimates.py",
        "library/intervals.py",
        "library/proxy.py",
        "statistics.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "scipy"),
)
