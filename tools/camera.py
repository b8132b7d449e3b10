"""The camera of `make shots`: signs people in, follows links, sends forms empty, takes pictures and notes what is wrong."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response

Before = Callable[[Page], None]

THEMES: Final = ("light", "dark")
WIDTHS: Final = (1280, 390)
HEIGHTS: Final = {1280: 900, 390: 844}
MOST_PAGES: Final = 400
EMPTYABLE: Final = "main form[method=post]:has([aria-required=true])"
# How many things of a kind are shown; of these there are several states worth seeing.
SEVERAL: Final = {"/models/:name/:n/": 4, "/reviews/:n/": 3, "/runs/:run/": 2}
_SKIPPED: Final = re.compile(
    r"^/(sign-out|sso|static|styleguide|health|api|ajax-api|version)\b|\.(json|pdf|csv|svg)$|export|/files/.+"
)
# The shape of an address: numbers, ids and names of things do not make another page.
_SHAPES: Final = (
    (re.compile(r"/[0-9a-f]{32}(?=/)"), "/:run"),
    (re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}(?=/)"), "/:uuid"),
    (re.compile(r"/\d+(?=/)"), "/:n"),
    (re.compile(r"^/models/(?!new/)[^/]+/"), "/models/:name/"),
    (re.compile(r"^/people/teams/[^/]+/"), "/people/teams/:key/"),
)


@dataclass(slots=True)
class Site:
    """A site under one heading of the pictures; `cookies` are its people's sessions."""

    url: str
    heading: str
    cookies: dict[str, list[Any]] = field(default_factory=dict)


