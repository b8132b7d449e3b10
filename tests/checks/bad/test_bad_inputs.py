"""Whatever is wrong with the data: a verdict that is not PASS or a reason that names the column, and no row is lost.

Each input goes the way of an attached file (inspected, held against what is declared, measured, judged) for each kind of
check. A kind that does not look at the bad column says what it says of good data, to the last digit.
"""

from __future__ import annotations

import functools
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.accounts.models import User
from apps.checks import kinds, services
from apps.checks.engine.compute import DataSet
from apps.checks.engine.declared import check_declared
from apps.checks.engine.inspect import inspect
from apps.checks.engine.source import opened
from apps.checks.kinds.base import Task
from apps.checks.library.judging import Assessment
from apps.checks.mapping import Mapping, Role
from apps.checks.models import Measurement, MeasurementStatus
from apps.checks.statistics import RowCount, to_data
from apps.checks.verdicts import Verdict
from apps.core import blobs
from apps.core.errors import DomainError, Invalid
from apps.registry.models import ModelVersion
from tests.checks.bad.inputs import BAD, LIMITS, READS, ROWS, Bad, good, meaning
from tests.checks.files.support import judged, scanned
from tests.checks.flow import attach, work
from tests.checks.support import CAPS, workshop
from tests.support.people import as_actor

_BY_GROUP = "columns are compared as a whole; by group is shown and not judged"
# What is no fault of the data as far as a kind can tell, and why it may pass.
FINE = {
    ("constant p", "fairness"): "everybody is selected in every group: rates of 1, and no gap",
    ("constant p", "bias_audit"): "everybody is selected in every group: ratios of 1",
    ("constant s", "fairness"): "every group has the same mean score",
    ("constant s", "bias_audit"): "nobody is above the median, and decisions are judged",
    ("constant s", "regression"): "a constant prediction has an error like any other",
    ("constant s", "regression_gaps"): "a constant prediction has an error like any other, in each group",
    ("one class only", "regression_gaps"): "a constant outcome has an error like any other, in each group",
    ("one class only", "regression"): "a constant outcome can be predicted; R2 is null",
    ("constant f", "leakage"): "rows are compared by it, and it tells nothing",
    ("constant c", "leakage"): "rows are compared by it, and it tells nothing",
    ("words for a number", "proxy"): "words are categories",
    ("numbers for words", "proxy"): "numbers are cut into bins",
    ("infinite score", "bias_audit"): "left out of the tables of scores with the reason; decisions are judged",
    ("infinite feature", "leakage"): "an infinite number equals itself",
    ("unseen label", "multiclass"): "a label that is never an outcome is counted as one, and always wrong",
    ("a group of one", "quality"): "a rare value is a value",
    ("1 000 000 categories", "quality"): "values may all be different",
    **{(f"{what} g", "drift"): _BY_GROUP for what in ("all null", "constant")},
    **{(what, "drift"): _BY_GROUP for what in ("a group of one", "missing sensitive values")},
    **{("decimals", kind): "decimals are numbers" for kind in ("proxy", "quality", "leakage")},
    **{(bad.name, "pii"): "it only asks whether some value looks like personal data" for bad in BAD},
}  # fmt: skip


# Not asked of a million different values here: they take seconds. The benchmark of the checks does.
SLOW = {"leakage", "pii"}


class Run:
    """One kind of check on one attached file."""

    def __init__(self, kind: str, data: DataSet) -> None:
        self.kind = kinds.get(kind)
        task = Task(workshop(), _inputs(kind, data))
        self.kind.require([each.mapping.to_data() for each in task.data])
        params = self.kind.checked(self.kind.params())
        self.statistics, self.result = self.kind.run(task, params)

    @property
    def assessment(self) -> Assessment:
        return self.kind.assess(self.result, self.kind.limits.model_validate(LIMITS[self.kind.key]))


