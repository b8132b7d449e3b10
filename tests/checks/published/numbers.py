"""Published figures of methods: areas, intervals, tests, distances and errors, and the examples of their references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from apps.checks.library import drift
from apps.checks.library.columns import ColumnDrift, Test
from tests.checks.published.cases import Case, Printed, measured, metric, rows, stored
from tests.checks.support import DATA, data_set


def _scored(y: Sequence[int], s: Sequence[float]) -> Callable[[], Any]:
    """A classifier with these scores, and the decision at one half."""
    frame = pd.DataFrame({"y": y, "s": s}).assign(p=lambda frame: (frame["s"] >= 0.5) * 1)
    return lambda: measured("performance", stored(frame, target="y", prediction="p", score="s"))


def _decided(y: Sequence[Any], p: Sequence[Any], favourable: str = "1") -> Callable[[], Any]:
    frame = pd.DataFrame({"y": y, "p": p})
    return lambda: measured(
        "performance", stored(frame, favourable=favourable, target="y", prediction="p")
    )


# Hanley and McNeil 1982, table I: ratings 1 to 5 of 58 normal and 51 abnormal images.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def _images() -> Any:
    counts = {(0, rating): n for rating, n in enumerate(NORMAL, 1)}
    counts |= {(1, rating): n for rating, n in enumerate(ABNORMAL, 1)}
    frame = rows(["y", "s"], counts).assign(p=lambda frame: (frame["s"] >= 3) * 1)
    return measured("performance", stored(frame, target="y", prediction="p", score="s"))


def _logit_error(result: Any) -> float:
    """The standard error behind an interval on the logit scale."""
    auc = result.metrics["roc_auc"]
    low, high, value = float(auc.low), float(auc.high), float(auc.value)
    width = np.log(high / (1 - high)) - np.log(low / (1 - low))
    return float(width / (2 * 1.959963984540054) * value * (1 - value))


# DeLong et al. 1988, ovarian cancer: albumin, total protein, Krebs-Goplerud score, whether surgery helped.
OVARIAN = np.array(
    [
        "3.0",
        "5.8",
        "10",
        "0",
        "3.2",
        "6.3",
        "5",
        "1",
        "3.9",
        "6.8",
        "3",
        "1",
        "2.8",
        "4.8",
        "6",
        "0",
        "3.2",
        "5.8",
        "3",
        "1",
        "0.9",
        "4.0",
        "5",
        "0",
        "2.5",
        "5.7",
        "8",
        "0",
        "1.6",
        "5.6",
        "5",
        "1",
        "3.8",
        "5.7",
        "5",
        "1",
        "3.7",
        "6.7",
        "6",
        "1",
        "3.2",
        "5.4",
        "4",
        "1",
        "3.8",
        "6.6",
        "6",
        "1",
        "4.1",
        "6.6",
        "5",
        "1",
        "3.6",
        "5.7",
        "5",
        "1",
        "4.3",
        "7.0",
        "4",
        "1",
        "3.6",
        "6.7",
        "4",
        "0",
        "2.3",
        "4.4",
        "6",
        "1",
        "4.2",
        "7.6",
        "4",
        "0",
        "4.0",
        "6.6",
        "6",
        "0",
        "3.5",
        "5.8",
        "6",
        "1",
        "3.8",
        "6.8",
        "7",
        "1",
        "3.0",
        "4.7",
        "8",
        "0",
        "4.5",
        "7.4",
        "5",
        "1",
        "3.7",
        "7.4",
        "5",
        "1",
        "3.1",
        "6.6",
        "6",
        "1",
        "4.1",
        "8.2",
        "6",
        "1",
        "4.3",
        "7.0",
        "5",
        "1",
        "4.3",
        "6.5",
        "4",
        "1",
        "3.2",
        "5.1",
        "5",
        "1",
        "2.6",
        "4.7",
        "6",
        "1",
        "3.3",
        "6.8",
        "6",
        "0",
        "1.7",
        "4.0",
        "7",
        "0",
        "3.7",
        "6.1",
        "5",
        "1",
        "3.3",
        "6.3",
        "7",
        "1",
        "4.2",
        "7.7",
        "6",
        "1",
        "3.5",
        "6.2",
        "5",
        "1",
        "2.9",
        "5.7",
        "9",
        "0",
        "2.1",
        "4.8",
        "7",
        "1",
        "2.8",
        "6.2",
        "8",
        "0",
        "4.0",
        "7.0",
        "7",
        "1",
        "3.3",
        "5.7",
        "6",
        "1",
        "3.7",
        "6.9",
        "5",
        "1",
        "3.6",
        "6.6",
        "5",
        "1",
    ],
    dtype=float,
).reshape(-1, 4)


def _ovarian(column: int) -> Callable[[], Any]:
    """One test against the Krebs-Goplerud score, whose low values are the favourable ones."""
    frame = pd.DataFrame(OVARIAN[:, [column, 2, 3]], columns=["s", "kg", "y"]).astype({"y": int})
    frame = frame.assign(kg=10 - frame["kg"], p=1, old=1)
    return lambda: measured(
        "performance",
        stored(frame, target="y", prediction="p", score="s"),
        against="old",
        against_score="kg",
    )


def _difference(part: str) -> Callable[[Any], Any]:
    return lambda result: getattr(result.paired.roc_auc, part)


def _difference_error(result: Any) -> float:
    ends = result.paired.roc_auc
    return (float(ends.high) - float(ends.low)) / (2 * 1.959963984540054)


def _approval() -> Any:
    """Approval in the first and in the second survey: `old` and `p`, with everybody's outcome approval."""
    counts = {(1, 1): 794, (1, 0): 150, (0, 1): 86, (0, 0): 570}
    frame = rows(["old", "p"], counts).assign(y=1)
    return measured("performance", stored(frame, target="y", prediction="p"), against="old")


