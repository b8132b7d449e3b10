"""A candidate against an incumbent on the same rows. Pure; differences are candidate minus incumbent.

Accuracy: McNemar's test, exact (McNemar 1947, Psychometrika 12:153; binomial of the rows on which one of the two is right),
with the interval of Bonett and Price 2012 (J. Educ. Behav. Stat. 37:479). Area: DeLong et al. 1988, paired.
"""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
from scipy.special import bdtr, ndtr

from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.statistics import Labels, PairedScores, PairedStatistics, RowCount
from apps.core.canonical import decimal


class Paired(msgspec.Struct, frozen=True):
    """`incumbent` is its confusion (tp, fp, fn, tn) on the counted rows: by it what was measured of the incumbent elsewhere
    is known again. `incumbent_area` is its exact ROC AUC, empty without scores."""

    against: str
    against_score: str
    rows: RowCount
    both_right: int
    only_candidate: int
    only_incumbent: int
    both_wrong: int
    incumbent: tuple[int, int, int, int]
    accuracy: Estimate
    accuracy_p: str
    roc_auc: Estimate
    roc_auc_p: str | None = None
    incumbent_area: str = ""

    def difference(self, key: str) -> Estimate | None:
        """Of this metric, where it is compared in pairs."""
        return {"accuracy": self.accuracy, "roc_auc": self.roc_auc}.get(key)


def measure(statistics: PairedStatistics | None, labels: Labels, z: float) -> Paired | None:
    """None where nothing was named to compare with."""
    if statistics is None:
        return None
    right = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for cell in statistics.cells:
        right[cell.candidate == cell.actual, cell.incumbent == cell.actual] += cell.count
    only_candidate, only_incumbent = right[True, False], right[False, True]
    area, p = _areas(statistics.scores, z)
    return Paired(
        against=statistics.against,
        against_score=statistics.against_score,
        rows=statistics.rows,
        both_right=right[True, True],
        only_candidate=only_candidate,
        only_incumbent=only_incumbent,
        both_wrong=right[False, False],
        incumbent=_confusion(statistics, labels),
        accuracy=_accuracy(only_candidate, only_incumbent, statistics.rows.counted, z),
        accuracy_p=decimal(mcnemar(only_candidate, only_incumbent)),
        roc_auc=area,
        roc_auc_p=p,
        incumbent_area=_area(statistics.scores),
    )


def mcnemar(one: int, other: int) -> float:
    """Two-sided exact p-value from the rows on which only one of the two is right; 1 where there are none."""
    if not one + other:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(one, other), one + other, 0.5)))


def _accuracy(one: int, other: int, n: int, z: float) -> Estimate:
    if not n:
        return undefined("not defined: no rows with both predictions")
    first, second = (one + 1) / (n + 2), (other + 1) / (n + 2)
    middle = first - second
    spread = z * math.sqrt((first + second - middle * middle) / (n + 2))
    bounds = Interval(max(-1.0, middle - spread), min(1.0, middle + spread))
    return estimate(Fraction(one - other, n), bounds, "paired: Bonett and Price 2012")


def _areas(scores: PairedScores | None, z: float) -> tuple[Estimate, str | None]:
    if scores is None:
        return undefined("not compared: no column holds the incumbent's scores"), None
    m, n = scores.positives, scores.negatives
    if not m or not n:
        return undefined("not defined: only one of the two outcomes has scores"), None
    value = Fraction(int(scores.twice_u) - int(scores.against_twice_u), 2 * m * n)
    variance = float(scores.variance) if scores.variance is not None else 0.0
    if variance <= 0:
        return estimate(value, None, "", reason="the two scores rank the rows alike"), None
    spread = z * math.sqrt(variance)
    bounds = Interval(max(-1.0, float(value) - spread), min(1.0, float(value) + spread))
    p = 2 * float(ndtr(-abs(float(value)) / math.sqrt(variance)))
    return estimate(value, bounds, "paired: DeLong"), decimal(p)


def _area(scores: PairedScores | None) -> str:
    if scores is None or not scores.positives or not scores.negatives:
        return ""
    return str(Fraction(int(scores.against_twice_u), 2 * scores.positives * scores.negatives))


def _confusion(statistics: PairedStatistics, labels: Labels) -> tuple[int, int, int, int]:
    turn = labels.positive != labels.favourable
    counts: dict[tuple[bool, bool], int] = {}
    for cell in statistics.cells:
        key = (cell.actual != turn, cell.incumbent != turn)
        counts[key] = counts.get(key, 0) + cell.count
    order = ((True, True), (False, True), (True, False), (False, False))
    tp, fp, fn, tn = (counts.get(key, 0) for key in order)
    return tp, fp, fn, tn
