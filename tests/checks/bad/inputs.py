"""Good data that every kind of check passes, and the ways in which they can be bad."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 2_000
MEANING: dict[str, Any] = {
    "target": "y",
    "prediction": "p",
    "score": "s",
    "sensitive": ["g"],
    "features": ["f", "c"],
}
LIMITS: dict[str, dict[str, Any]] = {
    "performance": {"accuracy": {"min": "0.6"}, "roc_auc": {"min": "0.6"}},
    "multiclass": {"accuracy": {"min": "0.6"}},
    "regression": {"mae": {"max": "1"}},
    "regression_gaps": {"mae_difference": {"max": "0.5"}, "mean_prediction_difference": {"max": "0.5"}},
    "fairness": {
        "demographic_parity_difference": {"max": "0.5"},
        "equalized_odds_difference": {"max": "0.5"},
        "mean_score_difference": {"max": "0.5"},
    },
    "bias_audit": {"impact_ratio": {"min": "0.5"}},
    "proxy": {"cramers_v": {"max": "0.5"}},
    "drift": {"psi": {"max": "0.25"}, "missing_rate_increase": {"max": "0.05"}, "new_category_share": {"max": "0.05"}},
    "quality": {
        "missing_rate": {"max": "0.05"},
        "constant_columns": {"max": "0"},
        "infinite_share": {"max": "0"},
        "schema_changes": {"max": "0"},
    },
    "leakage": {"shared_share": {"max": "0.5"}},
    "pii": {"found": {"max": "0"}},
}  # fmt: skip


def good(seed: int = 1, rows: int = ROWS) -> pd.DataFrame:
    """A useful model, two groups treated alike, nothing moved."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    s = np.clip(np.round(0.5 + (y - 0.5) * 0.5 + rng.normal(0, 0.2, rows), 4), 0.0, 1.0)
    return pd.DataFrame(
        {
            "y": y,
            "p": (s >= 0.5) * 1,
            "s": s,
            "g": rng.choice(["a", "b"], rows),
            "f": np.round(rng.normal(0, 1, rows), 6),
            "c": rng.choice(["red", "green", "blue"], rows),
        }
    )


# The columns whose values a kind of check looks at: the others may be as bad as they like.
READS = {
    "performance": "yps",
    "multiclass": "yp",
    "regression": "ys",
    "regression_gaps": "ysg",
    "fairness": "ypsg",
    "bias_audit": "psg",
    "proxy": "sgfc",
    "drift": "ypsgfc",  # by group: g
    "quality": "ypsgfc",
    "leakage": "yfc",
    "pii": "ypsgfc",
}


def meaning(kind: str) -> dict[str, Any]:
    """What is declared of the columns for a kind of check; a regression predicts y by the score."""
    if kind.startswith("regression"):
        return {**MEANING, "prediction": "s", "score": "", "task": "regression"}
    return {**MEANING, "task": "multiclass"} if kind == "multiclass" else MEANING


@dataclass(frozen=True, slots=True)
class Bad:
    """One way of being bad: writes the evaluation file; `column` is the one that a refusal must name ("" for the file)."""

    name: str
    column: str
    write: Callable[[Path], None]
    rows: int = ROWS


def _frame(name: str, column: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Bad:
    return Bad(name, column, lambda path: change(good()).to_parquet(path, index=False))


def _table(name: str, column: str, values: Callable[[int], pa.Array], rows: int = ROWS) -> Bad:
    def write(path: Path) -> None:
        frame = good(rows=rows)
        if (
            rows > 100_000
        ):  # counting what is good about so many rows takes time that this test has not
            frame = frame.round({"f": 1, "s": 2})
        table = pa.Table.from_pandas(frame, preserve_index=False)
        place = table.schema.get_field_index(column)
        pq.write_table(table.set_column(place, column, values(rows)), path)

    return Bad(name, column, write, rows)


def _bytes(name: str, data: Callable[[], bytes]) -> Bad:
    return Bad(name, "", lambda path: path.write_bytes(data()) and None)


def _with(column: str, values: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: values})


