"""Performance of a binary classifier. Pure: statistics in, result out; result and limits in, assessment out.

Steps of `measure`: 1 confusion matrix oriented to the positive outcome, 2 rates with Wilson's interval,
3 composites, 4 what the scores say. A zero denominator gives null with its reason. Not measured: anything
per group (that is the fairness check) and whether the threshold behind the predictions was a good one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import msgspec

from apps.checks.library import delta, intervals, paired, scored
from apps.checks.library.bootstrap import resampled_decisions
from apps.checks.library.estimates import Estimate, estimate, independent, negative, rate, undefined
from apps.checks.library.groups import Resampled
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Row, Subject, conclude, judged, left_out
from apps.checks.library.paired import Paired
from apps.checks.library.scored import CalibrationBin, Resampling
from apps.checks.limits import Bound, PerformanceLimits
from apps.checks.numbers import grouped, listed, shown_against
from apps.checks.statistics import (
    Contingency,
    CurvePoint,
    Labels,
    PerformanceStatistics,
    RowCount,
)
from apps.checks.verdicts import Verdict
from apps.core.canonical import decimal

TITLES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "specificity": "Specificity",
    "f1": "F1",
    "mcc": "Matthews correlation",
    "roc_auc": "ROC AUC",
    "average_precision": "PR AUC (average precision)",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
}


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose: `confidence` of all intervals; `threshold`: the decision is score >= threshold instead of
    the prediction column; `draws` and `seed` of the resampling shown beside the formulas and behind the interval of the calibration error; `against` and
    `against_score`: columns of the same data with the incumbent's prediction and score, compared row by row."""

    confidence: str = "0.95"
    threshold: str = ""
    draws: int = 1000
    seed: int = 0
    against: str = ""
    against_score: str = ""


