"""What only a browser shows: the dialog, the keyboard, the theme, copying, focus; and axe on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from tests.web.browsing import BACKEND
from tests.web.permission_matrix import ROWS
from tests.web.world import build

pytestmark = pytest.mark.django_db(transaction=True)

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# All that a theme changes: a page whose every rule was looked at in one theme needs only these in the other.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
LOOKED_AT = [row for row in ROWS if row.post is None]
PAGES = [
    "/account/",
    "/account/tokens/",
    "/people/",
    "/people/new/",
    "/system/",
    "/search/?q=ada",
    "/help/",
    "/styleguide/",
]


@dataclass(slots=True)
class Visit:
    """A page on the live site and what the browser complained about."""

    page: Page
    url: str
    complaints: list[str]
    listening: bool = True

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        return self.page

    def show_as(self, person: User, theme: str) -> None:
        """From now on as this person in this theme."""
        cookies = {settings.SESSION_COOKIE_NAME: _session(person), "countersign_theme": theme}
        self.page.context.add_cookies(
            [{"name": name, "value": value, "url": self.url} for name, value in cookies.items()]
        )

    def axe(self, path: str, rules: list[str]) -> list[tuple[str, str]]:
        """What axe finds on the page: the rule and the first element. Files that are not pages have nothing."""
        answer = self.page.context.request.get(self.url + path)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return []
        self.go(path)
        report = Axe().run(self.page, options={"runOnly": rules})
        violations = report.response["violations"]
        return [(each["id"], each["nodes"][0]["html"][:200]) for each in violations]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, which Django takes for asynchronous code: it is not."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = play.chromium.launch(executable_path="/usr/bin/chromium")
        yield browser
        browser.close()


@pytest.fixture
def visit(
    chromium: Browser, live_server: LiveServer, ada: User, settings: Settings
) -> Iterator[Visit]:
    settings.ROOT_URLCONF = "tests.web.styleguide_urls"
    context: BrowserContext = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live_server.url)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": _session(ada), "url": live_server.url}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    visit = Visit(page, live_server.url, complaints)
    yield visit
    context.close()
    assert complaints == [] or not visit.listening


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


@pytest.mark.parametrize(("role", "theme"), [("administrator", "light"), ("contributor", "dark")])
def test_axe_finds_nothing_on_any_page(visit: Visit, role: str, theme: str) -> None:
    """Every page of the permission matrix that this person may see, and the styleguide with every part.

    The contributor's dark pages are looked at whole where the administrator sees none, else for their colours.
    """
    world = build()
    person = world.visitors[role]
    assert person is not None
    visit.listening = (
        False  # axe tries styles on the page and fetches its sheets: the policy refuses
    )
    visit.show_as(person, theme)
    rows = [row for row in LOOKED_AT if row.expected(role) == 200]
    paths = [reverse(row.route, args=list(row.args(world))) + row.query for row in rows]
    seen_whole = {
        row.route for row in rows if theme == "dark" and row.expected("administrator") == 200
    }
    rules = {
        path: COLOUR_RULES if row.route in seen_whole else AXE_RULES
        for row, path in zip(rows, paths, strict=True)
    } | {"/styleguide/": COLOUR_RULES if theme == "dark" else AXE_RULES}
    found = {path: problems for path in rules if (problems := visit.axe(path, rules[path]))}
    assert len(paths) > 30
    assert found == {}


def test_no_page_scrolls_sideways_at_320_pixels(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 320, "height": 640})
    wide = {}
    for path in PAGES:
        width = visit.go(path).evaluate("() => document.documentElement.scrollWidth")
        if width > 320:
            wide[path] = width
    assert wide == {}


@pytest.mark.parametrize("role", ["validator", "contributor"])
def test_no_page_of_the_matrix_scrolls_sideways_on_a_phone(visit: Visit, role: str) -> None:
    """Whatever this person may see, at 390 pixels: what is wider scrolls within itself."""
    world = build()
    person = world.visitors[role]
    assert person is not None
    visit.listening = False
    visit.show_as(person, "light")
    visit.page.set_viewport_size({"width": 390, "height": 844})
    wide = {}
    for row in (row for row in LOOKED_AT if row.expected(role) == 200):
        path = reverse(row.route, args=list(row.args(world))) + row.query
        answer = visit.page.context.request.get(visit.url + path)
        if answer.headers.get("content-type", "").startswith("text/html"):
            width = visit.go(path).evaluate("() => document.documentElement.scrollWidth")
            wide |= {path: width} if width > 390 else {}
    assert wide == {}


def test_help_opens_in_a_dialog_takes_the_focus_and_gives_it_back(visit: Visit) -> None:
    page = visit.go("/account/")
    page.keyboard.press("?")
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-help]")).to_be_focused()


def test_keys_go_places_and_are_off_inside_fields_and_when_switched_off(visit: Visit) -> None:
    page = visit.go("/account/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("?g")
    expect(page.locator("#search")).to_have_value("?g")
    expect(page.locator("#dialog")).to_be_hidden()
    page.click("text=Switch them off")
    expect(page.locator("html")).to_have_attribute("data-shortcuts", "off")
    page.keyboard.press("/")
    expect(page.locator("#search")).not_to_be_focused()


def test_rows_are_walked_with_j_and_k(visit: Visit) -> None:
    page = visit.go("/people/")
    page.keyboard.press("j")
    link = page.locator("tbody tr th a").first
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Ada Okafor")


def test_the_theme_changes_without_leaving_the_page_and_is_remembered(visit: Visit) -> None:
    page = visit.go("/account/")
    with page.expect_response("**/theme/"):
        page.click("main button[name=theme][value=dark]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    visit.go("/people/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_copy_button_appears_and_copies_the_whole(visit: Visit) -> None:
    page = visit.go("/styleguide/")
    page.locator(".digest button[data-copy]").first.click()
    assert len(page.evaluate("() => navigator.clipboard.readText()")) == 64
    expect(page.locator("#status-line")).to_have_text("Copied")


def test_only_differences_hides_what_is_the_same_and_shows_it_again(visit: Visit) -> None:
    page = visit.go("/styleguide/")
    same = page.locator("#sample-diff [data-same]")
    expect(same).to_be_hidden()
    page.locator("[data-only-differences]").uncheck()
    expect(same).to_be_visible()


def test_a_menu_closes_with_escape_and_gives_the_focus_back(visit: Visit) -> None:
    page = visit.go("/account/")
    summary = page.locator("details.menu > summary")
    summary.click()
    expect(page.locator(".menu-list")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".menu-list")).to_be_hidden()
    expect(summary).to_be_focused()


def test_without_javascript_the_same_things_are_plain_pages(
    visit: Visit, chromium: Browser, settings: Settings, ada: User
) -> None:
    context: BrowserContext = chromium.new_context(java_script_enabled=False)
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": _session(ada), "url": visit.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(visit.url + "/account/")
    page.click("[data-help]")
    expect(page.locator("h1")).to_have_text("Help")
    page.goto(visit.url + "/account/")
    page.click("main button[name=theme][value=light]")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.goto(visit.url + "/styleguide/")
    expect(page.locator("#sample-diff [data-same]")).to_be_visible()
    expect(page.locator("button[data-copy]").first).to_be_hidden()
    context.close()
