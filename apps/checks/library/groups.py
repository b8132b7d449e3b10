"""Groups, their rates and the gaps between them, as plain data: the parts of a fairness result. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from apps.checks.library.estimates import Estimate, estimate, rate, undefined
from apps.checks.library.gaps import (
    largest_difference,
    lower,
    smallest,
    smallest_ratio,
    worse,
)
from apps.checks.library.groupings import UNKNOWN as UNKNOWN
from apps.checks.library.groupings import group_label as group_label
from apps.checks.library.intervals import Interval
from apps.checks.numbers import CROSS
from apps.checks.statistics import (
    Contingency,
    Labels,
    Refused,
    RowCount,
    ScoreCell,
    ScoresByGroup,
)
from apps.core.canonical import decimal

TITLES = {
    "demographic_parity_difference": "Demographic parity difference",
    "demographic_parity_ratio": "Demographic parity ratio",
    "equalized_odds_difference": "Equalized odds difference",
    "equal_opportunity_difference": "Equal opportunity difference",
    "false_positive_rate_difference": "False positive rate difference",
    "equalized_odds_ratio": "Equalized odds ratio",
    "predictive_parity_difference": "Predictive parity difference",
    "accuracy_difference": "Accuracy difference",
    "worst_group_accuracy": "Accuracy of the worst group",
    "mean_score_difference": "Mean score difference",
}
RATES = {
    "selection_rate": "Selection rate",
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
    "false_negative_rate": "False negative rate",
    "positive_predictive_value": "Positive predictive value",
    "accuracy": "Accuracy",
}


class GroupScores(msgspec.Struct, frozen=True):
    """What the scores of a group say: their mean with its interval, how far they are from what happened (ECE over ten
    bins), and the bins: rows, rows with the positive outcome, mean score."""

    n: int
    mean: Estimate
    calibration_error: str | None
    bins: tuple[tuple[int, int, str], ...]


class Group(msgspec.Struct, frozen=True):
    """One group: counts in terms of the favourable outcome, rates, signed differences to the reference."""

    values: tuple[str | None, ...]
    tp: int
    fp: int
    fn: int
    tn: int
    rates: dict[str, Estimate]
    differences: dict[str, Estimate] = {}
    scores: GroupScores | None = None

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def known(self) -> bool:
        """Whether it has a value in every feature."""
        return None not in self.values

    @property
    def label(self) -> str:
        return group_label(self.values)


class Resampled(msgspec.Struct, frozen=True):
    """The percentile interval of a gap over the resamples in which it was defined."""

    low: str
    high: str
    defined: int


class Grouping(msgspec.Struct, frozen=True):
    """One feature, or several crossed. `empty` lists crossed cells nobody is in; they are not computed."""

    features: tuple[str, ...]
    reference: tuple[str | None, ...]
    reference_is: str
    groups: tuple[Group, ...]
    gaps: dict[str, Estimate]
    empty: tuple[tuple[str | None, ...], ...] = ()
    empty_count: int = 0
    resampled: dict[str, Resampled] = {}

    @property
    def label(self) -> str:
        return CROSS.join(self.features)


class CrossCheck(msgspec.Struct, frozen=True):
    """Another library's numbers from the same counts: how many were compared, how far they are apart."""

    library: str
    version: str
    compared: int
    largest_difference: str


class FairnessResult(msgspec.Struct, frozen=True, tag="fairness"):
    rows: RowCount
    labels: Labels
    confidence: str
    groupings: tuple[Grouping, ...]
    refused: tuple[Refused, ...] = ()
    cross_check: CrossCheck | None = None
    draws: int = 0
    seed: int = 0
    score_rows: RowCount | None = None
    scores_refused: str = ""

    def find(self, features: Iterable[str]) -> Grouping | None:
        """The grouping by these features, in any order."""
        wanted = frozenset(features)
        return next((g for g in self.groupings if frozenset(g.features) == wanted), None)


def groups_of(table: Contingency, z: float) -> list[Group]:
    """Steps 1 and 2 of `fairness.measure`: counts and rates per group."""
    counts: dict[tuple[str | None, ...], dict[tuple[bool, bool], int]] = {}
    for cell in table.cells:
        cells = counts.setdefault(cell.values, {})
        cells[cell.actual, cell.predicted] = (
            cells.get((cell.actual, cell.predicted), 0) + cell.count
        )
    return [_group(values, cells, z) for values, cells in counts.items()]


