"""Reads of the discussion of a review: threads with their comments, who is mentioned, what may still be edited."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.policy import who_may
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.reviews.models import (
    Comment,
    CommentRevision,
    Decision,
    Review,
    Thread,
    ThreadMark,
)

# A name that begins a word: not the middle of an address such as ana@example.org.
_MENTION = re.compile(r"(?<![\w@./+-])@([\w.+-]{1,150})")
MAX_MENTIONS = 20


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as it reads now. `editable`: by its author, at this moment."""

    comment: Comment
    text: str
    edited_at: dt.datetime | None
    editable: bool


@dataclass(frozen=True, slots=True)
class ThreadView:
    """A thread; `resolved` is the mark that resolved it, None while it is open."""

    thread: Thread
    comments: Sequence[CommentView]
    resolved: ThreadMark | None


def threads_of(actor: Actor, review: Review) -> list[ThreadView]:
    """The discussion, oldest thread first: five queries, however long it is."""
    comments = Comment.objects.select_related("author").order_by("number")
    revisions = CommentRevision.objects.order_by("number")
    marks = ThreadMark.objects.select_related("user").order_by("number")
    rows = (
        Thread.objects.filter(review=review)
        .select_related("finding", "created_by")
        .prefetch_related(
            Prefetch("comments", comments.prefetch_related(Prefetch("revisions", revisions))),
            Prefetch("marks", marks),
        )
        .order_by("pk")
    )
    freezing = freezing_moments(review)
    return [_thread(actor, review, row, freezing) for row in rows]


def freezing_moments(review: Review) -> tuple[dt.datetime | None, bool]:
    """When somebody last signed anything in the review, and whether somebody has signed its live round."""
    rows = Decision.objects.filter(review=review).order_by("-created_at")
    signed = list(rows.values_list("created_at", "round__voided_at"))
    return (signed[0][0] if signed else None), any(voided is None for _at, voided in signed)


def _thread(
    actor: Actor, review: Review, row: Thread, freezing: tuple[dt.datetime | None, bool]
) -> ThreadView:
    marks = list(row.marks.all())
    last = marks[-1] if marks and marks[-1].resolved else None
    return ThreadView(
        row, [_comment(actor, review, each, freezing) for each in row.comments.all()], last
    )


def _comment(
    actor: Actor, review: Review, row: Comment, freezing: tuple[dt.datetime | None, bool]
) -> CommentView:
    revisions = list(row.revisions.all())
    return CommentView(
        row,
        revisions[-1].text,
        revisions[-1].created_at if len(revisions) > 1 else None,
        row.author_id == actor.user_id and review.state.is_active and not is_frozen(row, freezing),
    )


def is_frozen(comment: Comment, freezing: tuple[dt.datetime | None, bool]) -> bool:
    """Whether somebody has signed since the comment was made, or has signed the live round: then its words stay."""
    last, live = freezing
    return live or (last is not None and last >= comment.created_at)


def get_thread(actor: Actor, pk: int) -> Thread:
    """One thread; NotFound if there is none or its model is out of the actor's sight."""
    row = Thread.objects.select_related("review__version__model", "finding").filter(pk=pk).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound("No such thread.")
    return row


def get_comment(actor: Actor, pk: int) -> Comment:
    """One comment; NotFound as for its thread."""
    rows = Comment.objects.select_related("thread__review__version__model", "author")
    row = rows.filter(pk=pk).first()
    if row is None or not policy.can(actor, "review.read", row.thread):
        raise NotFound("No such comment.")
    return row


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who is meant by the @names of a text; `unknown` are names of nobody who may see the review."""

    people: tuple[User, ...]
    unknown: tuple[str, ...]


def mentions(review: Review, text: str) -> Mentions:
    """The people mentioned who may see the review. Whether another name exists is not told apart."""
    names = dict.fromkeys(found.rstrip(".-+").lower() for found in _MENTION.findall(text))
    wanted = [name for name in names if name][:MAX_MENTIONS]
    if not wanted:
        return Mentions((), ())
    people = who_may("review.read", review).filter(
        username__in=[User.normalise(name) for name in wanted], kind=User.Kind.HUMAN
    )
    known = {user.username: user for user in people}
    unknown = tuple(name for name in wanted if User.normalise(name) not in known)
    return Mentions(tuple(known.values()), unknown)
