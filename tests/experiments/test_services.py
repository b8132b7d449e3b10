"""Experiments, runs and logged models change through their verbs, which the ledger tells of."""

from __future__ import annotations

import itertools

import pytest

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.services import create_team, grant_role
from apps.audits import selectors as ledger
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid, NotFound
from apps.experiments import ingest, selectors, services
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import DEFAULT_EXPERIMENT, Experiment, Run
from tests.experiments import makers
from tests.support.people import SYSTEM, as_actor, hire

pytestmark = pytest.mark.django_db


def told(scope: str) -> list[str]:
    """The types of the events about a thing, oldest first."""
    return [event.type for event in reversed(ledger.events(scopes=[scope]))]


def test_the_default_experiment_is_there_from_the_start() -> None:
    assert Experiment.objects.get(pk=DEFAULT_EXPERIMENT).name == "Default"


def test_the_creator_owns_her_experiment_and_a_stranger_cannot_see_it(
    ana: User, otto: User
) -> None:
    made = makers.experiment(as_actor(ana), "credit")
    assert policy.can(as_actor(ana), "experiment.manage", made)
    assert not policy.can(as_actor(otto), "experiment.read", made)
    assert told(f"experiment:{made.pk}")[-1] == "experiments.experiment.created"


def test_who_contributes_to_one_team_only_creates_there(otto: User) -> None:
    team = create_team(SYSTEM, key="risk", name="Risk")
    grant_role(SYSTEM, "contributor", otto, on=team)
    made = makers.experiment(as_actor(otto), "of the team")
    assert made.team == team
    with pytest.raises(NotFound):
        services.create_run(as_actor(otto), experiment_id=makers.experiment(SYSTEM, "x").pk)


def test_a_taken_name_is_told_apart_from_one_out_of_sight(ana: User, otto: User) -> None:
    makers.experiment(as_actor(ana), "credit")
    with pytest.raises(AlreadyExists, match=r"Experiment\(name=credit\) already exists\."):
        makers.experiment(as_actor(ana), "credit")
    team = create_team(SYSTEM, key="risk", name="Risk")
    grant_role(SYSTEM, "contributor", otto, on=team)
    with pytest.raises(Forbidden, match="exists, and you may not see it"):
        makers.experiment(as_actor(otto), "credit")


@pytest.mark.parametrize("name", ["", "   ", "x" * 501, "a\x00b"])
def test_a_bad_name_is_refused(ana: User, name: str) -> None:
    with pytest.raises(Invalid):
        services.create_experiment(as_actor(ana), name=name)
    assert Experiment.objects.count() == 1


def test_deleting_an_experiment_hides_its_runs_and_restoring_brings_them_back(ana: User) -> None:
    actor = as_actor(ana)
    made = makers.experiment(actor)
    run = makers.run(actor, made)
    services.delete_experiment(actor, made.pk)
    assert selectors.get_run(run.run_id).lifecycle_stage == "deleted"
    with pytest.raises(Invalid, match="must be in the 'active' state"):
        services.create_run(actor, experiment_id=made.pk)
    with pytest.raises(Conflict):
        services.rename_experiment(actor, made.pk, name="other")
    with pytest.raises(NotFound):
        services.delete_experiment(actor, made.pk)
    services.restore_experiment(actor, made.pk)
    assert selectors.get_run(run.run_id).lifecycle_stage == "active"
    assert told(f"experiment:{made.pk}")[-2:] == [
        "experiments.experiment.deleted",
        "experiments.experiment.restored",
    ]


def test_the_default_experiment_is_not_deleted(ana: User) -> None:
    with pytest.raises(Conflict):
        services.delete_experiment(as_actor(ana), DEFAULT_EXPERIMENT)


def test_an_experiment_with_evidence_is_not_deleted(ana: User) -> None:
    actor = as_actor(ana)
    made = makers.experiment(actor)
    other = makers.run(actor, made)
    services.seal_run(actor, makers.ended(actor, makers.run(actor, made)), review_id=3)
    with pytest.raises(Blocked) as refusal:
        services.delete_experiment(actor, made.pk)
    assert refusal.value.url.endswith("/reviews/3/")
    assert Experiment.objects.get(pk=made.pk).lifecycle_stage == "active"
    assert selectors.get_run(other.run_id).lifecycle_stage == "active"