class Attached:
    """A file as each kind would have it attached: once for each declared meaning, or the reason why not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, DataSet | DomainError] = {}

    def of(self, kind: str) -> DataSet:
        """Raises what attaching it raised."""
        mapping = Mapping.parse(meaning(kind))
        key = mapping.model_dump_json()
        if key not in self.known:
            try:
                self.known[key] = _attached(self.path, mapping)
            except DomainError as error:
                self.known[key] = error
        found = self.known[key]
        if isinstance(found, DomainError):
            raise found
        return found


def _attached(path: Path, mapping: Mapping) -> DataSet:
    scratch = workshop().scratch
    profile = inspect(path, caps=CAPS, scratch=scratch)
    with opened(path, profile.format, profile.columns, caps=CAPS, scratch=scratch) as source:
        check_declared(source, Role.EVALUATION, mapping, "1")
    return DataSet(path, profile.format, profile.columns, mapping, "1")


def _inputs(kind: str, data: DataSet) -> tuple[DataSet, ...]:
    parts = [each.part for each in kinds.get(kind).inputs]
    return tuple(_reference() if part == "reference" else data for part in parts)


@functools.cache
def _reference() -> DataSet:
    return _attached(_stored(good(seed=7)), Mapping.parse(meaning("drift")))


@functools.cache
def _of_good(kind: str) -> Run:
    return Run(kind, _attached(_stored(good()), Mapping.parse(meaning(kind))))


def _stored(frame: Any) -> Path:
    path = Path(tempfile.mkdtemp(prefix="bad-", dir=settings.VAR)) / "data.parquet"
    frame.to_parquet(path, index=False)
    return path


@pytest.mark.parametrize("kind", LIMITS)
def test_good_data_pass_so_that_what_is_bad_makes_the_difference(kind: str) -> None:
    run = _of_good(kind)
    assert run.assessment.verdict is Verdict.PASS
    _require_all_rows(run.result, ROWS)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_data_do_not_pass_and_lose_no_row(bad: Bad, tmp_path: Path) -> None:
    path = tmp_path / "data"
    bad.write(path)
    attached = Attached(path)
    for kind in LIMITS:
        reads = bad.column in READS[kind]
        if bad.rows > ROWS and (not reads or kind in SLOW):
            continue
        try:
            run = Run(kind, attached.of(kind))
        except DomainError as error:
            _require_named(error, bad, tmp_path)
            continue
        _require_all_rows(run.result, bad.rows)
        if not reads:
            assert to_data(run.statistics) == to_data(_of_good(kind).statistics), kind
        elif (bad.name, kind) not in FINE:
            assert run.assessment.verdict is not Verdict.PASS, (kind, run.assessment.sentence)
        else:
            assert run.assessment.sentence


def _require_named(error: DomainError, bad: Bad, folder: Path) -> None:
    told = f"{error} {getattr(error, 'fields', '')}"
    assert str(folder) not in told
    if bad.column:
        assert re.search(rf"\b{bad.column}\b", told), told
    else:
        assert isinstance(error, Invalid)
        assert "file" in error.fields


def _require_told(error: DomainError, pattern: str) -> None:
    assert re.search(pattern, str(error)), error


def _require_all_rows(result: Any, rows: int) -> None:
    """rows in = rows counted + rows excluded with reasons (which RowCount and Side hold themselves)."""
    counted = getattr(result, "rows", None)
    total = counted.total if isinstance(counted, RowCount) else counted
    assert (result.current_rows if total is None else total) == rows
    for pair in getattr(result, "pairs", ()):
        assert pair.rows.total == rows
    for column in getattr(result, "columns", ()):
        side = getattr(column, "current", None)
        assert side is None or side.rows == rows


@pytest.mark.parametrize("name", "ypsgfc")
def test_a_column_that_is_gone_since_the_data_were_attached_is_named(name: str) -> None:
    """The declaration fits no more: the engine finds out by itself."""
    path = _stored(good().rename(columns={name: name.upper()}))
    profile = inspect(path, caps=CAPS, scratch=workshop().scratch)
    for kind in LIMITS:
        known = kinds.get(kind)
        if (
            name not in READS[kind]
            or kind in {"pii", "quality", "leakage"}
            or (name, kind) == ("g", "drift")
        ):
            continue
        mapping = Mapping.parse(meaning(kind))
        data = DataSet(path, profile.format, profile.columns, mapping, "1")
        try:
            _, result = known.run(Task(workshop(), _inputs(kind, data)), known.params())
        except Invalid as error:
            _require_told(error, rf"\b{name}\b")
            continue
        found = known.assess(result, known.limits.model_validate(LIMITS[kind]))
        assert found.verdict is not Verdict.PASS, kind


def _shorter(path: Path) -> None:
    good(rows=50).to_parquet(path, index=False)


def _other_columns(path: Path) -> None:
    good()[["g", "f"]].to_parquet(path, index=False)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def _garbled(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 600) + data[-500:])


@pytest.mark.parametrize("change", [_shorter, _other_columns, _cut, _garbled, Path.unlink])
@pytest.mark.parametrize("kind", LIMITS)
def test_a_file_that_changes_while_it_is_read_is_told_or_changes_nothing(
    kind: str, change: Any
) -> None:
    """The change comes with the first step of the counting. (That the bytes are verified before and after is the service's.)"""
    path = _stored(good())
    data = _attached(path, Mapping.parse(meaning(kind)))
    changes = iter([lambda: change(path)])
    task = Task(workshop(), _inputs(kind, data))
    object.__setattr__(task.workshop, "tick", lambda: next(changes, lambda: None)())
    known = kinds.get(kind)
    try:
        _, result = known.run(task, known.checked(known.params()))
    except DomainError as error:
        _require_told(error, rf"^(?!.*{re.escape(str(path.parent))}).+")
    else:
        assert result


@pytest.mark.parametrize(
    "bad", [each for each in BAD if each.rows == ROWS], ids=lambda bad: bad.name
)
def test_bad_data_among_the_files_of_a_version_are_no_crash_of_the_scan(
    bad: Bad, tmp_path: Path
) -> None:
    """The check of files takes no data set; the same bytes as a version's file are read and named."""
    path = tmp_path / "data"
    bad.write(path)
    scan = scanned(path.read_bytes(), "data/evaluation.bin")
    assert scan.path == "data/evaluation.bin"
    found = judged(scan)
    assert found.verdict in set(Verdict)
    if found.verdict is not Verdict.PASS:
        assert "evaluation.bin" in " ".join(row.sentence for row in found.rows)


def _changed(path: Path) -> bytes:
    """Write other people into a stored file; gives what it held."""
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data.replace(b"female", b"Female"))
    return data


