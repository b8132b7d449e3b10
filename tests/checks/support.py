"""Making data files and reading them with the engine, for the tests of the checks."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings

from apps.checks.engine import compute
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.inspect import inspect
from apps.checks.engine.source import Caps, Source
from apps.checks.library import drift, fairness, performance
from apps.checks.library.drift import DriftResult
from apps.checks.library.groups import FairnessResult
from apps.checks.library.performance import PerformanceResult
from apps.checks.mapping import Mapping

DEMO = Path(__file__).resolve().parents[2] / "demo" / "data"
DATA = Path(__file__).resolve().parents[1] / "data"
CAPS = Caps(memory="500MB")
ACS = {
    "target": "y_true",
    "prediction": "y_pred",
    "score": "y_score",
    "sensitive": ["sex", "race"],
    "features": ["age", "schooling", "marital", "relationship", "disability"],
    "categorical": ["schooling"],
}
GERMAN = {
    "target": "y_true",
    "prediction": "y_pred",
    "score": "y_score",
    "sensitive": ["sex", "age_group"],
}

GOOD = pd.DataFrame(
    {
        "y": [1, 0, 1, 0] * 10,
        "p": [1, 1, 0, 0] * 10,
        "s": [0.9, 0.8, 0.2, 0.1] * 10,
        "g": ["a", "b"] * 20,
    }
)
ROLES = {"target": "y", "prediction": "p", "score": "s", "sensitive": ["g"]}


def workshop(caps: Caps = CAPS) -> Workshop:
    """A place to sort and spill in, inside the test run's own folder, which goes when the run ends."""
    return Workshop(caps, Path(tempfile.mkdtemp(prefix="scratch-", dir=settings.VAR)))


def data_set(path: Path, *, favourable: str = "1", caps: Caps = CAPS, **mapping: Any) -> DataSet:
    """A file as the service would hand it to the engine."""
    profile = inspect(path, caps=caps, scratch=workshop().scratch)
    return DataSet(path, profile.format, profile.columns, Mapping.parse(mapping), favourable)


def parquet(frame: pd.DataFrame, folder: Path, name: str = "data.parquet") -> Path:
    path = folder / name
    frame.to_parquet(path, index=False)
    return path


def csv(frame: pd.DataFrame, folder: Path, name: str = "data.csv") -> Path:
    path = folder / name
    frame.to_csv(path, index=False)
    return path


def csv_bytes(frame: pd.DataFrame) -> io.BytesIO:
    return io.BytesIO(frame.to_csv(index=False).encode())


def parquet_bytes(frame: pd.DataFrame) -> io.BytesIO:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    buffer.seek(0)
    return buffer


def performance_of(data: DataSet, **params: Any) -> PerformanceResult:
    chosen = performance.Params(**params)
    counted = compute.performance(
        data,
        workshop(),
        threshold=chosen.threshold,
        against=chosen.against,
        against_score=chosen.against_score,
    )
    return performance.measure(counted, chosen)


def fairness_of(data: DataSet, **params: Any) -> FairnessResult:
    chosen = fairness.Params(**params)
    return fairness.measure(compute.fairness(data, workshop(), chosen.crossings), chosen)


def drift_of(reference: DataSet, current: DataSet, **params: Any) -> DriftResult:
    return drift.measure(compute.drift(reference, current, workshop()), drift.Params(**params))


def distinct(source: Source, name: str, most: int = 0) -> list[str | None]:
    """The different values of a column as the engine writes them."""
    query = f"SELECT DISTINCT {source.text(name)} FROM {{data}}"  # noqa: S608 - columns by position
    return [row[0] for row in source.fetch(query, most=most)]


def number(text: str | None) -> float:
    """A stored decimal string as the double it came from."""
    assert text is not None
    return float(text)