class Confusion(msgspec.Struct, frozen=True):
    """True and false, positive and negative; positive is the outcome the score is about."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def total(self) -> int:
        return self.tp + self.fp + self.fn + self.tn


class PerformanceResult(msgspec.Struct, frozen=True, tag="performance"):
    rows: RowCount
    score_rows: RowCount | None
    labels: Labels
    confidence: str
    confusion: Confusion
    metrics: dict[str, Estimate]
    calibration: tuple[CalibrationBin, ...] = ()
    threshold: str = ""
    curve: tuple[CurvePoint, ...] = ()
    paired: Paired | None = None
    resampled: dict[str, Resampled] = {}
    draws: int = 0
    seed: int = 0

    def metric(self, key: str) -> Estimate:
        """The number; null with its reason in a result that is older than the number."""
        return self.metrics.get(key, undefined("it was measured before this number existed"))


def measure(statistics: PerformanceStatistics, params: Params) -> PerformanceResult:
    """The same statistics and parameters give the same result, to the last digit."""
    z = intervals.z_of(float(params.confidence))
    confusion = _confusion(statistics.table, statistics.labels)
    scores = statistics.scores
    resampling = Resampling(params.draws, params.seed, float(params.confidence))
    return PerformanceResult(
        rows=statistics.rows,
        score_rows=scores.rows if scores else None,
        labels=statistics.labels,
        confidence=params.confidence,
        confusion=confusion,
        metrics=_from_decisions(confusion, z) | scored.metrics(scores, z, resampling),
        calibration=scored.calibration(scores, z),
        threshold=statistics.threshold,
        curve=scores.curve if scores else (),
        paired=paired.measure(statistics.paired, statistics.labels, z),
        resampled=resampled_decisions(
            (confusion.tp, confusion.fp, confusion.fn, confusion.tn),
            draws=params.draws,
            seed=params.seed,
            confidence=float(params.confidence),
        ),
        draws=params.draws,
        seed=params.seed,
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
        "specificity": rate(c.tn, c.tn + c.fp, z, of="negative rows"),
        "f1": _f1(c, z),
        "mcc": _matthews(c, z),
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


def _matthews(c: Confusion, z: float) -> Estimate:
    """(tp tn - fp fn) / sqrt((tp + fp)(tp + fn)(tn + fp)(tn + fn)); the interval by the delta method on Fisher's z, at -1
    and 1 with one half added to each cell and reaching to the end."""
    if not (c.tp + c.fp and c.tp + c.fn and c.tn + c.fp and c.tn + c.fn):
        return undefined("not defined: all outcomes or all decisions are the same")
    cells = (float(c.tp), float(c.fp), float(c.fn), float(c.tn))
    value, variance = _correlation(*cells)
    bounds = delta.on_atanh(value, variance, z)
    if bounds is not None:
        return estimate(value, bounds, "delta method, Fisher's z")
    near, variance = _correlation(*(cell + 0.5 for cell in cells))
    half = delta.on_atanh(near, variance, z)
    if half is None:
        return Estimate(decimal(value), reason="no variance")
    bounds = Interval(half.low, 1.0) if value > 0 else Interval(-1.0, half.high)
    return estimate(value, bounds, "delta method, Fisher's z, 1/2 in each cell")


def _correlation(tp: float, fp: float, fn: float, tn: float) -> tuple[float, float]:
    """The coefficient and its variance, none of the four sums being 0."""
    predicted, actual, negative, rejected = tp + fp, tp + fn, tn + fp, tn + fn
    root = math.sqrt(predicted) * math.sqrt(actual) * math.sqrt(negative) * math.sqrt(rejected)
    value = (tp * tn - fp * fn) / root
    if not (fp or fn) or not (tp or tn):
        return math.copysign(1.0, value), 0.0
    half = value / 2
    slopes = (
        tn / root - half * (1 / predicted + 1 / actual),
        -fn / root - half * (1 / predicted + 1 / negative),
        -fp / root - half * (1 / actual + 1 / rejected),
        tp / root - half * (1 / negative + 1 / rejected),
    )
    cells = zip((tp, fp, fn, tn), slopes, strict=True)
    return value, math.fsum(count * slope * slope for count, slope in cells)


def assess(result: PerformanceResult, limits: PerformanceLimits) -> Assessment:
    """Each limited number judged on the rows behind it; too many rows left out is INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    bounds = limits.bounds()
    if result.score_rows and bounds.keys() & _FROM_SCORES:
        rows += left_out(result.score_rows, limits.max_excluded_share, "scored rows")
    if bounds.keys() - _FROM_SCORES:
        rows += _other_threshold(result.threshold, limits.threshold or "")
    for key, bound in bounds.items():
        subject = Subject(key, _title(result, key), result.rows.counted, _support(result, key))
        rows.append(judged(subject, result.metric(key), bound, min_n=limits.min_n))
    return conclude(rows, _passed(result, bounds))


def _other_threshold(measured: str, asked: str) -> list[Row]:
    """A row only where the decisions are not those that the policy judges: whoever runs a check must not choose the
    threshold at which it passes."""
    if bool(measured) == bool(asked) and (not asked or Fraction(measured) == Fraction(asked)):
        return []
    taken, wanted = (
        f"at a score of {text}" if text else "by the prediction column"
        for text in (measured, asked)
    )
    sentence = f"Decisions were counted {taken}; the policy judges those taken {wanted}."
    return [Row("threshold", "Threshold", Verdict.INSUFFICIENT, sentence, limit=wanted)]


def _title(result: PerformanceResult, key: str) -> str:
    at = f" at a score of {result.threshold}"
    return TITLES[key] + (at if result.threshold and key not in _FROM_SCORES else "")


# Where less is better.
_LOSSES = frozenset({"log_loss", "brier", "ece"})


