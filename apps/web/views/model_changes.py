"""Proposed changes of how a model stands: reading, signing, withdrawing. They are proposed in the model's settings."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.errors import Forbidden
from apps.reviews import services
from apps.reviews.models import ModelChange
from apps.reviews.reads import model_changes
from apps.web import access, signing
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.policies import SignChangeForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import model_changes as pages
from apps.web.parts import PageHeader
from apps.web.responses import page_or_fragment, see_other

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def change(request: HttpRequest, change_id: int) -> HttpResponse:
    """What is proposed, and who signs."""
    found = access.model_change_for(request, change_id)
    page = pages.page(access.actor(request), found)
    return render(request, "models/change.html", {"page": page})


@ACTS
def sign(request: HttpRequest, change_id: int) -> HttpResponse:
    """Sign for or against it."""
    found = access.model_change_for(request, change_id)
    actor = access.actor(request)
    if not model_changes.role_of(actor, found):
        raise Forbidden(model_changes.why_not(actor, found))
    form = SignChangeForm(sent(request))
    if request.method == "POST" and form.is_valid() and _signed(request, form, found):
        messages.success(request, f"You signed {found}.")
        return see_other(request, pages.url(found))
    context = {"it": pages.sign_box(actor, found), "form": form}
    return page_or_fragment(
        request, "models/change_sign.html", "ui/_sign.html", context, status=form_status(form)
    )


def _signed(request: HttpRequest, form: SignChangeForm, found: ModelChange) -> bool:
    proof = signing.proof(request, form)
    given = form.cleaned_data
    return proof is not None and accepted(
        form,
        lambda: services.sign_model_change(
            access.actor(request),
            found,
            approves=given["approves"] == "yes",
            digest=request.POST.get("digest", ""),
            comment=given["comment"],
            proof=proof,
        ),
    )


@ACTS
def withdraw(request: HttpRequest, change_id: int) -> HttpResponse:
    """Take the proposal back."""
    found = access.model_change_for(request, change_id, "model.manage")
    actor = access.actor(request)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid() and accepted(
        form, lambda: services.withdraw_model_change(actor, found, **form.cleaned_data)
    ):  # fmt: skip
        messages.success(request, f"{found} is withdrawn.")
        return see_other(request, pages.url(found))
    header = PageHeader(f"Withdraw {found}", crumbs=pages.crumbs(found))
    context = {"header": header, "form": form, "submit": "Withdraw it", "back": pages.url(found)}
    return render(request, "models/reason.html", context, status=form_status(form))
