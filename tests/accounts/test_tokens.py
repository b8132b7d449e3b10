"""Tokens: hashed, scoped, expiring, shown once, one round trip; and basic authentication."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts import memory, selectors, services
from apps.accounts.models import AccessToken, User
from apps.audits.selectors import events_for, head
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from tests.support.people import PASSWORD, as_actor, token_for

DAY = dt.timedelta(days=1)


def issue(user: User, **changed: object) -> tuple[AccessToken, str]:
    wanted: dict[str, object] = {"name": "laptop", "scopes": ["tracking"], "expires_in": DAY}
    return services.issue_token(as_actor(user), **{**wanted, **changed})  # type: ignore[arg-type]


def test_a_token_is_stored_as_a_hash_only(ana: User) -> None:
    token, raw = issue(ana)
    assert raw.startswith("cs_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_accesstoken")
        stored = [str(value) for value in cursor.fetchone()]
    assert not any(raw in value for value in stored)
    assert raw[len(token.token_key) :] not in "".join(stored)
    event = events_for(f"user:{ana.pk}", limit=1)[0]
    assert event.payload["token_scopes"] == ["tracking"]
    assert raw not in event.body.decode()


def test_a_token_answers_in_one_round_trip_with_user_scopes_and_verbs(ana: User) -> None:
    _, raw = issue(ana, scopes=["tracking", "read"])
    assert services.authenticate_token(raw), "the first use of a day notes the day"
    with CaptureQueriesContext(connection) as queries:
        actor = services.authenticate_token(raw, door="mlflow", request_id="r-9")
    assert len(queries.captured_queries) == 1
    assert actor == Actor(
        user_id=ana.pk,
        kind=as_actor(ana).kind,
        label="Ana Silva",
        door="mlflow",
        site_verbs=as_actor(ana).site_verbs,
        scopes=frozenset({"tracking", "read"}),
        request_id="r-9",
    )
    assert AccessToken.objects.get().last_used_at == clock.now().date()


def test_an_expired_token_is_nobody(ana: User) -> None:
    token, raw = issue(ana)
    AccessToken.objects.filter(pk=token.pk).update(expiry=clock.now() - dt.timedelta(seconds=1))
    assert services.authenticate_token(raw) is None
    assert token in selectors.tokens_of(ana), "it is still listed, as expired"


def test_a_revoked_token_is_nobody_and_is_revoked_once(ana: User) -> None:
    token, raw = issue(ana)
    services.revoke_token(as_actor(ana), token)
    assert services.authenticate_token(raw) is None
    assert token not in selectors.tokens_of(ana)
    with pytest.raises(Conflict):
        services.revoke_token(as_actor(ana), token)


@pytest.mark.parametrize(
    "raw", ["", "cs_", "cs_" + "0" * 64, "x" * 67, "cs_" + "é" * 64, "cs_\x00", "cs_" + "a" * 5000]
)
def test_what_is_not_a_token_is_nobody(raw: str, ana: User) -> None:
    assert services.authenticate_token(raw) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("scopes", []),
        ("scopes", ["everything"]),
        ("expires_in", dt.timedelta(0)),
        ("expires_in", dt.timedelta(days=-1)),
        ("expires_in", dt.timedelta(days=366)),
    ],
)
def test_a_token_is_refused_for_a_wrong_field(field: str, value: object, ana: User) -> None:
    before = head().size
    with pytest.raises(Invalid) as refusal:
        issue(ana, **{field: value})
    assert list(refusal.value.fields) == [field]
    assert head().size == before
    assert not AccessToken.objects.exists()


def test_a_token_makes_and_ends_no_tokens(ana: User) -> None:
    token, raw = issue(ana)
    actor = services.authenticate_token(raw)
    assert actor is not None
    with pytest.raises(Forbidden):
        services.issue_token(actor, name="child", scopes=["read"], expires_in=DAY)
    with pytest.raises(Forbidden):
        services.revoke_token(actor, token)


def test_a_token_is_revoked_by_its_person_or_an_administrator(
    ana: User, otto: User, ada: User
) -> None:
    token, raw = issue(ana)
    with pytest.raises(Forbidden):
        services.revoke_token(as_actor(otto), token)
    assert services.authenticate_token(raw)
    services.revoke_token(as_actor(ada), token)
    assert services.authenticate_token(raw) is None


def test_nobody_makes_a_token_for_another_person(ada: User, ana: User) -> None:
    with pytest.raises(Forbidden):
        issue(ada, service=ana)


def test_basic_authentication_takes_a_token_of_that_user(ana: User, otto: User) -> None:
    raw = token_for(ana, "read")
    actor = services.authenticate_basic("Ana", raw, door="mlflow")
    assert actor is not None
    assert actor.scopes == frozenset({"read"})
    assert services.authenticate_basic("otto", raw, door="mlflow") is None


def test_basic_authentication_by_password_is_as_limited_as_a_token(ada: User) -> None:
    actor = services.authenticate_basic("ada", PASSWORD, door="mlflow")
    assert actor is not None
    assert actor.scopes == frozenset({"read", "tracking", "registry"})
    with pytest.raises(Forbidden):
        services.reauthenticate(actor, PASSWORD)


@pytest.fixture
def slow_hash(settings: pytest.FixtureRequest) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # type: ignore[attr-defined]


def test_a_verified_password_is_remembered_for_a_minute_and_dies_with_its_version(
    slow_hash: None, ana: User
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert services.authenticate_basic("ana", PASSWORD, door="mlflow")
        return len(queries.captured_queries)

    first, second = cost(), cost()
    assert second < first, "the second call verifies no hash and writes nothing"
    assert second == 2
    services.change_password(as_actor(ana), current=PASSWORD, new="another-heron-lamp-9")
    assert services.authenticate_basic("ana", PASSWORD, door="mlflow") is None
    assert services.authenticate_basic("ana", "another-heron-lamp-9", door="mlflow")


def test_a_remembered_password_does_not_outlive_its_minute_or_the_person(
    settings: pytest.FixtureRequest, ana: User, ada: User
) -> None:
    settings.PASSWORD_MEMORY_SECONDS = 0  # type: ignore[attr-defined]
    assert services.authenticate_basic("ana", PASSWORD, door="mlflow")
    assert not memory.knows(ana.pk, ana.password_version, PASSWORD)
    settings.PASSWORD_MEMORY_SECONDS = 60  # type: ignore[attr-defined]
    assert services.authenticate_basic("ana", PASSWORD, door="mlflow")
    assert memory.knows(ana.pk, ana.password_version, PASSWORD)
    services.deactivate_user(as_actor(ada), ana, reason="left")
    assert services.authenticate_basic("ana", PASSWORD, door="mlflow") is None


def test_a_temporary_password_opens_no_protocol(ada: User, ana: User) -> None:
    services.reset_password(as_actor(ada), ana, password="temporary-orchard-7")
    with pytest.raises(Forbidden, match="choose your own"):
        services.authenticate_basic("ana", "temporary-orchard-7", door="mlflow")
