"""Webhooks, for whoever may set them up."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.actor import Actor
from apps.notices import selectors, services
from apps.notices.models import WebhookEndpoint
from apps.web import access
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.notices import WebhookForm, WebhookOffForm
from apps.web.pages import people
from apps.web.pages import webhooks as pages

form_methods = require_http_methods(["GET", "HEAD", "POST"])
MANAGE = "system.manage"


@require_safe
def webhooks(request: HttpRequest) -> HttpResponse:
    """All of them."""
    access.require(request, MANAGE)
    return render(request, "notices/webhooks.html", {"page": pages.webhooks()})


@never_cache
@form_methods
def new(request: HttpRequest) -> HttpResponse:
    """A new one; its secret is shown in this answer only."""
    actor = access.require(request, MANAGE)
    form = WebhookForm(sent(request))
    made: list[tuple[WebhookEndpoint, str]] = []

    def act() -> None:
        made.append(services.create_endpoint(actor, **form.cleaned_data))

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        return _secret(request, pages.secret(*made[0]))
    lead = "Each message is signed with a secret that you see next, once."
    page = pages.form_page("New webhook", "Set it up", reverse("web:webhooks"), lead=lead)
    return _form(request, page, form)


@require_safe
def webhook(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """One, with its deliveries and history."""
    _, found = _endpoint(request, endpoint_id)
    return render(request, "notices/webhook.html", {"page": pages.webhook(found, request)})


@form_methods
def edit(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Another address, description or choice."""
    actor, found = _endpoint(request, endpoint_id)
    now = {"url": found.url, "description": found.description, "wanted": found.events}
    form = WebhookForm(sent(request), initial=now)

    def act() -> None:
        services.change_endpoint(actor, found, **form.cleaned_data)

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, "The webhook is changed.")
        return redirect("web:webhook", found.pk)
    page = pages.form_page(f"Edit {found}", "Save", pages.address(found))
    return _form(request, page, form)


@never_cache
@form_methods
def rotate(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """A new secret, shown in the answer to the POST only."""
    actor, found = _endpoint(request, endpoint_id)
    if request.method == "POST":
        return _secret(
            request, pages.secret(found, services.rotate_secret(actor, found), rotated=True)
        )
    lead = "The old secret signs along for a while, so that the receiver can change over."
    page = pages.form_page("New secret", "Make a new secret", pages.address(found), lead=lead)
    return _form(request, page, Form())


@form_methods
def off(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Send nothing any more."""
    actor, found = _endpoint(request, endpoint_id)
    form = WebhookOffForm(sent(request))

    def act() -> None:
        services.switch_off(actor, found, reason=form.cleaned_data["reason"])

    if request.method == "POST" and form.is_valid() and accepted(form, act):
        messages.success(request, "The webhook is switched off.")
        return redirect("web:webhook", found.pk)
    title = f"Switch {found} off"
    page = pages.form_page(title, "Switch off", pages.address(found), danger=True)
    return _form(request, page, form)


@require_POST
def on(request: HttpRequest, endpoint_id: int) -> HttpResponse:
    """Send again."""
    actor, found = _endpoint(request, endpoint_id)
    services.switch_on(actor, found)
    messages.success(request, "The webhook is switched on.")
    return redirect("web:webhook", found.pk)


@require_safe
def delivery(request: HttpRequest, endpoint_id: int, delivery_id: int) -> HttpResponse:
    """One event for one endpoint, with every try."""
    _, found = _endpoint(request, endpoint_id)
    page = pages.delivery(selectors.get_delivery(found, delivery_id))
    return render(request, "notices/delivery.html", {"page": page})


@require_POST
def replay(request: HttpRequest, endpoint_id: int, delivery_id: int) -> HttpResponse:
    """Send one event again."""
    actor, found = _endpoint(request, endpoint_id)
    services.replay(actor, selectors.get_delivery(found, delivery_id))
    messages.success(request, "It is queued and will be sent again.")
    return redirect("web:webhook-delivery", found.pk, delivery_id)


def _endpoint(request: HttpRequest, endpoint_id: int) -> tuple[Actor, WebhookEndpoint]:
    """Whoever may not set webhooks up does not learn which there are."""
    actor = access.require(request, MANAGE)
    return actor, selectors.get_endpoint(endpoint_id)


def _form(request: HttpRequest, page: people.FormPage, form: Form) -> HttpResponse:
    context = {"page": page, "form": form}
    return render(request, "people/form.html", context, status=form_status(form))


def _secret(request: HttpRequest, page: pages.SecretPage) -> HttpResponse:
    return render(request, "notices/secret.html", {"page": page})