def against(
    candidate: PerformanceResult,
    incumbent: PerformanceResult,
    max_loss: Mapping[str, str],
    *,
    min_n: int = 30,
    same_data: bool = False,
) -> list[Row]:
    """How much worse the candidate is than the incumbent, for each metric named, judged against its limit.

    Paired where the candidate was compared row by row with a column that holds the very predictions that were measured of
    the incumbent on the same bytes. Else the interval of the difference is by MOVER (Zou and Donner 2008) from both
    intervals, as if the two were measured on different rows, and the row says why: on the same rows it is wider than it
    need be, so nothing passes by it.
    """
    found = []
    for key, limit in max_loss.items():
        support = min(_support(candidate, key), _support(incumbent, key))
        title = f"{TITLES[key]} lost against the version in the target"
        subject = Subject(key, title, candidate.rows.counted, support)
        why = _not_paired(candidate, incumbent, key, same_data=same_data)
        lost = _lost(candidate, incumbent, key, in_pairs=not why)
        row = judged(subject, lost, Bound(max=limit), min_n=min_n)
        told = f"{row.sentence} Not compared row by row: {why}." if why else row.sentence
        found.append(msgspec.structs.replace(row, sentence=told))
    return found


def same_outcomes(one: PerformanceResult, other: PerformanceResult) -> bool:
    """Whether two results on the same bytes can be of the same rows and the same outcome column."""
    a, b = one.confusion, other.confusion
    return one.labels == other.labels and (a.total, a.tp + a.fn) == (b.total, b.tp + b.fn)


def _lost(
    candidate: PerformanceResult, incumbent: PerformanceResult, key: str, *, in_pairs: bool
) -> Estimate:
    difference = candidate.paired.difference(key) if candidate.paired and in_pairs else None
    if difference is not None:
        return negative(difference)
    first, second = incumbent.metric(key), candidate.metric(key)
    if key in _LOSSES:
        first, second = second, first
    return independent(first, second)


def _not_paired(
    candidate: PerformanceResult, incumbent: PerformanceResult, key: str, *, same_data: bool
) -> str:
    """Why this metric of the two cannot be compared row by row; empty where it can."""
    pairs, c = candidate.paired, incumbent.confusion
    if not same_data:
        return "the two were measured on different data"
    if pairs is None:
        return "the check was not given a column with the other version's predictions (against)"
    difference = pairs.difference(key)
    if difference is None:
        return "only accuracy and ROC AUC are"
    if pairs.rows.counted != candidate.rows.counted:
        return "not every row has both predictions"
    if pairs.incumbent != (c.tp, c.fp, c.fn, c.tn):
        return (
            f"{pairs.against} does not hold the predictions that were measured of the other version"
        )
    if key == "roc_auc":
        return _other_scores(candidate, incumbent, pairs)
    return ""


def _other_scores(candidate: PerformanceResult, incumbent: PerformanceResult, pairs: Paired) -> str:
    if pairs.roc_auc.interval is None:
        return pairs.roc_auc.reason
    own, other = candidate.metric("roc_auc"), incumbent.metric("roc_auc")
    measured = other.fraction and Fraction(other.fraction) == Fraction(pairs.incumbent_area or "-1")
    if not measured or own.exact - other.exact != pairs.roc_auc.exact:
        return f"{pairs.against_score} does not hold the scores that were measured of the other version"
    return ""


_FROM_SCORES = frozenset(scored.KEYS)


def _support(result: PerformanceResult, key: str) -> int:
    """How many rows a number rests on: its own denominator, or for two classes the smaller one."""
    c = result.confusion
    if key in {"roc_auc", "average_precision", "balanced_accuracy", "mcc"}:
        return min(c.tp + c.fn, c.tn + c.fp)
    if key == "f1":
        return c.tp + c.fp + c.fn
    if key in _FROM_SCORES:
        return result.score_rows.counted if result.score_rows else 0
    return result.metric(key).denominator or 0


def _passed(result: PerformanceResult, bounds: dict[str, Bound]) -> str:
    named = [
        f"{_title(result, key)} {shown_against(value, bound.text)} ({bound.sentence})"
        for key, bound in bounds.items()
        if (value := result.metric(key).value) is not None
    ]
    return f"{listed(named)}, n = {grouped(result.rows.counted)}."
