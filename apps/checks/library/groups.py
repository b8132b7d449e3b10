"""Groups, their rates and the gaps between them, as plain data: the parts of a fairness result. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from apps.checks.library.estimates import Estimate, rate
from apps.checks.library.gaps import largest_difference, smallest_ratio, worse
from apps.checks.numbers import CROSS
from apps.checks.statistics import Contingency, Labels, Refused, RowCount

UNKNOWN = "unknown"
TITLES = {
    "demographic_parity_difference": "Demographic parity difference",
    "demographic_parity_ratio": "Demographic parity ratio",
    "equalized_odds_difference": "Equalized odds difference",
    "equal_opportunity_difference": "Equal opportunity difference",
    "false_positive_rate_difference": "False positive rate difference",
}
RATES = {
    "selection_rate": "Selection rate",
    "true_positive_rate": "True positive rate",
    "false_positive_rate": "False positive rate",
    "accuracy": "Accuracy",
}


class Group(msgspec.Struct, frozen=True):
    """One group: counts in terms of the favourable outcome, rates, signed differences to the reference."""

    values: tuple[str | None, ...]
    tp: int
    fp: int
    fn: int
    tn: int
    rates: dict[str, Estimate]
    differences: dict[str, Estimate] = {}

    @property
    def n(self) -> int:
        return self.tp + self.fp + self.fn + self.tn

    @property
    def label(self) -> str:
        return group_label(self.values)


class Grouping(msgspec.Struct, frozen=True):
    """One feature, or several crossed. `empty` lists crossed cells nobody is in; they are not computed."""

    features: tuple[str, ...]
    reference: tuple[str | None, ...]
    reference_is: str
    groups: tuple[Group, ...]
    gaps: dict[str, Estimate]
    empty: tuple[tuple[str | None, ...], ...] = ()
    empty_count: int = 0

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

    def find(self, features: Iterable[str]) -> Grouping | None:
        """The grouping by these features, in any order."""
        wanted = frozenset(features)
        return next((g for g in self.groupings if frozenset(g.features) == wanted), None)


def group_label(values: Sequence[str | None]) -> str:
    """`Female`, `Female x Black`; a missing value is called unknown."""
    return CROSS.join(UNKNOWN if value is None else value for value in values)


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
    }
