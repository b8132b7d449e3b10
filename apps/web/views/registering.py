"""Registering a version from a run."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.accounts import policy
from apps.accounts.models import Team
from apps.compliance import use_gate
from apps.core.errors import Conflict, Forbidden
from apps.experiments.models import Run
from apps.registry import services
from apps.registry.models import ModelVersion
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.models import RegisterRunForm
from apps.web.pages import model_forms, registering
from apps.web.pages.registering import RegisterPage
from apps.web.responses import see_other, wants_fragment

CHANGED = "The files changed since you looked, so nothing was registered. Below they stand as they are now."


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show what a version of this run would be made of, and make it of exactly that."""
    run = access.run_for(request, run_id)
    actor = access.actor(request)
    model_forms.require_registering(actor)
    if wants_fragment(request) and request.method == "GET":
        return _tier(request)
    page = registering.page(actor, run)
    form = RegisterRunForm(
        sent(request),
        sources=registering.choices(page),
        teams=model_forms.teams(actor),
        live=request.path,
        initial={"source": page.sources[0].uri if page.sources else ""},
    )
    if request.method == "POST" and form.is_valid():
        made = _register(request, form, page, run)
        if made is not None:
            messages.success(request, f"{made} is registered.")
            return see_other(request, addresses.version(made.model.name, made.number))
    tier = model_forms.tier(str(form["exposure"].value()), str(form["purpose_class"].value()))
    context = {"page": page, "form": form, "tier": tier}
    return render(request, "runs/register.html", context, status=form_status(form))


def _register(
    request: HttpRequest, form: RegisterRunForm, page: RegisterPage, run: Run
) -> ModelVersion | None:
    given = form.cleaned_data
    if given["shown"] != page.shown:
        form.refuse_all(CHANGED)
        return None
    chosen = next(each for each in page.sources if each.uri == given["source"])
    made: list[ModelVersion] = []

    def act() -> None:
        digests = {file.digest for file in chosen.files}
        use_gate.require_for_files(access.actor(request), chosen.logged_model or run, digests)
        made.append(
            services.register_run(
                access.actor(request),
                run,
                source=chosen.uri,
                digest=chosen.digest,
                name=given["name"],
                description=given["description"],
                team=_team(request, given.get("team", "")),
                settings={key: given[key] for key in ("purpose", "exposure", "purpose_class")},
            )
        )

    try:
        return made[0] if accepted(form, act) else None
    except Conflict as error:
        form.refuse_all(str(error))
    except Forbidden as error:
        form.add_error("name", str(error))
    return None


def _team(request: HttpRequest, pk: str) -> Team | None:
    teams = policy.teams_where(access.actor(request), "model.create")
    return teams.filter(pk=int(pk)).first() if pk else None


def _tier(request: HttpRequest) -> HttpResponse:
    """The risk tier for the answers chosen so far."""
    tier = model_forms.tier(request.GET.get("exposure", ""), request.GET.get("purpose_class", ""))
    return render(request, "models/_tier.html", {"tier": tier})
