"""Leakage: rows seen before, answers among the features, features that know too much."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.checks import selectors
from apps.checks.engine import equalrows
from apps.checks.engine.compute import DataSet
from apps.checks.engine.equalrows import Rows
from apps.checks.gates import required_checks_pass
from apps.checks.kinds import leakage as kind
from apps.checks.kinds.base import Task
from apps.checks.library.leakage import LeakageResult, Params
from apps.checks.limits import LeakageLimits
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Table, Text
from apps.modelcards import collect
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import csv, csv_bytes, data_set, parquet, workshop

RNG = np.random.default_rng(5)
TRAIN = pd.DataFrame({"a": range(100), "b": RNG.normal(size=100), "c": list("wxyz") * 25})
FEATURES = ["a", "b", "c"]


def judged_data(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with outcome and prediction that no feature tells."""
    n = len(frame)
    return frame.assign(y=[0, 1] * (n // 2) + [0] * (n % 2), p=1)


NEW = judged_data(
    pd.concat(
        [TRAIN.head(7), TRAIN.head(3), TRAIN.tail(50).assign(a=lambda part: part["a"] + 1000)],
        ignore_index=True,
    )
)
MEANING: dict[str, Any] = {"target": "y", "prediction": "p", "features": FEATURES}


def measured(evaluation: DataSet, reference: DataSet) -> LeakageResult:
    return kind.run(Task(workshop(), (evaluation, reference)), Params())[1]


def between(
    folder: Path, evaluation: pd.DataFrame = NEW, reference: pd.DataFrame = TRAIN, **meaning: Any
) -> LeakageResult:
    mapping = {**MEANING, **meaning}
    known = [name for name in mapping["features"] if name in reference.columns]
    return measured(
        data_set(parquet(evaluation, folder), **mapping),
        data_set(parquet(reference, folder, "reference.parquet"), features=known),
    )


def verdicts(result: LeakageResult, **limits: Any) -> dict[str, Verdict]:
    rows = kind.assess(result, LeakageLimits.model_validate(limits)).rows
    return {f"{row.key} {row.of}".strip(): row.verdict for row in rows}


def test_rows_of_the_reference_are_found_each_time_they_occur(tmp_path: Path) -> None:
    result = between(tmp_path)
    assert (result.rows, result.reference_rows) == (60, 100)
    assert (result.shared_share.numerator, result.distinct_shared) == (10, 7)
    assert result.usual_share.numerator == 0
    assert result.compared == tuple(FEATURES)
    assert verdicts(result, shared_share={"max": "0.16"})["shared_share"] == Verdict.FAIL
    assert verdicts(result, shared_share={"max": "0.17"})["shared_share"] == Verdict.PASS


def test_a_csv_and_a_parquet_file_of_the_same_rows_share_them_all(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3, None],
            "real": [0.1, -0.0, 1e300, float("nan")],
            "text": ["a", "", None, "b"],
            "yes": [True, False, True, True],
            "code": ["01", "1", "x", "y"],
        }
    )
    one = data_set(csv(judged_data(frame), tmp_path), target="y", prediction="p", features=list(frame))  # fmt: skip
    as_floats = frame.assign(real=[0.1, 0.0, 1e300, float("nan")], yes=["true", "false", "true", "true"])  # fmt: skip
    for reference in (frame.assign(yes=frame["yes"].map(str)), as_floats):
        other = data_set(parquet(reference, tmp_path), features=list(frame))
        found = measured(one, other)
        expected = 4 if reference is not as_floats else 0
        assert found.shared_share.numerator == expected, "texts are compared as they are written"


def test_without_declared_features_all_common_columns_are_compared_and_it_says_so(
    tmp_path: Path,
) -> None:
    one = data_set(parquet(NEW, tmp_path), target="y", prediction="p")
    other = data_set(parquet(TRAIN, tmp_path, "reference.parquet"))
    result = measured(one, other)
    assert (result.compared, result.declared) == (("a", "b", "c"), False)
    assert result.shared_share.numerator == 10
    assert verdicts(result)["answers_as_features"] == Verdict.INSUFFICIENT


