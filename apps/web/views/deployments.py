"""Environments and deployments: reading them, and recording by hand what runs where."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.errors import Conflict
from apps.registry import deployed, services
from apps.web import access, addresses
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.deployments import (
    EndForm,
    EnvironmentForm,
    NewEnvironmentForm,
    RecordForm,
    TrafficForm,
)
from apps.web.pages import deployments as pages
from apps.web.pages import environments as places
from apps.web.pages.people import FormPage
from apps.web.responses import see_other

ACTS = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def environments(request: HttpRequest) -> HttpResponse:
    """All of them."""
    page = places.environments(access.actor(request))
    return render(request, "environments/environments.html", {"page": page})


@require_safe
def environment(request: HttpRequest, key: str) -> HttpResponse:
    """One, with what runs there, and what ran there on a day."""
    found = deployed.get_environment(key)
    page = places.environment(access.actor(request), found, request)
    return render(
        request, "environments/environment.html", {"page": page}, status=_status(page.day)
    )


def _status(day: pages.Day) -> int:
    return 422 if day.error else 200


@ACTS
def new_environment(request: HttpRequest) -> HttpResponse:
    """Add one."""
    actor = access.require(request, places.MANAGE)
    form = NewEnvironmentForm(sent(request))
    if _done(request, form, lambda: services.create_environment(actor, **form.cleaned_data)):
        messages.success(request, "The environment is added.")
        return see_other(request, pages.of_environment(form.cleaned_data["key"].lower()))
    return _form(request, places.form_page(None), form)


@ACTS
def edit_environment(request: HttpRequest, key: str) -> HttpResponse:
    """Another title; retire it, or bring it back."""
    actor = access.require(request, places.MANAGE)
    found = deployed.get_environment(key)
    now = {"title": found.title, "retired": found.retired_at is not None}
    form = EnvironmentForm(sent(request), initial=now)
    if _done(request, form, lambda: services.change_environment(actor, found, **form.cleaned_data)):
        messages.success(request, "The environment is changed.")
        return see_other(request, pages.of_environment(found.key))
    return _form(request, places.form_page(found), form)


@require_safe
def of_model(request: HttpRequest, name: str) -> HttpResponse:
    """What runs, and ran, of a model."""
    found = access.model_for(request, name)
    page = pages.model_page(access.actor(request), found, request)
    return render(request, "environments/of_model.html", {"page": page}, status=_status(page.day))


@ACTS
def record(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Record that a version runs somewhere."""
    found = access.version_for(request, name, number, "deployment.record")
    choices = pages.choices(found)
    form = RecordForm(sent(request), choices=choices, initial={"traffic": "100"})

    def act() -> None:
        given = dict(form.cleaned_data)
        where = deployed.get_environment(given.pop("environment"))
        services.record_deployment(access.actor(request), found, environment=where, **given)

    if _done(request, form, act):
        messages.success(request, f"{found} is recorded as running there.")
        return see_other(request, addresses.version(name, number))
    return _form(request, pages.form_page(found, f"Record where {found} runs", "Record it"), form)


@ACTS
def traffic(request: HttpRequest, deployment: UUID) -> HttpResponse:
    """Another share of the traffic."""
    found = access.deployment_for(request, deployment, "deployment.record")
    form = TrafficForm(sent(request), initial={"traffic": found.share_text})
    actor = access.actor(request)
    if _done(request, form, lambda: services.change_traffic(actor, found, **form.cleaned_data)):
        messages.success(request, "The share of the traffic is changed.")
        return see_other(request, pages.of_model(found.model))
    page = pages.form_page(found.version, f"Change the share of {found}", "Change it")
    return _form(request, page, form)


@ACTS
def end(request: HttpRequest, deployment: UUID) -> HttpResponse:
    """That it stopped."""
    found = access.deployment_for(request, deployment, "deployment.record")
    form = EndForm(sent(request))
    actor = access.actor(request)
    if _done(request, form, lambda: services.end_deployment(actor, found, **form.cleaned_data)):
        messages.success(request, f"{found} is recorded as ended.")
        return see_other(request, pages.of_model(found.model))
    page = pages.form_page(found.version, f"End {found}", "Record its end", danger=True)
    return _form(request, page, form)


def _done(request: HttpRequest, form: Form, act: Callable[[], object]) -> bool:
    """Whether the form was sent and the act done; what is in the way is said in the form."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        return accepted(form, act)
    except Conflict as error:
        form.refuse_all(str(error))
        return False


def _form(request: HttpRequest, page: FormPage, form: Form) -> HttpResponse:
    context = {"page": page, "form": form}
    return render(request, "people/form.html", context, status=form_status(form))
