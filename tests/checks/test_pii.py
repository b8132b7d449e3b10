"""Personal data: what is recognised, what is not, and that no value leaves the check."""

from __future__ import annotations

import json
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
from apps.checks.demands import CheckLimits
from apps.checks.engine import pii as engine
from apps.checks.engine.compute import DataSet
from apps.checks.gates import required_checks_pass
from apps.checks.kinds import pii as kind
from apps.checks.kinds.base import Task
from apps.checks.library.pii import ColumnScan, Params, PiiResult, merged
from apps.checks.library.recognisers import Recogniser, named
from apps.checks.limits import PiiLimits
from apps.checks.statistics import to_data
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Table, Text
from apps.modelcards import collect
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import csv, data_set, parquet, workshop

# Numbers that nobody has: those that their issuers publish for tests and examples.
EXAMPLES = {
    "email": "write to ana.silva+test@example.org.",
    "phone": "call +44 20 7946 0958 now",
    "iban": "pay GB29 NWBK 6016 1331 9268 19 please",
    "card": "card 4111 1111 1111 1111",
    "ip": "from 203.0.113.7 yesterday",
}


def measured(data: DataSet, **params: Any) -> PiiResult:
    return kind.KIND.run(Task(workshop(), (data,)), kind.checked(Params(**params)))[1]


def of(frame: pd.DataFrame, folder: Path, **params: Any) -> PiiResult:
    return measured(data_set(parquet(frame, folder)), **params)


def found(result: PiiResult) -> dict[str, dict[str, int]]:
    return {
        column.name: {each.kind: each.rows for each in column.found}
        for column in result.columns
        if column.found
    }


def verdicts(result: PiiResult, **limits: Any) -> dict[str, Verdict]:
    rows = kind.assess(result, PiiLimits.model_validate(limits)).rows
    return {f"{row.key} {row.of}".strip(): row.verdict for row in rows}


@pytest.mark.parametrize("wanted", EXAMPLES)
def test_each_kind_is_recognised_in_the_midst_of_a_text(wanted: str) -> None:
    assert Recogniser(()).kinds(EXAMPLES[wanted]) == {wanted}


@pytest.mark.parametrize(
    ("country", "text"),
    [
        ("us", "ssn 536-90-4399"),
        ("gb", "943 476 5870"),
        ("es", "dni 54362315K"),
        ("it", "RCCMNL83S18D969H"),
        ("nl", "111222333"),
        ("pl", "44051401359"),
        ("br", "390.533.447-05"),
        ("fi", "131052-308T"),
        ("in", "234123412346"),
        ("de", "36574261809"),
    ],
)
def test_an_identity_number_is_recognised_where_its_country_was_asked_for(
    country: str, text: str
) -> None:
    assert "identity" in Recogniser((country,)).kinds(text)
    assert "identity" not in Recogniser(()).kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "a@b", "user@", "@home", "version 1.2.3", "1.2.3.4.5", "12:30:45", "2026-03-31T12:30:45",
        "0.4111111111111111", "4111 1111 1111 1112", "1111111111111111", "GB00 NWBK 6016 1331 9268 19",
        "ratio 3.14159265358979", "order 12345678", "+1 234", "127.0.0.1", "::", "999.999.999.999",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_not_recognised(text: str) -> None:
    assert Recogniser(()).kinds(text) == frozenset()


def test_every_country_that_can_be_asked_for_has_its_checks() -> None:
    for country in kind.IDENTITY:
        assert Recogniser((country,)).checks, country


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("E-Mail", "email"), ("customer_email", "email"), ("dateOfBirth", "birth"), ("IP", "ip"), ("zip", "postcode"),
        ("phone2", ""), ("ship", ""), ("mailing", ""), ("income", ""), ("surname", "name"), ("user.iban", "account"),
    ],
)  # fmt: skip
def test_names_of_columns_are_read_word_by_word(column: str, says: str) -> None:
    assert named(column) == says


