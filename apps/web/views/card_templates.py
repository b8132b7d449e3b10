"""Card templates: reading them, defining one's own, choosing one for a model."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.errors import Conflict
from apps.modelcards import layouts, services
from apps.modelcards.templating import document
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.card import ChooseTemplateForm, DefineTemplateForm
from apps.web.pages import card_templates as pages
from apps.web.responses import see_other

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def templates(request: HttpRequest) -> HttpResponse:
    """Every template in its newest version."""
    page = pages.templates(access.actor(request))
    return render(request, "card_templates/list.html", {"page": page})


@require_safe
def template(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version: what it asks, section by section."""
    page = pages.template(access.actor(request), layouts.get(f"{key}/{number}"))
    return render(request, "card_templates/template.html", {"page": page})


@require_safe
def yaml(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version as the file people keep."""
    found = layouts.get(f"{key}/{number}")
    answer = HttpResponse(layouts.source(found), content_type="text/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{found.key}-{found.number}.yaml"'
    return answer


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The JSON Schema of what people write."""
    return JsonResponse(document.json_schema(), json_dumps_params={"indent": 2})


@ACTS
def define(request: HttpRequest) -> HttpResponse:
    """The next version of one of the site's own templates, from YAML written here or uploaded."""
    actor = access.require(request, "card.define")
    start = request.GET.get("from", "")
    form = DefineTemplateForm(sent(request), request.FILES or None, initial=pages.start(start))
    try:
        if (
            request.method == "POST"
            and form.is_valid()
            and accepted(form, lambda: _define(request, form))
        ):
            messages.success(
                request,
                "The template is defined. Cards that follow an older version stay as they are.",
            )
            return see_other(request, reverse("web:card-templates"))
    except Conflict as error:
        form.refuse_all(f"{error.message} {error.hint}")
    page = pages.defining(actor)
    context = {"page": page, "form": form}
    return render(request, "card_templates/define.html", context, status=form_status(form))


def _define(request: HttpRequest, form: DefineTemplateForm) -> None:
    given = form.cleaned_data
    services.define_template(access.actor(request), form.text_given(), after=given["after"] or 0)


@ACTS
def choose(request: HttpRequest, name: str) -> HttpResponse:
    """Which template the cards of a model follow."""
    model = access.model_for(request, name, "card.template")
    form = ChooseTemplateForm(
        sent(request),
        templates=layouts.newest().values(),
        initial={"key": layouts.chosen_key(model)},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if accepted(
            form,
            lambda: services.choose_template(
                access.actor(request), model, key=given["key"], reason=given["reason"]
            ),
        ):
            messages.success(request, "Chosen. Each card moves when its writers next save it.")
            return see_other(request, addresses.model(name))
    context = {"page": pages.choosing(model), "form": form}
    return render(request, "card_templates/choose.html", context, status=form_status(form))
