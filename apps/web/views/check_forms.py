"""Running a check with settings of one's own."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.checks import kinds, services
from apps.checks import selectors as checks
from apps.checks.kinds.base import Kind
from apps.checks.services.measurements import Asked
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.registry.models import ModelVersion
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status
from apps.web.forms.checks import ParamsForm, initial
from apps.web.pages import check_forms as pages
from apps.web.pages.check_forms import Shown
from apps.web.responses import page_or_fragment, see_other

_ACTS: Final = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def choose(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Which checks could be run, and why the others could not."""
    found = access.version_for(request, name, number, "check.run")
    page = pages.choose(access.actor(request), found)
    return render(request, "evidence/check_kinds.html", {"page": page})


@_ACTS
def settings(request: HttpRequest, name: str, number: int, kind: str) -> HttpResponse:
    """The form of one kind. `do` is run or preview; a preview writes nothing."""
    found = access.version_for(request, name, number, "check.run")
    if kind not in kinds.registered():
        raise NotFound("No such check.")
    chosen = kinds.get(kind)
    known = checks.known_of(found, kind)
    if request.method != "POST":
        form = ParamsForm(chosen, known, initial=initial(chosen, known))
        return _page(request, found, chosen, form, pages.not_asked(chosen))
    form = ParamsForm(chosen, known, request.POST)
    if request.POST.get("do") == "preview":
        return _page(request, found, chosen, form, seen(access.actor(request), found, form))
    return _run(request, found, chosen, form)


def _page(
    request: HttpRequest, version: ModelVersion, kind: Kind, form: ParamsForm, shown: Shown
) -> HttpResponse:
    page = pages.form(access.actor(request), version, kind)
    context = {"page": page, "form": form, "shown": shown}
    return page_or_fragment(
        request, "evidence/check_form.html", "evidence/_preview.html", context, status=form_status(form)
    )  # fmt: skip


def seen(actor: Actor, version: ModelVersion, form: ParamsForm) -> Shown:
    """The preview that the form asks for on this version, or what is wrong with the form."""
    if not form.is_valid():
        return pages.refused(form)
    if form.kind is None:
        return pages.not_asked(None)
    try:
        found = services.preview(actor, version, form.kind.key, form.params())
    except Invalid as error:
        return pages.refused(form, error)
    return pages.shown(form.kind.key, found)


def _run(request: HttpRequest, version: ModelVersion, kind: Kind, form: ParamsForm) -> HttpResponse:
    made: list[Asked] = []

    def ask() -> None:
        actor = access.actor(request)
        made.append(services.ask_measurement(actor, version, kind.key, form.params()))

    if form.is_valid() and accepted(form, ask):
        [answer] = made
        row = answer.measurement
        messages.success(request, pages.asked(row, known=answer.stored))
        there = addresses.version(version.model.name, version.number, f"checks/{row.uuid}/")
        return see_other(request, there)
    return _page(request, version, kind, form, pages.not_asked(kind))
