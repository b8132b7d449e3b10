"""The page of a measurement: executed again, waiting, what came of it, and the way to it from a review."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.checks.models import Measurement, Recheck
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services as reviews
from tests import factories
from tests.checks.flow import attach, done
from tests.checks.test_rechecking import alter, recheck, rework
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


@pytest.fixture
def measured(version: ModelVersion, ana: User) -> Measurement:
    attach(version, ana)
    return done(version, ana)


def url_of(row: Measurement, route: str = "web:measurement") -> str:
    return reverse(route, args=[row.version.model.name, row.version.number, row.uuid])


def seen_by(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_asked_for_on_the_page_it_waits_and_then_says_what_came_out(
    measured: Measurement, vera: User
) -> None:
    client = seen_by(vera)
    page = client.get(url_of(measured)).content.decode()
    assert "Re-execute and compare" in page
    assert "Never executed again" in page
    answer = client.post(url_of(measured, "web:measurement-recheck"))
    assert answer.status_code == 302
    assert answer["Location"] == f"{url_of(measured)}#rechecks"
    page = client.get(url_of(measured)).content.decode()
    assert "Waiting for a worker" in page  # none runs here
    assert "data-live" in page
    assert "Re-execute and compare" not in page
    fragment = client.get(url_of(measured), headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<div id="rechecks"')
    rework()
    page = client.get(url_of(measured)).content.decode()
    assert "The same came out" in page
    assert "the same versions" in page
    assert str(vera) in page
    assert "data-live" not in page
    assert "Re-execute and compare" in page


def test_a_difference_is_named_with_both_values(measured: Measurement, vera: User) -> None:
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
    recheck(vera, measured)
    page = seen_by(vera).get(url_of(measured)).content.decode()
    assert "Something else came out" in page
    assert "result.metrics.accuracy.value" in page
    assert "0.99" in page


def test_who_may_only_read_sees_the_history_and_no_button(
    measured: Measurement, vera: User, ana: User
) -> None:
    recheck(vera, measured)
    client = seen_by(ana)
    page = client.get(url_of(measured)).content.decode()
    assert "The same came out" in page
    assert "Re-execute and compare" not in page
    assert client.post(url_of(measured, "web:measurement-recheck")).status_code == 403
    assert Recheck.objects.count() == 1


def test_the_page_takes_as_many_queries_after_many_rechecks(
    measured: Measurement, vera: User
) -> None:
    client = seen_by(vera)

    def counted() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(url_of(measured))
        return len(seen)

    recheck(vera, measured)
    counted()
    few = counted()
    for _ in range(3):
        recheck(vera, measured)
    assert counted() == few


def test_a_review_leads_to_it_beside_each_claim(
    measured: Measurement, ana: User, vera: User
) -> None:
    review = reviews.submit(
        as_actor(ana),
        measured.version,
        targets=[Target("stage", "production")],
        justification="for the release",
    )
    page = seen_by(vera).get(f"/reviews/{review.pk}/").content.decode()
    assert f"{url_of(measured)}#rechecks" in page
    page = seen_by(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert "#rechecks" not in page
