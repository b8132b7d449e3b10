"""The record: who sees what of it, and that what is shown can be checked."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.audits import selectors, verification
from apps.audits.models import Verification
from apps.registry import services
from tests import factories
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_ledger.py"


@pytest.fixture
def story(ana: User) -> None:
    actor = as_actor(ana)
    version = factories.version(actor, factories.model(actor, "churn"))
    services.set_alias(actor, version, alias="candidate")
    factories.version(actor, factories.model(actor, "fraud"))


def newest(kind: str) -> int:
    return selectors.events(scopes=None, types=[kind], limit=1)[0].seq


def test_the_timeline_names_what_each_event_is_about(ana: User, story: None) -> None:
    page = browser(ana).get("/audit/").content.decode()
    assert 'href="/models/churn/1/"' in page
    assert "set alias <strong>@candidate</strong>" in page


@pytest.mark.parametrize(
    ("subject", "shown", "hidden"),
    [
        ("churn", "churn v1", "fraud"),
        ("churn/1", "@candidate", "fraud"),
        ("churn v1", "@candidate", "fraud"),
        ("fraud", "fraud v1", "@candidate"),
    ],
)
def test_the_subject_is_found_as_people_say_it(
    ana: User, story: None, subject: str, shown: str, hidden: str
) -> None:
    page = browser(ana).get("/audit/", {"subject": subject}).content.decode()
    timeline = page[page.index("timeline") :]
    assert shown in timeline
    assert hidden not in timeline


@pytest.mark.parametrize(
    "subject", ["nobody/9", "REV-999", "user:1", "\x00", "model:99999999999999999"]
)
def test_a_subject_that_is_not_ones_own_to_see_is_refused_in_the_form(
    ana: User, otto: User, story: None, subject: str
) -> None:
    answer = browser(otto).get("/audit/", {"subject": subject})
    assert answer.status_code == 422
    assert "timeline-event" not in answer.content.decode()


def test_other_filters_hold(ana: User, aud: User, story: None) -> None:
    client = browser(aud)
    page = client.get(
        "/audit/", {"what": "registry.", "who": ana.pk, "since": "7"}
    ).content.decode()
    assert "registered" in page
    assert "accounts.user.created" not in page
    empty = client.get("/audit/", {"who": aud.pk, "what": "reviews."}).content.decode()
    assert "No event matches these filters" in empty
    assert client.get("/audit/", {"since": "soon"}).status_code == 422


def test_an_outsider_sees_only_what_concerns_herself(otto: User, ana: User, story: None) -> None:
    page = browser(otto).get("/audit/").content.decode()
    assert "churn" not in page[page.index("<main") :].replace("churn/7", "")
    seq = newest("registry.version.registered")
    for path in (f"/audit/{seq}/", f"/audit/{seq}/extract.json"):
        assert browser(otto).get(path).status_code == 404
        assert browser(ana).get(path).status_code == 200


@pytest.mark.parametrize("seq", ["0", "999999", "9" * 30])
def test_a_number_the_ledger_has_not_reached_is_no_page(ana: User, seq: str) -> None:
    assert browser(ana).get(f"/audit/{seq}/").status_code == 404


def test_an_event_can_be_checked_by_hand(ana: User, story: None) -> None:
    seq = newest("registry.alias.set")
    page = browser(ana).get(f"/audit/{seq}/").content.decode()
    event = selectors.event(seq)
    assert event.leaf_hash in page
    assert event.root in page
    extract = json.loads(browser(ana).get(f"/audit/{seq}/extract.json").content)
    assert base64.b64decode(extract["events"][0]["body"]) == event.body


def test_the_export_verifies_without_us(aud: User, story: None, tmp_path: Path) -> None:
    answer = browser(aud).get("/audit/export/")
    export, extract = tmp_path / "ledger.jsonl", tmp_path / "event.json"
    export.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    seq = newest("registry.alias.set")
    extract.write_bytes(browser(aud).get(f"/audit/{seq}/extract.json").content)
    command = [
        sys.executable,
        "-I",
        str(VERIFIER),
        "--export",
        str(export),
        "--extract",
        str(extract),
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    done = selectors.attempts(act="GET web:audit-export", outcome="done")
    assert len(done) == 1, "that it was taken is on record"


def test_the_export_and_the_attempts_take_their_rights(ana: User, ada: User, story: None) -> None:
    for person, path in ((ana, "export/"), (ada, "export/"), (ana, "attempts/")):
        with nothing_written():
            assert browser(person).get(f"/audit/{path}").status_code == 403
    assert browser(ada).get("/audit/attempts/").status_code == 200


def test_attempts_tell_who_was_refused_what(ana: User, aud: User, story: None) -> None:
    browser(ana).get("/audit/export/")
    page = browser(aud).get("/audit/attempts/?outcome=refused").content.decode()
    assert "web:audit-export" in page
    assert "Ana Silva" in page
    assert browser(aud).get("/audit/attempts/?before=x&outcome=y&subject=%00").status_code == 200


def test_the_state_of_the_record_is_said(ana: User, aud: User, story: None) -> None:
    assert "not verified them yet" in browser(ana).get("/audit/").content.decode()
    verification.verify_when_due()
    assert "Whole to EVT-" in browser(ana).get("/audit/").content.decode()
    assert "Record whole" in browser(ana).get("/").content.decode()


def test_a_broken_record_is_said_to_everyone_and_explained_to_auditors(
    ana: User, aud: User, story: None
) -> None:
    verification.verify_when_due()
    row = Verification.objects.latest("id")
    row.pk, row.ok = None, False
    row.differences = [{"subject": "event 3", "message": "the leaf hash is not that of the body"}]
    row.save(force_insert=True)
    for path in ("/audit/", "/", f"/audit/{newest('registry.alias.set')}/"):
        assert "The record is damaged" in browser(ana).get(path).content.decode(), path
    assert "leaf hash" not in browser(ana).get("/audit/").content.decode()
    assert "event 3: the leaf hash" in browser(aud).get("/audit/").content.decode()


def test_paging_goes_on_where_it_stopped(aud: User, ana: User) -> None:
    actor = as_actor(ana)
    for number in range(30):
        factories.version(actor, factories.model(actor, f"m{number}"))
    client = browser(aud)
    first = client.get("/audit/").content.decode()
    assert 'rel="next"' in first
    last = selectors.events(scopes=None, limit=50)[-1].seq
    second = client.get(f"/audit/?before={last}").content.decode()
    assert f'id="event-{last - 1}"' in second
    assert f'id="event-{last}"' not in second


def test_the_record_asks_as_much_for_many_events_as_for_few(ana: User, aud: User) -> None:
    actor, counts = as_actor(ana), []
    for who in (aud, ana):
        client = browser(who)
        for number in range(10):
            factories.version(actor, factories.model(actor, f"{who}-{number}"))
        client.get("/audit/")
        with CaptureQueriesContext(connection) as few:
            client.get("/audit/?before=30")
        with CaptureQueriesContext(connection) as many:
            client.get("/audit/")
        counts.append((len(few), len(many)))
    assert all(few == many for few, many in counts), counts
