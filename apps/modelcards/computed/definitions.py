"""How each published number is computed, beside its name: `ppr` and `pprev` differ between libraries."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from apps.core.parts import Cell, Column, Fact, Facts, Missing, Table, cells
from apps.modelcards.card import Computed, Source

FORMULAS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "performance": (
        ("Accuracy", "(TP + TN) / n"),
        ("Balanced accuracy", "(TP / (TP + FN) + TN / (TN + FP)) / 2"),
        ("Precision", "TP / (TP + FP)"),
        ("Recall", "TP / (TP + FN)"),
        ("Specificity", "TN / (TN + FP)"),
        ("F1", "2 TP / (2 TP + FP + FN)"),
        ("Matthews correlation", "(TP TN − FP FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN))"),
        ("ROC AUC", "Mann-Whitney U / (positives × negatives), ties count one half"),
        ("PR AUC (average precision)", "Σ (recall − recall before) × precision over the thresholds, falling; not interpolated"),
        ("Log loss", "mean of −ln(score given to the outcome that occurred)"),
        ("Brier score", "mean of (score − outcome)²"),
        ("Calibration error (ECE)", "Σ |positives − sum of scores| over ten bins / rows"),
    ),
    "multiclass": (
        ("Accuracy, micro F1, weighted recall", "rows predicted right / n"),
        ("Balanced accuracy", "mean of TP / (TP + FN) over the labels that occur"),
        ("Macro precision, recall, F1", "mean over all labels, each of the same weight"),
        ("Weighted precision, F1", "mean over the labels, by the rows with each outcome"),
    ),
    "regression": (
        ("Error", "prediction − outcome"),
        ("Mean absolute error", "mean of |error|"),
        ("Root mean squared error", "√ mean of error²"),
        ("R²", "1 − Σ error² / Σ (outcome − mean outcome)²"),
        ("Quantiles of the absolute error", "interpolated between the two neighbouring rows"),
    ),
    "regression_gaps": (
        ("Mean absolute error, per group", "mean of |prediction − outcome|"),
        ("Root mean squared error, per group", "√ mean of (prediction − outcome)²"),
        ("Mean error, per group", "mean of prediction − outcome"),
        ("Difference", "largest − smallest of the groups"),
        ("Ratio", "smallest / largest of the groups"),
    ),
    "fairness": (
        ("Selection rate", "predicted favourable / n, per group"),
        ("True positive rate", "TP / (TP + FN), per group, positive meaning favourable"),
        ("False positive rate", "FP / (FP + TN), per group"),
        ("Positive predictive value", "TP / (TP + FP), per group"),
        ("Demographic parity difference", "largest − smallest selection rate"),
        ("Demographic parity ratio", "smallest / largest selection rate"),
        ("Equal opportunity difference", "largest − smallest true positive rate"),
        ("Equalized odds difference", "the larger of the gaps of true and of false positive rates"),
        ("Equalized odds ratio", "the smaller of the ratios of true and of false positive rates"),
        ("Predictive parity difference", "largest − smallest positive predictive value"),
        ("Accuracy difference", "largest − smallest accuracy"),
        ("Mean score difference", "largest − smallest mean score"),
        ("Calibration error", "Σ |positives − sum of scores| over ten bins / rows, per group"),
    ),
    "bias_audit": (
        (
            "Impact ratio",
            "selection rate of the group / highest selection rate of a group that is large enough",
        ),
        (
            "Significance",
            "pooled two-proportion z; Fisher's exact test where a cell is expected below 5",
        ),
        ("To four fifths", "⌈4/5 × reference rate × n⌉ − selected"),
        ("Scoring rate", "scores strictly above the median / n, per category"),
    ),
    "proxy": (
        (
            "Cramér's V, bias-corrected",
            "√(max(0, χ²/n − (r−1)(c−1)/(n−1)) / (min(r*, c*) − 1)), r* = r − (r−1)²/(n−1)",
        ),
        ("AUC of a group", "Mann-Whitney U / (members × others), ties count one half"),
    ),
    "drift": (
        ("PSI", "Σ (q − p) ln(q / p) over the bins; p reference share, q current share"),
        ("KS distance", "largest distance of the two distribution functions"),
        ("Cramér's V", "√(χ² / n) of the two-row contingency table"),
        ("Jensen-Shannon distance", "√(½ Σ p log₂(p/m) + ½ Σ q log₂(q/m)), m = (p + q) / 2"),
        ("Wasserstein distance", "area between the two distribution functions"),
        ("Total variation", "½ Σ |p − q|"),
        ("PSI by chance", "(bins − 1) (1/n + 1/m)"),
    ),
    "quality": (
        ("Missing", "(empty values + texts of blanks only) / rows, per column"),
        ("Repeated rows", "(rows − different rows) / rows, over all columns"),
        ("Out of range", "values below min or above max / values, per column with a declared range"),
        ("Newest row", "the day to which age is counted − the largest readable time"),
    ),
    "leakage": (
        ("Rows seen before", "rows equal to a row of the reference in every compared column / rows"),
        ("How far a feature tells the outcome", "Σ rows of each value's commonest outcome / rows, over values that occur again"),
    ),
    "pii": (
        ("Recognised", "rows whose value a recogniser knows, per column and kind; check digits are checked"),
    ),
    "files": (
        ("Dangerous", "files with at least one finding of that level"),
        ("Not verified", "files of which some part was not read to its end"),
    ),
}  # fmt: skip
# Said where the intervals are the formulas' own.
_WITH_INTERVALS = frozenset({"performance", "multiclass", "regression", "regression_gaps", "fairness", "bias_audit", "proxy"})  # fmt: skip
_INTERVALS = (
    "Rates: Wilson. Differences of rates: Newcombe. Ratios: Katz, on the logarithm. Means: normal; their differences and ratios: MOVER. ROC AUC: DeLong on the "
    "logit scale. Average precision and Matthews correlation: delta method. ECE: resampled counts. A number without denominator is not defined, never 0."
)


def formulas(kind: str) -> tuple[tuple[str, str], ...]:
    """Name and formula of every number of a kind; none of one that another package brought."""
    return FORMULAS.get(kind, ())


def metric_definitions(
    measured: Collection[str], libraries: Mapping[str, str], sources: tuple[Source, ...]
) -> Computed:
    """Formulas of what was measured, and the libraries behind it."""
    rows = tuple(
        cells(name, formula)
        for kind, formulas in FORMULAS.items()
        if kind in measured
        for name, formula in formulas
    )
    if not rows:
        return Computed((Missing("Nothing was measured, so there is no number to define."),))
    note = _INTERVALS if _WITH_INTERVALS.intersection(measured) else ""
    table = Table("Formulas", (Column("Number"), Column("Formula")), rows, note=note)
    used = ", ".join(f"{name} {version}" for name, version in sorted(libraries.items()))
    return Computed((table, Facts((Fact("Computed with", Cell(used)),))), sources)
