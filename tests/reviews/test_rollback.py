"""The emergency path: one person on call puts the last validly approved version back, others review it afterwards."""

from __future__ import annotations

import datetime as dt
from functools import partial

import psycopg
import pytest
from django.db import DatabaseError, transaction

from apps.audits.models import Event
from apps.core import blobs, clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, DomainError, Forbidden, Invalid, Tampered
from apps.registry import services as registry
from apps.registry.models import Alias, Authorization, ModelVersion
from apps.reviews import admission, emergency, rereview, services, tasks
from apps.reviews.models import Rereview, Rollback, RollbackReview
from tests import factories
from tests.reviews.conftest import CHAMPION, PRODUCTION, STAGING, Cast
from tests.reviews.test_expiry import shifted
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_signing import sign
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

PATH = {"roles": ["on_call"], "review_within_days": 2}
WHY = "v2 declines everybody"


@pytest.fixture
def ona(cast: Cast) -> Actor:
    return factories.person("ona", "on_call")


@pytest.fixture(autouse=True)
def _path(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, cast.rui, emergency=PATH)


def let_in(cast: Cast, version: ModelVersion) -> ModelVersion:
    """Signed by Vera and Rui and so in production and champion."""
    review = cast.submit(version=version)
    sign(cast.vera, review)
    sign(cast.rui, review)
    return ModelVersion.objects.get(pk=version.pk)


@pytest.fixture
def two(cast: Cast) -> tuple[ModelVersion, ModelVersion]:
    """The first was in production, the second is."""
    first = let_in(cast, cast.version)
    second = let_in(cast, factories.version(cast.ana, cast.model))
    return first, second


def back(actor: Actor, version: ModelVersion, *targets: object) -> list[Rollback]:
    return services.roll_back(
        actor,
        version,
        targets=targets or (PRODUCTION, CHAMPION),  # type: ignore[arg-type]
        reason=WHY,
        proof=factories.proof(actor),
    )


def test_one_person_on_call_puts_the_last_approved_version_back(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = two
    rows = back(ona, first)
    assert [(str(row.target), row.replaced_id) for row in rows] == [
        ("alias:champion", second.pk),
        ("stage:production", second.pk),
    ]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.stage, second.stage) == ("Production", "Archived")
    assert Alias.objects.get().version_id == first.pk
    assert all(result.passes for result in admission.may_run(first, PRODUCTION))
    assert rows[0].authorization.expires_at <= rows[0].earlier.expires_at
    assert Event.objects.filter(type="reviews.rollback.made").count() == 2
    is_whole()


@pytest.mark.parametrize("role", ["contributor", "owner", "approver", "administrator", "auditor"])
def test_nobody_else_rolls_back(
    cast: Cast, two: tuple[ModelVersion, ModelVersion], role: str
) -> None:
    other = factories.person("other", role)
    with pytest.raises(Forbidden):
        back(other, two[0])
    assert not Rollback.objects.exists()


