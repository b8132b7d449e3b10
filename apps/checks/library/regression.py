"""Performance of a regression. Pure: statistics in, result out; result and limits in, assessment out.

Steps of `measure`: 1 means of absolute and of signed errors, 2 the root of the mean square and R2 by the delta method from
stored sums, 3 quantiles by places of the sorted errors. Not measured: whether the error depends on the size of the
outcome, and anything per group (`errorgaps`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

import msgspec

from apps.checks.library import delta, intervals, means, quantiles
from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Subject, conclude, judged, left_out
from apps.checks.limits import Bound, RegressionLimits
from apps.checks.numbers import grouped, listed, shown_against
from apps.checks.outcomes import RegressionStatistics
from apps.checks.statistics import RowCount

TITLES: Final = {
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R\u00b2",
    "median_absolute_error": "Median absolute error",
    "p90_absolute_error": "90\u00a0% quantile of the absolute error",
    "mean_error": "Mean error",
    "absolute_bias": "Size of the mean error",
}
OF_ABSOLUTE: Final = {
    "median_absolute_error": Fraction(1, 2),
    "p90_absolute_error": Fraction(9, 10),
}
OF_SIGNED: Final = tuple(Fraction(percent, 100) for percent in (1, 5, 10, 25, 50, 75, 90, 95, 99))
NO_ROWS: Final = "not defined: no row has a finite outcome and prediction"


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose. `confidence` of all intervals."""

    confidence: str = "0.95"


class ErrorQuantile(msgspec.Struct, frozen=True):
    """The error (prediction minus outcome) below which this share of the rows lies."""

    share: str
    error: Estimate


class RegressionResult(msgspec.Struct, frozen=True, tag="regression"):
    rows: RowCount
    confidence: str
    metrics: dict[str, Estimate]
    errors: tuple[ErrorQuantile, ...] = ()
    lowest: str | None = None
    highest: str | None = None


def ranks(confidence: str) -> Callable[[int], tuple[Iterable[int], Iterable[int]]]:
    """Which places of the sorted absolute and signed errors `measure` will ask for."""
    level = float(confidence)

    def wanted(n: int) -> tuple[Iterable[int], Iterable[int]]:
        return (
            quantiles.wanted(n, tuple(OF_ABSOLUTE.values()), level),
            quantiles.wanted(n, OF_SIGNED, level),
        )

    return wanted


def measure(statistics: RegressionStatistics, params: Params) -> RegressionResult:
    """The same statistics and parameters give the same result, to the last digit."""
    z, level = intervals.z_of(float(params.confidence)), float(params.confidence)
    n = statistics.rows.counted
    if not n:
        metrics = dict.fromkeys(TITLES, undefined(NO_ROWS))
        return RegressionResult(statistics.rows, params.confidence, metrics)
    squares = statistics.sum_of("e2")
    bias = means.mean(statistics.sum_of("e"), squares, n, z)
    metrics = {
        "mae": means.mean(statistics.sum_of("abs"), squares, n, z, above_zero=True),
        "rmse": means.root_mean_square(squares, statistics.sum_of("e4"), n, z),
        "r2": _r2(statistics, n, z),
        **{
            key: quantiles.quantile(n, q, level, statistics.absolute)
            for key, q in OF_ABSOLUTE.items()
        },
        "mean_error": bias,
        "absolute_bias": means.size(bias),
    }
    errors = tuple(
        ErrorQuantile(f"{float(q):g}", quantiles.quantile(n, q, level, statistics.signed))
        for q in OF_SIGNED
    )
    return RegressionResult(
        statistics.rows, params.confidence, metrics, errors, statistics.lowest, statistics.highest
    )


def _r2(statistics: RegressionStatistics, n: int, z: float) -> Estimate:
    """Step 2. 1 - sum(e^2) / sum((y - mean)^2); the ratio by the delta method on the log scale.

    With u = e^2 / mean(e^2) and v = (y - mean)^2 / mean((y - mean)^2) the log of the ratio has the variance mean((u - v)^2) / n
    (estimating the mean of y adds nothing of that order).
    """
    squares = statistics.sum_of("e2")
    centre = statistics.sum_of("d") / n
    spread = statistics.sum_of("d2") - n * centre * centre
    if statistics.lowest == statistics.highest or spread <= 0:
        return undefined("not defined: all outcomes are equal")
    ratio = squares / spread
    value = float(1 - ratio)
    if not squares:
        return estimate(value, None, "", reason="all errors are 0")
    mse, variance_y = squares / n, spread / n
    fourth = _fourth(statistics, n, centre) / (variance_y * variance_y)
    own = statistics.sum_of("e4") / n / (mse * mse)
    both = _shared(statistics, n, centre) / (mse * variance_y)
    variance = float((own - 2 * both + fourth) / n)
    bounds = delta.on_log(float(ratio), variance * float(ratio) ** 2, z)
    if bounds is None:
        return estimate(value, None, "", reason="no variance")
    return estimate(value, Interval(1 - bounds.high, 1 - bounds.low), "delta method, log scale of 1 \u2212 R\u00b2")  # fmt: skip


def _fourth(statistics: RegressionStatistics, n: int, c: Fraction) -> Fraction:
    """The mean of (d - c)^4."""
    d1, d2, d3, d4 = (statistics.sum_of(name) / n for name in ("d", "d2", "d3", "d4"))
    return d4 - 4 * c * d3 + 6 * c * c * d2 - 4 * c**3 * d1 + c**4


def _shared(statistics: RegressionStatistics, n: int, c: Fraction) -> Fraction:
    """The mean of e^2 (d - c)^2."""
    e2, e2d, e2d2 = (statistics.sum_of(name) / n for name in ("e2", "e2d", "e2d2"))
    return e2d2 - 2 * c * e2d + c * c * e2


def assess(result: RegressionResult, limits: RegressionLimits) -> Assessment:
    """Each limited number judged; too many rows left out is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    n = result.rows.counted
    for key, bound in limits.bounds().items():
        subject = Subject(key, TITLES[key], n, n)
        rows.append(judged(subject, result.metrics[key], bound, min_n=limits.min_n))
    return conclude(rows, _passed(result, limits.bounds()))


def _passed(result: RegressionResult, bounds: dict[str, Bound]) -> str:
    named = [
        f"{TITLES[key]} {shown_against(value, bound.text)} ({bound.sentence})"
        for key, bound in bounds.items()
        if (value := result.metrics[key].value) is not None
    ]
    return f"{listed(named)}, n = {grouped(result.rows.counted)}."
