"""Performance of a binary classifier. Pure: statistics in, result out; result and limits in, assessment out.

Steps of `measure`: 1 confusion matrix oriented to the positive outcome, 2 rates with Wilson's interval,
3 composites, 4 what the scores say. A zero denominator gives null with its reason. Not measured: anything
per group (that is the fairness check) and whether the threshold behind the predictions was a good one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from apps.checks.library import intervals
from apps.checks.library.estimates import Estimate, estimate, independent, rate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged, left_out
from apps.checks.limits import Bound, PerformanceLimits
from apps.checks.numbers import grouped, listed, shown_against
from apps.checks.statistics import (
    Contingency,
    Labels,
    PerformanceStatistics,
    RowCount,
    ScoreBin,
    ScoreStatistics,
)
from apps.core.canonical import decimal

TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
}
NO_SCORES = "no score column was given"


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose. `confidence` of all intervals."""

    confidence: str = "0.95"


class Confusion(msgspec.Struct, frozen=True):
    """True and false, positive and negative; positive is the outcome the score is about."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def total(self) -> int:
        return self.tp + self.fp + self.fn + self.tn


class CalibrationBin(msgspec.Struct, frozen=True):
    """Scores in [low, high) (the last one closed): mean score against the observed rate."""

    low: str
    high: str
    count: int
    mean_score: str | None
    observed: Estimate


class PerformanceResult(msgspec.Struct, frozen=True, tag="performance"):
    rows: RowCount
    score_rows: RowCount | None
    labels: Labels
    confidence: str
    confusion: Confusion
    metrics: dict[str, Estimate]
    calibration: tuple[CalibrationBin, ...] = ()


def measure(statistics: PerformanceStatistics, params: Params) -> PerformanceResult:
    """The same statistics and parameters give the same result, to the last digit."""
    z = intervals.z_of(float(params.confidence))
    confusion = _confusion(statistics.table, statistics.labels)
    scores = statistics.scores
    return PerformanceResult(
        rows=statistics.rows,
        score_rows=scores.rows if scores else None,
        labels=statistics.labels,
        confidence=params.confidence,
        confusion=confusion,
        metrics=_from_decisions(confusion, z) | _from_scores(scores, z),
        calibration=_calibration(scores, z),
    )


def _confusion(table: Contingency, labels: Labels) -> Confusion:
    """Step 1. The table counts by favourable; where another outcome is positive, both axes turn."""
    turn = labels.positive != labels.favourable
    counts = {(False, False): 0, (False, True): 0, (True, False): 0, (True, True): 0}
    for cell in table.cells:
        counts[cell.actual != turn, cell.predicted != turn] += cell.count
    return Confusion(
        tp=counts[True, True],
        fp=counts[False, True],
        fn=counts[True, False],
        tn=counts[False, False],
    )


def _from_decisions(c: Confusion, z: float) -> dict[str, Estimate]:
    """Steps 2 and 3."""
    return {
        "accuracy": rate(c.tp + c.tn, c.total, z, of="rows"),
        "balanced_accuracy": _balanced(c, z),
        "precision": rate(c.tp, c.tp + c.fp, z, of="rows predicted positive"),
        "recall": rate(c.tp, c.tp + c.fn, z, of="positive rows"),
        "f1": _f1(c, z),
    }


def _balanced(c: Confusion, z: float) -> Estimate:
    """(recall + specificity) / 2; the interval by square-and-add of the two Wilson intervals."""
    positives, negatives = c.tp + c.fn, c.tn + c.fp
    if not positives or not negatives:
        return undefined("not defined: one of the two outcomes does not occur")
    value = (Fraction(c.tp, positives) + Fraction(c.tn, negatives)) / 2
    bounds = intervals.mover_mean(c.tp, positives, c.tn, negatives, z)
    return estimate(value, bounds, "MOVER of two Wilson intervals")


def _f1(c: Confusion, z: float) -> Estimate:
    """2J / (1 + J) of J = tp / (tp + fp + fn): a rate whose Wilson bounds are carried over."""
    union = c.tp + c.fp + c.fn
    if not union:
        return undefined("not defined: nothing positive, neither true nor predicted")
    jaccard = intervals.wilson(c.tp, union, z)
    bounds = Interval(2 * jaccard.low / (1 + jaccard.low), 2 * jaccard.high / (1 + jaccard.high))
    return estimate(
        Fraction(2 * c.tp, union + c.tp), bounds, "Wilson of tp/(tp+fp+fn), transformed"
    )


def _from_scores(scores: ScoreStatistics | None, z: float) -> dict[str, Estimate]:
    """Step 4."""
    if scores is None:
        return dict.fromkeys(("roc_auc", "log_loss", "brier"), undefined(NO_SCORES))
    return {
        "roc_auc": _auc(scores, z),
        "log_loss": _mean(scores, scores.log_loss_mean, scores.log_loss_variance, z),
        "brier": _mean(scores, scores.brier_mean, scores.brier_variance, z),
    }


def _auc(scores: ScoreStatistics, z: float) -> Estimate:
    m, n = scores.positives, scores.negatives
    if not m or not n:
        return undefined("not defined: only one of the two outcomes has scores")
    area = Fraction(int(scores.twice_u), 2 * m * n)
    bounds = None
    if scores.auc_variance is not None:
        bounds = intervals.delong_logit(float(area), float(scores.auc_variance), z)
    method = "DeLong, logit scale"
    if bounds is None:
        bounds, method = intervals.newcombe_auc(float(area), m, n, z), "Newcombe 2006, method 5"
    return estimate(area, bounds, method)


def _mean(scores: ScoreStatistics, mean: str | None, variance: str | None, z: float) -> Estimate:
    """Log loss and Brier score are means of a term per row."""
    if not scores.rows.counted:
        return undefined("not defined: no row has a finite score")
    if mean is None:
        return undefined(
            f"not defined: scores from {scores.lowest} to {scores.highest} are no probabilities"
        )
    if variance is None:
        return Estimate(mean, reason="one row has no variance")
    bounds = intervals.normal_mean(float(mean), float(variance), scores.rows.counted, z)
    return estimate(float(mean), bounds, "normal, of the mean")


def _calibration(scores: ScoreStatistics | None, z: float) -> tuple[CalibrationBin, ...]:
    bins = scores.bins if scores else ()
    return tuple(_calibration_bin(i, len(bins), entry, z) for i, entry in enumerate(bins))


def _calibration_bin(index: int, width: int, entry: ScoreBin, z: float) -> CalibrationBin:
    return CalibrationBin(
        low=decimal(index / width),
        high=decimal((index + 1) / width),
        count=entry.count,
        mean_score=decimal(float(entry.score_sum) / entry.count) if entry.count else None,
        observed=rate(entry.positives, entry.count, z, of="rows in this bin"),
    )


def assess(result: PerformanceResult, limits: PerformanceLimits) -> Assessment:
    """Each limited number judged on the rows behind it; too many rows left out is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    bounds = limits.bounds()
    if result.score_rows and bounds.keys() & _FROM_SCORES:
        rows += left_out(result.score_rows, limits.max_excluded_share, "scored rows")
    for key, bound in bounds.items():
        subject = Subject(key, TITLES[key], result.rows.counted, _support(result, key))
        rows.append(judged(subject, result.metrics[key], bound, min_n=limits.min_n))
    return conclude(rows, _passed(result, bounds))


