"""Percentile intervals by resampling the counts: shown beside the formulas, which decide. Pure.

Drawing n rows with replacement from n rows and counting them by cell is one multinomial draw of the cells, so a thousand
resamples of ten million rows are a thousand draws of a few hundred numbers (Efron & Tibshirani 1993, chapter 13, for the
percentile interval). A group at 0 or 1 has no width here, which is why it does not decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from apps.checks.library.groups import Group, Resampled
from apps.core.canonical import decimal

Rates = NDArray[np.float64]  # draws x groups, NaN where not defined
_MOST_CELLS = 40_000_000  # of all draws together: 320 MB


def resampled(
    groups: Sequence[Group], *, draws: int, seed: int, confidence: float
) -> dict[str, Resampled]:
    """Each gap between the groups under resampling of all their rows. Empty where there are no draws or too many cells.

    The stream is NumPy's PCG64 from the seed: the same counts, seed and NumPy give the same digits.
    """
    counts = np.array([(g.tp, g.fp, g.fn, g.tn) for g in groups], dtype=np.int64)
    if not draws or len(groups) < 2 or counts.size * draws > _MOST_CELLS:
        return {}
    total = int(counts.sum())
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.multinomial(total, counts.ravel() / total, size=draws)
    rates = _rates(drawn.reshape(draws, len(groups), 4))
    found: dict[str, Resampled] = {}
    for key, gap in _GAPS.items():
        middle = _middle(gap(rates), confidence)
        if middle is not None:
            found[key] = middle
    return found


def resampled_decisions(
    counts: tuple[int, int, int, int], *, draws: int, seed: int, confidence: float
) -> dict[str, Resampled]:
    """Each number that follows from true positives, false positives, false negatives and true negatives, likewise."""
    total = sum(counts)
    if not draws or not total:
        return {}
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.multinomial(total, np.array(counts) / total, size=draws)
    tp, fp, fn, tn = (drawn[:, place].astype(np.float64) for place in range(4))
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, specificity = tp / (tp + fn), tn / (tn + fp)
        margins = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
        values = {
            "accuracy": (tp + tn) / total,
            "balanced_accuracy": (recall + specificity) / 2,
            "precision": tp / (tp + fp),
            "recall": recall,
            "specificity": specificity,
            "f1": 2 * tp / (2 * tp + fp + fn),
            "mcc": (tp * tn - fp * fn) / margins,
        }
    found = {key: _middle(each, confidence) for key, each in values.items()}
    return {key: middle for key, middle in found.items() if middle is not None}


def _middle(values: NDArray[np.float64], confidence: float) -> Resampled | None:
    """Between the percentiles of the defined ones; None where none is."""
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Resampled(decimal(float(low)), decimal(float(high)), len(values))


def _rates(drawn: NDArray[np.int64]) -> Mapping[str, Rates]:
    tp, fp, fn, tn = (drawn[:, :, place].astype(np.float64) for place in range(4))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "selection_rate": (tp + fp) / (tp + fp + fn + tn),
            "true_positive_rate": tp / (tp + fn),
            "false_positive_rate": fp / (fp + tn),
            "positive_predictive_value": tp / (tp + fp),
            "accuracy": (tp + tn) / (tp + fp + fn + tn),
        }


def _span(rates: Rates) -> Rates:
    """Largest minus smallest of the defined; NaN for fewer than two."""
    enough = (~np.isnan(rates)).sum(axis=1) >= 2
    with np.errstate(invalid="ignore"):
        span = np.nanmax(rates[enough], axis=1) - np.nanmin(rates[enough], axis=1)
    return np.asarray(span)


def _ratio(rates: Rates) -> Rates:
    """Smallest over largest of the defined; left out where all are 0."""
    enough = ((~np.isnan(rates)).sum(axis=1) >= 2) & (np.nan_to_num(rates).max(axis=1) > 0)
    return np.asarray(np.nanmin(rates[enough], axis=1) / np.nanmax(rates[enough], axis=1))


def _odds(rates: Mapping[str, Rates]) -> Rates:
    both = [rates["true_positive_rate"], rates["false_positive_rate"]]
    enough = np.all([(~np.isnan(each)).sum(axis=1) >= 2 for each in both], axis=0)
    spans = [_span(each[enough]) for each in both]
    return np.maximum(*spans)


_GAPS: dict[str, Callable[[Mapping[str, Rates]], Rates]] = {
    "demographic_parity_difference": lambda r: _span(r["selection_rate"]),
    "demographic_parity_ratio": lambda r: _ratio(r["selection_rate"]),
    "equal_opportunity_difference": lambda r: _span(r["true_positive_rate"]),
    "false_positive_rate_difference": lambda r: _span(r["false_positive_rate"]),
    "equalized_odds_difference": _odds,
    "predictive_parity_difference": lambda r: _span(r["positive_predictive_value"]),
    "accuracy_difference": lambda r: _span(r["accuracy"]),
}
