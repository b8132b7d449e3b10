"""Registering by upload, and a model's settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings as site
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from apps.accounts import policy
from apps.accounts.models import Team
from apps.core.errors import Forbidden
from apps.registry import services
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews import services as reviews
from apps.reviews.models import ModelChange
from apps.web import access, addresses, uploads
from apps.web.forms.base import Form, accepted, form_status, sent
from apps.web.forms.models import GovernanceForm, NewModelForm, SettingsForm, UploadVersionForm
from apps.web.pages import model_forms as pages
from apps.web.responses import see_other, wants_fragment

ACTS = ["GET", "HEAD", "POST"]


@csrf_exempt  # only so that the files keep their paths: the form is read, and checked, by `_new`
@require_http_methods(ACTS)
def new(request: HttpRequest) -> HttpResponse:
    """Register a model and its first version by uploading files."""
    uploads.keep_paths(request)
    return _new(request)


@csrf_protect
def _new(request: HttpRequest) -> HttpResponse:
    if wants_fragment(request):
        return _tier(request)
    actor = access.actor(request)
    teams = pages.teams(actor)
    if not teams:
        policy.require(actor, "model.create")
    form = NewModelForm(
        sent(request),
        _files(request),
        teams=teams,
        sandbox=policy.can(actor, "model.sandbox"),
        governance=site.DEFAULT_GOVERNANCE,
        live=request.path,
    )
    if request.method == "POST" and form.is_valid():
        made = _register(request, form)
        if made is not None:
            messages.success(request, f"{made} is registered.")
            return see_other(request, addresses.version(made.model.name, made.number))
    tier = pages.tier(str(form["exposure"].value()), str(form["purpose_class"].value()))
    context = {"header": pages.new_header(), "form": form, "tier": tier, "back": addresses.models()}
    return render(request, "models/new.html", context, status=form_status(form))


def _files(request: HttpRequest) -> Any:
    return request.FILES if request.method == "POST" else None


def _register(request: HttpRequest, form: NewModelForm) -> ModelVersion | None:
    given = form.cleaned_data
    made: list[ModelVersion] = []

    def act() -> None:
        made.append(
            services.upload_model(
                access.actor(request),
                name=given["name"],
                files=uploads.uploads(given["files"], given["folder"]),
                team=_team(request, given.get("team", "")),
                governance=given.get("governance"),
                settings={k: given[k] for k in ("purpose", "exposure", "purpose_class")},
            )
        )

    return made[0] if _kept(form, "name", act) else None


def _kept(form: Form, field: str, act: Any) -> bool:
    """`accepted`, with a name that is taken out of sight said beside the name."""
    try:
        return accepted(form, act)
    except Forbidden as error:
        if "exists" not in error.message:
            raise
        form.add_error(field, str(error))
        return False


def _team(request: HttpRequest, pk: str) -> Team | None:
    teams = policy.teams_where(access.actor(request), "model.create")
    return teams.filter(pk=int(pk)).first() if pk else None


@csrf_exempt  # as `new`
@require_http_methods(ACTS)
def new_version(request: HttpRequest, name: str) -> HttpResponse:
    """Add a version by uploading files."""
    uploads.keep_paths(request)
    return _new_version(request, name)


@csrf_protect
def _new_version(request: HttpRequest, name: str) -> HttpResponse:
    model = access.model_for(request, name, "model.register")
    form = UploadVersionForm(sent(request), _files(request))
    if request.method == "POST" and form.is_valid():
        made = _add(request, model, form)
        if made is not None:
            messages.success(request, f"{made} is registered.")
            return see_other(request, addresses.version(name, made.number))
    context = {"header": pages.version_header(model), "form": form, "back": addresses.model(name)}
    return render(request, "models/new.html", context, status=form_status(form))


def _add(
    request: HttpRequest, model: RegisteredModel, form: UploadVersionForm
) -> ModelVersion | None:
    given = form.cleaned_data
    made: list[ModelVersion] = []

    def act() -> None:
        files = uploads.uploads(given["files"], given["folder"])
        actor = access.actor(request)
        description = given["description"]
        made.append(services.upload_version(actor, model, files=files, description=description))

    return made[0] if accepted(form, act) else None


@require_http_methods(ACTS)
def settings(request: HttpRequest, name: str) -> HttpResponse:
    """Owner, team, purpose, exposure, use; and, for who may, governance."""
    model = access.model_for(request, name)
    actor = access.actor(request)
    verbs = policy.verbs_on(actor, model)
    if not verbs & {"model.edit", "model.manage", "model.sandbox"}:
        policy.require(actor, "model.edit", model)
    if wants_fragment(request) and request.method == "GET":
        return _tier(request)
    about_governance = request.POST.get("act") == "governance"
    if about_governance:
        policy.require(actor, "model.sandbox", model)
    form = _settings_form(request, model, None if about_governance else sent(request))
    change = GovernanceForm(
        request.POST if about_governance else None, initial={"governance": model.governance}
    )
    if request.method == "POST" and about_governance and _governed(request, model, change):
        messages.success(request, "The settings are saved.")
        return see_other(request, addresses.model(name))
    if request.method == "POST" and not about_governance and form.is_valid():
        done: list[ModelChange | None] = []
        if _saved(request, model, form, done):
            return _after(request, name, done[0])
    context = {
        "header": pages.settings_header(model),
        "form": form if verbs & {"model.edit", "model.manage"} else None,
        "governance": change if "model.sandbox" in verbs else None,
        "tier": pages.tier(model.exposure, model.purpose_class, model.demanded_tier)
        if "model.manage" in verbs
        else None,
        "back": addresses.model(name),
    }
    status = max(form_status(form), form_status(change))
    return render(request, "models/settings.html", context, status=status)


def _settings_form(request: HttpRequest, model: RegisteredModel, data: Any) -> SettingsForm:
    initial = {
        "owner": str(model.owner_id),
        "team": str(model.team_id or ""),
        "purpose": model.purpose,
        "exposure": model.exposure,
        "purpose_class": model.purpose_class,
        "description": model.description,
    }
    actor = access.actor(request)
    return SettingsForm(
        data,
        initial=initial,
        owners=pages.owners(model),
        teams=pages.teams(actor, current=model),
        manage=policy.can(actor, "model.manage", model),
        live=request.path,
        scopes=pages.scope_tags(model),
    )


def _saved(
    request: HttpRequest, model: RegisteredModel, form: SettingsForm, done: list[ModelChange | None]
) -> bool:
    actor = access.actor(request)
    return accepted(
        form, lambda: done.append(reviews.change_settings(actor, model, **form.changes()))
    )


def _after(request: HttpRequest, name: str, proposed: ModelChange | None) -> HttpResponse:
    """The model again, or the proposal where one was needed."""
    if proposed is None:
        messages.success(request, "The settings are saved.")
        return see_other(request, addresses.model(name))
    messages.success(request, f"{proposed} waits for a signature. The model stands as before.")
    return see_other(request, reverse("web:model-change", args=[proposed.pk]))


def _governed(request: HttpRequest, model: RegisteredModel, form: GovernanceForm) -> bool:
    actor = access.actor(request)
    return form.is_valid() and accepted(
        form, lambda: services.change_governance(actor, model, **form.cleaned_data)
    )


def _tier(request: HttpRequest) -> HttpResponse:
    """The risk tier for the answers chosen so far: what the form asks for when one changes."""
    tier = pages.tier(request.GET.get("exposure", ""), request.GET.get("purpose_class", ""))
    return render(request, "models/_tier.html", {"tier": tier})
