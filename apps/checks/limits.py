"""What a policy may demand of each built-in kind of check (`demands` has the whole). Limits are decimal strings, so that they enter digests.

{
  "performance": {"roc_auc": {"min": "0.70"}, "log_loss": {"max": "0.60"}, "min_n": 30},
  "fairness": {"features": ["sex", ["sex", "race"]], "demographic_parity_difference": {"max": "0.10"}},
  "regression_gaps": {"features": ["sex"], "mae_ratio": {"min": "0.80"}, "worst_group_bias": {"max": "500"}},
  "drift": {"psi": {"max": "0.25"}, "alpha": "0.05"},
  "quality": {"missing_rate": {"max": "0.05"}, "duplicate_share": {"max": "0.01"}},
  "bias_audit": {"features": ["sex", ["sex", "race"]], "impact_ratio": {"min": "0.80"}},
  "proxy": {"cramers_v": {"max": "0.30"}},
  "leakage": {"shared_share": {"max": "0.01"}},
  "pii": {"found": {"max": "0"}, "allow_columns": ["postcode"]},
  "files": {"allow_globals": ["mypackage.steps.Clipper"], "max_unverified": 0}
}

A kind that is not named is not demanded. Changing a limit re-assesses what was measured and measures nothing.
"""

from __future__ import annotations

import decimal
from fractions import Fraction
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)


def _decimal_text(value: object) -> str:
    """`"0.70"`, also 1 and "1e-3"; no float, whose digits depend on who prints it."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError('expected a decimal number as text, such as "0.70"')  # noqa: TRY004 - pydantic wants it
    try:
        number = decimal.Decimal(str(value))
    except decimal.InvalidOperation:
        raise ValueError(f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return str(value)


def _share(value: str) -> str:
    if not 0 <= decimal.Decimal(value) <= 1:
        raise ValueError("expected a share between 0 and 1")
    return value


Decimal = Annotated[str, BeforeValidator(_decimal_text)]
Share = Annotated[Decimal, AfterValidator(_share)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bound(_Strict):
    """At least `min` or at most `max`: exactly one of the two. Reaching the bound satisfies it."""

    min: Decimal | None = None
    max: Decimal | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.min is None) == (self.max is None):
            raise ValueError("expected exactly one of min and max")
        return self

    @property
    def text(self) -> str:
        """The number as it was written."""
        return self.max if self.min is None else self.min  # type: ignore[return-value]

    @property
    def value(self) -> Fraction:
        return Fraction(self.text)

    @property
    def sentence(self) -> str:
        """`at least 0.70` or `at most 0.10`."""
        return f"at most {self.max}" if self.min is None else f"at least {self.min}"


class _KindLimits(_Strict):
    def bounds(self) -> dict[str, Bound]:
        """The metrics that have a limit, in the order of the definition."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: bound for name, bound in found.items() if isinstance(bound, Bound)}

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.bounds():
            raise ValueError("names no limit: nothing would be judged")
        return self


class PerformanceLimits(_KindLimits):
    """`min_n`: fewest rows behind a number; `max_excluded_share`: most rows left out for missing values. `threshold`: the
    score from which the decision is positive; without one the prediction column decides, and nothing else is judged."""

    accuracy: Bound | None = None
    balanced_accuracy: Bound | None = None
    precision: Bound | None = None
    recall: Bound | None = None
    specificity: Bound | None = None
    f1: Bound | None = None
    mcc: Bound | None = None
    roc_auc: Bound | None = None
    average_precision: Bound | None = None
    log_loss: Bound | None = None
    brier: Bound | None = None
    ece: Bound | None = None
    threshold: Decimal | None = None
    min_n: int = Field(default=30, ge=1)
    max_excluded_share: Share = "0.05"


class MulticlassLimits(_KindLimits):
    """Means over labels rest on the rows of the smallest label that occurs, which must have `min_n`."""

    accuracy: Bound | None = None
    balanced_accuracy: Bound | None = None
    macro_precision: Bound | None = None
    macro_recall: Bound | None = None
    macro_f1: Bound | None = None
    micro_f1: Bound | None = None
    weighted_precision: Bound | None = None
    weighted_recall: Bound | None = None
    weighted_f1: Bound | None = None
    min_n: int = Field(default=30, ge=1)
    max_excluded_share: Share = "0.05"


