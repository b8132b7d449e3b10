"""Comments on a review."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import Conflict, Forbidden
from apps.reviews import services
from apps.reviews.models import Review
from apps.reviews.reads import discussion
from apps.reviews.services import Posted
from apps.web import access, addresses
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.findings import CommentForm
from apps.web.pages import discussion as pages
from apps.web.responses import see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def start(request: HttpRequest, review_id: int) -> HttpResponse:
    """Ask something about the review, a part of its evidence, or a finding."""
    review = access.review_for(request, review_id, "review.comment")
    _require_open(review)
    form = pages.thread_form(review, sent(request))
    posted: list[Posted] = []
    if request.method == "POST" and form.is_valid():
        section, _, finding_id = form.cleaned_data["about"].partition(":")
        finding = access.finding_for(request, int(finding_id)) if finding_id else None
        text = form.cleaned_data["text"]
        act = lambda: posted.append(  # noqa: E731 - the form keeps what the service refuses
            services.start_thread(
                access.actor(request), review, text=text, section=section, finding=finding
            )
        )
        if accepted(form, act):
            return _there(request, review, posted[0])
    return _alone(request, review, form, f"Comment on {review.key}", "Comment")


@require_http_methods(ACTS)
def reply(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Answer in a thread."""
    thread = access.thread_for(request, thread_id)
    _require_open(thread.review)
    form = pages.reply_form(thread, sent(request))
    posted: list[Posted] = []
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        act = lambda: posted.append(services.reply(access.actor(request), thread, text=text))  # noqa: E731
        if accepted(form, act):
            return _there(request, thread.review, posted[0])
    return _alone(request, thread.review, form, f"Reply in {thread.review.key}", "Reply")


@require_http_methods(ACTS)
def edit(request: HttpRequest, comment_id: int) -> HttpResponse:
    """Correct one's own comment, while nobody has signed."""
    comment, actor = access.comment_for(request, comment_id), access.actor(request)
    review = comment.thread.review
    if comment.author_id != actor.user_id:
        raise Forbidden("A comment is edited by whoever wrote it.")
    _require_open(review)
    if discussion.is_frozen(comment, discussion.freezing_moments(review)):
        raise Conflict("Somebody has signed, so what was said before stays as it is.")
    last = comment.revisions.order_by("-number")[0]
    form = CommentForm(sent(request), initial={"text": last.text})
    posted: list[Posted] = []
    if request.method == "POST" and form.is_valid():
        text = form.cleaned_data["text"]
        act = lambda: posted.append(services.edit_comment(actor, comment, text=text))  # noqa: E731
        if accepted(form, act):
            return _there(request, review, posted[0])
    return _alone(request, review, form, "Edit your comment", "Save")


@require_POST
def resolve(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Nothing is open in it."""
    thread = access.thread_for(request, thread_id)
    services.resolve_thread(access.actor(request), thread)
    return see_other(request, addresses.review(thread.review_id, f"#thread-{thread.pk}"))


@require_POST
def reopen(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Something is."""
    thread = access.thread_for(request, thread_id)
    services.reopen_thread(access.actor(request), thread)
    return see_other(request, addresses.review(thread.review_id, f"#thread-{thread.pk}"))


def _require_open(review: Review) -> None:
    if not review.state.is_active:
        raise Conflict(f"{review.key} is {review.state.label.lower()}: its discussion is closed.")


def _there(request: HttpRequest, review: Review, posted: Posted) -> HttpResponse:
    """To the comment, having said who was not reached."""
    if posted.mentions.unknown:
        names = ", ".join(f"@{name}" for name in posted.mentions.unknown)
        messages.warning(
            request,
            f"Nobody was told by {names}: no such person may see {review.version.model.name}.",
        )
    return see_other(request, addresses.review(review.pk, f"#comment-{posted.comment.pk}"))


def _alone(
    request: HttpRequest, review: Review, form: Form, title: str, label: str
) -> HttpResponse:
    page = pages.alone(review, title, label)
    context = {"page": page, "form": form}
    return render(request, "reviews/comment.html", context, status=form_status(form))
