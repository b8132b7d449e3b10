"""Whoever edits rights in the database is named; whoever changes them through the site is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group

from apps.accounts import reconcile, services
from apps.accounts.models import Identity, RoleAssignment, RoleVerb, Team, User
from apps.accounts.roots import add_role, remove_role
from tests.support.people import as_actor
from tests.support.roots import experiment_of, model_of


@pytest.fixture
def story(ada: User, ana: User, otto: User, omar: User) -> Team:
    """Everything that can happen to rights has happened."""
    admin = as_actor(ada)
    team = services.create_team(admin, key="credit", name="Credit")
    services.grant_role(admin, "approver", otto, on=team)
    services.revoke_role(admin, "contributor", ana)
    services.grant_role(admin, "viewer", ana)
    services.map_group(admin, name="risk", role="validator")
    services.map_group(admin, name="risk", role="viewer", team=team)
    claims = services.ProviderClaims("https://idp", "s", "nell", "Nell", "", frozenset({"risk"}))
    services.sign_in_by_provider(claims)
    experiment = experiment_of(omar)
    services.grant_creator_role(as_actor(omar), "owner", experiment)
    model_of(omar, team=team)
    services.deactivate_user(admin, ana, reason="left")
    services.reactivate_user(admin, ana)
    services.deactivate_user(admin, otto, reason="left")
    return team


def found() -> list[str]:
    return [str(difference) for difference in reconcile.differences()]


def test_what_the_site_does_reconciles(story: Team) -> None:
    assert found() == []


EDITS: dict[str, tuple[Callable[[User, Team], object], str]] = {
    "a role on the site": (
        lambda ana, team: RoleAssignment.objects.create(user=ana, role_id="approver"),
        "holds the role approver on site",
    ),
    "a role on a team": (
        lambda ana, team: add_role("validator", ana, team),
        "holds the role validator on team:",
    ),
    "a role taken away": (
        lambda ana, team: remove_role("approver", User.objects.get(username="otto"), team),
        "lacks the role approver on team:",
    ),
    "a membership": (lambda ana, team: ana.groups.add(Group.objects.get()), "is in group:"),
    "a membership taken away": (
        lambda ana, team: User.objects.get(username="nell").groups.clear(),
        "is not in group:",
    ),
    "somebody woken": (
        lambda ana, team: User.objects.filter(username="otto").update(is_active=True),
        "is active, the ledger says otherwise",
    ),
    "a person": (
        lambda ana, team: User.objects.create(username="eve", display_name="Eve"),
        "does not say who made it",
    ),
    "an identity": (
        lambda ana, team: Identity.objects.create(user=ana, issuer="https://idp", subject="eve"),
        "is bound to 1 accounts",
    ),
    "a verb of a role": (
        lambda ana, team: RoleVerb.objects.create(role_id="viewer", verb="review.sign.approver"),
        "role:viewer: has the verb review.sign.approver",
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_the_database_is_named(edit: str, story: Team, ana: User) -> None:
    act, sentence = EDITS[edit]
    act(ana, story)
    (difference,) = found()
    assert sentence in difference


def test_the_verifier_runs_it(settings: pytest.FixtureRequest) -> None:
    assert "apps.accounts.reconcile.differences" in settings.LEDGER_RECONCILERS  # type: ignore[attr-defined]
