"""Threads on a review: said for good once somebody has signed, and whose words the ledger knows by digest."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import services as accounts
from apps.audits.selectors import replay
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.reviews import services
from apps.reviews.models import Comment, CommentRevision, Decision, Review, Section, Thread
from apps.reviews.reads import discussion
from apps.reviews.services import Posted
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_findings import raised
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_signing import sign
from tests.support.people import as_actor
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def review(cast: Cast) -> Review:
    return cast.submit(PRODUCTION)


def say(actor: Actor, review: Review, text: str = "Why 2018 only?", **about: Any) -> Posted:
    return services.start_thread(actor, review, text=text, **about)


def shown(actor: Actor, review: Review) -> list[discussion.ThreadView]:
    return discussion.threads_of(actor, Review.objects.get(pk=review.pk))


@pytest.mark.parametrize("section", [each for each in Section.values if each != "finding"])
def test_a_thread_is_about_the_review_or_a_part_of_it(
    section: str, cast: Cast, review: Review
) -> None:
    posted = say(cast.vera, review, section=section)
    services.reply(cast.ana, posted.comment.thread, text="2019 is being collected.")
    (thread,) = shown(cast.ana, review)
    assert thread.thread.section == section
    assert [each.text for each in thread.comments] == ["Why 2018 only?", "2019 is being collected."]
    assert [each.editable for each in thread.comments] == [False, True]
    is_whole()


def test_a_thread_is_about_a_finding_of_the_same_version(cast: Cast, review: Review) -> None:
    row = raised(cast)
    assert say(cast.ana, review, section="finding", finding=row).comment.thread.finding == row
    other = cast.submit(PRODUCTION, version=factories.version(cast.ana, cast.model))
    for about in (
        {"section": "finding"},
        {"section": "checks", "finding": row},
        {"section": "nowhere"},
    ):
        with nothing_written(), pytest.raises(Invalid):
            say(cast.ana, review, **about)
    with nothing_written(), pytest.raises(Invalid, match="another version"):
        say(cast.ana, other, section="finding", finding=row)


@pytest.mark.parametrize("text", ["", " \n", "x" * 1_000_000, "a\x00b", "\ud800"])
def test_words_that_cannot_be_kept_are_refused(text: str, cast: Cast, review: Review) -> None:
    posted = say(cast.vera, review)
    for act in (
        partial(say, cast.vera, review, text),
        partial(services.reply, cast.vera, posted.comment.thread, text=text),
        partial(services.edit_comment, cast.vera, posted.comment, text=text),
    ):
        with nothing_written(), pytest.raises(Invalid):
            act()


def test_readers_auditors_strangers_and_tokens_do_not_comment(cast: Cast, review: Review) -> None:
    token = as_actor(factories.user_of(cast.vera), door="api", scopes={"read", "registry"})
    auditor, viewer = factories.person("aud", "auditor"), factories.person("viv", "viewer")
    for who in (token, auditor, viewer, cast.otto, factories.SYSTEM):
        with nothing_written(), pytest.raises(Forbidden):
            say(who, review)
    thread = say(cast.vera, review).comment.thread
    with pytest.raises(NotFound):
        discussion.get_thread(cast.otto, thread.pk)
    assert discussion.get_thread(viewer, thread.pk) == thread


def test_a_closed_review_takes_no_more_comments(cast: Cast, review: Review) -> None:
    posted = say(cast.vera, review)
    services.withdraw(cast.ana, review, reason="no longer")
    for act in (
        partial(say, cast.vera, review),
        partial(services.reply, cast.vera, posted.comment.thread, text="more"),
        partial(services.edit_comment, cast.vera, posted.comment, text="other"),
        partial(services.resolve_thread, cast.vera, posted.comment.thread),
    ):
        with nothing_written(), pytest.raises(Conflict, match="withdrawn"):
            act()


def test_only_the_author_edits_and_what_was_said_before_stays(cast: Cast, review: Review) -> None:
    comment = say(cast.vera, review).comment
    with nothing_written(), pytest.raises(Forbidden, match="whoever wrote it"):
        services.edit_comment(cast.ana, comment, text="other words")
    services.edit_comment(cast.vera, comment, text="Why only 2018?")
    with nothing_written():
        services.edit_comment(cast.vera, comment, text="Why only 2018?")
    assert [*comment.revisions.order_by("number").values_list("text", flat=True)] == [
        "Why 2018 only?",
        "Why only 2018?",
    ]
    assert shown(cast.vera, review)[0].comments[0].edited_at is not None
    is_whole()


def test_what_was_said_is_frozen_once_somebody_has_signed(cast: Cast, review: Review) -> None:
    before = say(cast.ana, review).comment
    sign(cast.vera, review)
    after = say(cast.ana, review, "And this?").comment
    for comment in (before, after):
        with nothing_written(), pytest.raises(Conflict, match="Somebody has signed"):
            services.edit_comment(cast.ana, comment, text="other words")
        with pytest.raises(DatabaseError, match="so it stays"):
            _revise(comment)
    assert not any(each.editable for view in shown(cast.ana, review) for each in view.comments)

    services.new_round(cast.ana, review)
    with nothing_written(), pytest.raises(Conflict, match="Somebody has signed"):
        services.edit_comment(cast.ana, before, text="a new round does not thaw what was signed on")
    services.edit_comment(cast.ana, after, text="nobody has signed since this one")


def _revise(comment: Comment) -> None:
    with transaction.atomic():
        CommentRevision.objects.create(
            comment=comment,
            number=comment.revisions.count() + 1,
            text="forged",
            digest=hashlib.sha256(b"forged").hexdigest(),
            created_at=comment.created_at,
        )


def test_words_without_their_event_are_refused_in_sql(cast: Cast, review: Review) -> None:
    comment = say(cast.ana, review).comment
    with pytest.raises(DatabaseError, match="not in the ledger"):
        _revise(comment)
    is_whole()


def test_an_edit_racing_a_signature_is_one_of_the_two_orders(cast: Cast) -> None:
    for _ in range(10):
        version = factories.version(cast.ana, cast.model)
        review = cast.submit(PRODUCTION, version=version)
        comment = say(cast.ana, review).comment
        edit = partial(services.edit_comment, cast.ana, comment, text="other words")
        signed, edited = at_once(partial(sign, cast.vera, review), edit)
        assert isinstance(signed, Decision), signed
        last = comment.revisions.order_by("-number")[0]
        if isinstance(edited, DomainError):
            assert isinstance(edited, Conflict)
            assert last.number == 1
        else:
            assert last.number == 2
            assert last.created_at < signed.created_at


def test_a_thread_is_resolved_and_opened_again(cast: Cast, review: Review) -> None:
    thread = say(cast.vera, review).comment.thread
    with nothing_written(), pytest.raises(Conflict, match="open already"):
        services.reopen_thread(cast.ana, thread)
    services.resolve_thread(cast.ana, thread)
    (view,) = shown(cast.ana, review)
    assert view.resolved is not None
    assert view.resolved.user_id == cast.ana.user_id
    with nothing_written(), pytest.raises(Conflict, match="resolved already"):
        services.resolve_thread(cast.vera, thread)
    services.reopen_thread(cast.vera, thread)
    assert shown(cast.ana, review)[0].resolved is None
    answers = at_once(
        *[partial(services.resolve_thread, who, thread) for who in (cast.ana, cast.vera)]
    )
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1
    is_whole()


def mentioned() -> list[list[int]]:
    return [event.payload["people"] for event in replay("reviews.comment.mentioned")]


def test_only_people_who_may_see_the_model_are_mentioned(cast: Cast, review: Review) -> None:
    accounts.create_service(
        factories.SYSTEM, username="ci", display_name="CI", owners=[factories.user_of(cast.omar)]
    )
    text = (
        "@rui and @Ana, @otto, @nobody, @ci; not vera@example.org, nor https://x.org/@remo. @rui."
    )
    posted = say(cast.vera, review, text)
    assert {user.username for user in posted.mentions.people} == {"rui", "ana"}
    assert posted.mentions.unknown == ("otto", "nobody", "ci")
    assert mentioned() == [sorted([cast.rui.user_id or 0, cast.ana.user_id or 0])]


def test_an_edit_tells_only_those_who_were_not_told_before(cast: Cast, review: Review) -> None:
    comment = say(cast.vera, review, "@rui, look").comment
    services.edit_comment(cast.vera, comment, text="@rui and @omar, look")
    services.edit_comment(cast.vera, comment, text="@vera and nobody else")
    assert mentioned() == [[cast.rui.user_id], [cast.omar.user_id]]


def test_the_ledger_holds_the_digest_of_the_words_and_not_the_words(
    cast: Cast, review: Review
) -> None:
    say(cast.vera, review, "Ana's home address is 1 Long Lane")
    (event,) = replay("reviews.comment.added")
    assert (
        event.payload["digest"] == hashlib.sha256(b"Ana's home address is 1 Long Lane").hexdigest()
    )
    assert "Long Lane" not in str(event.payload)


FORGED = [
    "UPDATE reviews_commentrevision SET text = 'x'",
    "DELETE FROM reviews_commentrevision",
    "UPDATE reviews_comment SET author_id = 1",
    "DELETE FROM reviews_comment",
    "UPDATE reviews_thread SET section = 'card'",
    "DELETE FROM reviews_threadmark",
    "TRUNCATE reviews_commentrevision",
]


@pytest.mark.parametrize("sql", FORGED)
def test_the_sites_own_role_cannot_change_what_was_said(
    sql: str, cast: Cast, review: Review, runtime_connection: psycopg.Connection[Any]
) -> None:
    services.resolve_thread(cast.ana, say(cast.vera, review).comment.thread)
    with pytest.raises(psycopg.Error) as refusal:
        runtime_connection.execute(sql)
    assert refusal.value.sqlstate == "42501"
    is_whole()


TAMPERED = [
    ("UPDATE reviews_commentrevision SET text = 'x'", "is not the one in the ledger"),
    ("DELETE FROM reviews_commentrevision", "is in the ledger and not in the table"),
    ("UPDATE reviews_comment SET author_id = author_id - 1", "is not the one in the ledger"),
    ("UPDATE reviews_threadmark SET resolved = false", "is not the one in the ledger"),
    ("DELETE FROM reviews_threadmark", "is in the ledger and not in the table"),
]
TABLES = ("reviews_comment", "reviews_commentrevision", "reviews_thread", "reviews_threadmark")


@pytest.mark.parametrize(("sql", "words"), TAMPERED)
def test_verify_ledger_names_edited_words(sql: str, words: str, cast: Cast, review: Review) -> None:
    services.resolve_thread(cast.ana, say(cast.vera, review).comment.thread)
    is_whole()
    with triggers_off(*TABLES), connection.cursor() as cursor:
        cursor.execute(sql)
    assert words in differences()
    assert Thread.objects.exists()
