"""Granting and revoking: who may, to whom, what is recorded, and what a refusal leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth.models import Group

from apps.accounts import policy, selectors, services
from apps.accounts.models import RoleAssignment, Team, User
from apps.audits.selectors import events_for, head
from apps.core.errors import AlreadyExists, Conflict, DomainError, Forbidden, Invalid
from tests.support.people import SYSTEM, as_actor, hire
from tests.support.roots import experiment_of, model_of


def refused(error: type[DomainError], act: Callable[[], object], match: str | None = None) -> None:
    """The act is refused, and neither a role nor an event was written."""
    before = (head().size, RoleAssignment.objects.count())
    with pytest.raises(error, match=match):
        act()
    assert (head().size, RoleAssignment.objects.count()) == before


def test_an_administrator_grants_and_revokes_and_both_are_recorded(ada: User, otto: User) -> None:
    admin = as_actor(ada)
    assert services.grant_role(admin, "viewer", otto)
    assert not services.grant_role(admin, "viewer", otto), "it was held already"
    assert services.revoke_role(admin, "viewer", otto)
    assert not services.revoke_role(admin, "viewer", otto)
    revoked, granted = events_for(f"user:{otto.pk}", limit=2)
    assert (granted.type, revoked.type) == ("accounts.role.granted", "accounts.role.revoked")
    assert granted.payload["how"] == "administrator"
    assert granted.payload["holder_name"] == "Otto Brand"
    assert granted.actor_id == ada.pk


@pytest.mark.parametrize("role", ["ana", "rui", "vera", "omar", "aud", "otto"])
def test_nobody_but_an_administrator_grants_on_the_site(
    role: str, request: pytest.FixtureRequest, db: None
) -> None:
    person = request.getfixturevalue(role)
    target = hire("nell", "Nell")
    refused(
        Forbidden,
        lambda: services.grant_role(as_actor(person), "viewer", target),
        match="people.manage",
    )


def test_nobody_grants_a_role_to_herself_or_her_group(ada: User) -> None:
    group = Group.objects.create(name="admins")
    ada.groups.add(group)
    refused(Forbidden, lambda: services.grant_role(as_actor(ada), "owner", ada), match="herself")
    refused(Forbidden, lambda: services.grant_role(as_actor(ada), "owner", group), match="herself")


def test_a_manager_hands_out_what_makes_but_not_what_signs(omar: User, otto: User) -> None:
    experiment = experiment_of(omar)
    manager = as_actor(omar)
    assert services.grant_role(manager, "contributor", otto, on=experiment)
    assert policy.can(as_actor(otto), "experiment.write", experiment)
    model = model_of(omar)
    for role in ("approver", "validator", "auditor"):
        refused(Forbidden, partial(services.grant_role, manager, role, otto, on=model))
    refused(Forbidden, lambda: services.grant_role(manager, "viewer", otto))


@pytest.mark.parametrize(
    ("role", "on_team", "error"),
    [("emperor", False, Invalid), ("administrator", True, Invalid), ("", False, Invalid)],
)
def test_a_role_that_does_not_exist_there_is_refused(
    role: str, on_team: bool, error: type[DomainError], ada: User, otto: User
) -> None:
    team = services.create_team(as_actor(ada), key="t", name="T") if on_team else None
    refused(error, lambda: services.grant_role(as_actor(ada), role, otto, on=team))


@pytest.mark.parametrize("role", ["validator", "approver", "administrator", "auditor"])
def test_a_service_cannot_hold_what_only_people_do(role: str, ada: User, omar: User) -> None:
    service = services.create_service(
        as_actor(ada), username="ci", display_name="Pipeline", owners=[omar]
    )
    refused(Invalid, lambda: services.grant_role(as_actor(ada), role, service))


def test_a_deactivated_person_is_granted_nothing(ada: User, otto: User) -> None:
    services.deactivate_user(as_actor(ada), otto, reason="left")
    refused(Conflict, lambda: services.grant_role(as_actor(ada), "viewer", otto))


def test_the_last_administrator_stays(ada: User, otto: User) -> None:
    refused(Conflict, lambda: services.revoke_role(as_actor(ada), "administrator", ada))
    services.grant_role(as_actor(ada), "administrator", otto)
    assert services.revoke_role(as_actor(otto), "administrator", ada)
    refused(Conflict, lambda: services.deactivate_user(SYSTEM, otto, reason="left"))
    otto.refresh_from_db()
    assert otto.is_active


def test_a_mapped_group_counts_as_administrator(ada: User, otto: User) -> None:
    services.map_group(as_actor(ada), name="it-admins", role="administrator")
    refused(Conflict, lambda: services.revoke_role(as_actor(ada), "administrator", ada))
    otto.groups.add(Group.objects.get(name="it-admins"))
    assert services.revoke_role(as_actor(otto), "administrator", ada)


def test_a_group_is_mapped_on_the_site_or_on_a_team(ada: User, otto: User) -> None:
    admin = as_actor(ada)
    team = services.create_team(admin, key="credit", name="Credit risk")
    assert services.map_group(admin, name="risk", role="approver")
    assert services.map_group(admin, name="risk", role="contributor", team=team)
    assert not services.map_group(admin, name="risk", role="approver")
    mapped = {(row.role, row.place) for row in selectors.group_mappings()}
    assert mapped == {("approver", "site"), ("contributor", f"team:{team.pk}")}
    otto.groups.add(Group.objects.get(name="risk"))
    assert policy.can(as_actor(otto), "model.create", team)
    assert policy.can(as_actor(otto), "review.sign.approver")


def test_a_creator_gets_her_role_once_and_only_on_what_she_just_made(ana: User, otto: User) -> None:
    experiment = experiment_of(ana)
    services.grant_creator_role(as_actor(ana), "owner", experiment)
    assert {row.role for row in selectors.holdings_on(experiment)} == {"owner"}
    with pytest.raises(ValueError, match="not new"):
        services.grant_creator_role(as_actor(ana), "contributor", experiment)
    other = experiment_of(otto, name="other")
    with pytest.raises(ValueError, match="not new"):
        services.grant_creator_role(as_actor(ana), "owner", other)
    assert not selectors.holdings_on(other)


def test_a_team_has_a_key_of_its_own(ada: User) -> None:
    admin = as_actor(ada)
    team = services.create_team(admin, key="credit", name="Credit risk")
    refused(AlreadyExists, lambda: services.create_team(admin, key="credit", name="Other"))
    refused(Invalid, lambda: services.create_team(admin, key="Credit Risk", name="Other"))
    services.rename_team(admin, team, name="Retail credit")
    assert Team.objects.get().name == "Retail credit"
    assert [event.type for event in events_for(f"team:{team.pk}")] == [
        "accounts.team.renamed",
        "accounts.team.created",
    ]


def test_the_lists_name_every_holder(ada: User, otto: User, omar: User) -> None:
    team = services.create_team(as_actor(ada), key="credit", name="Credit risk")
    services.grant_role(as_actor(ada), "viewer", otto, on=team)
    services.map_group(as_actor(ada), name="risk", role="contributor", team=team)
    assert {(row.role, row.place_name) for row in selectors.holdings_of(otto)} == {
        ("viewer", "Credit risk")
    }
    on_team = {(row.role, str(row.user or row.group)) for row in selectors.holdings_on(team)}
    assert on_team == {("viewer", "Otto Brand"), ("contributor", "risk")}
