"""Refusals of the domain in the form of the web: status, page or fragment, and the trace of the attempt."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from apps.audits import log
from apps.core.errors import (
    Blocked,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Tampered,
)
from apps.web import access
from apps.web.parts import Notice, Tone
from apps.web.responses import page_or_fragment


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of refusal is shown."""

    status: int
    title: str
    template: str


FORMS: dict[type[DomainError], Form] = {
    NotFound: Form(404, "Nothing here", "errors/refused.html"),
    Forbidden: Form(403, "Not yours to do", "errors/refused.html"),
    Blocked: Form(403, "Not yet", "errors/refused.html"),
    Conflict: Form(409, "Things have moved on", "errors/refused.html"),
    Invalid: Form(422, "That cannot be right", "errors/refused.html"),
    Tampered: Form(409, "The record is damaged", "errors/refused.html"),
}
OTHER = Form(400, "Refused", "errors/refused.html")


def form_of(error: DomainError) -> Form:
    """The form of this error or of the nearest of its parents."""
    return next((FORMS[kind] for kind in type(error).__mro__ if kind in FORMS), OTHER)


def notice(error: DomainError) -> Notice:
    """The refusal as a notice: what, why, what next, where."""
    reasons = [*getattr(error, "reasons", ()), *getattr(error, "fields", {}).values()]
    tone: Tone = "warn" if isinstance(error, Conflict | Invalid) else "bad"
    text = " ".join(part for part in (error.message, error.hint) if part)
    return Notice(text, tone, form_of(error).title, reasons, url=error.url)


def answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The refusal as a page, or as a fragment that stands where the answer would have stood."""
    form = form_of(error)
    context = {"error": error, "notice": notice(error), "title": form.title, "status": form.status}
    return page_or_fragment(
        request, form.template, "errors/_refusal.html", context, status=form.status
    )


def record(request: HttpRequest, error: DomainError) -> None:
    """Leave a trace of acts that were refused: lacking rights, lacking approval, damaged bytes.

    Does not record what merely failed validation, nor 404: a stranger's guesses are not acts.
    """
    if not isinstance(error, Forbidden | Blocked | Tampered):
        return
    match = request.resolver_match
    log.attempt(
        access.find_actor(request),
        act=f"{request.method} {match.view_name if match else ''}",
        subject=access.subject(request),
        outcome="failed" if isinstance(error, Tampered) else "refused",
        reason=error.message,
        remote_addr=request.META.get("REMOTE_ADDR", ""),
    )