@pytest.mark.parametrize("column", ["y", "p"])
def test_the_answer_among_the_features_fails_whatever_the_policy_says(
    tmp_path: Path, column: str
) -> None:
    result = between(tmp_path, features=[*FEATURES, column])
    assert result.answers == (column,)
    allowed = {"allow_features": [column], "shared_share": {"max": "1"}}
    assert verdicts(result, **allowed)["answers_as_features"] == Verdict.FAIL


def test_a_feature_that_tells_every_outcome_is_a_warning_until_somebody_has_looked(
    tmp_path: Path,
) -> None:
    told = NEW.assign(code=NEW["y"].map({0: "no", 1: "yes"}))
    result = between(tmp_path, told, features=[*FEATURES, "code"])
    assert result.perfect == ("code",)
    assert verdicts(result)["perfect_features code"] == Verdict.INCONCLUSIVE
    assert verdicts(result, perfect_features={"max": "0"})["perfect_features"] == Verdict.FAIL
    looked = verdicts(result, allow_features=["code"], perfect_features={"max": "0"})
    assert looked == {"answers_as_features": Verdict.PASS, "perfect_features": Verdict.PASS}


def test_one_row_that_differs_is_no_perfect_feature(tmp_path: Path) -> None:
    code = NEW["y"].map({0: "no", 1: "yes"})
    code[0] = "yes"
    assert between(tmp_path, NEW.assign(code=code), features=[*FEATURES, "code"]).perfect == ()


def test_a_name_for_each_row_tells_nothing_but_a_threshold_does(tmp_path: Path) -> None:
    frame = NEW.assign(name=[f"row {n}" for n in range(60)], score=NEW["y"] * 10 + RNG.random(60))
    result = between(tmp_path, frame, features=[*FEATURES, "name", "score"])
    assert result.perfect == ("score",)
    (row,) = [each for each in kind.assess(result, LeakageLimits()).rows if each.of == "score"]
    assert "without overlap" in row.sentence


def test_a_few_rows_are_too_few_to_say_that_a_feature_tells_all(tmp_path: Path) -> None:
    few = judged_data(TRAIN.head(20)).assign(code=lambda part: part["y"])
    assert between(tmp_path, few, features=[*FEATURES, "code"]).perfect == ()


def test_a_single_outcome_or_an_empty_feature_is_insufficient(tmp_path: Path) -> None:
    alone = between(tmp_path, NEW.assign(y=1))
    assert verdicts(alone)["perfect_features"] == Verdict.INSUFFICIENT
    empty = between(tmp_path, NEW.assign(c=None), TRAIN.assign(c=None))
    assert [each.name for each in empty.unlooked] == ["c"]
    assert verdicts(empty)["perfect_features"] == Verdict.INSUFFICIENT


def test_data_without_a_common_column_cannot_be_compared(tmp_path: Path) -> None:
    other = data_set(parquet(TRAIN.add_suffix("_new"), tmp_path, "o.parquet"), features=["a_new"])
    with pytest.raises(Invalid, match="no feature in common"):
        measured(data_set(parquet(NEW, tmp_path), **MEANING), other)


def test_dates_and_nested_values_are_compared_too(tmp_path: Path) -> None:
    def file(name: str, days: list[int], **more: list[int]) -> Path:
        table = pa.table(
            {
                "day": pa.array([dt.date(2026, 1, day) for day in days]),
                "list": pa.array([[str(day), "x, y"] for day in days]),
                **more,
            }
        )
        pq.write_table(table, tmp_path / name)
        return tmp_path / name

    one = data_set(file("one.parquet", [1, 2, 3], y=[0, 1, 0], p=[0, 1, 1]), target="y", prediction="p")  # fmt: skip
    other = data_set(file("two.parquet", [3, 4]))
    assert measured(one, other).shared_share.numerator == 1


def test_two_rows_with_one_hash_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded = equalrows._fold

    def colliding(rows: Rows, digest: Any, mix: str, only: str = "") -> None:
        """Every row has the same 64-bit hash: as if somebody had made it so."""
        folded(rows, (lambda _values: "hash(1)") if "hash(f" in mix else digest, mix, only)

    monkeypatch.setattr(equalrows, "_fold", colliding)
    result = between(tmp_path)
    assert (result.shared_share.numerator, result.distinct_shared) == (10, 7)
    assert result.usual_share.numerator == 0


