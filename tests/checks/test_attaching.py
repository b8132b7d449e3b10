"""Data attached from a form or from the run, by the right people, with the rights the site really has."""

from __future__ import annotations

import dataclasses
import io

import pytest

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import selectors, services
from apps.checks.mapping import Role
from apps.checks.models import EvaluationDataset
from apps.core import blobs
from apps.core.errors import Forbidden, Invalid, NotFound, Tampered
from apps.experiments import services as experiments
from apps.experiments.models import Run
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.support import ACS, DEMO, GERMAN
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db
CREDIT = (DEMO / "german_credit_predictions.csv").read_bytes()


@pytest.fixture
def version(ana: User) -> ModelVersion:
    """A version made from a run that holds an evaluation file."""
    actor = as_actor(ana)
    experiment = experiments.create_experiment(actor, name="credit")
    made = experiments.create_run(actor, experiment_id=experiment.pk)
    run = Run.objects.get(run_id=made.run_id)
    experiments.put_artifact(actor, run, "eval/test.csv", io.BytesIO(CREDIT))
    return factories.version(actor, factories.model(actor), run=run)


def attach(version: ModelVersion, user: User, **changes: object) -> EvaluationDataset:
    given = {"role": "evaluation", "mapping": GERMAN, "favourable": 1, **changes}
    return services.attach_dataset(as_actor(user), version, **given)  # type: ignore[arg-type]


def test_an_uploaded_file_becomes_a_described_data_set(version, ana):
    row = attach(version, ana, stream=io.BytesIO(CREDIT), name=" Test set ")
    assert (row.name, row.format, row.rows, row.created_by_id) == ("Test set", "csv", 1000, ana.pk)
    assert blobs.read_all(row.digest) == CREDIT
    kinds = {entry["name"]: entry["kind"] for entry in row.columns}
    assert kinds["y_score"] == "number"
    assert kinds["sex"] == "text"
    event = next(iter(replay("checks.dataset.attached")))
    assert event.payload["digest"] == row.digest
    assert event.payload["meaning"] == selectors.meaning_of(row)


def test_a_file_of_the_run_is_taken_from_where_it_is(version, ana):
    row = attach(version, ana, artifact="eval/test.csv")
    assert (row.artifact, row.name, row.rows) == ("eval/test.csv", "test.csv", 1000)
    assert blobs.read_all(row.digest) == CREDIT


def test_a_damaged_file_of_the_run_is_not_attached(version, ana):
    row = attach(version, ana, artifact="eval/test.csv")
    path = blobs.path(row.digest)
    path.chmod(0o600)
    path.write_bytes(CREDIT.replace(b"male", b"mall", 1))
    with pytest.raises(Tampered):
        attach(version, ana, artifact="eval/test.csv")
    assert EvaluationDataset.objects.count() == 1


def test_who_may_edit_the_model_but_not_read_the_run_cannot_take_its_files(version, ana, otto):
    from apps.accounts import services as accounts

    accounts.grant_role(factories.SYSTEM, "contributor", otto, on=version.model)
    with pytest.raises(NotFound):
        attach(version, otto, artifact="eval/test.csv")
    attach(version, otto, stream=io.BytesIO(CREDIT))


def test_a_reader_cannot_attach(version, aud, otto):
    for user in (aud, otto):
        with pytest.raises(Forbidden):
            attach(version, user, stream=io.BytesIO(CREDIT))
    assert not EvaluationDataset.objects.exists()


def test_a_token_of_the_wrong_scope_cannot_attach(version, ana):
    with pytest.raises(Forbidden):
        services.attach_dataset(
            as_actor(ana, door="mlflow", scopes={"read", "tracking"}),
            version,
            role="evaluation",
            mapping=GERMAN,
            favourable=1,
            stream=io.BytesIO(CREDIT),
        )


def test_the_newest_data_set_of_each_role_is_in_force(version, ana):
    first = attach(version, ana, stream=io.BytesIO(CREDIT))
    reference = attach(
        version, ana, role="reference", stream=io.BytesIO(CREDIT), mapping={"features": ["age"]}
    )
    second = attach(version, ana, stream=io.BytesIO(CREDIT), mapping={**GERMAN, "score": ""})
    assert selectors.datasets_in_force(version) == {
        Role.EVALUATION: second,
        Role.REFERENCE: reference,
    }
    assert list(selectors.datasets(version)) == [second, reference, first]


def test_results_take_a_constant_number_of_queries(version, ana, django_assert_num_queries):
    limits = {
        "performance": {"roc_auc": {"min": "0.7"}},
        "fairness": {"demographic_parity_difference": {"max": "0.1"}},
    }
    for count in (1, 5):
        for _ in range(count):
            attach(version, ana, stream=io.BytesIO(CREDIT))
        with django_assert_num_queries(7):
            selectors.results(version, limits)


def test_a_parquet_of_the_census_is_attached_whole(version, ana):
    with (DEMO / "acs_employment_ma_2016.parquet").open("rb") as stream:
        row = attach(version, ana, stream=stream, mapping=ACS)
    assert (row.format, row.rows, len(row.columns)) == ("parquet", 69_126, 21)


def test_the_sites_own_role_may_attach_and_ask(version, ana, as_runtime_role):
    attach(version, ana, stream=io.BytesIO(CREDIT))
    row = services.request_measurement(as_actor(ana), version, "performance")
    assert row.status == "queued"


@pytest.mark.parametrize("label", ["", None, "maybe", "2", 7, -1])
def test_an_outcome_nobody_has_is_refused(version, ana, label):
    with pytest.raises(Invalid) as refusal:
        attach(version, ana, stream=io.BytesIO(CREDIT), favourable=label)
    assert "favourable" in refusal.value.fields


def test_the_system_does_not_attach_data(version, ana):
    nobody = dataclasses.replace(as_actor(ana), user_id=None, kind=factories.SYSTEM.kind)
    with pytest.raises(Forbidden):
        services.attach_dataset(
            nobody,
            version,
            role="evaluation",
            mapping=GERMAN,
            favourable=1,
            stream=io.BytesIO(CREDIT),
        )