def _infinite(column: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[::5, column] = np.inf
        frame.loc[1::5, column] = -np.inf
        return frame

    return change


def _one_alone(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[0, "g"] = "one"
    frame.loc[1:, "g"] = "a"
    return frame


def _gaps(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[::5, "g"] = None
    return frame


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def _mixed_encodings() -> bytes:
    text = _csv(good()).decode().replace("red", "r\u00f6d")
    half = len(text) // 2
    return text[:half].encode() + text[half:].encode("latin-1")


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    return bytes(frame.to_parquet(index=False))


COLUMNS = ("y", "p", "s", "g", "f", "c")
BAD: tuple[Bad, ...] = (
    *(_frame(f"missing column {name}", name, lambda f, name=name: f.drop(columns=name)) for name in COLUMNS),
    *(_frame(f"renamed column {name}", name, lambda f, name=name: f.rename(columns={name: name.upper()})) for name in COLUMNS),
    *(_frame(f"all null {name}", name, _with(name, None)) for name in COLUMNS),
    _frame("constant p", "p", _with("p", 1)),
    _frame("constant s", "s", _with("s", 0.5)),
    _frame("constant g", "g", _with("g", "a")),
    _frame("constant f", "f", _with("f", 1.5)),
    _frame("constant c", "c", _with("c", "red")),
    _frame("one class only", "y", _with("y", 1)),
    _frame("words for the outcome", "y", _with("y", [f"word {n % 120}" for n in range(ROWS)])),
    _frame("words for the prediction", "p", _with("p", ["yes", "no", "perhaps", "never"] * (ROWS // 4))),
    _frame("words for the score", "s", _with("s", ["high", "low"] * (ROWS // 2))),
    _frame("words for a number", "f", _with("f", ["high", "low"] * (ROWS // 2))),
    _frame("numbers for words", "c", lambda f: f.assign(c=f["f"] * 3)),
    _frame("infinite score", "s", _infinite("s")),
    _frame("infinite feature", "f", _infinite("f")),
    _frame("unseen label", "p", lambda f: f.assign(p=f["p"].where(f.index % 10 > 0, 7))),
    _frame("a group of one", "g", _one_alone),
    _frame("missing sensitive values", "g", _gaps),
    _frame("sensitive dates", "g", _with("g", pd.date_range("2026-01-01", periods=ROWS))),
    _table("decimals", "f", lambda n: pa.array([Decimal(k % 900) / 100 for k in range(n)], pa.decimal128(10, 2))),
    _table("dates", "f", lambda n: pa.array([dt.date(2026, 1, 1) + dt.timedelta(k % 300) for k in range(n)], pa.date32())),
    _table("lists", "f", lambda n: pa.array([[k] for k in range(n)])),
    _table("10 000 groups", "g", lambda n: pa.array([f"group {k}" for k in range(n)]), rows=10_000),
    _table("1 000 000 categories", "c", lambda n: pa.array(np.char.add("v", np.arange(n).astype(str))), rows=1_000_000),
    _bytes("mixed encodings", _mixed_encodings),
    _bytes("truncated Parquet", lambda: _parquet_bytes(good())[:-100]),
    _bytes("damaged Parquet", lambda: _parquet_bytes(good())[:8] + b"\xff" * 4_000 + _parquet_bytes(good())[4_008:]),
    _bytes("a CSV bomb of one value", lambda: _csv(good()) + b"1,1,0.5,a," + b"9" * 20_000_000 + b",red\n"),
    _bytes("a CSV bomb of columns", lambda: b",".join(b"c%d" % k for k in range(50_000)) + b"\n" + b"1," * 49_999 + b"1\n"),
    _bytes("a CSV bomb of quotation marks", lambda: _csv(good()) + b'1,1,0.5,"' + b'""' * 5_000_000),
    _bytes("nothing", lambda: b""),
)  # fmt: skip