def _right(right: int, total: int) -> Callable[[], Any]:
    counts = {pair: n for pair, n in {(1, 1): right, (1, 0): total - right}.items() if n}
    return lambda: measured(
        "performance", stored(rows(["y", "p"], counts), target="y", prediction="p")
    )


def _wilson(right: int, total: int, low: str, high: str) -> Case:
    return Case(
        f"wilson-{right}-{total}",
        "performance",
        f"{right} of {total}",
        "Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998) 857, table I, method 3",
        _right(right, total),
        (
            Printed("lower end", low, metric("accuracy", "low")),
            Printed("upper end", high, metric("accuracy", "high")),
        ),
    )


def _newcombe(first: tuple[int, int], second: tuple[int, int], low: str, high: str) -> Case:
    counts = {}
    for name, (chosen, total) in {"first": first, "second": second}.items():
        counts[name, 1], counts[name, 0] = chosen, total - chosen
    counts = {key: count for key, count in counts.items() if count}

    def measure() -> Any:
        # A row of no group lets both labels occur where everybody or nobody was selected; it is group "unknown".
        frame = pd.concat(
            [rows(["g", "p"], counts), pd.DataFrame({"g": [None] * 2, "p": [0, 1]})]
        ).assign(y=1)
        data = stored(frame, target="y", prediction="p", sensitive=["g"])
        return measured("fairness", data, reference={"g": "second"})

    def signed(part: str) -> Callable[[Any], Any]:
        def found(result: Any) -> Any:
            [grouping] = result.groupings
            first = next(group for group in grouping.groups if group.values == ("first",))
            return getattr(first.differences["selection_rate"], part)

        return found

    return Case(
        f"newcombe-{first[0]}-{first[1]}-{second[0]}-{second[1]}",
        "fairness",
        f"{first[0]} of {first[1]} less {second[0]} of {second[1]}",
        "Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998) 873, table II, method 10",
        measure,
        (Printed("lower end", low, signed("low")), Printed("upper end", high, signed("high"))),
        note="Signed, as a group against a declared reference; the headline gap has no sign.",
    )


def _multiclass(y: Sequence[Any], p: Sequence[Any]) -> Callable[[], Any]:
    frame = pd.DataFrame({"y": y, "p": p}).astype(str).map(lambda text: f"l{text}")
    return lambda: measured(
        "multiclass", stored(frame, target="y", prediction="p", task="multiclass")
    )


def _regression(y: Sequence[float], p: Sequence[float]) -> Callable[[], Any]:
    frame = pd.DataFrame({"y": y, "p": p}, dtype=float)
    return lambda: measured(
        "regression", stored(frame, target="y", prediction="p", task="regression")
    )


