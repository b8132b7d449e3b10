"""The preview beside a check's settings in a real browser: it follows what is chosen, and a mistake is said without losing anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.checks.models import Measurement
from tests import factories
from tests.checks.flow import attach
from tests.checks.support import GOOD, ROLES, parquet_bytes
from tests.support.people import as_actor
from tests.web.test_browser import Visit
from tests.web.test_browser import chromium as chromium  # the fixtures
from tests.web.test_browser import visit as visit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def form(visit: Visit, ana: User) -> Visit:
    actor = as_actor(ana)
    found = factories.version(actor, factories.model(actor, "churn"))
    attach(found, ana, stream=parquet_bytes(GOOD), mapping=ROLES)
    visit.show_as(ana, "light")
    visit.go("/models/churn/1/checks/new/fairness/")
    return visit


def test_the_preview_follows_what_is_chosen_and_runs_nothing(form: Visit) -> None:
    live, number = form.page.locator("#preview-live"), form.page.locator("[name='p-confidence']")
    number.fill("0.99")
    number.blur()
    expect(live).to_contain_text("99 %")
    expect(live.locator("svg").first).to_be_visible()
    expect(number).to_have_value("0.99")
    assert not Measurement.objects.exists()


def test_a_mistake_is_said_in_the_preview_and_taken_back_by_the_next_choice(form: Visit) -> None:
    form.listening = False  # a refused preview is 422, which the console tells
    live, number = form.page.locator("#preview-live"), form.page.locator("[name='p-confidence']")
    number.fill("nine")
    number.blur()
    expect(live.locator(".error-summary")).to_be_visible()
    number.fill("0.95")
    number.blur()
    expect(live.locator(".error-summary")).to_have_count(0)
    expect(live).to_contain_text("95 %")