class RegressionLimits(_KindLimits):
    """Errors are in units of the outcome. `mean_error` is signed, and limited by its size."""

    mae: Bound | None = None
    rmse: Bound | None = None
    r2: Bound | None = None
    median_absolute_error: Bound | None = None
    p90_absolute_error: Bound | None = None
    absolute_bias: Bound | None = None
    min_n: int = Field(default=30, ge=1)
    max_excluded_share: Share = "0.05"


Grouping = str | tuple[str, ...]


class FairnessLimits(_KindLimits):
    """`features`: which groupings are judged, a list within the list being a crossing; empty means every
    single feature measured. Groups below `min_n` rows are shown and not judged; the judged ones must
    hold `min_coverage` of the rows."""

    features: tuple[Grouping, ...] = ()
    demographic_parity_difference: Bound | None = None
    demographic_parity_ratio: Bound | None = None
    equalized_odds_difference: Bound | None = None
    equal_opportunity_difference: Bound | None = None
    false_positive_rate_difference: Bound | None = None
    equalized_odds_ratio: Bound | None = None
    predictive_parity_difference: Bound | None = None
    accuracy_difference: Bound | None = None
    worst_group_accuracy: Bound | None = None
    mean_score_difference: Bound | None = None
    min_n: int = Field(default=30, ge=1)
    min_coverage: Share = "0.95"
    max_excluded_share: Share = "0.05"

    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """`features` with single names as tuples of one."""
        return tuple((entry,) if isinstance(entry, str) else entry for entry in self.features)


class RegressionGapsLimits(_KindLimits):
    """`features`, `min_n` and `min_coverage` as for fairness. Differences and errors are in units of the outcome."""

    features: tuple[Grouping, ...] = ()
    mae_difference: Bound | None = None
    mae_ratio: Bound | None = None
    rmse_difference: Bound | None = None
    rmse_ratio: Bound | None = None
    mean_error_difference: Bound | None = None
    mean_prediction_difference: Bound | None = None
    worst_group_mae: Bound | None = None
    worst_group_rmse: Bound | None = None
    worst_group_bias: Bound | None = None
    min_n: int = Field(default=30, ge=1)
    min_coverage: Share = "0.95"
    max_excluded_share: Share = "0.05"

    @model_validator(mode="after")
    def _sides(self) -> Self:
        for name, bound in self.bounds().items():
            wanted = "min" if name.endswith("_ratio") else "max"
            if getattr(bound, wanted) is None:
                side = "below" if wanted == "min" else "above"
                raise ValueError(f"{name}: limited from {side}; expected {wanted}")
        return self

    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """`features` with single names as tuples of one."""
        return tuple((entry,) if isinstance(entry, str) else entry for entry in self.features)


class _Ceilings(_KindLimits):
    """Limits of what there may be at most."""

    @model_validator(mode="after")
    def _upper(self) -> Self:
        wrong = [name for name, bound in self.bounds().items() if bound.max is None]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: limited from above; expected max")
        return self


class DriftLimits(_Ceilings):
    """`columns`: which columns are judged; empty means every one that was to be compared. The distances
    alarm only when the column's p-value, adjusted over all columns, is below `alpha` too."""

    columns: tuple[str, ...] = ()
    psi: Bound | None = None
    js_distance: Bound | None = None
    ks: Bound | None = None
    wasserstein_scaled: Bound | None = None
    cramers_v: Bound | None = None
    total_variation: Bound | None = None
    missing_rate_increase: Bound | None = None
    new_category_share: Bound | None = None
    window_psi: Bound | None = None
    alpha: Share = "0.05"
    min_n: int = Field(default=30, ge=1)