# NIST, Statistical Reference Datasets, linear regression, Norris: y and x of 36 calibrations of ozone monitors.
NORRIS = np.array(
    [
        "0.1",
        "0.2",
        "338.8",
        "337.4",
        "118.1",
        "118.2",
        "888.0",
        "884.6",
        "9.2",
        "10.1",
        "228.1",
        "226.5",
        "668.5",
        "666.3",
        "998.5",
        "996.3",
        "449.1",
        "448.6",
        "778.9",
        "777.0",
        "559.2",
        "558.2",
        "0.3",
        "0.4",
        "0.1",
        "0.6",
        "778.1",
        "775.5",
        "668.8",
        "666.9",
        "339.3",
        "338.0",
        "448.9",
        "447.5",
        "10.8",
        "11.6",
        "557.7",
        "556.0",
        "228.3",
        "228.1",
        "998.0",
        "995.8",
        "888.8",
        "887.6",
        "119.6",
        "120.2",
        "0.3",
        "0.3",
        "0.6",
        "0.3",
        "557.6",
        "556.8",
        "339.3",
        "339.1",
        "888.0",
        "887.2",
        "998.5",
        "999.0",
        "778.9",
        "779.0",
        "10.2",
        "11.1",
        "117.6",
        "118.3",
        "228.9",
        "229.2",
        "668.4",
        "669.1",
        "449.2",
        "448.9",
        "0.2",
        "0.5",
    ],
    dtype=float,
).reshape(-1, 2)
_NORRIS_LINE = -0.262323073774029 + 1.00211681802045 * NORRIS[:, 1]

# Anscombe 1973: the four data sets' y; x of the first three and of the fourth.
_X = (10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5)
ANSCOMBE = {
    "first": (_X, (8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68)),
    "second": (_X, (9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74)),
    "third": (_X, (7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73)),
    "fourth": (
        (8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8),
        (6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89),
    ),
}


def _anscombe(name: str) -> Case:
    x, y = ANSCOMBE[name]
    return Case(
        f"anscombe-{name}",
        "regression",
        f"Anscombe's {name} data set, predicted by 3 + 0.5 x",
        "Anscombe, Graphs in statistical analysis, The American Statistician 27 (1973) 17",
        _regression(y, [3 + 0.5 * value for value in x]),
        (Printed("R2", "0.67", metric("r2")),),
        note="The same number for four data sets that look nothing alike: look at the errors, too.",
    )


def _drift(reference: Sequence[Any], current: Sequence[Any]) -> Callable[[], Any]:
    def measure() -> Any:
        sides = [pd.DataFrame({"x": list(values)}) for values in (reference, current)]
        return measured("drift", *(stored(side, favourable="", features=["x"]) for side in sides))

    return measure


def _counted(reference: Sequence[int], current: Sequence[int]) -> Callable[[], Any]:
    """Two samples of categories."""
    names = [f"c{index}" for index in range(len(reference))]
    return _drift(np.repeat(names, reference).tolist(), np.repeat(names, current).tolist())


def _effect(key: str) -> Callable[[Any], Any]:
    return lambda result: getattr(result.columns[0], key).value


def _test(part: str) -> Callable[[Any], Any]:
    return lambda result: getattr(result.columns[0].test, part)


def _area(number: int, first: list[float], second: list[float], text: str) -> Case:
    return Case(
        f"wasserstein-{number}",
        "drift",
        f"{len(first)} and {len(second)} values",
        "SciPy, reference of wasserstein_distance, examples",
        _drift(first, second),
        (Printed("distance", text, _effect("wasserstein"), off=20),),
        note="Values are moved by 0.25, which leaves the distance: few whole numbers are taken as categories here.",
    )


# Hours of the months from June 2021 to the ninth of May 2022: the rows are one an hour.
_MONTHS = (720, 744, 744, 720, 744, 720, 744, 744, 672, 744, 720, 216)
_BLOCKS = ["Longitude", "Latitude", "MedInc"]


def _california() -> Any:
    """Each month against the whole reference; the mean KS distance of each column."""
    reference = data_set(
        DATA / "california_housing_reference.parquet", favourable="", features=_BLOCKS
    )
    every = pd.read_parquet(DATA / "california_housing_analysis.parquet")
    ends = np.cumsum(_MONTHS)
    distances: dict[str, list[float]] = {name: [] for name in _BLOCKS}
    for start, end in zip((0, *ends[:-1]), ends, strict=True):
        month = stored(every[_BLOCKS].iloc[start:end], favourable="", features=_BLOCKS)
        for column in measured("drift", reference, month).columns:
            distances[column.name].append(float(column.ks.value))
    return {name: sum(values) / len(values) for name, values in distances.items()}


