"""People and services: made, changed, deactivated; their passwords; who answers for a service."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import policy, selectors, services
from apps.accounts.models import AccessToken, ServiceOwner, User
from apps.audits.selectors import events_for, head
from apps.core.errors import AlreadyExists, Forbidden, Invalid
from tests.support.people import PASSWORD, as_actor, hire, token_for

TEMPORARY = "temporary-orchard-7"


def test_an_administrator_makes_a_person_whose_first_password_cannot_sign(ada: User) -> None:
    user = services.create_user(
        as_actor(ada),
        username=" Nell.Gray ",
        display_name="Nell Gray",
        password=TEMPORARY,
        email="nell@example.org",
    )
    assert user.username == "nell.gray"
    assert user.must_change_password
    assert not as_actor(user).site_verbs
    with pytest.raises(Forbidden, match="administrator has set"):
        services.reauthenticate(as_actor(user), TEMPORARY)
    services.change_password(as_actor(user), current=TEMPORARY, new=PASSWORD)
    assert services.reauthenticate(as_actor(user), PASSWORD).user_id == user.pk


def test_names_and_addresses_are_not_in_the_ledger_itself(ada: User) -> None:
    user = services.create_user(
        as_actor(ada),
        username="nell",
        display_name="Nell Gray",
        password=TEMPORARY,
        email="n@e.org",
    )
    (event,) = events_for(f"user:{user.pk}")
    assert event.payload["username"] == "nell"
    assert event.payload["email"] == "n@e.org"
    assert {"name", "username", "email"} <= set(event.commitments)
    for word in (b"nell", b"Nell", b"n@e.org"):
        assert word not in event.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "a"),
        ("username", "a b c"),
        ("username", "ann\x00a"),
        ("username", "аnna"),  # the first letter is Cyrillic  # noqa: RUF001
        ("username", "x" * 151),
        ("display_name", "   "),
        ("display_name", "Ann\u202ea"),
        ("display_name", "x" * 201),
        ("email", "not an address"),
        ("password", "short"),
        ("password", "password1234"),
        ("password", "123456789012345"),
        ("password", "x" * 1001),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(field: str, value: str, ada: User) -> None:
    fields = {"username": "nell", "display_name": "Nell", "password": TEMPORARY, "email": ""}
    before = (head().size, User.objects.count())
    with pytest.raises(Invalid) as refusal:
        services.create_user(as_actor(ada), **{**fields, field: value})
    assert list(refusal.value.fields) == [field]
    assert (head().size, User.objects.count()) == before


def test_a_username_is_never_given_twice(ada: User, otto: User) -> None:
    services.deactivate_user(as_actor(ada), otto, reason="left")
    before = head().size
    with pytest.raises(AlreadyExists):
        services.create_user(
            as_actor(ada), username="OTTO", display_name="Another", password=TEMPORARY
        )
    assert head().size == before


@pytest.mark.parametrize("name", ["ana", "rui", "vera", "omar", "aud", "otto"])
def test_only_an_administrator_manages_people(
    name: str, request: pytest.FixtureRequest, db: None
) -> None:
    actor = as_actor(request.getfixturevalue(name))
    target = hire("nell", "Nell")
    before = head().size
    for act in (
        lambda: services.create_user(actor, username="zed", display_name="Zed", password=TEMPORARY),
        lambda: services.create_service(actor, username="ci", display_name="CI", owners=[target]),
        lambda: services.update_user(actor, target, display_name="Other"),
        lambda: services.deactivate_user(actor, target, reason="why not"),
        lambda: services.reset_password(actor, target, password=TEMPORARY),
        lambda: services.create_team(actor, key="t", name="T"),
        lambda: services.add_group(actor, name="g"),
    ):
        with pytest.raises(Forbidden, match=r"people\.manage"):
            act()
    assert head().size == before


def test_an_administrators_token_manages_nobody(ada: User, otto: User) -> None:
    actor = services.authenticate_token(token_for(ada))
    assert actor is not None
    with pytest.raises(Forbidden, match="No token carries"):
        services.deactivate_user(actor, otto, reason="why not")


def test_a_deactivated_person_is_out_at_once(ada: User, ana: User) -> None:
    raw = token_for(ana)
    services.deactivate_user(as_actor(ada), ana, reason="left the bank")
    assert services.authenticate_token(raw) is None
    assert services.authenticate_password("ana", PASSWORD) is None
    with pytest.raises(Forbidden):
        services.reauthenticate(as_actor(ana), PASSWORD)
    assert User.objects.filter(username="ana").exists()
    event = events_for(f"user:{ana.pk}", limit=1)[0]
    assert event.payload["reason"] == "left the bank"
    services.reactivate_user(as_actor(ada), ana)
    assert services.authenticate_password("ana", PASSWORD) == ana
    assert services.authenticate_token(raw) is None, "tokens do not come back to life"


def test_nobody_deactivates_herself(ada: User) -> None:
    with pytest.raises(Forbidden):
        services.deactivate_user(as_actor(ada), ada, reason="tired")


def test_a_printed_name_changes_by_an_administrator_only_and_with_a_trace(
    ada: User, ana: User
) -> None:
    services.update_user(as_actor(ada), ana, display_name="Ana Sousa", email=ana.email)
    event = events_for(f"user:{ana.pk}", limit=1)[0]
    assert event.payload["changed"] == ["display_name"]
    assert event.payload["name"] == "Ana Sousa"
    before = head().size
    services.update_user(as_actor(ada), ana, display_name="Ana Sousa", email=ana.email)
    assert head().size == before, "nothing changed, nothing recorded"
    with pytest.raises(Forbidden):
        services.update_user(as_actor(ana), ana, display_name="Rui Costa")


def test_a_reset_password_signs_nothing_until_the_person_chose_her_own(
    ada: User, rui: User
) -> None:
    services.reset_password(as_actor(ada), rui, password=TEMPORARY)
    assert services.authenticate_password("rui", PASSWORD) is None
    assert services.authenticate_password("rui", TEMPORARY) == rui
    with pytest.raises(Forbidden, match="administrator has set"):
        services.reauthenticate(as_actor(rui), TEMPORARY)
    with connection.cursor(), pytest.raises(Forbidden, match="cannot sign"):
        policy.require_fresh(as_actor(rui), "review.sign.approver")
    services.change_password(as_actor(rui), current=TEMPORARY, new=PASSWORD)
    assert services.reauthenticate(as_actor(rui), PASSWORD).user_id == rui.pk
    kinds = [event.type for event in events_for(f"user:{rui.pk}", limit=2)]
    assert kinds == ["accounts.password.changed", "accounts.password.reset"]


def test_an_administrator_does_not_reset_her_own_password(ada: User) -> None:
    with pytest.raises(Forbidden):
        services.reset_password(as_actor(ada), ada, password=TEMPORARY)


def test_a_password_change_needs_the_present_one_and_a_good_new_one(ana: User) -> None:
    with pytest.raises(Forbidden):
        services.change_password(as_actor(ana), current="wrong", new=TEMPORARY)
    for new in (PASSWORD, "short", "ana@example.org"):
        with pytest.raises(Invalid) as refusal:
            services.change_password(as_actor(ana), current=PASSWORD, new=new)
        assert "new" in refusal.value.fields
    with pytest.raises(Forbidden, match="interactive"):
        services.change_password(as_actor(ana, scopes={"read"}), current=PASSWORD, new=TEMPORARY)
    version = ana.password_version
    services.change_password(as_actor(ana), current=PASSWORD, new=TEMPORARY)
    ana.refresh_from_db()
    assert ana.password_version == version + 1


def test_a_service_counts_as_whoever_answers_or_ever_answered_for_it(
    ada: User, omar: User, rui: User, ana: User
) -> None:
    service = services.create_service(
        as_actor(ada), username="ci", display_name="Pipeline", owners=[omar]
    )
    assert selectors.accountable_users(service.pk) == {service.pk, omar.pk}
    services.set_service_owners(as_actor(ada), service, owners=[rui])
    assert set(selectors.owners_of(service)) == {rui}
    assert selectors.accountable_users(service.pk) == {service.pk, omar.pk, rui.pk}
    services.set_service_owners(as_actor(ada), service, owners=[rui, omar])
    assert ServiceOwner.objects.filter(service=service, until=None).count() == 2
    assert selectors.accountable_for_all([service.pk, ana.pk]) == {
        service.pk: {service.pk, omar.pk, rui.pk},
        ana.pk: {ana.pk},
    }


def test_a_service_has_owners_who_are_active_people(ada: User, omar: User, otto: User) -> None:
    admin = as_actor(ada)
    service = services.create_service(admin, username="ci", display_name="CI", owners=[omar])
    services.deactivate_user(admin, otto, reason="left")
    for owners in ([], [otto], [service], [omar, otto]):
        with pytest.raises(Invalid) as refusal:
            services.create_service(admin, username="cd", display_name="CD", owners=owners)
        assert "owners" in refusal.value.fields
    with pytest.raises(Invalid):
        services.set_service_owners(admin, omar, owners=[ada])


def test_a_service_signs_in_by_token_only_and_only_while_somebody_answers(
    ada: User, omar: User, otto: User
) -> None:
    admin = as_actor(ada)
    service = services.create_service(admin, username="ci", display_name="CI", owners=[omar])
    with pytest.raises(Forbidden):
        services.issue_token(
            as_actor(otto),
            name="x",
            scopes=["read"],
            expires_in=dt.timedelta(days=1),
            service=service,
        )
    token, raw = services.issue_token(
        as_actor(omar),
        name="pipeline",
        scopes=["tracking"],
        expires_in=dt.timedelta(days=1),
        service=service,
    )
    actor = services.authenticate_token(raw)
    assert actor is not None
    assert (actor.user_id, actor.kind.value) == (service.pk, "service")
    assert services.authenticate_password("ci", "") is None
    services.deactivate_user(admin, omar, reason="left")
    assert services.authenticate_token(raw) is None
    services.set_service_owners(admin, service, owners=[otto])
    assert services.authenticate_token(raw) is not None
    services.revoke_token(as_actor(otto), token)
    assert services.authenticate_token(raw) is None


def test_the_list_of_people_costs_the_same_for_ten_and_a_hundred(ada: User) -> None:
    counts = []
    for size in (10, 100):
        for number in range(User.objects.count(), size):
            User.objects.create(username=f"p{number}", display_name="P")
        with CaptureQueriesContext(connection) as queries:
            rows = [
                (*user.role_assignments.all(), *user.groups.all(), *user.ownerships.all())
                for user in selectors.people()
            ]
        assert len(rows) == size
        counts.append(len(queries.captured_queries))
    assert counts[0] == counts[1]


def test_no_migration_is_missing(db: None) -> None:
    call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
    assert not [t for t in connection.introspection.table_names() if t.startswith("knox_")]
    assert AccessToken._meta.db_table == "accounts_accesstoken"
