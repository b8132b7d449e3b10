"""Sign-in by OpenID Connect against a real provider, over HTTP: what is accepted, and everything that is not."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import authenticate
from pytest_django import Settings

from apps.accounts import policy, provider, selectors, services
from apps.accounts.models import Identity, Team, User
from apps.audits.selectors import attempts, events_for
from apps.core.errors import Conflict
from tests.support.idp import Idp
from tests.support.people import PASSWORD, SYSTEM, as_actor, hire
from tests.support.races import at_once
from tests.support.sso import SECRET, changed, known, refused, signed_in
from tests.support.visitor import Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sso_site")]


def test_a_person_unknown_here_is_made_with_no_role(idp: Idp, visitor: Visitor) -> None:
    subject = known(idp, "nell", "some group nobody mapped")
    assert visitor.sign_in("nell", SECRET).status_code == 302
    user = signed_in(visitor)
    assert user is not None
    assert (user.username, user.display_name, user.email) == (
        "nell",
        "Nell Gray",
        "nell@example.org",
    )
    assert (user.identities.get().issuer, user.identities.get().subject) == (idp.issuer, subject)
    assert not as_actor(user).site_verbs
    assert not user.groups.exists()
    kinds = [event.type for event in events_for(f"user:{user.pk}")]
    assert kinds == ["accounts.identity.linked", "accounts.user.created"]
    event = events_for(f"user:{user.pk}")[1]
    assert event.payload["how"] == "provider"
    assert b"nell" not in event.body.lower()


def test_groups_give_roles_by_the_mapping_and_take_them_with_them(
    idp: Idp, visitor: Visitor
) -> None:
    team = services.create_team(SYSTEM, key="credit", name="Credit")
    services.map_group(SYSTEM, name="risk-approvers", role="approver")
    services.map_group(SYSTEM, name="credit-lab", role="contributor", team=team)
    known(idp, "gail", "risk-approvers", "credit-lab", "everybody")
    visitor.sign_in("gail", SECRET)
    user = signed_in(visitor)
    assert user is not None
    assert policy.can(as_actor(user), "review.sign.approver")
    assert policy.can(as_actor(user), "experiment.create", Team.objects.get())
    known(idp, "gail", "credit-lab")
    assert policy.can(as_actor(user), "review.sign.approver"), "until she signs in again"
    assert Visitor(visitor.site).sign_in("gail", SECRET).status_code == 302
    assert not policy.can(as_actor(user), "review.sign.approver")
    assert policy.can(as_actor(user), "experiment.create", team)
    known(idp, "gail")
    Visitor(visitor.site).sign_in("gail", SECRET)
    assert not user.groups.exists(), "a claim that is left out is no group at all"
    left = events_for(f"user:{user.pk}", limit=2)
    assert [event.type for event in left] == ["accounts.groups.changed"] * 2
    assert User.objects.count() == 1


def test_who_she_is_is_issuer_and_subject_and_nothing_else(idp: Idp, visitor: Visitor) -> None:
    local = hire("owen", "Owen Price", "administrator", email="owen@example.org")
    known(idp, "owen", email="owen@example.org")
    visitor.sign_in("owen", SECRET)
    user = signed_in(visitor)
    assert user is not None
    assert user != local
    assert user.username == "owen-2"
    assert not policy.can(as_actor(user), "people.manage")
    assert not local.identities.exists()


def test_an_address_that_is_given_to_somebody_else_takes_over_nothing(
    idp: Idp, visitor: Visitor
) -> None:
    known(idp, "petra", email="first@example.org")
    visitor.sign_in("petra", SECRET)
    petra = signed_in(visitor)
    assert petra is not None
    services.grant_role(SYSTEM, "approver", petra)
    idp.remove("petra")
    known(idp, "petra", email="first@example.org")
    other = Visitor(visitor.site)
    other.sign_in("petra", SECRET)
    successor = signed_in(other)
    assert successor is not None
    assert successor != petra
    assert successor.username == "petra-2"
    assert not as_actor(successor).site_verbs
    assert Identity.objects.filter(user=petra).count() == 1


def test_a_new_name_and_address_are_followed_and_recorded(idp: Idp, visitor: Visitor) -> None:
    known(idp, "rita")
    visitor.sign_in("rita", SECRET)
    user = signed_in(visitor)
    assert user is not None
    idp.person("rita", password=SECRET, name="Rita Stone", email="rs@example.org")
    Visitor(visitor.site).sign_in("rita", SECRET)
    user.refresh_from_db()
    assert (user.display_name, user.email, user.username) == (
        "Rita Stone",
        "rs@example.org",
        "rita",
    )
    assert events_for(f"user:{user.pk}", limit=1)[0].type == "accounts.user.updated"


def test_a_deactivated_person_is_refused_and_her_session_is_over(
    idp: Idp, visitor: Visitor
) -> None:
    known(idp, "dora")
    visitor.sign_in("dora", SECRET)
    user = signed_in(visitor)
    assert user is not None
    services.deactivate_user(SYSTEM, user, reason="left")
    other = Visitor(visitor.site)
    answer = other.sign_in("dora", SECRET)
    refused(answer, other)
    assert "deactivated" in answer.text


def test_a_state_of_somebody_elses_browser_is_refused(idp: Idp, visitor: Visitor) -> None:
    known(idp, "nell")
    callback = visitor.consent(visitor.begin(), "nell", SECRET)
    victim = Visitor(visitor.site)
    victim.begin()
    refused(victim.get(callback), victim)
    refused(visitor.get(changed(callback, state="x" * 32)), visitor)
    assert visitor.get(callback).status_code == 302


def test_an_answer_nobody_asked_for_is_refused(idp: Idp, visitor: Visitor) -> None:
    known(idp, "nell")
    callback = Visitor(visitor.site)
    address = callback.consent(callback.begin(), "nell", SECRET)
    refused(visitor.get(address), visitor)
    refused(visitor.get(f"{visitor.site}/sso/callback/"), visitor)


def test_an_answer_is_good_once(idp: Idp, visitor: Visitor) -> None:
    known(idp, "nell")
    callback = visitor.consent(visitor.begin(), "nell", SECRET)
    assert visitor.get(callback).status_code == 302
    visitor.browser.cookies.clear()
    refused(visitor.get(callback), visitor)


def test_a_changed_nonce_is_refused(idp: Idp, visitor: Visitor) -> None:
    known(idp, "nell")
    address = changed(visitor.begin(), nonce="n" * 32)
    callback = visitor.consent(address, "nell", SECRET)
    refused(visitor.get(callback), visitor)
    assert not User.objects.exists()


def test_a_code_of_another_sign_in_is_refused_by_its_challenge(idp: Idp, visitor: Visitor) -> None:
    """The thief's code, brought into a sign-in the victim's browser really began: PKCE stops it."""
    known(idp, "nell")
    known(idp, "thief")
    thief = Visitor(visitor.site)
    stolen = thief.consent(thief.begin(), "thief", SECRET)
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    state = parse_qs(urlsplit(visitor.begin()).query)["state"][0]
    refused(visitor.get(changed(stolen, code=code, state=state)), visitor, status=409)


def test_the_request_carries_a_challenge_and_no_secret(idp: Idp, visitor: Visitor) -> None:
    asked = parse_qs(urlsplit(visitor.begin()).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert "client_secret" not in asked
    assert "prompt" not in asked
    assert parse_qs(urlsplit(visitor.begin("?fresh=1")).query)["prompt"] == ["login"]


@pytest.mark.parametrize("algorithm", ["none", "RS512", "PS256"])
def test_a_token_signed_otherwise_is_refused(algorithm: str, idp: Idp, visitor: Visitor) -> None:
    known(idp, "nell")
    idp.client(id_token_signed_response_alg=algorithm)
    answer = visitor.sign_in("nell", SECRET)
    assert answer.status_code in {403, 409}
    assert signed_in(visitor) is None
    assert not User.objects.exists()


def test_a_token_for_another_client_or_of_another_issuer_is_refused(
    idp: Idp, visitor: Visitor, settings: Settings
) -> None:
    """The endpoints are right and the signature is: `iss` and `aud` must be, too."""
    known(idp, "nell")
    here = provider.provider()
    settings.OIDC_ENDPOINTS = {
        name: getattr(here, name)
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    }
    assert Visitor(visitor.site).sign_in("nell", SECRET).status_code == 302
    settings.OIDC_ISSUER = "https://login.example.org"
    refused(visitor.sign_in("nell", SECRET), visitor)
    assert "iss" in attempts()[0].reason or "iss" in attempts()[1].reason
    assert User.objects.count() == 1


def test_pressing_cancel_is_a_clear_answer(idp: Idp, visitor: Visitor) -> None:
    state = parse_qs(urlsplit(visitor.begin()).query)["state"][0]
    answer = visitor.get(f"{visitor.site}/sso/callback/?error=access_denied&state={state}")
    refused(answer, visitor)
    assert "Sign in again" in answer.text


def test_a_provider_that_does_not_answer_is_a_clear_answer(
    visitor: Visitor, settings: Settings
) -> None:
    settings.OIDC_ISSUER = "http://localhost:9"
    answer = visitor.get(f"{visitor.site}/sso/authenticate/")
    assert answer.status_code == 409
    settings.OIDC_ISSUER = ""
    answer = visitor.get(f"{visitor.site}/sso/authenticate/")
    assert answer.status_code == 409
    assert "not set up" in answer.text
    with pytest.raises(Conflict):
        provider.provider()


def test_password_sign_in_does_not_ask_the_provider(visitor: Visitor, settings: Settings) -> None:
    settings.OIDC_ISSUER = "http://localhost:9"
    nell = hire("nell", "Nell")
    assert authenticate(None, username="nell", password=PASSWORD) == nell


def test_two_first_sign_ins_at_once_make_one_person(idp: Idp) -> None:
    claims = services.ProviderClaims(idp.issuer, "sub-1", "una", "Una Gray", "una@example.org")
    results = at_once(*[lambda: services.sign_in_by_provider(claims)] * 4)
    assert {user.pk for user in results if isinstance(user, User)} == {User.objects.get().pk}
    assert len(results) == 4
    assert selectors.signs_in_at_provider(User.objects.get())