def _moved(*counts: tuple[float, int]) -> list[float]:
    return [value + 0.25 for value, count in counts for _ in range(count)]


def _tables(table: dict[str, Sequence[int]]) -> Callable[[], Any]:
    """A feature against an attribute with these counts."""
    counts = {
        (feature, f"g{place}"): count
        for feature, line in table.items()
        for place, count in enumerate(line)
    }
    frame = rows(["feature", "attribute"], counts)
    frame = frame.assign(y=[index % 2 for index in range(len(frame))], p=1)
    return lambda: measured(
        "proxy",
        stored(frame, target="y", prediction="p", sensitive=["attribute"], features=["feature"]),
        min_n=2,
    )


def _pair(part: str) -> Callable[[Any], Any]:
    return lambda result: getattr(result.pairs[0].test, part)


# Benjamini and Hochberg 1995, section 3.1: p-values of fifteen hypotheses about thrombolysis, sorted.
FIFTEEN = (0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000)  # fmt: skip


def _adjusted() -> Any:
    """Fifteen columns whose tests have these p-values: the last step of a drift check."""
    return drift._adjusted(
        [
            ColumnDrift(f"x{place}", "feature", "numeric", test=Test("t", "0.0", repr(p)))
            for place, p in enumerate(FIFTEEN)
        ]
    )


def _adjusted_p(place: int) -> Callable[[Any], Any]:
    return lambda columns: columns[place].test.p_adjusted


def _air_quality() -> Any:
    """153 days of R's airquality: 37 without ozone, 7 without radiation. Only what is missing matters here."""
    frame = pd.DataFrame({"Ozone": np.arange(153.0), "Solar.R": np.arange(153.0) + 0.5})
    frame.loc[:36, "Ozone"] = np.nan
    frame.loc[100:106, "Solar.R"] = np.nan
    return measured("quality", stored(frame.assign(y=1, p=1), target="y", prediction="p"))


def _missing(name: str) -> Callable[[Any], Any]:
    return lambda result: next(c for c in result.columns if c.name == name).missing_rate.numerator


_DELONG = (
    "DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837; data and figures as in SAS/STAT, "
    "the LOGISTIC procedure, example of comparing ROC curves"
)
_CORRECTED = "V of a proxy check is corrected for bias (Bergsma 2013) and smaller; from its chi-square comes the source's."
_SKLEARN = "scikit-learn, API reference, example of "

