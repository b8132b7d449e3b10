"""Data that do not fit what is said of them: refused by field, and nothing is stored."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps.accounts.models import User
from apps.checks import services
from apps.checks.models import EvaluationDataset
from apps.core.errors import Invalid, NotFound
from apps.core.models import Blob
from apps.registry.models import ModelVersion
from tests.checks.support import DEMO, GERMAN, GOOD, ROLES, csv_bytes, parquet_bytes
from tests.support.people import as_actor


def refused(version: ModelVersion, user: User, **changes: object) -> Invalid:
    """The refusal of an attachment that differs from a good one only in this; nothing was stored."""
    given: dict[str, object] = {
        "role": "evaluation",
        "stream": csv_bytes(GOOD),
        "mapping": ROLES,
        "favourable": 1,
    }
    blobs = Blob.objects.count()
    with pytest.raises(Invalid) as refusal:
        services.attach_dataset(as_actor(user), version, **{**given, **changes})  # type: ignore[arg-type]
    assert not EvaluationDataset.objects.exists()
    assert Blob.objects.count() == blobs
    return refusal.value


WRONG: dict[str, tuple[dict[str, object], str]] = {
    "unknown role": ({"role": "training"}, "role"),
    "no file": ({"stream": None}, "file"),
    "two sources": ({"artifact": "eval/data.csv"}, "file"),
    "an empty upload": ({"stream": io.BytesIO(b"")}, "file"),
    "another format than said": ({"format": "parquet"}, "file"),
    "an unknown format": ({"format": "xlsx"}, "format"),
    "no target": ({"mapping": {**ROLES, "target": ""}}, "target"),
    "no prediction": ({"mapping": {**ROLES, "prediction": ""}}, "prediction"),
    "target is the prediction": ({"mapping": {**ROLES, "prediction": "y"}}, "prediction"),
    "no favourable outcome": ({"favourable": ""}, "favourable"),
    "an unknown favourable outcome": ({"favourable": "yes"}, "favourable"),
    "an unknown positive outcome": ({"mapping": {**ROLES, "positive": "2"}}, "positive"),
    "a missing column": ({"mapping": {**ROLES, "score": "probability"}}, "score"),
    "a missing sensitive column": ({"mapping": {**ROLES, "sensitive": ["region"]}}, "sensitive"),
    "a column named twice": ({"mapping": {**ROLES, "sensitive": ["g", "g"]}}, "sensitive"),
    "a score of words": ({"mapping": {**ROLES, "score": "g"}}, "score"),
    "more than two outcomes": (
        {"stream": csv_bytes(GOOD.assign(y=[0, 1, 2, 3] * 10))},
        "target",
    ),
    "a prediction that is no outcome": (
        {"stream": csv_bytes(GOOD.assign(p=[0, 1, 0, 7] * 10))},
        "prediction",
    ),
    "an outcome that is always missing": (
        {"stream": csv_bytes(GOOD.assign(y=[None] * 40))},
        "target",
    ),
    "a sensitive column of dates": (
        {"stream": parquet_bytes(GOOD.assign(g=pd.Timestamp("2026-01-01")))},
        "sensitive",
    ),
    "a sensitive column of names": (
        {
            "stream": csv_bytes(
                pd.concat([GOOD] * 30, ignore_index=True).assign(g=[f"n{i}" for i in range(1200)])
            )
        },
        "sensitive",
    ),
    "an unknown meaning": ({"mapping": {**ROLES, "beauty": "s"}}, "beauty"),
    "weights": ({"mapping": {**ROLES, "weight": "s"}}, "weight"),
    "a list where a name belongs": ({"mapping": {**ROLES, "target": ["y"]}}, "target"),
    "a name of control characters": ({"name": "a\x07b"}, "name"),
    "a name too long": ({"name": "n" * 300}, "name"),
    "nothing to compare": ({"role": "reference", "mapping": {"target": "y"}}, "features"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("case", WRONG)
def test_data_that_do_not_fit_what_is_said_of_them_are_refused_by_field(version, ana, case):
    changes, field = WRONG[case]
    for value in changes.values():
        if isinstance(value, io.BytesIO):
            value.seek(0)
    found = refused(version, ana, **changes)
    assert field in found.fields, found.fields


@pytest.mark.django_db
def test_an_upload_that_grows_beyond_the_limit_is_cut_off(version, ana, settings):
    settings.CHECKS_MAX_FILE_BYTES = 50
    assert "file" in refused(version, ana).fields


@pytest.mark.django_db
def test_an_artifact_that_is_not_there_is_not_found(version, ana):
    with pytest.raises(NotFound):
        services.attach_dataset(
            as_actor(ana),
            version,
            role="evaluation",
            mapping=ROLES,
            favourable=1,
            artifact="no/such.csv",
        )
    assert not EvaluationDataset.objects.exists()


@pytest.mark.django_db
def test_nothing_is_left_in_the_scratch_folder(version, ana, settings):
    refused(version, ana, favourable="yes")
    with (DEMO / "german_credit_predictions.csv").open("rb") as stream:
        services.attach_dataset(
            as_actor(ana),
            version,
            role="evaluation",
            mapping=GERMAN,
            favourable=1,
            stream=stream,
        )
    assert list(Path(settings.CHECKS_SCRATCH).iterdir()) == []


@pytest.mark.django_db
@pytest.mark.parametrize("favourable", [1, "1", "1.0", 1.0])
def test_a_favourable_outcome_may_be_written_in_several_ways(version, ana, favourable):
    frame = GOOD.assign(y=GOOD["y"].astype(float), p=np.array(GOOD["p"], dtype="int8"))
    row = services.attach_dataset(
        as_actor(ana),
        version,
        role="evaluation",
        mapping=ROLES,
        favourable=favourable,
        stream=parquet_bytes(frame),
    )
    assert row.favourable == "1"
