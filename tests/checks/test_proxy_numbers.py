"""Proxies: equality with SciPy and scikit-learn, exact counts, and what must not pass."""

from __future__ import annotations

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
from sklearn.metrics import roc_auc_score

from apps.checks import kinds
from apps.checks.associations import Association, ProxyStatistics
from apps.checks.kinds.base import Task
from apps.checks.library.proxy import Params, Proxy, ProxyResult, assess, cramers_v, measure
from apps.checks.limits import ProxyLimits
from apps.checks.statistics import RowCount, from_data, to_data
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Missing, Table, Text
from tests.checks.support import ACS, DEMO, csv, data_set, number, parquet, workshop

KIND = kinds.get("proxy")
LIMIT = ProxyLimits.model_validate({"cramers_v": {"max": "0.30"}})
ROLES = {"target": "y", "prediction": "p", "sensitive": ["g"]}
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def looked(data: Any, **params: Any) -> tuple[ProxyStatistics, ProxyResult]:
    statistics, result = KIND.run(Task(workshop(), (data,)), KIND.checked(Params(**params)))
    assert isinstance(statistics, ProxyStatistics)
    assert isinstance(result, ProxyResult)
    return statistics, result


def framed(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(y=[1, 0] * (len(frame) // 2), p=1)


def the_pair(result: ProxyResult, feature: str = "f") -> Proxy:
    [found] = [pair for pair in result.pairs if pair.feature == feature]
    return found


def test_e02_a_feature_that_is_the_attribute_in_other_words_fails(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 100, f=["x", "z"] * 100)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f"], **ROLES))
    assert number(the_pair(result).cramers_v.value) == pytest.approx(1)
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.FAIL
    assert "Cramer's V of g from f: 1.000" in assessment.sentence


def test_e02_the_score_is_looked_at_as_the_inputs_are(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 300, f=["x", "x", "z", "z"] * 150, s=[0.1, 0.9, 0.2, 0.8] * 150)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f"], score="s", **ROLES))
    assert [(pair.feature, pair.role) for pair in result.pairs] == [
        ("f", "feature"),
        ("s", "score"),
    ]
    assert number(the_pair(result, "f").cramers_v.value) == 0
    score = the_pair(result, "s")
    assert number(score.cramers_v.value) > 0.99
    assert [(each.group, each.auc.exact) for each in score.separations] == [("a", 0), ("b", 1)]


def test_e02_a_middle_that_differs_from_both_ends_is_found_where_an_auc_finds_nothing(
    tmp_path: Path,
) -> None:
    values = np.arange(900)
    groups = np.where((values >= 300) & (values < 600), "a", "b")
    frame = framed(g=groups, f=values / 7)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f"], **ROLES))
    pair = the_pair(result)
    assert number(pair.separations[0].auc.value) == 0.5
    assert number(pair.cramers_v.value) > 0.9
    assert assess(result, LIMIT).verdict is Verdict.FAIL


def test_e02_that_a_value_is_missing_can_give_a_group_away(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 100, f=[1.5, None] * 100, t=["x", None] * 100)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f", "t"], **ROLES))
    assert [number(pair.cramers_v.value) for pair in result.pairs] == pytest.approx([1, 1])


def test_independent_columns_pass_and_few_rows_do_not(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    frame = framed(g=generator.choice(["a", "b"], 4000), f=generator.normal(size=4000))
    _, result = looked(data_set(parquet(frame, tmp_path), features=["f"], **ROLES))
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.PASS
    assert "No association above 0.30 between g and the 1 column measured" in assessment.sentence
    few = framed(g=generator.choice(["a", "b"], 80), f=generator.normal(size=80))
    _, result = looked(data_set(parquet(few, tmp_path), features=["f"], **ROLES))
    assert assess(result, LIMIT).verdict is Verdict.INCONCLUSIVE


counts = st.integers(2, 6).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 60), min_size=columns, max_size=columns), min_size=2, max_size=8
    )
)


