"""Saying what a model has measured regularly."""

from __future__ import annotations

import uuid
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.checks import definitions, kinds, services
from apps.checks.kinds.base import Kind
from apps.checks.models import DEMANDED, DefinitionRevision
from apps.core.errors import Conflict, NotFound
from apps.registry.models import RegisteredModel
from apps.web import access
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.checks import DefinitionForm
from apps.web.pages import check_forms
from apps.web.pages import definitions as pages
from apps.web.pages.check_forms import Shown
from apps.web.responses import page_or_fragment, see_other
from apps.web.views.check_forms import seen

_ACTS: Final = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def every(request: HttpRequest, name: str) -> HttpResponse:
    """All of a model, for those who see it."""
    model = access.model_for(request, name)
    page = pages.page(access.actor(request), model)
    return render(request, "models/definitions.html", {"page": page})


@require_safe
def choose(request: HttpRequest, name: str) -> HttpResponse:
    """The kind of a new one."""
    model = access.model_for(request, name, "check.run")
    return render(request, "models/definition_kinds.html", {"page": pages.choose(model)})


@_ACTS
def new(request: HttpRequest, name: str, kind: str) -> HttpResponse:
    """A new definition."""
    model = access.model_for(request, name, "check.run")
    return _edit(request, model, _kind(kind), None)


@_ACTS
def edit(request: HttpRequest, name: str, definition_uuid: uuid.UUID) -> HttpResponse:
    """One definition: `do` is save, retire or preview."""
    model = access.model_for(request, name, "check.run")
    row = definitions.get(model, definition_uuid)
    return _edit(request, model, _kind(row.kind, gone=True), row)


def _kind(key: str, *, gone: bool = False) -> Kind | None:
    """None for what the policy demands; NotFound for a kind that nobody brings."""
    if key == DEMANDED:
        return None
    kind = kinds.registered().get(key)
    if kind is None:
        why = "Its package is not installed." if gone else "No such check."
        raise NotFound(why)
    return kind


def _edit(
    request: HttpRequest, model: RegisteredModel, kind: Kind | None, row: DefinitionRevision | None
) -> HttpResponse:
    sample, about = pages.known(model, kind)
    form = DefinitionForm(
        kind,
        about,
        sent(request),
        kept=row.params if row else None,
        initial=pages.initial(kind, about, row),
    )
    shown, conflict = check_forms.not_asked(kind), ""
    if request.method == "POST" and request.POST.get("do") == "preview":
        if sample is not None:
            shown = seen(access.actor(request), sample, form)
    elif request.method == "POST" and form.is_valid():
        try:
            if accepted(form, lambda: _save(request, model, form, row)):
                messages.success(
                    request, "The definition is saved. What it starts is shown on its page."
                )
                return see_other(request, pages.url(model))
        except Conflict as error:
            conflict = str(error)
    return _page(request, pages.edit(model, kind, sample, row), form, shown, conflict)


def _page(
    request: HttpRequest, page: pages.EditPage, form: DefinitionForm, shown: Shown, conflict: str
) -> HttpResponse:
    context = {"page": page, "form": form, "shown": shown, "conflict": conflict}
    return page_or_fragment(
        request,
        "models/definition.html",
        "evidence/_preview.html",
        context,
        status=409 if conflict else form_status(form),
    )


def _save(
    request: HttpRequest, model: RegisteredModel, form: DefinitionForm, row: DefinitionRevision | None
) -> None:  # fmt: skip
    services.save_definition(
        access.actor(request),
        model,
        form.draft(retired=request.POST.get("do") == "retire"),
        definition=row.definition if row else None,
        base=form.cleaned_data["base"] or 0,
    )
