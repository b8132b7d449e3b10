"""Writing a card in a browser: it is kept by itself, reads beside the field, meets somebody else's save, survives a lost session."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.accounts.models import User
from apps.modelcards import selectors, services
from apps.modelcards.models import CardDraft
from apps.registry.models import ModelVersion
from tests import factories
from tests.support.people import as_actor
from tests.web.test_browser import AXE_RULES, Visit
from tests.web.test_browser import chromium as chromium  # the fixtures
from tests.web.test_browser import visit as visit

pytestmark = pytest.mark.django_db(transaction=True)
EDIT = "/models/credit/1/card/edit/"


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def test_what_is_written_is_kept_by_itself_and_found_again(visit: Visit, version, ana) -> None:
    visit.show_as(ana, "light")
    page = visit.go(EDIT)
    page.fill("[name=block-summary]", "Half a *sentence*")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")
    expect(page.locator("#p-summary em")).to_have_text("sentence")
    assert CardDraft.objects.get().texts["summary"] == "Half a *sentence*"
    page.context.new_page().goto(visit.url + EDIT)
    again = page.context.pages[-1]
    expect(again.locator("[name=block-summary]")).to_have_value("Half a *sentence*")
    expect(again.get_by_text("This is your draft")).to_be_visible()
    again.get_by_role("button", name="Save as a new revision").click()
    expect(again.get_by_text("saved as revision 1")).to_be_visible()
    assert not CardDraft.objects.exists()


def test_a_preview_shows_no_script_and_no_image(visit: Visit, version, ana) -> None:
    visit.show_as(ana, "light")
    page = visit.go(EDIT)
    page.fill(
        "[name=block-ethics]",
        "<script>alert(1)</script> ![x](/secret) [y](javascript:alert(1)) **b**",
    )
    expect(page.locator("#p-ethics strong")).to_have_text("b")
    assert (
        page.locator("#p-ethics script, #p-ethics img, #p-ethics a[href^=javascript]").count() == 0
    )


def test_a_clash_shows_both_and_the_pick_is_saved(visit: Visit, version, ana, omar) -> None:
    services.save_card(
        as_actor(ana), version, {"summary": "It ranks people.", "ethics": "None."}, 0
    )
    visit.show_as(ana, "light")
    visit.listening = False  # 409 is told by the console
    page = visit.go(EDIT)
    page.fill("[name=block-summary]", "It ranks loans.")
    services.save_card(
        as_actor(omar), version, {"summary": "It sorts people.", "ethics": "Some."}, 1
    )
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.get_by_text("Nothing is saved yet, and nothing is lost")).to_be_visible()
    expect(page.locator("#b-summary del").first).to_contain_text("sorts")
    expect(page.locator("#b-summary ins").first).to_contain_text("ranks")
    expect(page.locator("[name=block-ethics]")).to_have_value("Some.")
    page.get_by_label("Mine, as it stands in the field above").check()
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.get_by_text("saved as revision 3")).to_be_visible()
    assert selectors.latest_revision(version).texts == {
        "summary": "It ranks loans.",
        "ethics": "Some.",
    }


def test_a_lost_session_loses_no_word(visit: Visit, version, ana) -> None:
    visit.show_as(ana, "light")
    visit.listening = False  # what is refused is told by the console
    page = visit.go(EDIT)
    page.context.clear_cookies()
    page.fill("[name=block-summary]", "Written without a session")
    expect(page.locator("[data-draft-state]")).to_contain_text("your session has ended")
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.locator("[name=block-summary]")).to_have_value("Written without a session")
    visit.show_as(ana, "light")  # as in another tab
    page.get_by_role("button", name="Save as a new revision").click()
    expect(page.get_by_text("saved as revision 1")).to_be_visible()
    assert selectors.latest_revision(version).texts["summary"] == "Written without a session"


def test_the_keys_keep_and_save_and_lead_to_the_gaps(visit: Visit, version, ana) -> None:
    visit.show_as(ana, "light")
    page = visit.go(EDIT)
    page.keyboard.press("Alt+n")
    expect(page.locator("[name=block-summary]")).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Control+s")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("saved as revision 1")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_editor(visit: Visit, version, ana, theme) -> None:
    visit.listening = False  # axe itself puts styles into the page
    services.save_card(as_actor(ana), version, {"summary": "It *ranks*."}, 0)
    visit.show_as(ana, theme)
    assert visit.axe(EDIT, AXE_RULES) == []
