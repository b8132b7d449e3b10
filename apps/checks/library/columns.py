"""One column compared between two data sets: effect sizes, test, what is missing, what is new. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import msgspec
from scipy import special

from apps.checks.library.estimates import Estimate, difference, estimate, rate, undefined
from apps.checks.statistics import (
    CategoricalColumn,
    Category,
    Column,
    NumericColumn,
    Side,
    UnusableColumn,
)
from apps.core.canonical import decimal

LEAST_EXPECTED = 5
MOST_NEW = 50


class Test(msgspec.Struct, frozen=True):
    """A p-value with what it is of. `merged` categories were too rare for the test and count as one."""

    name: str
    statistic: str
    p_value: str
    p_adjusted: str = ""
    degrees: int | None = None
    merged: int = 0


class Bin(msgspec.Struct, frozen=True, array_like=True):
    """A bin or category by name (None = missing) with its two counts."""

    name: str | None
    reference: int
    current: int


class ColumnDrift(msgspec.Struct, frozen=True):
    """One column. Of an unusable one only `reason` says anything."""

    name: str
    role: str
    kind: str  # numeric, categorical, unusable
    reason: str = ""
    reference: Side | None = None
    current: Side | None = None
    psi: Estimate | None = None
    noise_floor: str | None = None
    js_distance: Estimate | None = None
    ks: Estimate | None = None
    wasserstein: Estimate | None = None
    wasserstein_scaled: Estimate | None = None
    cramers_v: Estimate | None = None
    total_variation: Estimate | None = None
    test: Test | None = None
    missing_rate_increase: Estimate | None = None
    new_category_share: Estimate | None = None
    new_categories: tuple[str, ...] = ()
    bins: tuple[Bin, ...] = ()

    @property
    def counted(self) -> int:
        """Rows of the smaller side that the comparison rests on."""
        if self.reference is None or self.current is None:
            return 0
        if self.kind == "categorical":
            return min(self.reference.rows, self.current.rows)
        return min(self.reference.counted, self.current.counted)


def compared(column: Column, z: float, epsilon: float) -> ColumnDrift:
    """Steps 1 to 3 of `drift.measure` for one column."""
    if isinstance(column, UnusableColumn):
        return ColumnDrift(column.name, column.role, "unusable", column.reason)
    if isinstance(column, NumericColumn):
        return _numeric(column, z, epsilon)
    return _categorical(column, z, epsilon)


def _numeric(column: NumericColumn, z: float, epsilon: float) -> ColumnDrift:
    n, m = column.reference.counted, column.current.counted
    bins = _named_bins(column)
    ks, test = _kolmogorov_smirnov(int(column.ks_steps), n, m)
    return ColumnDrift(
        name=column.name,
        role=column.role,
        kind="numeric",
        reason="the reference holds one value only" if column.constant else "",
        reference=column.reference,
        current=column.current,
        psi=population_stability(bins, n, m, epsilon),
        noise_floor=noise_floor(bins, n, m),
        js_distance=jensen_shannon(bins, n, m),
        ks=ks,
        wasserstein=_area(column.wasserstein),
        wasserstein_scaled=_scaled(column.wasserstein, column.reference_std),
        test=test,
        missing_rate_increase=_missing_increase(column.reference, column.current, z),
        bins=bins,
    )


def _categorical(column: CategoricalColumn, z: float, epsilon: float) -> ColumnDrift:
    n, m = column.reference.rows, column.current.rows
    bins = tuple(Bin(c.value, c.reference, c.current) for c in column.categories)
    new = [c for c in column.categories if c.value is not None and c.current and not c.reference]
    v, test = _chi_square(column.categories, n, m)
    return ColumnDrift(
        name=column.name,
        role=column.role,
        kind="categorical",
        reason=column.because,
        reference=column.reference,
        current=column.current,
        psi=population_stability(bins, n, m, epsilon),
        noise_floor=noise_floor(bins, n, m),
        js_distance=jensen_shannon(bins, n, m),
        cramers_v=v,
        total_variation=total_variation(bins, n, m),
        test=test,
        missing_rate_increase=_missing_increase(column.reference, column.current, z),
        new_category_share=rate(sum(c.current for c in new), m, z, of="rows"),
        new_categories=tuple(str(c.value) for c in new[:MOST_NEW]),
        bins=bins,
    )


def population_stability(bins: Sequence[Bin], n: int, m: int, epsilon: float) -> Estimate:
    """Sum of (q - p) ln(q / p) over the bins; a share below epsilon counts as epsilon, without
    renormalising. No interval: the noise floor says from which size on the number means something."""
    if not n or not m:
        return undefined("not defined: no values on one side")
    total = 0.0
    for entry in bins:
        p, q = max(entry.reference / n, epsilon), max(entry.current / m, epsilon)
        total += (q - p) * math.log(q / p)
    return estimate(total, None, f"natural logarithm, empty shares {decimal(epsilon)}")


def jensen_shannon(bins: Sequence[Bin], n: int, m: int) -> Estimate:
    """The distance, base 2, from 0 to 1 (Endres & Schindelin 2003, IEEE Trans Inf Theory 49:1858): the square root of the
    divergence. Over the bins of the PSI; an empty share needs no stand-in."""
    if not n or not m:
        return undefined("not defined: no values on one side")
    terms = []
    for entry in bins:
        p, q = entry.reference / n, entry.current / m
        middle = (p + q) / 2
        terms += [share * math.log2(share / middle) for share in (p, q) if share]
    return estimate(math.sqrt(max(0.0, math.fsum(terms) / 2)), None, "distance, base 2")


def total_variation(bins: Sequence[Bin], n: int, m: int) -> Estimate:
    """Half the sum of the differences of the shares: the largest difference that any set of categories can have."""
    if not n or not m:
        return undefined("not defined: no rows on one side")
    apart = sum(abs(Fraction(entry.reference, n) - Fraction(entry.current, m)) for entry in bins)
    return estimate(Fraction(apart) / 2, None, "half the sum of the differences of shares")


def _area(area: str | None) -> Estimate:
    if area is None:
        return undefined("not defined: no values on one side")
    return estimate(
        float(area), None, "area between the distribution functions, in units of the column"
    )


def _scaled(area: str | None, std: str | None) -> Estimate:
    if area is None or std is None:
        return undefined("not defined: no values on one side")
    if not float(std):
        return undefined("not defined: the reference holds one value only")
    return estimate(
        float(area) / float(std), None, "Wasserstein distance / standard deviation of the reference"
    )


def noise_floor(bins: Sequence[Bin], n: int, m: int) -> str | None:
    """The PSI to expect where nothing changed: (B - 1)(1/n + 1/m) over the B bins that hold anything."""
    if not n or not m:
        return None
    filled = sum(1 for entry in bins if entry.reference or entry.current)
    return decimal(float((filled - 1) * (Fraction(1, n) + Fraction(1, m))))


def _named_bins(column: NumericColumn) -> tuple[Bin, ...]:
    """Bins with names for people; the exact edges stay in the statistics."""
    if column.constant:
        value = _short(column.edges[-1])
        names = [f"below {value}", value, f"above {value}"]
    else:
        edges = [None, *column.edges, None]
        names = [_bin_name(low, high) for low, high in itertools.pairwise(edges)]
    return tuple(map(Bin, names, column.reference_bins, column.current_bins))


def _bin_name(low: str | None, high: str | None) -> str:
    """As a person reads it: (low, high]."""
    if low is None:
        return f"up to {_short(high)}" if high is not None else "all"
    return f"over {_short(low)}" if high is None else f"over {_short(low)} up to {_short(high)}"


def _short(edge: str) -> str:
    return f"{float(edge):.6g}"


def _kolmogorov_smirnov(steps: int, n: int, m: int) -> tuple[Estimate, Test | None]:
    """Distance and test. The p-value is the asymptotic one of SciPy's `ks_2samp(method="asymp")`."""
    if not n or not m:
        return undefined("not defined: no values on one side"), None
    # Loaded when first needed: scipy.stats takes seconds that no page, command or beat should pay.
    from scipy import stats

    distance = Fraction(steps, n * m)
    effective = max(1, round(n * m / (n + m)))
    p = float(stats.kstwo.sf(float(distance), effective))
    test = Test("Kolmogorov-Smirnov, asymptotic", decimal(float(distance)), decimal(p))
    return estimate(distance, None, "largest distance of the distribution functions"), test


