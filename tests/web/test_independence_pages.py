"""On the review's page: let somebody sign for you, declare a conflict of interest, and take both back."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.core import clock
from apps.core.actor import Actor
from apps.reviews.models import Conflict, Decision, Delegation
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import cast as cast  # the fixture
from tests.reviews.test_signing import sign
from tests.support.people import PASSWORD
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


def at_the_pages(actor: Actor) -> Client:
    return browser(factories.user_of(actor))


def test_a_colleague_signs_on_her_behalf_and_the_dialog_says_so(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    cleo = factories.person("cleo", "viewer")
    rui = at_the_pages(cast.rui)
    page = rui.get(f"/reviews/{review.pk}/").content.decode()
    assert "Delegate…" in page
    form = {
        "to": str(factories.user_of(cleo).uuid),
        "role": "approver",
        "scope": "review",
        "until": f"{clock.now():%Y-%m-%d}",
        "reason": "at a wedding",
    }
    assert rui.post(f"/reviews/{review.pk}/delegate/", {**form, "reason": ""}).status_code == 422
    assert rui.post(f"/reviews/{review.pk}/delegate/", form).status_code == 302
    assert "at a wedding" in at_the_pages(cleo).get("/account/delegations/").content.decode()
    client = at_the_pages(cleo)
    dialog = client.get(f"/reviews/{review.pk}/decide/").content.decode()
    assert "Cleo for Rui" in dialog
    row = Delegation.objects.get()
    answer = client.post(
        f"/reviews/{review.pk}/decide/",
        {
            "outcome": "approve",
            "comment": "read it",
            "no_conflict": "on",
            "password": PASSWORD,
            "evidence_digest": review.rounds.get().digest,
            "step": "approval",
            "delegation": str(row.pk),
        },
    )
    assert answer.status_code == 302
    assert Decision.objects.get(user=cleo.user_id).on_behalf_of_id == cast.rui.user_id


def test_an_author_is_not_chosen_and_nobody_without_a_role_delegates(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    form = {
        "to": str(factories.user_of(cast.ana).uuid),
        "role": "approver",
        "scope": "review",
        "until": f"{clock.now():%Y-%m-%d}",
        "reason": "away",
    }
    answer = at_the_pages(cast.rui).post(f"/reviews/{review.pk}/delegate/", form)
    assert answer.status_code == 422
    assert at_the_pages(cast.ana).get(f"/reviews/{review.pk}/delegate/").status_code == 403
    assert not Delegation.objects.exists()


def test_a_delegation_is_ended_by_either_of_the_two(cast: Cast) -> None:
    test_a_colleague_signs_on_her_behalf_and_the_dialog_says_so(cast)
    row = Delegation.objects.get()
    url = f"/delegations/{row.pk}/end/"
    assert at_the_pages(cast.vera).post(url, {"reason": "x"}).status_code == 404
    assert at_the_pages(cast.rui).post(url, {"reason": "back"}).status_code == 302
    assert "Ended" in at_the_pages(cast.rui).get("/account/delegations/").content.decode()
    assert at_the_pages(cast.rui).post(url, {"reason": "again"}).status_code in {409, 422}


def test_a_declared_conflict_keeps_her_out_and_is_shown(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    vera = at_the_pages(cast.vera)
    form = {"person": "", "scope": "model", "reason": "my sister wrote it"}
    assert vera.post(f"/reviews/{review.pk}/conflict/", form).status_code == 302
    page = vera.get(f"/reviews/{review.pk}/").content.decode()
    assert "Vera declared a conflict of interest" in page
    assert "my sister wrote it" in page
    assert "Decide and sign" not in page
    row = Conflict.objects.get()
    url = f"/conflicts/{row.pk}/withdraw/"
    assert at_the_pages(cast.rui).post(url, {"reason": "x"}).status_code == 403
    assert vera.post(url, {"reason": "it was a mistake"}).status_code == 302
    assert "declared a conflict" not in vera.get(f"/reviews/{review.pk}/").content.decode()


def test_of_somebody_else_only_a_signer_or_the_manager_says_so(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    form = {
        "person": str(factories.user_of(cast.vera).uuid),
        "scope": "review",
        "reason": "she owns shares",
    }
    viewer = factories.person("vito", "viewer")
    assert at_the_pages(viewer).post(f"/reviews/{review.pk}/conflict/", form).status_code == 422
    answer = at_the_pages(cast.rui).post(f"/reviews/{review.pk}/conflict/", form)
    assert answer.status_code == 302
    assert Conflict.objects.get().review_id == review.pk