def test_rows_are_counted_and_no_value_leaves_the_check(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "note": [EXAMPLES["email"], EXAMPLES["email"], EXAMPLES["phone"], None, "plain", "x 1"],
            "amount": [4111111111111111, 5500005555555559, 1, 2, 3, 4],
            "score": [0.4111111111111111] * 6,
            "flag": [True] * 6,
        }
    )
    data = data_set(parquet(frame, tmp_path))
    statistics, result = kind.KIND.run(Task(workshop(), (data,)), Params())
    assert found(result) == {"note": {"email": 2, "phone": 1}, "amount": {"card": 2}}
    assert result.by_name_only == ("flag",)
    everything = json.dumps([to_data(statistics), to_data(result)]) + repr(kind.parts(result))
    for secret in ("example.org", "ana.silva", "7946", "411111"):
        assert secret not in everything


def test_a_csv_gives_the_same_as_the_parquet_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [*EXAMPLES.values()], "b": ["", "x@example.org", "1", "2", "3"]})
    assert found(of(frame, tmp_path)) == found(measured(data_set(csv(frame, tmp_path))))


def test_nested_texts_are_read_too(tmp_path: Path) -> None:
    table = pa.table({"who": pa.array([{"mail": "x@example.org"}, None]), "ok": [1, 2]})
    pq.write_table(table, tmp_path / "nested.parquet")
    assert found(measured(data_set(tmp_path / "nested.parquet"))) == {"who": {"email": 1}}


