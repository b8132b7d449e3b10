"""Deployments and retirement through the doors: the API as a pipeline uses it, the pages, the unmodified rules of MLflow's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.accounts import services as accounts
from apps.core import clock
from apps.notices.models import Notice
from apps.registry import deployed, services
from apps.registry.models import Deployment, Environment, ModelRetirement, RegisteredModel
from tests import factories
from tests.api_v1.conftest import Api, by_session, by_token
from tests.deployments.conftest import Site
from tests.deployments.test_retiring import ANSWERS, retire
from tests.notices.support import told, work_off
from tests.reviews.test_forgery import is_whole
from tests.support.people import PASSWORD, token_for
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pipeline(site: Site) -> Api:
    """A service that contributes to the model, with a token of the scope `registry`."""
    owner = factories.user_of(site.cast.ana)
    ci = accounts.create_service(site.adam, username="ci", display_name="CI", owners=[owner])
    accounts.grant_role(factories.SYSTEM, "contributor", ci, on=site.cast.model)
    return Api({"Authorization": f"Bearer {token_for(ci, 'registry')}"})


def body(site: Site, **changes: Any) -> dict[str, Any]:
    return {
        "model": "credit",
        "version": 1,
        "environment": "PROD",
        "place": "eu-1",
        "traffic": 10,
        "digest": f"sha256:{site.cast.version.manifest_digest}",
        **changes,
    }


def asked(api: Api, site: Site, digest: str = "") -> dict[str, Any]:
    question = {"model": "credit", "version": 1, "target": "environment:prod"}
    question["digest"] = digest or f"sha256:{site.cast.version.manifest_digest}"
    answer = api.post("gate/check", question)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_pipeline_asks_records_changes_and_ends(site: Site, pipeline: Api) -> None:
    assert asked(pipeline, site)["decision"] == "deny"
    refused = pipeline.post("deployments", body(site))
    assert (refused.status_code, refused.json()["code"]) == (403, "blocked")
    site.approve()
    assert asked(pipeline, site)["decision"] == "allow"
    assert asked(pipeline, site, "sha256:" + "0" * 64)["decision"] == "deny"
    other = pipeline.post("deployments", body(site, digest="sha256:" + "0" * 64))
    assert other.status_code == 409
    made = pipeline.post("deployments", body(site))
    assert made.status_code == 201, made.content
    told_ = made.json()
    assert (told_["traffic"], told_["governed"]) == ("10", True)
    assert told_["review"] is not None
    assert asked(pipeline, site)["decision"] == "allow"
    again = pipeline.post("deployments", body(site))
    assert (again.status_code, again.json()["code"]) == (409, "already_exists")
    changed = pipeline.post(f"deployments/{told_['id']}/traffic", {"traffic": "12.5"})
    assert [share["traffic"] for share in changed.json()["shares"]] == ["10", "12.5"]
    too_much = pipeline.post(f"deployments/{told_['id']}/traffic", {"traffic": 12.5})
    assert (too_much.status_code, "traffic" in too_much.json()["fields"]) == (400, True)
    today = clock.now().date()
    shown = pipeline.get("models/credit/deployments", on=today.isoformat(), environment="prod")
    assert [row["id"] for row in shown.json()["items"]] == [told_["id"]]
    before = (today - dt.timedelta(days=1)).isoformat()
    assert pipeline.get("deployments", on=before).json()["items"] == []
    ended = pipeline.post(f"deployments/{told_['id']}/end", {"reason": "replaced by v2"})
    assert ended.json()["end_reason"] == "replaced by v2"
    assert pipeline.post(f"deployments/{told_['id']}/end", {}).status_code == 409
    assert pipeline.get("deployments", running="true").json()["items"] == []
    is_whole()


def test_a_token_neither_adds_environments_nor_retires_a_model(site: Site, pipeline: Api) -> None:
    added = pipeline.post("environments", {"key": "mars"})
    assert added.status_code == 403
    assert "No token may add, rename and retire environments" in added.json()["detail"]
    retired = pipeline.post("models/credit/retire", {})
    assert retired.status_code == 403
    assert not Environment.objects.filter(key="mars").exists()


def test_an_administrator_adds_renames_and_retires_an_environment(site: Site) -> None:
    api = by_session(factories.user_of(site.adam))
    made = api.post("environments", {"key": "Edge", "title": "Edge of the network"})
    assert (made.status_code, made.json()["key"]) == (201, "edge")
    assert api.post("environments", {"key": "EDGE"}).status_code == 409
    changed = api.post("environments/edge", {"title": "Edge", "retired": True})
    assert changed.json()["retired_at"] is not None
    assert [row["key"] for row in api.get("environments").json()["items"]] == [
        "dev",
        "prod",
        "edge",
    ]
    assert api.post("environments/edge", {}).status_code == 400
    assert api.post("environments/nowhere", {"title": "x"}).status_code == 404
    is_whole()


def test_an_outsider_learns_of_no_deployment(site: Site) -> None:
    made = site.record(environment=site.dev)
    api = by_token(factories.user_of(site.cast.otto))
    assert api.get(f"deployments/{made.uuid}").status_code == 404
    assert api.get("deployments").json()["items"] == []
    assert api.post(f"deployments/{made.uuid}/end", {}).status_code == 404
    page = browser(factories.user_of(site.cast.otto)).get("/environments/dev/")
    assert page.status_code == 200
    assert "credit" not in page.content.decode()


def test_the_owner_retires_a_model_in_the_api_and_brings_it_back(site: Site) -> None:
    heir = factories.model(site.cast.ana, "credit 2")
    api = by_session(factories.user_of(site.cast.omar))
    given = {"reason": "nobody lends", "answers": ANSWERS, "successor": "credit 2"}
    assert api.post("models/credit/retire", given | {"password": "wrong"}).status_code == 403
    assert not ModelRetirement.objects.exists()
    made = api.post("models/credit/retire", given | {"password": PASSWORD})
    assert made.status_code == 200, made.content
    assert made.json()["successor"] == heir.name
    assert made.json()["history"][0]["answers"][1]["note"].startswith("kept for ten years")
    assert api.get("models/credit").json()["retired_at"] is not None
    refused = by_token(factories.user_of(site.cast.ana)).post(
        "reviews",
        {"model": "credit", "version": 1, "targets": ["stage:production"], "justification": "x"},
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "blocked")
    assert "credit 2 takes its place" in refused.json()["detail"]
    back = api.post("models/credit/bring-back", {"reason": "they lend again", "password": PASSWORD})
    assert back.json()["retired_at"] is None
    is_whole()


MLFLOW = {
    "model-versions/create": {"name": "credit", "source": "s3://somewhere"},
    "model-versions/transition-stage": {
        "name": "credit", "version": "1", "stage": "Staging", "archive_existing_versions": False
    },
    "registered-models/alias": {"name": "credit", "alias": "candidate", "version": "1"},
    "registered-models/rename": {"name": "credit", "new_name": "other"},
}  # fmt: skip


@pytest.mark.parametrize("path", MLFLOW)
@pytest.mark.parametrize("prefix", ["/api/2.0/mlflow", "/ajax-api/2.0/mlflow"])
def test_the_mlflow_door_refuses_a_retired_model_with_the_reason(
    path: str, prefix: str, site: Site
) -> None:
    heir = factories.model(site.cast.ana, "credit 2")
    retire(site.cast.omar, site.cast.model, successor=heir)
    actor = site.cast.omar if path.endswith("rename") else site.cast.ana
    token = token_for(factories.user_of(actor), "registry")
    api = Api({"Authorization": f"Bearer {token}"})
    answer = api.http.post(
        f"{prefix}/{path}", MLFLOW[path], content_type="application/json", headers=api.headers
    )
    if path.endswith("rename") and answer.status_code != 403:  # no token renames
        pytest.fail(str(answer.content))
    assert answer.status_code == 403, answer.content
    if not path.endswith("rename"):
        assert answer.json()["error_code"] == "PERMISSION_DENIED"
        assert "credit 2 takes its place" in answer.json()["message"]
    assert site.cast.model.versions.count() == 1


def test_the_pages_record_and_show_what_runs_and_what_ran(site: Site) -> None:
    client = browser(factories.user_of(site.cast.ana))
    blocked = client.post(
        "/models/credit/1/deployments/new/", {"environment": "prod", "traffic": "100"}
    )
    assert blocked.status_code == 403
    site.approve()
    form = client.get("/models/credit/1/deployments/new/").content.decode()
    assert "Production cluster (prod): by approval only" in form
    sent = client.post(
        "/models/credit/1/deployments/new/",
        {"environment": "prod", "traffic": "40", "place": "eu-1"},
    )
    assert sent.status_code == 302
    made = Deployment.objects.get()
    for address in ("/models/credit/", "/models/credit/1/", "/environments/prod/"):
        shown = client.get(address).content.decode()
        assert "40 %" in shown, address
        assert "eu-1" in shown, address
    too_much = client.post(f"/deployments/{made.uuid}/traffic/", {"traffic": "101"})
    assert too_much.status_code == 422
    client.post(f"/deployments/{made.uuid}/traffic/", {"traffic": "55"})
    today = clock.now().date().isoformat()
    shown = client.get("/models/credit/deployments/", {"on": today}).content.decode()
    assert "before: 40 %" in shown
    assert client.get("/environments/prod/", {"on": "31 January"}).status_code == 422
    assert client.get("/environments/nowhere/").status_code == 404
    client.post(f"/deployments/{made.uuid}/end/", {"reason": "over"})
    assert "Nothing is recorded as running" in client.get("/environments/prod/").content.decode()
    listed = client.get("/environments/").content.decode()
    assert "Production cluster" in listed
    is_whole()


def test_a_model_is_retired_on_its_page_with_what_was_answered_shown(site: Site) -> None:
    client = browser(factories.user_of(site.cast.omar))
    made = site.record(environment=site.dev)
    said = client.get("/models/credit/retire/").content.decode()
    assert "v1 is recorded as running in environment dev." in said
    services.end_deployment(site.cast.ana, made)
    form = {
        "reason": "nobody lends any more",
        "consumers": "nobody",
        "data": "yes",
        "documentation": "yes",
        "operations": "none",
        "no_successor": "the product ends",
    }
    wrong = client.post("/models/credit/retire/", form | {"password": PASSWORD})
    assert wrong.status_code == 422
    assert "say more about it" in wrong.content.decode()
    good = form | {"password": PASSWORD, "data_note": "ten years, rule 12"}
    assert client.post("/models/credit/retire/", good).status_code == 302
    shown = client.get("/models/credit/").content.decode()
    assert "Retired on" in shown
    assert "ten years, rule 12" in shown
    assert "Add a version" not in shown
    assert client.get("/models/credit/retire/").status_code == 409
    assert "retired" in client.get("/models/").content.decode()
    back = client.post(
        "/models/credit/bring-back/", {"reason": "they lend again", "password": PASSWORD}
    )
    assert back.status_code == 302
    assert RegisteredModel.objects.get(name="credit").retired_at is None


def test_whom_it_concerns_is_told(site: Site) -> None:
    model = site.cast.model
    RegisteredModel.objects.filter(pk=model.pk).update(owner_id=site.cast.omar.user_id)
    made = site.record(environment=site.dev)
    services.end_deployment(site.cast.ana, made, reason="over")
    work_off()
    about = [kind for kind in told(site.cast.omar) if kind.startswith("deployment.")]
    assert about == ["deployment.recorded", "deployment.ended"]
    notice = Notice.objects.filter(kind="deployment.recorded").get()
    assert (notice.parts["model"], notice.parts["version"]) == ("credit", 1)
    retire(site.cast.omar, model)
    work_off()
    assert "model.retired" in told(site.cast.ana)
    assert told(site.cast.vera).count("model.retired") == 0


def test_the_pages_ask_as_much_for_many_deployments_as_for_few(
    site: Site, django_assert_max_num_queries: Any
) -> None:
    client = browser(factories.user_of(site.cast.ana))
    addresses = (
        "/models/credit/",
        "/models/credit/deployments/",
        "/environments/dev/",
        "/environments/",
    )
    counts: list[list[int]] = []
    for places in ("ab", "cdefghij"):
        for place in places:
            site.record(environment=site.dev, traffic="5", place=place)
        now = []
        for address in addresses:
            client.get(address)
            with django_assert_max_num_queries(100) as seen:
                client.get(address, {"on": clock.now().date().isoformat()})
            now.append(len(seen))
        counts.append(now)
    assert counts[0] == counts[1]
    assert deployed.live_share(site.cast.model.pk, site.dev.pk) == 50


def test_a_review_that_waits_for_a_deployment_offers_that_and_no_promotion(site: Site) -> None:
    review = site.approve()
    client = browser(factories.user_of(site.cast.ana))
    shown = client.get(f"/reviews/{review.pk}/").content.decode()
    assert "Record a deployment" in shown
    assert "Promote now" not in shown
    assert "Environment prod is entered by the first deployment recorded there." in shown
