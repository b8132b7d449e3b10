"""Whoever edits sealed evidence in the database is found."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.experiments import ingest, selectors, services
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import Experiment, LoggedModel, Run
from apps.experiments.reconcile import differences
from tests.experiments import makers
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment(ana: User) -> Experiment:
    return makers.experiment(as_actor(ana))


@pytest.fixture
def run(ana: User, experiment: Experiment) -> Run:
    actor = as_actor(ana)
    made = makers.run(actor, experiment, metrics={"auc": 0.9}, params={"p": "1"}, tags={"t": "v"})
    makers.file(actor, made, "model.bin")
    services.log_inputs(
        actor,
        run_id=made.run_id,
        datasets=[services.InputClaim(services.DatasetClaim("d", "x", "local", "s"), [])],
    )
    return services.seal_run(actor, makers.ended(actor, made), review_id=3)


@pytest.fixture
def model(ana: User, experiment: Experiment) -> LoggedModel:
    actor = as_actor(ana)
    made = makers.logged_model(actor, experiment)
    makers.file(actor, made, "MLmodel")
    return services.seal_logged_model(actor, made, review_id=3)


def test_what_was_sealed_in_order_is_in_order(
    ana: User, experiment: Experiment, run: Run, model: LoggedModel
) -> None:
    actor = as_actor(ana)
    again = services.seal_run(
        actor, services.unseal_run(actor, makers.ended(actor, makers.run(actor, experiment))), 8
    )
    services.unseal_run(actor, again)
    other = makers.run(actor, experiment)
    ingest.log_metric(actor, run_id=other.run_id, metric=Point("auc", 0.1, 1, 0, model.model_id))
    note = [Pair("mlflow.modelVersions", "[1]")]
    services.set_model_tags(actor, model_id=model.model_id, tags=note)
    assert list(differences()) == []


EDITS = {
    "a metric": "UPDATE experiments_latestmetric SET value = 0.99 WHERE run_id = {run}",
    "a metric's removal": "DELETE FROM experiments_latestmetric WHERE run_id = {run}",
    "a parameter": "UPDATE experiments_param SET value = '2' WHERE run_id = {run}",
    "a tag": "DELETE FROM experiments_runtag WHERE run_id = {run} AND key = 't'",
    "a status": "UPDATE experiments_run SET status = 'FAILED' WHERE id = {run}",
    "a name": "UPDATE experiments_run SET name = 'other' WHERE id = {run}",
    "a file's path": "UPDATE experiments_artifact SET path = 'x' WHERE run_id = {run}",
    "a file's removal": "DELETE FROM experiments_artifact WHERE run_id = {run}",
    "a data set": "UPDATE experiments_dataset SET digest = 'y'",
    "the review": "UPDATE experiments_run SET sealed_by = 4 WHERE id = {run}",
    "the seal": "UPDATE experiments_run SET sealed_by = NULL, sealed_at = NULL WHERE id = {run}",
    "a seal of its own": (
        "UPDATE experiments_run SET sealed_by = 9, sealed_at = now() WHERE sealed_by IS NULL"
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_of_a_sealed_run_is_named(
    ana: User, experiment: Experiment, run: Run, edit: str
) -> None:
    other = makers.run(as_actor(ana), experiment)
    with connection.cursor() as cursor:
        cursor.execute(edit.format(run=run.pk))
    (found,) = differences()
    expected = other if edit.endswith("sealed_by IS NULL") else run
    assert found.subject == f"run:{expected.run_id}"


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE experiments_artifact SET path = 'x' WHERE logged_model_id = {model}",
        "UPDATE experiments_loggedmodel SET name = 'x' WHERE id = {model}",
        "INSERT INTO experiments_loggedmodelparam (model_id, key, value) VALUES ({model}, 'a', 'b')",
        "UPDATE experiments_loggedmodel SET sealed_by = NULL, sealed_at = NULL WHERE id = {model}",
    ],
)
def test_an_edit_of_a_sealed_logged_model_is_named(model: LoggedModel, edit: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(edit.format(model=model.pk))
    assert [found.subject for found in differences()] == [f"logged_model:{model.model_id}"]


def test_a_number_that_cannot_be_written_down_is_named_too(run: Run) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE experiments_latestmetric SET value = 'Infinity'::float8")
    assert [found.subject for found in differences()] == [f"run:{run.run_id}"]


def test_the_site_logs_with_the_rights_of_its_own_role(
    ana: User, experiment: Experiment, as_runtime_role: None
) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, experiment, metrics={"m": 1.0}, params={"p": "1"}, tags={"t": "1"})
    makers.file(actor, run, "f.txt")
    makers.file(actor, run, "f.txt", b"other")
    services.delete_artifacts(actor, run)
    ingest.delete_tag(actor, run_id=run.run_id, key="t")
    made = makers.logged_model(actor, experiment, source=run)
    services.set_model_tags(actor, model_id=made.model_id, tags=[Pair("a", "b")])
    sealed = services.seal_run(actor, makers.ended(actor, run), review_id=1)
    assert selectors.run_view(actor, sealed.run_id).params == [("p", "1")]
