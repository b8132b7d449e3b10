"""Performance under resampling of its four counts: equal to resampling the rows, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from apps.checks.library.bootstrap import resampled_decisions

COUNTS = (310, 90, 60, 540)
NUMBERS = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1": metrics.f1_score,
    "mcc": metrics.matthews_corrcoef,
}


def test_it_is_what_resampling_the_rows_gives() -> None:
    tp, fp, fn, tn = COUNTS
    actual = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn])
    predicted = np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])
    rng = np.random.default_rng(3)
    drawn: dict[str, list[float]] = {key: [] for key in NUMBERS}
    for _ in range(1_500):
        rows = rng.integers(0, len(actual), len(actual))
        for key, number in NUMBERS.items():
            drawn[key].append(float(number(actual[rows], predicted[rows])))
    found = resampled_decisions(COUNTS, draws=20_000, seed=5, confidence=0.9)
    for key, values in drawn.items():
        low, high = np.quantile(values, [0.05, 0.95])
        assert float(found[key].low) == pytest.approx(low, abs=0.006), key
        assert float(found[key].high) == pytest.approx(high, abs=0.006), key


def test_a_seed_gives_its_digits_and_another_gives_others() -> None:
    one, again, other = (
        resampled_decisions(COUNTS, draws=1_000, seed=seed, confidence=0.95) for seed in (1, 1, 2)
    )
    assert one == again != other


def test_what_is_not_defined_in_a_resample_is_left_out_and_said() -> None:
    found = resampled_decisions((1, 0, 0, 5), draws=1_000, seed=1, confidence=0.95)
    assert found["accuracy"].defined == 1_000
    assert (
        500 < found["recall"].defined < 1_000
    )  # about a third of the resamples have no positive row
    assert "recall" not in resampled_decisions((0, 0, 0, 9), draws=50, seed=1, confidence=0.95)


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), COUNTS])
def test_without_rows_or_draws_there_is_nothing(counts: tuple[int, int, int, int]) -> None:
    assert resampled_decisions(counts, draws=0, seed=1, confidence=0.95) == {}
    assert resampled_decisions((0, 0, 0, 0), draws=10, seed=1, confidence=0.95) == {}
