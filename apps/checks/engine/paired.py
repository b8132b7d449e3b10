"""Two models on the same rows: who was right where, and how far their areas are apart.

The incumbent's predictions (and scores) are columns of the same file. The variance of the difference of two areas is that
of the differences of their placements (DeLong et al. 1988, Biometrics 44:837): the covariance needs no term of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from apps.checks.engine.counts import PREDICTION_MISSING, TARGET_MISSING, Outcomes
from apps.checks.engine.scores import raw_values, twice_below
from apps.checks.engine.source import Source
from apps.checks.numbers import listed
from apps.checks.statistics import PairedCell, PairedScores, PairedStatistics, RowCount
from apps.core.canonical import decimal
from apps.core.errors import Invalid

AGAINST_MISSING = "prediction of the incumbent missing"
NOT_BOTH = "not both scores finite"

Floats = NDArray[np.float64]


def paired_statistics(
    source: Source, outcomes: Outcomes, against: str, score: str = "", against_score: str = ""
) -> PairedStatistics:
    """Raises Invalid, naming the column, where it is not there or holds labels that are no outcome."""
    rows, cells = _decisions(source, outcomes, against)
    scores = _scores(source, outcomes, score, against_score) if score and against_score else None
    return PairedStatistics(against, against_score, rows, cells, scores)


def _decisions(
    source: Source, outcomes: Outcomes, against: str
) -> tuple[RowCount, tuple[PairedCell, ...]]:
    labels = outcomes.labels
    known = [name for name in (labels.favourable, labels.other) if name is not None]
    unknown = {
        label for label, _ in source.counted([against], most=50) if label not in {None, *known}
    }
    if unknown:
        reason = f"{against!r} holds labels that are no outcome: {listed(sorted(unknown))}"
        raise Invalid(f"against: {reason}.", fields={"against": reason})
    columns = [outcomes.target, outcomes.prediction, against]
    counts: dict[tuple[bool, bool, bool], int] = {}
    excluded: dict[str, int] = {}
    for actual, candidate, incumbent, count in source.counted(columns):
        reason = _lacking(actual, candidate, incumbent)
        if reason:
            excluded[reason] = excluded.get(reason, 0) + count
        else:
            key = (
                actual == labels.favourable,
                candidate == labels.favourable,
                incumbent == labels.favourable,
            )
            counts[key] = counts.get(key, 0) + count
    counted = sum(counts.values())
    rows = RowCount(counted + sum(excluded.values()), counted, dict(sorted(excluded.items())))
    return rows, tuple(PairedCell(*key, counts[key]) for key in sorted(counts))


def _lacking(actual: str | None, candidate: str | None, incumbent: str | None) -> str:
    if actual is None:
        return TARGET_MISSING
    if candidate is None:
        return PREDICTION_MISSING
    return AGAINST_MISSING if incumbent is None else ""


def _scores(source: Source, outcomes: Outcomes, score: str, against_score: str) -> PairedScores:
    """Over the rows with an outcome and both decisions known to the candidate's own numbers and two finite scores."""
    target, prediction = source.raw(outcomes.target), source.raw(outcomes.prediction)
    positive = f"{target} IN ({raw_values(source, outcomes.target, '= $positive')})"
    known = (
        f"{target} IN ({raw_values(source, outcomes.target, 'IS NOT NULL')}) AND "
        f"{prediction} IN ({raw_values(source, outcomes.prediction, 'IS NOT NULL')})"
    )
    found = source.arrays(
        f"SELECT coalesce({source.number(score)}, 'nan'::DOUBLE) AS a, "
        f"coalesce({source.number(against_score)}, 'nan'::DOUBLE) AS b, {positive} AS y{{each}} "
        f"FROM {{data}} WHERE {known}",
        positive=outcomes.labels.positive,
    )
    first, second = (np.asarray(found[name], dtype=np.float64) for name in ("a", "b"))
    actual = np.asarray(found["y"], dtype=bool)
    finite = np.isfinite(first) & np.isfinite(second)
    gone = int((~finite).sum())
    rows = RowCount(len(first), int(finite.sum()), {NOT_BOTH: gone} if gone else {})
    return _compared(rows, first[finite], second[finite], actual[finite])


def _compared(
    rows: RowCount, first: Floats, second: Floats, actual: NDArray[np.bool_]
) -> PairedScores:
    m = int(actual.sum())
    n = len(actual) - m
    if not m or not n:
        return PairedScores(rows, m, n, "0", "0")
    placed = [_placements(scores[actual], scores[~actual]) for scores in (first, second)]
    (above_first, below_first), (above_second, below_second) = placed
    variance = None
    if min(m, n) > 1:
        by_positive = float(np.var(np.sort(above_first - above_second) / (2 * n), ddof=1))
        by_negative = float(np.var(np.sort(below_first - below_second) / (2 * m), ddof=1))
        variance = decimal(by_positive / m + by_negative / n)
    return PairedScores(
        rows, m, n, str(int(above_first.sum())), str(int(above_second.sum())), variance
    )


def _placements(
    positives: Floats, negatives: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twice the number of the other class below each row, in the order of the rows."""
    return twice_below(np.sort(negatives), positives), twice_below(np.sort(positives), negatives)