def _group(values: tuple[str | None, ...], cells: dict[tuple[bool, bool], int], z: float) -> Group:
    tp, fp = cells.get((True, True), 0), cells.get((False, True), 0)
    fn, tn = cells.get((True, False), 0), cells.get((False, False), 0)
    rates = {
        "selection_rate": rate(tp + fp, tp + fp + fn + tn, z, of="rows"),
        "true_positive_rate": rate(tp, tp + fn, z, of="rows with the favourable outcome"),
        "false_positive_rate": rate(fp, fp + tn, z, of="rows with the other outcome"),
        "false_negative_rate": rate(fn, tp + fn, z, of="rows with the favourable outcome"),
        "positive_predictive_value": rate(tp, tp + fp, z, of="rows predicted favourable"),
        "accuracy": rate(tp + tn, tp + fp + fn + tn, z, of="rows"),
    }
    return Group(values, tp, fp, fn, tn, rates)


def gaps(groups: Sequence[Group], z: float) -> dict[str, Estimate]:
    """Step 4 of `fairness.measure`: over these groups, leaving out those for which a rate is not defined."""
    by_rate = {key: [group.rates[key] for group in groups] for key in RATES}
    opportunity = largest_difference(by_rate["true_positive_rate"])
    false_positives = largest_difference(by_rate["false_positive_rate"])
    return {
        "demographic_parity_difference": largest_difference(by_rate["selection_rate"]),
        "demographic_parity_ratio": smallest_ratio(by_rate["selection_rate"], z),
        "equal_opportunity_difference": opportunity,
        "false_positive_rate_difference": false_positives,
        "equalized_odds_difference": worse(opportunity, false_positives),
        "equalized_odds_ratio": lower(
            smallest_ratio(by_rate["true_positive_rate"], z),
            smallest_ratio(by_rate["false_positive_rate"], z),
        ),
        "predictive_parity_difference": largest_difference(by_rate["positive_predictive_value"]),
        "accuracy_difference": largest_difference(by_rate["accuracy"]),
        "worst_group_accuracy": smallest(by_rate["accuracy"]),
        "mean_score_difference": mean_score_difference(groups),
    }


def mean_score_difference(groups: Sequence[Group]) -> Estimate:
    """Largest minus smallest mean score; null where no scores were declared."""
    means = [group.scores.mean for group in groups if group.scores is not None]
    found = largest_difference(means)
    return (
        msgspec.structs.replace(found, method="MOVER, over all pairs of groups")
        if found.method
        else found
    )


UNIT = 1 << 40  # of the sums in ScoresByGroup


def with_scores(groups: Sequence[Group], scores: ScoresByGroup | None, z: float) -> list[Group]:
    """The groups, each with what its scores say where scores were counted."""
    if scores is None:
        return list(groups)
    cells: dict[tuple[str | None, ...], list[ScoreCell]] = {}
    for cell in scores.cells:
        cells.setdefault(cell.values, []).append(cell)
    return [
        msgspec.structs.replace(group, scores=_scores(cells.get(group.values, []), z))
        for group in groups
    ]


def _scores(cells: Sequence[ScoreCell], z: float) -> GroupScores:
    n = sum(cell.count for cell in cells)
    total = Fraction(sum(int(cell.total) for cell in cells), UNIT)
    squares = Fraction(sum(int(cell.squares) for cell in cells), UNIT)
    gaps = [abs(cell.positives - Fraction(int(cell.total), UNIT)) for cell in cells]
    return GroupScores(
        n=n,
        mean=_mean(n, total, squares, z),
        calibration_error=decimal(float(sum(gaps, Fraction()) / n)) if n else None,
        bins=tuple(
            (
                cell.count,
                cell.positives,
                decimal(float(Fraction(int(cell.total), UNIT) / cell.count)),
            )
            for cell in cells
        ),
    )


def _mean(n: int, total: Fraction, squares: Fraction, z: float) -> Estimate:
    """The mean with the normal interval of a mean (variance with n - 1); none for fewer than two rows."""
    if not n:
        return undefined("not defined: no rows with a score")
    mean = total / n
    if n < 2:
        return estimate(mean, None, "", reason="one row has no interval")
    variance = max(Fraction(), (squares - total * mean) / (n - 1))
    spread = z * math.sqrt(float(variance) / n)
    bounds = Interval(max(0.0, float(mean) - spread), min(1.0, float(mean) + spread))
    return estimate(mean, bounds, "normal")
