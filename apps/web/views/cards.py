"""A version's card: reading it, writing it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.errors import Conflict
from apps.modelcards import selectors as cards
from apps.modelcards import services as cards_services
from apps.registry.models import ModelVersion
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.card import CardForm
from apps.web.pages import card as pages
from apps.web.pages import card_edit
from apps.web.responses import see_other

ACTS = ["GET", "HEAD", "POST"]


@require_safe
def card(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The card as it is now, or at ?revision=."""
    found = access.version_for(request, name, number)
    page = pages.page(access.actor(request), found, request.GET.get("revision", ""))
    return render(request, "evidence/card.html", {"page": page})


@require_http_methods(ACTS)
def edit(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The human blocks in one form; somebody else's save meanwhile is shown, never overwritten."""
    found = access.version_for(request, name, number, "card.edit")
    latest = cards.latest_revision(found)
    asked = request.POST if request.method == "POST" else request.GET
    template = card_edit.template(found, latest, asked.get("template", ""))
    layout = cards.outline(found, latest, template)
    form = CardForm(sent(request), initial=card_edit.initial(latest, template), layout=layout)
    conflict = ""
    if request.method == "POST" and form.is_valid():
        try:
            if _saved(request, form, found):
                messages.success(request, "The card is saved as a new revision.")
                return see_other(request, addresses.version(name, number, "card/"))
        except Conflict as error:
            conflict, latest = str(error), cards.latest_revision(found)
            form = _rebased(request, latest.number if latest else 0, form)
    page = card_edit.page(found, latest, form, template, conflict)
    status = 409 if conflict else form_status(form)
    return render(request, "evidence/card_edit.html", {"page": page, "form": form}, status=status)


def _rebased(request: HttpRequest, revision: int, form: CardForm) -> CardForm:
    """The same text on the latest revision: whoever has read theirs may save over it."""
    data = request.POST.copy()
    data["base_revision"] = str(revision)
    return CardForm(data, layout=form.layout)


def _saved(request: HttpRequest, form: CardForm, found: ModelVersion) -> bool:
    base = form.cleaned_data["base_revision"] or 0
    template = form.cleaned_data["template"]
    return accepted(
        form,
        lambda: cards_services.save_card(
            access.actor(request), found, form.content(), base, template
        ),
    )
