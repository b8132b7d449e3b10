"""Questioning an approval; putting a version back in an emergency, and reviewing that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.errors import Blocked
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import emergency, services
from apps.reviews.models import Rollback
from apps.web import access, addresses, signing
from apps.web.forms.aftermath import QuestionForm, RollBackForm, RollbackReviewForm
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.pages import aftermath as pages
from apps.web.parts import SignBox
from apps.web.responses import page_or_fragment, see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def question(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Declare what the record cannot know of."""
    found = access.version_for(request, name, number, "finding.raise")
    if not registry.held_governed_targets(found):
        raise Blocked(f"{found} holds no governed target, so there is no approval to question.")
    form, actor = QuestionForm(sent(request)), access.actor(request)
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(form, lambda: services.declare_rereview(actor, found, **form.cleaned_data))
    ):
        messages.success(request, "The approval is questioned. A new review renews it.")
        return see_other(request, addresses.version(name, number))
    return _box(request, pages.question_box(found), form)


@require_http_methods(ACTS)
def roll_back(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The emergency path: a reason, a password, nobody else."""
    found = access.version_for(request, name, number, "target.rollback")
    actor = access.actor(request)
    ways = emergency.ways_for(actor, found)
    if not ways:
        raise emergency.why_not(actor, found)
    choices = pages.choices(ways)
    initial = {"targets": [value for value, _ in choices]}
    form = RollBackForm(sent(request), choices=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = _rolled_back(request, form, found)
        if made:
            messages.success(request, f"{found} is back. Others review it now.")
            return see_other(request, pages.url(made[0]))
    return _box(request, pages.roll_back_box(actor, found, ways), form)


def _rolled_back(request: HttpRequest, form: RollBackForm, found: ModelVersion) -> list[Rollback]:
    proof = signing.proof(request, form)
    made: list[Rollback] = []
    if proof is None:
        return made
    targets = [Target.parse(text) for text in form.cleaned_data["targets"]]
    accepted(
        form,
        lambda: made.extend(
            services.roll_back(
                access.actor(request),
                found,
                targets=targets,
                reason=form.cleaned_data["reason"],
                proof=proof,
            )
        ),
    )
    return made


@require_safe
def rollback(request: HttpRequest, rollback_id: int) -> HttpResponse:
    """What was done, and what others say of it."""
    found = access.rollback_for(request, rollback_id)
    page = pages.rollback(access.actor(request), found)
    return render(request, "reviews/rollback.html", {"page": page})


@require_http_methods(ACTS)
def review(request: HttpRequest, rollback_id: int) -> HttpResponse:
    """Sign whether it was right."""
    found = access.rollback_for(request, rollback_id)
    refused = emergency.refusal_to_review(access.actor(request), found)
    if refused is not None:
        raise refused
    form = RollbackReviewForm(sent(request))
    if request.method == "POST" and form.is_valid() and _reviewed(request, form, found):
        messages.success(request, f"{found.key} is reviewed.")
        return see_other(request, pages.url(found))
    return _box(request, pages.review_box(found), form)


def _reviewed(request: HttpRequest, form: RollbackReviewForm, found: Rollback) -> bool:
    proof = signing.proof(request, form)
    if proof is None:
        return False
    return accepted(
        form,
        lambda: services.review_rollback(
            access.actor(request),
            found,
            accepts=form.cleaned_data["verdict"] == "confirm",
            comment=form.cleaned_data["comment"],
            proof=proof,
        ),
    )


def _box(request: HttpRequest, box: SignBox, form: Form) -> HttpResponse:
    return page_or_fragment(
        request,
        "reviews/act.html",
        "ui/_sign.html",
        {"it": box, "form": form},
        status=form_status(form),
    )