def test_without_a_path_in_the_policies_nobody_does(
    cast: Cast, adam: Actor, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    put_in_force(adam, cast.vera, gates__checks__performance__roc_auc={"min": "0.80"})
    with pytest.raises(Blocked, match="No emergency path"):
        back(ona, two[0])


def test_a_path_that_names_two_roles_takes_a_person_with_both(
    cast: Cast, adam: Actor, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    put_in_force(adam, cast.vera, emergency={**PATH, "roles": ["on_call", "approver"]})
    with pytest.raises(Forbidden):
        back(ona, two[0])
    back(factories.person("orla", "on_call", "approver"), two[0])


def test_a_reason_a_target_and_ones_own_fresh_proof_are_needed(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    proof = factories.proof(ona)
    with pytest.raises(Invalid):
        services.roll_back(ona, two[0], targets=[PRODUCTION], reason=" ", proof=proof)
    with pytest.raises(Invalid):
        services.roll_back(ona, two[0], targets=[], reason=WHY, proof=proof)
    with pytest.raises(Forbidden):
        services.roll_back(
            ona, two[0], targets=[PRODUCTION], reason=WHY, proof=factories.proof(cast.rui)
        )
    assert not Rollback.objects.exists()


def test_only_the_last_validly_approved_version_comes_back(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = two
    third = let_in(cast, factories.version(cast.ana, cast.model))
    with pytest.raises(Conflict, match="credit v2 is"):
        back(ona, first)
    with pytest.raises(Conflict, match="is not the last"):
        back(ona, third)
    with pytest.raises(Blocked, match="no other version"):
        back(ona, second, STAGING)
    assert not Rollback.objects.exists()
    back(ona, second)


def test_a_version_whose_approval_does_not_stand_is_passed_over_with_the_reason(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    _first, second = two
    let_in(cast, factories.version(cast.ana, cast.model))
    rui = factories.user_of(cast.rui)
    services.declare_conflict(cast.rui, cast.model, person=rui, reason="shares")
    with pytest.raises(Blocked, match="do not all count"):
        back(ona, second)


def test_an_approval_that_expired_is_no_way_back(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    with shifted(dt.timedelta(days=400)), pytest.raises(Blocked, match="expired on"):
        back(factories.again(ona), two[0])


def test_what_was_questioned_when_it_left_does_not_come_back(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = two
    services.declare_rereview(cast.vera, second, trigger="incident", reason="declines everybody")
    third = let_in(cast, factories.version(cast.ana, cast.model))
    assert emergency.way_back(cast.model, PRODUCTION).version == first
    back(ona, first)
    third.refresh_from_db()
    assert third.stage == "Archived"


def test_damaged_bytes_do_not_come_back(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    path = blobs.path(two[0].manifest[0]["digest"])
    path.chmod(0o600)
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(Tampered):
        back(ona, two[0])
    assert not Rollback.objects.exists()


def test_of_two_rollbacks_at_once_one_is_done_and_the_other_is_told(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, _ = two
    answers = at_once(partial(back, ona, first), partial(back, ona, first))
    assert sorted(isinstance(answer, DomainError) for answer in answers) == [False, True]
    assert Rollback.objects.count() == 2  # one each of the two targets
    is_whole()


def test_a_rollback_racing_a_promotion_is_one_of_the_two_orders(cast: Cast, ona: Actor) -> None:
    first = let_in(cast, cast.version)
    let_in(cast, factories.version(cast.ana, cast.model))
    third = factories.version(cast.ana, cast.model)
    review = cast.submit(version=third)
    sign(cast.vera, review)
    rolled, signed = at_once(partial(back, ona, first), partial(sign, cast.rui, review))
    assert not isinstance(signed, DomainError)
    third.refresh_from_db()
    first.refresh_from_db()
    # If the promotion came first, v2 is the last valid one and v1 is refused; else v3 took v1's place.
    assert (third.stage, first.stage) == ("Production", "Archived")
    assert isinstance(rolled, Conflict) == (not Rollback.objects.exists())
    is_whole()


# --- afterwards -----------------------------------------------------------------------------------


def test_somebody_else_who_signs_under_the_policy_confirms_it(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    (row,) = back(ona, two[0], PRODUCTION)
    assert row.review_by.date() == (clock.now() + dt.timedelta(days=2)).date()
    for actor in (ona, cast.ana, cast.omar):
        with pytest.raises(Forbidden):
            judge(actor, row)
    judged = judge(cast.rui, row)
    assert (judged.role, judged.accepts) == ("approver", True)
    with pytest.raises(Blocked, match="was reviewed by"):
        judge(cast.vera, row)
    assert rereview.needs(two[0]) == []
    is_whole()


def judge(actor: Actor, row: Rollback, *, accepts: bool = True) -> RollbackReview:
    return services.review_rollback(
        actor,
        row,
        accepts=accepts,
        comment="read the incident",
        proof=factories.proof(actor),
    )


def test_who_is_on_call_and_signs_does_not_confirm_her_own(
    cast: Cast, two: tuple[ModelVersion, ModelVersion]
) -> None:
    orla = factories.person("orla", "on_call", "approver")
    (row,) = back(orla, two[0], PRODUCTION)
    with pytest.raises(Forbidden, match="You made this rollback"):
        judge(orla, row)


def test_a_rollback_that_is_not_confirmed_needs_a_new_review(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    (row,) = back(ona, two[0], PRODUCTION)
    judge(cast.rui, row, accepts=False)
    (need,) = rereview.needs(two[0])
    assert (need.trigger, "did not confirm" in need.reason) == ("rollback", True)
    assert not all(result.passes for result in admission.may_run(two[0], PRODUCTION))
    is_whole()


def test_a_rollback_that_nobody_reviewed_in_time_needs_a_new_review_once(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    (row,) = back(ona, two[0], PRODUCTION)
    tasks.question_approvals()
    assert not Rereview.objects.exists()
    with shifted(dt.timedelta(days=3)):
        tasks.question_approvals()
        tasks.question_approvals()
    assert [r.reason for r in Rereview.objects.all()] == [
        f"nobody reviewed the emergency rollback RB-{row.pk} by {row.review_by:%d %b %Y}"
    ]


# --- plain SQL ------------------------------------------------------------------------------------


def test_signatures_let_a_version_in_once(
    cast: Cast, two: tuple[ModelVersion, ModelVersion]
) -> None:
    """The door that `authorize` would be: the quorum is there, it was spent, and nothing rolls back to it."""
    spent = Authorization.objects.filter(version=two[0], target_kind="stage").get()
    with pytest.raises(DatabaseError, match="let the version in before"):
        registry.authorize(
            cast.rui,
            two[0],
            target=PRODUCTION,
            review_id=spent.review_id,
            round_id=spent.round_id,
            evidence_digest=spent.evidence_digest,
            terms={},
            expires_at=clock.now() + dt.timedelta(days=1),
        )


def test_a_rollback_that_no_policy_allows_is_refused_by_the_database(
    cast: Cast, ona: Actor, two: tuple[ModelVersion, ModelVersion]
) -> None:
    (row,) = back(ona, two[0], PRODUCTION)
    forged = {
        field.attname: getattr(row, field.attname)
        for field in Rollback._meta.concrete_fields
        if field.name != "id"
    }
    second = Authorization.objects.filter(version=two[1], target_kind="stage").get()
    for changes, said in (
        ({"earlier_id": second.pk}, "does not repeat an approval"),
        ({"review_by": row.review_by + dt.timedelta(days=9)}, "no such emergency path"),
        ({"statement": b"{}"}, "not that of its statement"),
    ):
        with pytest.raises(DatabaseError, match=said), transaction.atomic():
            Rollback.objects.create(**{**forged, **changes})


def test_the_site_s_role_changes_no_rollback_and_no_review_of_one(
    cast: Cast,
    ona: Actor,
    two: tuple[ModelVersion, ModelVersion],
    runtime_connection: psycopg.Connection[tuple[object, ...]],
) -> None:
    (row,) = back(ona, two[0], PRODUCTION)
    judge(cast.rui, row)
    for table in ("reviews_rollback", "reviews_rollbackreview", "reviews_rereview"):
        for act in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1"):  # noqa: S608
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                runtime_connection.execute(act)
