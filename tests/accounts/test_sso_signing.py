"""Signing by somebody who signs in at the identity provider: a password of her own, set in a fresh sign-in."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.accounts import services
from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid
from tests.support.idp import Idp
from tests.support.people import PASSWORD, SYSTEM, as_actor
from tests.support.sso import SECRET, fresh, known, signed_in
from tests.support.visitor import Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sso_site")]


def test_who_signs_in_at_the_provider_signs_with_a_password_of_her_own(
    idp: Idp, visitor: Visitor
) -> None:
    services.map_group(SYSTEM, name="risk-approvers", role="approver")
    known(idp, "sara", "risk-approvers")
    visitor.sign_in("sara", SECRET)
    sara = signed_in(visitor)
    assert sara is not None
    actor = as_actor(sara)
    with pytest.raises(Forbidden, match="Set a signing password"):
        services.reauthenticate(actor, SECRET)
    proof = fresh(visitor, sara)
    with pytest.raises(Invalid):
        services.set_signing_password(actor, password="short", proof=proof)
    services.set_signing_password(actor, password=PASSWORD, proof=proof)
    assert services.reauthenticate(actor, PASSWORD).user_id == sara.pk
    assert services.authenticate_password("sara", PASSWORD) is None, "it signs, it does not sign in"
    assert services.authenticate_basic("sara", PASSWORD, door="mlflow") is None
    with pytest.raises(Conflict, match="identity provider"):
        services.reset_password(SYSTEM, sara, password="temporary-orchard-7")


def test_a_signing_password_takes_a_sign_in_of_just_now(idp: Idp, visitor: Visitor) -> None:
    known(idp, "sara")
    visitor.sign_in("sara", SECRET)
    sara = signed_in(visitor)
    assert sara is not None
    actor = as_actor(sara)
    old = ReauthProof("provider", clock.now() - dt.timedelta(minutes=6), sara.pk)
    by_password = ReauthProof("password", clock.now(), sara.pk)
    others = ReauthProof("provider", clock.now(), sara.pk + 1)
    for proof in (old, by_password, others):
        with pytest.raises(Forbidden):
            services.set_signing_password(actor, password=PASSWORD, proof=proof)
    assert not User.objects.get(pk=sara.pk).has_usable_password()


def test_the_provider_really_asks_again_when_it_should(idp: Idp, visitor: Visitor) -> None:
    known(idp, "sara")
    visitor.sign_in("sara", SECRET)
    sara = signed_in(visitor)
    assert sara is not None
    first = fresh(visitor, sara).at
    assert visitor.sign_in("sara", SECRET).status_code == 302
    assert fresh(visitor, sara).at == first, "the provider remembered her"
    assert visitor.sign_in("sara", SECRET, "?fresh=1").status_code == 302
    assert fresh(visitor, sara).at > first
