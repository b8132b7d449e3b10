"""Gaps between groups of a model that predicts numbers. Pure: sums in, result out; result and limits in, assessment out.

Steps of `measure`, for each grouping: 1 errors, predictions and outcomes per group, unknown being a group, 2 signed
differences to a reference group, 3 gaps over all groups as Fairlearn's MetricFrame defines them: largest minus smallest,
smallest over largest. `assess` takes the gaps over the groups that are large enough.

Not said: that a gap in predictions is wrong. Groups may differ in their outcomes, which stand beside; a gap in errors says
that the model serves one group worse. Not measured: quantiles of errors by group.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import msgspec
import numpy as np

from apps.checks.errorsums import ErrorTable, GroupSums, RegressionGapsStatistics
from apps.checks.library import intervals, means
from apps.checks.library.estimates import Estimate, estimate, independent, undefined
from apps.checks.library.gaps import largest_difference
from apps.checks.library.groupings import MOST_EMPTY, empty_cells, group_label, reference_of
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged, left_out
from apps.checks.limits import RegressionGapsLimits
from apps.checks.numbers import CROSS, grouped, listed, plural, shown
from apps.checks.statistics import Refused, RowCount
from apps.checks.verdicts import Verdict

METRICS: Final = {
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "mean_error": "Mean error",
    "mean_prediction": "Mean prediction",
    "mean_outcome": "Mean outcome",
}
TITLES: Final = {
    "mae_difference": "Mean absolute error difference",
    "mae_ratio": "Mean absolute error ratio",
    "rmse_difference": "Root mean squared error difference",
    "rmse_ratio": "Root mean squared error ratio",
    "mean_error_difference": "Mean error difference",
    "mean_prediction_difference": "Mean prediction difference",
    "worst_group_mae": "Mean absolute error of the worst group",
    "worst_group_rmse": "Root mean squared error of the worst group",
    "worst_group_bias": "Largest size of a group's mean error",
}
NAMED = 5


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: which crossings of the declared columns (none: all of them crossed), a reference group per
    column (none: the largest), the confidence of all intervals. Every declared column is measured."""

    crossings: tuple[tuple[str, ...], ...] = ()
    reference: dict[str, str] = {}
    confidence: str = "0.95"


class ErrorGroup(msgspec.Struct, frozen=True):
    """One group: its rows, its METRICS, and their signed differences to the reference."""

    values: tuple[str | None, ...]
    n: int
    metrics: dict[str, Estimate]
    differences: dict[str, Estimate] = {}

    @property
    def label(self) -> str:
        return group_label(self.values)


class ErrorGrouping(msgspec.Struct, frozen=True):
    """One feature, or several crossed. `empty` lists crossed cells nobody is in; they are not computed."""

    features: tuple[str, ...]
    reference: tuple[str | None, ...]
    reference_is: str
    groups: tuple[ErrorGroup, ...]
    gaps: dict[str, Estimate]
    empty: tuple[tuple[str | None, ...], ...] = ()
    empty_count: int = 0

    @property
    def label(self) -> str:
        return CROSS.join(self.features)


class RegressionGapsResult(msgspec.Struct, frozen=True, tag="regression_gaps"):
    rows: RowCount
    confidence: str
    groupings: tuple[ErrorGrouping, ...]
    refused: tuple[Refused, ...] = ()

    def find(self, features: Sequence[str]) -> ErrorGrouping | None:
        """The grouping by these features, in any order."""
        wanted = frozenset(features)
        return next((g for g in self.groupings if frozenset(g.features) == wanted), None)


def measure(statistics: RegressionGapsStatistics, params: Params) -> RegressionGapsResult:
    """The same statistics and parameters give the same result. Raises ValueError for a table that lost rows, Invalid for
    a declared reference group that does not occur."""
    z = intervals.z_of(float(params.confidence))
    for table in statistics.tables:
        if table.total != statistics.rows.counted:
            raise ValueError(
                f"{table.features}: {table.total} rows, {statistics.rows.counted} expected"
            )
    found = tuple(_grouping(table, params, z) for table in statistics.tables if table.groups)
    return RegressionGapsResult(statistics.rows, params.confidence, found, statistics.refused)


