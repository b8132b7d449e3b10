"""Bias audits: published tables number for number, golden vectors, equality with SciPy, and what must not pass."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import contingency

from apps.checks import kinds
from apps.checks.engine.selections import median_of
from apps.checks.kinds.base import Task
from apps.checks.library import impact
from apps.checks.library.bias_audit import (
    BiasAuditResult,
    Params,
    against_best,
    assess,
    measure,
)
from apps.checks.library.impact import Comparison, compare, fisher, two_proportion_z
from apps.checks.library.intervals import z_of
from apps.checks.limits import BiasAuditLimits
from apps.checks.selections import BiasAuditStatistics, Selections
from apps.checks.statistics import RowCount, from_data, to_data
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Missing, Table, Text
from tests.checks.support import ACS, DATA, DEMO, csv, data_set, number, parquet, workshop

Z = z_of(0.95)
LIMIT = BiasAuditLimits.model_validate({"impact_ratio": {"min": "0.80"}})
KIND = kinds.get("bias_audit")
ROLES = {"target": "y", "prediction": "p"}
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def compared(*counts: int) -> Comparison:
    found = compare(*counts, Z)
    assert found is not None
    return found


def audit(data: Any, **params: Any) -> BiasAuditResult:
    chosen = KIND.checked(Params(**params))
    _, result = KIND.run(Task(workshop(), (data,)), chosen)
    assert isinstance(result, BiasAuditResult)
    return result


def of_counts(counts: dict[str | None, tuple[int, int]], **params: Any) -> BiasAuditResult:
    """The audit of one column from (selected, total) by group."""
    table = Selections.of(("g",), {(name,): pair for name, pair in counts.items()})
    rows = RowCount(table.total, table.total)
    unknown = counts.get(None, (0, 0))[1]
    return measure(BiasAuditStatistics(rows, "1", unknown, (table,)), Params(**params))


def rows_of(
    counts: dict[tuple[str | None, ...], tuple[int, int]], names: list[str]
) -> pd.DataFrame:
    """One row a person: 1 for whoever was selected."""
    rows = [
        (*values, int(place < selected))
        for values, (selected, total) in counts.items()
        for place in range(total)
    ]
    frame = pd.DataFrame(rows, columns=[*names, "p"])
    return frame.assign(y=frame["p"])


# The golden vectors (SciPy): counts, ratio, z, p of z, Fisher's p, interval.
GOLDEN = [
    ((12, 40, 48, 80), "1/2", -3.0984, 0.001946, 0.003409, (0.3014, 0.8294)),
    ((7, 10, 9, 10), "7/9", -1.1180, 0.2636, 0.5820, (0.4933, 1.2263)),
    ((7_900, 100_000, 10_000, 100_000), "79/100", -16.4495, None, 7.24e-61, (0.7681, 0.8126)),
]


@pytest.mark.parametrize(("counts", "ratio", "z", "p", "p_fisher", "ends"), GOLDEN)
def test_u04_ratio_tests_and_interval_of_the_golden_vectors(
    counts: tuple[int, int, int, int],
    ratio: str,
    z: float,
    p: float | None,
    p_fisher: float,
    ends: tuple[float, float],
) -> None:
    found = compared(*counts)
    assert found.ratio.exact == Fraction(ratio)
    assert number(found.z) == pytest.approx(z, abs=5e-5)
    if p is not None:
        assert number(found.p_z) == pytest.approx(p, abs=5e-5)
    assert number(found.p_fisher) == pytest.approx(p_fisher, rel=1e-3)
    assert number(found.ratio.low) == pytest.approx(ends[0], abs=5e-5)
    assert number(found.ratio.high) == pytest.approx(ends[1], abs=5e-5)


def test_u01_exactly_four_fifths_is_not_below_it_whatever_floats_say() -> None:
    assert (3 / 5) / (6 / 8) < 0.8  # the trap
    assert not compared(60, 100, 75, 100).below
    assert compared(59, 100, 75, 100).below
    for scale in (1, 7, 1_000_003):
        assert not compared(3 * scale, 5 * scale, 6 * scale, 8 * scale).below


def test_u03_below_four_fifths_with_small_numbers_is_inconclusive_and_not_a_failure() -> None:
    result = of_counts({"a": (70, 100), "b": (28, 40)})
    assert assess(result, LIMIT).verdict is Verdict.INCONCLUSIVE
    few = of_counts({"a": (27, 30), "b": (21, 30)})
    [row] = assess(few, LIMIT).rows
    assert row.verdict is Verdict.INCONCLUSIVE
    assert "0.778 (" in row.sentence
    assert "Fisher" not in row.sentence  # every cell is expected to hold 5 or more


def test_u02_below_and_significant_fails_and_a_smaller_significant_gap_is_said() -> None:
    below = assess(of_counts({"a": (600, 1000), "b": (470, 1000)}), LIMIT)
    assert below.verdict is Verdict.FAIL
    assert "p 5" in below.sentence
    smaller = assess(of_counts({"a": (60_000, 100_000), "b": (55_000, 100_000)}), LIMIT)
    assert smaller.verdict is Verdict.PASS
    assert "b is lower by less than that, and significantly" in smaller.sentence


def test_u03_the_page_shows_the_four_cells_never_one_number() -> None:
    result = of_counts(
        {
            "best": (600, 1000),
            "below and sure": (300, 1000),
            "below and few": (14, 30),
            "less and sure": (540, 1000),
            "less and few": (17, 30),
        }
    )
    [matrix] = [
        part
        for part in KIND.parts(result)
        if isinstance(part, Table) and part.caption.startswith("Ratio and significance")
    ]
    shown = [[cell.text for cell in row] for row in matrix.rows]
    assert shown == [
        ["Below four fifths", "1: below and sure", "1: below and few"],
        ["Four fifths or more", "1: less and sure", "1: less and few"],
    ]


def test_u04_fishers_test_decides_below_an_expected_cell_of_five() -> None:
    assert compared(7, 10, 9, 10).test == "Fisher exact"
    assert compared(7, 10, 9, 10).p_value == compared(7, 10, 9, 10).p_fisher
    at_five = compared(4, 10, 6, 10)
    assert number(at_five.least_expected) == 5
    assert at_five.test == "two-proportion z"


def test_u04_the_shortfall_is_the_fewest_more_that_reach_the_rate() -> None:
    found = compared(12, 40, 48, 80)
    assert (found.to_four_fifths, found.to_parity) == (8, 12)
    assert not compared(12 + 8, 40, 48, 80).below
    assert compared(12 + 7, 40, 48, 80).below
    assert compared(40, 40, 48, 80).to_parity == 0


def test_u04_one_person_is_moved_from_the_reference_to_the_group() -> None:
    assert compared(7, 10, 9, 10).flips  # 8/10 against 8/10
    assert not compared(7, 10, 9, 10).turns
    assert compared(3, 10, 4, 10).turns  # 4/10 against 3/10
    assert not compared(12, 40, 48, 80).flips
    full = compared(1, 1, 9, 10)
    assert not full.flips
    assert not full.turns  # nobody is left to be selected


tables = st.tuples(st.integers(1, 400), st.integers(1, 400)).flatmap(
    lambda sizes: st.tuples(
        st.integers(0, sizes[0]), st.just(sizes[0]), st.integers(0, sizes[1]), st.just(sizes[1])
    )
)


@quick
@given(tables)
def test_u04_tests_equal_scipy(counts: tuple[int, int, int, int]) -> None:
    x, m, y, n = counts
    table = [[x, m - x], [y, n - y]]
    assert fisher(x, m, y, n) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)
    z = two_proportion_z(x, m, y, n)
    if z is None:
        assert x + y in {0, m + n}
        return
    theirs = stats.chi2_contingency(table, correction=False)
    assert z**2 == pytest.approx(theirs.statistic, rel=1e-11, abs=1e-12)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(theirs.pvalue, rel=1e-9)
    assert float(impact.least_expected(x, m, y, n)) == pytest.approx(theirs.expected_freq.min())


@quick
@given(tables)
def test_u04_the_ratio_is_exact_and_lies_in_its_interval(counts: tuple[int, int, int, int]) -> None:
    x, m, y, n = counts
    found = compare(x, m, y, n, Z)
    if not y:
        assert found is None
        return
    assert found is not None
    assert found.ratio.exact == Fraction(x, m) / Fraction(y, n)
    assert found.below == (Fraction(x, m) / Fraction(y, n) < Fraction(4, 5))
    ends = found.ratio.interval
    assert ends is not None
    assert ends.low <= float(found.ratio.exact) <= ends.high
    assert math.isfinite(ends.high)
    if "half" not in found.ratio.method:
        theirs = contingency.relative_risk(x, m, y, n).confidence_interval(0.95)
        assert (ends.low, ends.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_a_table_too_wide_for_fishers_test_is_decided_by_z() -> None:
    found = compared(4_000_000, 10_000_000, 4_100_000, 10_000_000)
    assert found.p_fisher is None
    assert found.p_value == found.p_z


def test_nobody_selected_of_a_large_group_fails_although_the_logarithm_is_not_defined() -> None:
    result = of_counts({"a": (150, 300), "b": (0, 300)})
    [row] = assess(result, LIMIT).rows
    assert row.verdict is Verdict.FAIL
    assert "half added" in row.method


# 6 RCNY 5-301(b), the example of the rule's own text: applicants, selected, the ratio as it is printed there.
SEX = {"Male": (667, 1390, "1.00"), "Female": (555, 1181, "0.979")}
RACE = {
    "Hispanic or Latino": (204, 408, "0.97"),
    "White": (412, 797, "1.00"),
    "Black or African American": (170, 390, "0.84"),
    "Native Hawaiian or Pacific Islander": (52, 119, "0.85"),
    "Asian": (302, 616, "0.95"),
    "Native American or Alaska Native": (18, 41, "0.85"),
    "Two or More Races": (96, 213, "0.87"),
}
CROSSED = {
    ("Male", "Hispanic or Latino"): (90, 205, "0.841"),
    ("Female", "Hispanic or Latino"): (82, 190, "0.827"),
    ("Male", "White"): (215, 412, "1.000"),
    ("Male", "Black or African American"): (95, 226, "0.806"),
    ("Male", "Native Hawaiian or Pacific Islander"): (37, 87, "0.815"),
    ("Male", "Asian"): (167, 321, "0.997"),
    ("Male", "Native American or Alaska Native"): (11, 24, "0.878"),
    ("Male", "Two or More Races"): (52, 115, "0.866"),
    ("Female", "White"): (197, 385, "0.981"),
    ("Female", "Black or African American"): (75, 164, "0.876"),
    ("Female", "Native Hawaiian or Pacific Islander"): (15, 32, "0.898"),
    ("Female", "Asian"): (135, 295, "0.877"),
    ("Female", "Native American or Alaska Native"): (7, 17, "0.789"),
    ("Female", "Two or More Races"): (44, 98, "0.860"),
}


def test_l01_l03_the_intersectional_table_of_the_rules_own_example(tmp_path: Path) -> None:
    counts: dict[tuple[str | None, ...], tuple[int, int]] = {k: v[:2] for k, v in CROSSED.items()}
    unknown = {(None, "White"): (60, 100), ("Male", None): (70, 120), (None, None): (10, 30)}
    frame = rows_of({**counts, **unknown}, ["sex", "race"])
    data = data_set(csv(frame, tmp_path), sensitive=["sex", "race"], **ROLES)
    result = audit(data, exclude_below="0")
    crossed = result.tables[2]
    assert crossed.best == ("Male", "White")
    assert crossed.unknown == result.unknown == 250  # L-05: the rule's example says 250
    assert len(crossed.categories) == len(CROSSED)
    for category in crossed.categories:
        selected, total, printed = CROSSED[category.values]  # type: ignore[index]
        assert (category.selected, category.total) == (selected, total)
        assert category.ratio is not None
        assert abs(number(category.ratio.value) - float(printed)) < 1e-3


@pytest.mark.parametrize(("column", "published"), [("sex", SEX), ("race", RACE)])
def test_l01_l03_the_single_tables_of_the_rules_own_example(
    column: str, published: dict[str, tuple[int, int, str]]
) -> None:
    table = Selections.of((column,), {(k,): v[:2] for k, v in published.items()})
    rows = RowCount(table.total, table.total)
    result = measure(BiasAuditStatistics(rows, "1", 0, (table,)), Params(exclude_below="0"))
    for category in result.tables[0].categories:
        printed = published[str(category.values[0])][2]
        assert category.ratio is not None
        # The rule prints ratios of rates that it has rounded to per cent before.
        assert abs(number(category.ratio.value) - float(printed)) < 0.01


# 6 RCNY 5-301(c), the example for scores: applicants, above the median, the ratio as it is printed there.
SCORED = {
    ("Male", "Hispanic or Latino"): (12, 16, "1.00"),
    ("Female", "Hispanic or Latino"): (6, 12, "0.67"),
    ("Male", "White"): (7, 20, "0.47"),
    ("Male", "Black or African American"): (10, 20, "0.67"),
    ("Male", "Native Hawaiian or Pacific Islander"): (3, 4, "1.00"),
    ("Male", "Asian"): (7, 12, "0.78"),
    ("Male", "Native American or Alaska Native"): (5, 8, "0.83"),
    ("Male", "Two or More Races"): (6, 12, "0.67"),
    ("Female", "White"): (8, 20, "0.53"),
    ("Female", "Black or African American"): (6, 12, "0.67"),
    ("Female", "Native Hawaiian or Pacific Islander"): (2, 4, "0.67"),
    ("Female", "Asian"): (3, 12, "0.33"),
    ("Female", "Native American or Alaska Native"): (5, 8, "0.83"),
    ("Female", "Two or More Races"): (4, 8, "0.67"),
}
SCORED_SEX = {"Male": (92, "1.00"), "Female": (76, "0.82")}
SCORED_RACE = {
    "Hispanic or Latino": (28, "1.00"),
    "White": (40, "0.58"),
    "Black or African American": (32, "0.78"),
    "Native Hawaiian or Pacific Islander": (8, "0.97"),
    "Asian": (24, "0.65"),
    "Native American or Alaska Native": (16, "0.97"),
    "Two or More Races": (20, "0.78"),
}


def test_l02_l03_all_three_tables_of_the_rules_example_for_scores(tmp_path: Path) -> None:
    frame = rows_of({k: v[:2] for k, v in SCORED.items()}, ["sex", "race"])
    # Of 168 people 84 are above the median; the others lie at it or below, and at it is not above.
    frame["s"] = np.where(frame["p"] == 1, 0.9, 0.2)
    lower = frame.index[frame["p"] == 0]
    assert len(lower) == 84
    frame.loc[lower[:40], "s"] = 0.55
    unknown = pd.DataFrame({"sex": [None] * 15, "race": ["White"] * 15, "p": 1, "y": 1, "s": 0.99})
    data = data_set(
        csv(pd.concat([frame, unknown]), tmp_path), score="s", sensitive=["sex", "race"], **ROLES
    )
    scored = audit(data, exclude_below="0").scored
    assert scored is not None
    assert scored.median_rows == 168
    assert number(scored.median) == (0.55 + 0.9) / 2
    by_sex, by_race, crossed = scored.tables
    printed = {
        **{(k,): v for k, v in SCORED_SEX.items()},
        **{(k,): v for k, v in SCORED_RACE.items()},
    }
    for category in (*by_sex.categories, *by_race.categories):
        if None not in category.values and category.values[0] != "White":
            total, ratio = printed[category.values]  # type: ignore[index]
            assert category.total == total
            _near(category.ratio, ratio)
    for category in crossed.categories:
        above, total, ratio = SCORED[category.values]  # type: ignore[index]
        assert (category.selected, category.total) == (above, total)
        _near(category.ratio, ratio)


def _near(found: Any, printed: str) -> None:
    """As printed, give or take one digit: the rule truncates 64.28 to 64.2 before it divides."""
    assert found is not None
    assert abs(number(found.value) - float(printed)) <= 0.01


def test_l02_a_score_at_the_median_is_not_above_it(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"g": ["a"] * 5 + ["b"] * 5, "p": [0, 1] * 5, "y": 1, "s": [1, 5, 5, 5, 9, 5, 5, 5, 5, 9]}
    )
    scored = audit(data_set(csv(frame, tmp_path), score="s", sensitive=["g"], **ROLES)).scored
    assert scored is not None
    assert scored.median == "5.0"
    assert [(c.selected, c.total) for c in scored.tables[0].categories] == [(1, 5), (1, 5)]


def test_l02_between_two_neighbouring_doubles_nobody_moves_across_the_median() -> None:
    low = 1.0
    high = float(np.nextafter(low, 2))
    median, threshold = median_of(np.array([high, low]))
    assert Fraction(threshold) <= (Fraction(low) + Fraction(high)) / 2 < Fraction(high)
    assert float(threshold) == low
    assert float(median) in {low, high}
    huge = np.array([1.7e308, 1.6e308])
    assert number(median_of(huge)[0]) == pytest.approx(1.65e308)
    assert median_of(np.array([])) == ("", "")


@quick
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_l02_the_median_is_numpys_and_the_split_is_the_exact_one(scores: list[float]) -> None:
    median, threshold = median_of(np.array(scores))
    ordered = sorted(map(Fraction, scores))
    exact = (ordered[(len(scores) - 1) // 2] + ordered[len(scores) // 2]) / 2
    assert number(median) == pytest.approx(float(np.median(scores)), abs=1e-9)
    for score in scores:
        assert (score > float(threshold)) == (Fraction(score) > exact)


def test_l02_the_median_is_over_known_categories_or_over_all_as_chosen(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "g": ["a", "b", "a", "b", None, None, None, None],
            "p": 1,
            "y": 1,
            "s": [1, 2, 3, 4, 9, 9, 9, 9],
        }
    )
    data = data_set(csv(frame, tmp_path), score="s", sensitive=["g"], **ROLES)
    known, every = audit(data).scored, audit(data, median_over="all").scored
    assert known is not None
    assert every is not None
    assert (known.median, known.median_rows) == ("2.5", 4)
    assert (every.median, every.median_rows) == ("6.5", 8)


def test_l04_the_reference_is_the_highest_category_that_is_not_left_out_and_the_report_says_so() -> (
    None
):
    result = of_counts({"a": (500, 1000), "b": (400, 1000), "tiny": (30, 39)})
    [table] = result.tables
    by_name = {category.label: category for category in table.categories}
    assert table.best == ("a",)
    assert table.ahead == ("tiny",)
    assert by_name["tiny"].ratio is None
    assert by_name["tiny"].excluded
    assert (by_name["tiny"].selected, by_name["tiny"].total) == (30, 39)  # shown all the same
    assert number(by_name["b"].ratio.value if by_name["b"].ratio else None) == 0.8
    said = " ".join(part.text for part in KIND.parts(result) if isinstance(part, Text))
    assert "A category that is left out has a higher rate than the reference a: tiny." in said
    assert "the published summary must give one" in said


def test_l04_two_per_cent_itself_is_not_left_out_and_zero_leaves_nobody_out() -> None:
    at = of_counts({"a": (490, 980), "b": (10, 20)})
    assert [category.excluded for category in at.tables[0].categories] == [False, False]
    below = of_counts({"a": (490, 981), "b": (10, 20)})
    assert [category.excluded for category in below.tables[0].categories] == [False, True]
    nobody = of_counts({"a": (490, 981), "b": (1, 1)}, exclude_below="0")
    assert nobody.tables[0].best == ("b",)


def test_l04_a_justification_stands_beside_the_table_and_more_than_two_per_cent_is_refused() -> (
    None
):
    result = of_counts({"a": (500, 1000), "b": (3, 9)}, justification="nine people")
    assert "Justification: nine people." in " ".join(
        part.text for part in KIND.parts(result) if isinstance(part, Text)
    )
    for wrong in (
        {"exclude_below": "0.021"},
        {"exclude_below": "x"},
        {"median_over": "some"},
        {"min_n": 0},
        {"alpha": "2"},
        {"justification": "x" * 2001},
    ):
        with pytest.raises(Invalid) as refusal:
            KIND.checked(Params(**wrong))  # type: ignore[arg-type]
        assert list(refusal.value.fields) == list(wrong)


def test_l05_unknown_people_are_counted_shown_and_compared_with_nobody(tmp_path: Path) -> None:
    frame = rows_of({("a",): (500, 1000), ("b",): (480, 1000), (None,): (10, 10)}, ["g"])
    result = audit(data_set(csv(frame, tmp_path), sensitive=["g"], **ROLES))
    assert result.unknown == 10
    assert result.tables[0].unknown == 10
    assert result.audits[0].reference == ("a",)  # although everybody unknown was selected
    [unknown] = [group for group in result.audits[0].groups if not group.known]
    assert (unknown.selected, unknown.total, unknown.comparison) == (10, 10, None)
    assert "10 rows of unknown category" in assess(result, LIMIT).sentence


def test_a_group_that_is_mostly_unknown_cannot_pass() -> None:
    result = of_counts({"a": (50, 100), "b": (50, 100), None: (0, 50)})
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert "200 of 250" in assessment.sentence


def test_one_person_alone_sets_no_reference_and_no_alarm() -> None:
    result = of_counts({"a": (600, 1000), "b": (590, 1000), "one": (1, 1)})
    assert result.audits[0].reference == ("a",)
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.PASS
    assert "1 smaller group shown and not judged" in assessment.sentence


def test_the_policys_own_smallest_group_decides_the_reference_too() -> None:
    result = of_counts({"a": (600, 1000), "b": (590, 1000), "c": (48, 60)})
    assert result.audits[0].reference == ("c",)
    larger = BiasAuditLimits.model_validate({"impact_ratio": {"min": "0.80"}, "min_n": 100})
    assert assess(result, LIMIT).verdict is not Verdict.PASS
    assert (
        "b (g) to a"
        in assess(of_counts({"a": (600, 1000), "b": (300, 1000), "c": (48, 60)}), larger).sentence
    )
    strict = BiasAuditLimits.model_validate(
        {"impact_ratio": {"min": "0.80"}, "min_n": 100, "min_coverage": "0.9"}
    )
    assert assess(result, strict).verdict is Verdict.PASS
    again = against_best(against_best(result.audits[0], 100, Z), 30, Z)
    assert again == result.audits[0]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"a": (50, 100)}, "1 group with 30 rows or more; comparing takes two"),
        ({"a": (5, 10), "b": (5, 10)}, "0 groups with 30 rows or more"),
        ({"a": (0, 100), "b": (0, 100)}, "nobody was selected"),
        ({None: (50, 100)}, "0 groups"),
    ],
)
def test_too_little_to_compare_is_insufficient_and_says_why(
    counts: dict[str | None, tuple[int, int]], said: str
) -> None:
    result = of_counts(counts)
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert said in assessment.sentence
    assert KIND.parts(result)


def test_everybody_selected_is_a_ratio_of_one() -> None:
    result = of_counts({"a": (500, 500), "b": (400, 400)})
    assert assess(result, LIMIT).verdict is Verdict.PASS


def test_rows_in_are_rows_counted_and_rows_left_out_with_reasons(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "g": ["a", "a", "b", "b"] * 25,
            "y": [None] * 40 + [1, 0] * 30,
            "p": [None] * 10 + [1, 0] * 45,
            "s": [float("inf"), float("-inf"), float("nan"), None] + [0.5, 0.7] * 48,
        }
    )
    data = data_set(parquet(frame, tmp_path), score="s", sensitive=["g"], **ROLES)
    result = audit(data)
    assert result.rows == RowCount(100, 90, {"prediction missing": 10})  # outcomes are not needed
    assert sum(category.total for category in result.tables[0].categories) == 90
    assert result.scored is not None
    assert result.scored.rows == RowCount(
        100, 96, {"score infinite": 2, "score missing or not a number": 2}
    )
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT  # a tenth was left out
    assert "10 of 100 rows were left out (10 prediction missing)" in assessment.sentence


def test_ten_thousand_groups_are_refused_and_the_other_columns_are_measured(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": range(10_000), "g": ["a", "b"] * 5_000, "p": [1, 0, 0, 1] * 2_500, "y": 1}
    )
    result = audit(data_set(parquet(frame, tmp_path), sensitive=["id", "g"], **ROLES))
    assert [each.features for each in result.audits] == [("g",)]
    assert {each.features for each in result.refused} == {("id",), ("id", "g")}
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert "more than 1\u00a0000 groups" in assessment.sentence
    assert sum(isinstance(part, Missing) for part in KIND.parts(result)) == 2


def test_a_column_of_dates_and_an_empty_one_are_no_groups(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"g": pd.to_datetime(["2020-01-01", "2021-01-01"] * 50), "p": [1, 0] * 50, "y": 1}
    )
    with pytest.raises(Invalid, match="'g' holds values that cannot be counted"):
        audit(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES))
    empty = pd.DataFrame({"g": [None] * 100, "p": [1, 0] * 50, "y": 1})
    result = audit(data_set(csv(empty, tmp_path), sensitive=["g"], **ROLES))
    assert result.unknown == 100
    assert assess(result, LIMIT).verdict is Verdict.INSUFFICIENT


def test_a_text_score_is_refused_by_name(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"g": ["a", "b"] * 50, "p": [1, 0] * 50, "y": 1, "s": ["high", "low"] * 50}
    )
    with pytest.raises(Invalid, match="'s' does not hold numbers"):
        audit(data_set(csv(frame, tmp_path), score="s", sensitive=["g"], **ROLES))


def test_data_without_a_sensitive_column_are_refused_before_anything_is_read() -> None:
    with pytest.raises(Invalid) as refusal:
        KIND.require([{"sensitive": []}])
    assert "sensitive" in refusal.value.fields


frames = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["x", "y", None]),
        st.sampled_from([1, 0, None]),
        st.sampled_from([0.1, 0.5, 0.5, 0.9, None, float("inf")]),
    ),
    min_size=4,
    max_size=80,
)


@quick
@given(frames, st.integers(0, 80))
def test_counts_equal_pandas_and_those_of_two_halves_add_up(
    tmp_path: Path, rows: list[tuple[Any, ...]], cut: int
) -> None:
    # One row of each label, so that either half can be declared.
    frame = pd.DataFrame(
        [("a", "x", 1, 0.5), ("a", "x", 0, 0.5), *rows], columns=["g", "h", "p", "s"]
    )
    frame["y"] = 1
    whole = _statistics(frame, tmp_path)
    decided = frame[frame["p"].notna()]
    for table in whole.tables:
        keys = [
            decided[name].astype(object).where(decided[name].notna(), "unknown")
            for name in table.features
        ]
        theirs = decided["p"].groupby(keys).agg(["sum", "size"])
        assert len(table.cells) == len(theirs)
        for cell in table.cells:
            key = tuple("unknown" if value is None else value for value in cell.values)
            row = theirs.loc[key if len(key) > 1 else key[0]]
            assert (cell.selected, cell.total) == (row["sum"], row["size"])
    assert whole.unknown == int(decided[["g", "h"]].isna().any(axis=1).sum())
    assert from_data(to_data(whole), BiasAuditStatistics) == whole
    head, tail = frame.iloc[: cut + 2], frame.iloc[cut + 2 :]
    if tail["p"].notna().any() and set(tail["p"].dropna()) == {0, 1}:
        halves = [_statistics(each, tmp_path) for each in (head, tail)]
        for one, other, both in zip(halves[0].tables, halves[1].tables, whole.tables, strict=True):
            assert one.plus(other) == both


def _statistics(frame: pd.DataFrame, folder: Path) -> BiasAuditStatistics:
    data = data_set(csv(frame, folder), score="s", sensitive=["g", "h"], **ROLES)
    statistics, _ = KIND.run(Task(workshop(), (data,)), Params())
    assert isinstance(statistics, BiasAuditStatistics)
    return statistics


def test_many_combinations_are_counted_by_a_pass_each_with_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = data_set(DEMO / "acs_employment_ma_2015.parquet", **ACS)
    joined, _ = KIND.run(Task(workshop(), (data,)), Params())
    monkeypatch.setattr("apps.checks.engine.selections.MOST_CELLS", 10)
    apart, _ = KIND.run(Task(workshop(), (data,)), Params())
    assert apart == joined


def test_acs_by_sex_and_race_equals_pandas(tmp_path: Path) -> None:
    path = DEMO / "acs_employment_ma_2015.parquet"
    frame = pd.read_parquet(path)
    result = audit(data_set(path, **ACS))
    rates = frame.groupby("race")["y_pred"].mean()
    large = frame["race"].value_counts() >= 30
    best = rates[large].max()
    [by_race] = [each for each in result.audits if each.features == ("race",)]
    for group in by_race.groups:
        if group.comparison is not None:
            ours = number(group.comparison.ratio.value)
            assert ours == pytest.approx(rates[group.label] / best, abs=1e-12)
    scored = result.scored
    assert scored is not None
    above = frame["y_score"] > frame["y_score"].median()
    theirs = above.groupby([frame["sex"], frame["race"]]).agg(["sum", "size"])
    for category in scored.tables[2].categories:
        row = theirs.loc[category.values]
        assert (category.selected, category.total) == (row["sum"], row["size"])


def test_adult_by_gender_has_a_finding_that_the_page_puts_first() -> None:
    mapping = {"target": "y_true", "prediction": "y_pred", "sensitive": ["gender"]}
    path = DATA / "adult_rf_predictions.csv"
    result = audit(data_set(path, **mapping))
    assert assess(result, LIMIT).verdict is Verdict.FAIL
    first = KIND.parts(result)[0]
    assert isinstance(first, Text)
    assert first.text.startswith("The lowest impact ratio is 0.")


def test_the_words_fair_and_unbiased_are_never_said() -> None:
    result = audit(data_set(DEMO / "acs_employment_ma_2015.parquet", **ACS))
    assessment = assess(result, LIMIT)
    said = [assessment.sentence, *(row.sentence for row in assessment.rows)]
    for part in KIND.parts(result):
        said += [
            getattr(part, name, "") for name in ("text", "heading", "caption", "note", "title")
        ]
    words = " ".join(said).lower()
    assert "fair" not in words
    assert "unbiased" not in words


def test_limits_ask_for_a_smallest_ratio_and_nothing_else() -> None:
    for wrong in (
        {},
        {"impact_ratio": {"max": "0.8"}},
        {"impact_ratio": {"min": 0.8}},
        {"ratio": {"min": "0.8"}},
    ):
        with pytest.raises(ValueError, match=r"expected min|names no limit|decimal|extra"):
            BiasAuditLimits.model_validate(wrong)


def test_a_demanded_column_that_was_not_measured_is_insufficient() -> None:
    limits = BiasAuditLimits.model_validate(
        {"impact_ratio": {"min": "0.8"}, "features": ["g", "age"]}
    )
    assessment = assess(of_counts({"a": (50, 100), "b": (50, 100)}), limits)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert "age was not measured." in [row.sentence for row in assessment.rows]


def test_a_table_that_lost_rows_is_never_published() -> None:
    table = Selections.of(("g",), {("a",): (1, 2)})
    with pytest.raises(ValueError, match="2 rows, 3 expected"):
        measure(BiasAuditStatistics(RowCount(3, 3), "1", 0, (table,)), Params())


def test_ties_for_the_reference_go_to_the_larger_group_then_by_name() -> None:
    groups = {"b": (50, 100), "a": (50, 100), "c": (60, 120)}
    for order in itertools.permutations(groups):
        result = of_counts({name: groups[name] for name in order})
        assert result.audits[0].reference == ("c",)
    assert of_counts({"b": (50, 100), "a": (50, 100)}).audits[0].reference == ("a",)
