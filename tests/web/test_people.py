"""People, services, teams and groups through their pages."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import policy, services
from apps.accounts.models import Team, User
from apps.audits import selectors as audits
from tests.support.people import SYSTEM, as_actor, hire
from tests.web.browsing import browser, nothing_written, reload

pytestmark = pytest.mark.django_db

PERSON = {
    "username": "nils",
    "display_name": "Nils Falk",
    "email": "nils@example.org",
    "password": "temporary-for-nils-77",
}


def test_an_administrator_makes_a_person_and_gives_her_a_role(ada: User) -> None:
    client = browser(ada)
    answer = client.post("/people/new/", PERSON)
    nils = User.objects.get(username="nils")
    assert answer["Location"] == f"/people/{nils.pk}/"
    grant = {"role": "validator", "place": "site"}
    assert client.post(f"/people/{nils.pk}/grant/", grant).status_code == 302
    assert policy.can(as_actor(nils), "review.sign.validator")
    page = client.get(f"/people/{nils.pk}/").content.decode()
    assert "Temporary password" in page
    assert "validator on the whole site" in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"username": "ADA"}, "The username ada is taken."),
        ({"username": "no spaces"}, "2 to 150 of"),
        ({"password": "short"}, "too short"),
        ({"email": "nowhere"}, "Enter a valid email address."),
        ({"display_name": "\u202egnilaS anA"}, "Control characters are not allowed."),
        ({"display_name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_a_wrong_person_form_says_where_and_makes_nobody(
    ada: User, wrong: dict[str, str], sentence: str
) -> None:
    with nothing_written():
        answer = browser(ada).post("/people/new/", {**PERSON, **wrong})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_nobody_grants_a_role_to_herself(ada: User) -> None:
    client = browser(ada)
    assert b"Nobody can grant themselves a role." in client.get(f"/people/{ada.pk}/").content
    with nothing_written():
        answer = client.post(f"/people/{ada.pk}/grant/", {"role": "approver", "place": "site"})
    assert answer.status_code == 403
    assert b"Nobody grants a role to herself." in answer.content
    (refused,) = audits.attempts(act="POST web:person-grant")
    assert (refused.subject, refused.outcome) == (f"user:{ada.pk}", "refused")


def test_the_last_administrator_stays(ada: User) -> None:
    client = browser(ada)
    form = {"role": "administrator", "place": "site", "holder": f"user:{ada.pk}"}
    with nothing_written():
        answer = client.post(f"/people/{ada.pk}/revoke/", form)
    assert answer.status_code == 409
    assert b"without an administrator" in answer.content


@pytest.mark.parametrize("place", ["", "team:0", "team:x", "team:99999999999999999999", "site:1"])
def test_a_place_that_is_none_is_refused(ada: User, ana: User, place: str) -> None:
    form = {"role": "contributor", "place": place}
    with nothing_written():
        assert browser(ada).post(f"/people/{ana.pk}/revoke/", form).status_code == 422


def test_deactivating_ends_the_session_at_once_and_asks_why(ada: User, ana: User) -> None:
    hers, administrator = browser(ana), browser(ada)
    assert hers.get("/account/").status_code == 200
    with nothing_written():
        assert (
            administrator.post(f"/people/{ana.pk}/deactivate/", {"reason": ""}).status_code == 422
        )
    form = {"reason": "left the bank"}
    assert administrator.post(f"/people/{ana.pk}/deactivate/", form).status_code == 302
    assert hers.get("/account/").status_code == 302
    assert "left the bank" in administrator.get(f"/people/{ana.pk}/").content.decode()
    assert administrator.post(f"/people/{ana.pk}/reactivate/").status_code == 302
    assert reload(ana).is_active


def test_a_reset_password_must_be_changed_before_anything_else(ada: User, ana: User) -> None:
    form = {"password": "another-temporary-one-5"}
    assert browser(ada).post(f"/people/{ana.pk}/reset/", form).status_code == 302
    client = browser()
    client.post("/sign-in/", {"username": "ana", "password": form["password"]})
    assert client.get("/account/tokens/")["Location"] == "/account/password/"


def test_a_service_has_people_who_answer_for_it(ada: User, ana: User, vera: User) -> None:
    client = browser(ada)
    form = {"username": "ci", "display_name": "CI of churn", "owners": []}
    with nothing_written():
        assert client.post("/people/new-service/", form).status_code == 422
    assert client.post("/people/new-service/", {**form, "owners": [ana.pk]}).status_code == 302
    service = User.objects.get(username="ci")
    assert b"Ana Silva" in client.get(f"/people/{service.pk}/").content
    changed = {"owners": [vera.pk]}
    assert client.post(f"/people/{service.pk}/owners/", changed).status_code == 302
    assert b"Vera Lund" in client.get(f"/people/{service.pk}/").content


def test_a_team_gives_its_members_their_roles(ada: User, ana: User) -> None:
    client = browser(ada)
    assert client.post("/people/new-team/", {"name": "Credit", "key": "credit"}).status_code == 302
    grant = {"person": str(ana.pk), "role": "owner"}
    assert client.post("/people/teams/credit/", grant).status_code == 302
    team = Team.objects.get(key="credit")
    assert policy.can(as_actor(ana), "experiment.manage", team)
    page = client.get("/people/teams/credit/").content.decode()
    assert "Ana Silva" in page
    form = {"role": "owner", "place": f"team:{team.pk}", "holder": f"user:{ana.pk}"}
    assert client.post("/people/teams/credit/revoke/", form).status_code == 302
    assert not policy.can(as_actor(ana), "experiment.manage", team)
    assert client.post("/people/teams/credit/rename/", {"name": "Credit risk"}).status_code == 302
    assert b"Credit risk" in client.get("/people/teams/").content


def test_a_team_key_is_a_slug_and_used_once(ada: User) -> None:
    services.create_team(SYSTEM, key="credit", name="Credit")
    client = browser(ada)
    with nothing_written():
        taken = client.post("/people/new-team/", {"name": "Other", "key": "credit"})
        odd = client.post("/people/new-team/", {"name": "Other", "key": "Not A Slug"})
    assert (taken.status_code, odd.status_code) == (422, 422)


def test_a_directory_group_gives_a_role_until_the_mapping_is_revoked(ada: User) -> None:
    client = browser(ada)
    form = {"name": "mrm-validators", "role": "validator", "place": "site"}
    assert client.post("/people/groups/", form).status_code == 302
    page = client.get("/people/groups/").content.decode()
    assert "mrm-validators" in page
    group = Group.objects.get(name="mrm-validators")
    revoke = {"role": "validator", "place": "site", "holder": f"group:{group.pk}"}
    assert client.post("/people/groups/revoke/", revoke).status_code == 302
    assert "No group is mapped" in client.get("/people/groups/").content.decode()


def test_the_list_asks_as_many_queries_for_a_hundred_people_as_for_ten(ada: User) -> None:
    client = browser(ada)

    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get("/people/").status_code == 200
        return len(counted)

    _fill(10)
    few = queries()
    _fill(100)
    assert queries() == few


def test_the_list_pages_by_name_and_finds_by_name(ada: User) -> None:
    _fill(60)
    client = browser(ada)
    first = client.get("/people/").content.decode()
    assert "p000" in first
    assert "p059" not in first
    second = client.get("/people/?after=p048").content.decode()
    assert "p059" in second
    assert "p000" not in second
    found = client.get("/people/?q=p05").content.decode()
    assert "p059" in found
    assert "p001" not in found
    assert "Nobody is called" in client.get("/people/?q=zzz").content.decode()


def test_a_person_with_the_name_of_a_script_is_shown_as_text(ada: User) -> None:
    hire("mallory", "<script>alert(1)</script>")
    page = browser(ada).get("/people/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def _fill(number: int) -> None:
    people = [
        User(username=f"p{each:03}", display_name=f"Person {each}")
        for each in range(number)
        if not User.objects.filter(username=f"p{each:03}").exists()
    ]
    User.objects.bulk_create(people)