def _grouping(table: ErrorTable, params: Params, z: float) -> ErrorGrouping:
    groups = [ErrorGroup(sums.values, sums.n, _metrics(sums, z)) for sums in table.groups]
    reference, how = reference_of(table.features, groups, params.reference)
    groups = [_against(group, reference) for group in groups]
    empty = empty_cells(table.features, groups)
    return ErrorGrouping(
        features=table.features,
        reference=reference.values,
        reference_is=how,
        groups=tuple(groups),
        gaps=gaps(groups),
        empty=tuple(empty[:MOST_EMPTY]),
        empty_count=len(empty),
    )


def _metrics(sums: GroupSums, z: float) -> dict[str, Estimate]:
    """Step 1. The squares of absolute and of signed errors are the same."""
    n, squares = sums.n, sums.sum_of("e2")
    return {
        "mae": means.mean(sums.sum_of("abs"), squares, n, z, above_zero=True),
        "rmse": means.root_mean_square(squares, sums.sum_of("e4"), n, z),
        "mean_error": means.mean(sums.sum_of("e"), squares, n, z),
        "mean_prediction": means.mean(sums.sum_of("p"), sums.sum_of("p2"), n, z),
        "mean_outcome": means.mean(sums.sum_of("y"), sums.sum_of("y2"), n, z),
    }


def _against(group: ErrorGroup, reference: ErrorGroup) -> ErrorGroup:
    """Step 2: group minus reference; the reference has none."""
    if group.values == reference.values:
        return group
    differences = {key: independent(group.metrics[key], reference.metrics[key]) for key in METRICS}
    return msgspec.structs.replace(group, differences=differences)


def gaps(groups: Sequence[ErrorGroup]) -> dict[str, Estimate]:
    """Step 3, over these groups."""
    by = {key: [group.metrics[key] for group in groups] for key in METRICS}
    return {
        "mae_difference": _difference(by["mae"]),
        "mae_ratio": _ratio(by["mae"]),
        "rmse_difference": _difference(by["rmse"]),
        "rmse_ratio": _ratio(by["rmse"]),
        "mean_error_difference": _difference(by["mean_error"]),
        "mean_prediction_difference": _difference(by["mean_prediction"]),
        "worst_group_mae": _largest(by["mae"]),
        "worst_group_rmse": _largest(by["rmse"]),
        "worst_group_bias": _largest([means.size(each) for each in by["mean_error"]]),
    }


def _without(numbers: Sequence[Estimate]) -> str:
    """Why there is no interval, if one of these has none."""
    return next((f"a group has no interval: {n.reason}" for n in numbers if n.interval is None), "")


def _difference(numbers: Sequence[Estimate]) -> Estimate:
    """Largest minus smallest; MOVER over all pairs of groups (Zou & Donner 2008)."""
    if len(numbers) < 2:
        return undefined("not defined: fewer than two groups to compare")
    reason = _without(numbers)
    if reason:
        values = [number.exact for number in numbers]
        return estimate(float(max(values) - min(values)), None, "", reason=reason)
    return largest_difference(numbers, most=math.inf, method="MOVER")


def _ratio(numbers: Sequence[Estimate]) -> Estimate:
    """Smallest over largest; MOVER on the logarithm, over all pairs of groups: a bound of 0 makes the ratio's one 0."""
    if len(numbers) < 2:
        return undefined("not defined: fewer than two groups to compare")
    values = [number.exact for number in numbers]
    if not max(values):
        return undefined("not defined: no group has any error")
    value = float(min(values) / max(values))
    reason = _without(numbers) or ("" if min(values) else "a group has no error at all")
    if reason:
        return estimate(value, None, "", reason=reason)
    return estimate(value, _ratio_bounds(numbers), "MOVER, logarithms, over all pairs of groups")


def _ratio_bounds(numbers: Sequence[Estimate]) -> Interval:
    with np.errstate(divide="ignore"):
        low, middle, high = (
            np.log([float(getattr(number, end) or 0) for number in numbers])
            for end in ("low", "value", "high")
        )
    apart = middle[:, None] - middle[None, :]
    down, up = middle - low, high - middle
    pairs = ~np.eye(len(numbers), dtype=bool)
    lower = np.exp(apart - np.hypot(down[:, None], up[None, :]))[pairs]
    upper = np.exp(apart + np.hypot(up[:, None], down[None, :]))[pairs]
    return Interval(float(lower.min()), min(1.0, float(upper.min())))


def _largest(numbers: Sequence[Estimate]) -> Estimate:
    """The largest; its interval is where the largest could be: no group's bounds are left out."""
    if not numbers:
        return undefined("not defined: there is no group")
    value = float(max(number.exact for number in numbers))
    reason = _without(numbers)
    ends = [number.interval for number in numbers if number.interval is not None]
    if reason:
        return estimate(value, None, "", reason=reason)
    bounds = Interval(max(each.low for each in ends), max(each.high for each in ends))
    return estimate(value, bounds, "the largest of the groups")


