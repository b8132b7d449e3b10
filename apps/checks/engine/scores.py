"""What the scores say about the outcomes, exactly: one sort per class, then whole numbers.

AUC: Mann-Whitney, ties one half. Its variance: DeLong et al. 1988 by the ranks of Sun & Xu 2014. Log loss
clips at the machine epsilon as scikit-learn does. About 40 bytes a row are held while sorting.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.checks.engine.counts import Outcomes
from apps.checks.engine.curves import ranked
from apps.checks.engine.source import Source
from apps.checks.statistics import RowCount, ScoreBin, ScoreStatistics
from apps.core.canonical import decimal

SCORE_MISSING = "score missing or not a number"
SCORE_INFINITE = "score infinite"
BINS = 10

Floats = NDArray[np.float64]


def score_statistics(
    source: Source, outcomes: Outcomes, score: str, *, decided: bool = True
) -> ScoreStatistics:
    """Over the rows with a known outcome and (if `decided`) prediction; rows without a finite score are told apart."""
    labels = outcomes.labels
    target = source.raw(outcomes.target)
    positive = f"{target} IN ({raw_values(source, outcomes.target, '= $positive')})"
    columns = (outcomes.target, outcomes.prediction) if decided else (outcomes.target,)
    known = " AND ".join(
        f"{source.raw(name)} IN ({raw_values(source, name, 'IS NOT NULL')})" for name in columns
    )
    found = source.arrays(
        f"SELECT coalesce({source.number(score)}, 'nan'::DOUBLE) AS s, {positive} AS y{{each}} "
        f"FROM {{data}} WHERE {known}",
        positive=labels.positive,
    )
    # Adding 0 makes 0 of -0, so that it does not depend on the order of the rows which of them is stored.
    scores = np.asarray(found.pop("s"), dtype=np.float64) + 0.0
    actual = np.asarray(found.pop("y"), dtype=bool)
    finite = np.isfinite(scores)
    missing = int(np.isnan(scores).sum())
    infinite = int(len(scores) - finite.sum() - missing)
    excluded = {SCORE_INFINITE: infinite, SCORE_MISSING: missing}
    rows = RowCount(
        len(scores),
        int(finite.sum()),
        {why: count for why, count in excluded.items() if count},
    )
    positives, negatives = scores[finite & actual], scores[finite & ~actual]
    del scores  # a tenth of a GB for ten million rows, not needed while the classes are sorted
    return summarise(rows, positives, negatives)


def raw_values(source: Source, name: str, test: str) -> str:
    """The raw values of a column of labels whose label passes the test: a handful, found once."""
    raw = f"SELECT DISTINCT {source.raw(name)} AS v FROM {{data}}"
    return f"SELECT v FROM ({raw}) WHERE {source.text(name, 'v')} {test}"


def summarise(rows: RowCount, positives: Floats, negatives: Floats) -> ScoreStatistics:
    """The statistics of finite scores by class. Sorts both arrays in place."""
    positives.sort()
    negatives.sort()
    m, n = len(positives), len(negatives)
    if not m + n:
        return ScoreStatistics(rows, 0, 0, "0")
    lowest = float(min(array[0] for array in (positives, negatives) if len(array)))
    highest = float(max(array[-1] for array in (positives, negatives) if len(array)))
    twice_u, variance = _mann_whitney(positives, negatives)
    probabilities = _proper(positives, negatives) if lowest >= 0 and highest <= 1 else {}
    curves = ranked(positives, negatives)
    return ScoreStatistics(
        rows=rows,
        positives=m,
        negatives=n,
        twice_u=str(twice_u),
        auc_variance=variance,
        lowest=decimal(lowest),
        highest=decimal(highest),
        average_precision=curves.average_precision,
        average_precision_variance=curves.variance,
        curve=curves.points,
        **probabilities,
    )


def _mann_whitney(positives: Floats, negatives: Floats) -> tuple[int, str | None]:
    """Twice U, and DeLong's variance of the area where both classes have two members or more."""
    m, n = len(positives), len(negatives)
    if not m or not n:
        return 0, None
    above = twice_below(negatives, positives)
    twice_u = int(above.sum())
    if min(m, n) < 2:
        return twice_u, None
    by_positive = float(np.var(above / (2 * n), ddof=1))
    by_negative = float(np.var(twice_below(positives, negatives) / (2 * m), ddof=1))
    return twice_u, decimal(by_positive / m + by_negative / n)


def twice_below(sorted_values: Floats, at: Floats) -> NDArray[np.int64]:
    """For each of `at`: twice the number of values below it plus the number equal to it."""
    low = np.searchsorted(sorted_values, at, side="left")
    return np.asarray(low + np.searchsorted(sorted_values, at, side="right"), dtype=np.int64)


def _proper(positives: Floats, negatives: Floats) -> dict[str, Any]:
    """Log loss, Brier score and calibration bins: only for scores that can be probabilities."""
    epsilon = float(np.finfo(np.float64).eps)
    losses = np.concatenate(
        [-np.log(_clipped(positives, epsilon)), -np.log(1 - _clipped(negatives, epsilon))]
    )
    squares = np.concatenate([(1 - positives) ** 2, negatives**2])
    return {
        "log_loss_mean": decimal(float(losses.mean())),
        "log_loss_variance": _variance(losses),
        "brier_mean": decimal(float(squares.mean())),
        "brier_variance": _variance(squares),
        "bins": _bins(positives, negatives),
    }


def _clipped(scores: Floats, epsilon: float) -> Floats:
    return np.clip(scores, epsilon, 1 - epsilon)


def _variance(values: Floats) -> str | None:
    return decimal(float(values.var(ddof=1))) if len(values) > 1 else None


def _bins(positives: Floats, negatives: Floats) -> tuple[ScoreBin, ...]:
    counts, sums = np.zeros((2, BINS), dtype=np.int64), np.zeros(BINS)
    for side, scores in enumerate((positives, negatives)):
        place = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
        counts[side] = np.bincount(place, minlength=BINS)
        sums += np.bincount(place, weights=scores, minlength=BINS)
    return tuple(
        ScoreBin(int(counts[:, i].sum()), int(counts[0, i]), decimal(float(sums[i])))
        for i in range(BINS)
    )
