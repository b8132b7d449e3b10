"""Somebody owns the database server, switches the triggers off and edits rows: verify_ledger names each row."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from apps.core import clock
from apps.registry.models import Alias, Authorization, ModelVersion
from apps.reviews import selectors
from apps.reviews.models import Decision, DecisionEnvelope, Review, Round
from tests import factories
from tests.reviews.conftest import Cast
from tests.reviews.test_signing import sign
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = [
    "registry_modelversion",
    "registry_alias",
    "registry_authorization",
    "registry_registeredmodel",
    "reviews_decision",
    "reviews_decisionenvelope",
    "reviews_round",
    "reviews_review",
]


def as_owner_of_the_server(act: Callable[[], object]) -> None:
    """Do it with every trigger of these tables off, and switch them on again, as one would to hide it."""
    with triggers_off(*TABLES):
        act()


def differences() -> str:
    """What verify_ledger prints when something is wrong."""
    out = io.StringIO()
    with pytest.raises((CommandError, SystemExit)) as refusal:
        call_command("verify_ledger", stdout=out, stderr=out)
    return out.getvalue() + str(refusal.value)


def is_whole() -> None:
    """Nothing is wrong; fails with what is."""
    out = io.StringIO()
    try:
        call_command("verify_ledger", stdout=out)
    except CommandError:
        pytest.fail(out.getvalue())


def test_a_stage_set_by_hand_is_named(cast: Cast) -> None:
    is_whole()
    as_owner_of_the_server(lambda: ModelVersion.objects.update(stage="Production"))
    assert "credit v1: the table says stage Production, the ledger says None" in differences()


def test_an_alias_set_by_hand_is_named(cast: Cast) -> None:
    as_owner_of_the_server(
        lambda: Alias.objects.create(model=cast.model, name="champion", version=cast.version)
    )
    assert "alias @champion" in differences()


def test_a_decision_forged_by_hand_is_named(cast: Cast) -> None:
    review = cast.submit()
    is_whole()
    as_owner_of_the_server(lambda: _forge(review, cast))
    forged = Decision.objects.get()
    assert f"decision {forged.pk} has no event in the ledger" in differences()


def _forge(review: Review, cast: Cast) -> None:
    round_ = selectors.live_round(review)
    assert round_ is not None
    Decision.objects.create(
        review=review,
        round=round_,
        user_id=cast.rui.user_id,
        step="approval",
        role="approver",
        outcome="approve",
        meaning="approved",
        comment="never said",
        evidence_digest=round_.digest,
        statement=b"{}",
        statement_digest=hashlib.sha256(b"{}").hexdigest(),
        signer_name="Rui",
        method="password",
        reauthenticated_at=clock.now(),
        created_at=clock.now(),
    )


def test_p11_11_a_signature_moved_to_another_review_is_named(cast: Cast) -> None:
    """P11-11: a signature copied to another record does not verify."""
    decision = sign(cast.vera, cast.submit())
    other = cast.submit(version=factories.version(cast.ana, cast.model))
    round_ = selectors.live_round(other)
    assert round_ is not None
    as_owner_of_the_server(
        lambda: Decision.objects.filter(pk=decision.pk).update(
            review=other, round=round_, evidence_digest=round_.digest
        )
    )
    found = differences()
    assert f"decision {decision.pk}: the table says" in found
    assert f"decision {decision.pk}: its statement is not about this decision" in found


def test_a_changed_comment_is_named(cast: Cast) -> None:
    decision = sign(cast.vera, cast.submit())
    as_owner_of_the_server(lambda: Decision.objects.update(comment="something else"))
    assert f"decision {decision.pk}: its statement is not about this decision" in differences()


def test_changed_evidence_is_named(cast: Cast) -> None:
    cast.submit()
    round_ = Round.objects.get()
    as_owner_of_the_server(lambda: Round.objects.update(manifest=b"{}"))
    assert f"round {round_.pk}: its manifest is not the one in the ledger" in differences()


def test_an_authorization_minted_by_hand_is_named(cast: Cast) -> None:
    as_owner_of_the_server(
        lambda: Authorization.objects.create(
            version=cast.version,
            target_kind="stage",
            target_name="production",
            review_id=1,
            round_id=1,
            evidence_digest="0" * 64,
            minted_at=clock.now(),
            expires_at=clock.now(),
        )
    )
    row = Authorization.objects.get()
    assert f"authorization {row.pk} has no event in the ledger" in differences()


def test_a_review_closed_by_hand_is_named(cast: Cast) -> None:
    review = cast.submit()
    as_owner_of_the_server(lambda: Review.objects.update(status="promoted"))
    assert f"{review.key}: the table says promoted, the ledger says open" in differences()


def test_a_deleted_decision_is_named(cast: Cast) -> None:
    decision = sign(cast.vera, cast.submit())
    as_owner_of_the_server(
        lambda: (DecisionEnvelope.objects.all().delete(), Decision.objects.all().delete())
    )
    assert f"decision {decision.pk} is in the ledger and not in the table" in differences()
