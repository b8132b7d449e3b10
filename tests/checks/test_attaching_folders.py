"""Folders and tables of the run as data: attached as one set, pinned to the last byte, measured like one file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import origins, parts, reconcile, selectors, services
from apps.checks.models import EvaluationDataset, MeasurementStatus
from apps.core import blobs
from apps.core.errors import Forbidden, Invalid, NotFound, Tampered
from apps.core.models import Blob
from apps.experiments import services as experiments
from apps.experiments.models import Run
from apps.experiments.selectors import get_run
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from tests import factories
from tests.checks.flow import work
from tests.checks.support import DEMO, GERMAN, GOOD, ROLES
from tests.checks.test_rechecking import recheck
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(ana: User) -> Run:
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="credit")
    return get_run(experiments.create_run(actor, experiment_id=experiment.pk).run_id)


@pytest.fixture
def version(ana: User, run: Run) -> ModelVersion:
    return factories.version(as_actor(ana), factories.model(as_actor(ana)), run=run)


def put(user: User, run: Run, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        experiments.put_artifact(as_actor(user), run, path, io.BytesIO(data))


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def attach(version: ModelVersion, user: User, **changes: object) -> EvaluationDataset:
    given = {"role": "evaluation", "mapping": ROLES, "favourable": 1, **changes}
    return services.attach_dataset(as_actor(user), version, **given)  # type: ignore[arg-type]


def halves() -> dict[str, bytes]:
    return {
        "eval/part-1.parquet": parquet(GOOD.iloc[25:]),
        "eval/part-0.parquet": parquet(GOOD.iloc[:25]),
        "eval/_SUCCESS": b"",
        "eval/.part-0.parquet.crc": b"crc",
        "evaluation.txt": b"beside it, not in it",
    }


def test_a_folder_is_one_data_set_under_the_digest_of_its_manifest(version, ana, run):
    files = halves()
    put(ana, run, files)
    row = attach(version, ana, artifact="eval/")
    assert (row.rows, row.format, row.parts, row.name) == (40, "parquet", 2, "eval")
    stored = selectors.files_of(row)
    assert [part.name for part in stored] == ["part-0.parquet", "part-1.parquet"]
    assert [blobs.read_all(part.digest) for part in stored] == [
        files["eval/part-0.parquet"],
        files["eval/part-1.parquet"],
    ]
    assert row.digest == Blob.objects.get(digest=row.digest).digest
    assert parts.to_bytes(stored) == blobs.read_all(row.digest)
    assert row.source == {
        "kind": "folder", "run": run.run_id, "path": "eval", "parts": 2, "left_out": 2,
    }  # fmt: skip
    assert origins.told(row.source).startswith("the run's folder eval: 2 files, 2 left out")


def test_the_ledger_tells_of_parts_and_source_and_agrees_with_the_row(version, ana, run):
    put(ana, run, halves())
    row = attach(version, ana, artifact="eval")
    event = next(iter(replay("checks.dataset.attached")))
    assert (event.payload["digest"], event.payload["parts"]) == (row.digest, 2)
    assert event.payload["source"] == row.source
    assert list(reconcile.differences()) == []


def test_a_folder_is_measured_as_one_file_is(version, ana, run):
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv")
    put(
        ana,
        run,
        {
            "eval/a.parquet": parquet(frame.iloc[:400]),
            "eval/b.parquet": parquet(frame.iloc[400:]),
            "whole.parquet": parquet(frame),
        },
    )
    results = []
    for artifact in ("whole.parquet", "eval"):
        attach(version, ana, artifact=artifact, mapping=GERMAN)
        for kind in ("fairness", "performance"):
            services.request_measurement(as_actor(ana), version, kind)
        work()
        found = [selectors.latest(version, kind) for kind in ("fairness", "performance")]
        assert all(row is not None for row in found)
        results.append([(row.statistics, row.result) for row in found if row is not None])
    assert results[0] == results[1]


def test_a_recheck_of_a_folder_executes_the_same_files_again(version, ana, aud, run):
    put(ana, run, halves())
    attach(version, ana, artifact="eval")
    services.request_measurement(as_actor(ana), version, "fairness")
    work()
    measured = selectors.latest(version, "fairness")
    assert measured is not None
    result = recheck(aud, measured)
    assert (result.outcome, result.reason) == ("equal", "")


def test_a_part_that_is_damaged_later_is_found_by_the_check_and_by_the_review(version, ana, run):
    put(ana, run, halves())
    row = attach(version, ana, artifact="eval")
    part = selectors.files_of(row)[1]
    path = blobs.path(part.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    services.request_measurement(as_actor(ana), version, "fairness")
    work()
    measured = selectors.newest(version, "fairness")
    assert measured is not None
    assert measured.status == MeasurementStatus.ERROR
    assert "part-1.parquet is damaged" in measured.error
    assert "part-1.parquet is damaged" in evidence.damaged_bytes(version)
    with pytest.raises(Tampered, match=r"part-1\.parquet is damaged"):
        attach(version, ana, artifact="eval")


def test_replacing_a_file_of_the_run_later_changes_nothing_that_was_attached(version, ana, run):
    put(ana, run, halves())
    row = attach(version, ana, artifact="eval")
    before = selectors.files_of(row)
    put(ana, run, {"eval/part-0.parquet": parquet(GOOD.iloc[:5])})
    assert selectors.files_of(row) == before
    again = attach(version, ana, artifact="eval")
    assert again.digest != row.digest
    assert again.rows == 20


def test_the_same_files_are_the_same_data_set_wherever_they_lie(version, ana, run):
    files = halves()
    put(ana, run, files | {path.replace("eval/", "copy/"): data for path, data in files.items()})
    one, other = attach(version, ana, artifact="eval"), attach(version, ana, artifact="copy")
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"eval/_SUCCESS": b"", "eval/.a.crc": b"x"}, "no data"),
        ({"eval/a.parquet": parquet(GOOD), "eval/b.parquet": parquet(GOOD)[:-30]}, "b.parquet: "),
        ({"eval/a.parquet": parquet(GOOD), "eval/b.csv": b"y,p\n1,1\n"}, "b.csv: csv, not parquet"),
        (
            {"eval/a.csv": b"y,p,s,g\n1,1,1,a\n", "eval/b.csv": b"y,p,s\n1,1,1\n"},
            "b.csv: has no column 'g', which stands in a.csv",
        ),
        ({"eval/a.parquet": parquet(GOOD), "eval/notes.md": b"# notes\n"}, "notes.md: "),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused_and_nothing_is_stored(
    version, ana, run, files, reason
):
    put(ana, run, files)
    before = Blob.objects.count()
    with pytest.raises(Invalid) as refusal:
        attach(version, ana, artifact="eval")
    assert reason in refusal.value.fields["file"]
    assert not EvaluationDataset.objects.exists()
    assert Blob.objects.count() == before


def test_a_folder_of_too_many_files_is_refused_before_any_is_read(
    version, ana, run, monkeypatch, settings
):
    put(ana, run, halves())
    settings.CHECKS_MAX_FILE_BYTES = 1_000
    with pytest.raises(Invalid, match="bytes in all"):
        attach(version, ana, artifact="eval")


def test_whoever_may_not_read_the_run_learns_nothing_of_its_folder(version, ana, otto, aud, run):
    from apps.accounts import services as accounts

    put(ana, run, halves())
    with pytest.raises(Forbidden):
        attach(version, aud, artifact="eval")
    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=version.model)
    with pytest.raises(NotFound):
        attach(version, otto, artifact="eval")


@pytest.mark.parametrize(
    "path", ["eval/../eval", "/eval", "eval//part-0.parquet", "e%2e%2e/x", "file:/etc"]
)
def test_a_path_that_could_mean_another_place_is_refused(version, ana, run, path):
    put(ana, run, halves())
    with pytest.raises((Invalid, NotFound)):
        attach(version, ana, artifact=path)


def test_attaching_many_files_takes_a_constant_number_of_queries(
    version, ana, run, django_assert_max_num_queries
):
    put(ana, run, {f"eval/{n:03}.parquet": parquet(GOOD.assign(n=n)) for n in range(60)})
    with django_assert_max_num_queries(40):
        row = attach(version, ana, artifact="eval")
    assert row.parts == 60
    with django_assert_max_num_queries(40):
        assert evidence.damaged_bytes(version) == ""


def table_of(frame: pd.DataFrame) -> bytes:
    return frame.to_json(orient="split", index=False, double_precision=15).encode()


def test_a_logged_table_is_kept_as_parquet_beside_the_digest_of_its_json(version, ana, run):
    data = table_of(GOOD)
    put(ana, run, {"eval/table.json": data})
    row = attach(version, ana, artifact="eval/table.json")
    assert (row.rows, row.format, row.parts) == (40, "parquet", 0)
    assert row.source["kind"] == "table"
    assert blobs.read_all(str(row.source["digest"])) == data
    frame = pd.read_parquet(Path(blobs.path(row.digest)))
    pd.testing.assert_frame_equal(frame, GOOD)
    assert origins.told(row.source) == "the run's table eval/table.json, as Parquet"


def test_a_table_whose_column_mixes_types_is_refused_by_its_name(version, ana, run):
    told = json.loads(table_of(GOOD))
    told["data"][7][2] = "high"
    put(ana, run, {"table.json": json.dumps(told).encode()})
    before = Blob.objects.count()
    with pytest.raises(Invalid) as refusal:
        attach(version, ana, artifact="table.json")
    assert refusal.value.fields["file"] == "column 's', row 8: numbers mixed with texts"
    assert Blob.objects.count() == before


def test_a_table_in_a_folder_and_an_uploaded_one_are_told_where_they_belong(version, ana, run):
    data = table_of(GOOD)
    put(ana, run, {"eval/a.parquet": parquet(GOOD), "eval/b.json": data})
    for given in ({"artifact": "eval"}, {"stream": io.BytesIO(data)}):
        with pytest.raises(Invalid, match="JSON table"):
            attach(version, ana, **given)