def test_deleting_and_restoring_a_run_may_be_repeated_and_is_told_once(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    for _ in range(2):
        services.delete_run(actor, run_id=run.run_id)
    for _ in range(2):
        services.restore_run(actor, run_id=run.run_id)
    assert told(f"run:{run.run_id}") == ["experiments.run.deleted", "experiments.run.restored"]


def test_two_names_for_one_run_are_refused(ana: User) -> None:
    made = makers.experiment(as_actor(ana))
    with pytest.raises(Invalid, match="different values"):
        services.create_run(
            as_actor(ana), experiment_id=made.pk, run_name="a", tags=[Pair("mlflow.runName", "b")]
        )
    assert not Run.objects.exists()


def test_a_run_that_has_not_ended_is_not_sealed(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    with pytest.raises(Blocked, match="still RUNNING"):
        services.seal_run(actor, run, review_id=1)
    assert selectors.get_run(run.run_id).sealed_by is None


def test_the_seal_records_the_digest_of_what_the_run_holds_and_can_be_lifted(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor), metrics={"m": 0.1}, params={"p": "1"})
    makers.file(actor, run, "model/weights.bin")
    run = services.seal_run(actor, makers.ended(actor, run), review_id=9)
    again = services.seal_run(actor, run, review_id=10)
    assert (again.sealed_by, run.sealed_by) == (9, 9)
    (event,) = ledger.events(scopes=[f"run:{run.run_id}"])
    assert event.payload["digest"] == selectors.run_digest(run)
    services.unseal_run(actor, run)
    services.unseal_run(actor, run)
    ingest.log_metric(actor, run_id=run.run_id, metric=Point("m", 0.2, 5, 5))
    assert told(f"run:{run.run_id}") == ["experiments.run.sealed", "experiments.run.unsealed"]


@pytest.mark.parametrize(
    "change",
    [
        lambda a, r: ingest.log_metric(a, run_id=r.run_id, metric=Point("m", 0.1, 9, 9)),
        lambda a, r: ingest.log_param(a, run_id=r.run_id, key="q", value="1"),
        lambda a, r: ingest.set_tag(a, run_id=r.run_id, key="t", value="1"),
        lambda a, r: makers.file(a, r, "model.bin", b"other"),
        lambda a, r: makers.file(a, r, "more.bin"),
        lambda a, r: services.delete_artifacts(a, r, "model.bin"),
        lambda a, r: services.update_run(a, run_id=r.run_id, status="FAILED"),
    ],
    ids=["metric", "parameter", "tag", "bytes", "file", "removal", "status"],
)
def test_the_digest_of_a_run_covers_everything_it_holds(ana: User, change: object) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor), metrics={"m": 0.1})
    makers.file(actor, run, "model.bin")
    before = selectors.run_digest(selectors.get_run(run.run_id))
    assert before == selectors.run_digest(selectors.get_run(run.run_id))
    change(actor, run)  # type: ignore[operator]
    assert selectors.run_digest(selectors.get_run(run.run_id)) != before