@pytest.mark.django_db
def test_data_that_are_others_than_those_attached_end_in_an_error_and_not_in_a_result(
    version: ModelVersion, ana: User
) -> None:
    row = attach(version, ana)
    services.request_measurement(as_actor(ana), version, "fairness")
    path = blobs.path(row.digest)
    data = _changed(path)
    try:
        work()
    finally:
        path.write_bytes(data)
    _require_error(row.digest)


@pytest.mark.django_db
def test_stored_data_that_change_after_they_were_verified_end_in_an_error_and_not_in_a_result(
    version: ModelVersion, ana: User
) -> None:
    """The worker makes its folder between the first verification and the counting; that is when the bytes change."""
    row = attach(version, ana)
    services.request_measurement(as_actor(ana), version, "fairness", {"draws": 10_000})
    path, scratch, before = blobs.path(row.digest), Path(settings.CHECKS_SCRATCH), []
    known = set(scratch.glob("check-*"))

    def change() -> None:
        while set(scratch.glob("check-*")) <= known:
            time.sleep(0.001)
        before.append(_changed(path))

    somebody = threading.Thread(target=change, daemon=True)
    somebody.start()
    try:
        work()
        somebody.join(timeout=60)
    finally:
        path.write_bytes(before[0])
    _require_error(row.digest)


def _require_error(digest: str) -> None:
    measurement = Measurement.objects.get()
    assert measurement.status == MeasurementStatus.ERROR
    assert digest[:12] in measurement.error
    assert measurement.result is None
