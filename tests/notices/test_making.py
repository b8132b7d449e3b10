"""Whom an event is told: exactly those whom it concerns, each once, however often the message comes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import resolve
from django.utils.module_loading import import_string

from apps.audits import events as ledger_events
from apps.core.models import OutboxMessage
from apps.notices import kinds, recipients, services, wording
from apps.notices.models import Notice
from apps.reviews import services as reviews
from tests import factories
from tests.notices.support import sign, told, work_off
from tests.reviews.conftest import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_is_told_those_who_may_sign_and_are_no_authors(cast: Cast) -> None:
    cast.submit()
    work_off()
    asked = {
        who for who in ("ana", "vera", "rui", "remo", "omar", "otto") if told(getattr(cast, who))
    }
    assert asked == {"vera", "rui", "remo"}
    notice = Notice.objects.filter(recipient_id=cast.vera.user_id).get()
    said = wording.words(notice)
    assert said.title == f"You are asked to sign {notice.parts['review']}"
    assert said.text == "credit version 1, round 1, for alias @champion, stage Production."
    assert notice.scopes == [
        f"model:{cast.model.pk}",
        f"review:{notice.parts['review_id']}",
        f"version:{cast.version.pk}",
    ]


def test_an_author_who_has_the_role_is_not_asked(cast: Cast) -> None:
    factories.accounts.grant_role(factories.SYSTEM, "approver", factories.user_of(cast.ana))
    cast.submit()
    work_off()
    assert told(cast.ana) == []


def test_an_approval_is_told_the_submitter_and_who_signed_before_but_not_who_gave_it(
    cast: Cast,
) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    work_off()
    assert told(cast.ana) == ["review.approved"]
    assert "review.approved" not in told(cast.vera)
    sign(cast.rui, review)
    work_off()
    assert told(cast.ana) == ["review.approved", "review.approved", "review.promoted"]
    assert told(cast.vera)[-2:] == ["review.approved", "review.promoted"]
    assert told(cast.remo) == ["review.asked"]
    assert told(cast.otto) == told(cast.omar) == []
    notice = Notice.objects.filter(recipient_id=cast.ana.user_id).earliest("pk")
    assert wording.words(notice).title == f"Vera approved {review.key}"


def test_a_message_that_comes_twice_tells_once(cast: Cast) -> None:
    sign(cast.vera, cast.submit())
    work_off()
    before = Notice.objects.count()
    assert before
    OutboxMessage.objects.update(finished_at=None, claimed_until=None)
    work_off()
    assert Notice.objects.count() == before


def test_the_database_refuses_a_second_notice_of_one_event(cast: Cast) -> None:
    cast.submit()
    work_off()
    row = Notice.objects.filter(recipient_id=cast.rui.user_id).get()
    for change in ({"kind": "other", "once": "other"}, {"event_seq": row.event_seq + 1}):
        row.pk = None
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()
        row = Notice.objects.filter(recipient_id=cast.rui.user_id).get()


def test_a_void_round_is_told_once_to_each_whose_signature_died_with_the_reason(
    cast: Cast,
) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    work_off()
    reviews.void_live_round(factories.SYSTEM, review, reason="the drift result was recalled: typo")
    work_off()
    assert told(cast.vera).count("review.void") == told(cast.ana).count("review.void") == 1
    assert "review.void" not in told(cast.rui)
    notice = Notice.objects.get(recipient_id=cast.vera.user_id, kind="review.void")
    assert "the drift result was recalled: typo" in wording.words(notice).text
    assert notice.once == f"round:{notice.parts['round']}"


def test_a_new_round_asks_again_everybody_who_may_sign(cast: Cast) -> None:
    review = cast.submit()
    work_off()
    sign(cast.vera, review)
    work_off()
    reviews.new_round(cast.ana, review)
    work_off()
    for who in (cast.vera, cast.rui, cast.remo):
        assert told(who).count("review.asked") == 2


def test_a_request_that_was_overtaken_asks_nobody(cast: Cast) -> None:
    review = cast.submit()
    reviews.withdraw(cast.ana, review, reason="wrong version")
    work_off()
    assert told(cast.rui) == told(cast.vera) == []


def test_changes_and_rejection_are_told_the_submitter_once(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review, "request_changes")
    work_off()
    assert told(cast.ana) == ["review.changes"]
    reviews.new_round(cast.ana, review)
    sign(cast.rui, review, "reject")
    work_off()
    assert told(cast.ana) == ["review.changes", "review.rejected"]
    assert told(cast.vera)[-1] == "review.rejected"


def test_who_lost_sight_of_the_model_is_not_told(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    factories.accounts.revoke_role(factories.SYSTEM, "validator", factories.user_of(cast.vera))
    sign(cast.rui, review, "reject")
    work_off()
    assert "review.rejected" not in told(cast.vera)
    assert told(cast.ana)[-1] == "review.rejected"


def test_notices_hold_no_commitments_of_the_ledger(cast: Cast) -> None:
    sign(cast.vera, cast.submit())
    work_off()
    assert not any("signer_name" in row.parts for row in Notice.objects.all())


def test_an_event_that_is_not_there_is_an_error_not_a_silence() -> None:
    with pytest.raises(Exception, match="has no event"):
        services.make_for(987_654)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.key)
def test_every_row_names_what_there_is(kind: kinds.Kind) -> None:
    assert set(kind.events) <= set(ledger_events.registered())
    assert set(kind.to) <= set(recipients.RECIPIENTS)
    numbers = {
        "review_id": 1,
        "endpoint": 1,
        "change": 1,
        "rollback": 1,
        "model_path": "credit",
        "version": 1,
    }
    assert resolve(kind.path.format_map(numbers))
    assert kinds.BY_KEY[kind.key] is kind
    assert callable(import_string("apps.notices.tasks.make_notices"))


def test_webhooks_offer_only_events_there_are_and_none_of_accounts() -> None:
    assert set(kinds.HOOKED) <= set(ledger_events.registered())
    assert len(set(kinds.HOOKED)) == len(kinds.HOOKED)
    # Accounts are about people, and webhooks are not told of themselves.
    assert not [each for each in kinds.HOOKED if each.startswith(("accounts.", "notices."))]
