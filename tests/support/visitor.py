"""A browser without a window: walks the code flow over HTTP, one redirect at a time, so that a test can meddle."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Visitor:
    """One person's browser. The site and the provider share its cookie jar, as they do on one host."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.browser = requests.Session()

    def begin(self, query: str = "") -> str:
        """Press "sign in": the address at the provider the site sends to."""
        answer = self.get(f"{self.site}/sso/authenticate/{query}")
        assert answer.status_code == 302, answer.text[:500]
        return answer.headers["Location"]

    def consent(self, address: str, login: str, password: str) -> str:
        """Answer the provider's forms: the address at the site it sends back to. Not yet visited."""
        answers = {"login": login, "password": password, "answer": "accept"}
        for _ in range(15):
            page = self.get(address)
            while page.status_code != 302:
                form = _Form(page.text)
                asked = {name: answers[name] for name in answers if name in form.asks}
                assert asked, f"{page.status_code} {page.url}: {page.text[-800:]}"
                action = urljoin(page.url, form.action or page.url)
                page = self.browser.post(
                    action, data={**form.hidden, **asked}, allow_redirects=False, timeout=90
                )
            address = urljoin(page.url, page.headers["Location"])
            if address.startswith(f"{self.site}/sso/callback/"):
                return address
        raise AssertionError(f"the provider did not send back; last to {address}")

    def sign_in(self, login: str, password: str, query: str = "") -> requests.Response:
        """The whole way; the site's answer to the provider's answer."""
        return self.get(self.consent(self.begin(query), login, password))

    def get(self, address: str) -> requests.Response:
        """One request, no redirect followed."""
        return self.browser.get(address, allow_redirects=False, timeout=90)


class _Form(HTMLParser):
    """What the page's forms ask: names of the fields to fill, and the hidden ones with their values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.asks: set[str] = set()
        self.hidden: dict[str, str] = {}
        self.action = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = self.action or at.get("action", "")
        if tag in {"input", "button"} and at.get("name"):
            if at.get("type") == "hidden":
                self.hidden[at["name"]] = at.get("value", "")
            else:
                self.asks.add(at["name"])
