"""What each measure means, which way is better, and what people usually ask of it: for forms and comparisons. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from apps.checks.library import errorgaps, groups, multiclass, performance, regression

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Hint:
    """One measure of one check, for somebody who has to choose a limit for it."""

    kind: str
    key: str
    title: str
    better: Better
    meaning: str

    @property
    def name(self) -> str:
        """`performance.roc_auc`."""
        return f"{self.kind}.{self.key}"


_PERFORMANCE: Final[dict[str, tuple[Better, str]]] = {
    "accuracy": ("higher", "Share of rows predicted right. Says little where one outcome is rare."),
    "balanced_accuracy": ("higher", "Mean of the shares of both outcomes that were found; 0.5 is chance."),
    "precision": ("higher", "Of the rows predicted positive, the share that is."),
    "recall": ("higher", "Of the positive rows, the share that was found."),
    "specificity": ("higher", "Of the negative rows, the share that was predicted negative."),
    "f1": ("higher", "Precision and recall in one number; 1 is both perfect."),
    "mcc": ("higher", "Correlation of decision and outcome, -1 to 1; 0 is chance. Wants both outcomes predicted well."),
    "roc_auc": ("higher", "How well scores put positive rows before the others; 0.5 is chance. Needs scores."),
    "average_precision": ("higher", "Precision averaged over the recall that scores reach; chance is the share of positive rows. Needs scores."),
    "log_loss": ("lower", "How far the probabilities are off, dear where they are confident; 0 is perfect."),
    "brier": ("lower", "Mean squared error of the probabilities; always saying one half gives 0.25."),
    "ece": ("lower", "How far scores are from observed rates, on average over ten bins; 0 is calibrated."),
}  # fmt: skip
_FAIRNESS: Final[dict[str, tuple[Better, str]]] = {
    "demographic_parity_difference": ("lower", "Largest gap between groups in the share with the favourable outcome; 0 is none."),
    "demographic_parity_ratio": ("higher", "Smallest such share divided by the largest; the four-fifths rule asks for 0.80."),
    "equalized_odds_difference": ("lower", "Largest gap between groups in true or false positive rate; 0 is none."),
    "equal_opportunity_difference": ("lower", "Largest gap between groups in true positive rate; 0 is none."),
    "false_positive_rate_difference": ("lower", "Largest gap between groups in false positive rate; 0 is none."),
    "equalized_odds_ratio": ("higher", "The smaller of the ratios of true and of false positive rates; 1 is no gap."),
    "predictive_parity_difference": ("lower", "Largest gap between groups in how often the favourable prediction comes true; 0 is none."),
    "accuracy_difference": ("lower", "Largest gap between groups in the share predicted right; 0 is none."),
    "worst_group_accuracy": ("higher", "The share predicted right in the group where it is smallest."),
    "mean_score_difference": ("lower", "Largest gap between groups in the mean score; 0 is none. Needs scores from 0 to 1."),
}  # fmt: skip
_DRIFT: Final[dict[str, tuple[str, Better, str]]] = {
    "psi": ("PSI", "lower", "How far a column's distribution moved; by custom 0.1 is small, 0.25 large."),
    "ks": ("KS distance", "lower", "Largest distance of two cumulative distributions of a number, 0 to 1."),
    "js_distance": ("Jensen-Shannon distance", "lower", "How far a column's distribution moved, 0 to 1, over the same bins as PSI."),
    "wasserstein_scaled": ("Wasserstein in standard deviations", "lower", "How far the values moved on average, in standard deviations of the reference; 0.1 is a common limit."),
    "total_variation": ("Total variation", "lower", "The share of rows that would have to change their category to undo the difference."),
    "cramers_v": ("Cramer's V", "lower", "How strongly a category depends on which data set it is from, 0 to 1."),
    "window_psi": ("Largest PSI of a window", "lower", "The largest PSI of any column in any stretch of time. Needs a column of the time."),
    "missing_rate_increase": ("Increase of the missing rate", "lower", "How much larger the share of missing values became."),
    "new_category_share": ("Share of new categories", "lower", "Share of rows with a category that the reference never had."),
}  # fmt: skip
_QUALITY: Final[dict[str, tuple[str, str]]] = {
    "missing_rate": ("Missing rate", "Share of rows without a value, in the column where it is largest."),
    "duplicate_share": ("Share of repeated rows", "Share of rows that equal an earlier one in every column."),
    "constant_columns": ("Columns with a single value", "How many columns hold the same value wherever they hold one."),
    "empty_columns": ("Columns without any value", "How many columns hold nothing at all."),
    "out_of_range_share": ("Share out of range", "Share of values beyond what was declared for their column. Needs ranges."),
    "infinite_share": ("Share of infinite values", "Share of rows with an infinite number, in the column where it is largest."),
    "freshness_days": ("Age of the newest row in days", "Days from the newest moment of a column to the day of the check. Needs a column of times."),
    "schema_changes": ("Columns missing or of another kind", "How many columns of the reference are gone or hold something else. Needs reference data."),
}  # fmt: skip
_LEAKAGE: Final[dict[str, tuple[str, str]]] = {
    "shared_share": ("Share of rows seen before", "Share of evaluation rows that occur in the reference data, feature by feature."),
    "perfect_features": ("Features that tell every outcome", "How many features tell the outcome of every row by themselves."),
}  # fmt: skip

_MULTICLASS: Final = {
    "accuracy": "Share of rows predicted right. Says little where one label is rare.",
    "balanced_accuracy": "Mean over the labels that occur of the share of their rows that was found.",
    "macro_precision": "Mean over labels of the share of rows predicted so that are. Every label weighs the same.",
    "macro_recall": "Mean over labels of the share of their rows that was found. Every label weighs the same.",
    "macro_f1": "Mean over labels of F1. Every label weighs the same.",
    "micro_f1": "F1 of all labels' rows together: the accuracy.",
    "weighted_precision": "Mean of the labels' precision, by their rows.",
    "weighted_recall": "Mean of the labels' recall, by their rows: the accuracy.",
    "weighted_f1": "Mean of the labels' F1, by their rows.",
}
_REGRESSION: Final[dict[str, tuple[Better, str]]] = {
    "mae": ("lower", "How far predictions are off on average, in units of the outcome."),
    "rmse": ("lower", "As the mean absolute error, with large errors weighing more."),
    "r2": ("higher", "Share of the outcome's variance that is explained; 0 is as good as its mean, below 0 is worse."),
    "median_absolute_error": ("lower", "Half of the predictions are off by less."),
    "p90_absolute_error": ("lower", "Nine tenths of the predictions are off by less."),
    "mean_error": ("lower", "Prediction minus outcome on average: above 0 predictions are too high."),
    "absolute_bias": ("lower", "How far predictions are too high or too low on average, without the sign."),
}  # fmt: skip
_REGRESSION_GAPS: Final[dict[str, tuple[Better, str]]] = {
    "mae_difference": ("lower", "Largest gap between groups in how far predictions are off on average; 0 is none."),
    "mae_ratio": ("higher", "The smallest mean absolute error of a group divided by the largest; 1 is no gap."),
    "rmse_difference": ("lower", "As the mean absolute error difference, with large errors weighing more."),
    "rmse_ratio": ("higher", "The smallest root mean squared error of a group divided by the largest; 1 is no gap."),
    "mean_error_difference": ("lower", "Largest gap between groups in how far predictions are too high or too low; 0 is none."),
    "mean_prediction_difference": ("lower", "Largest gap between groups in what is predicted on average; outcomes may differ as well."),
    "worst_group_mae": ("lower", "How far predictions are off in the group where they are off most."),
    "worst_group_rmse": ("lower", "As the mean absolute error of the worst group, with large errors weighing more."),
    "worst_group_bias": ("lower", "How far predictions are too high or too low on average, in the group where it is most."),
}  # fmt: skip

PERFORMANCE: Final = tuple(
    Hint("performance", k, performance.TITLES[k], b, m) for k, (b, m) in _PERFORMANCE.items()
)
MULTICLASS: Final = tuple(
    Hint("multiclass", k, multiclass.TITLES[k], "higher", m) for k, m in _MULTICLASS.items()
)
REGRESSION: Final = tuple(
    Hint("regression", k, regression.TITLES[k], b, m) for k, (b, m) in _REGRESSION.items()
)
REGRESSION_GAPS: Final = tuple(
    Hint("regression_gaps", k, errorgaps.TITLES[k], b, m) for k, (b, m) in _REGRESSION_GAPS.items()
)
FAIRNESS: Final = tuple(
    Hint("fairness", k, groups.TITLES[k], b, m) for k, (b, m) in _FAIRNESS.items()
)
DRIFT: Final = tuple(Hint("drift", k, title, b, m) for k, (title, b, m) in _DRIFT.items())
QUALITY: Final = tuple(Hint("quality", k, title, "lower", m) for k, (title, m) in _QUALITY.items())
BIAS_AUDIT: Final = (
    Hint("bias_audit", "impact_ratio", "Impact ratio", "higher", "Selection rate of each group divided by the highest one; the four-fifths rule asks for 0.80."),
)  # fmt: skip
PROXY: Final = (
    Hint("proxy", "cramers_v", "Cramer's V", "lower", "How well a sensitive attribute can be told from a feature or the score, 0 to 1."),
)  # fmt: skip
LEAKAGE: Final = tuple(Hint("leakage", k, title, "lower", m) for k, (title, m) in _LEAKAGE.items())
PII: Final = (
    Hint("pii", "found", "Rows with recognised personal data", "lower", "Rows of a column in which recognisers know e-mail addresses, telephone, account, card or identity numbers."),
)  # fmt: skip