def assess(result: RegressionGapsResult, limits: RegressionGapsLimits) -> Assessment:
    """Each demanded grouping against each limit. A grouping that was not measured is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    known = [g.features for g in result.groupings] + [r.features for r in result.refused]
    wanted = limits.groupings() or tuple(features for features in known if len(features) == 1)
    if not wanted:
        rows.append(_missing("", "No sensitive feature was measured."))
    small = 0
    for features in wanted:
        grouping = result.find(features)
        if grouping is None:
            rows.append(_missing(CROSS.join(features), _why_missing(result, features)))
            continue
        rows += _judge(grouping, result, limits)
        small += sum(group.n < limits.min_n for group in grouping.groups)
    return conclude(rows, _passed(result, limits, wanted, small))


def _missing(of: str, sentence: str) -> Row:
    return Row("measured", "Measured", Verdict.INSUFFICIENT, sentence, of=of)


def _why_missing(result: RegressionGapsResult, features: Sequence[str]) -> str:
    reasons = [r.reason for r in result.refused if frozenset(r.features) == frozenset(features)]
    return f"{CROSS.join(features)} was not measured{': ' + reasons[0] if reasons else ''}."


def _judge(
    grouping: ErrorGrouping, result: RegressionGapsResult, limits: RegressionGapsLimits
) -> list[Row]:
    large = [group for group in grouping.groups if group.n >= limits.min_n]
    n = sum(group.n for group in large)
    shortage = _shortage(grouping, large, result, limits)
    if shortage:
        return [_missing(grouping.label, shortage)]
    over_large = gaps(large)
    of = f"between the {plural(len(large), 'group')} of {grouping.label}"
    rows = []
    for key, bound in limits.bounds().items():
        subject = Subject(key, TITLES[key], n, n, of)
        row = judged(subject, over_large[key], bound, min_n=limits.min_n)
        rows.append(msgspec.structs.replace(row, of=grouping.label))
    return rows


def _shortage(
    grouping: ErrorGrouping,
    large: Sequence[ErrorGroup],
    result: RegressionGapsResult,
    limits: RegressionGapsLimits,
) -> str:
    """Why nothing can be said about this grouping; empty if something can."""
    least, total = grouped(limits.min_n), result.rows.counted
    if len(large) < 2:
        small = sorted((g for g in grouping.groups if g not in large), key=lambda g: -g.n)
        named = listed([f"{g.label} ({plural(g.n, 'row')})" for g in small], NAMED)
        rest = f" Too small: {named}." if named else ""
        return f"{grouping.label}: {plural(len(large), 'group')} with {least} rows or more; comparing takes two.{rest}"
    known = [group for group in large if None not in group.values]
    held = sum(group.n for group in known)
    if Fraction(held, total) < Fraction(limits.min_coverage):
        return (
            f"{grouping.label}: the {plural(len(known), 'group')} with {least} rows or more hold {grouped(held)} of "
            f"{grouped(total)} rows{_unknown(grouping)}; {shown(limits.min_coverage, 2)} of them are needed."
        )
    return ""


def _unknown(grouping: ErrorGrouping) -> str:
    """`, and 400 rows are of unknown group`; empty if none is. They may all belong to one group, so nothing passes over them."""
    rows = sum(group.n for group in grouping.groups if None in group.values)
    return (
        f", and {plural(rows, 'row')} {'is' if rows == 1 else 'are'} of unknown group"
        if rows
        else ""
    )


def _passed(
    result: RegressionGapsResult,
    limits: RegressionGapsLimits,
    wanted: Sequence[Sequence[str]],
    small: int,
) -> str:
    said = listed([f"{TITLES[key]} {bound.sentence}" for key, bound in limits.bounds().items()])
    groups = listed([CROSS.join(features) for features in wanted])
    notes = [f"{plural(small, 'smaller group')} shown and not judged"] if small else []
    missed = [CROSS.join(entry.features) for entry in result.refused]
    if missed:
        notes.append(f"{listed(missed)} {'was' if len(missed) == 1 else 'were'} not measured")
    rest = "".join(f"; {note}" for note in notes)
    return f"No gap beyond the limits between the groups of {groups} measured ({said}), n = {grouped(result.rows.counted)}{rest}."
