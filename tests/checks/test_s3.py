"""Data copied from S3: from the places that are allowed, as they were, whole, and without need of S3 afterwards."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow.fs import S3FileSystem

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import loggedinputs, origins, s3, selectors, services
from apps.checks.models import EvaluationDataset
from apps.checks.services import fetching
from apps.core import blobs
from apps.core.errors import Forbidden, Invalid
from apps.core.models import Blob
from apps.experiments import services as experiments
from apps.experiments.selectors import get_run
from apps.experiments.services.inputs import DatasetClaim, InputClaim
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.flow import work
from tests.checks.support import DEMO, GERMAN, GOOD, ROLES
from tests.support import s3_server
from tests.support.people import as_actor


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server.serving(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture
def store(endpoint: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> S3FileSystem:
    """The server, and the site set up to read the bucket `data` below `eval` and `open`, and nothing else."""
    settings.CHECKS_S3_ENDPOINT = endpoint
    settings.CHECKS_S3_ALLOWED = ["data/eval", "s3://data/open/"]
    for name, value in s3_server.KEYS.items():
        monkeypatch.setenv(name, value)
    found = s3_server.store(endpoint)
    found.create_dir("data")
    found.delete_dir_contents("data")
    return found


def put(store: S3FileSystem, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        with store.open_output_stream(f"data/{path}") as stream:
            stream.write(data)


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def attach(version: ModelVersion, user: User, address: str, **changes: Any) -> EvaluationDataset:
    given = {"role": "evaluation", "mapping": ROLES, "favourable": 1, "s3": address} | changes
    return services.attach_dataset(as_actor(user), version, **given)


def refused(version: ModelVersion, user: User, address: str) -> str:
    """The reason; nothing was stored and nothing lies about."""
    before = Blob.objects.count()
    with pytest.raises(Invalid) as refusal:
        attach(version, user, address)
    assert not EvaluationDataset.objects.exists()
    assert Blob.objects.count() == before
    return next(iter(refusal.value.fields.values()))


HALVES = {
    "eval/scored/part-1.parquet": parquet(GOOD.iloc[25:]),
    "eval/scored/part-0.parquet": parquet(GOOD.iloc[:25]),
    "eval/scored/deep/part-2.parquet": parquet(GOOD),
    "eval/scored/_SUCCESS": b"done",
}


@pytest.mark.django_db
def test_a_folder_is_copied_and_needs_s3_no_more(store, version, ana, settings):
    put(store, HALVES)
    row = attach(version, ana, "s3://data/eval/scored/")
    assert (row.rows, row.parts, row.name) == (80, 3, "scored")
    told = {part.name: blobs.read_all(part.digest) for part in selectors.files_of(row)}
    assert {f"eval/scored/{name}": data for name, data in told.items()} == {
        name: data for name, data in HALVES.items() if "SUCCESS" not in name
    }
    assert origins.told(row.source) == (
        "a copy of s3://data/eval/scored: 3 files, 1 left out (names with _ or . in front)"
    )
    event = next(iter(replay("checks.dataset.attached")))
    assert event.payload["source"]["url"] == "s3://data/eval/scored"
    store.delete_dir_contents("data")
    settings.CHECKS_S3_ALLOWED = []
    services.request_measurement(as_actor(ana), version, "fairness")
    work()
    assert selectors.latest(version, "fairness") is not None


@pytest.mark.django_db
def test_one_object_is_measured_as_the_file_it_is(store, version, ana):
    data = (DEMO / "german_credit_predictions.csv").read_bytes()
    put(store, {"open/credit.csv": data})
    row = attach(version, ana, "s3://data/open/credit.csv", mapping=GERMAN)
    assert (row.rows, row.parts, row.name) == (1000, 0, "credit.csv")
    assert blobs.read_all(row.digest) == data


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "s3://data/evaluation/a.parquet",  # begins like an entry and is another place
        "s3://data",
        "s3://data/secret/a.parquet",
        "s3://other/eval/a.parquet",
        "s3://data/eval/../secret/a.parquet",
        "s3://data/eval//a.parquet",
        "s3://data/eval/./a.parquet",
        "s3://data/eval\\..\\secret",
        "s3://user:key@data/eval/a",
        "s3://169.254.169.254:80/eval/a",
        "s3://data/eval/a\x00b",
        "s3:///eval/a",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/etc/passwd",
    ],
)
def test_what_is_not_allowed_is_refused_before_anything_is_asked(
    store, version, ana, address, settings
):
    settings.CHECKS_S3_ENDPOINT = (
        "http://127.0.0.1:1"  # nobody answers there: asking would be another refusal
    )
    told = refused(version, ana, address)
    assert "could not be read" not in told
    assert s3.why_not(address)


@pytest.mark.django_db
def test_without_set_up_or_credentials_nothing_is_read(store, version, ana, settings, monkeypatch):
    put(store, HALVES)
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no credentials" in refused(version, ana, "s3://data/eval/scored")
    settings.CHECKS_S3_ALLOWED = []
    assert "not set up" in refused(version, ana, "s3://data/eval/scored")


@pytest.mark.django_db
def test_who_may_not_edit_the_model_makes_the_site_read_nothing(store, version, aud, settings):
    settings.CHECKS_S3_ENDPOINT = "http://127.0.0.1:1"
    with pytest.raises(Forbidden):
        attach(version, aud, "s3://data/eval/scored")


BAD: list[tuple[dict[str, bytes], str]] = [
    ({}, "there is nothing at s3://data/eval/x"),
    ({"eval/x/_SUCCESS": b"1"}, "s3://data/eval/x holds no data"),
    ({"eval/x/a.parquet": parquet(GOOD), "eval/x/b.parquet": parquet(GOOD)[:-9]}, "b.parquet: "),
    (
        {"eval/x/a.csv": b"y,p\n1,1\n", "eval/x/b.csv": b"y,q\n1,1\n"},
        "b.csv: has no column 'p', which stands in a.csv",
    ),
    ({"eval/x": b"PAR1"}, "a Parquet file that ends too early"),
    ({"eval/x": b""}, "the file is empty"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("files", "reason"), BAD)
def test_what_is_no_data_set_is_refused_by_name(store, version, ana, files, reason):
    put(store, files)
    assert reason in refused(version, ana, "s3://data/eval/x")


@pytest.mark.django_db
def test_too_much_is_refused_before_it_is_copied(store, version, ana, settings, monkeypatch):
    put(store, HALVES)
    settings.CHECKS_MAX_FILE_BYTES = 3_000
    monkeypatch.setattr(fetching, "_copy", None)  # would be called
    assert "bytes in all" in refused(version, ana, "s3://data/eval/scored")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"eval/scored/part-0.parquet": parquet(GOOD)}, "part-0.parquet changed while it was read"),
        ({"eval/scored/part-9.parquet": parquet(GOOD)}, "changed while it was read"),
        # as many bytes, other ones
        ({"eval/scored/part-0.parquet": HALVES["eval/scored/part-0.parquet"][::-1]}, "part-0.parquet changed"),
    ],
)  # fmt: skip
def test_what_changes_while_it_is_read_is_refused(
    store, version, ana, monkeypatch, changed, reason
):
    put(store, HALVES)
    real = fetching._streamed

    def meanwhile(stream: Any, file: Any, most: int) -> int:
        """Somebody writes while the site copies."""
        copied = real(stream, file, most)
        put(store, changed)
        return copied

    monkeypatch.setattr(fetching, "_streamed", meanwhile)
    assert reason in refused(version, ana, "s3://data/eval/scored")


@pytest.mark.django_db
def test_an_object_that_goes_while_it_is_read_is_refused(store, version, ana, monkeypatch):
    put(store, HALVES)
    real = fetching._listed

    def gone(*given: Any) -> Any:
        found = real(*given)
        store.delete_file("data/eval/scored/part-1.parquet")
        return found

    monkeypatch.setattr(fetching, "_listed", gone)
    assert "part-1.parquet changed while it was read" in refused(
        version, ana, "s3://data/eval/scored"
    )


@pytest.mark.django_db
def test_a_server_that_does_not_answer_is_said_without_its_address(store, version, ana, settings):
    settings.CHECKS_S3_ENDPOINT = "http://127.0.0.1:1"
    told = refused(version, ana, "s3://data/eval/scored")
    assert told == "s3://data/eval/scored could not be read; the site's log says why"


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["scored", "scored/part-1.parquet", "nowhere"])
def test_a_server_that_refuses_the_sites_keys_is_said_without_them(
    store, endpoint, version, ana, place
):
    put(store, HALVES)
    with s3_server.knowing_nobody(endpoint):
        told = refused(version, ana, f"s3://data/eval/{place}")
    assert told == f"s3://data/eval/{place} may not be read with this site's credentials"
    assert attach(version, ana, "s3://data/eval/scored").rows == 80


@pytest.mark.django_db
def test_nothing_is_left_in_the_scratch_folder(store, version, ana, settings):
    put(store, HALVES | {"eval/scored/z.parquet": b"rubbish"})
    refused(version, ana, "s3://data/eval/scored")
    assert list(Path(settings.CHECKS_SCRATCH).iterdir()) == []


@pytest.mark.django_db
def test_a_logged_input_in_s3_is_copied_where_it_is_allowed(store, ana):
    put(store, HALVES)
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="credit")
    run = get_run(experiments.create_run(actor, experiment_id=experiment.pk).run_id)
    version = factories.version(actor, factories.model(actor), run=run)
    claims = [
        InputClaim(DatasetClaim(name, "d", "s3", f'{{"uri": "{uri}"}}'), [])
        for name, uri in (("in", "s3://data/eval/scored"), ("out", "s3://data/secret/a.parquet"))
    ]
    experiments.log_inputs(actor, run_id=run.run_id, datasets=claims)
    inputs = {each.name: each for each in loggedinputs.of_run(actor, run)}
    assert "not among the places in S3" in inputs["out"].place.why_not
    row = attach(version, ana, "", logged_input=inputs["in"].key)
    assert (row.rows, row.parts) == (80, 3)
    assert origins.told(row.source).endswith("logged as input in (digest d, says the client)")