@quick
@given(counts)
def test_v_and_chi_square_equal_scipy_and_the_formula(rows: list[list[int]]) -> None:
    table = np.array(rows, dtype=float)
    used = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    found = cramers_v(table, 0.95)
    if min(used.shape, default=0) < 2:
        assert found.value is None
        return
    r, c, n = *used.shape, used.sum()
    phi2 = stats.contingency.association(used.astype(int), method="cramer") ** 2 * (min(r, c) - 1)
    room = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    if room <= 0:
        assert found.value is None
        return
    theirs = math.sqrt(max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1)) / room)
    assert number(found.value) == pytest.approx(min(1.0, theirs), abs=1e-6)
    ends = found.interval
    assert ends is not None
    assert 0 <= ends.low <= number(found.value) <= ends.high <= 1


def test_the_interval_is_where_the_noncentral_chi_square_has_its_tails() -> None:
    table = np.array([[60.0, 40], [30, 70], [20, 30]])
    n, (r, c) = table.sum(), table.shape
    found = cramers_v(table, 0.95)
    chi2 = stats.chi2_contingency(table, correction=False).statistic
    ends = found.interval
    assert ends is not None
    for end, tail in ((ends.low, 0.975), (ends.high, 0.025)):
        away = end**2 * n * (min(r, c) - 1)
        assert stats.ncx2.cdf(chi2, (r - 1) * (c - 1), away) == pytest.approx(tail, abs=1e-8)


def test_a_statistic_below_its_expectation_is_no_proof_of_nothing() -> None:
    exactly_even = np.full((4, 2), 10.0)
    ends = cramers_v(exactly_even, 0.95).interval
    assert ends is not None
    assert ends.low == 0
    assert ends.high > 0.2


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    p = np.array([[0.30, 0.20], [0.10, 0.25], [0.05, 0.10]])
    expected = np.outer(p.sum(axis=1), p.sum(axis=0))
    truth = math.sqrt(((p - expected) ** 2 / expected).sum())
    hits = 0
    for _ in range(400):
        drawn = generator.multinomial(500, p.ravel()).reshape(p.shape).astype(float)
        ends = cramers_v(drawn, 0.95).interval
        assert ends is not None
        hits += ends.low <= truth <= ends.high
    assert hits >= 0.92 * 400


frames = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.one_of(
            st.none(),
            st.sampled_from([0.0, 1.0, 2.5, 2.5, -7.0, 1e300, float("inf")]),
            st.floats(-5, 5),
        ),
        st.sampled_from(["x", "y", "", None]),
    ),
    min_size=12,
    max_size=120,
)


@quick
@given(frames)
def test_counts_equal_pandas_the_auc_scikit_learn_and_no_row_is_lost(
    tmp_path: Path, rows: list[tuple[Any, ...]]
) -> None:
    frame = pd.DataFrame([*rows, ("a", 0.25, "x"), ("b", 0.75, "y")], columns=["g", "f", "t"])
    frame = frame.assign(y=1, p=1)
    data = data_set(parquet(frame, tmp_path), features=["f", "t"], **ROLES)
    statistics, result = looked(data, min_n=3)
    assert from_data(to_data(statistics), ProxyStatistics) == statistics
    for found, pair in zip(statistics.associations, result.pairs, strict=True):
        assert found.rows.total == len(frame)
        used = frame[frame["g"].isin(found.groups)]
        if found.feature == "f":
            used = used[~np.isinf(used["f"].astype(float))]
            _compare_auc(used[used["f"].notna()], pair)
        assert found.rows.counted == len(used)
        if len(used):
            text = used["t"].where(used["t"].notna() & (used["t"] != ""), None)
            column = text if found.feature == "t" else _cut(used["f"].astype(float), found)
            theirs = pd.crosstab(column.astype(object).where(column.notna(), "missing"), used["g"])
            ours = {
                "missing" if name is None else name: line
                for name, line in zip(found.categories, found.counts, strict=True)
                if sum(line)
            }
            assert len(ours) == len(theirs)
            for name, line in ours.items():
                for group, count in zip(found.groups, line, strict=True):
                    assert count == (theirs.loc[name, group] if group in theirs.columns else 0)


