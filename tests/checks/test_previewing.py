"""What a check would say of the first rows: by the real engine, within limits, and without a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.conf import settings as site

from apps.accounts.models import User
from apps.checks import choices, kinds, services
from apps.checks.choices import Choice
from apps.checks.engine.sample import first_rows
from apps.checks.library.drift import Params as DriftParams
from apps.checks.library.performance import PerformanceResult
from apps.checks.services import previewing
from apps.core.errors import Forbidden, Invalid
from apps.registry.models import ModelVersion
from tests.checks.flow import attach
from tests.checks.support import (
    GOOD,
    ROLES,
    csv,
    csv_bytes,
    data_set,
    parquet,
    parquet_bytes,
    workshop,
)
from tests.support.people import as_actor
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db

LONG = pd.concat([GOOD] * 600, ignore_index=True)  # 24 000 rows


def long_data(
    version: ModelVersion, user: User, frame: pd.DataFrame = LONG, **changes: Any
) -> None:
    attach(version, user, stream=parquet_bytes(frame), mapping=ROLES, **changes)


def test_it_measures_the_first_rows_and_says_how_many(version: ModelVersion, ana: User) -> None:
    tail = LONG.assign(p=1 - LONG.y)  # wrong in every row
    long_data(
        version, ana, pd.concat([LONG.head(10_000).assign(p=LONG.y), tail], ignore_index=True)
    )
    seen = services.preview(as_actor(ana), version, "performance", {})
    assert isinstance(seen.result, PerformanceResult)
    assert seen.result.metrics["accuracy"].value == "1.0"
    assert [(each.part, each.rows, each.of) for each in seen.parts] == [
        ("evaluation", 10_000, 34_000)
    ]


def test_it_writes_nothing(version: ModelVersion, ana: User) -> None:
    long_data(version, ana)
    scratch = sorted(Path(site.CHECKS_SCRATCH).iterdir())
    with nothing_written():
        for _ in range(2):
            assert services.preview(as_actor(ana), version, "fairness", {}).result is not None
    assert sorted(Path(site.CHECKS_SCRATCH).iterdir()) == scratch


def test_the_parameters_count(version: ModelVersion, ana: User) -> None:
    long_data(version, ana)
    low, high = (
        services.preview(as_actor(ana), version, "performance", {"threshold": each}).result
        for each in ("0.05", "0.95")
    )
    assert isinstance(low, PerformanceResult)
    assert isinstance(high, PerformanceResult)
    assert low.metrics["recall"].value == "1.0"
    assert high.metrics["recall"].value == "0.0"


def test_it_draws_less_and_says_so(version: ModelVersion, ana: User) -> None:
    long_data(version, ana)
    seen = services.preview(as_actor(ana), version, "fairness", {"draws": 5000})
    assert seen.less == ("Resamples: 100 instead of 5000",)
    assert services.preview(as_actor(ana), version, "fairness", {"draws": 50}).less == ()


def test_an_outsider_gets_none(version: ModelVersion, ana: User, otto: User) -> None:
    long_data(version, ana)
    with pytest.raises(Forbidden):
        services.preview(as_actor(otto), version, "performance", {})


@pytest.mark.parametrize(
    ("kind", "params", "field", "words"),
    [
        ("performance", {"threshold": "much"}, "threshold", "decimal number"),
        ("performance", {"against": "old"}, "against", "no column 'old'"),
        ("fairness", {"crossings": [["g", "s"]]}, "crossings", "'s' is not declared as sensitive"),
        ("fairness", {"reference": {"h": "a"}}, "reference", "'h' is not declared as sensitive"),
        ("quality", {"ranges": {"nope": {"min": "1"}}}, "ranges", "no column 'nope'"),
        ("quality", {"ranges": {"g": {"min": "1"}}}, "ranges", "'g' does not hold numbers"),
        ("quality", {"time_column": "when"}, "time_column", "no column 'when'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_data_is_refused_by_the_preview_and_by_the_request(
    version: ModelVersion, ana: User, kind: str, params: dict[str, Any], field: str, words: str
) -> None:
    long_data(version, ana)
    for ask in (services.preview, services.request_measurement):
        with nothing_written(), pytest.raises(Invalid) as refused:
            ask(as_actor(ana), version, kind, params)
        assert words in refused.value.fields[field]


def test_a_threshold_without_a_score_is_refused_at_once(version: ModelVersion, ana: User) -> None:
    attach(version, ana, stream=csv_bytes(GOOD), mapping={"target": "y", "prediction": "p"})
    with pytest.raises(Invalid) as refused:
        services.request_measurement(as_actor(ana), version, "performance", {"threshold": "0.5"})
    assert "needs a score column" in refused.value.fields["threshold"]


def test_a_group_that_does_not_occur_is_the_reason_for_no_preview(
    version: ModelVersion, ana: User
) -> None:
    long_data(version, ana)
    seen = services.preview(as_actor(ana), version, "fairness", {"reference": {"g": "z"}})
    assert seen.result is None
    assert "On the first rows: the reference group 'z' does not occur" in seen.why_not


def test_a_check_of_missing_data_is_refused(version: ModelVersion, ana: User) -> None:
    with pytest.raises(Invalid, match="No evaluation data are attached"):
        services.preview(as_actor(ana), version, "performance", {})
    with pytest.raises(Invalid, match="Unknown check"):
        services.preview(as_actor(ana), version, "luck", {})


@pytest.mark.parametrize("kind", ["files", "leakage"])
def test_what_a_part_cannot_tell_has_no_preview(
    version: ModelVersion, ana: User, kind: str
) -> None:
    seen = services.preview(as_actor(ana), version, kind, {})
    assert seen.result is None
    assert seen.why_not == kinds.get(kind).no_preview


def test_very_wide_data_have_no_preview(version: ModelVersion, ana: User) -> None:
    wide = pd.concat([GOOD, pd.DataFrame({f"x{i}": [1] * 40 for i in range(1_100)})], axis=1)
    long_data(version, ana, wide)
    assert "too many" in services.preview(as_actor(ana), version, "performance", {}).why_not


def test_it_ends_at_its_deadline(
    version: ModelVersion, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_data(version, ana)
    monkeypatch.setattr(previewing, "SECONDS", -1.0)
    seen = services.preview(as_actor(ana), version, "fairness", {})
    assert seen.result is None
    assert "longer than" in seen.why_not
    monkeypatch.undo()
    assert services.preview(as_actor(ana), version, "fairness", {}).result is not None


def test_more_than_a_few_at_once_are_told_to_wait(version: ModelVersion, ana: User) -> None:
    long_data(version, ana)
    with previewing._places, previewing._places:
        assert "try again" in services.preview(as_actor(ana), version, "performance", {}).why_not
    assert services.preview(as_actor(ana), version, "performance", {}).result is not None


@pytest.mark.parametrize("write", [csv, parquet])
def test_the_first_rows_are_the_first(tmp_path: Path, write: Any) -> None:
    frame = pd.DataFrame({"n": range(100), "t": ['a "quoted",\nword'] * 100})
    data = data_set(write(frame, tmp_path))
    (folder := tmp_path / "folder").mkdir()
    first = first_rows(data, 7, folder)
    read = pd.read_csv if first.format == "csv" else pd.read_parquet
    assert list(read(first.path).n) == list(range(7))  # type: ignore[operator]
    assert list(read(first.path).t) == list(frame.t[:7])  # type: ignore[operator]


@pytest.mark.parametrize("write", [csv, parquet])
def test_of_several_files_the_first_rows_go_on_in_the_next(tmp_path: Path, write: Any) -> None:
    paths = [write(pd.DataFrame({"n": range(i, i + 5)}), tmp_path, f"{i}") for i in (0, 5, 10)]
    data = replace(data_set(paths[0]), more=tuple(paths[1:]))
    (folder := tmp_path / "folder").mkdir()
    first = first_rows(data, 7, folder)
    with workshop().open(first) as source:
        assert sorted(row[0] for row in source.fetch("SELECT CAST(c0 AS INT) FROM {data}")) == list(range(7))  # fmt: skip
    assert len(first.more) == 1


def test_rows_that_are_too_large_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": ["x" * 1_000_000] * 40})
    with pytest.raises(Invalid, match="more room"):
        first_rows(data_set(csv(frame, tmp_path)), 40, tmp_path)


def test_every_kind_names_parameters_that_it_has() -> None:
    for kind in kinds.registered().values():
        offered = {offer.name for offer in choices.offers(kind.params, kind.choices)}
        assert {each.name for each in kind.choices if each.offered} <= offered, kind.key
        assert "data" not in {offer.shape for offer in choices.offers(kind.params, kind.choices)}, (
            kind.key
        )


def test_a_kind_without_words_is_offered_all_the_same() -> None:
    offered = choices.offers(DriftParams, (Choice("window", "Windows"),))
    assert [(each.name, each.title, each.shape) for each in offered] == [
        ("epsilon", "Epsilon", "text"),
        ("confidence", "Confidence", "text"),
        ("window", "Windows", "text"),
    ]


def test_what_the_site_sets_is_offered_to_nobody() -> None:
    assert choices.offers(kinds.get("files").params, kinds.get("files").choices) == ()
