"""The pages of regular checks: defining, changing, retiring, what came of it, and who is named as having started what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.checks import services
from apps.checks.models import DEMANDED, DefinitionRevision, Measurement
from apps.checks.services.definitions import Draft
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.flow import attach
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

LIST = "/models/churn/regular-checks/"
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    found = factories.version(actor, factories.model(actor, "churn"))
    attach(found, ana)
    return found


def sent(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Weekly",
        "on_data": "on",
        "every_days": "7",
        "base": "0",
        "do": "save",
        **changes,
    }


def new(kind: str) -> str:
    return reverse("web:definition-new", args=["churn", kind])


def defined(user: User, version: ModelVersion, **changes: Any) -> DefinitionRevision:
    given = {"name": "Weekly", "kind": "fairness", "on_data": True, **changes}
    return services.save_definition(as_actor(user), version.model, Draft(**given))


def at(row: DefinitionRevision) -> str:
    return reverse("web:definition", args=["churn", row.definition.uuid])


def test_a_definition_is_made_changed_and_retired_in_its_form(
    version: ModelVersion, ana: User
) -> None:
    client = browser(ana)
    answer = client.post(
        new("fairness"), sent(**{"p-crossings": '["sex", "age_group"]', "p-draws": "50"})
    )
    assert answer["Location"] == LIST
    row = DefinitionRevision.objects.get()
    assert (row.name, row.kind, row.every_days, row.params["crossings"]) == ("Weekly", "fairness", 7, [["sex", "age_group"]])  # fmt: skip
    page = client.get(at(row)).content.decode()
    assert 'value="50"' in page
    client.post(at(row), sent(name="Monthly", every_days="30", base="1"))
    client.post(at(row), sent(name="Monthly", every_days="30", base="2", do="retire"))
    told = DefinitionRevision.objects.order_by("number").values_list(
        "name", "every_days", "retired"
    )
    assert list(told) == [("Weekly", 7, False), ("Monthly", 30, False), ("Monthly", 30, True)]
    assert "Retired" in client.get(LIST).content.decode()
    assert "starts nothing" in client.get(at(row)).content.decode()


def test_what_the_policy_demands_is_offered_first(version: ModelVersion, ana: User) -> None:
    page = browser(ana).get(f"{LIST}new/").content.decode()
    assert page.index(new(DEMANDED)) < page.index(new("performance"))
    browser(ana).post(new(DEMANDED), sent())
    assert DefinitionRevision.objects.get().kind == DEMANDED


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(
    version: ModelVersion, ana: User
) -> None:
    defined(ana, version, name="Taken")
    cases = [
        (sent(name=""), "id_name", "This is needed."),
        (sent(name="taken"), "id_name", "another definition of this model has this name"),
        (sent(every_days="400"), "id_every_days", "less than or equal to 366"),
        (sent(every_days="", on_data=""), "id_on_data", "choose at least one thing that starts it"),
        (sent(**{"p-confidence": "9"}), "id_p-confidence", "expected a number from 0.5 to 0.9999"),
    ]
    for form, field, words in cases:
        if form.get("on_data") == "":
            del form["on_data"]
        with nothing_written():
            answer = browser(ana).post(new("performance"), form)
        assert answer.status_code == 422
        assert words in answer.content.decode().partition(f'id="{field}')[2]


def test_a_save_over_somebody_elses_is_told_and_refused(
    version: ModelVersion, ana: User, vera: User
) -> None:
    row = defined(ana, version)
    browser(vera).post(at(row), sent(name="Vera's", base="1"))
    with nothing_written():
        answer = browser(ana).post(at(row), sent(name="Ana's", base="1"))
    assert answer.status_code == 409
    assert "saved revision 2 meanwhile" in answer.content.decode()


def test_its_preview_is_on_the_newest_data_of_the_model_and_writes_nothing(
    version: ModelVersion, ana: User
) -> None:
    with nothing_written():
        answer = browser(ana).post(new("fairness"), sent(do="preview"), **HTMX)
    page = answer.content.decode()
    assert "not evidence, not stored" in page
    assert "<html" not in page


def test_pages_say_which_definition_started_a_measurement_and_who_set_it(
    version: ModelVersion, ana: User, vera: User
) -> None:
    row = defined(vera, version)
    services.start_on_data(version.pk, 1)
    made = Measurement.objects.get()
    client = browser(ana)
    for url in ("/models/churn/1/checks/", f"/models/churn/1/checks/{made.uuid}/", "/checks/"):
        assert f"new data of Weekly, set by {vera}" in client.get(url).content.decode(), url
    for url in (LIST, at(row)):
        assert f"/models/churn/1/checks/{made.uuid}/" in client.get(url).content.decode()


def test_a_definition_that_cannot_start_shows_why(version: ModelVersion, ana: User) -> None:
    row = defined(ana, version, kind="performance", params={"against": "gone"})
    services.start_on_data(version.pk, 1)
    for url in (LIST, at(row)):
        page = browser(ana).get(url).content.decode()
        assert "Not started" in page
        assert "there is no column &#x27;gone&#x27;" in page


@pytest.mark.parametrize(("who", "status"), [("otto", 404), ("rui", 403)])
def test_who_may_not_run_checks_changes_nothing(
    version: ModelVersion, ana: User, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    row = defined(ana, version)
    client: Client = browser(request.getfixturevalue(who))
    for url in (new("fairness"), at(row)):
        with nothing_written():
            for do in ("save", "retire", "preview"):
                assert client.post(url, sent(do=do, base="1")).status_code == status
    page = client.get(LIST)
    assert page.status_code == (404 if who == "otto" else 200)
    assert "Define a check" not in page.content.decode()


def test_a_definition_of_another_model_is_not_found(version: ModelVersion, ana: User) -> None:
    factories.model(as_actor(ana), "other")
    row = defined(ana, version)
    url = reverse("web:definition", args=["other", row.definition.uuid])
    assert browser(ana).get(url).status_code == 404
    assert browser(ana).get(new("luck")).status_code == 404


def test_the_list_takes_as_many_queries_for_many(
    version: ModelVersion, ana: User, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    defined(ana, version)
    services.start_on_data(version.pk, 1)
    client = browser(ana)
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        client.get(LIST)
    for number in range(7):
        defined(ana, version, name=f"n{number}")
    services.start_on_data(version.pk, 2)
    with django_assert_num_queries(len(few)):
        client.get(LIST)


def test_what_these_data_do_not_have_is_kept_in_the_form(version: ModelVersion, ana: User) -> None:
    for kind, params in (
        ("performance", {"against": "gone"}),
        ("fairness", {"crossings": [["sex", "gone"]]}),
    ):
        row = defined(ana, version, name=kind, kind=kind, params=params)
        page = browser(ana).get(at(row)).content.decode()
        assert "gone" in page.partition('id="id_p-')[2]
        [[name, value]] = params.items()
        typed = json.dumps(value[0]) if isinstance(value, list) else value
        browser(ana).post(at(row), sent(name=kind, base="1", **{f"p-{name}": typed}))
        now = DefinitionRevision.objects.get(definition=row.definition, number=2)
        assert now.params[name] == value
