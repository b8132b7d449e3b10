"""The sweep that ends delegations whose delegator lost the role."""

from __future__ import annotations

import pytest

from apps.accounts import services as accounts
from apps.audits.models import Event
from apps.core.actor import Actor
from apps.reviews import services, tasks
from apps.reviews.models import Delegation, DelegationEnd
from apps.reviews.reads import delegations
from apps.reviews.services import Scope
from tests import factories
from tests.reviews.conftest import Cast
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_independence import lend

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dora() -> Actor:
    """Dora reads everything and signs nothing of her own."""
    return factories.person("dora", "viewer")


def ended_events() -> int:
    return Event.objects.filter(type="reviews.delegation.ended").count()


def test_the_sweep_ends_only_what_lost_its_role_and_once(cast: Cast, dora: Actor) -> None:
    lost = lend(cast.rui, dora, "approver", Scope(model=cast.model))
    kept = lend(cast.vera, dora, "validator", Scope(model=cast.model))
    tasks.end_orphaned_delegations()
    assert ended_events() == 0
    accounts.revoke_role(factories.SYSTEM, "approver", factories.user_of(cast.rui))
    tasks.end_orphaned_delegations()
    tasks.end_orphaned_delegations()
    assert DelegationEnd.objects.get().delegation_id == lost.pk
    assert ended_events() == 1
    assert [row.pk for row in delegations.all_in_force()] == [kept.pk]
    is_whole()


def test_the_sweep_goes_on_past_one_that_was_ended_meanwhile(
    cast: Cast, dora: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.person("dina", "viewer")
    first = lend(cast.rui, other, "approver", Scope(model=cast.model))
    second = lend(cast.rui, dora, "approver", Scope(model=cast.model))
    read = list(Delegation.objects.order_by("-pk"))
    services.end_delegation(cast.rui, second, reason="back again")
    accounts.revoke_role(factories.SYSTEM, "approver", factories.user_of(cast.rui))
    monkeypatch.setattr(delegations, "all_in_force", lambda: read)
    tasks.end_orphaned_delegations()
    assert DelegationEnd.objects.get(delegation=second).user_id == cast.rui.user_id
    assert DelegationEnd.objects.get(delegation=first).user_id is None
    assert ended_events() == 2
    is_whole()
