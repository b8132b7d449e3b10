"""Comment on a review, correct one's own comment before anybody signs, resolve a thread and open it again.

All take the review's lock, as a decision does: a comment is corrected wholly before a signature or not at all.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from apps.accounts import policy
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.reviews.events import reviews as events
from apps.reviews.models import (
    Comment,
    CommentRevision,
    Finding,
    Review,
    Section,
    Thread,
    ThreadMark,
)
from apps.reviews.reads import discussion
from apps.reviews.reads.discussion import Mentions
from apps.reviews.services import wording
from apps.reviews.services.locks import lock_review


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment and who was mentioned in it; `mentions.unknown` are names that reached nobody."""

    comment: Comment
    mentions: Mentions


def start_thread(
    actor: Actor,
    review: Review,
    *,
    text: str,
    section: str = Section.REVIEW,
    finding: Finding | None = None,
) -> Posted:
    """Ask something about the review, a part of its evidence, or a finding about its version."""
    text = wording.text(text, "text")
    if section not in Section.values or (section == Section.FINDING) != (finding is not None):
        raise Invalid("Unknown section.", fields={"section": "Choose one of the list."})
    if finding is not None and finding.version_id != review.version_id:
        raise Invalid(
            "This finding is about another version.", fields={"section": "Choose one of the list."}
        )
    with verb(actor) as v:
        review, author = _open(actor, review)
        thread = Thread.objects.create(
            review=review,
            section=section,
            finding=finding,
            created_by_id=author,
            created_at=clock.now(),
        )
        return _post(v, review, thread, author, text)


def reply(actor: Actor, thread: Thread, *, text: str) -> Posted:
    """Add a comment to a thread. Refuses a closed review."""
    text = wording.text(text, "text")
    with verb(actor) as v:
        review, author = _open(actor, thread.review)
        return _post(v, review, thread, author, text)


def edit_comment(actor: Actor, comment: Comment, *, text: str) -> Posted:
    """Give one's own comment other words; the earlier ones stay as a revision.

    Refuses: anybody but its author, a closed review, and any comment once somebody has signed since it was
    made or has signed the live round: what signers read stays as they read it.
    """
    text = wording.text(text, "text")
    with verb(actor) as v:
        review, author = _open(actor, comment.thread.review)
        if comment.author_id != author:
            raise Forbidden("A comment is edited by whoever wrote it.")
        if discussion.is_frozen(comment, discussion.freezing_moments(review)):
            raise Conflict(
                "Somebody has signed, so what was said before stays as it is.",
                hint="Add another comment.",
            )
        last = comment.revisions.order_by("-number")[0]
        if last.text == text:
            return Posted(comment, Mentions((), ()))
        row = _revise(comment, last.number + 1, text)
        v.record(
            events.CommentEdited(
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                thread=comment.thread_id,
                comment=comment.pk,
                number=row.number,
                digest=row.digest,
            )
        )
        known = {user.pk for user in discussion.mentions(review, last.text).people}
        return Posted(comment, _mention(v, review, comment, text, known))


def resolve_thread(actor: Actor, thread: Thread) -> ThreadMark:
    """Say that nothing is open in the thread."""
    return _mark(actor, thread, resolved=True)


def reopen_thread(actor: Actor, thread: Thread) -> ThreadMark:
    """Say that something is."""
    return _mark(actor, thread, resolved=False)


def _mark(actor: Actor, thread: Thread, *, resolved: bool) -> ThreadMark:
    with verb(actor) as v:
        review, user = _open(actor, thread.review)
        last = thread.marks.order_by("-number").first()
        if (last is not None and last.resolved) == resolved:
            raise Conflict(f"The thread is {'resolved' if resolved else 'open'} already.")
        row = ThreadMark.objects.create(
            thread=thread,
            number=last.number + 1 if last else 1,
            resolved=resolved,
            user_id=user,
            created_at=clock.now(),
        )
        event = events.ThreadResolved if resolved else events.ThreadReopened
        v.record(
            event(
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                thread=thread.pk,
                mark=row.pk,
            )
        )
    return row


def _open(actor: Actor, review: Review) -> tuple[Review, int]:
    """The review, locked and open, and the person who may comment on it at this moment."""
    locked = lock_review(review.pk)
    policy.require_fresh(actor, "review.comment", locked)
    if actor.user_id is None:
        raise Forbidden("Only people comment.")
    if not locked.state.is_active:
        raise Conflict(f"{locked.key} is {locked.state.label.lower()}: its discussion is closed.")
    return locked, actor.user_id


def _post(v: Verb, review: Review, thread: Thread, author: int, text: str) -> Posted:
    comment = Comment.objects.create(
        thread=thread,
        number=thread.comments.count() + 1,
        author_id=author,
        created_at=clock.now(),
    )
    row = _revise(comment, 1, text)
    v.record(
        events.CommentAdded(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            thread=thread.pk,
            section=thread.section,
            finding=thread.finding_id,
            comment=comment.pk,
            digest=row.digest,
        )
    )
    return Posted(comment, _mention(v, review, comment, text, {author}))


def _revise(comment: Comment, number: int, text: str) -> CommentRevision:
    return CommentRevision.objects.create(
        comment=comment,
        number=number,
        text=text,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        created_at=clock.now(),
    )


def _mention(v: Verb, review: Review, comment: Comment, text: str, told: set[int]) -> Mentions:
    """Record whom a text mentions, but for those who know of it already."""
    found = discussion.mentions(review, text)
    people = sorted({user.pk for user in found.people} - told - {comment.author_id})
    if people:
        v.record(
            events.CommentMentioned(
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                thread=comment.thread_id,
                comment=comment.pk,
                people=people,
            )
        )
    return found
