"""The pages of an engagement: what they cost, what they withhold, what they refuse."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.audits import services as ledger
from apps.core import clock
from apps.engagements import exports, services
from apps.engagements.models import Engagement, EngagementFinding, Note
from apps.registry import services as registry
from tests import factories
from tests.compliance.conftest import Story
from tests.engagements.conftest import new
from tests.support.people import SYSTEM, as_actor

pytestmark = pytest.mark.django_db


def visit(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(engagement: Engagement, page: str = "") -> str:
    return f"/audit/engagements/{engagement.pk}/{page}"


def test_a_matrix_of_four_versions_costs_as_many_queries_as_one_of_one(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    ledger.make_checkpoint(SYSTEM)
    client = visit(ivy)

    def queries(page: str) -> int:
        client.get(page)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page).status_code == 200
        return len(asked)

    once = queries(url(engagement))
    for _ in range(3):
        factories.version(as_actor(signed.ana), signed.version.model)
    more = services.open_engagement(as_actor(ada), new(signed.version, ivy, title="More"))
    assert queries(url(more)) == once
    services.draw_sample(as_actor(ivy), engagement, size=1)
    services.draw_sample(as_actor(ivy), engagement, size=2)
    assert queries(url(engagement, "samples/1/")) == queries(url(engagement, "samples/2/"))


def test_a_download_is_told_with_the_address_withheld_but_proven(
    engagement: Engagement, signed: Story, ana: User, ivy: User, aud: User
) -> None:
    document = signed.issue()
    assert visit(ana).get(f"/documents/{document.uuid}/card.pdf").status_code == 200
    visit(ana).post("/models/income/1/bundle/").getvalue()
    visit(aud).get("/audit/export/").getvalue()
    found = exports.taken(engagement)
    assert [(each.who, each.what.split(" of document")[0]) for each in found] == [
        ("Aud Berg", found[0].what),
        ("Ana Silva", "Bundle, without the files"),
        ("Ana Silva", "PDF"),
    ]
    taken = found[2]
    assert taken.origin
    page = visit(ivy).get(url(engagement, "exports/")).content.decode()
    assert f"proven by commitment {taken.origin}" in page
    assert "127.0.0.1" not in page
    assert "127.0.0.1" in visit(aud).get(url(engagement, "exports/")).content.decode()


def test_erased_names_are_withheld_and_still_proven(
    engagement: Engagement, ivy: User, aud: User
) -> None:
    services.draw_sample(as_actor(ivy), engagement, size=1)
    (event,) = audits.events(scopes=None, types=["engagements.sample.drawn"])
    drawn = event.payload["decisions"][0]
    decision = next(
        each
        for each in audits.events(scopes=None, types=["reviews.decision.recorded"])
        if each.payload["statement_digest"] == drawn
    )
    commitment = decision.commitments["signer_name"]
    ledger.erase_openings(SYSTEM, [commitment], reason="asked for")
    page = visit(ivy).get(url(engagement, "samples/1/1/")).content.decode()
    assert "withheld; proven by commitment" in page
    assert commitment in page


def test_notes_are_read_by_auditors_alone(
    engagement: Engagement, signed: Story, ivy: User, aud: User, vera: User
) -> None:
    services.write_note(as_actor(ivy), engagement, text="A <b>word</b> among *auditors*.")
    for reader in (ivy, aud):
        page = visit(reader).get(url(engagement, "notes/")).content.decode()
        assert "<em>auditors</em>" in page
        assert "<b>word" not in page
    assert visit(vera).get(url(engagement, "notes/")).status_code == 404
    (event,) = audits.events(scopes=None, types=["engagements.note.written"])
    assert visit(vera).get(f"/audit/{event.seq}/").status_code == 404
    assert visit(ivy).get(f"/audit/{event.seq}/").status_code == 200


def test_an_engagement_that_is_over_says_so(
    engagement: Engagement, ada: User, ivy: User, aud: User
) -> None:
    services.close_engagement(as_actor(ada), engagement, reason="Done.")
    refused = visit(ivy).get(url(engagement))
    assert refused.status_code == 403
    assert "is over, and with it the access" in refused.content.decode()
    assert visit(aud).get(url(engagement)).status_code == 200
    assert visit(aud).post(url(engagement, "notes/"), {"text": "Late."}).status_code == 409
    assert not Note.objects.exists()


def test_a_finding_names_its_engagement_to_those_who_may_read_it(
    engagement: Engagement, signed: Story, ana: User, ivy: User, vera: User
) -> None:
    form = {
        "title": "No reason given", "text": "It does not say why.", "severity": "medium", "owner": ana.pk,
        "due": clock.now().date().isoformat(),
    }  # fmt: skip
    page = url(engagement, f"finding/?control=MA-1&version={signed.version.pk}")
    answer = visit(ivy).post(page, form)
    assert answer.status_code == 302
    row = EngagementFinding.objects.get()
    assert row.control == "MA-1"
    assert "Raised in the audit" in visit(ivy).get(answer["Location"]).content.decode()
    assert "Raised in the audit" not in visit(vera).get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    "page",
    ["evidence/?control=MA-99&version=1", "evidence/?control=MA-1&version=²", "samples/7/", "samples/1/9/", "finding/?version=0"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(page: str, engagement: Engagement, ivy: User) -> None:
    services.draw_sample(as_actor(ivy), engagement, size=1)
    assert visit(ivy).get(url(engagement, page)).status_code == 404


def test_the_wizard_keeps_what_was_chosen_and_opens_nothing_before_it_is_told_to(
    signed: Story, ada: User, ivy: User
) -> None:
    for number in range(25):
        factories.model(as_actor(signed.ana), f"other {number:02}")
    client, chosen = visit(ada), str(signed.version.model_id)
    found = client.post(
        "/audit/engagements/new/", {"act": "find", "find": "other", "models": [chosen]}
    ).content.decode()
    assert "25 models found for “other”, the first 20 are listed" in found
    assert f'value="{chosen}"' in found
    assert "This is needed." not in found
    today = clock.now().date().isoformat()
    days = {"period_from": today, "period_to": today}
    shown = client.post(
        "/audit/engagements/new/", {"act": "preview", "models": [chosen, "²", "x"], **days}
    )
    assert shown.status_code == 200
    refused = client.post("/audit/engagements/new/", {"act": "open", "models": ["999999"], **days})
    assert refused.status_code == 422
    assert not Engagement.objects.exists()


def test_one_bundle_of_the_whole_scope_but_for_what_was_deleted(
    engagement: Engagement, signed: Story, ada: User, ivy: User
) -> None:
    factories.version(as_actor(signed.ana), signed.version.model)
    gone = factories.version(as_actor(signed.ana), signed.version.model)
    over = services.open_engagement(as_actor(ada), new(signed.version, ivy, title="More"))
    registry.delete_version(as_actor(signed.ana), gone)
    answer = visit(ivy).post(url(over, "bundle/"), {})
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    named = json.loads(archive.read("bundle.json"))
    assert sorted(each["version"] for each in named["versions"]) == [1, 2]
    told = audits.events(scopes=None, types=["compliance.bundle.issued"])
    assert {event.payload["version"] for event in told}.isdisjoint({gone.pk})
