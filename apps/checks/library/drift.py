"""Drift between a reference and the current data, column by column. Pure.

Steps of `measure`: 1 effect sizes (PSI, Jensen-Shannon; KS and Wasserstein for numbers, Cramer's V and total
variation for categories), 2 the test's
p-value, 3 what is missing and what is new, 4 p-values adjusted over all columns (Benjamini-Hochberg).
`assess` lets the effect decide and asks the p-value second: at 70 000 rows p is small for differences nobody
would act on. PSI is not comparable across bins and epsilon; both are part of the result.

Not measured: whether the joint distribution moved while every column stayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import msgspec

from apps.checks.library import intervals
from apps.checks.library.columns import ColumnDrift, compared
from apps.checks.library.estimates import Estimate
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged
from apps.checks.library.parted import Parted, parted, too_small
from apps.checks.limits import Bound, DriftLimits
from apps.checks.numbers import grouped, listed, plural, shown, shown_against
from apps.checks.statistics import DriftStatistics
from apps.checks.verdicts import Verdict
from apps.core.canonical import decimal


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: the share an empty bin counts as, the confidence of the intervals, the window of time (day,
    week, month, quarter, year; empty: months of dates, or the values of a column that holds none). Which
    columns are compared is declared with the data sets, so that none can be left out afterwards."""

    epsilon: str = "0.0001"
    confidence: str = "0.95"
    window: str = ""


class DriftResult(msgspec.Struct, frozen=True, tag="drift"):
    reference_rows: int
    current_rows: int
    confidence: str
    epsilon: str
    columns: tuple[ColumnDrift, ...]
    unmeasured: tuple[str, ...] = ()
    windows: Parted | None = None
    slices: tuple[Parted, ...] = ()


def measure(statistics: DriftStatistics, params: Params) -> DriftResult:
    """The same statistics and parameters give the same result, to the last digit."""
    z, epsilon = intervals.z_of(float(params.confidence)), float(params.epsilon)
    columns = [compared(column, z, epsilon) for column in statistics.columns]
    return DriftResult(
        reference_rows=statistics.reference_rows,
        current_rows=statistics.current_rows,
        confidence=params.confidence,
        epsilon=params.epsilon,
        columns=tuple(_adjusted(columns)),
        unmeasured=statistics.unmeasured,
        windows=parted(statistics.windows, statistics.columns, epsilon)
        if statistics.windows
        else None,
        slices=tuple(parted(each, statistics.columns, epsilon) for each in statistics.slices),
    )


def _adjusted(columns: list[ColumnDrift]) -> list[ColumnDrift]:
    """Step 4."""
    tests = [column.test for column in columns if column.test is not None]
    if not tests:
        return columns
    # Loaded when first needed: scipy.stats takes seconds that no page, command or beat should pay.
    from scipy import stats

    p_values = stats.false_discovery_control([float(test.p_value) for test in tests], method="bh")
    adjusted = iter(p_values)
    return [
        msgspec.structs.replace(
            column,
            test=msgspec.structs.replace(column.test, p_adjusted=decimal(float(next(adjusted)))),
        )
        if column.test is not None
        else column
        for column in columns
    ]


_EFFECTS = {
    "psi": "PSI",
    "js_distance": "Jensen-Shannon distance",
    "ks": "KS distance",
    "wasserstein_scaled": "Wasserstein distance in standard deviations",
    "cramers_v": "Cramer's V",
    "total_variation": "Total variation distance",
}
_SHARES = {
    "missing_rate_increase": "Increase of the missing rate",
    "new_category_share": "Share of new categories",
}


def assess(result: DriftResult, limits: DriftLimits) -> Assessment:
    """Each demanded column against each limit that applies to its kind. The effect decides; beyond the
    limit without significance is INCONCLUSIVE. A column that was not compared is INSUFFICIENT."""
    names = {column.name for column in result.columns}
    rows = [_not_compared(name) for name in limits.columns if name not in names]
    chosen = [c for c in result.columns if not limits.columns or c.name in limits.columns]
    for column in chosen:
        rows += _judge(column, limits)
    if not chosen:
        rows.append(_insufficient("columns", "", "No column was compared."))
    if limits.window_psi is not None:
        rows.append(_windows(result, limits, limits.window_psi))
    return conclude(rows, _passed(result, limits, len(chosen)))


MOST_INFINITE = Fraction(
    1, 20
)  # of a side's rows: what `max_excluded_share` lets other checks leave out


def _infinite(column: ColumnDrift) -> str:
    """Why a column of numbers is not judged for its infinities, which no distance takes; empty if it is."""
    for side, of in ((column.reference, "reference"), (column.current, "current")):
        if side is not None and side.infinite > MOST_INFINITE * side.rows:
            return (
                f"{column.name}: {grouped(side.infinite)} of {grouped(side.rows)} values of the {of} data are infinite "
                f"and left out of every distance; at most {float(MOST_INFINITE):.0%} may be."
            )
    return ""


def _not_compared(name: str) -> Row:
    return _insufficient("columns", name, f"{name} was not compared.")


def _insufficient(key: str, of: str, sentence: str) -> Row:
    title = _EFFECTS.get(key) or _SHARES.get(key) or "Compared"
    return Row(key, title, Verdict.INSUFFICIENT, sentence, of=of)


