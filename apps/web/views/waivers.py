"""Putting a requirement of a version aside, and taking that back."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import Conflict, Forbidden
from apps.registry.models import ModelVersion
from apps.reviews import roles, services
from apps.reviews.reads import waivers
from apps.web import access, addresses, signing
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.findings import WaiverForm
from apps.web.forms.reviews import ReasonForm
from apps.web.pages import waivers as pages
from apps.web.parts import SignBox
from apps.web.responses import page_or_fragment, see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def grant(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Sign for one requirement."""
    found = access.version_for(request, name, number, "review.read")
    actor = access.actor(request)
    roles.require(actor, waivers.allowed_by(found).roles, found)
    obstacle = waivers.why_not(actor, found)
    if obstacle:
        raise Forbidden(obstacle)
    days = min(90, waivers.allowed_by(found).max_days)
    until = clock.now().date() + dt.timedelta(days=days)
    form = WaiverForm(sent(request), initial={"until": until})
    if request.method == "POST" and form.is_valid() and _granted(request, form, found):
        messages.success(request, "The waiver is signed.")
        return see_other(request, addresses.version(name, number, "findings/"))
    return _box(request, pages.grant_box(actor, found), form)


def _granted(request: HttpRequest, form: WaiverForm, found: ModelVersion) -> bool:
    proof = signing.proof(request, form)
    if proof is None:
        return False
    given = {key: form.cleaned_data[key] for key in ("requirement", "reason", "until")}
    return accepted(
        form,
        lambda: services.grant_waiver(access.actor(request), found, **given, proof=proof),
    )


@require_http_methods(ACTS)
def revoke(request: HttpRequest, waiver_id: int) -> HttpResponse:
    """The requirement counts again."""
    found, actor = access.waiver_for(request, waiver_id), access.actor(request)
    roles.require(actor, waivers.allowed_by(found.version).roles, found)
    if waivers.standing(found).state != "in_force":
        raise Conflict("This waiver is not in force any more.")
    form = ReasonForm(sent(request))
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(
            form, lambda: services.revoke_waiver(actor, found, reason=form.cleaned_data["reason"])
        )
    ):
        messages.success(request, "The waiver is revoked.")
        name, number = found.version.model.name, found.version.number
        return see_other(request, addresses.version(name, number, "findings/"))
    return _box(request, pages.revoke_box(actor, found), form)


def _box(request: HttpRequest, box: SignBox, form: Form) -> HttpResponse:
    return page_or_fragment(
        request,
        "reviews/act.html",
        "ui/_sign.html",
        {"it": box, "form": form},
        status=form_status(form),
    )
