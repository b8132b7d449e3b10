"""How well a sensitive attribute can be told from a feature or from the score. Pure: counts in, result out.

Steps of `measure`, for each pair: 1 Cramer's V, corrected for the bias that small samples and many categories give it
(Bergsma 2013, J. Korean Stat. Soc. 42:323), with the interval from the noncentral chi-square distribution (Smithson
2003, Confidence Intervals, ch. 4), 2 the chi-square test without correction, categories that are too rare taken
together, 3 for numbers the AUC of each group against everybody else: how often one of the group has the higher number,
4 p-values adjusted over all pairs (Benjamini & Hochberg 1995).

Numbers are cut into twentieths, each value a bin of its own where there are few; a missing value is a category, since
that something is missing can give a group away. V has no direction and finds a middle that differs from both ends,
which an AUC does not.

Not measured: what several features together give away. Every V may be small and the attribute known all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from apps.checks.associations import Association, ProxyStatistics, Unmeasured
from apps.checks.library import intervals
from apps.checks.library.columns import Test
from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged, left_out
from apps.checks.limits import ProxyLimits
from apps.checks.numbers import grouped, listed, plural
from apps.checks.statistics import RowCount
from apps.checks.verdicts import Verdict
from apps.core.canonical import decimal

TITLE = "Cramer's V"
LEAST_EXPECTED = 1  # Cochran 1952, Ann. Math. Stat. 23:315; 20 bins of a group of 30 expect 1.5

Counts = NDArray[np.float64]


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: the confidence of the intervals and the fewest rows of a group. Which columns are
    features and which are sensitive is declared with the data, so that none can be left out afterwards."""

    confidence: str = "0.95"
    min_n: int = 30


class Separation(msgspec.Struct, frozen=True):
    """The AUC of one group's numbers against everybody else's: 0.5 tells nothing, 0 and 1 tell all."""

    group: str
    n: int
    auc: Estimate


class Proxy(msgspec.Struct, frozen=True):
    """One pair. `itself` says that the feature is the attribute. `test` is None where every category is too rare."""

    feature: str
    role: str
    attribute: str
    rows: RowCount
    groups: int
    categories: int
    cramers_v: Estimate
    test: Test | None = None
    separations: tuple[Separation, ...] = ()
    itself: bool = False

    @property
    def label(self) -> str:
        return f"{self.attribute} from {self.feature}"


class ProxyResult(msgspec.Struct, frozen=True, tag="proxy"):
    rows: int
    confidence: str
    min_n: int
    pairs: tuple[Proxy, ...]
    unmeasured: tuple[Unmeasured, ...] = ()


def measure(statistics: ProxyStatistics, params: Params) -> ProxyResult:
    """The same statistics and parameters give the same result."""
    confidence = float(params.confidence)
    pairs = [_pair(each, confidence) for each in statistics.associations]
    return ProxyResult(
        rows=statistics.rows,
        confidence=params.confidence,
        min_n=params.min_n,
        pairs=tuple(_adjusted(pairs)),
        unmeasured=statistics.unmeasured,
    )


def _pair(each: Association, confidence: float) -> Proxy:
    table = np.array(each.counts, dtype=np.float64).reshape(len(each.counts), len(each.groups))
    return Proxy(
        feature=each.feature,
        role=each.role,
        attribute=each.attribute,
        rows=each.rows,
        groups=len(each.groups),
        categories=len(each.categories),
        cramers_v=cramers_v(table, confidence),
        test=_test(table),
        separations=tuple(_separations(each, intervals.z_of(confidence))),
        itself=each.feature == each.attribute,
    )


