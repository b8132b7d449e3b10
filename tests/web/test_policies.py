"""Policies through the pages: propose a ready-made one, sign it, see it in force; and what is refused."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.reviews import in_force
from apps.reviews.models import PolicyChange
from apps.reviews.policies import files
from tests.support.people import PASSWORD
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "small models need less"


def text_in(user: User, url: str) -> str:
    """What stands in the form's text field."""
    html = browser(user).get(f"{url}&as=yaml").content.decode()
    found = re.search(r'<textarea name="text"[^>]*>\s*(.*?)</textarea>', html, re.DOTALL)
    assert found, html
    return found[1].replace("&quot;", '"').replace("&#x27;", "'")


def propose(ada: User, url: str, **form: str) -> PolicyChange:
    given = {"text": text_in(ada, url), "reason": WHY} | form
    answer = browser(ada).post(url, given)
    assert answer.status_code == 302, answer.content.decode()
    return PolicyChange.objects.latest("pk")


def sign(user: User, change: PolicyChange, **form: str) -> int:
    given = {
        "approves": "yes",
        "comment": "I read the redline",
        "password": PASSWORD,
        "digest": change.digest,
    } | form
    return browser(user).post(f"/policies/changes/{change.pk}/sign/", given).status_code


def test_a_ready_made_policy_is_proposed_signed_and_in_force(ada: User, vera: User) -> None:
    change = propose(ada, "/policies/propose/?pack=light")
    page = browser(vera).get(f"/policies/changes/{change.pk}/").content.decode()
    assert "New: light v1" in page
    assert WHY in page
    assert "steps.validation.role" in page
    assert sign(vera, change) == 302
    assert in_force.of_key("light") is not None
    listed = browser(vera).get("/policies/").content.decode()
    assert "Light approval for low-risk models" in listed
    assert "risk tier 3" in listed
    assert "Waiting for signatures" not in listed
    shown = browser(vera).get("/policies/of/light/").content.decode()
    assert "at least 0.60" in shown


def test_a_loosening_is_said_so_before_anybody_signs(ada: User, vera: User, rui: User) -> None:
    source = "/policies/propose/?from=standard"
    weaker = text_in(ada, source).replace("0.70", "0.60")
    change = propose(ada, source, text=weaker)
    page = browser(vera).get(f"/policies/changes/{change.pk}/").content.decode()
    assert "This loosens the policy" in page
    assert "performance.roc_auc: min 0.70 becomes min 0.60" in page
    assert sign(vera, change) == 302
    assert "1 of 2" in browser(rui).get(f"/policies/changes/{change.pk}/").content.decode()
    assert sign(rui, change) == 302
    assert "standard v2" in browser(ada).get("/policies/").content.decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key: [", "Line"),
        ("key: x\ntitle: X\n", "governs"),
        pytest.param("x: " + "y" * 200_001, "at most 200000", id="too long"),
        ("key: standard", "line 1"),
    ],
)
def test_a_document_that_is_wrong_comes_back_with_the_line(ada: User, text: str, said: str) -> None:
    with nothing_written():
        answer = browser(ada).post("/policies/propose/", {"text": text, "reason": WHY})
    assert answer.status_code == 422
    assert said.lower() in answer.content.decode().lower()


def test_signing_wants_the_password_the_digest_and_an_open_change(ada: User, vera: User) -> None:
    change = propose(ada, "/policies/propose/?pack=light")
    with nothing_written():
        assert sign(vera, change, password="wrong") == 422
        assert sign(vera, change, approves="perhaps") == 422
        assert sign(vera, change, digest="0" * 64) in {409, 422}
    assert sign(ada, change) == 403
    assert sign(vera, change, approves="no") == 302
    assert sign(vera, change) in {409, 422}
    assert in_force.of_key("light") is None


def test_a_proposal_is_withdrawn_and_a_policy_retired(ada: User, vera: User, rui: User) -> None:
    change = propose(ada, "/policies/propose/?pack=light")
    assert browser(ada).post(f"/policies/changes/{change.pk}/withdraw/", {"reason": "no"}).status_code == 302  # fmt: skip
    assert sign(vera, propose(ada, "/policies/propose/?pack=light")) == 302
    answer = browser(ada).post("/policies/of/light/retire/", {"reason": "nobody uses it"})
    assert answer.status_code == 302
    retirement = PolicyChange.objects.latest("pk")
    assert sign(vera, retirement) == 302
    assert sign(rui, retirement) == 302
    assert in_force.of_key("light") is None
    assert "Not in force" in browser(vera).get("/policies/of/light/").content.decode()


def test_the_file_of_a_version_reads_back_and_the_schema_is_published(ana: User) -> None:
    answer = browser(ana).get("/policies/of/standard/1.yaml")
    assert files.load(answer.content.decode(), number=1).key == "standard"
    assert browser(ana).get("/policies/schema.json").json()["title"] == "PolicyDocument"
    assert browser(ana).get("/policies/of/standard/9.yaml").status_code == 404
    assert browser(ana).get("/policies/of/nothing/").status_code == 404


def test_the_list_asks_as_often_for_many_as_for_few(ada: User, vera: User) -> None:
    counts = []
    for size in (2, 8):
        for number in range(size):
            change = propose(
                ada,
                "/policies/propose/?pack=light",
                text=text_in(ada, "/policies/propose/?pack=light").replace(
                    "key: light", f"key: light-{size}-{number}"
                ),
            )
            if number % 2:
                assert sign(vera, change) == 302
        client = browser(vera)
        client.get("/policies/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/policies/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
