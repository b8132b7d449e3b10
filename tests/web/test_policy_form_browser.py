"""The form of a policy in a browser: rows come and go without losing the place, and axe finds nothing in any of its states."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.web.test_browser import AXE_RULES, Visit
from tests.web.test_browser import chromium as chromium  # the fixtures
from tests.web.test_browser import visit as visit

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/policies/propose/"


def axe(visit: Visit) -> list[tuple[str, str]]:
    violations = Axe().run(visit.page, options={"runOnly": AXE_RULES}).response["violations"]
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]


def test_a_row_is_added_where_one_is_looking_and_gets_the_focus(visit: Visit) -> None:
    page = visit.go(URL)
    page.fill("[name=title]", "Typed before")
    page.get_by_role("button", name="Add a step").click()
    expect(page.locator("[name='steps.2.title']")).to_be_focused()
    expect(page.locator("[name=title]")).to_have_value("Typed before")
    page.keyboard.type("Board")
    page.get_by_role("button", name="Move step 3 up").click()
    expect(page.locator("[name='rows.steps']").nth(1)).to_have_value("2")
    page.get_by_role("button", name="Remove step 1").click()
    expect(page.locator("[name='rows.steps']")).to_have_count(2)
    expect(page.get_by_role("button", name="Add a step")).to_be_focused()


def test_enter_in_a_field_previews_and_removes_nothing(visit: Visit) -> None:
    page = visit.go(f"{URL}?pack=light")
    page.focus("[name=title]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Propose it")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state_of_the_form(visit: Visit, theme: str) -> None:
    visit.page.context.add_cookies(
        [{"name": "countersign_theme", "value": theme, "url": visit.url}]
    )
    visit.go(f"{URL}?pack=model-risk")
    assert axe(visit) == []
    visit.listening = False  # a refused form is 422, which the console tells
    visit.page.fill("[name=title]", "")
    visit.page.fill("[name='limits.0.number']", "seven")
    visit.page.locator(".policy-acts").get_by_role("button", name="Preview").click()
    expect(visit.page.locator(".error-summary")).to_be_visible()
    assert axe(visit) == []
    for how in ("yaml", "preview"):
        visit.go(f"{URL}?from=standard&as={how}")
        assert axe(visit) == []