def test_a_million_categories_are_compared_in_little_memory(tmp_path: Path) -> None:
    number = np.arange(1_000_000)
    train = pa.table({"id": pa.array(number).cast(pa.string())})
    new = pa.table({"id": pa.array(number[::2] + 500_000).cast(pa.string()), "y": number[::2] % 4 // 2, "p": number[::2] % 4 // 2})  # fmt: skip
    pq.write_table(train, tmp_path / "train.parquet")
    pq.write_table(new, tmp_path / "new.parquet")
    result = measured(
        data_set(tmp_path / "new.parquet", target="y", prediction="p", features=["id"]),
        data_set(tmp_path / "train.parquet", features=["id"]),
    )
    assert (result.shared_share.numerator, result.distinct_shared) == (250_000, 250_000)
    assert result.perfect == ()


def test_a_truncated_reference_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    reference = data_set(parquet(TRAIN, tmp_path, "r.parquet"), features=FEATURES)
    reference.path.write_bytes(reference.path.read_bytes()[:-9])
    with pytest.raises(Invalid, match="cannot be read"):
        measured(data_set(parquet(NEW, tmp_path), **MEANING), reference)


def test_the_page_begins_with_the_sentence_and_shows_the_most_telling_feature_first(
    tmp_path: Path,
) -> None:
    told = NEW.assign(code=NEW["y"])
    text, *_, table = kind.parts(between(tmp_path, told, features=[*FEATURES, "code"]))
    assert isinstance(text, Text)
    assert text.text == "10 rows of 60 occur in the reference data, compared by 3 columns; code tells the outcome of every row alone."  # fmt: skip
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[0]][:2] == ["code", "60"]


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), min_size=2, max_size=25)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(new=ROWS, train=ROWS, cut=st.integers(1, 24))
def test_shared_rows_of_two_halves_add_up_to_those_of_the_whole_and_are_those_of_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory,
    new: list[tuple[int, str | None]],
    train: list[tuple[int, str | None]],
    cut: int,
) -> None:
    folder = tmp_path_factory.mktemp("halves")

    def file(rows: list[tuple[int, str | None]], name: str) -> DataSet:
        table = pa.table({"n": [n for n, _ in rows], "t": pa.array([t for _, t in rows], pa.string()), "y": [n % 2 for n, _ in rows]})  # fmt: skip
        pq.write_table(table, folder / name)
        return data_set(folder / name, target="y", features=["n", "t"])

    def shared(rows: list[tuple[int, str | None]], name: str) -> int:
        return measured(file(rows, name), reference).shared_share.numerator or 0

    reference = file(train, "train.parquet")
    cut = 1 + cut % (len(new) - 1)
    whole = shared(new, "whole.parquet")
    assert whole == sum(row in set(train) for row in new)
    assert whole == shared(new[:cut], "first.parquet") + shared(new[cut:], "second.parquet")
    assert measured(reference, reference).usual_share.numerator == len(train) - len(set(train))


@pytest.mark.django_db(transaction=True)
def test_it_takes_both_data_sets_and_is_judged_by_the_gate_and_shown(
    version: ModelVersion, ana: User
) -> None:
    flow.attach(version, ana)
    assert "leakage" not in selectors.runnable(version), "nothing to compare with yet"
    meaning = {"features": ["age", "sex", "foreign_worker"]}
    frame = pd.read_csv(flow.DEMO / "german_credit_predictions.csv").head(300)
    flow.attach(version, ana, role="reference", stream=csv_bytes(frame), mapping=meaning, favourable="")  # fmt: skip
    row = flow.done(version, ana, "leakage")
    assert [each["part"] for each in row.inputs] == ["evaluation", "reference"]
    terms = {"checks": {"leakage": {"shared_share": {"max": "0.01"}}}}
    gate = required_checks_pass(version, [], terms)
    assert not gate.passes
    assert "Share of rows seen before" in gate.fact
    shown = collect.collect(version)["further_checks"]
    assert "occur in the reference data" in getattr(shown.parts[0], "text", "")
