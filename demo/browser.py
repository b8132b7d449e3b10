"""A person's browser, as far as the story needs one: cookies, pages, forms. Standard library only.

Every act of the story goes through the pages' own forms with their own tokens; what a page refuses ends the
story with the page's words.
"""

from __future__ import annotations

import html.parser
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence

Fields = Sequence[tuple[str, str]]


class StoryError(RuntimeError):
    """A page did not do what the story expects of it."""


class _Form(html.parser.HTMLParser):
    """The hidden fields of the form that posts to `action`."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.inside = False
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self.inside = (values.get("action") or self.action) == self.action
        elif tag == "input" and self.inside and values.get("type") == "hidden":
            self.hidden[values.get("name") or ""] = values.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False


class Browser:
    """One signed-in person."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self.base_url = base_url
        self.username = username
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self.send("/sign-in/", [("username", username), ("password", password)])

    def page(self, path: str) -> str:
        """The text of a page."""
        return self._open(path)[1]

    def send(self, page: str, fields: Fields, *, action: str = "") -> str:
        """Fill in the form of a page that posts to `action` (the page itself by default); the path it led to."""
        action = action or page
        form = _Form(action)
        form.feed(self.page(page))
        named = {name for name, _ in fields}
        hidden = [(name, value) for name, value in form.hidden.items() if name not in named]
        body = urllib.parse.urlencode([*hidden, *fields]).encode()
        landed, text = self._open(action, body)
        if landed.split("?")[0] == action.split("?")[0] and "error-summary" in text:
            raise StoryError(f"{self.username}: {action} refused: {_words(text)}")
        return landed

    def _open(self, path: str, body: bytes | None = None) -> tuple[str, str]:
        request = urllib.request.Request(  # noqa: S310 - the address is this site's own
            self.base_url + path, data=body, headers={"Referer": self.base_url + path}
        )
        try:
            with self._opener.open(request, timeout=60) as answer:
                landed = urllib.parse.urlsplit(answer.geturl()).path
                return landed, answer.read().decode()
        except urllib.error.HTTPError as error:
            words = _words(error.read().decode(errors="replace"))
            raise StoryError(f"{self.username}: {path} answered {error.code}: {words}") from error


def _words(text: str) -> str:
    """The sentence of an error page, without its markup."""
    found = re.search(r"<main.*?</main>", text, re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", found.group(0) if found else text)
    return " ".join(plain.split())[:400]
