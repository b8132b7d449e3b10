"""Kinds of checks that other packages bring: `sample_package` is one, found as an installed package is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.accounts.models import User
from apps.checks import kinds, selectors, versions
from apps.checks.demands import CheckLimits
from apps.checks.gates import required_checks_pass
from apps.core.errors import Invalid
from apps.modelcards import collect
from apps.registry.models import ModelVersion
from tests.checks import flow

SAMPLE = Path(__file__).parent / "sample_package"


@pytest.fixture
def installed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SAMPLE)
        _forget()
        yield
    _forget()


def _forget() -> None:
    kinds.registered.cache_clear()
    versions.code_version.cache_clear()
    versions.installed.cache_clear()


def test_without_the_package_its_check_is_unknown_and_cannot_be_demanded() -> None:
    assert "volume" not in kinds.registered()
    with pytest.raises(Invalid) as refusal:
        CheckLimits.parse({"volume": {"rows": {"min": "100"}}})
    assert "volume" in refusal.value.fields


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("least", "passes"), [("1000", True), ("1001", False)])
def test_with_the_package_it_is_measured_judged_by_the_gate_and_shown(
    installed: None, version: ModelVersion, ana: User, least: str, passes: bool
) -> None:
    flow.attach(version, ana)
    row = flow.done(version, ana, "volume")
    assert row.result == {"type": "volume", "rows": 1000}
    assert row.libraries["countersign-volume"] == "1.0"
    gate = required_checks_pass(version, [], {"checks": {"volume": {"rows": {"min": least}}}})
    assert gate.passes is passes
    assert "Rows: 1" in gate.fact
    assert "volume" in selectors.runnable(version)
    shown = collect.collect(version)["further_checks"]
    assert [getattr(part, "text", "") for part in shown.parts] == ["1000 rows."]
    assert shown.sources[0].digest == row.result_digest


@pytest.mark.django_db(transaction=True)
def test_a_demanded_check_whose_package_was_removed_does_not_pass(
    version: ModelVersion, ana: User
) -> None:
    gate = required_checks_pass(version, [], {"checks": {"volume": {"rows": {"min": "1"}}}})
    assert not gate.passes
    assert "volume" in gate.fact


@pytest.mark.django_db(transaction=True)
def test_what_a_removed_package_measured_is_still_listed(version: ModelVersion, ana: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SAMPLE)
        _forget()
        flow.attach(version, ana)
        row = flow.done(version, ana, "volume")
    _forget()
    assert kinds.title(row.kind) == "volume"
    assert [each.pk for each in selectors.measurements(version)] == [row.pk]
    assert collect.analysis(version, row).parts  # said in words, no crash


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("performance = countersign_volume:Params", "is no Kind"),
        ("volume = countersign_volume:NOTHING", "cannot be loaded"),
        ("volume = no_such_package:KIND", "cannot be loaded"),
        ("a = countersign_volume:KIND\nb = countersign_volume:KIND", "already"),
    ],
)
def test_a_package_that_cannot_be_used_stops_the_site_and_is_named(
    tmp_path: Path, entry: str, said: str
) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[countersign.checks]\n{entry}\n")
    copied = (SAMPLE / "countersign_volume").resolve()
    (tmp_path / "countersign_volume").symlink_to(copied)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "check"],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr
