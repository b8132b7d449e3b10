"""The impact assessment of a model: reading, answering, comparing, signing, what follows from it."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import clock
from apps.core.errors import Conflict, Forbidden, NotFound
from apps.impact import questionnaire as questionnaires
from apps.impact import revisions, selectors, services
from apps.impact.models import AssessmentRevision
from apps.registry.models import RegisteredModel
from apps.reviews import services as reviews
from apps.reviews.models import ModelChange
from apps.web import access, signing
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.impact import (
    ImpactForm,
    LowerForm,
    NotificationForm,
    SignImpactForm,
    initial,
)
from apps.web.pages import impact as pages
from apps.web.pages import impact_form, model_changes
from apps.web.responses import download, page_or_fragment, see_other

ACTS: Final = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def impact(request: HttpRequest, name: str) -> HttpResponse:
    """How it stands, its answers, how each counted."""
    model = access.model_for(request, name)
    page = pages.page(access.actor(request), model, request.GET.get("revision", ""))
    return render(request, "impact/impact.html", {"page": page})


@require_safe
def as_json(request: HttpRequest, name: str) -> HttpResponseBase:
    """A revision with its questions, score and signature, as data."""
    model = access.model_for(request, name)
    revision = pages.shown(model, request.GET.get("revision", ""))
    if revision is None:
        raise NotFound(f"{model.name} has no impact assessment.")
    text = json.dumps(selectors.document_of(revision), ensure_ascii=False, indent=2)
    filename = f"{model.name}-impact-{revision.number}.json"
    return download(iter([text.encode()]), "application/json", filename)


@require_safe
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """Two revisions, word by word."""
    model = access.model_for(request, name)
    asked = request.GET
    page = pages.compare(model, asked.get("from", ""), asked.get("to", ""))
    return render(request, "impact/compare.html", {"page": page})


@ACTS
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Answer it. `do` is save or preview; a preview writes nothing."""
    model = access.model_for(request, name, services.EDIT)
    asked = questionnaires.current()
    latest = selectors.latest_revision(model)
    if request.method != "POST":
        given = revisions.answers(latest) if latest else {}
        first = initial(asked, given, latest.number if latest else 0)
        return _form(request, model, ImpactForm(asked, initial=first), given)
    form = ImpactForm(asked, request.POST)
    valid = form.is_valid()
    if request.POST.get("do") == "preview" or not valid:
        return _form(request, model, form, impact_form.given_by(form))
    return _save(request, model, form)


def _save(request: HttpRequest, model: RegisteredModel, form: ImpactForm) -> HttpResponse:
    conflict, saved = "", False
    base = form.cleaned_data["base_revision"] or 0
    actor = access.actor(request)
    try:
        saved = accepted(form, lambda: services.save_assessment(actor, model, form.answers(), base))
    except Conflict as error:
        conflict = f"{error.message} {error.hint or ''}".strip()
    if not saved:
        return _form(request, model, form, impact_form.given_by(form), conflict)
    messages.success(request, "Saved as a new revision.")
    return see_other(request, pages.url(model))


def _form(
    request: HttpRequest,
    model: RegisteredModel,
    form: ImpactForm,
    given: dict[str, Any],
    conflict: str = "",
) -> HttpResponse:
    latest = selectors.latest_revision(model) if conflict else None
    page = impact_form.page(model, form, given, conflict, latest)
    status = 409 if conflict else form_status(form)
    context = {"page": page, "form": form, "it": page.score}
    return page_or_fragment(
        request, "impact/edit.html", "impact/_score.html", context, status=status
    )


@ACTS
def sign(request: HttpRequest, name: str) -> HttpResponse:
    """Sign the newest revision."""
    model = access.model_for(request, name, selectors.SIGN)
    revision = pages.shown(model, "")
    actor = access.actor(request)
    if revision is None:
        raise Conflict(f"{model.name} has no impact assessment to sign.")
    obstacle = selectors.why_not_sign(actor, revision)
    if obstacle:
        raise Forbidden(obstacle)
    form = SignImpactForm(sent(request))
    if request.method == "POST" and form.is_valid() and _signed(request, form, revision):
        messages.success(request, "The assessment is signed and in force.")
        return see_other(request, pages.url(model))
    context = {"it": pages.sign_box(actor, revision), "form": form}
    return page_or_fragment(
        request, "models/change_sign.html", "ui/_sign.html", context, status=form_status(form)
    )


def _signed(request: HttpRequest, form: Form, revision: AssessmentRevision) -> bool:
    proof = signing.proof(request, form)
    return proof is not None and accepted(
        form,
        lambda: services.sign_assessment(
            access.actor(request),
            revision,
            digest=request.POST.get("digest", ""),
            comment=form.cleaned_data["comment"],
            proof=proof,
        ),
    )


@ACTS
def notify(request: HttpRequest, name: str) -> HttpResponse:
    """Note that an authority was told."""
    model = access.model_for(request, name, services.EDIT)
    actor = access.actor(request)
    form = NotificationForm(sent(request), initial={"notified_on": clock.now().date()})
    if request.method == "POST" and form.is_valid() and accepted(
        form, lambda: services.note_notification(actor, model, **form.cleaned_data)
    ):  # fmt: skip
        messages.success(request, "Noted.")
        return see_other(request, pages.url(model))
    return _reason(request, model, form, "Note a notification", "Note it")


@ACTS
def lower(request: HttpRequest, name: str) -> HttpResponse:
    """Lower what an earlier assessment demanded to what the one in force demands."""
    model = access.model_for(request, name, "model.manage")
    actor = access.actor(request)
    form = LowerForm(sent(request))
    made: list[ModelChange | None] = []
    if request.method == "POST" and form.is_valid() and accepted(
        form, lambda: made.append(reviews.lower_demand(actor, model, **form.cleaned_data))
    ):  # fmt: skip
        change = made[0]
        said = f"{change} waits for a signature." if change else "Less is demanded now."
        messages.success(request, said)
        return see_other(request, model_changes.url(change) if change else pages.url(model))
    return _reason(request, model, form, "Lower what is demanded", "Lower it")


def _reason(
    request: HttpRequest, model: RegisteredModel, form: Form, title: str, submit: str
) -> HttpResponse:
    context = {
        "header": pages.header(model, title),
        "form": form,
        "submit": submit,
        "back": pages.url(model),
    }
    return page_or_fragment(
        request, "impact/act.html", "impact/_act.html", context, status=form_status(form)
    )
