"""A model is retired by its owner, once nothing of it is in use; then it is read for ever and takes nothing new."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden, Invalid
from apps.registry import retirement, services
from apps.registry.models import ModelRetirement, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services as reviews
from tests import factories
from tests.deployments.conftest import PROD, Site
from tests.reviews.conftest import PRODUCTION
from tests.reviews.test_forgery import differences, is_whole
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS = {
    "consumers": {"answer": "yes"},
    "data": {"answer": "yes", "note": "kept for ten years under rule 12"},
    "documentation": {"answer": "only_here"},
    "operations": {"answer": "none"},
}


def retire(actor: Actor, model: RegisteredModel, **given: Any) -> RegisteredModel:
    defaults = {
        "reason": "nobody lends any more",
        "answers": ANSWERS,
        "no_successor": "the product ends",
        "proof": factories.proof(actor),
    }
    return services.retire_model(actor, model, **(defaults | given))


def test_it_is_retired_with_its_answers_and_brought_back(site: Site) -> None:
    omar, model = site.cast.omar, site.cast.model
    heir = factories.model(site.cast.ana, "credit 2")
    retired = retire(omar, model, successor=heir)
    assert (retired.retired_at is not None, retired.successor) == (True, heir)
    row = ModelRetirement.objects.get()
    assert row.answers["data"] == {"answer": "yes", "note": "kept for ten years under rule 12"}
    assert (row.checklist_version, row.no_successor) == (retirement.VERSION, "")
    told = audits.events_for(f"model:{model.pk}")[0]
    assert (told.type, told.payload["answers"]) == ("registry.model.retired", row.answers)
    is_whole()
    with pytest.raises(Conflict, match="retired already"):
        retire(omar, model)
    services.restore_model(omar, model, reason="they lend again", proof=factories.proof(omar))
    model.refresh_from_db()
    assert (model.retired_at, model.successor) == (None, None)
    assert factories.version(site.cast.ana, model).number == 2
    is_whole()


def test_it_is_in_the_way_what_is_held_runs_or_is_under_way_and_it_says_which(site: Site) -> None:
    review = site.approve(None, PRODUCTION, PROD)
    made = site.record(place="eu-1")
    site.record(factories.version(site.cast.ana, site.cast.model), environment=site.dev)
    reviews.note_promotion(factories.SYSTEM, review)
    other = factories.version(site.cast.ana, site.cast.model)
    waits = site.cast.submit(PRODUCTION, version=other)
    with pytest.raises(Blocked) as refusal:
        retire(site.cast.omar, site.cast.model)
    assert refusal.value.reasons == (
        "v1 is in environment prod",
        "v1 is in stage Production",
        "v2 is recorded as running in environment dev",
        "v1 is recorded as running in environment prod (eu-1)",
        f"{waits.key} of v3 is in review",
    )
    assert made.is_running
    assert not ModelRetirement.objects.exists()
    with triggers_off("registry_modelretirement"), pytest.raises(DatabaseError):
        RegisteredModel.objects.filter(pk=site.cast.model.pk).update(retired_at=clock.now())


def test_a_retired_model_takes_nothing_new_at_any_verb(site: Site) -> None:
    ana, omar, version = site.cast.ana, site.cast.omar, site.cast.version
    heir = factories.model(ana, "credit 2")
    retire(omar, site.cast.model, successor=heir)
    site.cast.model.refresh_from_db()
    acts = [
        lambda: factories.version(ana, site.cast.model),
        lambda: services.set_stage(ana, version, stage="Staging"),
        lambda: services.set_alias(ana, version, alias="candidate"),
        lambda: site.record(environment=site.dev),
        lambda: site.cast.submit(PRODUCTION),
        lambda: services.promote(ana, version, targets=[PROD]),
        lambda: services.rename_model(omar, site.cast.model, new_name="other"),
        lambda: services.delete_model(omar, site.cast.model),
        lambda: services.change_governance(
            site.adam, site.cast.model, governance="sandbox", reason="x"
        ),
    ]
    for act in acts:
        with pytest.raises(Blocked, match=r"was retired on .* credit 2 takes its place"):
            act()
    assert ModelVersion.objects.count() == 1
    services.update_model(omar, site.cast.model, description="what it was")
    is_whole()


def test_who_may_not_and_what_is_missing(site: Site) -> None:
    model = site.cast.model
    for actor in (site.cast.vera, site.cast.rui, site.adam, site.cast.otto):
        with pytest.raises(Forbidden, match=r"model\.retire"):
            retire(actor, model)
    omar = site.cast.omar
    with pytest.raises(Forbidden, match="confirmed by somebody else"):
        retire(omar, model, proof=factories.proof(site.cast.vera))
    with pytest.raises(Invalid, match="Say why"):
        retire(omar, model, reason=" ")
    with pytest.raises(Invalid, match="takes its place, or say why"):
        retire(omar, model, no_successor="")
    with pytest.raises(Invalid, match="its own place"):
        retire(omar, model, successor=model)
    for key, given in [
        ("consumers", {}),
        ("consumers_note", {"answer": "no"}),
        ("data_note", {"answer": "yes"}),
        ("operations", {"answer": "perhaps"}),
    ]:
        question = key.removesuffix("_note")
        with pytest.raises(Invalid) as refusal:
            retire(omar, model, answers=ANSWERS | {question: given})
        assert key in refusal.value.fields
    with pytest.raises(Invalid, match="checklist"):
        retire(omar, model, answers=ANSWERS | {"weather": {"answer": "yes"}})
    assert not ModelRetirement.objects.exists()


def test_no_chain_of_successors_comes_back_to_where_it_began(site: Site) -> None:
    omar = site.cast.omar
    one, two = site.cast.model, factories.model(site.cast.ana, "two")
    retire(omar, one, successor=two)
    with pytest.raises(Conflict, match="retired itself"):
        retire(omar, two, successor=one)
    three = factories.model(site.cast.ana, "three")
    retire(omar, two, successor=three)
    assert three.retired_at is None
    is_whole()


def test_registering_races_retiring_and_one_of_them_comes_first(site: Site) -> None:
    omar, model = site.cast.omar, site.cast.model
    proof = factories.proof(omar)
    results = at_once(
        lambda: retire(omar, model, proof=proof),
        lambda: factories.version(site.cast.ana, model),
    )
    assert isinstance(results[0], RegisteredModel)
    assert isinstance(results[1], ModelVersion | Blocked)
    is_whole()


def test_two_that_take_each_other_s_place_at_once_do_not_both(site: Site) -> None:
    omar, one, two = site.cast.omar, site.cast.model, factories.model(site.cast.ana, "two")
    proof = factories.proof(omar)
    results = at_once(
        lambda: retire(omar, one, successor=two, proof=proof),
        lambda: retire(omar, two, successor=one, proof=proof),
    )
    assert sum(isinstance(each, RegisteredModel) for each in results) == 1
    assert sum(isinstance(each, DomainError) for each in results) == 1


SQL = [
    "UPDATE registry_registeredmodel SET retired_at = now() WHERE id = {other}",
    "UPDATE registry_registeredmodel SET retired_at = NULL, successor_id = NULL WHERE id = {model}",
    "UPDATE registry_registeredmodel SET successor_id = {other} WHERE id = {model}",
    "UPDATE registry_registeredmodel SET successor_id = {model} WHERE id = {other}",
    "UPDATE registry_registeredmodel SET retired_at = now() - interval '1 day' WHERE id = {model}",
    "UPDATE registry_registeredmodel SET deleted_at = now() WHERE id = {model}",
    "UPDATE registry_registeredmodel SET name = 'x' WHERE id = {model}",
    "UPDATE registry_modelversion SET stage = 'Staging' WHERE id = {version}",
    "INSERT INTO registry_alias (model_id, name, version_id) VALUES ({model}, 'candidate', {version})",
    (
        "INSERT INTO registry_modelversion (uuid, model_id, number, label, source, run_uuid, run_link, description, manifest,"
        " manifest_digest, total_size, created_by_id, created_at, updated_at) SELECT gen_random_uuid(), model_id, 9, '', '', '',"
        " '', '', '[]', manifest_digest, 0, created_by_id, now(), now() FROM registry_modelversion WHERE id = {version}"
    ),
    (
        "INSERT INTO registry_authorization (version_id, target_kind, target_name, review_id, round_id, evidence_digest, terms,"
        " minted_at, expires_at) VALUES ({version}, 'stage', 'production', 1, 1, repeat('0', 64), '{{}}', now(), now() + interval '1 day')"
    ),
    "UPDATE registry_modelretirement SET reason = 'other'",
    "DELETE FROM registry_modelretirement",
]


@pytest.mark.parametrize("statement", SQL)
def test_the_site_s_role_is_refused(
    statement: str, site: Site, runtime_connection: psycopg.Connection[Any]
) -> None:
    other = factories.model(site.cast.ana, "two")
    retire(site.cast.omar, site.cast.model)
    ids = {"model": site.cast.model.pk, "other": other.pk, "version": site.cast.version.pk}
    with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
        runtime_connection.execute(statement.format(**ids))
    is_whole()


def test_what_the_owner_of_the_server_changed_is_named(site: Site) -> None:
    retire(site.cast.omar, site.cast.model)
    with triggers_off("registry_registeredmodel"):
        RegisteredModel.objects.update(retired_at=None)
    assert "model credit: the table says retired, successor (False, None)" in differences()
    with triggers_off("registry_registeredmodel", "registry_modelretirement"):
        RegisteredModel.objects.update(retired_at=clock.now())
        ModelRetirement.objects.update(answers={})
    assert "retirement" in differences()


def test_no_policy_or_target_makes_a_difference(site: Site) -> None:
    """Ungoverned environments, too, are a place where something runs."""
    made = site.record(environment=site.dev, traffic="0")
    with pytest.raises(Blocked, match="v1 is recorded as running in environment dev"):
        retire(site.cast.omar, site.cast.model)
    services.end_deployment(site.cast.ana, made)
    retire(site.cast.omar, site.cast.model)
    assert Target.parse("environment:dev").label == "environment dev"


def test_the_page_of_its_versions_offers_nothing_that_would_be_refused(site: Site) -> None:
    cast = site.cast
    owner = User.objects.get(pk=cast.omar.user_id)
    url = f"/models/{cast.model.name}/{cast.version.number}/"
    before = browser(owner).get(url).content.decode()
    retire(cast.omar, cast.model)
    after = browser(owner).get(url).content.decode()
    for offer in ("requirements-head", f"{url}describe/"):
        assert (offer in before, offer in after) == (True, False)