def test_a_sealed_logged_model_keeps_its_bytes_but_may_be_measured(ana: User) -> None:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    run = makers.run(actor, experiment)
    model = makers.logged_model(actor, experiment, source=run)
    makers.file(actor, model, "MLmodel")
    services.seal_logged_model(actor, model, review_id=4)
    before = selectors.logged_model_digest(selectors.get_logged_model(model.model_id))
    for write in (
        lambda: makers.file(actor, model, "MLmodel", b"other"),
        lambda: services.delete_artifacts(actor, model),
        lambda: services.set_model_tags(actor, model_id=model.model_id, tags=[Pair("a", "b")]),
        lambda: services.delete_model_tag(actor, model_id=model.model_id, key="a"),
        lambda: services.log_model_params(actor, model_id=model.model_id, params=[Pair("a", "b")]),
        lambda: services.finalize_logged_model(
            actor, model_id=model.model_id, status="LOGGED_MODEL_PENDING"
        ),
        lambda: services.delete_logged_model(actor, model_id=model.model_id),
    ):
        with pytest.raises(Blocked, match="sealed"):
            write()
    point = Point("auc", 0.9, 1, 0, model.model_id)
    ingest.log_metric(actor, run_id=run.run_id, metric=point)
    note = [Pair("mlflow.modelVersions", "[]")]
    services.set_model_tags(actor, model_id=model.model_id, tags=note)
    assert selectors.logged_model_digest(selectors.get_logged_model(model.model_id)) == before
    services.unseal_logged_model(actor, model)
    services.set_model_tags(actor, model_id=model.model_id, tags=[Pair("a", "b")])
    assert told(f"logged_model:{model.model_id}") == [
        "experiments.logged_model.sealed",
        "experiments.logged_model.unsealed",
    ]


def test_a_logged_models_authors_are_who_wrote_it(ana: User) -> None:
    bo = hire("bo", "Bo", "contributor")
    model = makers.logged_model(as_actor(ana), makers.experiment(as_actor(ana)))
    assert selectors.logged_model_authors(model) == {ana.pk}
    makers.file(as_actor(bo), model, "MLmodel")
    assert selectors.logged_model_authors(model) == {ana.pk, bo.pk}


def test_a_data_set_is_linked_once_with_the_tags_of_the_first_time(ana: User) -> None:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    first, second = makers.run(actor, experiment), makers.run(actor, experiment)
    for run, context in ((first, "train"), (first, "test"), (second, "test")):
        services.log_inputs(
            actor,
            run_id=run.run_id,
            datasets=[
                services.InputClaim(
                    services.DatasetClaim("d", "x", "local", "here"),
                    [Pair("mlflow.data.context", context)],
                )
            ]
            * 2,
        )
    views = selectors.run_views(actor, [first.run_id, second.run_id])
    assert [[data.context for data in view.datasets] for view in views] == [["train"], ["test"]]


def test_an_unknown_model_cannot_be_an_output(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    with pytest.raises(NotFound, match="Logged model with ID 'm-nope' not found"):
        services.log_outputs(actor, run_id=run.run_id, models=[("m-nope", 1)])


def test_children_name_their_parent_by_tag(ana: User) -> None:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    parent = makers.run(actor, experiment)
    child = makers.run(actor, experiment, tags={"mlflow.parentRunId": parent.run_id})
    assert [run.run_id for run in selectors.child_runs(parent)] == [child.run_id]


def test_a_long_curve_is_shown_evenly_with_both_ends(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    points = [Point("m", float(step), step, step) for step in range(1000)]
    ingest.log_batch(actor, run_id=run.run_id, metrics=points)
    series = selectors.metric_series([run.run_id], "m", max_points=10)[run.run_id]
    steps = [point.step for point in series]
    assert (steps[0], steps[-1]) == (0, 999)
    assert 10 <= len(steps) <= 12
    assert max(b - a for a, b in itertools.pairwise(steps)) < 150
    part = selectors.metric_series([run.run_id], "m", start_step=5, end_step=7)[run.run_id]
    assert [point.step for point in part] == [5, 6, 7]


def test_a_history_is_in_order_on_every_page(ana: User) -> None:
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    points = [
        Point("m", value, at, step)
        for at in (3, 1)
        for step in (2, 1)
        for value in (0.5, "NaN", -1.0)
    ]
    ingest.log_batch(actor, run_id=run.run_id, metrics=points)
    whole, _ = selectors.history(run, "m")
    assert [(p.timestamp, p.step) for p in whole] == sorted((p.timestamp, p.step) for p in whole)
    paged, token = [], ""
    while True:
        page, token = selectors.history(run, "m", max_results=5, page_token=token)
        paged += page
        if not token:
            break
    assert [repr(point) for point in paged] == [repr(point) for point in whole]
    _, token = selectors.history(run, "m", max_results=5)
    with pytest.raises(Invalid, match="page token"):
        selectors.history(run, "other", page_token=token)
