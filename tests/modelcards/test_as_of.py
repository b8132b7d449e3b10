"""A card as it stood on a day."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.core.errors import NotFound
from apps.modelcards import selectors, services
from apps.registry.models import ModelVersion
from apps.web.pages import card_compare
from tests import factories
from tests.checks.flow import attach, done
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def test_a_card_as_of_a_moment_has_what_was_in_force_then(version, ana) -> None:
    services.save_card(as_actor(ana), version, {"summary": "First."}, 0)
    before = clock.now()
    attach(version, ana)
    done(version, ana, "performance")
    services.save_card(as_actor(ana), version, {"summary": "Second."}, 1)
    then, now = selectors.card_as_of(version, before), selectors.card_as_of(version, clock.now())
    assert (then.revision, then.texts()) == (1, {"summary": "First."})
    assert then.block("performance").is_missing
    assert then.block("evaluation_sheets").is_missing
    assert (now.revision, now.texts()) == (2, {"summary": "Second."})
    assert not now.block("performance").is_missing
    assert now == selectors.card(version)
    with pytest.raises(NotFound, match="was registered on"):
        selectors.card_as_of(version, version.created_at - dt.timedelta(seconds=1))


def test_the_page_says_on_top_that_it_is_not_todays(version, ana) -> None:
    services.save_card(as_actor(ana), version, {"summary": "First."}, 0)
    day = clock.now().date().isoformat()
    page = browser(ana).get(f"/models/credit/1/card/?at={day}").content.decode()
    assert "This is not the card of today" in page
    assert "First." in page
    for wrong in ("yesterday", "2026-13-01", "0001-01-01", "9999-12-31T23:59:59-23:59", "\u00b2"):
        assert browser(ana).get("/models/credit/1/card/", {"at": wrong}).status_code == 404


def test_any_two_revisions_and_two_versions_are_compared(version, ana) -> None:
    services.save_card(as_actor(ana), version, {"summary": "It ranks people."}, 0)
    services.save_card(as_actor(ana), version, {"summary": "It ranks loans.", "ethics": "Some."}, 1)
    other = factories.version(as_actor(ana), version.model)
    client = browser(ana)
    page = client.get("/models/credit/1/card/compare/?from=1&to=2").content.decode()
    assert "<del>people" in page
    assert "<ins>loans" in page
    page = client.get(f"/models/credit/{other.number}/card/compare/?with=1").content.decode()
    assert "Computed blocks: what differs" in page
    assert "Version" in page
    for wrong in ("", "?from=1&to=9", "?from=x&to=2", "?with=99", "?from=1&to=" + "9" * 18):
        assert client.get(f"/models/credit/1/card/compare/{wrong}").status_code == 404


def sheet(client, with_: int) -> list[list[str]]:
    answer = client.get(f"/models/credit/2/card/compare/?with={with_}&as=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.streaming
    assert f"credit-v2-against-v{with_}.csv" in answer["Content-Disposition"]
    return list(csv.reader(io.StringIO(b"".join(answer).decode())))


def test_values_beyond_what_is_shown_are_counted_and_all_are_in_the_file(version, ana) -> None:
    files = {f"part-{n:03}.bin": f"{n}".encode() for n in range(card_compare.MOST)}
    factories.version(as_actor(ana), version.model, files={**files, "=cmd().bin": b"x"})
    client = browser(ana)
    page = client.get("/models/credit/2/card/compare/?with=1").content.decode()
    head, *rows = sheet(client, 1)
    assert head == ["Block", "What", "v1", "v2", "Change"]
    assert len(rows) > 2 * card_compare.MOST  # size and digest of each file
    more = len(rows) - card_compare.MOST
    assert f"The first 400 of {len(rows)}; {more} more differ and are in the file." in page
    assert page.count("part-") < card_compare.MOST
    assert [row for row in rows if "part-399.bin" in row[1]]
    assert ["Identity and ownership", "Version", "1", "2", "+1"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_equal_cards_say_so_and_offer_no_file(version, ana) -> None:
    page = browser(ana).get("/models/credit/1/card/compare/?with=1").content.decode()
    assert "The computed blocks are the same" in page
    assert "All as CSV" not in page


def test_a_stranger_gets_no_comparison_as_a_file(version, ana, otto) -> None:
    factories.version(as_actor(ana), version.model)
    assert browser(otto).get("/models/credit/2/card/compare/?with=1&as=csv").status_code == 404
