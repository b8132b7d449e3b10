"""What people say to each other in a review: threads, and the forms to answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from apps.core.actor import Actor
from apps.modelcards.content import to_html
from apps.reviews.models import Review, Section, Thread
from apps.reviews.reads import discussion, findings
from apps.reviews.reads.discussion import CommentView, ThreadView
from apps.web import addresses, cells, words
from apps.web.forms.base import Form
from apps.web.forms.findings import CommentForm, ThreadForm
from apps.web.parts import Action, Cell, Chip, Crumb, PageHeader


@dataclass(frozen=True, slots=True)
class Said:
    """One comment."""

    id: str
    who: str
    at: Cell
    html: SafeString
    note: str
    edit_url: str


@dataclass(frozen=True, slots=True)
class Talk:
    """One thread. `form` is the reply, None for a reader who may not comment or a closed review."""

    id: str
    about: Cell
    chip: Chip
    note: str
    comments: Sequence[Said]
    form: Form | None
    reply_url: str
    acts: Sequence[Action]


@dataclass(frozen=True, slots=True)
class Discussion:
    """All of it, and the form for something new."""

    threads: Sequence[Talk]
    form: Form | None
    url: str
    why_not: str


@dataclass(frozen=True, slots=True)
class CommentPage:
    """A form alone: a comment that was refused, or one that is corrected."""

    header: PageHeader
    label: str
    back: str


def of_review(actor: Actor, review: Review, verbs: Collection[str]) -> Discussion:
    """The discussion as this reader sees it."""
    may = "review.comment" in verbs and review.state.is_active
    why = ""
    if not review.state.is_active:
        why = f"{review.key} is {review.state.label.lower()}: its discussion is closed."
    elif not may:
        why = "Your roles read the discussion and do not take part in it."
    threads = [_talk(view, may=may) for view in discussion.threads_of(actor, review)]
    url = reverse("web:review-comment", args=[review.pk])
    return Discussion(threads, thread_form(review) if may else None, url, why)


def thread_form(review: Review, data: object = None) -> ThreadForm:
    """The form for a new thread; what it can be about includes the findings of the version."""
    about = [(each.value, each.label) for each in Section if each is not Section.FINDING]
    about += [
        (f"finding:{row.pk}", f"{row.key} {row.title}")
        for row in findings.findings_of(review.version)
    ]
    return ThreadForm(data, about=about, auto_id="id_thread_%s")


def reply_form(thread: Thread, data: object = None) -> CommentForm:
    """The form for an answer, with ids of its own: many stand on one page."""
    return CommentForm(data, auto_id=f"id_reply_{thread.pk}_%s")


def _talk(view: ThreadView, *, may: bool) -> Talk:
    thread, resolved = view.thread, view.resolved
    chip = Chip("Resolved", "good") if resolved else Chip("Open", "info", "half")
    note = f"{resolved.user}, {words.utc(resolved.created_at)}" if resolved else ""
    verb, label = ("reopen", "Open again") if resolved else ("resolve", "Resolve")
    act = Action(label, reverse(f"web:thread-{verb}", args=[thread.pk]), post=True)
    return Talk(
        id=f"thread-{thread.pk}",
        about=_about(thread),
        chip=chip,
        note=note,
        comments=[_said(each) for each in view.comments],
        form=reply_form(thread) if may else None,
        reply_url=reverse("web:thread-reply", args=[thread.pk]),
        acts=[act] if may else [],
    )


def _about(thread: Thread) -> Cell:
    if thread.finding is not None:
        label = f"{thread.finding.key} {thread.finding.title}"
        return cells.link(label, addresses.finding(thread.finding.pk))
    section = Section(thread.section)
    if section is Section.REVIEW:
        return cells.text(section.label)
    return cells.link(section.label, f"#{section.value}")


def _said(view: CommentView) -> Said:
    row = view.comment
    edited = f"edited {words.utc(view.edited_at)}" if view.edited_at else ""
    return Said(
        id=f"comment-{row.pk}",
        who=str(row.author),
        at=cells.when(row.created_at),
        html=mark_safe(to_html(view.text)),  # noqa: S308 - sanitised there
        note=edited,
        edit_url=reverse("web:comment-edit", args=[row.pk]) if view.editable else "",
    )


def alone(review: Review, title: str, label: str) -> CommentPage:
    """The page of a form alone."""
    back = addresses.review(review.pk)
    crumbs = [Crumb("Reviews", "/reviews/"), Crumb(review.key, back)]
    return CommentPage(PageHeader(title, crumbs=crumbs), label, back)