# Where less is better.
_LOSSES = frozenset({"log_loss", "brier"})


def against(
    candidate: PerformanceResult,
    incumbent: PerformanceResult,
    max_loss: Mapping[str, str],
    *,
    min_n: int = 30,
) -> list[Row]:
    """How much worse the candidate is than the incumbent, for each metric named, judged against its limit.

    The interval of the difference is by MOVER (Zou and Donner 2008) from both intervals, as if the two were
    measured on different rows: on the same rows it is wider than it need be, so nothing passes by it.
    """
    found = []
    for key, limit in max_loss.items():
        first, second = incumbent.metrics[key], candidate.metrics[key]
        if key in _LOSSES:
            first, second = second, first
        support = min(_support(candidate, key), _support(incumbent, key))
        title = f"{TITLES[key]} lost against the version in the target"
        subject = Subject(key, title, candidate.rows.counted, support)
        found.append(judged(subject, independent(first, second), Bound(max=limit), min_n=min_n))
    return found


_FROM_SCORES = frozenset({"roc_auc", "log_loss", "brier"})


def _support(result: PerformanceResult, key: str) -> int:
    """How many rows a number rests on: its own denominator, or for two classes the smaller one."""
    c = result.confusion
    if key in {"roc_auc", "balanced_accuracy"}:
        return min(c.tp + c.fn, c.tn + c.fp)
    if key == "f1":
        return c.tp + c.fp + c.fn
    if key in _FROM_SCORES:
        return result.score_rows.counted if result.score_rows else 0
    return result.metrics[key].denominator or 0


def _passed(result: PerformanceResult, bounds: dict[str, Bound]) -> str:
    named = [
        f"{TITLES[key]} {shown_against(value, bound.text)} ({bound.sentence})"
        for key, bound in bounds.items()
        if (value := result.metrics[key].value) is not None
    ]
    return f"{listed(named)}, n = {grouped(result.rows.counted)}."