class Camera:
    """One run. `problems` is what it found wrong by itself."""

    def __init__(self, browser: Browser, out: Path) -> None:
        self.browser = browser
        self.out = out
        self.taken = 0
        self.problems: list[str] = []
        self._shapes: dict[str, Counter[str]] = {}
        self._visited: dict[tuple[str, str], list[str]] = {}
        self._pictures: list[tuple[str, str, list[Path]]] = []
        self._open: dict[tuple[str, str | None, str, int], Page] = {}

    def sign_in(self, site: Site, role: str, username: str, password: str) -> None:
        """Through the form, as a person does."""
        page = self._page(site, None)
        page.goto(f"{site.url}/sign-in/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", password)
        page.click("main button:not([name])")
        page.wait_for_load_state()
        if "/sign-in/" in page.url:
            self.problems.append(f"{site.heading}: {role} could not sign in")
        site.cookies[role] = list(page.context.cookies())
        page.context.close()

    def set_up(self, site: Site, token: str, username: str, password: str) -> None:
        """The first administrator."""
        page = self._page(site, None)
        page.goto(f"{site.url}/setup/")
        given = {
            "setup_token": token,
            "username": username,
            "display_name": "Ada Okafor",
            "password": password,
            "again": password,
        }
        for name, value in given.items():
            page.fill(f"input[name={name}]", value)
        page.click("main form button")
        page.wait_for_load_state()
        page.context.close()

    def people_of(self, site: Site) -> dict[str, list[Any]]:
        return site.cookies

    def seen_by(self, site: Site, role: str) -> list[str]:
        """The addresses that this person was shown."""
        return self._visited.get((site.heading, role), [])

    def look(self, site: Site, role: str, paths: list[str]) -> None:
        """Pictures of these pages, whatever their status."""
        for path in paths:
            self._photograph(site, role, path, name=f"{role} {path}")

    def walk(self, site: Site, role: str) -> None:
        """Follow links from home; a picture of each shape of address that nobody was shown yet."""
        page = self._page(site, role)
        waiting, known = ["/"], {"/"}
        mine: Counter[str] = Counter()
        while waiting and len(known) < MOST_PAGES:
            path = waiting.pop(0)
            answer = _visit(page, site.url + path)
            if answer is None or answer.status != 200 or not _is_page(answer):
                self._note_fault(site, role, path, answer)
                continue
            self._visited.setdefault((site.heading, role), []).append(path)
            links = _links(page, site.url)
            self._photograph_if_new(site, role, path)
            for link in links:
                if link not in known and mine[shape(link)] < SEVERAL.get(shape(link), 1):
                    known.add(link)
                    mine[shape(link)] += 1
                    waiting.append(link)

    def _photograph_if_new(self, site: Site, role: str, path: str) -> None:
        taken = self._shapes.setdefault(site.heading, Counter())
        here = shape(path)
        if taken[here] < SEVERAL.get(here, 1) and path not in taken:
            taken[here] += 1
            taken[path] += 1
            several = f" {taken[here]}" if here in SEVERAL else ""
            self._photograph(site, role, path, name=here + several)

    def wrong_sign_in(self, site: Site) -> None:
        """What a wrong password looks like."""

        def fill(page: Page) -> None:
            page.fill("input[name=username]", "ana")
            page.fill("input[name=password]", "wrong")
            page.click("main button:not([name])")

        self._photograph(site, "stranger", "/sign-in/", name="wrong sign-in", before=fill)

    def send_forms_empty(self, site: Site, role: str, paths: list[str]) -> None:
        """Send each form that has required fields without them: the page with its errors."""
        taken = self._shapes.setdefault(site.heading, Counter())
        for path in paths:
            here = f"{shape(path)} sent empty"
            if taken[here]:
                continue
            page = self._page(site, role)
            page.goto(site.url + path)
            if page.locator(EMPTYABLE).count():
                taken[here] += 1
                self._photograph(site, role, path, name=here, before=_send_empty)

    def contact_sheet(self) -> None:
        """shots/index.html: all pictures side by side."""
        rows = "".join(
            f"<h2>{html.escape(heading)}: {html.escape(name)}</h2><div>"
            + "".join(
                f'<a href="{each.name}"><img src="{each.name}" loading="lazy" alt=""></a>'
                for each in pictures
            )
            + "</div>"
            for heading, name, pictures in self._pictures
        )
        style = "body{font:14px sans-serif;margin:2rem;background:#888}div{display:flex;gap:1rem;align-items:start}img{max-width:28rem;max-height:40rem;object-fit:cover;object-position:top}"
        self.out.mkdir(exist_ok=True)
        (self.out / "index.html").write_text(
            f"<!doctype html><title>Shots</title><style>{style}</style>{rows}"
        )

    def _photograph(
        self, site: Site, role: str, path: str, *, name: str, before: Before | None = None
    ) -> None:
        self.out.mkdir(exist_ok=True)
        pictures = []
        for theme in THEMES:
            for width in WIDTHS:
                page = self._page(site, role, theme, width)
                answer = page.goto(site.url + path)
                if before is not None:
                    before(page)
                    page.wait_for_load_state()
                if answer is not None and answer.status >= 500:
                    self._note_fault(site, role, path, answer)
                if page.evaluate("() => document.documentElement.scrollWidth > innerWidth + 1"):
                    self.problems.append(f"{site.heading}: {path} scrolls sideways at {width}")
                file = self.out / f"{site.heading}-{_slug(name)}-{theme}-{width}.png"
                page.screenshot(path=file, full_page=True, animations="disabled")
                pictures.append(file)
                self.taken += 1
        self._pictures.append((site.heading, name, pictures))

    def _page(self, site: Site, role: str | None, theme: str = "light", width: int = 1280) -> Page:
        """A tab of that person in that theme and width, kept for the next picture."""
        key = (site.url, role, theme, width)
        if role is not None and key in self._open:
            return self._open[key]
        context = self.browser.new_context(viewport={"width": width, "height": HEIGHTS[width]})
        context.add_cookies([{"name": "countersign_theme", "value": theme, "url": site.url}])
        if role is not None and role in site.cookies:
            own = [each for each in site.cookies[role] if each["name"] != "countersign_theme"]
            context.add_cookies(own)
        page = context.new_page()
        page.on("console", lambda said: self._heard(site, page, said))
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        if role is not None:
            self._open[key] = page
        return page

    def _heard(self, site: Site, page: Page, said: ConsoleMessage) -> None:
        refused = "Content Security Policy" in said.text
        if refused or (said.type == "error" and "Failed to load resource" not in said.text):
            self.problems.append(f"{site.heading}: {page.url}: {said.text[:200]}")

    def _note_fault(self, site: Site, role: str, path: str, answer: Response | None) -> None:
        if answer is not None and (answer.status >= 500 or answer.status == 404):
            self.problems.append(f"{site.heading}: {path} answered {answer.status} to {role}")


def shape(path: str) -> str:
    """The address with its ids taken out: what makes it another page."""
    path = path.split("?")[0]
    for pattern, word in _SHAPES:
        path = pattern.sub(word, path)
    return path


def _visit(page: Page, url: str) -> Response | None:
    """The page's answer; None for an address that gives a file to keep."""
    try:
        return page.goto(url)
    except Error as error:
        if "Download is starting" not in str(error):
            raise
        return None


def _links(page: Page, url: str) -> list[str]:
    found: list[str] = page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
    paths = [urlsplit(each) for each in found if each.startswith(url + "/")]
    kept = [each.path + (f"?{each.query}" if each.query else "") for each in paths]
    return [path for path in kept if not _SKIPPED.search(path.split("?")[0])]


def _is_page(answer: Response) -> bool:
    return answer.headers.get("content-type", "").startswith("text/html")


def _send_empty(page: Page) -> None:
    form = page.locator(EMPTYABLE).first
    for control in form.locator("[aria-required=true]").all():
        kind = control.get_attribute("type")
        if kind in {"checkbox", "radio"}:
            control.set_checked(False) if kind == "checkbox" else None
        elif control.evaluate("each => each.tagName") != "SELECT":
            control.fill("") if kind != "file" else None
    form.locator("button:not([data-copy])").last.click()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "home"
