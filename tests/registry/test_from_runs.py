"""A version is registered from a run in the browser: of the files that were shown, by who may, into the right model."""

from __future__ import annotations

import pytest

from apps.accounts import services as accounts
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid
from apps.experiments.models import Run
from apps.registry import run_sources, services
from apps.registry.models import ModelVersion, RegisteredModel
from tests import factories
from tests.experiments import makers
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana() -> Actor:
    return factories.person("ana", "contributor")


@pytest.fixture
def run(ana: Actor) -> Run:
    """A run with a folder that is a model, one that is none, and a logged model."""
    experiment = makers.experiment(ana)
    made = makers.run(ana, experiment)
    makers.file(ana, made, "model/MLmodel", b"flavors: {}\n")
    makers.file(ana, made, "model/data/weights.bin", b"weights")
    makers.file(ana, made, "plots/roc.png", b"a picture")
    logged = makers.logged_model(ana, experiment, source=made)
    makers.file(ana, logged, "MLmodel", b"flavors: {python_function: {}}\n")
    return made


def register(actor: Actor, run: Run, place: int = 0, **changes: str) -> ModelVersion:
    chosen = run_sources.sources(run)[place]
    given = {"source": chosen.uri, "digest": chosen.digest, "name": "credit"}
    return services.register_run(actor, run, **{**given, **changes})  # type: ignore[arg-type]


def test_the_sources_are_the_logged_models_and_the_folders_that_are_models(run: Run) -> None:
    logged, folder = run_sources.sources(run)
    assert logged.uri.startswith("models:/m-")
    assert [file.path for file in logged.files] == ["MLmodel"]
    assert folder.uri == f"runs:/{run.run_id}/model"
    assert [file.path for file in folder.files] == ["MLmodel", "data/weights.bin"]


def test_a_version_has_the_manifest_that_was_shown(ana: Actor, run: Run) -> None:
    for place, shown in enumerate(run_sources.sources(run)):
        made = register(ana, run, place)
        assert made.manifest_digest == shown.digest
        assert made.source == shown.uri
        assert made.run_id == run.pk
        assert made.logged_model == shown.logged_model
        assert made.number == place + 1


def test_a_new_model_begins_with_the_answers_and_one_that_is_there_keeps_its_own(
    ana: Actor, run: Run
) -> None:
    answers = {"purpose": "small loans", "exposure": "low", "purpose_class": "informational"}
    model = register(ana, run, settings=answers).model  # type: ignore[arg-type]
    assert (model.purpose, model.risk_tier) == ("small loans", 3)
    register(ana, run, 1, settings={**answers, "exposure": "high"})  # type: ignore[arg-type]
    model.refresh_from_db()
    assert model.risk_tier == 3


def test_files_that_changed_since_they_were_shown_are_a_conflict(ana: Actor, run: Run) -> None:
    shown = run_sources.sources(run)[1]
    makers.file(ana, run, "model/extra.bin", b"more")
    with nothing_written(), pytest.raises(Conflict, match="changed since they were shown"):
        register(ana, run, 1, digest=shown.digest)


@pytest.mark.parametrize(
    "source", ["", "runs:/0/model", "models:/credit/1", "plots", "s3://elsewhere/model"]
)
def test_a_source_that_is_none_of_the_run_is_refused(ana: Actor, run: Run, source: str) -> None:
    with nothing_written(), pytest.raises(Invalid) as refusal:
        register(ana, run, source=source)
    assert "source" in refusal.value.fields


def test_a_source_of_another_run_is_refused(ana: Actor, run: Run) -> None:
    other = makers.run(ana, makers.experiment(ana))
    makers.file(ana, other, "model/MLmodel", b"flavors: {}\n")
    theirs = run_sources.sources(other)[0]
    with nothing_written(), pytest.raises(Invalid):
        register(ana, run, source=theirs.uri, digest=theirs.digest)


def test_who_may_not_register_registers_nothing_and_makes_no_model(ana: Actor, run: Run) -> None:
    for who in (factories.person("vera", "validator"), factories.person("otto")):
        with nothing_written(), pytest.raises(DomainError):
            register(who, run)
    assert not RegisteredModel.objects.exists()


def test_the_name_of_a_model_out_of_sight_is_taken(ana: Actor, run: Run) -> None:
    team = accounts.create_team(factories.SYSTEM, key="labour", name="Labour")
    max_ = factories.person("max")
    accounts.grant_role(factories.SYSTEM, "contributor", factories.user_of(max_), on=team)
    factories.model(ana, "credit")
    max_ = factories.again(max_)
    own = makers.run(max_, makers.experiment(max_))
    makers.file(max_, own, "model/MLmodel", b"flavors: {}\n")
    with nothing_written(), pytest.raises(Forbidden, match="exists and you may not see it"):
        register(max_, own)