def cramers_v(table: Counts, confidence: float) -> Estimate:
    """Step 1, of a table of categories by groups; lines and columns that are all 0 do not count.

    With r lines, c columns and n rows: phi2 = max(0, chi2 / n - (r-1)(c-1)/(n-1)), r' = r - (r-1)^2/(n-1), c' alike,
    V = sqrt(phi2 / min(r'-1, c'-1)).
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    r, c = table.shape
    if r < 2:
        return undefined("not defined: one value only" if r else "not defined: no values")
    if c < 2:
        return undefined("not defined: one group only")
    n, chi2 = float(table.sum()), chi_square(table)
    degrees = (r - 1) * (c - 1)
    room = min(_shrunk(r, n), _shrunk(c, n)) - 1
    if room <= 0:
        return undefined("not defined: as many categories as rows")
    value = min(1.0, math.sqrt(max(0.0, chi2 / n - degrees / (n - 1)) / room))
    bounds = _bounds(chi2, degrees, n * (min(r, c) - 1), confidence)
    wide = Interval(min(value, bounds.low), max(value, bounds.high))
    return estimate(value, wide, "Cramer's V, bias-corrected; noncentral chi-square")


def chi_square(table: Counts) -> float:
    """Pearson's statistic without correction; no line and no column may be all 0."""
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def _shrunk(size: int, n: float) -> float:
    return size - (size - 1) ** 2 / (n - 1)


def _bounds(chi2: float, degrees: int, scale: float, confidence: float) -> Interval:
    """V where the noncentral chi-square puts a statistic as large, and as small, in one tail of the confidence.

    A statistic below its degrees of freedom, which it has by chance where there is nothing, counts as these for the upper
    bound: else the luckiest samples would be the surest, with an interval of no width at 0.
    """
    tail = (1 - confidence) / 2
    above = special.chdtr(degrees, chi2) > 1 - tail
    low = float(special.chndtrinc(chi2, degrees, 1 - tail)) if above else 0.0
    high = float(special.chndtrinc(max(chi2, float(degrees)), degrees, tail))
    return Interval(min(1.0, math.sqrt(low / scale)), min(1.0, math.sqrt(high / scale)))