def _cut(values: pd.Series, found: Association) -> pd.Series:
    """The bins by pandas, named as ours."""
    edges = [-math.inf, *map(float, found.edges), math.inf]
    names = [name for name in found.categories if name is not None]
    if len(names) < len(edges) - 1:  # nothing but missing values
        return values.astype(object)
    return (
        pd.cut(values, edges, labels=range(len(names))).map(dict(enumerate(names))).astype(object)
    )


def _compare_auc(used: pd.DataFrame, pair: Proxy) -> None:
    for each in pair.separations:
        mine = used["g"] == each.group
        if mine.all() or not mine.any():
            assert each.auc.value is None
            continue
        assert each.n == mine.sum()
        theirs = roc_auc_score(mine, used["f"].astype(float))
        assert float(each.auc.exact) == pytest.approx(theirs, abs=1e-12)


def test_numbers_are_cut_at_the_twentieths_and_few_of_them_not_at_all(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 500, f=np.arange(1000) * 1.5, few=[1, 1, 2, 5] * 250)
    statistics, _ = looked(data_set(parquet(frame, tmp_path), features=["f", "few"], **ROLES))
    many, few = statistics.associations
    assert [sum(line) for line in many.counts] == [51, *[50] * 18, 49]  # (low, high]
    assert few.categories == ("up to 1", "over 1 up to 2", "over 2")
    assert [sum(line) for line in few.counts] == [500, 250, 250]


def test_ranks_are_summed_exactly_whatever_the_number_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(2)
    frame = framed(g=generator.choice(["a", "b", "c"], 500), f=generator.integers(0, 99, 500) / 4)
    data = data_set(parquet(frame, tmp_path), features=["f"], **ROLES)
    few, _ = looked(data)
    monkeypatch.setattr("apps.checks.engine.associations.WHOLE_DOUBLES", 0)
    many, _ = looked(data)
    assert many == few


def test_p_values_are_adjusted_over_all_pairs(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    columns = {f"f{i}": generator.normal(size=400) for i in range(6)}
    frame = framed(g=generator.choice(["a", "b"], 400), **columns)
    _, result = looked(data_set(parquet(frame, tmp_path), features=list(columns), **ROLES))
    tests = [pair.test for pair in result.pairs if pair.test is not None]
    assert len(tests) == 6
    adjusted = stats.false_discovery_control([number(test.p_value) for test in tests])
    assert [number(test.p_adjusted) for test in tests] == pytest.approx(adjusted)


def test_an_effect_that_is_not_significant_is_inconclusive() -> None:
    table = ((9, 3), (3, 9))
    pair = Association("f", "feature", "g", RowCount(24, 24), ("a", "b"), ("x", "y"), table)
    loose = ProxyLimits.model_validate({"cramers_v": {"max": "0.01"}, "min_n": 5, "alpha": "0.001"})
    result = measure(ProxyStatistics(24, (pair,)), Params())
    [row] = assess(result, loose).rows
    assert row.verdict is Verdict.INCONCLUSIVE
    assert "not significantly (adjusted p" in row.sentence


def test_rare_categories_count_as_one_in_the_test_and_the_table_says_so() -> None:
    rare = tuple((1, 0) for _ in range(6))
    table = ((400, 300), (100, 300), *rare)
    names = ("x", "y", *(f"r{i}" for i in range(6)))
    pair = Association("f", "feature", "g", RowCount(1106, 1106), ("a", "b"), names, table)
    result = measure(ProxyStatistics(1106, (pair,)), Params())
    [found] = result.pairs
    assert found.test is not None
    assert found.test.merged == 6
    merged = np.array([[400, 300], [100, 300], [6, 0]])
    theirs = stats.chi2_contingency(merged, correction=False)
    assert number(found.test.p_value) == pytest.approx(theirs.pvalue, rel=1e-9)
    [shown] = [part for part in KIND.parts(result) if isinstance(part, Table)]
    assert "6 of f" in shown.note


def test_a_smallest_group_of_thirty_still_has_a_test_on_twentieths(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    frame = framed(g=["a"] * 970 + ["b"] * 30, f=generator.normal(size=1000))
    _, result = looked(data_set(parquet(frame, tmp_path), features=["f"], **ROLES))
    test = the_pair(result).test
    assert test is not None
    assert (test.merged, test.degrees) == (0, 19)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"f": ["same"] * 200}, "one value only"),
        ({"f": [3.5] * 200}, "one value only"),
        ({"f": [None] * 200}, "it holds no values"),
        ({"f": [float("inf")] * 200}, "no values"),
        ({"f": pd.date_range("2020-01-01", periods=200)}, "cannot be counted as categories"),
        ({"f": [[1]] * 200}, "cannot be counted as categories"),
    ],
    ids=["constant text", "constant number", "empty", "infinite", "dates", "lists"],
)
def test_a_column_that_says_nothing_is_insufficient_with_its_reason(
    tmp_path: Path, column: dict[str, Any], said: str
) -> None:
    frame = framed(g=["a", "b"] * 100, **column)
    _, result = looked(data_set(parquet(frame, tmp_path), features=["f"], **ROLES))
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert said in " ".join(row.sentence for row in assessment.rows)
    assert KIND.parts(result)


