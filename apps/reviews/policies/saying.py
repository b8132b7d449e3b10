"""The parts of a policy document in words, for redlines and notices: what stands at a path, and what changed there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from apps.reviews.policies.compare import Change

METRICS: Final = {
    "performance": {
        "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "precision": "Precision", "recall": "Recall",
        "specificity": "Specificity", "f1": "F1", "mcc": "Matthews correlation", "roc_auc": "ROC AUC",
        "average_precision": "PR AUC (average precision)", "log_loss": "Log loss", "brier": "Brier score",
        "ece": "Calibration error (ECE)",
    },
    "multiclass": {
        "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "macro_precision": "Macro precision",
        "macro_recall": "Macro recall", "macro_f1": "Macro F1", "micro_f1": "Micro F1", "weighted_precision": "Weighted precision",
        "weighted_recall": "Weighted recall", "weighted_f1": "Weighted F1",
    },
    "regression": {
        "mae": "Mean absolute error", "rmse": "Root mean squared error", "r2": "R\u00b2",
        "median_absolute_error": "Median absolute error", "p90_absolute_error": "90\u00a0% quantile of the absolute error",
        "absolute_bias": "Size of the mean error",
    },
    "fairness": {
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
    },
    "regression_gaps": {
        "mae_difference": "Mean absolute error difference", "mae_ratio": "Mean absolute error ratio",
        "rmse_difference": "Root mean squared error difference", "rmse_ratio": "Root mean squared error ratio",
        "mean_error_difference": "Mean error difference", "mean_prediction_difference": "Mean prediction difference",
        "worst_group_mae": "Mean absolute error of the worst group",
        "worst_group_rmse": "Root mean squared error of the worst group",
        "worst_group_bias": "Largest size of a group's mean error",
    },
    "bias_audit": {"impact_ratio": "Impact ratio"},
    "proxy": {"cramers_v": "Cramér's V"},
    "drift": {
        "psi": "PSI", "js_distance": "Jensen-Shannon distance", "ks": "Kolmogorov-Smirnov",
        "wasserstein_scaled": "Wasserstein in standard deviations", "cramers_v": "Cramér's V", "total_variation": "Total variation",
        "window_psi": "Largest PSI of a window", "missing_rate_increase": "Increase of missing values", "new_category_share": "Share of new categories",
    },
    "quality": {
        "missing_rate": "Missing rate", "duplicate_share": "Share of repeated rows",
        "constant_columns": "Columns with a single value", "empty_columns": "Columns without any value",
        "out_of_range_share": "Share out of range", "infinite_share": "Share of infinite values",
        "freshness_days": "Age of the newest row in days",
        "schema_changes": "Columns missing or of another kind",
    },
    "pii": {"found": "Rows with recognised personal data"},
    "leakage": {
        "shared_share": "Share of rows seen before", "perfect_features": "Features that tell every outcome",
    },
}  # fmt: skip

_KINDS: Final = {
    "bias_audit": "Bias audit",
    "multiclass": "Multiclass performance",
    "pii": "Personal data",
    "proxy": "Proxies",
    "quality": "Data quality",
    "regression": "Regression performance",
    "regression_gaps": "Regression gaps",
}

_WHOLE: Final = {
    "key": "Short name",
    "title": "Title",
    "summary": "Summary",
    "applies_to.tiers": "Covers risk tiers",
    "applies_to.teams": "Covers teams",
    "governs.stages": "Governs stages",
    "governs.aliases": "Governs aliases",
    "governs.environments": "Governs environments",
    "governs.tags": "Tags nobody sets by hand",
    "gates.card_complete": "The model card is complete",
    "gates.card_templates": "The card follows the template",
    "gates.clean_commit": "The code is committed",
    "gates.impact_assessment.tiers": "Impact assessment for models of risk tiers",
    "gates.impact_assessment.max_age_days": "Impact assessment was signed at most so many days ago",
    "gates.max_age_days.results": "Results are at most so many days old",
    "gates.max_age_days.data": "Data is at most so many days old",
    "gates.against_incumbent.same_data": "Compared on the same data only",
    "approval_days": "An approval lives so many days",
    "review_days": "A request expires after so many days",
    "rereview_on": "Asks for a new review",
    "promote": "When everybody has signed",
    "emergency.roles": "In an emergency one person acts who is",
    "emergency.review_within_days": "Reviewed after an emergency within so many days",
    "findings.residual_risk_roles": "Residual risk is accepted by",
    "waivers.roles": "A requirement is waived by",
    "waivers.max_days": "A waiver lives at most so many days",
}
_STEP: Final = {
    "key": "short name",
    "title": "title",
    "role": "who signs",
    "count": "how many sign",
    "after": "signs after",
    "exclude_owner": "keeps the owner of the model out",
    "deadline_days": "days to sign",
    "remind_days": "reminds so many days before",
    "escalate_to": "told when it is overdue",
}
_BEGINS: Final = {
    "applies_to.tags.": "Covers models with the tag",
    "gates.accept_inconclusive.": "Inconclusive is accepted for",
    "gates.conditions.": "Condition",
    "freeze_windows.": "Freeze",
    "source.": "Source",
}
_BOUNDS: Final = {"min": "at least", "max": "at most"}


def kind_title(kind: str) -> str:
    """A kind of check as people call it: `Bias audit`."""
    return _KINDS.get(kind, kind.capitalize())


def where(path: str) -> str:
    """What stands at this path: `Performance: ROC AUC, at least`."""
    if path in _WHOLE:
        return _WHOLE[path]
    if path.startswith("gates.checks."):
        kind, *rest = path.split(".")[2:]
        return f"{kind_title(kind)}: {_limit(kind, rest)}"
    if path.startswith("gates.against_incumbent.max_loss."):
        metric = path.rpartition(".")[2]
        return f"{METRICS['performance'].get(metric, metric)} may be worse by"
    if path.startswith("steps."):
        step, _, part = path.removeprefix("steps.").partition(".")
        return f"Step {step}: {_STEP.get(part, part)}" if part else f"Step {step}"
    for begins, words in _BEGINS.items():
        if path.startswith(begins):
            return f"{words} {path.removeprefix(begins).replace('.', ': ').replace('_', ' ')}"
    return path.replace(".", ": ").replace("_", " ").capitalize()


def _limit(kind: str, rest: list[str]) -> str:
    name = METRICS.get(kind, {}).get(rest[0]) if rest else None
    bound = f", {_BOUNDS.get(rest[1], rest[1])}" if name and len(rest) > 1 else ""
    return f"{name}{bound}" if name else " ".join(rest).replace("_", " ")


def value(text: str) -> str:
    """What stands there, in words: a switch is on or off."""
    return {"True": "yes", "False": "no"}.get(text, text)


def sentences(changes: Iterable[Change]) -> list[str]:
    """Each change in a sentence, without what only names the policy's versions."""
    return [
        f"{where(each.path)}: {value(each.old) or 'nothing'} becomes {value(each.new) or 'nothing'}"
        for each in changes
        if not each.path.startswith(("source.", "summary", "title", "key"))
    ]
