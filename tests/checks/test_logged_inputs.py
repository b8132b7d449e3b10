"""Where the source of a logged data set leads, for whom, and why nowhere."""

from __future__ import annotations

import io
import json

import pytest

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.checks import loggedinputs, services
from apps.checks.loggedinputs import Place, address_in, place_of
from apps.checks.models import EvaluationDataset
from apps.core.errors import Invalid, NotFound
from apps.experiments import services as experiments
from apps.experiments.models import Run
from apps.experiments.selectors import get_run
from apps.experiments.services.inputs import DatasetClaim, InputClaim
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.support import GOOD, ROLES, csv_bytes
from tests.support.people import as_actor

HERE = "http://localhost:8000/api/2.0/mlflow-artifacts/artifacts"
RUN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"runs:/{RUN}/eval/a.csv", Place(RUN, "eval/a.csv")),
        (f"mlflow-artifacts:/7/{RUN}/artifacts/eval", Place(RUN, "eval", "7")),
        (f"{HERE}/7/{RUN}/artifacts/a%20b/c.csv", Place(RUN, "a b/c.csv", "7")),
    ],
)
def test_files_of_a_run_are_known_by_every_name_they_have(settings, source, expected):
    settings.BASE_URL = "http://localhost:8000"
    for text in (source, json.dumps({"uri": source}), json.dumps({"url": source})):
        assert place_of(text) == expected


NOWHERE = [
    "/home/ana/a.csv",
    "file:///etc/passwd",
    "file://server/share",
    "C:\\data\\a.csv",
    "https://example.org/a.csv",
    "http://169.254.169.254/latest/meta-data",
    "http://localhost:8000.evil.example/api/2.0/mlflow-artifacts/artifacts/7/r/artifacts/a",
    "http://evil.example/api/2.0/mlflow-artifacts/artifacts/7/r/artifacts/a",
    "gs://bucket/a",
    "hdfs://name/a",
    f"runs:/{RUN}",
    f"runs:/{RUN}/",
    f"runs:/{RUN}/../other/a.csv",
    f"runs:/{RUN}/%2e%2e/a.csv",
    f"runs://elsewhere/{RUN}/a.csv",
    f"mlflow-artifacts://elsewhere/7/{RUN}/artifacts/a",
    f"mlflow-artifacts:/7/models/{RUN}/artifacts/a",
    "mlflow-artifacts:/a",
    "runs:/../../a",
    "http://[",
    "",
    "{}",
    '{"uri": 3}',
    '{"tags": {"mlflow.user": "ana"}}',
    "[1]",
    "a\x00b",
    "[" * 100_000,
]


@pytest.mark.parametrize("source", NOWHERE)
def test_what_leads_nowhere_says_why(settings, source):
    settings.BASE_URL = "http://localhost:8000"
    found = place_of(source)
    assert found.why_not
    assert found == Place(why_not=found.why_not)


def test_the_address_is_found_in_what_the_client_writes():
    assert address_in('{"uri": "s3://b/k"}') == "s3://b/k"
    assert address_in("s3://b/k") == "s3://b/k"
    assert address_in('{"digest": 1}') == ""


@pytest.fixture
def run(ana: User) -> Run:
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="credit")
    return get_run(experiments.create_run(actor, experiment_id=experiment.pk).run_id)


@pytest.fixture
def version(ana: User, run: Run) -> ModelVersion:
    return factories.version(as_actor(ana), factories.model(as_actor(ana)), run=run)


def log(user: User, run: Run, *sources: str) -> list[loggedinputs.LoggedInput]:
    claims = [
        InputClaim(DatasetClaim(f"data {n}", f"d{n}", "artifacts", source), [])
        for n, source in enumerate(sources)
    ]
    experiments.log_inputs(as_actor(user), run_id=run.run_id, datasets=claims)
    return loggedinputs.of_run(as_actor(user), run)


def attach(version: ModelVersion, user: User, key: str) -> EvaluationDataset:
    return services.attach_dataset(
        as_actor(user),
        version,
        role="evaluation",
        mapping=ROLES,
        favourable=1,
        logged_input=key,
    )


@pytest.mark.django_db
def test_a_file_of_another_run_is_taken_where_the_reader_may_read_that_run(version, ana, otto, run):
    owner = as_actor(ana)
    elsewhere = experiments.create_experiment(owner, name="elsewhere")
    other = get_run(experiments.create_run(owner, experiment_id=elsewhere.pk).run_id)
    experiments.put_artifact(owner, other, "a.csv", csv_bytes(GOOD))
    (found,) = log(ana, run, f"runs:/{other.run_id}/a.csv")
    row = attach(version, ana, found.key)
    assert (row.rows, row.source["run"], row.source["path"]) == (40, other.run_id, "a.csv")
    assert row.source["input"] == {"name": "data 0", "digest": "d0", "context": ""}
    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=version.model)
    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=run.experiment)
    (seen,) = loggedinputs.of_run(as_actor(otto), run)
    assert "that you may read" in seen.place.why_not
    with pytest.raises(Invalid, match="that you may read"):
        attach(version, otto, found.key)


@pytest.mark.django_db
def test_who_may_not_read_the_run_is_told_of_no_input(version, ana, otto, run):
    (found,) = log(ana, run, f"runs:/{run.run_id}/a.csv")
    assert loggedinputs.of_run(as_actor(otto), run) == []
    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=version.model)
    with pytest.raises(NotFound):
        attach(version, otto, found.key)


@pytest.mark.django_db
def test_a_place_in_another_experiment_than_the_runs_is_none(ana, run):
    (found,) = log(ana, run, f"mlflow-artifacts:/{run.experiment_id + 1}/{run.run_id}/artifacts/a")
    assert found.place.why_not


@pytest.mark.django_db
def test_a_source_whose_files_are_gone_is_not_found_and_nothing_is_stored(version, ana, run):
    (found,) = log(ana, run, f"runs:/{run.run_id}/gone.csv")
    with pytest.raises(NotFound, match=r"gone\.csv"):
        attach(version, ana, found.key)
    with pytest.raises(NotFound, match="no such input"):
        attach(version, ana, "0" * 16)
    assert not EvaluationDataset.objects.exists()


@pytest.mark.django_db
def test_only_one_place_at_a_time(version, ana, run):
    (found,) = log(ana, run, f"runs:/{run.run_id}/a.csv")
    with pytest.raises(Invalid, match="Give either"):
        services.attach_dataset(
            as_actor(ana),
            version,
            role="evaluation",
            mapping=ROLES,
            favourable=1,
            logged_input=found.key,
            stream=io.BytesIO(b"y\n1\n"),
        )


@pytest.mark.django_db
def test_many_inputs_take_as_many_queries_as_one(ana, run, django_assert_max_num_queries):
    log(ana, run, f"runs:/{run.run_id}/a.csv")
    log(ana, run, *[f"runs:/{n:032x}/a.csv" for n in range(40)])
    with django_assert_max_num_queries(20):
        assert (
            len(loggedinputs.of_run(as_actor(ana), run)) == 40
        )  # the first keeps its name and digest