class QualityLimits(_Ceilings):
    """`columns`: those whose `missing_rate` is judged; empty means all. `missing_by_column`: the largest missing rate of
    single columns, beside the common one. `freshness_days`: age of the newest row."""

    columns: tuple[str, ...] = ()
    missing_rate: Bound | None = None
    missing_by_column: dict[str, Share] = Field(default_factory=dict, max_length=2_000)
    duplicate_share: Bound | None = None
    constant_columns: Bound | None = None
    empty_columns: Bound | None = None
    out_of_range_share: Bound | None = None
    infinite_share: Bound | None = None
    freshness_days: Bound | None = None
    schema_changes: Bound | None = None

    def bounds(self) -> dict[str, Bound]:
        """The limits, those of single columns under `missing_by_column.NAME`."""
        single = {
            f"missing_by_column.{name}": Bound(max=most)
            for name, most in self.missing_by_column.items()
        }
        return {**super().bounds(), **single}


class BiasAuditLimits(_KindLimits):
    """`features` as for fairness. `alpha`: a ratio below the limit fails where the rates differ significantly at this
    level, or where its whole interval is below. Groups below `min_n` rows and of unknown category are shown and not
    judged; the judged ones must hold `min_coverage` of the rows."""

    features: tuple[Grouping, ...] = ()
    impact_ratio: Bound | None = None
    alpha: Share = "0.05"
    min_n: int = Field(default=30, ge=1)
    min_coverage: Share = "0.95"
    max_excluded_share: Share = "0.05"

    @model_validator(mode="after")
    def _lower(self) -> Self:
        if self.impact_ratio is not None and self.impact_ratio.min is None:
            raise ValueError("impact_ratio is limited from below; expected min")
        return self

    @property
    def bound(self) -> Bound:
        """The limit, which is always there."""
        return self.bounds()["impact_ratio"]

    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """`features` with single names as tuples of one."""
        return tuple((entry,) if isinstance(entry, str) else entry for entry in self.features)


class ProxyLimits(_KindLimits):
    """`columns`: which features are judged (the score by its column), `attributes`: against which sensitive columns;
    empty means every one that was measured. Beyond the limit fails only where the p-value, adjusted over everything that
    was measured, is below `alpha` too."""

    columns: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    cramers_v: Bound | None = None
    alpha: Share = "0.05"
    min_n: int = Field(default=30, ge=1)
    max_excluded_share: Share = "0.05"

    @model_validator(mode="after")
    def _upper(self) -> Self:
        if self.cramers_v is not None and self.cramers_v.max is None:
            raise ValueError("cramers_v is limited from above; expected max")
        return self

    @property
    def bound(self) -> Bound:
        """The limit, which is always there."""
        return self.bounds()["cramers_v"]


class LeakageLimits(_Strict):
    """The outcome among the features fails, and a feature that tells every outcome is a warning, whatever stands here.

    `shared_share`: rows that occur in the reference data; `perfect_features`: features that tell every outcome, beyond
    which it fails; `allow_features`: those of them somebody has looked at.
    """

    shared_share: Bound | None = None
    perfect_features: Bound | None = None
    allow_features: tuple[str, ...] = Field(default=(), max_length=500)

    @model_validator(mode="after")
    def _upper(self) -> Self:
        for name in ("shared_share", "perfect_features"):
            bound = getattr(self, name)
            if bound is not None and bound.max is None:
                raise ValueError(f"{name}: limited from above; expected max")
        return self


class PiiLimits(_Strict):
    """`found`: rows of a column in which a kind of personal data may be recognised; `allow_columns`: those of which
    somebody has said that they may hold some."""

    found: Bound = Bound(max="0")
    allow_columns: tuple[str, ...] = Field(default=(), max_length=500)

    @model_validator(mode="after")
    def _upper(self) -> Self:
        if self.found.max is None:
            raise ValueError("found: limited from above; expected max")
        return self


AllowedName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\.([A-Za-z_]\w*|\*)$", max_length=300)
]  # fmt: skip


class FilesLimits(_Strict):
    """What the files of a version may hold. Code that is known to be dangerous fails whatever stands here.

    `allow_globals`: names (or `module.*`) that pickles may import beside those the scanner knows to be data.
    `max_unverified`: how many files may be of a kind that nothing here reads to its end.
    """

    allow_globals: tuple[AllowedName, ...] = Field(default=(), max_length=500)
    max_unverified: int = Field(default=0, ge=0, le=10_000)

    def allows(self, name: str) -> bool:
        """Whether the policy lets pickles import this name."""
        return name in self.allow_globals or f"{name.rpartition('.')[0]}.*" in self.allow_globals