def _judge(column: ColumnDrift, limits: DriftLimits) -> Iterator[Row]:
    if column.kind == "unusable":
        yield _insufficient(
            "columns", column.name, f"{column.name} was not compared: {column.reason}."
        )
        return
    if too_many := _infinite(column):
        yield _insufficient("columns", column.name, too_many)
        return
    if column.counted < limits.min_n:
        have = plural(column.counted, "value")
        sentence = f"{column.name}: {have} on the smaller side; at least {limits.min_n} are needed."
        yield _insufficient("columns", column.name, sentence)
        return
    bounds = limits.bounds()
    applicable = [key for key in bounds if getattr(column, key, None) is not None]
    if not applicable and set(bounds) != {"window_psi"}:
        yield _insufficient(
            "columns", column.name, f"{column.name}: no limit applies to this kind."
        )
    for key in applicable:
        judge = _effect if key in _EFFECTS else _share
        yield judge(key, column, bounds[key], limits)


def _windows(result: DriftResult, limits: DriftLimits, bound: Bound) -> Row:
    """The largest PSI of any judged column in any window that is large enough; one row, so that months do not outvote."""
    key, title = "window_psi", "Largest PSI of a window"
    if result.windows is None or result.windows.refused:
        why = (
            result.windows.refused
            if result.windows
            else "the current data name no column of the time"
        )
        return Row(key, title, Verdict.INSUFFICIENT, f"{title}: {why}.")
    limit = float(bound.value)
    found = [
        (float(row.psi.value), part.label, row.column)
        for part in result.windows.parts
        if part.part is not None and part.current >= limits.min_n
        for row in part.columns
        if row.psi.value is not None and not too_small(row, limit)
        if not limits.columns or row.column in limits.columns
    ]
    if not found:
        sentence = f"{title}: no window has enough rows for a limit of {bound.text}."
        return Row(key, title, Verdict.INSUFFICIENT, sentence)
    value, window, column = max(found)
    holds = value <= limit
    side = bound.sentence if holds else f"above {bound.text}"
    sentence = (
        f"{title}: {column} in {window}, {shown_against(decimal(value), bound.text)}, is {side}."
    )
    return Row(
        key,
        title,
        Verdict.PASS if holds else Verdict.FAIL,
        sentence,
        value=decimal(value),
        limit=bound.sentence,
    )


def _effect(key: str, column: ColumnDrift, bound: Bound, limits: DriftLimits) -> Row:
    number: Estimate = getattr(column, key)
    if number.value is None:
        return _insufficient(
            key, column.name, f"{_EFFECTS[key]} of {column.name}: {number.reason}."
        )
    verdict = _effect_verdict(key, column, number, bound, limits)
    return Row(
        key=key,
        title=_EFFECTS[key],
        verdict=verdict,
        sentence=_effect_sentence(key, column, number, bound, verdict),
        of=column.name,
        value=number.value,
        limit=bound.sentence,
        n=column.counted,
        method=number.method,
    )


def _effect_verdict(
    key: str, column: ColumnDrift, number: Estimate, bound: Bound, limits: DriftLimits
) -> Verdict:
    if key == "psi" and _too_noisy(column, bound):
        return Verdict.INSUFFICIENT
    if number.exact <= bound.value:
        return Verdict.PASS
    significant = column.test is not None and float(column.test.p_adjusted) < float(limits.alpha)
    return Verdict.FAIL if significant else Verdict.INCONCLUSIVE


def _too_noisy(column: ColumnDrift, bound: Bound) -> bool:
    """PSI below a third of the limit would have to mean something at this size."""
    return column.noise_floor is not None and Fraction(column.noise_floor) * 3 > bound.value


def _effect_sentence(
    key: str, column: ColumnDrift, number: Estimate, bound: Bound, verdict: Verdict
) -> str:
    assert number.value is not None  # noqa: S101 - _effect has answered for that
    value = f"{_EFFECTS[key]} of {column.name} {shown_against(number.value, bound.text)}"
    if verdict is Verdict.INSUFFICIENT:
        floor = shown(column.noise_floor)
        return f"{value}: sample too small, {floor} is to be expected without any drift."
    if verdict is Verdict.PASS:
        return f"{value} is {bound.sentence}."
    p = f"adjusted p {float(column.test.p_adjusted):.2g}" if column.test else "no test"
    if verdict is Verdict.FAIL:
        return f"{value} is above {bound.text} ({p})."
    return f"{value} is above {bound.text}, but not significantly ({p})."


def _share(key: str, column: ColumnDrift, bound: Bound, limits: DriftLimits) -> Row:
    """A share has an interval and is judged by it; nothing new at all is nothing new."""
    number: Estimate = getattr(column, key)
    rows = column.current.rows if column.current else 0
    subject = Subject(key, _SHARES[key], rows, column.counted, f"in {column.name}")
    row = judged(subject, number, bound, min_n=limits.min_n)
    if number.numerator == 0 and row.verdict is Verdict.INCONCLUSIVE:
        sentence = f"{column.name}: no new category in {plural(rows, 'row')}."
        row = msgspec.structs.replace(row, verdict=Verdict.PASS, sentence=sentence)
    return msgspec.structs.replace(row, of=column.name)


def _passed(result: DriftResult, limits: DriftLimits, count: int) -> str:
    titles = _EFFECTS | _SHARES | {"window_psi": "window's PSI"}
    named = [f"{titles[key]} {bound.text}" for key, bound in limits.bounds().items()]
    rows = f"{grouped(result.current_rows)} rows against {grouped(result.reference_rows)}"
    unsaid = ""
    if result.unmeasured:
        unsaid = f"; {listed(list(result.unmeasured))} not compared"
    return (
        f"No drift above {listed(named)} in the {plural(count, 'column')} compared, {rows}{unsaid}."
    )