CASES = (
    Case("balanced-accuracy", "performance", "six decisions", _SKLEARN + "balanced_accuracy_score",
         _decided([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1]),
         (Printed("balanced accuracy", "0.625", metric("balanced_accuracy")),)),
    Case("matthews", "performance", "four decisions", _SKLEARN + "matthews_corrcoef",
         _decided([1, 1, 1, -1], [1, -1, 1, 1]),
         (Printed("Matthews correlation", "-0.33", metric("mcc")),)),
    Case("recall", "performance", "sixteen decisions", "Fairlearn 0.5, user guide, ungrouped metrics",
         _decided([0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1]),
         (Printed("recall", "0.5", metric("recall")),)),
    Case("brier", "performance", "four scores", _SKLEARN + "brier_score_loss",
         _scored([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]),
         (Printed("Brier score", "0.0375", metric("brier")),)),
    Case("log-loss", "performance", "four scores", _SKLEARN + "log_loss",
         _scored([1, 0, 0, 1], [0.9, 0.1, 0.2, 0.65]),
         (Printed("log loss", "0.21616", metric("log_loss")),)),
    Case("average-precision", "performance", "four scores", _SKLEARN + "average_precision_score and roc_auc_score (user guide)",
         _scored([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]),
         (Printed("average precision", "0.83", metric("average_precision")), Printed("ROC AUC", "0.75", metric("roc_auc")))),
    Case("hanley-mcneil", "performance", "109 CT images, rated 1 to 5 by a radiologist",
         "Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982) 29; "
         "standard error by DeLong's method as in Stata's manual of roctab",
         _images,
         (Printed("area", "0.893", metric("roc_auc")), Printed("standard error", "0.0307", _logit_error)),
         note="Hanley and McNeil's own standard error, 0.032, is by another formula. The interval here is on the logit scale."),
    Case("delong-albumin", "performance", "43 patients with ovarian cancer: albumin against the Krebs-Goplerud score",
         _DELONG, _ovarian(0),
         (Printed("standard error of the area, albumin", "0.0927", _logit_error),
          Printed("lower end of the difference", "-0.1761", _difference("low")),
          Printed("upper end of the difference", "0.1976", _difference("high")),
          Printed("standard error of the difference", "0.0953", _difference_error))),
    Case("delong-protein", "performance", "the same patients: total protein against the Krebs-Goplerud score",
         _DELONG, _ovarian(1),
         (Printed("area, total protein", "0.6478", metric("roc_auc")),
          Printed("standard error of the area", "0.1000", _logit_error),
          Printed("area less that of the score", "-0.0780", _difference("value")),
          Printed("standard error of the difference", "0.1046", _difference_error))),
    Case("agresti-approval", "performance", "Approval of a prime minister by 1 600 people, asked twice",
         "Agresti, Categorical Data Analysis (2013), table 11.1: down by 0.04, 95 % interval -0.06 to -0.02",
         _approval,
         (Printed("difference", "-0.04", lambda r: r.paired.accuracy.value),
          Printed("lower end", "-0.06", lambda r: r.paired.accuracy.low),
          Printed("upper end", "-0.02", lambda r: r.paired.accuracy.high))),
    _wilson(81, 263, "0.2553", "0.3662"),
    _wilson(15, 148, "0.0624", "0.1605"),
    _wilson(0, 20, "0.0000", "0.1611"),
    _wilson(1, 29, "0.0061", "0.1718"),
    _newcombe((56, 70), (48, 80), "0.0524", "0.3339"),
    _newcombe((9, 10), (3, 10), "0.1705", "0.8090"),
    _newcombe((6, 7), (2, 7), "0.0582", "0.8062"),
    _newcombe((5, 56), (0, 29), "-0.0381", "0.1926"),
    _newcombe((0, 10), (0, 20), "-0.1611", "0.2775"),
    _newcombe((0, 10), (0, 10), "-0.2775", "0.2775"),
    _newcombe((10, 10), (0, 20), "0.6791", "1.0000"),
    _newcombe((10, 10), (0, 10), "0.6075", "1.0000"),
    Case("multiclass-six", "multiclass", "six decisions on three labels", _SKLEARN + "precision_score, recall_score and f1_score",
         _multiclass([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]),
         (Printed("macro precision", "0.22", metric("macro_precision")),
          Printed("macro recall", "0.33", metric("macro_recall")),
          Printed("macro F1", "0.267", metric("macro_f1")),
          Printed("micro F1", "0.33", metric("micro_f1")),
          Printed("weighted F1", "0.267", metric("weighted_f1")))),
    Case("regression-four", "regression", "four predictions", _SKLEARN + "mean_absolute_error, root_mean_squared_error, r2_score and median_absolute_error",
         _regression([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]),
         (Printed("mean absolute error", "0.5", metric("mae")),
          Printed("root mean squared error", "0.612", metric("rmse")),
          Printed("R2 (0.948..., cut)", "0.948", metric("r2"), off=1),
          Printed("median absolute error", "0.5", metric("median_absolute_error")))),
    Case("norris", "regression", "Norris: 36 calibrations, predicted by the certified line",
         "NIST Statistical Reference Datasets, linear regression, Norris: certified R2 and residual standard deviation",
         _regression(NORRIS[:, 0].tolist(), _NORRIS_LINE.tolist()),
         (Printed("R2", "0.999993745883712", metric("r2")),
          Printed("residual standard deviation", "0.884796396144373",
                  lambda r: float(r.metrics["rmse"].value) * (36 / 34) ** 0.5, off=30)),
         note="The root mean squared error here divides by the rows (36), the residual standard deviation by 34; "
              "the line is known to fifteen digits."),
    *map(_anscombe, ANSCOMBE),
    _area(1, _moved((0, 1), (1, 1), (3, 1)), _moved((5, 1), (6, 1), (8, 1)), "5.0"),
    _area(2, _moved((0, 3), (1, 1)), _moved((0, 2), (1, 2)), "0.25"),
    _area(3, _moved((3.4, 14), (3.9, 9), (7.5, 31), (7.8, 72)), _moved((4.5, 32), (1.4, 35)), "4.0781331438047861"),
    Case("california", "drift", "Housing in California: twelve months against the reference, mean KS distance",
         "NannyML, examples, California housing dataset: means of the D statistics",
         _california,
         (Printed("Longitude", "0.836534", lambda means: means["Longitude"]),
          Printed("Latitude", "0.799592", lambda means: means["Latitude"]),
          Printed("MedInc", "0.158278", lambda means: means["MedInc"]))),
    Case("party", "drift", "Party of 1 557 women and 1 200 men", "Agresti, Introduction to Categorical Data Analysis (2007), p. 39, as in R's help of chisq.test",
         _counted((762, 327, 468), (484, 239, 477)),
         (Printed("chi-square", "30.07", _test("statistic")), Printed("p", "2.954e-07", _test("p_value")),
          Printed("degrees of freedom", "2", _test("degrees")))),
    Case("chi-square-scipy", "drift", "40 and 60 values of three categories", "SciPy, reference of chi2_contingency, example",
         _counted((10, 10, 20), (20, 20, 20)),
         (Printed("chi-square", "2.7777777777777777", _test("statistic"), off=20),
          Printed("p", "0.24935220877729619", _test("p_value"), off=200))),
    Case("cramers-v-scipy", "drift", "1 043 and 1 382 values of four categories", "SciPy, reference of contingency.association, example",
         _counted((100, 203, 420, 320), (150, 322, 700, 210)),
         (Printed("Cramer's V", "0.18617813077483678", _effect("cramers_v"), off=200),)),
    Case("jensen-shannon-1", "drift", "one category against another", "SciPy, reference of spatial.distance.jensenshannon, example (base 2)",
         _counted((50, 0), (0, 50)),
         (Printed("distance", "1.0", _effect("js_distance")),)),
    Case("jensen-shannon-2", "drift", "one category against two halves", "SciPy, reference of spatial.distance.jensenshannon, example (base e)",
         _counted((50, 0), (25, 25)),
         (Printed("distance, base e", "0.46450140402245893",
                  lambda r: float(r.columns[0].js_distance.value) * np.log(2) ** 0.5, off=200),),
         note="Base 2 here, so that the distance ends at 1; the figure is the source's after a change of base."),
    Case("kullback-leibler", "drift", "75 values of three categories, 9 to 12 to 4, against as many of each",
         "Kullback, Information Theory and Statistics (1959), as in Wikipedia, Kullback-Leibler divergence, basic example: "
         "0.0852996 one way and 0.0974550 the other",
         _counted((25, 25, 25), (27, 36, 12)),
         (Printed("PSI, the sum of both", "0.1827546", _effect("psi"), off=1),),
         note="The PSI is the sum of the two divergences."),
    Case("benjamini-hochberg", "drift", "p-values of fifteen hypotheses",
         "Benjamini and Hochberg, Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995) 289, section 3.1: four are "
         "rejected at 0.05; the adjusted values as in SciPy's reference of false_discovery_control",
         _adjusted,
         (Printed("rejected", "4", lambda columns: sum(float(c.test.p_adjusted) <= 0.05 for c in columns)),
          Printed("first adjusted p", "0.0015", _adjusted_p(0)), Printed("second", "0.003", _adjusted_p(1)),
          Printed("third", "0.0095", _adjusted_p(2)), Printed("fourth", "0.035625", _adjusted_p(3)))),
    Case("hair-eye", "proxy", "Colour of hair and eyes of 592 students", "Snee, The American Statistician 28 (1974) 9; figures as of R's vcd::assocstats",
         _tables({"black": (68, 20, 15, 5), "brown": (119, 84, 54, 29), "red": (26, 17, 14, 14), "blond": (7, 94, 10, 16)}),
         (Printed("chi-square", "138.29", _pair("statistic")), Printed("degrees of freedom", "9", _pair("degrees")),
          Printed("Cramer's V, not corrected", "0.279", lambda r: (float(_pair("statistic")(r)) / 592 / 3) ** 0.5)),
         note=_CORRECTED),
    Case("arthritis", "proxy", "Treatment and improvement of 84 patients", "Koch and Edwards 1988, as in R's vcd::Arthritis; figures of assocstats",
         _tables({"placebo": (29, 7, 7), "treated": (13, 7, 21)}),
         (Printed("chi-square", "13.055", _pair("statistic")), Printed("p", "0.0014626", _pair("p_value")),
          Printed("Cramer's V, not corrected", "0.394", lambda r: (float(_pair("statistic")(r)) / 84) ** 0.5)),
         note=_CORRECTED),
    Case("air-quality", "quality", "New York, 153 days of 1973", "R, datasets::airquality, summary",
         _air_quality,
         (Printed("days without ozone", "37", _missing("Ozone")), Printed("days without radiation", "7", _missing("Solar.R")))),
)  # fmt: skip