def test_identifiers_are_refused_and_a_million_texts_do_not_matter(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 5000, f=[f"id {i}" for i in range(10_000)], h=["x", "z"] * 5000)
    _, result = looked(data_set(parquet(frame, tmp_path), features=["f", "h"], **ROLES))
    [gap] = result.unmeasured
    assert (gap.feature, gap.attribute) == ("f", "g")
    assert "an identifier or free text" in gap.reason
    only = ProxyLimits.model_validate({"cramers_v": {"max": "1"}, "columns": ["h"]})
    assert assess(result, only).verdict is Verdict.PASS
    assert assess(result, LIMIT).verdict is Verdict.FAIL
    assert sum(isinstance(part, Missing) for part in KIND.parts(result)) == 1


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (["a"] * 200, "1 group of 30 rows or more"),
        ([None] * 200, "0 groups"),
        (["a"] * 199 + ["b"], "1 group of 30 rows or more"),
        ([f"g{i}" for i in range(200)], "more than 50 groups"),
    ],
    ids=["one", "none", "one person", "too many"],
)
def test_an_attribute_without_two_groups_is_insufficient(
    tmp_path: Path, groups: list[str | None], said: str
) -> None:
    frame = framed(g=groups, f=["x", "z"] * 100)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f"], **ROLES))
    assert not result.pairs
    assessment = assess(result, LIMIT)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert said in assessment.sentence
    assert assess(result, ProxyLimits.model_validate({"cramers_v": {"max": "1"}, "columns": ["f"]})).verdict is Verdict.INSUFFICIENT  # fmt: skip


def test_small_groups_and_unknown_people_are_left_out_with_their_number(tmp_path: Path) -> None:
    groups = ["a"] * 100 + ["b"] * 80 + ["c"] * 8 + [None] * 12
    frame = framed(g=groups, f=[float(i) if i % 50 else float("inf") for i in range(200)])
    _, result = looked(data_set(parquet(frame, tmp_path), features=["f"], **ROLES))
    rows = the_pair(result).rows
    assert rows == RowCount(
        200, 176, {"value infinite": 4, "in a group that is too small": 8, "attribute unknown": 12}
    )
    assessment = assess(result, LIMIT)
    assert "24 of 200 rows for g were left out" in " ".join(r.sentence for r in assessment.rows)
    assert assessment.verdict is not Verdict.PASS


def test_the_attribute_among_its_features_is_named(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 100)
    _, result = looked(data_set(csv(frame, tmp_path), features=["g"], **ROLES))
    assert "the feature is the attribute itself" in assess(result, LIMIT).sentence


