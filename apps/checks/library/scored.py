"""What the scores of a binary classifier say: area, average precision, log loss, Brier score, calibration. Pure."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import numpy as np

from apps.checks.library import delta, intervals
from apps.checks.library.estimates import Estimate, estimate, rate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.numbers import grouped
from apps.checks.statistics import ScoreBin, ScoreStatistics
from apps.core.canonical import decimal

NO_SCORES = "no score column was given"
KEYS = ("roc_auc", "average_precision", "log_loss", "brier", "ece")


class CalibrationBin(msgspec.Struct, frozen=True):
    """Scores in [low, high) (the last one closed): mean score against the observed rate."""

    low: str
    high: str
    count: int
    mean_score: str | None
    observed: Estimate


class Resampling(msgspec.Struct, frozen=True):
    """How counts are drawn again where no formula gives an interval."""

    draws: int
    seed: int
    confidence: float


def metrics(
    scores: ScoreStatistics | None, z: float, resampling: Resampling
) -> dict[str, Estimate]:
    """Every number of KEYS; null with its reason where it is not defined."""
    if scores is None:
        return dict.fromkeys(KEYS, undefined(NO_SCORES))
    return {
        "roc_auc": _auc(scores, z),
        "average_precision": _average_precision(scores, z),
        "log_loss": _mean(scores, scores.log_loss_mean, scores.log_loss_variance, z),
        "brier": _mean(scores, scores.brier_mean, scores.brier_variance, z),
        "ece": _calibration_error(scores, resampling),
    }


def calibration(scores: ScoreStatistics | None, z: float) -> tuple[CalibrationBin, ...]:
    """The bins of scores that can be probabilities; none for others."""
    bins = scores.bins if scores else ()
    return tuple(_calibration_bin(i, len(bins), entry, z) for i, entry in enumerate(bins))


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


def _average_precision(scores: ScoreStatistics, z: float) -> Estimate:
    """Without spread (all positives before all negatives, one score for all) a Wilson interval as of a rate among the
    positive rows: Boyd, Eng and Page 2013 show that the number behaves as one."""
    if not scores.positives or not scores.negatives:
        return undefined("not defined: only one of the two outcomes has scores")
    if scores.average_precision is None or scores.average_precision_variance is None:
        return undefined("it was measured before this number existed; run the check again")
    value = float(scores.average_precision)
    bounds = None
    if value < 1:
        bounds = delta.on_logit(value, float(scores.average_precision_variance), z)
    if bounds is not None:
        return estimate(value, bounds, "delta method over rows, logit scale")
    bounds = intervals.wilson_of(value, scores.positives, z)
    return estimate(value, bounds, "Wilson, as a rate of the positive rows (no spread)")


def _mean(scores: ScoreStatistics, mean: str | None, variance: str | None, z: float) -> Estimate:
    """Log loss and Brier score are means of a term per row."""
    if not scores.rows.counted:
        return undefined("not defined: no row has a finite score")
    if mean is None:
        return undefined(_no_probabilities(scores))
    if variance is None:
        return Estimate(mean, reason="one row has no variance")
    bounds = intervals.normal_mean(float(mean), float(variance), scores.rows.counted, z)
    return estimate(float(mean), bounds, "normal, of the mean")


def _no_probabilities(scores: ScoreStatistics) -> str:
    return f"not defined: scores from {scores.lowest} to {scores.highest} are no probabilities"


def _calibration_error(scores: ScoreStatistics, resampling: Resampling) -> Estimate:
    """Sum over the bins of |positives - sum of scores| / rows: the gap of observed rate and mean score, weighted by rows
    (Naeini et al. 2015; ten bins of equal width)."""
    total = scores.rows.counted
    if not total:
        return undefined("not defined: no row has a finite score")
    if not scores.bins:
        return undefined(_no_probabilities(scores))
    gaps = (abs(Fraction(b.score_sum) - b.positives) for b in scores.bins)
    value = float(sum(gaps, Fraction(0)) / total)
    if not resampling.draws:
        return Estimate(decimal(value), reason="no resampling was asked for")
    bounds = _resampled(value, scores.bins, total, resampling)
    return estimate(
        value,
        bounds,
        f"percentiles of {grouped(resampling.draws)} resamples of the bins, seed {resampling.seed}",
    )


def _resampled(
    value: float, bins: tuple[ScoreBin, ...], total: int, resampling: Resampling
) -> Interval:
    """Rows by bin and outcome are drawn again (multinomial), the mean score of a bin is held.

    Resampled gaps are larger than the true ones on average, so the interval leans upwards; it is widened to the value.
    """
    counts = np.array([(b.positives, b.count - b.positives) for b in bins], dtype=np.int64)
    means = np.array([float(b.score_sum) / b.count if b.count else 0.0 for b in bins])
    generator = np.random.Generator(np.random.PCG64(resampling.seed))
    drawn = generator.multinomial(total, counts.ravel() / total, size=resampling.draws)
    cells = drawn.reshape(resampling.draws, len(bins), 2).astype(np.float64)
    gaps = np.abs(cells[:, :, 0] - cells.sum(axis=2) * means).sum(axis=1) / total
    tail = (1 - resampling.confidence) / 2
    low, high = np.quantile(gaps, [tail, 1 - tail])
    return Interval(min(value, float(low)), max(value, float(high)))


def _calibration_bin(index: int, width: int, entry: ScoreBin, z: float) -> CalibrationBin:
    return CalibrationBin(
        low=decimal(index / width),
        high=decimal((index + 1) / width),
        count=entry.count,
        mean_score=decimal(float(entry.score_sum) / entry.count) if entry.count else None,
        observed=rate(entry.positives, entry.count, z, of="rows in this bin"),
    )