def _test(table: Counts) -> Test | None:
    """Step 2; None where fewer than two categories are left."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(table.shape) < 2:
        return None
    merged, rare = _merged(table)
    if len(merged) < 2:
        return None
    chi2, degrees = chi_square(merged), (len(merged) - 1) * (merged.shape[1] - 1)
    p = float(special.chdtrc(degrees, chi2))
    name = "chi-square of the contingency table, no correction"
    return Test(name, decimal(chi2), decimal(p), degrees=degrees, merged=rare)


def _merged(table: Counts) -> tuple[Counts, int]:
    """Categories whose smallest expected count is below 1 become one; while that is too rare the next smallest joins."""
    least = table.sum(axis=0).min() / table.sum()
    ordered = table[np.argsort(table.sum(axis=1), kind="stable")]
    sizes = ordered.sum(axis=1)
    rare = int((sizes * least < LEAST_EXPECTED).sum())
    while 0 < rare < len(ordered) and sizes[:rare].sum() * least < LEAST_EXPECTED:
        rare += 1
    if rare < 1:
        return ordered, 0
    return np.vstack([ordered[:rare].sum(axis=0), ordered[rare:]]), rare


def _separations(each: Association, z: float) -> Iterator[Separation]:
    """Step 3, exact: U over the product of the two sizes."""
    total = sum(each.numbers)
    for group, n, twice_u in zip(each.groups, each.numbers, each.twice_u, strict=False):
        others = total - n
        if not n or not others:
            yield Separation(group, n, undefined("not defined: no numbers on one side"))
            continue
        auc = Fraction(int(twice_u), 2 * n * others)
        bounds = intervals.newcombe_auc(float(auc), n, others, z)
        yield Separation(group, n, estimate(auc, bounds, "Newcombe"))


def _adjusted(pairs: list[Proxy]) -> list[Proxy]:
    """Step 4."""
    tests = [pair.test for pair in pairs if pair.test is not None]
    if not tests:
        return pairs
    # Loaded when first needed: scipy.stats takes seconds that no page, command or beat should pay.
    from scipy import stats

    found = stats.false_discovery_control([float(test.p_value) for test in tests], method="bh")
    adjusted = iter(found)
    return [
        msgspec.structs.replace(
            pair,
            test=msgspec.structs.replace(pair.test, p_adjusted=decimal(float(next(adjusted)))),
        )
        if pair.test is not None
        else pair
        for pair in pairs
    ]


def assess(result: ProxyResult, limits: ProxyLimits) -> Assessment:
    """Each demanded pair against the limit. Beyond it without significance is INCONCLUSIVE; what was not measured is
    INSUFFICIENT."""
    chosen = [pair for pair in result.pairs if _wanted(pair.feature, pair.attribute, limits)]
    rows = list(_not_measured(result, limits))
    rows += _left_out(chosen, limits)
    rows += [_judge(pair, limits) for pair in chosen]
    if not rows:
        rows.append(_insufficient("", "No feature was measured against a sensitive attribute."))
    return conclude(rows, _passed(chosen, limits))


def _wanted(feature: str, attribute: str, limits: ProxyLimits) -> bool:
    """An attribute that could not be used at all stands for every feature."""
    return (not limits.columns or not feature or feature in limits.columns) and (
        not limits.attributes or attribute in limits.attributes
    )


def _not_measured(result: ProxyResult, limits: ProxyLimits) -> Iterator[Row]:
    known = {pair.feature for pair in result.pairs} | {each.feature for each in result.unmeasured}
    attributes = {pair.attribute for pair in result.pairs}
    attributes |= {each.attribute for each in result.unmeasured}
    wanted = [name for name in limits.columns if name not in known]
    for name in [*wanted, *(a for a in limits.attributes if a not in attributes)]:
        yield _insufficient(name, f"{name} was not measured.")
    for each in result.unmeasured:
        if _wanted(each.feature, each.attribute, limits):
            what = f"{each.attribute} from {each.feature}" if each.feature else each.attribute
            yield _insufficient(what, f"{what} was not measured: {each.reason}.")


def _left_out(pairs: Sequence[Proxy], limits: ProxyLimits) -> Iterator[Row]:
    """For each attribute once, by the pair that counts the fewest rows."""
    for attribute in dict.fromkeys(pair.attribute for pair in pairs):
        fewest = min(
            (pair.rows for pair in pairs if pair.attribute == attribute),
            key=lambda rows: rows.counted,
        )
        yield from left_out(fewest, limits.max_excluded_share, f"rows for {attribute}")


def _insufficient(of: str, sentence: str) -> Row:
    return Row("measured", "Measured", Verdict.INSUFFICIENT, sentence, of=of)


def _judge(pair: Proxy, limits: ProxyLimits) -> Row:
    counted = pair.rows.counted
    subject = Subject("cramers_v", TITLE, counted, counted, f"of {pair.label}")
    row = judged(subject, pair.cramers_v, limits.bound, min_n=limits.min_n)
    sentence = row.sentence
    if row.verdict is Verdict.FAIL and not _significant(pair, limits.alpha):
        p = f"adjusted p {float(pair.test.p_adjusted):.2g}" if pair.test else "no test: too rare"
        row = msgspec.structs.replace(row, verdict=Verdict.INCONCLUSIVE)
        sentence = f"{sentence[:-1]}, but not significantly ({p})."
    if pair.itself:
        sentence = f"{sentence[:-1]}; the feature is the attribute itself."
    return msgspec.structs.replace(row, of=pair.label, sentence=sentence)


def _significant(pair: Proxy, alpha: str) -> bool:
    return pair.test is not None and float(pair.test.p_adjusted) < float(alpha)


def _passed(pairs: Sequence[Proxy], limits: ProxyLimits) -> str:
    features = len({pair.feature for pair in pairs})
    names = listed(list(dict.fromkeys(pair.attribute for pair in pairs)))
    fewest = min((pair.rows.counted for pair in pairs), default=0)
    return (
        f"No association above {limits.bound.text} between {names} and the {plural(features, 'column')} "
        f"measured, each alone, n = {grouped(fewest)} or more."
    )
