"""Who may sign what, what a signature covers, and what it brings about."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.core import blobs, clock
from apps.core.actor import Actor
from apps.core.errors import (
    AlreadyExists,
    Blocked,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Tampered,
)
from apps.registry import services as registry
from apps.registry.models import Alias, Authorization, ModelVersion
from apps.reviews import evidence, selectors, services
from apps.reviews.models import Decision, Review
from tests import factories
from tests.reviews.conftest import CHAMPION, PRODUCTION, STAGING, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def sign(actor: Actor, review: Review, outcome: str = "approve", digest: str = "") -> Decision:
    round_ = selectors.live_round(review)
    return services.decide(
        actor,
        review,
        outcome=outcome,
        evidence_digest=digest or (round_.digest if round_ else ""),
        comment="looked at all of it",
        proof=factories.proof(actor),
        no_conflict=True,
    )


def test_the_last_signature_promotes(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    version = ModelVersion.objects.get(pk=cast.version.pk)
    assert (version.stage, version.decided) == ("None", True)
    sign(cast.rui, review)
    version.refresh_from_db()
    assert (version.stage, version.stage_slot) == ("Production", "production")
    assert Alias.objects.get().name == "champion"
    assert Review.objects.get().status == "promoted"
    assert Authorization.objects.filter(spent_at__isnull=False).count() == 2


def test_the_order_of_the_steps_is_free(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.rui, review)
    sign(cast.vera, review)
    assert Review.objects.get().status == "promoted"


def test_promotion_retires_the_incumbent_in_the_same_act(cast: Cast) -> None:
    first = cast.submit()
    sign(cast.vera, first)
    sign(cast.rui, first)
    second = factories.version(cast.ana, cast.model)
    review = cast.submit(version=second)
    sign(cast.vera, review)
    sign(cast.rui, review)
    stages = dict(ModelVersion.objects.values_list("number", "stage"))
    assert stages == {1: "Archived", 2: "Production"}
    assert Alias.objects.get(name="champion").version_id == second.pk


REFUSED = {
    "ana": (Forbidden, "made part of what is reviewed"),
    "omar": (Forbidden, "review.sign"),
    "otto": (Forbidden, "review.sign"),
}


@pytest.mark.parametrize("who", REFUSED)
def test_others_cannot_sign(who: str, cast: Cast) -> None:
    review = cast.submit()
    error, words = REFUSED[who]
    with pytest.raises(error, match=words):
        sign(getattr(cast, who), review)
    assert not Decision.objects.exists()


def test_an_author_with_the_role_cannot_sign_either(cast: Cast) -> None:
    accounts.grant_role(factories.SYSTEM, "approver", factories.user_of(cast.ana))
    review = cast.submit()
    with pytest.raises(Forbidden, match="made part of what is reviewed"):
        sign(factories.again(cast.ana), review)
    round_ = selectors.live_round(review)
    assert round_ is not None
    with pytest.raises(DatabaseError, match="is an author"):
        Decision.objects.create(
            review=review,
            round=round_,
            user_id=cast.ana.user_id,
            step="approval",
            role="approver",
            outcome="approve",
            meaning="approved",
            comment="x",
            evidence_digest=round_.digest,
            statement=b"x",
            statement_digest="0" * 64,
            signer_name="Ana",
            method="password",
            reauthenticated_at=clock.now(),
            created_at=clock.now(),
        )


def test_a_copy_has_the_authors_of_the_original(cast: Cast) -> None:
    bob = factories.person("bob", "approver", "contributor")
    files = {"model.bin": b"weights that Bob made"}
    factories.version(bob, factories.model(bob, "scratch"), files=files)
    review = cast.submit(version=factories.version(cast.ana, cast.model, files=files))
    with pytest.raises(Forbidden, match="made part of what is reviewed"):
        sign(bob, review)


def test_one_person_signs_one_step(cast: Cast) -> None:
    accounts.grant_role(factories.SYSTEM, "approver", factories.user_of(cast.vera))
    review = cast.submit()
    vera = factories.again(cast.vera)
    sign(vera, review)
    with pytest.raises(Conflict, match="decided about this round already"):
        sign(vera, review)
    assert Review.objects.get().status == "open"


def test_a_signer_who_lost_the_role_meanwhile_is_refused(cast: Cast) -> None:
    review = cast.submit()
    accounts.revoke_role(factories.SYSTEM, "validator", factories.user_of(cast.vera))
    with pytest.raises(Forbidden, match=r"review\.sign"):
        sign(cast.vera, review)
    assert not Decision.objects.exists()


def test_a_deactivated_signer_is_refused(cast: Cast) -> None:
    review = cast.submit()
    proof = factories.proof(cast.vera)
    accounts.deactivate_user(factories.SYSTEM, factories.user_of(cast.vera), reason="left")
    with pytest.raises(Forbidden, match="deactivated"):
        services.decide(
            cast.vera,
            review,
            outcome="approve",
            evidence_digest=selectors.live_round(review).digest,  # type: ignore[union-attr]
            comment="x",
            proof=proof,
            no_conflict=True,
        )


def test_a_stale_or_foreign_proof_is_refused(cast: Cast) -> None:
    review = cast.submit()
    round_ = selectors.live_round(review)
    assert round_ is not None
    mine = factories.proof(cast.vera)
    stale = accounts.ReauthProof(mine.method, mine.at - dt.timedelta(minutes=10), mine.user_id)
    for proof in (stale, factories.proof(cast.rui)):
        with pytest.raises(Forbidden):
            services.decide(
                cast.vera,
                review,
                outcome="approve",
                evidence_digest=round_.digest,
                comment="x",
                proof=proof,
                no_conflict=True,
            )
    assert not Decision.objects.exists()


def test_you_sign_what_you_saw(cast: Cast) -> None:
    review = cast.submit()
    seen = selectors.live_round(review)
    assert seen is not None
    services.new_round(cast.ana, review)
    with pytest.raises(Conflict, match="The evidence moved"):
        sign(cast.vera, review, digest=seen.digest)
    assert not Decision.objects.exists()


def test_a_new_round_voids_the_signatures_of_the_old_one(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    services.new_round(cast.ana, review)
    sign(cast.rui, review)
    assert Review.objects.get().status == "open"
    sign(cast.vera, review)
    assert Review.objects.get().status == "promoted"
    old = selectors.rounds_of(review).last()
    assert old is not None
    assert "new evidence" in old.void_reason


def test_a_damaged_file_voids_the_round_and_nothing_is_signed(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    place = blobs.path(cast.version.manifest[0]["digest"])
    place.chmod(0o600)
    data = bytearray(place.read_bytes())
    data[0] ^= 1
    place.write_bytes(data)
    with pytest.raises(Tampered, match="damaged"):
        sign(cast.rui, review)
    assert selectors.live_round(review) is None
    assert Decision.objects.count() == 1
    assert ModelVersion.objects.get().stage == "None"


def test_a_rejection_closes_the_review_and_the_version_stays_frozen(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review, "reject")
    assert Review.objects.get().status == "rejected"
    with pytest.raises(Conflict, match="rejected"):
        sign(cast.rui, review)
    with pytest.raises(Blocked, match="cannot be deleted"):
        registry.delete_version(cast.omar, cast.version)


def test_requested_changes_hand_the_review_back(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review, "request_changes")
    with pytest.raises(Conflict, match="changes requested"):
        sign(cast.rui, review)
    services.new_round(cast.ana, Review.objects.get())
    sign(cast.vera, review)
    sign(cast.rui, review)
    assert Review.objects.get().status == "promoted"


def test_withdrawing_before_a_decision_thaws(cast: Cast) -> None:
    review = cast.submit()
    with pytest.raises(AlreadyExists):
        cast.submit()
    services.withdraw(cast.ana, review, reason="a better one comes")
    version = ModelVersion.objects.get()
    assert (version.submitted_review, version.decided) == (None, False)
    assert cast.submit().pk != review.pk


def test_withdrawing_after_a_decision_does_not_thaw(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    services.withdraw(cast.ana, review, reason="a better one comes")
    assert ModelVersion.objects.get().decided
    with pytest.raises(DatabaseError, match="stays"):
        ModelVersion.objects.update(decided=False)


def test_a_gate_that_fails_at_the_last_signature_leaves_it_standing(
    cast: Cast, settings: Settings
) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    settings.PROMOTION_GATES = [
        "apps.checks.gates.required_checks_pass",
        "apps.reviews.gates.quorum_signed",
    ]
    sign(cast.rui, review)
    review = Review.objects.get()
    assert review.status == "signed"
    assert review.note
    with pytest.raises(Blocked, match="signed but not promoted"):
        registry.set_stage(cast.ana, cast.version, stage="Production")
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    services.promote_signed(cast.ana, review)
    assert ModelVersion.objects.get().stage == "Production"
    assert Review.objects.get().status == "promoted"


def test_a_client_may_spend_what_was_signed(cast: Cast, settings: Settings) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    settings.PROMOTION_GATES = [
        "apps.checks.gates.required_checks_pass",
        "apps.reviews.gates.quorum_signed",
    ]
    sign(cast.rui, review)
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    registry.set_stage(cast.ana, cast.version, stage="Production")
    services.note_promotion(factories.SYSTEM, review)
    assert Review.objects.get().status == "promoted"


def test_an_expired_approval_promotes_nothing(cast: Cast, settings: Settings) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    settings.PROMOTION_GATES = ["apps.checks.gates.required_checks_pass"]
    sign(cast.rui, review)
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    later = clock.now() + dt.timedelta(days=91)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        with pytest.raises(Blocked, match="expired"):
            services.promote_signed(cast.ana, Review.objects.get())
    assert ModelVersion.objects.get().stage == "None"


def test_the_statement_says_what_was_signed(cast: Cast) -> None:
    review = cast.submit()
    decision = sign(cast.vera, review)
    statement = json.loads(bytes(decision.statement))
    assert statement["evidence_digest"] == decision.evidence_digest
    assert statement["targets"] == ["alias:champion", "stage:production"]
    assert (statement["meaning"], statement["role"]) == ("approved", "validator")
    assert "Vera" not in json.dumps(statement)


def test_the_round_names_every_byte(cast: Cast) -> None:
    review = cast.submit()
    round_ = selectors.live_round(review)
    assert round_ is not None
    manifest = evidence.read(round_)
    assert manifest["files"] == cast.version.manifest
    assert manifest["policy"]["digest"] == review.policy_version.digest
    assert evidence.newer(round_, selectors.document(review)) == []


BAD = {
    "no comment": {"comment": "  "},
    "a huge comment": {"comment": "x" * 10_001},
    "an unknown outcome": {"outcome": "bless"},
    "an unknown step": {"step": "coronation"},
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_signs_nothing(what: str, cast: Cast) -> None:
    review = cast.submit()
    round_ = selectors.live_round(review)
    assert round_ is not None
    values = {
        "outcome": "approve",
        "evidence_digest": round_.digest,
        "comment": "fine",
        "step": "",
        **BAD[what],
    }
    with pytest.raises(Invalid):
        services.decide(
            cast.vera, review, proof=factories.proof(cast.vera), no_conflict=True, **values
        )
    assert not Decision.objects.exists()


def test_what_cannot_be_submitted(cast: Cast) -> None:
    ada = factories.person("ada", "administrator", "contributor")
    toy = factories.version(ada, factories.model(ada, "toy", governance="sandbox"))
    with pytest.raises(Invalid, match="sandbox"):
        services.submit(ada, toy, targets=[PRODUCTION], justification="x")
    empty = registry.create_version(cast.ana, cast.model, source="s3://elsewhere")
    for version, targets in ((empty, [PRODUCTION]), (cast.version, []), (cast.version, [STAGING])):
        with pytest.raises(Invalid):
            services.submit(cast.ana, version, targets=targets, justification="x")
    with pytest.raises(Invalid):
        services.submit(cast.ana, cast.version, targets=[CHAMPION], justification=" ")
    with pytest.raises(DomainError):
        services.submit(cast.otto, cast.version, targets=[CHAMPION], justification="x")
    assert not Review.objects.exists()
    assert ModelVersion.objects.get(pk=cast.version.pk).submitted_review is None
