"""The pages of what happens to an approval afterwards: questioned, renewed, repeated in an emergency, reviewed."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.actor import Actor
from apps.notices.models import Notice
from apps.registry.models import ModelVersion
from apps.reviews import services
from apps.reviews.models import Rereview, Rollback, RollbackReview
from tests import factories
from tests.notices.support import told, work_off
from tests.reviews.conftest import Cast
from tests.reviews.conftest import adam as adam  # the fixtures
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_rollback import PATH, let_in
from tests.support.people import PASSWORD
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ona(cast: Cast, adam: Actor) -> Actor:
    put_in_force(adam, cast.vera, cast.rui, emergency=PATH, rereview_on=["incident"])
    return factories.person("ona", "on_call")


def seen(actor: Actor, path: str) -> str:
    answer = browser(factories.user_of(actor)).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_an_incident_is_declared_and_shown_everywhere_until_people_sign_again(
    cast: Cast, ona: Actor
) -> None:
    let_in(cast, cast.version)
    client = browser(factories.user_of(cast.vera))
    path = "/models/credit/1/question/"
    assert client.post(path, {"trigger": "recall", "reason": "x"}).status_code == 422
    assert not Rereview.objects.exists()
    said = "It declines everybody"
    answer = client.post(path, {"trigger": "incident", "reason": said})
    assert answer.status_code == 302
    for actor, where in (
        (cast.ana, "/models/credit/1/"),
        (cast.ana, "/models/credit/"),
        (cast.ana, "/"),
    ):
        page = seen(actor, where)
        assert "e-review required" in page, where
        assert said in page, where
    assert "re-review" in seen(cast.ana, "/models/")
    assert "renew the approval" in seen(cast.ana, "/models/credit/1/submit/")
    work_off()
    assert "approval.questioned" in told(cast.ana)
    assert "approval.questioned" in told(cast.rui)
    let_in(cast, cast.version)
    for where in ("/models/credit/1/", "/models/credit/"):
        assert "deployment gate denies" not in seen(cast.ana, where), where
    assert "v1, re-review" not in seen(cast.ana, "/models/")


def test_nothing_is_questioned_about_a_version_that_is_nowhere(cast: Cast, ona: Actor) -> None:
    client = browser(factories.user_of(cast.vera))
    assert client.get("/models/credit/1/question/").status_code == 403


def test_somebody_on_call_puts_a_version_back_and_somebody_else_confirms_it(
    cast: Cast, ona: Actor
) -> None:
    let_in(cast, cast.version)
    let_in(cast, factories.version(cast.ana, cast.model))
    assert "Put v1 back" in seen(ona, "/models/credit/")
    assert "Put v1 back" not in seen(cast.omar, "/models/credit/")
    client, path = browser(factories.user_of(ona)), "/models/credit/1/roll-back/"
    form = {"targets": ["stage:production"], "reason": "v2 declines everybody"}
    assert client.post(path, {**form, "password": "wrong"}).status_code == 422
    assert not Rollback.objects.exists()
    answer = client.post(path, {**form, "password": PASSWORD})
    row = Rollback.objects.get()
    assert answer["Location"] == f"/rollbacks/{row.pk}/"
    assert ModelVersion.objects.get(number=1).stage == "Production"
    work_off()
    assert {n.recipient_id for n in Notice.objects.filter(kind="rollback.made")} == {
        actor.user_id for actor in (cast.ana, cast.vera, cast.rui, cast.remo)
    }
    assert "To be reviewed" in seen(ona, f"/rollbacks/{row.pk}/")
    assert "somebody else must review it" in seen(ona, f"/rollbacks/{row.pk}/")
    assert f"/rollbacks/{row.pk}/" in seen(cast.remo, "/")
    assert f"/rollbacks/{row.pk}/" not in seen(ona, "/")
    judged = {"verdict": "confirm", "comment": "read the incident", "password": PASSWORD}
    assert client.post(f"/rollbacks/{row.pk}/review/", judged).status_code == 403
    remo = browser(factories.user_of(cast.remo))
    assert remo.post(f"/rollbacks/{row.pk}/review/", judged).status_code == 302
    assert RollbackReview.objects.get().accepts
    assert "Confirmed" in seen(cast.ana, f"/rollbacks/{row.pk}/")
    assert remo.get(f"/rollbacks/{row.pk}/review/").status_code == 403


def test_a_version_that_is_not_the_last_approved_one_has_no_form(cast: Cast, ona: Actor) -> None:
    let_in(cast, cast.version)
    client = browser(factories.user_of(ona))
    answer = client.get("/models/credit/1/roll-back/")
    assert answer.status_code == 403
    assert "no other version was ever approved" in answer.content.decode()


def test_home_and_the_list_cost_as_many_queries_for_many_as_for_one(cast: Cast, ona: Actor) -> None:
    let_in(cast, cast.version)
    services.declare_rereview(cast.vera, cast.version, trigger="incident", reason="one")
    few = {path: _queries(cast.ana, path) for path in ("/", "/models/")}
    for name in ("churn", "fraud", "loans"):
        model = factories.model(cast.ana, name)
        version = let_in(cast, factories.version(cast.ana, model))
        services.declare_rereview(cast.vera, version, trigger="incident", reason="one")
    assert {path: _queries(cast.ana, path) for path in ("/", "/models/")} == few


def _queries(actor: Actor, path: str) -> int:
    client = browser(factories.user_of(actor))
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)
