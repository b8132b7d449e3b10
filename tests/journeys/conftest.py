"""One Chromium for a file of journeys, and a stage for each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.journeys import bank
from tests.journeys.bank import Bank
from tests.journeys.stage import Stage


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Playwright keeps an event loop in this thread, which Django takes for asynchronous code: it is not."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = play.chromium.launch(executable_path="/usr/bin/chromium")
        yield browser
        browser.close()


@pytest.fixture
def stage(chromium: Browser, live_server: LiveServer, settings: Settings) -> Iterator[Stage]:
    """The live site knows its own address, and keeps its mails to show them."""
    settings.BASE_URL = live_server.url
    settings.EMAIL_BACKEND = "apps.notices.mailbox.Backend"
    made = Stage(chromium, live_server.url)
    yield made
    for context in list(chromium.contexts):
        context.close()
    assert made.complaints == []


@pytest.fixture
def cast(settings: Settings, db: None) -> Bank:
    """Checks and card have a journey of their own: of the gates only the signatures and the findings are asked here."""
    settings.PROMOTION_GATES = [
        "apps.reviews.gates.quorum_signed",
        "apps.reviews.findings_gate.no_blocking_findings",
    ]
    return bank.build()
