"""Retiring a model and bringing it back: a reason, the checklist, a password."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.core.errors import Conflict
from apps.registry import selectors, services
from apps.registry.models import RegisteredModel
from apps.web import access, addresses, signing
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.retiring import BringBackForm, RetireForm
from apps.web.pages import retiring as pages
from apps.web.responses import page_or_fragment, see_other

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@ACTS
def retire(request: HttpRequest, name: str) -> HttpResponse:
    """Retire it; what is in the way is said instead of the form."""
    found = access.model_for(request, name, pages.RETIRE)
    if found.retired_at is not None:
        raise Conflict(f"{found.name} is retired already.", url=addresses.model(name))
    actor = access.actor(request)
    form = RetireForm(sent(request), models=pages.heirs(actor, found))
    if request.method == "POST" and form.is_valid() and _retired(request, form, found):
        messages.success(request, f"{found.name} is retired.")
        return see_other(request, addresses.model(name))
    context = {"page": pages.page(actor, found), "form": form}
    return render(request, "models/retire.html", context, status=form_status(form))


def _retired(request: HttpRequest, form: RetireForm, found: RegisteredModel) -> bool:
    proof = signing.proof(request, form)
    if proof is None:
        return False
    actor, given = access.actor(request), form.cleaned_data
    heir = selectors.get_model(actor, given["successor"]) if given["successor"] else None
    return accepted(
        form,
        lambda: services.retire_model(
            actor,
            found,
            reason=given["reason"],
            answers=form.answers(),
            successor=heir,
            no_successor=given["no_successor"],
            proof=proof,
        ),
    )


@ACTS
def bring_back(request: HttpRequest, name: str) -> HttpResponse:
    """Bring it back."""
    found = access.model_for(request, name, pages.RETIRE)
    if found.retired_at is None:
        raise Conflict(f"{found.name} is not retired.", url=addresses.model(name))
    form = BringBackForm(sent(request))
    if request.method == "POST" and form.is_valid() and _back(request, form, found):
        messages.success(request, f"{found.name} can be used again.")
        return see_other(request, addresses.model(name))
    context = {"it": pages.back_box(access.actor(request), found), "form": form}
    return page_or_fragment(
        request, "versions/leave.html", "ui/_sign.html", context, status=form_status(form)
    )


def _back(request: HttpRequest, form: BringBackForm, found: RegisteredModel) -> bool:
    proof = signing.proof(request, form)
    reason = form.cleaned_data["reason"]
    return proof is not None and accepted(
        form,
        lambda: services.restore_model(access.actor(request), found, reason=reason, proof=proof),
    )
