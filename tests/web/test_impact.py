"""The pages of an impact assessment: answering, previewing, conflicts, bad input, signing, comparing, what follows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core import clock
from apps.impact import questionnaire
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification
from apps.registry.models import RegisteredModel
from tests import factories
from tests.impact import samples
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

URL = "/models/churn/impact/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def churn(ana: User) -> RegisteredModel:
    return factories.model(as_actor(ana), "churn")


def sent(answers: dict[str, Any], base: int = 0, do: str = "save") -> dict[str, Any]:
    """The answers as a browser sends them."""
    found: dict[str, Any] = {"base_revision": str(base), "do": do}
    for key, answer in answers.items():
        if isinstance(answer, dict):
            found |= {f"q-{key}-{part}": str(value) for part, value in answer.items()}
        else:
            found[f"q-{key}"] = answer if isinstance(answer, list) else str(answer)
    return found


def text(client: Client, url: str = URL, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def test_nothing_yet_says_what_it_is_for_and_who_may_begin(
    churn: RegisteredModel, ana: User, aud: User
) -> None:
    assert "Begin the assessment" in text(browser(ana))
    assert "Begin the assessment" not in text(browser(aud))
    assert ">None yet</a>" in text(browser(ana), "/models/churn/")


def test_a_form_comes_back_as_it_was_sent_and_is_kept_as_a_revision(
    churn: RegisteredModel, ana: User
) -> None:
    client = browser(ana)
    answer = client.post(f"{URL}edit/", sent(samples.moderate()))
    assert (answer.status_code, answer["Location"]) == (302, URL)
    row = AssessmentRevision.objects.get()
    assert row.answers == samples.moderate()
    page = text(client)
    assert "Level II" in page
    assert "Access to work, education, credit, insurance, services" in page
    form = text(client, f"{URL}edit/")
    assert 'name="base_revision" value="1"' in form
    assert "An applicant is refused." in form


def test_it_leads_to_its_pdf_once_there_is_a_version_to_make_one_of(
    churn: RegisteredModel, ana: User
) -> None:
    samples.save(as_actor(ana), churn, samples.moderate())
    assert "As a PDF" not in text(browser(ana))
    for _ in range(2):
        factories.version(as_actor(ana), churn)
    assert 'href="/models/churn/2/documents/"' in text(browser(ana))
    there = text(browser(ana), "/models/churn/2/documents/")
    assert "Make the impact assessment" in there


def test_a_preview_scores_what_is_in_the_form_and_writes_nothing(
    churn: RegisteredModel, ana: User
) -> None:
    client = browser(ana)
    with nothing_written():
        part = client.post(f"{URL}edit/", sent(samples.whole(), do="preview"), headers=HTMX)
        whole = client.post(f"{URL}edit/", sent({"purpose": "To sort."}, do="preview"))
    assert part.status_code == 200
    assert "Level I" in part.content.decode()
    assert "<html" not in part.content.decode()
    page = whole.content.decode()
    assert "each counts as the worst" in page
    assert "To sort." in page


def test_two_editors_do_not_overwrite_each_other(
    churn: RegisteredModel, ana: User, vera: User
) -> None:
    browser(ana).post(f"{URL}edit/", sent({"purpose": "Ana's words."}))
    with nothing_written():
        answer = browser(vera).post(f"{URL}edit/", sent({"purpose": "Vera's words."}))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ana Silva saved revision 1" in page
    assert "Vera&#x27;s words." in page
    assert f"{URL}?revision=1" in page


BAD = [
    ({"q-number": "-1"}, "q-number"),
    ({"q-number": "many"}, "q-number"),
    ({"q-number": "9" * 40}, "q-number"),
    ({"q-decision": "magic"}, "q-decision"),
    ({"q-wrong-likelihood": "5"}, "q-wrong-likelihood"),
    ({"q-purpose": "x" * 10_001}, "q-purpose"),
    ({"q-wrong-text": "a\x07b"}, "q-wrong-text"),
    ({"q-groups": ["martians"]}, "q-groups"),
]


@pytest.mark.parametrize(("given", "field"), BAD)
def test_bad_input_stays_in_the_form_beside_its_field(
    given: dict[str, Any], field: str, churn: RegisteredModel, ana: User
) -> None:
    with nothing_written():
        answer = browser(ana).post(f"{URL}edit/", {"base_revision": "0", "do": "save"} | given)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "One thing needs mending" in page
    assert f'id="id_{field}_error"' in page or f'href="#id_{field}' in page


def test_hostile_text_is_shown_as_text(churn: RegisteredModel, ana: User) -> None:
    client = browser(ana)
    client.post(f"{URL}edit/", sent({"purpose": "<script>alert(1)</script>"}))
    assert "<script>alert(1)" not in text(client)
    assert "&lt;script&gt;alert(1)" in text(client)


def test_somebody_else_signs_with_her_password(
    churn: RegisteredModel, ana: User, rui: User
) -> None:
    revision = samples.save(as_actor(ana), churn, samples.whole(worst=True))
    assert "Rui Costa" in text(browser(ana))
    assert "Impact of churn" in text(browser(rui), "/")
    assert "Impact of churn" not in text(browser(ana), "/")
    assert browser(ana).get(f"{URL}sign/").status_code == 403
    signer = browser(rui)
    form = {"digest": revision.digest, "comment": "As I know it.", "password": "wrong"}
    assert signer.post(f"{URL}sign/", form).status_code == 422
    assert not AssessmentSignature.objects.exists()
    stale = signer.post(f"{URL}sign/", form | {"password": PASSWORD, "digest": "0" * 64})
    assert stale.status_code == 409
    done = signer.post(f"{URL}sign/", form | {"password": PASSWORD})
    assert done.status_code == 302
    page = text(signer)
    assert "In force, level IV" in page
    assert "Impact of churn" not in text(signer, "/")
    assert "As I know it." in page
    churn.refresh_from_db()
    assert churn.demanded_tier == 1
    assert "Level IV" in text(signer, "/models/churn/")
    told = json.loads(b"".join(signer.get(f"{URL}assessment.json").streaming_content))  # type: ignore[arg-type]
    assert told["score"]["level"] == "IV"
    assert questionnaire.digest_of(told["questionnaire"]) == questionnaire.PUBLISHED["eu-rights-1"]


def test_an_unfinished_one_is_not_signed_and_says_what_is_missing(
    churn: RegisteredModel, ana: User, rui: User
) -> None:
    samples.save(as_actor(ana), churn, {"purpose": "To sort."})
    assert "Sign it" not in text(browser(rui))
    assert "Not answered yet (" in text(browser(rui))
    assert browser(rui).get(f"{URL}sign/").status_code == 403


def test_two_revisions_are_compared_word_by_word(churn: RegisteredModel, ana: User) -> None:
    samples.save(as_actor(ana), churn, {"purpose": "To sort letters."})
    samples.save(as_actor(ana), churn, {"purpose": "To sort parcels."})
    page = text(browser(ana), f"{URL}compare/")
    assert "<del>letters.</del>" in page
    assert "<ins>parcels.</ins>" in page
    for wrong in ("?from=9", "?to=x", "?from=1&to=99999999999"):
        assert browser(ana).get(f"{URL}compare/{wrong}").status_code == 404


def test_what_an_authority_was_told_is_noted(churn: RegisteredModel, ana: User, rui: User) -> None:
    samples.sign(as_actor(rui), samples.save(as_actor(ana), churn))
    client = browser(ana)
    form = {"authority": "Market surveillance", "reference": "MS-7", "notified_on": ""}
    assert client.post(f"{URL}notify/", form).status_code == 422
    form["notified_on"] = clock.now().date().isoformat()
    assert client.post(f"{URL}notify/", form).status_code == 302
    assert AuthorityNotification.objects.count() == 1
    assert "MS-7" in text(client)


def test_a_lower_demand_is_proposed_on_the_page(
    churn: RegisteredModel, ana: User, rui: User, omar: User
) -> None:
    samples.sign(as_actor(rui), samples.save(as_actor(ana), churn, samples.moderate()))
    samples.sign(as_actor(rui), samples.save(as_actor(ana), churn, samples.whole()))
    page = text(browser(omar))
    assert "An earlier assessment demanded tier 2" in page
    answer = browser(omar).post(f"{URL}lower/", {"reason": "fewer people"})
    assert (answer.status_code, answer["Location"]) == (302, URL)
    churn.refresh_from_db()
    assert churn.demanded_tier == 3


def test_the_page_asks_as_often_for_many_revisions_as_for_few(
    churn: RegisteredModel, ana: User
) -> None:
    client, counts = browser(ana), []
    for number in range(12):
        samples.save(as_actor(ana), churn, {"purpose": f"Purpose {number}."})
        if number in {2, 11}:
            client.get(URL)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                client.get(URL)
            counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_dialog_says_what_it_is_about_and_the_page_has_one_heading(
    churn: RegisteredModel, ana: User, rui: User
) -> None:
    samples.sign(as_actor(rui), samples.save(as_actor(ana), churn))
    part = text(browser(ana), f"{URL}notify/", **HTMX)
    assert "<h2>Note a notification</h2>" in part
    assert "<h2>Note a notification</h2>" not in text(browser(ana), f"{URL}notify/")
