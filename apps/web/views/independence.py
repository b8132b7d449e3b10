"""Letting somebody sign for oneself, and saying that somebody must not sign."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.reviews import services
from apps.reviews.models import Review
from apps.reviews.reads import independence
from apps.web import access, addresses
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.independence import ConflictForm, DelegateForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import deciding
from apps.web.pages import independence as pages
from apps.web.parts import SignBox
from apps.web.responses import page_or_fragment, see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def delegate(request: HttpRequest, review_id: int) -> HttpResponse:
    """Let another sign in one of one's own roles."""
    found, actor = access.review_for(request, review_id), access.actor(request)
    if not pages.own_roles(policy.verbs_on(actor, found)):
        policy.require(actor, deciding.SIGNING[0], found)
    form = DelegateForm(sent(request), choices=pages.delegate_choices(actor, found))

    def act() -> str:
        given = form.cleaned_data
        row = services.delegate(
            actor,
            to=accounts.get_user_by_uuid(UUID(given["to"])),
            role=given["role"],
            scope=_scope(found, given["scope"]),
            until=given["until"],
            reason=given["reason"],
        )
        return (
            f"{pages.delegated(row)}. Whom you delegated to is under Delegations in your account."
        )

    box, back = pages.delegate_box(actor, found), addresses.review(found.pk)
    return _act(request, form, act, box, back, "")


def _scope(review: Review, named: str) -> services.Scope:
    model = review.version.model
    if named == "team":
        return services.Scope(team=model.team)
    return services.Scope(model=model) if named == "model" else services.Scope(review=review)


@require_http_methods(ACTS)
def conflict(request: HttpRequest, review_id: int) -> HttpResponse:
    """Declare a conflict of interest, one's own or another's."""
    found, actor = access.review_for(request, review_id), access.actor(request)
    form = ConflictForm(sent(request), choices=pages.conflict_choices(actor, found))

    def act() -> None:
        given = form.cleaned_data
        who = given["person"]
        person = (
            accounts.get_user_by_uuid(UUID(who)) if who else accounts.get_user(actor.user_id or 0)
        )
        services.declare_conflict(
            actor,
            found.version.model,
            person=person,
            reason=given["reason"],
            review=found if given["scope"] == "review" else None,
        )

    form.fields["person"].required = False
    return _act(
        request, form, act, pages.conflict_box(actor, found), addresses.review(found.pk),
        "The conflict of interest is declared.",
    )  # fmt: skip


@require_http_methods(ACTS)
def withdraw_conflict(request: HttpRequest, conflict_id: int) -> HttpResponse:
    """Say that it is no more."""
    found, actor = access.conflict_for(request, conflict_id), access.actor(request)
    if not independence.may_withdraw(actor, found):
        policy.require(actor, "model.manage", found)
    form = ReasonForm(sent(request))
    return _act(
        request,
        form,
        lambda: services.withdraw_conflict(actor, found, **form.cleaned_data),
        pages.withdrawal_box(found),
        addresses.model(found.model.name),
        "The conflict of interest is withdrawn.",
    )


@require_safe
def delegations(request: HttpRequest) -> HttpResponse:
    """What one gave and was given."""
    page = pages.page(access.actor(request))
    return render(request, "account/delegations.html", {"page": page})


@require_http_methods(ACTS)
def end(request: HttpRequest, delegation_id: int) -> HttpResponse:
    """End a delegation before its time."""
    found, actor = access.delegation_for(request, delegation_id), access.actor(request)
    form = ReasonForm(sent(request))
    return _act(
        request,
        form,
        lambda: services.end_delegation(actor, found, **form.cleaned_data),
        pages.ending_box(found),
        "/account/delegations/",
        "The delegation has ended.",
    )


def _act(
    request: HttpRequest,
    form: Form,
    act: Callable[[], object],
    box: SignBox,
    back: str,
    said: str,
) -> HttpResponse:
    """The form, or what became of it: `said`, or the words that the act returns where `said` is empty."""
    done: list[object] = []
    if request.method == "POST" and form.is_valid() and accepted(form, lambda: done.append(act())):
        messages.success(request, said or str(done[0]))
        return see_other(request, back)
    return page_or_fragment(
        request,
        "reviews/act.html",
        "ui/_sign.html",
        {"it": box, "form": form},
        status=form_status(form),
    )