def test_a_number_as_attribute_and_categorical_features_are_told_by_value(tmp_path: Path) -> None:
    frame = framed(g=[1, 2] * 100, f=[10.0, 20.0] * 100, b=[True, False] * 100)
    data = data_set(parquet(frame, tmp_path), features=["f", "b"], categorical=["f"], **ROLES)
    statistics, _ = looked(data)
    assert [each.categories for each in statistics.associations] == [
        ("10", "20"),
        ("false", "true"),
    ]
    assert statistics.associations[0].groups == ("1", "2")


def test_names_with_quotes_and_braces_are_columns_like_others(tmp_path: Path) -> None:
    odd = "f'; {data} --\""
    frame = framed(**{"g": ["it's", '"b" {x}'] * 100, odd: [1.0, 2.0] * 100})
    data = data_set(parquet(frame, tmp_path), features=[odd], **ROLES)
    _, result = looked(data)
    assert number(the_pair(result, odd).cramers_v.value) == pytest.approx(1)


def test_limits_that_judge_nothing_are_refused() -> None:
    for wrong in ({}, {"cramers_v": {"min": "0.3"}}, {"auc": {"max": "0.7"}}):
        with pytest.raises(ValueError, match=r"expected max|names no limit|extra|Extra"):
            ProxyLimits.model_validate(wrong)
    for bad in ({"confidence": "1"}, {"min_n": 1}):
        with pytest.raises(Invalid) as refusal:
            KIND.checked(Params(**bad))  # type: ignore[arg-type]
        assert list(refusal.value.fields) == list(bad)


@pytest.mark.parametrize(
    ("mapping", "field"),
    [({"features": ["f"]}, "sensitive"), ({"sensitive": ["g"]}, "features")],
)
def test_data_that_declare_too_little_are_refused(mapping: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        KIND.require([mapping])
    assert list(refusal.value.fields) == [field]
    KIND.require([{"sensitive": ["g"], "score": "s"}])


def test_demanded_columns_and_attributes_that_were_not_measured_are_named(tmp_path: Path) -> None:
    frame = framed(g=["a", "b"] * 100, f=["x", "z", "z", "x"] * 50)
    _, result = looked(data_set(csv(frame, tmp_path), features=["f"], **ROLES))
    limits = ProxyLimits.model_validate(
        {"cramers_v": {"max": "1"}, "columns": ["f", "zip"], "attributes": ["g", "race"]}
    )
    said = [row.sentence for row in assess(result, limits).rows]
    assert "zip was not measured." in said
    assert "race was not measured." in said


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    frame = pd.read_parquet(DEMO / "acs_employment_ma_2015.parquet").head(3000)
    frame = frame.astype({"y_score": float})  # single precision has other digits in a CSV
    answers = [
        looked(data_set(path, **ACS))[0]
        for path in (csv(frame, tmp_path), parquet(frame, tmp_path))
    ]
    assert answers[0] == answers[1]


def test_acs_scores_tell_sex_and_the_page_says_so_first() -> None:
    path = DEMO / "acs_employment_ma_2015.parquet"
    frame = pd.read_parquet(path)
    _, result = looked(data_set(path, **ACS))
    first = KIND.parts(result)[0]
    assert isinstance(first, Text)
    assert first.text.startswith("Told best: sex from y_score, Cramer's V 0.338")
    [pair] = [p for p in result.pairs if (p.feature, p.attribute) == ("y_score", "sex")]
    theirs = roc_auc_score(frame["sex"] == "Female", frame["y_score"])
    assert float(pair.separations[0].auc.exact) == pytest.approx(theirs, abs=1e-12)
    assert isinstance(pair.separations[0].auc.exact, Fraction)
    assert assess(result, LIMIT).verdict is Verdict.FAIL
    words = " ".join(getattr(part, "text", "") for part in KIND.parts(result)).lower()
    assert "fair" not in words
    assert "unbiased" not in words
