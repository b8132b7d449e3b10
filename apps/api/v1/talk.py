"""What people say to each other about a review, and what one was told."""

from __future__ import annotations

from typing import Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.v1.acts import Nothing
from apps.api.v1.base import Door
from apps.api.v1.incoming import Flag, Strict, Text, Whole
from apps.api.v1.schema import described
from apps.api.v1.shapes import subjects as shapes
from apps.notices import selectors as notices
from apps.notices.services import reading
from apps.reviews import services
from apps.reviews.models import Review, Section
from apps.reviews.reads import discussion, findings

_LONGEST: Final = 10_000
_NOTICES: Final = 100


class NewThread(Strict):
    """What is asked, about which part."""

    text = Text(max_length=_LONGEST)
    section = serializers.ChoiceField(choices=Section.choices, default=Section.REVIEW)
    finding = Whole(min_value=1, required=False, help_text="With the section `finding`.")


class Words(Strict):
    """What is said."""

    text = Text(max_length=_LONGEST)


class UpTo(Strict):
    """How far."""

    up_to = Whole(min_value=1, help_text="The id of the newest notice that was read.")


class Which(Strict):
    """Which notices."""

    unread = Flag(required=False)


class Threads(Door):
    """The discussion of a review."""

    @described("List the discussion of a review", answer=shapes.ThreadList)
    def get(self, request: Request, review_id: int) -> Response:
        self.nothing_asked()
        return _said(self, self.review(review_id))

    @described("Start a thread", takes=NewThread, answer=shapes.ThreadList, status=201)
    def post(self, request: Request, review_id: int) -> Response:
        self.nothing_asked()
        review, asked = self.review(review_id), self.body(NewThread)
        about = asked.pop("finding", None)
        finding = findings.get_finding(self.actor, about) if about else None
        services.start_thread(self.actor, review, finding=finding, **asked)
        return _said(self, review, status=201)


class Replies(Door):
    """An answer in a thread."""

    @described("Reply", takes=Words, answer=shapes.ThreadList, status=201, refusals=(409,))
    def post(self, request: Request, thread_id: int) -> Response:
        self.nothing_asked()
        thread = discussion.get_thread(self.actor, thread_id)
        self.subject = f"review:{thread.review_id}"
        services.reply(self.actor, thread, **self.body(Words))
        return _said(self, self.review(thread.review_id), status=201)


class Resolution(Door):
    """A thread that is settled."""

    @described("Resolve a thread", takes=Nothing, answer=shapes.ThreadList, refusals=(409,))
    def post(self, request: Request, thread_id: int) -> Response:
        self.nothing_asked()
        thread = discussion.get_thread(self.actor, thread_id)
        self.subject = f"review:{thread.review_id}"
        self.body(Nothing)
        services.resolve_thread(self.actor, thread)
        return _said(self, self.review(thread.review_id))


class Reopening(Door):
    """A thread that is not settled after all."""

    @described("Re-open a thread", takes=Nothing, answer=shapes.ThreadList, refusals=(409,))
    def post(self, request: Request, thread_id: int) -> Response:
        self.nothing_asked()
        thread = discussion.get_thread(self.actor, thread_id)
        self.subject = f"review:{thread.review_id}"
        self.body(Nothing)
        services.reopen_thread(self.actor, thread)
        return _said(self, self.review(thread.review_id))


class Edits(Door):
    """Other words for a comment of one's own, until somebody has signed."""

    @described("Edit a comment", takes=Words, answer=shapes.ThreadList, status=201, refusals=(409,))
    def post(self, request: Request, comment_id: int) -> Response:
        self.nothing_asked()
        comment = discussion.get_comment(self.actor, comment_id)
        self.subject = f"review:{comment.thread.review_id}"
        services.edit_comment(self.actor, comment, **self.body(Words))
        return _said(self, self.review(comment.thread.review_id), status=201)


def _said(door: Door, review: Review, status: int = 200) -> Response:
    items = [shapes.thread(view) for view in discussion.threads_of(door.actor, review)]
    return door.say(shapes.ThreadList, {"items": items}, status)


class Notices(Door):
    """What one was told: the newest hundred, unread first. Reading them here marks nothing."""

    @described("List your notices", asks=Which, answer=shapes.NoticeList)
    def get(self, request: Request) -> Response:
        asked = self.query(Which)
        rows = notices.inbox(self.actor, unread_only=asked.get("unread") == "true")[:_NOTICES]
        return self.say(shapes.NoticeList, {"items": [shapes.notice(row) for row in rows]})


class ReadNotice(Door):
    """Having read one notice."""

    @described("Mark a notice as read", takes=Nothing, answer=shapes.NoticeShape)
    def post(self, request: Request, notice_id: int) -> Response:
        """The first time counts; somebody else's is not there."""
        self.nothing_asked()
        self.body(Nothing)
        row = reading.mark_read(self.actor, notice_id)
        row.refresh_from_db()
        return self.say(shapes.NoticeShape, shapes.notice(row))


class ReadNotices(Door):
    """Having read all there was."""

    @described("Mark all notices as read", takes=UpTo, answer=shapes.NoticeList)
    def post(self, request: Request) -> Response:
        """Up to the newest that was seen, so that one which came meanwhile stays unread."""
        self.nothing_asked()
        reading.mark_all_read(self.actor, **self.body(UpTo))
        rows = notices.inbox(self.actor, unread_only=True)[:_NOTICES]
        return self.say(shapes.NoticeList, {"items": [shapes.notice(row) for row in rows]})
