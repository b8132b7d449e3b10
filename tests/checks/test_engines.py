"""Where data are counted: rows with weights give what the rows give, and a result says which engine counted it."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from django.core.checks import run_checks

from apps.checks import kinds
from apps.checks.engine import engines
from apps.checks.engine.counts import Outcomes
from apps.checks.engine.drift import Pair, drift_statistics
from apps.checks.engine.scores import score_statistics
from apps.checks.engine.selections import selection_statistics
from apps.checks.engine.source import Source, locked
from apps.checks.engine.thresholds import count_at
from apps.checks.statistics import Labels
from apps.checks.versions import engine_of, libraries
from apps.core.errors import Invalid
from tests.checks.support import CAPS, data_set, parquet, workshop


def weighed(source: Source, names: list[str]) -> Source:
    """The same data as one row for each combination of values, with how often it occurs."""
    raw = ", ".join(source.raw(name) for name in names)
    query = f"SELECT {raw}, count(*) AS weight FROM {source.relation} GROUP BY ALL"  # noqa: S608
    rows = source.connection.execute(query, dict(source.parameters)).to_arrow_table()
    connection = locked((), CAPS, workshop().scratch)
    connection.register("rows_by_value", rows)
    return Source(connection, source.columns, CAPS, "rows_by_value", weighed=True)


def test_rows_with_weights_give_the_statistics_of_the_rows(tmp_path):
    rng = np.random.default_rng(8)
    n = 4000
    frame = pd.DataFrame(
        {
            "y": rng.integers(0, 2, n),
            "p": rng.choice([0.0, 1.0, None], n, p=[0.5, 0.45, 0.05]).astype(float),
            "s": rng.choice([0.1, 0.25, 0.5, 0.7, np.nan, np.inf], n),
            "g": rng.choice(["a", " ", "b", None], n),
        }
    )
    names = list(frame.columns)
    outcomes = Outcomes("y", "p", Labels("1", "1", "0"))
    with workshop().open(data_set(parquet(frame, tmp_path), features=["s"])) as plain:
        found = weighed(plain, names)
        assert found.fetch("SELECT count(*) FROM {data}")[0][0] < 200
        for statistics in (
            lambda source: source.rows(),
            lambda source: sorted(source.counted(["g", "p"]), key=str),
            lambda source: score_statistics(source, outcomes, "s"),
            lambda source: count_at(source, outcomes, "s", "0.25"),
            lambda source: selection_statistics(source, [("g",)], prediction="p", favourable="1", score="s"),
            lambda source: drift_statistics(source, source, [Pair("feature", name, name) for name in names]),
        ):  # fmt: skip
            assert statistics(found) == statistics(plain)


def test_of_no_rows_there_are_no_rows():
    connection = duckdb.connect()
    connection.register("nothing", pa.table({"c0": pa.array([], pa.int64()), "weight": pa.array([], pa.int64())}))  # fmt: skip
    assert Source(connection, {}, CAPS, "nothing", weighed=True).rows() == 0


def problems() -> list[str]:
    return [m.msg for m in run_checks() if m.id == "checks.E001"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("elsewhere", "expected local, or an address that begins with one of spark://"),
        ("postgres://host/db", "expected local"),
        ("spark:/host", "expected local"),
        ("", "expected local"),
        ("snowflake://u@a/d", "snowflake needs packages that are not installed: "),
        ("trino://host", "trino needs packages that are not installed: "),
    ],
)
def test_an_engine_that_cannot_be_used_stops_the_site_with_the_reason(settings, address, reason):
    settings.CHECKS_ENGINE = address
    (message,) = problems()
    assert message.startswith(f"CHECKS_ENGINE cannot be used: {reason}")
    with pytest.raises(Invalid, match="The engine cannot be used"):
        engines.connect(address)


def test_spark_without_java_is_refused_by_that_name(monkeypatch):
    monkeypatch.setattr(engines, "_importable", lambda _module: True)
    monkeypatch.setenv("PATH", "")
    assert engines.lacking("spark://host:7077") == "spark needs Java, and there is no program of that name"  # fmt: skip
    assert engines.lacking("duckdb://") == ""


def test_the_local_engine_is_the_usual_one_and_lacks_nothing(settings):
    assert settings.CHECKS_ENGINE == engines.LOCAL
    assert problems() == []
    assert engines.libraries(engines.LOCAL) == {}


def test_what_counted_is_part_of_what_a_result_was_made_with(settings, monkeypatch):
    before = {key: libraries(key) for key in kinds.registered()}
    monkeypatch.setattr(engines, "version", lambda name: f"version of {name}")
    settings.CHECKS_ENGINE = "spark://user:secret@host:7077"
    engine = {
        "engine": "spark",
        "ibis-framework": "version of ibis-framework",
        "pyspark": "version of pyspark",
    }
    for key in (
        "performance",
        "multiclass",
        "regression",
        "fairness",
        "bias_audit",
        "drift",
        "quality",
        "regression_gaps",
    ):
        assert libraries(key) == before[key] | engine
        assert engine_of(key) == settings.CHECKS_ENGINE
    for key in ("files", "leakage", "pii", "proxy"):
        assert libraries(key) == before[key]
        assert engine_of(key) == engines.LOCAL
