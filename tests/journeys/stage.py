"""A stage for the journeys: people in Chromium windows of their own, on the live site, finding things as people do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from apps.accounts.models import User
from tests.support.people import PASSWORD

# What axe looks for. A theme changes colours and nothing else: the dark one is looked at for those. It fetches no style
# sheets itself: the pages that answer for them not being there would take the messages of the next page.
AXE: Final = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}
# What axe itself does on a page (it tries styles and fetches sheets) is refused by the site's own policy.
NOT_A_FAULT: Final = re.compile("Content Security Policy|Failed to load resource")

expect.set_options(timeout=20_000)


@dataclass(slots=True)
class Stage:
    """The site's address, the windows, and what the browser complained about."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)

    def window(self, person: User | None = None) -> Page:
        """A new window; of a person who has signed in at the form."""
        context = self.browser.new_context(base_url=self.url)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._heard(page, said.type, said.text))
        if person is not None:
            sign_in(page, person)
        return page

    def _heard(self, page: Page, kind: str, text: str) -> None:
        if kind == "error" and not NOT_A_FAULT.search(text):
            self.complaints.append(f"{page.url}: {text}")


def sign_in(page: Page, person: User) -> None:
    """With user name and password; afterwards the page that was asked for."""
    if "/sign-in/" not in page.url:
        page.goto("/sign-in/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def main(page: Page) -> Locator:
    """What the page is about."""
    return page.get_by_role("main")


def region(page: Page, name: str) -> Locator:
    """A part of the page by its heading."""
    return page.get_by_role("region", name=name)


def requirement(page: Page, title: str) -> Locator:
    """A row of the decision box."""
    box = main(page).get_by_role(
        "region", name=re.compile("^(To reach |In (stage|alias)|What promotion)")
    )
    return box.get_by_role("listitem").filter(has=page.get_by_text(title, exact=True))


def decide(page: Page, decision: str, why: str, *, password: str = PASSWORD) -> Locator:
    """Open the sign panel on the review's page, fill it in and press the button; the panel."""
    page.get_by_role("link", name="Decide and sign…").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_role("heading", name=re.compile("Sign REV-"))).to_be_visible()
    fill_decision(panel, decision, why, password=password)
    panel.get_by_role("button", name="Sign this decision").click()
    return panel


def fill_decision(panel: Locator, decision: str, why: str, *, password: str = PASSWORD) -> None:
    panel.get_by_role("radio", name=re.compile(f"^{decision}")).check()
    panel.get_by_label("Why").fill(why)
    panel.get_by_role("checkbox", name="I have no conflict of interest in this").check()
    panel.get_by_label("Your password").fill(password)


def approve(page: Page, review: str, why: str = "I read all of it") -> None:
    """Go to the review, approve, and see the receipt."""
    page.goto(review)
    decide(page, "Approve", why)
    expect(page.get_by_role("heading", name="Your signature is recorded")).to_be_visible()


def no_barrier(page: Page, *paths: str) -> None:
    """axe finds nothing on these pages (or on the one that is open), light and dark."""
    site = urljoin(page.url, "/")  # the cookie of one page only would leave the others light
    for theme in ("dark", "light"):
        page.context.add_cookies([{"name": "countersign_theme", "value": theme, "url": site}])
        for path in paths or (page.url,):
            page.goto(path)
            expect(page.locator("html")).to_have_attribute("data-theme", theme)
            report = Axe().run(page, options={**AXE[theme], "preload": False})
            found = [(v["id"], v["nodes"][0]["html"][:200]) for v in report.response["violations"]]
            assert found == [], (theme, path)