def test_a_long_text_is_read_in_pieces_and_nothing_is_cut_in_two() -> None:
    for before in (4_890, 4_990, 5_000, 200_000):
        assert Recogniser(()).kinds("x " * (before // 2) + "ana@example.org" + " y" * 300) == {"email"}  # fmt: skip


def test_a_text_beyond_all_measure_is_said_to_be_cut(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": ["x" * 1_100_000, "short"], "v": [1, 2]})
    result = of(frame, tmp_path)
    assert verdicts(result)["cut t"] == Verdict.INSUFFICIENT


def test_without_a_hit_it_says_what_was_looked_for_and_never_that_there_is_nothing(
    tmp_path: Path,
) -> None:
    result = of(pd.DataFrame({"a": ["x", "y"]}), tmp_path, countries=("PT",))
    text, *_, table = kind.parts(result)
    assert isinstance(text, Text)
    assert isinstance(table, Table)
    assert text.text.startswith("Looked for e-mail addresses, telephone numbers")
    assert "identity numbers (pt) in 1 column: none was recognised." in text.text
    assert "no personal data" not in text.text
    assert verdicts(result) == {"found": Verdict.PASS}


def test_a_firm_hit_fails_a_chance_one_is_inconclusive_and_an_allowed_column_passes(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame(
        {
            "note": ["a@example.org", *["x"] * 9],
            "few": [4111111111111111, *range(9)],
            "many": [4111111111111111] * 5 + [1] * 5,
        }
    )
    result = of(frame, tmp_path)
    assert verdicts(result) == {
        "found note": Verdict.FAIL,
        "found few": Verdict.INCONCLUSIVE,
        "found many": Verdict.FAIL,
    }
    assert verdicts(result, found={"max": "5"}) == {"found": Verdict.PASS}
    assert verdicts(result, allow_columns=["note", "few", "many"]) == {"found": Verdict.PASS}


def test_a_name_that_speaks_of_personal_data_has_to_be_allowed(tmp_path: Path) -> None:
    result = of(pd.DataFrame({"email": ["x"], "v": [1]}), tmp_path)
    assert verdicts(result)["named email"] == Verdict.INCONCLUSIVE
    assert set(verdicts(result, allow_columns=["email"])) == {"found"}


def test_a_sample_is_stated_with_its_size_and_seed_and_is_the_same_each_time(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame({"t": [f"n{n}@example.org" if n % 10 == 0 else f"+{n}@" for n in range(500)]})  # fmt: skip
    one = of(frame, tmp_path, most_values=100, seed=7)
    assert one == of(frame.sample(frac=1, random_state=1), tmp_path, most_values=100, seed=7)
    other = of(frame, tmp_path, most_values=100, seed=8)
    assert (one.columns[0].possible, one.columns[0].read, one.seed) == (500, 100, 7)
    assert 0 < sum(found(one)["t"].values()) < 50
    assert found(one) != found(other) or one.seed != other.seed
    assert verdicts(one)["sampled t"] == Verdict.INCONCLUSIVE
    assert of(frame, tmp_path).seed is None


def test_truth_values_or_nothing_at_all_are_insufficient(tmp_path: Path) -> None:
    for frame in (pd.DataFrame({"a": [True, False]}), pd.DataFrame({"a": [None, None]})):
        assert verdicts(of(frame, tmp_path)) == {"found": Verdict.INSUFFICIENT}


def test_a_million_categories_are_looked_through(tmp_path: Path) -> None:
    texts = pa.array(np.arange(1_000_000)).cast(pa.string())
    pq.write_table(pa.table({"id": pa.concat_arrays([texts, pa.array(["x@example.org"])])}), tmp_path / "m.parquet")  # fmt: skip
    result = measured(data_set(tmp_path / "m.parquet"))
    assert (result.rows, found(result)) == (1_000_001, {"id": {"email": 1}})


def test_a_truncated_file_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    data = data_set(parquet(pd.DataFrame({"a": ["x", "y"]}), tmp_path))
    data.path.write_bytes(data.path.read_bytes()[:-9])
    with pytest.raises(Invalid, match="cannot be read"):
        measured(data)


@pytest.mark.parametrize(
    ("params", "field"),
    [({"countries": ("xx",)}, "countries"), ({"most_values": 0}, "most_values"), ({"seed": -1}, "seed")],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(params: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        kind.checked(Params(**params))
    assert field in refusal.value.fields


def test_a_floor_is_no_limit_of_personal_data() -> None:
    with pytest.raises(Invalid):
        CheckLimits.parse({"pii": {"found": {"min": "1"}}})
    assert CheckLimits.parse({"pii": {}}).kinds == ("pii",)


TEXTS = st.lists(st.one_of(st.none(), st.sampled_from([*EXAMPLES.values(), "plain"]), st.text(max_size=20)), min_size=2, max_size=15)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(texts=TEXTS, cut=st.integers(1, 14))
def test_the_counts_of_two_halves_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("halves")
    table = pa.table({"t": pa.array(texts, pa.string()), "v": range(len(texts))})

    def scan(part: pa.Table, name: str) -> tuple[ColumnScan, ...]:
        pq.write_table(part, folder / name)
        data = data_set(folder / name)
        places = range(len(engine.read_columns(data)))
        return engine.scan(data, workshop(), Params(), places).columns

    cut = 1 + cut % (len(texts) - 1)
    whole = scan(table, "whole.parquet")
    parts = (scan(table[:cut], "first.parquet"), scan(table[cut:], "second.parquet"))
    counts = [{c.name: (c.rows, c.found, c.cut) for c in each} for each in (whole, merged(*parts))]
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_it_is_measured_judged_by_the_gate_and_shown(version: ModelVersion, ana: User) -> None:
    flow.attach(version, ana)
    assert "pii" in selectors.runnable(version)
    row = flow.done(version, ana, "pii")
    assert set(row.libraries) >= {"phonenumbers", "python-stdnum"}
    gate = required_checks_pass(version, [], {"checks": {"pii": {}}})
    assert gate.passes, gate.fact
    assert "Looked for" in gate.fact
    shown = collect.collect(version)["further_checks"]
    assert "none was recognised" in getattr(shown.parts[0], "text", "")
