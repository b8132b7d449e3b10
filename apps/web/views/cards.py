"""A version's card: reading it, writing it, what is kept while it is written."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.errors import Conflict, NotFound
from apps.modelcards import selectors as cards
from apps.modelcards import services
from apps.modelcards.models import CardDraft
from apps.registry.models import ModelVersion
from apps.web import access, addresses, query
from apps.web.forms.base import accepted, form_status
from apps.web.forms.card import CardForm
from apps.web.pages import card as pages
from apps.web.pages import card_compare, card_edit
from apps.web.responses import download, see_other

ACTS = ["GET", "HEAD", "POST"]
_MOST_REVISIONS = 2**31 - 1


@require_safe
def card(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The card as it is now, at ?revision=, or as it stood at the end of a day or at a moment (?at=)."""
    found = access.version_for(request, name, number)
    if at := request.GET.get("at", ""):
        return _as_of(request, found, at)
    page = pages.page(access.actor(request), found, request.GET.get("revision", ""))
    return render(request, "evidence/card.html", {"page": page})


def _as_of(request: HttpRequest, found: ModelVersion, at: str) -> HttpResponse:
    """The card of that day; for what is no day of the version, today's with what is wrong beside the field (404)."""
    context: dict[str, object] = {"at": at}
    try:
        context["page"] = pages.as_of(access.actor(request), found, at)
    except NotFound as error:
        context |= {"page": pages.page(access.actor(request), found, ""), "wrong": error.message}
    status = 404 if "wrong" in context else 200
    return render(request, "evidence/card.html", context, status=status)


@require_safe
def compare(request: HttpRequest, name: str, number: int) -> HttpResponseBase:
    """Any two revisions (?from=, ?to=), or this version's card against another version's (?with=; &as=csv: all values that
    differ, as a file)."""
    found = access.version_for(request, name, number)
    other = query.number(request.GET.get("with", ""))
    if other is not None:
        against = access.version_for(request, name, other)
        if request.GET.get("as") == "csv":
            return download(
                card_compare.sheet(found, against),
                "text/csv; charset=utf-8",
                card_compare.sheet_name(found, against),
            )
        page = card_compare.versions(found, against)
    else:
        page = card_compare.revisions(found, request.GET.get("from", ""), request.GET.get("to", ""))
    return render(request, "evidence/card_compare.html", {"page": page})


@require_http_methods(ACTS)
def edit(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The written blocks in one form. What somebody else saved meanwhile is merged; where both changed a block, it asks."""
    found = access.version_for(request, name, number, "card.edit")
    if request.method == "POST" and request.POST.get("do") in {"draft", "discard"}:
        return _draft_kept(request, found)
    if request.method == "POST":
        return _save(request, found)
    start = card_edit.start(access.actor(request), found, request.GET.get("template", ""))
    return _form(
        request, start, CardForm(initial=start.initial, layout=start.layout, preview=start.preview)
    )


def _form(
    request: HttpRequest,
    start: card_edit.Start,
    form: CardForm,
    *,
    clash: services.Outcome | None = None,
    said: str = "",
) -> HttpResponse:
    page = card_edit.page(access.actor(request), start, form, clash, said)
    status = 409 if clash or said else form_status(form)
    return render(request, "evidence/card_edit.html", {"page": page, "form": form}, status=status)


def _save(request: HttpRequest, found: ModelVersion) -> HttpResponse:
    sent = _texts(request.POST)
    start = card_edit.start(
        access.actor(request), found, request.POST.get("template", ""), sent=sent
    )
    form = CardForm(request.POST, layout=start.layout, preview=start.preview)
    outcome: list[services.Outcome] = []
    try:
        if not (
            form.is_valid() and accepted(form, lambda: outcome.append(_saved(request, found, form)))
        ):
            return _form(request, start, form)
    except Conflict as error:
        return _form(request, start, form, said=f"{error.message} {error.hint}")
    if outcome[0].saved is None:
        return _form(request, start, _clashing(request, start, outcome[0]), clash=outcome[0])
    messages.success(request, card_edit.saved(found, outcome[0]))
    return see_other(request, addresses.version(found.model.name, found.number, "card/"))


def _saved(request: HttpRequest, found: ModelVersion, form: CardForm) -> services.Outcome:
    return services.save_edited(access.actor(request), found, form.edited())


def _clashing(request: HttpRequest, start: card_edit.Start, outcome: services.Outcome) -> CardForm:
    """The form again with what could be merged, started from where it was: until somebody has picked, nothing counts."""
    data = request.POST.copy()
    data.update({"base_revision": str(outcome.base), "read_revision": str(outcome.read)})
    for key, text in outcome.merged.texts.items():
        data[f"block-{key}"] = text
    for key in ("base_revision", "read_revision", *(f"block-{k}" for k in outcome.merged.texts)):
        data.setlist(key, data.getlist(key)[-1:])
    return CardForm(data, layout=start.layout, preview=start.preview)


def _draft_kept(request: HttpRequest, found: ModelVersion) -> HttpResponse:
    """Keeping or forgetting the draft by a plain form."""
    actor, url = access.actor(request), addresses.version(found.model.name, found.number, "card/")
    if request.POST["do"] == "discard":
        services.discard_draft(actor, found)
        messages.success(request, "The draft is forgotten. The card is as it was saved last.")
        return see_other(request, url)
    _keep(request, found)
    messages.success(request, "The draft is kept. Only you see it, and nothing of it counts yet.")
    return see_other(request, f"{url}edit/")


def _keep(request: HttpRequest, found: ModelVersion) -> CardDraft:
    base = min(query.number(request.POST.get("base_revision", "")) or 0, _MOST_REVISIONS)
    return services.save_draft(
        access.actor(request),
        found,
        _texts(request.POST),
        base=base,
        template=request.POST.get("template", "")[:80],
    )


def _texts(data: QueryDict) -> Mapping[str, str]:
    return {
        name.removeprefix("block-"): str(data[name]).replace("\r\n", "\n")
        for name in data
        if name.startswith("block-")
    }


@require_http_methods(ACTS)
def draft(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What the page of the editor keeps by itself, and who else is writing; GET tells it with a fresh token for forms."""
    found = access.version_for(request, name, number, "card.edit")
    actor = access.actor(request)
    kept = (
        _keep(request, found) if request.method == "POST" else cards.draft_of(found, actor.user_id)
    )
    latest = cards.latest_revision(found)
    said = card_edit.draft_state(actor, found, kept, latest)
    return JsonResponse({**said, "token": get_token(request)})


@require_POST
def preview(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The Markdown of one block as the card would show it."""
    access.version_for(request, name, number, "card.edit")
    texts = list(_texts(request.POST).values())
    text = texts[0] if texts else ""
    return render(request, "evidence/_card_preview.html", {"it": card_edit.preview(text)})