def _chi_square(categories: Sequence[Category], n: int, m: int) -> tuple[Estimate, Test | None]:
    """Cramer's V and test. Contingency test (both sides are samples), no continuity correction."""
    table, merged = _merged(categories, n, m)
    if not n or not m:
        return undefined("not defined: no rows on one side"), None
    if len(table) < 2:
        return undefined("not defined: one category only"), None
    chi2 = 0.0
    for a, b in table:
        share = (a + b) / (n + m)
        chi2 += (a - share * n) ** 2 / (share * n) + (b - share * m) ** 2 / (share * m)
    degrees = len(table) - 1
    test = Test(
        "chi-square of the contingency table, no correction",
        decimal(chi2),
        decimal(float(special.chdtrc(degrees, chi2))),
        degrees=degrees,
        merged=merged,
    )
    return estimate(math.sqrt(chi2 / (n + m)), None, "Cramer's V"), test


def _merged(categories: Sequence[Category], n: int, m: int) -> tuple[list[tuple[int, int]], int]:
    """Categories whose smaller expected count is below 5 become one; if that one is still too rare, the
    next smallest joins it."""
    ordered = sorted(categories, key=lambda c: c.reference + c.current)
    other, merged, kept = [0, 0], 0, []
    for entry in ordered:
        both = entry.reference + entry.current
        if _rare(both, n, m) or (merged and _rare(sum(other), n, m)):
            other = [other[0] + entry.reference, other[1] + entry.current]
            merged += 1
        elif both:
            kept.append((entry.reference, entry.current))
    return ([(other[0], other[1])] if merged else []) + kept, merged


def _rare(both: int, n: int, m: int) -> bool:
    return both * min(n, m) < LEAST_EXPECTED * (n + m)


def _missing_increase(reference: Side, current: Side, z: float) -> Estimate:
    """Missing rate of the current data minus that of the reference, signed."""
    before = rate(reference.missing, reference.rows, z, of="rows")
    return difference(rate(current.missing, current.rows, z, of="rows"), before, z)
